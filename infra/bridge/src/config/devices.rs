//! The devices that do not hang on a line: HTTP relays, panels that call in, and switches behind an MQTT broker.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::{Password, host_and_port};
use crate::http::Url;

/// The words that a switch's topic and payload may have in braces; each is replaced for every order.
pub const SWITCH_WORDS: [&str; 4] = ["ms", "deciseconds", "seconds", "output"];

/// An HTTP relay that speaks the RPC of Shelly's second generation.
#[derive(Debug, Clone)]
pub struct RelayConfig {
    /// Its name in the log, and in `doors`.
    pub id: String,
    /// Where it is.
    pub url: Url,
    /// The password of its user `admin`, when it asks for one.
    pub password: Option<Password>,
    /// The pause between two questions whether it is there.
    pub poll: Duration,
    /// How long it may take to answer.
    pub reply_timeout: Duration,
    /// Silence of this length makes it lost.
    pub lost_after: Duration,
}

/// The panels that call in, and where they do.
#[derive(Debug, Clone)]
pub struct PanelsConfig {
    /// Where the panels reach us, as `address:port`.
    pub listen: String,
    /// The panels.
    pub panels: Vec<PanelConfig>,
}

/// One panel that speaks ZKTeco's push protocol.
#[derive(Debug, Clone)]
pub struct PanelConfig {
    /// Its name in the log, and in `doors`.
    pub id: String,
    /// Its serial number: all it says about who it is, so it belongs on a network of its own.
    pub serial: String,
    /// How far its clock is ahead of UTC, in minutes.
    pub utc_offset_minutes: i64,
    /// How long it may take to answer an order that it has fetched.
    pub reply_timeout: Duration,
    /// Silence of this length makes it lost.
    pub lost_after: Duration,
}

/// A relay that is switched over MQTT.
#[derive(Debug, Clone)]
pub struct SwitchConfig {
    /// Its name in the log, and in `doors`.
    pub id: String,
    /// The host name or address of its broker.
    pub broker_host: String,
    /// The broker's port.
    pub broker_port: u16,
    /// Who we are at that broker, when it asks.
    pub login: Option<(String, Password)>,
    /// Where orders go.
    pub command_topic: String,
    /// What is said to release the lock.
    pub release_payload: String,
    /// What is said to hold it open, when it can be.
    pub hold_payload: Option<String>,
    /// What is said to end that.
    pub restore_payload: Option<String>,
    /// Where the switch says what it did.
    pub state_topic: String,
    /// Where in the state's JSON the value stands; the whole payload when there is none.
    pub state_pointer: Option<String>,
    /// The value that says "unlocked".
    pub open_value: String,
    /// The value that says "locked".
    pub shut_value: String,
    /// How long it may take to answer.
    pub reply_timeout: Duration,
}

