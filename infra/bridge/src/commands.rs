//! What arrives from MQTT: commands to doors and meters, acted on once and only in time, and what is said to the
//! gateway itself.

mod fire;
mod gateway;
mod meter;
mod opening;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use kernel::{DeviceId, MessageId, OpeningId};
use tokio::sync::{Semaphore, watch};
use wire::door::{Command, OccurrenceKind, Outcome};
use wire::{Channel, DeviceKind, Message};

use crate::adapters::LockHandle;
use crate::adapters::meters::MeterHandle;
use crate::clock::Clock;
use crate::config::{Config, DoorConfig};
use crate::counters::Counters;
use crate::gate::Gatekeeper;
use crate::names::Names;
use crate::remote::Remote;
use crate::snapshots::Snapshots;
use crate::spool::Spool;

/// A command whose expiry lies further ahead is refused: it could not be remembered for long enough.
pub const EXPIRY_AHEAD_MS_MAX: i64 = 600_000;
/// The most commands that are taken or carried out at the same time.
const UNDER_WAY_MAX: usize = 256;
/// The pause before the spool is tried again when it could not be written.
const SPOOL_RETRY: Duration = Duration::from_secs(1);

/// The reason in the answer to a command that an earlier run of the bridge took and never answered.
pub const INTERRUPTED: &str = "interrupted";

/// A message from a command topic.
#[derive(Debug, Clone)]
pub struct Inbound {
    /// Where it was published.
    pub topic: String,
    /// What was published.
    pub payload: Vec<u8>,
    /// Whether the broker had kept it.
    pub retained: bool,
}

/// What a message meant for the window of the uplink.
#[derive(Debug, PartialEq, Eq)]
pub enum Handled {
    /// Nothing to be done there.
    Done,
    /// These messages have their receipt.
    Receipted(Vec<MessageId>),
}

/// Acts on commands; clones share everything.
#[derive(Clone)]
pub struct Commands {
    names: Arc<Names>,
    doors: Arc<BTreeMap<DeviceId, (DoorConfig, LockHandle)>>,
    meters: Arc<BTreeMap<DeviceId, MeterHandle>>,
    /// The meters that orders are heard for.
    ordered: Arc<BTreeSet<DeviceId>>,
    spool: Spool,
    clock: Clock,
    counters: Arc<Counters>,
    /// One permit for every command being taken or carried out; the bridge drains by waiting for all of them.
    under_way: Arc<Semaphore>,
    snapshots: Snapshots,
    remote: Remote,
    /// Becomes true when the site asks for a restart.
    restarting: watch::Sender<bool>,
    /// The doors whose locks are just being made to follow a fire command.
    following: Arc<Mutex<BTreeSet<DeviceId>>>,
}

/// What commands need beside the doors.
pub struct Around {
    /// Where everything is written down.
    pub spool: Spool,
    /// The clock.
    pub clock: Clock,
    /// What is counted.
    pub counters: Arc<Counters>,
    /// The permissions.
    pub snapshots: Snapshots,
    /// What is set from afar.
    pub remote: Remote,
}

impl Commands {
    /// Commands for the doors of the configuration, each with what moves its lock, and for its meters.
    #[must_use]
    pub fn new(
        config: &Config,
        (locks, meters): (
            &BTreeMap<String, LockHandle>,
            BTreeMap<DeviceId, MeterHandle>,
        ),
        around: Around,
    ) -> Self {
        let hung = |door: &DoorConfig| {
            Some((
                door.id.clone(),
                (door.clone(), locks.get(&door.adapter)?.clone()),
            ))
        };
        let doors = Arc::new(config.doors.iter().filter_map(hung).collect());
        let ordered = config.meter_buses.iter().flat_map(|bus| &bus.meters);
        let ordered = ordered.filter(|meter| meter.asked.takes_orders());
        let ordered = ordered.map(|meter| meter.id.clone()).collect();
        let Around {
            spool,
            clock,
            counters,
            snapshots,
            remote,
        } = around;
        Self {
            names: Arc::new(Names::of(config)),
            doors,
            meters: Arc::new(meters),
            ordered: Arc::new(ordered),
            spool,
            clock,
            counters,
            under_way: Arc::new(Semaphore::new(UNDER_WAY_MAX)),
            snapshots,
            remote,
            restarting: watch::Sender::new(false),
            following: Arc::default(),
        }
    }

    /// Becomes true when the site asks for a restart.
    #[must_use]
    pub fn restarting(&self) -> watch::Receiver<bool> {
        self.restarting.subscribe()
    }

    /// What decides at the doors.
    #[must_use]
    pub fn gatekeeper(&self, online: watch::Receiver<bool>) -> Gatekeeper {
        Gatekeeper {
            names: self.names.clone(),
            doors: self.doors.clone(),
            spool: self.spool.clone(),
            snapshots: self.snapshots.clone(),
            clock: self.clock.clone(),
            counters: self.counters.clone(),
            online,
        }
    }

