//! The text of `bridge.toml` as it stands there, and the checks that make a [`Config`] of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail, ensure};
use kernel::{DeviceId, TenantId};
use serde::Deserialize;
use wire::pass::PassKey;

use super::devices::{self, PanelFile, RelayFile, SwitchFile, millis};
use super::meters::{self, MeterBusFile, MeterFile};
use super::{
    ADAPTERS_MAX, Config, DOORS_MAX, DoorConfig, LineConfig, MeterBusConfig, OSDP_ADDRESS_MAX,
    PASSWORD_VARIABLE, PanelsConfig, Password, Port, RelayConfig, SPOOL_MESSAGES_MAX, SpoolLimits,
    SwitchConfig, UNLOCK_MS_MAX, host_and_port,
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
    site: Option<String>,
    #[serde(default)]
    keys: Vec<String>,
    panels_listen: Option<String>,
    #[serde(default)]
    lines: Vec<LineFile>,
    #[serde(default)]
    relays: Vec<RelayFile>,
    #[serde(default)]
    panels: Vec<PanelFile>,
    #[serde(default)]
    switches: Vec<SwitchFile>,
    #[serde(default)]
    doors: Vec<DoorFile>,
    meter_zone: Option<String>,
    #[serde(default)]
    meter_buses: Vec<MeterBusFile>,
    #[serde(default)]
    meters: Vec<MeterFile>,
}

