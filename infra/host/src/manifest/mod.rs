//! `spin.toml`, version 2, as far as this host supports it: read once, checked completely, and never guessed
//! at. A key that is unknown or not supported is refused with its full name.

mod check;
mod component;
mod read;
mod section;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{limits::Limits, template::Template};

/// The whole manifest.
#[derive(Debug, Clone, Default)]
pub struct Manifest {
    /// The folder that holds it; relative paths start here.
    pub folder: PathBuf,
    /// The application's name.
    pub name: String,
    /// The application's variables by name.
    pub variables: BTreeMap<String, Variable>,
    /// What is served over HTTP, in the order of the manifest.
    pub http: Vec<HttpTrigger>,
    /// How triggers reach the MQTT broker; `None` without MQTT triggers.
    pub mqtt: Option<MqttSettings>,
    /// What handles MQTT messages.
    pub mqtt_triggers: Vec<MqttTrigger>,
    /// What runs by the clock.
    pub cron_triggers: Vec<CronTrigger>,
    /// The components by name.
    pub components: BTreeMap<String, Component>,
    /// `[application.tool.linli]`.
    pub linli: LinliSettings,
}

/// A variable of the application: either it has a default, or a value must be given.
#[derive(Debug, Clone, Default)]
pub struct Variable {
    /// The value unless another is given; `None`: it is required.
    pub default: Option<String>,
    /// Whether it must not be shown.
    pub secret: bool,
}

/// `[[trigger.http]]`
#[derive(Debug, Clone)]
pub struct HttpTrigger {
    /// The route; `None` for a private trigger, which nothing routes to.
    pub route: Option<String>,
    /// What answers.
    pub target: HttpTarget,
}

/// What answers a request.
#[derive(Debug, Clone)]
pub enum HttpTarget {
    /// The component of that name.
    Component(String),
    /// Always the same answer.
    Static(StaticResponse),
}

/// `static_response = { status_code, headers, body }`
#[derive(Debug, Clone)]
pub struct StaticResponse {
    /// The status.
    pub status: http::StatusCode,
    /// The headers.
    pub headers: http::HeaderMap,
    /// The body.
    pub body: String,
}

/// `[application.trigger.mqtt]`
#[derive(Debug, Clone)]
pub struct MqttSettings {
    /// `mqtt://host:port`
    pub address: Template,
    /// The user that the host connects as.
    pub username: Template,
    /// That user's password.
    pub password: Template,
    /// Seconds between signs of life.
    pub keep_alive_seconds: u64,
}

/// `[[trigger.mqtt]]`
#[derive(Debug, Clone)]
pub struct MqttTrigger {
    /// The component that handles the messages.
    pub component: String,
    /// The topic filter.
    pub topic: Template,
    /// The quality of service: 0, 1 or 2.
    pub qos: u8,
}

/// `[[trigger.cron]]`
#[derive(Debug, Clone)]
pub struct CronTrigger {
    /// The component that is called.
    pub component: String,
    /// Second, minute, hour, day of month, month, day of week, in UTC.
    pub expression: String,
}

/// `[component.NAME]`
#[derive(Debug, Clone, Default)]
pub struct Component {
    /// The wasm file.
    pub source: PathBuf,
    /// Files that the component may read.
    pub files: Vec<FileMount>,
    /// Where it may connect to.
    pub allowed_outbound_hosts: Vec<Template>,
    /// The labels of its key-value stores.
    pub key_value_stores: Vec<String>,
    /// The labels of its SQLite databases.
    pub sqlite_databases: Vec<String>,
    /// Its variables.
    pub variables: BTreeMap<String, Template>,
    /// Its environment.
    pub environment: BTreeMap<String, String>,
    /// What satisfies its imports, by the import's name.
    pub dependencies: BTreeMap<String, Dependency>,
    /// The commands that build the wasm file.
    pub build: Vec<String>,
    /// `[component.NAME.tool.linli] migrations`: the folder of its SQL files.
    pub migrations: Option<PathBuf>,
}

/// An entry of `files`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileMount {
    /// Files that match the pattern appear under the same path.
    Pattern(String),
    /// The folder `source` appears at `destination`.
    Placement {
        /// The folder, relative to the manifest.
        source: PathBuf,
        /// The absolute path in the guest.
        destination: String,
    },
}

/// `"package:name/interface@version" = { component = "..." }`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The component of this manifest that satisfies the import.
    pub component: String,
    /// The export to use, where it is not named like the import.
    pub export: Option<String>,
}

/// `[application.tool.linli]`: what only this host reads.
#[derive(Debug, Clone)]
pub struct LinliSettings {
    /// Folders of SQL files that belong to no component; they are applied before those of the components.
    pub migrations: Vec<PathBuf>,
    /// The route that says whether an MQTT client is who it says it is.
    pub broker_authentication: Option<String>,
    /// The route that says what an MQTT client may do.
    pub broker_authorization: Option<String>,
    /// Whether functions are told in Spin's headers (`spin-path-info` and the like) how they were reached. Functions
    /// that do not read them are served faster without.
    pub route_headers: bool,
    /// The limits of all functions.
    pub limits: Limits,
}

impl Default for LinliSettings {
    fn default() -> Self {
        Self {
            migrations: Vec::new(),
            broker_authentication: None,
            broker_authorization: None,
            route_headers: true,
            limits: Limits::default(),
        }
    }
}

impl Manifest {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// When the file cannot be read, is not TOML (the error names the line), or holds what this host does not
    /// support (the error names the key).
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the manifest {}", path.display()))?;
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        Self::parse(&text, folder)
            .with_context(|| format!("the manifest {} cannot be used", path.display()))
    }

    /// Parses and checks the text of a manifest that stands in `folder`.
    ///
    /// # Errors
    /// As [`Manifest::read`].
    pub fn parse(text: &str, folder: &Path) -> Result<Self> {
        read::manifest(text, folder)
    }

    /// The folders of SQL files in the order in which they are applied: the application's, then those of the
    /// components by name; each once.
    #[must_use]
    pub fn migration_folders(&self) -> Vec<PathBuf> {
        let mut folders: Vec<PathBuf> = Vec::new();
        let components = self
            .components
            .values()
            .filter_map(|component| component.migrations.as_ref());
        for folder in self.linli.migrations.iter().chain(components) {
            if !folders.contains(folder) {
                folders.push(folder.clone());
            }
        }
        folders
    }
}