/// Reads a number of milliseconds within its range.
pub fn millis(
    name: &str,
    value: Option<u64>,
    usual: u64,
    range: RangeInclusive<u64>,
) -> Result<Duration> {
    let value = value.unwrap_or(usual);
    ensure!(
        range.contains(&value),
        "{name} must be {} to {}, not {value}",
        range.start(),
        range.end()
    );
    Ok(Duration::from_millis(value))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayFile {
    id: String,
    url: String,
    password: Option<String>,
    poll_ms: Option<u64>,
    reply_timeout_ms: Option<u64>,
    lost_after_ms: Option<u64>,
}

impl RelayFile {
    pub fn check(self) -> Result<RelayConfig> {
        let named = format!("relay {:?}", self.id);
        let check = move || -> Result<_> {
            Ok(RelayConfig {
                url: self.url.parse().context("url")?,
                password: self.password.map(Password::new),
                poll: millis("poll_ms", self.poll_ms, 5_000, 20..=60_000)?,
                reply_timeout: millis(
                    "reply_timeout_ms",
                    self.reply_timeout_ms,
                    2_000,
                    20..=5_000,
                )?,
                lost_after: millis("lost_after_ms", self.lost_after_ms, 15_000, 100..=600_000)?,
                id: self.id,
            })
        };
        check().context(named)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PanelFile {
    id: String,
    serial: String,
    utc_offset_minutes: Option<i64>,
    reply_timeout_ms: Option<u64>,
    lost_after_ms: Option<u64>,
}

impl PanelFile {
    fn check(self) -> Result<PanelConfig> {
        let named = format!("panel {:?}", self.id);
        let check = move || -> Result<_> {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            ensure!(
                (1..=64).contains(&self.serial.len()) && self.serial.bytes().all(plain),
                "serial must be 1 to 64 letters, digits or '-'"
            );
            let utc_offset_minutes = self.utc_offset_minutes.unwrap_or(480);
            ensure!(
                (-720..=840).contains(&utc_offset_minutes),
                "utc_offset_minutes must be -720 to 840, not {utc_offset_minutes}"
            );
            Ok(PanelConfig {
                reply_timeout: millis(
                    "reply_timeout_ms",
                    self.reply_timeout_ms,
                    2_000,
                    20..=30_000,
                )?,
                lost_after: millis("lost_after_ms", self.lost_after_ms, 30_000, 100..=600_000)?,
                utc_offset_minutes,
                id: self.id,
                serial: self.serial,
            })
        };
        check().context(named)
    }
}

/// The panels with the address that all of them call.
pub fn panels(listen: Option<String>, panels: Vec<PanelFile>) -> Result<Option<PanelsConfig>> {
    let panels: Vec<PanelConfig> = panels
        .into_iter()
        .map(PanelFile::check)
        .collect::<Result<_>>()?;
    match listen {
        None if panels.is_empty() => Ok(None),
        None => bail!("there are [[panels]], but panels_listen does not say where they call in"),
        Some(listen) => {
            ensure!(
                listen.parse::<std::net::SocketAddr>().is_ok(),
                "panels_listen must be address:port, for example 0.0.0.0:8090, not {listen:?}"
            );
            ensure!(
                !panels.is_empty(),
                "panels_listen is given, but there are no [[panels]]"
            );
            let mut serials = BTreeSet::new();
            for panel in &panels {
                let serial = &panel.serial;
                ensure!(
                    serials.insert(serial),
                    "two of [[panels]] have the same serial: {serial}"
                );
            }
            Ok(Some(PanelsConfig { listen, panels }))
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwitchFile {
    id: String,
    broker: String,
    username: Option<String>,
    password: Option<String>,
    command_topic: String,
    release_payload: String,
    #[serde(default)]
    timer_in_device: bool,
    hold_payload: Option<String>,
    restore_payload: Option<String>,
    state_topic: String,
    state_pointer: Option<String>,
    open_value: String,
    shut_value: String,
    reply_timeout_ms: Option<u64>,
}

impl SwitchFile {
    pub fn check(self) -> Result<SwitchConfig> {
        let named = format!("switch {:?}", self.id);
        self.checked().context(named)
    }

    fn checked(self) -> Result<SwitchConfig> {
        let (broker_host, broker_port) = host_and_port(&self.broker).context("broker")?;
        for (key, topic) in [
            ("command_topic", &self.command_topic),
            ("state_topic", &self.state_topic),
        ] {
            ensure!(
                !topic.is_empty() && !topic.contains(['+', '#']) && topic.len() <= 256,
                "{key} must be one topic without + and #, not {topic:?}"
            );
        }
        let templates = [
            Some(&self.command_topic),
            Some(&self.release_payload),
            self.hold_payload.as_ref(),
            self.restore_payload.as_ref(),
        ];
        for template in templates.into_iter().flatten() {
            known_words(template)?;
        }
        let timed = ["{ms}", "{deciseconds}", "{seconds}"]
            .iter()
            .any(|word| self.release_payload.contains(word) || self.command_topic.contains(word));
        ensure!(
            timed != self.timer_in_device,
            "the switch must end a release by itself: write {{ms}}, {{deciseconds}} or {{seconds}} into release_payload, \
             or timer_in_device = true when its own setting does that, and not both"
        );
        ensure!(
            self.hold_payload.is_some() == self.restore_payload.is_some(),
            "hold_payload and restore_payload go together"
        );
        if let Some(pointer) = &self.state_pointer {
            ensure!(
                pointer.starts_with('/'),
                "state_pointer must begin with /, not {pointer:?}"
            );
        }
        ensure!(
            self.open_value != self.shut_value,
            "open_value and shut_value are the same"
        );
        let login = match (self.username, self.password) {
            (Some(name), password) => Some((name, Password::new(password.unwrap_or_default()))),
            (None, None) => None,
            (None, Some(_)) => bail!("there is a password, but no username"),
        };
        Ok(SwitchConfig {
            reply_timeout: millis(
                "reply_timeout_ms",
                self.reply_timeout_ms,
                2_000,
                20..=30_000,
            )?,
            id: self.id,
            broker_host,
            broker_port,
            login,
            command_topic: self.command_topic,
            release_payload: self.release_payload,
            hold_payload: self.hold_payload,
            restore_payload: self.restore_payload,
            state_topic: self.state_topic,
            state_pointer: self.state_pointer,
            open_value: self.open_value,
            shut_value: self.shut_value,
        })
    }
}

/// Refuses a word in braces that nobody will replace; other braces are JSON's.
fn known_words(template: &str) -> Result<()> {
    for part in template.split('{').skip(1) {
        let Some((word, _)) = part.split_once('}') else {
            continue;
        };
        let is_word = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
        ensure!(
            !is_word || SWITCH_WORDS.contains(&word),
            "{{{word}}} in {template:?} is none of {SWITCH_WORDS:?}"
        );
    }
    Ok(())
}
