//! A whole system: the host on free ports, in a temporary folder.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::{http::Http, mqtt::Mqtt, place, process::Process};

/// The line on which the host says that everything answers.
pub const READY: &str = "linli is ready: ";

/// How to start a host.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Which manifest.
    pub manifest: PathBuf,
    /// Whether a broker runs inside.
    pub broker: bool,
    /// Further environment.
    pub environment: Vec<(String, String)>,
}

impl Setup {
    /// The functions of this repository, with the embedded broker.
    #[must_use]
    pub fn functions() -> Self {
        Self {
            manifest: place::root().join("spin.toml"),
            broker: true,
            environment: Vec::new(),
        }
    }

    /// A manifest of a test's own, without a broker.
    #[must_use]
    pub fn of(manifest: PathBuf) -> Self {
        Self {
            manifest,
            broker: false,
            environment: Vec::new(),
        }
    }

    /// With one more variable in the environment.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The command line of `linli up`.
    #[must_use]
    pub fn command(&self, data: &Path, listen: &str, mqtt: &str) -> std::process::Command {
        let mut command = std::process::Command::new(place::binary("linli"));
        let arguments: [OsString; 9] = [
            "up".into(),
            "--manifest".into(),
            self.manifest.clone().into(),
            "--data".into(),
            data.into(),
            "--listen".into(),
            listen.into(),
            "--mqtt".into(),
            mqtt.into(),
        ];
        command
            .args(arguments)
            .current_dir(place::root())
            .env("LINLI_LOG", "info")
            .env("LINLI_CACHE", place::compiled_components())
            .envs(self.environment.iter().cloned());
        command
    }
}

/// A running host and its data folder. Dropped, it is killed and the folder removed.
pub struct System {
    /// The host.
    pub host: Process,
    /// `http://ADDRESS`.
    pub http_address: String,
    /// `ADDRESS:PORT` of the broker, when there is one.
    pub mqtt_address: String,
    setup: Setup,
    folder: TempDir,
}

impl System {
    /// Starts a host and waits until everything answers.
    ///
    /// # Panics
    /// When it does not start; with what it printed.
    #[must_use]
    pub fn start(setup: Setup) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("linli-test-")
            .tempdir()
            .unwrap_or_else(|error| panic!("a temporary folder: {error}"));
        let mqtt = if setup.broker { "127.0.0.1:0" } else { "none" };
        let (host, http_address, mqtt_address) = start(&setup, folder.path(), "127.0.0.1:0", mqtt);
        Self {
            host,
            http_address,
            mqtt_address,
            setup,
            folder,
        }
    }

    /// Starts the host again on the same folder and ports, after it was killed or has ended.
    ///
    /// # Panics
    /// When it does not start; with what it printed.
    pub fn restart(&mut self) {
        let listen = self.http_address.trim_start_matches("http://").to_owned();
        let mqtt = if self.setup.broker {
            self.mqtt_address.as_str()
        } else {
            "none"
        };
        let (host, http_address, mqtt_address) =
            start(&self.setup, self.folder.path(), &listen, mqtt);
        self.host = host;
        (self.http_address, self.mqtt_address) = (http_address, mqtt_address);
    }

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    /// A client without a token.
    #[must_use]
    pub fn http(&self) -> Http {
        Http::new(&self.http_address)
    }

    /// A client that presents the internal token.
    ///
    /// # Panics
    /// When the host has made none.
    #[must_use]
    pub fn internal(&self) -> Http {
        self.http().with_token(&self.secret("internal_token"))
    }

    /// A secret that the host has made.
    ///
    /// # Panics
    /// When it has not.
    #[must_use]
    pub fn secret(&self, name: &str) -> String {
        let file = self.data().join("secrets.toml");
        let text =
            fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let table: toml::Table = text
            .parse()
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        table
            .get(name)
            .and_then(toml::Value::as_str)
            .unwrap_or_else(|| panic!("no {name} in secrets.toml"))
            .to_owned()
    }

    /// Connects to the broker.
    ///
    /// # Errors
    /// When the broker refuses.
    pub async fn mqtt(&self, client_id: &str, user: &str, password: &str) -> Result<Mqtt, String> {
        Mqtt::connect(&self.mqtt_address, client_id, user, password).await
    }
}

fn start(setup: &Setup, data: &Path, listen: &str, mqtt: &str) -> (Process, String, String) {
    let mut host = Process::spawn("linli", setup.command(data, listen, mqtt));
    let line = host.line(READY);
    let word = |scheme: &str| {
        line.split_whitespace()
            .find(|word| word.starts_with(scheme))
            .map(str::to_owned)
    };
    let http_address = word("http://").unwrap_or_else(|| panic!("no http address in {line:?}"));
    let mqtt_address = word("mqtt://")
        .unwrap_or_default()
        .trim_start_matches("mqtt://")
        .to_owned();
    assert!(
        !setup.broker || !mqtt_address.is_empty(),
        "no mqtt address in {line:?}"
    );
    (host, http_address, mqtt_address)
}
