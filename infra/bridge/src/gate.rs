//! What is shown at a door: who that is and whether it opens is said by `access`, with the snapshot and what happened
//! here before. The decision is on disk before the lock moves. One reading at a time, so that two readers never use
//! up the same pass twice.

use std::collections::BTreeMap;
use std::sync::Arc;

use access::{Gate, History, Presented, Reason, Recognised, Shown, wiegand};
use anyhow::Result;
use kernel::{DeviceId, Timestamp};
use tokio::sync::watch;
use wire::audit::{Entry, Line};
use wire::door::OccurrenceKind;
use wire::pass::CLOCK_SKEW_MS_MAX;
use wire::snapshot::Direction;

use crate::adapters::{LockHandle, Movement, Scan};
use crate::clock::Clock;
use crate::config::{DoorConfig, UNLOCK_MS_MAX};
use crate::counters::Counters;
use crate::names::Names;
use crate::snapshots::Snapshots;
use crate::spool::{Asked, Past, Spool, Trace};

/// How long after the decision a lock may still move, in milliseconds.
const MOVE_MS_MAX: i64 = 5_000;
/// Decisions about people are kept for as long as later ones can depend on them, in milliseconds.
const KEEP_MS: i64 = 24 * 60 * 60 * 1_000;

/// Decides at doors; everything in it is shared.
pub struct Gatekeeper {
    /// Who we are.
    pub names: Arc<Names>,
    /// The doors, each with what moves its lock.
    pub doors: Arc<BTreeMap<DeviceId, (DoorConfig, LockHandle)>>,
    /// Where decisions are written down.
    pub spool: Spool,
    /// The permissions.
    pub snapshots: Snapshots,
    /// The clock.
    pub clock: Clock,
    /// What is counted.
    pub counters: Arc<Counters>,
    /// Whether there is a session with the broker.
    pub online: watch::Receiver<bool>,
}

impl Gatekeeper {
    /// Decides on a reading, writes that down, and releases the lock when it says so.
    pub async fn shown(&self, door: &DeviceId, scan: &Scan) {
        match self.decided(door, scan).await {
            Ok(Some(true)) => self.release(door),
            Ok(Some(false)) => {}
            Ok(None) => {
                self.counters.readings_without_room.add(1);
                tracing::error!(%door, "the spool is full: a reading was left alone");
            }
            Err(error) => {
                tracing::error!(%door, error = format!("{error:#}"), "a decision could not be written down: the door stays shut");
            }
        }
    }

    /// Whether the door opens, once that is on disk; none when there is no room for it.
    async fn decided(&self, door: &DeviceId, scan: &Scan) -> Result<Option<bool>> {
        let (gate, now) = (self.snapshots.gate(), self.clock.now());
        let recognised = recognise(&gate, scan, now);
        let asked = asked(&gate, door, &recognised);
        let past = self.spool.past(asked.clone()).await?;
        let decision = gate.decide(door, &recognised, &history(&past), now);
        tracing::info!(%door, ?scan, allowed = decision.allowed, reason = decision.reason.code(), "decided at the door");
        let line = Line {
            gateway: self.names.gateway().clone(),
            door: door.clone(),
            entry: Entry {
                sequence: 0,
                previous_hash: String::new(),
                hash: String::new(),
                credential: recognised.credential,
                person: recognised.person.clone(),
                pass: recognised.pass.clone(),
                step: recognised.step,
                allowed: decision.allowed,
                reason: decision.reason.code().to_owned(),
                passback: decision.passback,
                decided_at: now,
                offline: !*self.online.borrow(),
            },
        };
        let trace = Trace {
            asked,
            direction: direction(&gate, door).map(Direction::as_str),
            keep_until: keep_until(&recognised, now),
        };
        let (names, at) = (self.names.clone(), door.clone());
        let make =
            move |entry: Entry| names.decision(&at, OccurrenceKind::AccessDecided(entry), now);
        let recorded = self.spool.record(trace, line, make).await?;
        self.counters
            .readings_decided
            .add(recorded.is_some().into());
        Ok(recorded.map(|_| decision.allowed))
    }

    fn release(&self, door: &DeviceId) {
        if self.snapshots.is_held(door) {
            return;
        }
        let Some((config, lock)) = self.doors.get(door).cloned() else {
            return;
        };
        let gate = self.snapshots.gate();
        let told = gate.snapshot().doors.iter().find(|known| known.id == *door);
        let for_ms = told.map_or(0, |door| door.unlock_ms);
        let for_ms = if for_ms == 0 {
            config.unlock_ms
        } else {
            for_ms.min(UNLOCK_MS_MAX)
        };
        let expires_at = self.clock.now().plus_millis(MOVE_MS_MAX);
        let snapshots = self.snapshots.clone();
        tokio::spawn(async move {
            let result = lock
                .release(config.address, config.output, for_ms, expires_at)
                .await;
            match result {
                Ok(()) => tracing::info!(door = %config.id, "the door opened"),
                Err(failure) => {
                    tracing::error!(door = %config.id, %failure, "the door was allowed to open and did not")
                }
            }
            if snapshots.is_held(&config.id) {
                // A fire came in between; a release with a timer would end in a locked door.
                let expires_at = expires_at.plus_millis(MOVE_MS_MAX);
                let held = lock
                    .carry_out(config.address, config.output, Movement::Hold, expires_at)
                    .await;
                tracing::warn!(door = %config.id, ?held, "held again after a release");
            }
        });
    }
}