    /// Waits until no command is being taken or carried out.
    pub async fn drained(&self) {
        // Closed afterwards: nothing is begun any more, and what is only tried again ends.
        let _ = self.under_way.acquire_many(UNDER_WAY_MAX as u32).await;
        self.under_way.close();
    }

    /// The topics to subscribe to.
    #[must_use]
    pub fn topics(&self) -> Vec<String> {
        let doors = self
            .doors
            .keys()
            .map(|door| self.names.door_topic(door, Channel::Command));
        let meters = self.ordered.iter();
        let meters = meters.map(|meter| self.names.meter_topic(meter, Channel::Command));
        doors
            .chain(meters)
            .chain([self.names.gateway_topic(Channel::Command)])
            .collect()
    }

    /// Answers every command that an earlier run took and never answered: it may have acted, so it is not acted on
    /// again, and nobody may believe that the door opened.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn answer_interrupted(&self) -> Result<()> {
        for (door, opening) in self.spool.unanswered().await? {
            if self.names.is_us(&door) {
                self.restarted(&opening).await?;
                continue;
            }
            tracing::warn!(%door, %opening, "an earlier run did not answer this command");
            if self.meters.contains_key(&door) {
                self.interrupted(&door, &opening).await?;
                continue;
            }
            self.answer(
                &door,
                &opening,
                Outcome::Failed {
                    reason: INTERRUPTED.into(),
                },
            )
            .await?;
        }
        Ok(())
    }

    /// Takes a message in. When this returns well, what had to be remembered is on disk and MQTT may acknowledge;
    /// the door itself moves later.
    ///
    /// # Errors
    /// When the disk fails: MQTT must not acknowledge, the broker will deliver again.
    pub async fn handle(&self, inbound: Inbound) -> Result<Handled> {
        match self.names.commanded(&inbound.topic) {
            Some((DeviceKind::Door, door)) if self.doors.contains_key(&door) => {
                return self.door(&door, inbound).await;
            }
            Some((DeviceKind::Meter, meter)) if self.ordered.contains(&meter) => {
                return self.meter(&meter, inbound).await;
            }
            Some((DeviceKind::Gateway, gateway)) if self.names.is_us(&gateway) => {
                return self.gateway(inbound).await;
            }
            _ => {}
        }
        self.counters.commands_unknown.add(1);
        tracing::warn!(
            topic = inbound.topic,
            "a message on a topic of no configured door or meter was left alone"
        );
        Ok(Handled::Done)
    }

    async fn door(&self, door: &DeviceId, inbound: Inbound) -> Result<Handled> {
        if inbound.retained {
            self.counters.commands_retained.add(1);
            tracing::error!(
                topic = inbound.topic,
                "a retained command was refused: it would move the door at every connection"
            );
            self.spool
                .say(self.names.occurrence(
                    door,
                    OccurrenceKind::RetainedCommandRefused,
                    self.clock.now(),
                )?)
                .await?;
            return Ok(Handled::Done);
        }
        let Some(command) = self.parse::<Command>(&inbound) else {
            return Ok(Handled::Done);
        };
        let permit = self.under_way.clone().acquire_owned().await?;
        match command {
            Command::Open {
                opening,
                expires_at,
                unlock_ms,
            } => {
                self.open(door, opening, (expires_at, unlock_ms), permit)
                    .await
            }
            Command::Release { expires_at } => {
                self.fire(door, true, expires_at, permit).await?;
                Ok(Handled::Done)
            }
            Command::Restore { expires_at } => {
                self.fire(door, false, expires_at, permit).await?;
                Ok(Handled::Done)
            }
        }
    }

    fn parse<Body: serde::Serialize + serde::de::DeserializeOwned>(
        &self,
        inbound: &Inbound,
    ) -> Option<Body> {
        match Message::<Body>::from_payload(&inbound.payload) {
            Ok(message) => Some(message.body),
            Err(error) => {
                self.counters.commands_malformed.add(1);
                tracing::warn!(topic = inbound.topic, %error, "a malformed command was left alone");
                None
            }
        }
    }

    async fn answer(&self, door: &DeviceId, opening: &OpeningId, outcome: Outcome) -> Result<()> {
        self.spool
            .answer(
                door,
                opening,
                self.names
                    .answer(door, opening, outcome, self.clock.now())?,
            )
            .await
    }

    /// Says that something happened at a door by itself; keeps trying while the disk fails.
    pub async fn occurred(&self, door: &DeviceId, kind: OccurrenceKind) {
        match &kind {
            OccurrenceKind::ControllerFound => {
                self.remote.reached(door, true);
                self.found(door);
            }
            OccurrenceKind::ControllerLost { .. } => self.remote.reached(door, false),
            _ => {}
        }
        let Ok(message) = self.names.occurrence(door, kind, self.clock.now()) else {
            return;
        };
        while let Err(error) = self.spool.say(message.clone()).await {
            tracing::error!(%door, error = format!("{error:#}"), "an occurrence could not be stored; trying again");
            tokio::time::sleep(SPOOL_RETRY).await;
        }
    }
}
