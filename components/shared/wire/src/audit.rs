//! The audit of a gate: what it decided by itself, each entry chained to the one before by a hash, so that nobody can
//! take an entry out or change one without it being seen.

use kernel::{ActorId, DeviceId, PassId, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::signing::hex;

/// What stands in front of the first entry of a gateway.
pub const FIRST_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What was shown at the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Credential {
    /// A card at the reader.
    Card,
    /// A pass as a QR code.
    Pass,
    /// A pass as a number.
    ShortCode,
    /// The button inside.
    Button,
}

impl Credential {
    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Pass => "pass",
            Self::ShortCode => "short_code",
            Self::Button => "button",
        }
    }

    /// The credential of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Card, Self::Pass, Self::ShortCode, Self::Button]
            .into_iter()
            .find(|credential| credential.as_str() == text)
    }
}

/// One decision of a gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Counts the gateway's entries, from 1, without gaps.
    pub sequence: u64,
    /// The hash of the entry before; [`FIRST_HASH`] for the first.
    pub previous_hash: String,
    /// The hash of this entry: see [`Entry::hash_at`].
    pub hash: String,
    /// What was shown.
    pub credential: Credential,
    /// Who, when the credential told.
    pub person: Option<ActorId>,
    /// The pass, when it was one and told its name.
    pub pass: Option<PassId>,
    /// The step of the pass.
    #[serde(default)]
    pub step: Option<u64>,
    /// Whether the door opened.
    pub allowed: bool,
    /// The stable code of the reason.
    pub reason: String,
    /// Allowed, although the person went the same way twice (soft anti-passback).
    #[serde(default)]
    pub passback: bool,
    /// When, by the gateway's clock.
    pub decided_at: Timestamp,
    /// Whether the gateway was without its uplink.
    pub offline: bool,
}

/// An entry with the place it happened at: a line of an export, and what the hash is made over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The gateway.
    pub gateway: DeviceId,
    /// The door.
    pub door: DeviceId,
    /// The entry.
    #[serde(flatten)]
    pub entry: Entry,
}

/// What is hashed: these names in this order, without blanks, `null` for what is absent.
#[derive(Serialize)]
struct Hashed<'a> {
    gateway: &'a DeviceId,
    door: &'a DeviceId,
    sequence: u64,
    previous_hash: &'a str,
    credential: Credential,
    person: Option<&'a ActorId>,
    pass: Option<&'a PassId>,
    step: Option<u64>,
    allowed: bool,
    reason: &'a str,
    passback: bool,
    decided_at: Timestamp,
    offline: bool,
}

impl Entry {
    /// The hash that this entry must have at that gateway and door: SHA-256 over the canonical JSON of everything but
    /// the hash itself, in hexadecimal.
    ///
    /// # Errors
    /// Never in practice: an entry can always be written as JSON.
    pub fn hash_at(
        &self,
        gateway: &DeviceId,
        door: &DeviceId,
    ) -> Result<String, serde_json::Error> {
        let hashed = Hashed {
            gateway,
            door,
            sequence: self.sequence,
            previous_hash: &self.previous_hash,
            credential: self.credential,
            person: self.person.as_ref(),
            pass: self.pass.as_ref(),
            step: self.step,
            allowed: self.allowed,
            reason: &self.reason,
            passback: self.passback,
            decided_at: self.decided_at,
            offline: self.offline,
        };
        Ok(hex(&Sha256::digest(serde_json::to_vec(&hashed)?)))
    }
}

/// What is wrong with a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Break {
    /// The content of an entry is not what its hash says.
    Changed {
        /// Which.
        sequence: u64,
    },
    /// Entries are missing before this one, or it stands in the wrong place.
    Gap {
        /// Which.
        sequence: u64,
    },
    /// The entry does not follow the one before it.
    Torn {
        /// Which.
        sequence: u64,
    },
}

/// Whether a line follows from the one before it; without one it must be the first of its gateway.
///
/// # Errors
/// What is wrong.
pub fn follows(before: Option<(u64, &str)>, line: &Line) -> Result<(), Break> {
    let sequence = line.entry.sequence;
    if line
        .entry
        .hash_at(&line.gateway, &line.door)
        .ok()
        .as_deref()
        != Some(&line.entry.hash)
    {
        return Err(Break::Changed { sequence });
    }
    let (last, hash) = before.unwrap_or((0, FIRST_HASH));
    if last.checked_add(1) != Some(sequence) {
        return Err(Break::Gap { sequence });
    }
    if line.entry.previous_hash != hash {
        return Err(Break::Torn { sequence });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(count: u64) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        for sequence in 1..=count {
            let previous = lines.last().map_or(FIRST_HASH, |line| &line.entry.hash);
            let mut entry = Entry {
                sequence,
                previous_hash: previous.to_owned(),
                hash: String::new(),
                credential: Credential::Card,
                person: ActorId::parse("li").ok(),
                pass: None,
                step: None,
                allowed: true,
                reason: "member".to_owned(),
                passback: false,
                decided_at: Timestamp::EPOCH.plus_millis(i64::try_from(sequence).unwrap()),
                offline: true,
            };
            let (gateway, door) = (
                DeviceId::parse("gw").unwrap(),
                DeviceId::parse("d").unwrap(),
            );
            entry.hash = entry.hash_at(&gateway, &door).unwrap();
            lines.push(Line {
                gateway,
                door,
                entry,
            });
        }
        lines
    }

    fn first_break(lines: &[Line]) -> Option<Break> {
        let mut before = None;
        for line in lines {
            if let Err(found) = follows(before, line) {
                return Some(found);
            }
            before = Some((line.entry.sequence, line.entry.hash.as_str()));
        }
        None
    }

    #[test]
    fn a_chain_shows_what_was_changed_taken_out_or_forged() {
        assert_eq!(first_break(&chain(5)), None);
        let mut changed = chain(5);
        changed[2].entry.allowed = false;
        assert_eq!(first_break(&changed), Some(Break::Changed { sequence: 3 }));
        let mut moved = chain(5);
        moved[2].door = DeviceId::parse("other").unwrap();
        assert_eq!(first_break(&moved), Some(Break::Changed { sequence: 3 }));
        let mut short = chain(5);
        short.remove(1);
        assert_eq!(first_break(&short), Some(Break::Gap { sequence: 3 }));
        let mut forged = chain(5);
        let mut line = forged[2].clone();
        line.entry.allowed = false;
        line.entry.hash = line.entry.hash_at(&line.gateway, &line.door).unwrap();
        forged[2] = line;
        assert_eq!(first_break(&forged), Some(Break::Torn { sequence: 4 }));
    }

    #[test]
    fn a_line_survives_json() {
        let line = chain(1).remove(0);
        let json = serde_json::to_string(&line).unwrap();
        assert_eq!(serde_json::from_str::<Line>(&json).unwrap(), line);
    }
}