/// Who was recognised. A number of 64 bits is a card's or stands for a pass; what was typed stands for a pass.
fn recognise(gate: &Gate, scan: &Scan, now: Timestamp) -> Recognised {
    let by = |presented| gate.recognise(&presented, now);
    match scan {
        Scan::Text(text) => by(Presented::Text(text.clone())),
        Scan::Digits(digits) => match digits.parse() {
            Ok(number) => by(Presented::Number(number)),
            Err(_) => by(Presented::Text(digits.clone())),
        },
        Scan::Card { bits, bytes } => match number(*bits, bytes) {
            None => by(Presented::Text("card".to_owned())),
            Some(number) => {
                let card = by(Presented::Card(number));
                if *bits == 64 && card.shown == Err(Reason::CardUnknown) {
                    by(Presented::Number(number))
                } else {
                    card
                }
            }
        },
    }
}

/// The number of a card: what stands between the parity bits of a Wiegand frame, else all of its bits.
fn number(bits: u16, bytes: &[u8]) -> Option<u64> {
    let all = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |place| byte >> place & 1 == 1));
    let all: Vec<bool> = all.take(usize::from(bits)).collect();
    if let Ok((_, number)) = wiegand::decode(&all) {
        return Some(number);
    }
    (all.len() <= 64).then(|| all.iter().fold(0, |sum, bit| sum << 1 | u64::from(*bit)))
}

fn asked(gate: &Gate, door: &DeviceId, recognised: &Recognised) -> Asked {
    let person = recognised.person.as_ref().map(ToString::to_string);
    let pass = recognised.pass.as_ref();
    Asked {
        door: door.clone(),
        // A person's id and a pass's id might be the same word.
        subject: person.or_else(|| pass.map(|pass| format!("pass/{pass}"))),
        pass: pass.map(|pass| (pass.clone(), recognised.step.unwrap_or(0))),
        area: area(gate, door).unwrap_or_default(),
    }
}

fn area(gate: &Gate, door: &DeviceId) -> Option<String> {
    let snapshot = gate.snapshot();
    let door = snapshot.doors.iter().find(|known| known.id == *door)?;
    let community = usize::try_from(door.community).ok()?;
    Some(snapshot.communities.get(community)?.to_string())
}

/// The way a door leads, when it leads one way only.
fn direction(gate: &Gate, door: &DeviceId) -> Option<Direction> {
    let door = gate
        .snapshot()
        .doors
        .iter()
        .find(|known| known.id == *door)?;
    (door.direction != Direction::Both).then_some(door.direction)
}

fn history(past: &Past) -> History {
    History {
        last_at: past.last_at.and_then(|at| Timestamp::from_millis(at).ok()),
        in_hour: u32::try_from(past.in_hour).unwrap_or(u32::MAX),
        uses: u32::try_from(past.uses).unwrap_or(u32::MAX),
        last_direction: past.last_direction.as_deref().and_then(Direction::parse),
    }
}

/// A use of a pass counts until the pass has ended for every clock.
fn keep_until(recognised: &Recognised, now: Timestamp) -> Timestamp {
    let usual = now.plus_millis(KEEP_MS);
    match &recognised.shown {
        Ok(Shown::Pass { claims, .. }) => {
            usual.max(claims.expires_at.plus_millis(2 * CLOCK_SKEW_MS_MAX))
        }
        _ => usual,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_s_number_stands_between_its_parity_bits() {
        let frame = wiegand::encode(wiegand::Format::Bits26, 0x00AB_CDEF).unwrap();
        let bytes: Vec<u8> = frame
            .chunks(8)
            .map(|bits| {
                bits.iter()
                    .enumerate()
                    .fold(0, |byte, (at, bit)| byte | u8::from(*bit) << (7 - at))
            })
            .collect();
        assert_eq!(number(26, &bytes), Some(0x00AB_CDEF));
        assert_eq!(number(32, &[1, 2, 3, 4]), Some(0x0102_0304));
        assert_eq!(number(64, &[0xFF; 8]), Some(u64::MAX));
        assert_eq!(number(72, &[0xFF; 9]), None);
    }
}
