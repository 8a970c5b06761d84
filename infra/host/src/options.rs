//! What `linli up` is told, by flags or by the environment.

use std::{net::SocketAddr, path::PathBuf, str::FromStr};

use anyhow::{Result, anyhow};
use clap::Args;

use crate::components;

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
    /// Where things are kept.
    #[command(flatten)]
    pub folders: Folders,
    /// Lets `POST /internal/clock?seconds=N` set the functions' clock ahead: for demonstrations and tests only.
    #[arg(long, env = "LINLI_MOVABLE_CLOCK")]
    pub movable_clock: bool,
    /// The filter of the log, in the syntax of `tracing`.
    #[arg(long, env = "LINLI_LOG", default_value = "info")]
    pub log: String,
}

/// Where things are kept.
#[derive(Debug, Clone, Args)]
pub struct Folders {
    /// The folder of everything that is kept.
    #[arg(long, env = "LINLI_DATA", default_value = ".linli")]
    pub data: PathBuf,
    /// The folder of compiled components, by default `cache` in the data folder; hosts of one user may share it.
    #[arg(long, env = "LINLI_CACHE")]
    pub cache: Option<PathBuf>,
}

impl Folders {
    /// The folder of compiled components.
    #[must_use]
    pub fn compiled(&self) -> PathBuf {
        let own = || self.data.join(components::CACHE_FOLDER);
        self.cache.clone().unwrap_or_else(own)
    }
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
