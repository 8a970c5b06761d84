//! The text of `bridge.toml` as it stands there, and the checks that make a [`Config`] of it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use kernel::{DeviceId, TenantId};
use serde::Deserialize;

use super::{
    Config, DOORS_MAX, DoorConfig, LINES_MAX, LineConfig, OSDP_ADDRESS_MAX, PASSWORD_VARIABLE,
    Password, Port, SPOOL_MESSAGES_MAX, SpoolLimits, UNLOCK_MS_MAX, host_and_port,
};

/// Makes a checked configuration of the text.
pub fn parse(text: &str, password: Option<String>) -> Result<Config> {
    let file: File =
        toml::from_str(text).map_err(|error| anyhow!("{}", error.to_string().trim_end()))?;
    file.check(password)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    tenant: TenantId,
    gateway: DeviceId,
    broker: String,
    password: Option<String>,
    password_file: Option<PathBuf>,
    data: PathBuf,
    #[serde(default)]
    spool: SpoolFile,
    #[serde(default)]
    lines: Vec<LineFile>,
    #[serde(default)]
    doors: Vec<DoorFile>,
}

impl File {
    fn check(self, password: Option<String>) -> Result<Config> {
        let (broker_host, broker_port) = host_and_port(&self.broker).context("broker")?;
        let password = self.password(password)?;
        let lines = self
            .lines
            .into_iter()
            .map(LineFile::check)
            .collect::<Result<Vec<_>>>()?;
        ensure!(
            (1..=LINES_MAX).contains(&lines.len()),
            "there must be 1 to {LINES_MAX} [[lines]], not {}",
            lines.len()
        );
        no_repetition("lines", "id", lines.iter().map(|line| line.id.clone()))?;
        no_repetition(
            "lines",
            "port",
            lines.iter().map(|line| line.port.to_string()),
        )?;
        let known: BTreeSet<&str> = lines.iter().map(|line| line.id.as_str()).collect();
        let doors = self
            .doors
            .into_iter()
            .map(|door| door.check(&known))
            .collect::<Result<Vec<_>>>()?;
        ensure!(
            (1..=DOORS_MAX).contains(&doors.len()),
            "there must be 1 to {DOORS_MAX} [[doors]], not {}",
            doors.len()
        );
        no_repetition("doors", "id", doors.iter().map(|door| door.id.to_string()))?;
        no_repetition(
            "doors",
            "line, address and output",
            doors
                .iter()
                .map(|door| format!("{}, {} and {}", door.line, door.address, door.output)),
        )?;
        let spool = self.spool.check()?;
        Ok(Config {
            tenant: self.tenant,
            gateway: self.gateway,
            broker_host,
            broker_port,
            password,
            data: self.data,
            spool,
            lines,
            doors,
        })
    }

    fn password(&self, environment: Option<String>) -> Result<Password> {
        let text = match (&self.password, &self.password_file, environment) {
            (Some(_), Some(_), _) => bail!("give password or password_file, not both"),
            (Some(password), None, _) => password.clone(),
            (None, Some(path), _) => std::fs::read_to_string(path)
                .with_context(|| format!("password_file {} cannot be read", path.display()))?
                .trim_end_matches(['\r', '\n'])
                .to_owned(),
            (None, None, Some(password)) => password,
            (None, None, None) => {
                bail!("there is no password: give password, password_file or {PASSWORD_VARIABLE}")
            }
        };
        ensure!(!text.is_empty(), "the password is empty");
        Ok(Password::new(text))
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SpoolFile {
    messages_max: Option<u64>,
    bytes_max: Option<u64>,
}

impl SpoolFile {
    fn check(&self) -> Result<SpoolLimits> {
        let usual = SpoolLimits::default();
        let messages_max = self.messages_max.unwrap_or(usual.messages_max);
        let bytes_max = self.bytes_max.unwrap_or(usual.bytes_max);
        ensure!(
            (1..=SPOOL_MESSAGES_MAX).contains(&messages_max),
            "spool.messages_max must be 1 to {SPOOL_MESSAGES_MAX}"
        );
        ensure!(
            bytes_max >= wire::PAYLOAD_BYTES_MAX as u64,
            "spool.bytes_max must be at least {}",
            wire::PAYLOAD_BYTES_MAX
        );
        Ok(SpoolLimits {
            messages_max,
            bytes_max,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineFile {
    id: String,
    port: String,
    baud: Option<u32>,
    poll_ms: Option<u64>,
    reply_timeout_ms: Option<u64>,
    lost_after_ms: Option<u64>,
}

impl LineFile {
    fn check(self) -> Result<LineConfig> {
        let id = self.id;
        let mut port = self
            .port
            .parse::<Port>()
            .with_context(|| format!("port of line {id:?}"))?;
        match (&mut port, self.baud) {
            (Port::Serial { baud, .. }, Some(wanted)) => {
                ensure!(
                    (1_200..=921_600).contains(&wanted),
                    "baud of line {id:?} must be 1200 to 921600, not {wanted}"
                );
                *baud = wanted;
            }
            (Port::Tcp(_), Some(_)) => {
                bail!("line {id:?} is tcp: baud is the serial server's matter")
            }
            (_, None) => {}
        }
        let millis =
            |name: &str, value: Option<u64>, usual: u64, range: std::ops::RangeInclusive<u64>| {
                let value = value.unwrap_or(usual);
                ensure!(
                    range.contains(&value),
                    "{name} of line {id:?} must be {} to {}, not {value}",
                    range.start(),
                    range.end()
                );
                Ok(Duration::from_millis(value))
            };
        Ok(LineConfig {
            poll: millis("poll_ms", self.poll_ms, 200, 20..=10_000)?,
            reply_timeout: millis("reply_timeout_ms", self.reply_timeout_ms, 200, 20..=5_000)?,
            lost_after: millis("lost_after_ms", self.lost_after_ms, 8_000, 100..=600_000)?,
            id,
            port,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DoorFile {
    id: DeviceId,
    line: String,
    address: u8,
    output: u8,
    unlock_ms: Option<u32>,
}

impl DoorFile {
    fn check(self, lines: &BTreeSet<&str>) -> Result<DoorConfig> {
        let Self {
            id,
            line,
            address,
            output,
            unlock_ms,
        } = self;
        ensure!(
            lines.contains(line.as_str()),
            "door {id} hangs on line {line:?}, which is not among [[lines]]"
        );
        ensure!(
            address <= OSDP_ADDRESS_MAX,
            "address of door {id} must be 0 to {OSDP_ADDRESS_MAX}, not {address}"
        );
        let unlock_ms = unlock_ms.unwrap_or(3_000);
        ensure!(
            (100..=UNLOCK_MS_MAX).contains(&unlock_ms),
            "unlock_ms of door {id} must be 100 to {UNLOCK_MS_MAX}, not {unlock_ms}"
        );
        Ok(DoorConfig {
            id,
            line,
            address,
            output,
            unlock_ms,
        })
    }
}

fn no_repetition(table: &str, key: &str, values: impl Iterator<Item = String>) -> Result<()> {
    let mut seen = BTreeSet::new();
    for value in values {
        ensure!(
            !seen.contains(&value),
            "two of [[{table}]] have the same {key}: {value}"
        );
        seen.insert(value);
    }
    Ok(())
}
