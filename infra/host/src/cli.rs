//! The commands: `up` runs the application, `migrate` brings a database up to date, `check` reads the manifest.

use std::{net::SocketAddr, path::PathBuf, str::FromStr};

use anyhow::{Context, Result, anyhow};
use clap::{Args, Parser};

use crate::{cron::Schedule, logs, manifest::Manifest, migrations, router::Router, up};

/// Runs the functions of a spin.toml on this machine.
#[derive(Debug, Parser)]
#[command(name = "linli", version)]
pub enum Command {
    /// Migrates the database, then runs everything until SIGTERM or SIGINT.
    Up(UpOptions),
    /// Applies the migrations that a database lacks.
    Migrate(MigrateOptions),
    /// Reads and checks the manifest.
    Check(ManifestOption),
}

/// Which manifest.
#[derive(Debug, Clone, Args)]
pub struct ManifestOption {
    /// The manifest.
    #[arg(long, env = "LINLI_MANIFEST", default_value = "spin.toml")]
    pub manifest: PathBuf,
}

/// What `up` is told.
#[derive(Debug, Clone, Args)]
pub struct UpOptions {
    /// The manifest.
    #[command(flatten)]
    pub manifest: ManifestOption,
    /// Where HTTP is served; port 0 takes a free one.
    #[arg(long, env = "LINLI_LISTEN", default_value = "127.0.0.1:3000")]
    pub listen: SocketAddr,
    /// Where the embedded MQTT broker listens; `none` for an external broker, which the variables of the
    /// manifest name.
    #[arg(long, env = "LINLI_MQTT", default_value = "127.0.0.1:1883")]
    pub mqtt: MqttOption,
    /// The folder of everything that is kept.
    #[arg(long, env = "LINLI_DATA", default_value = ".linli")]
    pub data: PathBuf,
    /// The folder of compiled components, by default `cache` in the data folder; hosts of one user may share it.
    #[arg(long, env = "LINLI_CACHE")]
    pub cache: Option<PathBuf>,
    /// The filter of the log, in the syntax of `tracing`.
    #[arg(long, env = "LINLI_LOG", default_value = "info")]
    pub log: String,
}

/// What `migrate` is told.
#[derive(Debug, Clone, Args)]
pub struct MigrateOptions {
    /// The manifest.
    #[command(flatten)]
    pub manifest: ManifestOption,
    /// The database: `postgres://user:password@host:port/name`, or `sqlite:PATH`. Without it, the database that
    /// `up` would use.
    #[arg(long, env = "SPIN_VARIABLE_DATABASE_URL")]
    pub database: Option<String>,
    /// The folder of everything that is kept.
    #[arg(long, env = "LINLI_DATA", default_value = ".linli")]
    pub data: PathBuf,
}

/// Where the embedded broker listens, if it is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MqttOption {
    /// At this address.
    Embedded(SocketAddr),
    /// Not at all.
    External,
}

impl FromStr for MqttOption {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == "none" {
            return Ok(Self::External);
        }
        let address = text.parse().map_err(|_| {
            anyhow!("{text:?} is neither an address such as 127.0.0.1:1883 nor none")
        })?;
        Ok(Self::Embedded(address))
    }
}

/// Runs a command to its end.
///
/// # Errors
/// Whatever keeps it from its work, in one sentence for the person who started it.
pub fn run(command: Command) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the threads")?;
    match command {
        Command::Up(options) => {
            logs::start(&options.log)
                .with_context(|| format!("LINLI_LOG: {:?} is not a filter", options.log))?;
            runtime.block_on(up::up(options))
        }
        Command::Migrate(options) => runtime.block_on(migrate(options)),
        Command::Check(option) => check(&option),
    }
}

async fn migrate(options: MigrateOptions) -> Result<()> {
    let manifest = Manifest::read(&options.manifest.manifest)?;
    let url = match options.database.filter(|url| !url.is_empty()) {
        Some(url) => url,
        None => {
            up::make_folder(&options.data)?;
            migrations::embedded_database(&options.data)
        }
    };
    let applied = migrations::apply(&manifest, &url).await?;
    for file in &applied {
        println!("applied {file}");
    }
    println!("{} migrations applied", applied.len());
    Ok(())
}

fn check(option: &ManifestOption) -> Result<()> {
    let manifest = Manifest::read(&option.manifest)?;
    let routes = manifest
        .http
        .iter()
        .filter_map(|trigger| trigger.route.clone());
    Router::new(routes.map(|route| (route, ())))?;
    for trigger in &manifest.cron_triggers {
        Schedule::parse(&trigger.expression)?;
    }
    println!(
        "{}: {} components, {} HTTP, {} MQTT and {} cron triggers",
        manifest.name,
        manifest.components.len(),
        manifest.http.len(),
        manifest.mqtt_triggers.len(),
        manifest.cron_triggers.len()
    );
    Ok(())
}