impl File {
    fn check(self, password: Option<String>) -> Result<Config> {
        let (broker_host, broker_port) = host_and_port(&self.broker).context("broker")?;
        let password = self.password(password)?;
        let lines = all(self.lines, LineFile::check)?;
        let meter_buses = meters::buses(self.meter_zone, self.meter_buses, self.meters)?;
        let ports = lines.iter().map(|line| &line.port);
        let ports = ports.chain(meter_buses.iter().map(|bus| &bus.port));
        no_repetition(
            "lines]] and [[meter_buses",
            "port",
            ports.map(ToString::to_string),
        )?;
        let relays = all(self.relays, RelayFile::check)?;
        let panels = devices::panels(self.panels_listen, self.panels)?;
        let switches = all(self.switches, SwitchFile::check)?;
        let known = Known::of(&lines, &relays, panels.as_ref(), &switches, &meter_buses)?;
        let doors = self
            .doors
            .into_iter()
            .map(|door| door.check(&known))
            .collect::<Result<Vec<_>>>()?;
        let doors_min = usize::from(meter_buses.is_empty());
        ensure!(
            (doors_min..=DOORS_MAX).contains(&doors.len()),
            "there must be {doors_min} to {DOORS_MAX} [[doors]], not {}",
            doors.len()
        );
        let meters = meter_buses.iter().flat_map(|bus| &bus.meters);
        no_repetition(
            "doors]] and [[meters",
            "id",
            doors
                .iter()
                .map(|door| &door.id)
                .chain(meters.map(|meter| &meter.id))
                .map(ToString::to_string),
        )?;
        no_repetition(
            "doors",
            "device, address and output",
            doors
                .iter()
                .map(|door| format!("{}, {} and {}", door.adapter, door.address, door.output)),
        )?;
        let spool = self.spool.check()?;
        let site = self
            .site
            .map(|site| site.parse().context("site"))
            .transpose()?;
        let keys = all(self.keys, key)?;
        Ok(Config {
            tenant: self.tenant,
            gateway: self.gateway,
            broker_host,
            broker_port,
            password,
            data: self.data,
            spool,
            site,
            keys,
            lines,
            relays,
            panels,
            switches,
            doors,
            meter_buses,
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
        let named = |name: &str| format!("{name} of line {id:?}");
        Ok(LineConfig {
            poll: millis(&named("poll_ms"), self.poll_ms, 200, 20..=10_000)?,
            reply_timeout: millis(
                &named("reply_timeout_ms"),
                self.reply_timeout_ms,
                200,
                20..=5_000,
            )?,
            lost_after: millis(
                &named("lost_after_ms"),
                self.lost_after_ms,
                8_000,
                100..=600_000,
            )?,
            id,
            port,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DoorFile {
    id: DeviceId,
    line: Option<String>,
    relay: Option<String>,
    panel: Option<String>,
    switch: Option<String>,
    address: Option<u8>,
    output: Option<u8>,
    reader: Option<u8>,
    unlock_ms: Option<u32>,
}

impl DoorFile {
    fn check(self, known: &Known) -> Result<DoorConfig> {
        let id = &self.id;
        let named = [
            ("line", &self.line),
            ("relay", &self.relay),
            ("panel", &self.panel),
            ("switch", &self.switch),
        ];
        let mut named = named
            .into_iter()
            .filter_map(|(kind, adapter)| Some((kind, adapter.as_ref()?)));
        let (Some((kind, adapter)), None) = (named.next(), named.next()) else {
            bail!("door {id} must name exactly one line, relay, panel or switch");
        };
        ensure!(
            known.0.get(adapter) == Some(&kind),
            "door {id} hangs on {kind} {adapter:?}, which is not among the {kind}{}",
            if kind == "switch" { "es" } else { "s" }
        );
        let on_line = kind == "line";
        ensure!(
            self.address.is_some() == on_line,
            "address of door {id} is {}",
            if on_line {
                "missing"
            } else {
                "a line's matter"
            }
        );
        let address = self.address.unwrap_or(0);
        ensure!(
            address <= OSDP_ADDRESS_MAX,
            "address of door {id} must be 0 to {OSDP_ADDRESS_MAX}, not {address}"
        );
        let Some(output) = self.output.or(match kind {
            "line" => None,
            "panel" => Some(1),
            _ => Some(0),
        }) else {
            bail!("output of door {id} is missing");
        };
        ensure!(
            kind != "panel" || output > 0,
            "output of door {id} must be 1 or more: panels count from 1"
        );
        let unlock_ms = self.unlock_ms.unwrap_or(3_000);
        ensure!(
            (100..=UNLOCK_MS_MAX).contains(&unlock_ms),
            "unlock_ms of door {id} must be 100 to {UNLOCK_MS_MAX}, not {unlock_ms}"
        );
        Ok(DoorConfig {
            adapter: adapter.clone(),
            address,
            output,
            reader: self.reader.unwrap_or(output),
            unlock_ms,
            id: self.id,
        })
    }
}

/// Every line, relay, panel and switch by its name, with what it is.
#[derive(Default)]
struct Known(BTreeMap<String, &'static str>);

impl Known {
    /// Everything that is named, each name once.
    fn of(
        lines: &[LineConfig],
        relays: &[RelayConfig],
        panels: Option<&PanelsConfig>,
        switches: &[SwitchConfig],
        meter_buses: &[MeterBusConfig],
    ) -> Result<Self> {
        let mut known = Known::default();
        known.add("line", lines.iter().map(|line| &line.id))?;
        known.add("relay", relays.iter().map(|relay| &relay.id))?;
        let called = panels.iter().flat_map(|panels| &panels.panels);
        known.add("panel", called.map(|panel| &panel.id))?;
        known.add("switch", switches.iter().map(|switch| &switch.id))?;
        known.add("meter bus", meter_buses.iter().map(|bus| &bus.id))?;
        ensure!(
            (1..=ADAPTERS_MAX).contains(&known.0.len()),
            "there must be 1 to {ADAPTERS_MAX} [[lines]], [[relays]], [[panels]], [[switches]] and [[meter_buses]], not {}",
            known.0.len()
        );
        Ok(known)
    }

    fn add<'a>(&mut self, kind: &'static str, ids: impl Iterator<Item = &'a String>) -> Result<()> {
        for id in ids {
            ensure!(!id.is_empty(), "a {kind} has an empty id");
            if let Some(other) = self.0.insert(id.clone(), kind) {
                bail!("a {other} and a {kind} have the same id: {id}");
            }
        }
        Ok(())
    }
}

fn key(text: String) -> Result<PassKey> {
    let (id, public) = text
        .split_once(':')
        .with_context(|| format!("{text:?} in keys is not ID:PUBLIC"))?;
    Ok(PassKey {
        id: id.to_owned(),
        public: public.to_owned(),
    })
}

fn all<File, Checked>(
    files: Vec<File>,
    check: impl FnMut(File) -> Result<Checked>,
) -> Result<Vec<Checked>> {
    files.into_iter().map(check).collect()
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
