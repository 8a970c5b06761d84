//! What the site may set from afar, kept on disk with its version, and what the heartbeat says about the gateway.
//! Lines and doors are not among it: who stands at the gate says what hangs there.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use anyhow::{Result, ensure};
use kernel::{DeviceId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wire::gateway::{ChildHealth, Health};

use crate::config::{Config, UNLOCK_MS_MAX};
use crate::files;

/// The file in the data folder.
pub const FILE_NAME: &str = "configuration.json";
/// The pause between two heartbeats when nobody says otherwise.
pub const HEARTBEAT_USUAL: Duration = Duration::from_secs(60);

/// What is set from afar, and what is known of the children; clones share it.
#[derive(Clone)]
pub struct Remote(Arc<Shared>);

struct Shared {
    path: PathBuf,
    started_at: Timestamp,
    state: RwLock<State>,
}

struct State {
    kept: Kept,
    settings: Settings,
    /// Every door, and whether what moves its lock is reached.
    reachable: BTreeMap<DeviceId, bool>,
    /// Every meter, and whether it answers.
    meters: BTreeMap<DeviceId, bool>,
}

#[derive(Default, Serialize, Deserialize)]
struct Kept {
    version: i64,
    configuration: Map<String, Value>,
}

/// The keys that can be set from afar; what is absent takes the gateway's default.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    heartbeat_seconds: Option<u64>,
    #[serde(default)]
    doors: BTreeMap<DeviceId, DoorSettings>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct DoorSettings {
    unlock_ms: Option<u32>,
}

impl Remote {
    /// Reads what an earlier run kept; what is no good counts as none.
    #[must_use]
    pub fn open(config: &Config, now: Timestamp) -> Self {
        let path = config.data.join(FILE_NAME);
        let doors: Vec<DeviceId> = config.doors.iter().map(|door| door.id.clone()).collect();
        let read = || -> Result<(Kept, Settings)> {
            let Some(bytes) = files::read(&path)? else {
                return Ok(Default::default());
            };
            let kept: Kept = serde_json::from_slice(&bytes)?;
            let settings = settings(&kept.configuration, |door| doors.contains(door))?;
            Ok((kept, settings))
        };
        let (kept, settings) = read().unwrap_or_else(|error| {
            tracing::error!(
                error = format!("{error:#}"),
                "the kept configuration is no good"
            );
            Default::default()
        });
        let reachable = doors.into_iter().map(|door| (door, false)).collect();
        let meters = config.meter_buses.iter().flat_map(|bus| &bus.meters);
        let meters = meters.map(|meter| (meter.id.clone(), false)).collect();
        let state = RwLock::new(State {
            kept,
            settings,
            reachable,
            meters,
        });
        Self(Arc::new(Shared {
            path,
            started_at: now,
            state,
        }))
    }

    /// Takes a configuration; false when it is not newer. It is on disk before it counts.
    ///
    /// # Errors
    /// A sentence that names the key or value that cannot be; nothing is changed then.
    pub fn configure(&self, version: i64, configuration: Map<String, Value>) -> Result<bool> {
        let mut state = self.0.state.write().unwrap_or_else(PoisonError::into_inner);
        if version <= state.kept.version {
            return Ok(false);
        }
        let settings = settings(&configuration, |door| state.reachable.contains_key(door))?;
        let kept = Kept {
            version,
            configuration,
        };
        files::replace(&self.0.path, &serde_json::to_vec(&kept)?)?;
        (state.kept, state.settings) = (kept, settings);
        Ok(true)
    }

    /// The pause between two heartbeats.
    #[must_use]
    pub fn heartbeat(&self) -> Duration {
        let seconds = self.state().settings.heartbeat_seconds;
        seconds.map_or(HEARTBEAT_USUAL, Duration::from_secs)
    }

    /// How long the lock of a door is released when it is set from afar, in milliseconds.
    #[must_use]
    pub fn unlock_ms(&self, door: &DeviceId) -> Option<u32> {
        self.state().settings.doors.get(door)?.unlock_ms
    }

    /// What moves a door's lock is reached, or no longer.
    pub fn reached(&self, door: &DeviceId, reachable: bool) {
        let mut state = self.0.state.write().unwrap_or_else(PoisonError::into_inner);
        state.reachable.insert(door.clone(), reachable);
    }

    /// A meter answers, or no longer.
    pub fn reached_meter(&self, meter: &DeviceId, reachable: bool) {
        let mut state = self.0.state.write().unwrap_or_else(PoisonError::into_inner);
        state.meters.insert(meter.clone(), reachable);
    }

    /// How the gateway is.
    #[must_use]
    pub fn health(&self) -> Health {
        let state = self.state();
        let child = |(device, reachable): (&DeviceId, &bool)| ChildHealth {
            device: device.clone(),
            reachable: *reachable,
        };
        Health {
            software: concat!("linli-bridge ", env!("CARGO_PKG_VERSION")).to_owned(),
            started_at: self.0.started_at,
            configuration: state.kept.version,
            children: state
                .reachable
                .iter()
                .chain(&state.meters)
                .map(child)
                .collect(),
        }
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.0.state.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn settings(
    configuration: &Map<String, Value>,
    is_ours: impl Fn(&DeviceId) -> bool,
) -> Result<Settings> {
    let settings: Settings = serde_json::from_value(Value::Object(configuration.clone()))?;
    if let Some(seconds) = settings.heartbeat_seconds {
        ensure!(
            (5..=3_600).contains(&seconds),
            "heartbeat_seconds must be 5 to 3600, not {seconds}"
        );
    }
    for (door, DoorSettings { unlock_ms }) in &settings.doors {
        ensure!(is_ours(door), "there is no door {door} at this gateway");
        let unlock_ms = unlock_ms.unwrap_or(UNLOCK_MS_MAX);
        ensure!(
            (100..=UNLOCK_MS_MAX).contains(&unlock_ms),
            "unlock_ms of door {door} must be 100 to {UNLOCK_MS_MAX}, not {unlock_ms}"
        );
    }
    Ok(settings)
}
