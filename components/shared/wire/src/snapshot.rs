//! The permissions of one gateway for a day: what it decides with when its uplink is cut. Signed like passes.
//!
//! Schedules are here as windows in UTC, so a gate knows no time zones. What is listed by position (`u32`) refers to
//! [`Snapshot::groups`] or [`Snapshot::communities`]: a snapshot of 100,000 people has to stay small.

use std::fmt;

use kernel::{ActorId, CommunityId, DeviceId, DoorGroupId, PassId, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::pass::{Holder, PassKey, Target};
use crate::signing;

/// How long a snapshot holds, in milliseconds; afterwards only the cards of staff open doors.
pub const SNAPSHOT_MS: i64 = 24 * 60 * 60 * 1_000;
/// How far the windows of schedules reach beyond the snapshot's own end, in milliseconds.
pub const WINDOW_SLACK_MS: i64 = 60 * 60 * 1_000;
/// The longest snapshot that is read, in bytes.
pub const SNAPSHOT_BYTES_MAX: usize = 64 * 1024 * 1024;

const PREFIX: &str = "L1S";

/// Everything that one gateway needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The tenant.
    pub tenant: TenantId,
    /// The gateway it was made for.
    pub gateway: DeviceId,
    /// Grows with every change of the content, and with every renewal.
    pub version: i64,
    /// When it was made.
    pub made_at: Timestamp,
    /// The first moment at which it no longer holds: [`SNAPSHOT_MS`] later.
    pub expires_at: Timestamp,
    /// The communities of its doors.
    pub communities: Vec<CommunityId>,
    /// The gateway's doors.
    pub doors: Vec<Door>,
    /// The door groups with at least one of these doors.
    pub groups: Vec<Group>,
    /// The people who may open at least one of these doors, or are suspended.
    pub members: Vec<Member>,
    /// The cards of these people.
    pub cards: Vec<Card>,
    /// The passes that hold within the snapshot's time.
    pub passes: Vec<Pass>,
    /// Passes that would hold, and were revoked.
    pub revoked_passes: Vec<PassId>,
    /// What passes (and the next snapshot) are verified with.
    pub keys: Vec<PassKey>,
    /// The key of the gateway's short numbers, 64 hexadecimal digits.
    pub short_key: String,
}

/// Which way a door leads.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// In.
    Entry,
    /// Out.
    Exit,
    /// Both: nothing is known about where a person is afterwards.
    #[default]
    Both,
}

impl Direction {
    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Entry => "entry",
            Self::Exit => "exit",
            Self::Both => "both",
        }
    }

    /// The direction of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Entry, Self::Exit, Self::Both]
            .into_iter()
            .find(|direction| direction.as_str() == text)
    }
}

/// A door of the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Door {
    /// The door.
    pub id: DeviceId,
    /// Its community, by position.
    pub community: u32,
    /// Which way it leads.
    #[serde(default)]
    pub direction: Direction,
    /// Whether it stands open for a fire.
    #[serde(default, skip_serializing_if = "is_false")]
    pub released: bool,
    /// How long the lock is released, in milliseconds.
    pub unlock_ms: u32,
}

/// A door group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The group.
    pub id: DoorGroupId,
    /// Its community, by position.
    pub community: u32,
    /// Whom it admits besides its explicit members. [`Target::Community`] admits everybody of the community; a building
    /// admits its entrances too.
    pub admits: Vec<Target>,
    /// Whether it admits visitors on their hosts' behalf.
    pub visitors: bool,
    /// The gateway's doors in it.
    pub doors: Vec<DeviceId>,
    /// When it is open to its people; always when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows: Option<Vec<Window>>,
}

/// A time span: the end is the first moment outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Window {
    /// The first moment inside, in epoch milliseconds; left out where it is 0.
    #[serde(rename = "f", default, skip_serializing_if = "is_epoch")]
    pub from: i64,
    /// The first moment after, in epoch milliseconds; left out where there is none (`i64::MAX`).
    #[serde(rename = "u", default = "never", skip_serializing_if = "is_never")]
    pub until: i64,
}

impl Window {
    /// Whether the moment lies inside.
    #[must_use]
    pub fn holds(self, at: Timestamp) -> bool {
        (self.from..self.until).contains(&at.millis())
    }
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The person.
    #[serde(rename = "p")]
    pub person: ActorId,
    /// Where the person belongs: homes, work, explicit memberships.
    #[serde(rename = "b", default, skip_serializing_if = "Vec::is_empty")]
    pub belongs: Vec<Belonging>,
    /// Single grants.
    #[serde(rename = "g", default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<SingleGrant>,
    /// The communities, by position, in which the person is suspended.
    #[serde(rename = "s", default, skip_serializing_if = "Vec::is_empty")]
    pub suspended: Vec<u32>,
}

/// That a person belongs somewhere, for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Belonging {
    /// The community, by position.
    #[serde(rename = "c")]
    pub community: u32,
    /// Where.
    #[serde(rename = "t")]
    pub target: Target,
    /// As what.
    #[serde(rename = "h")]
    pub holder: Holder,
    /// From when until when.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
}

/// A grant for one door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SingleGrant {
    /// The door, by position in [`Snapshot::doors`].
    #[serde(rename = "d")]
    pub door: u32,
    /// From when until when, in epoch milliseconds.
    #[serde(rename = "w")]
    pub window: Window,
    /// Whether it is suspended.
    #[serde(rename = "s", default, skip_serializing_if = "is_false")]
    pub suspended: bool,
}

/// A card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// The number as the reader gives it; see `access::wiegand`.
    #[serde(rename = "n")]
    pub number: u64,
    /// Who carries it.
    #[serde(rename = "p")]
    pub person: ActorId,
    /// Whether it is blocked: shown, it opens nothing and the audit says whose it was.
    #[serde(rename = "x", default, skip_serializing_if = "is_false")]
    pub blocked: bool,
}

/// A visitor's pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    /// The pass.
    pub id: PassId,
    /// The community, by position.
    pub community: u32,
    /// What it belongs to.
    pub targets: Vec<Target>,
    /// From when until when.
    pub window: Window,
    /// How often it opens each door.
    pub uses_max: u16,
}

/// Why bytes are no snapshot of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnapshotError {
    /// Longer than [`SNAPSHOT_BYTES_MAX`].
    TooLong,
    /// Not of the form of a snapshot.
    Malformed,
    /// Signed under a key id that is not known.
    KeyUnknown,
    /// Not signed by the key it names.
    Forged,
}

impl SnapshotError {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLong => "snapshot_too_long",
            Self::Malformed => "snapshot_malformed",
            Self::KeyUnknown => "snapshot_key_unknown",
            Self::Forged => "snapshot_forged",
        }
    }
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl std::error::Error for SnapshotError {}

/// Writes and signs a snapshot: the line `L1S.<key id>.<signature>`, and the JSON below it. The signature is over the
/// SHA-256 of the JSON.
///
/// # Errors
/// Never in practice: a snapshot can always be written as JSON.
pub fn sign(snapshot: &Snapshot, seed: &[u8; 32]) -> Result<Vec<u8>, serde_json::Error> {
    sign_all(snapshot, std::slice::from_ref(seed))
}

/// As [`sign`], with several keys: their ids and signatures follow one another in the first line. So a gateway takes the
/// first snapshot after a rotation although it only knows the key before.
///
/// # Errors
/// As [`sign`].
pub fn sign_all(snapshot: &Snapshot, seeds: &[[u8; 32]]) -> Result<Vec<u8>, serde_json::Error> {
    let json = serde_json::to_vec(snapshot)?;
    let message = signed(&json);
    let mut head = PREFIX.to_owned();
    for seed in seeds {
        let (key, signature) = (
            PassKey::of_seed(seed).id,
            signing::signature(seed, &message),
        );
        head.push_str(&format!(".{key}.{signature}"));
    }
    head.push('\n');
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(&json);
    Ok(bytes)
}

/// Reads a snapshot and checks its signatures: at least one by a known key, and each of those. Whether it is the reader's own, newer than the last one and not expired,
/// is for the reader to ask.
///
/// # Errors
/// Why it is none of ours.
pub fn verify(bytes: &[u8], keys: &[PassKey]) -> Result<Snapshot, SnapshotError> {
    if bytes.len() > SNAPSHOT_BYTES_MAX {
        return Err(SnapshotError::TooLong);
    }
    let mut halves = bytes.splitn(2, |byte| *byte == b'\n');
    let head = halves
        .next()
        .and_then(|head| std::str::from_utf8(head).ok());
    let (head, json) = head.zip(halves.next()).ok_or(SnapshotError::Malformed)?;
    check_head(head, &signed(json), keys)?;
    serde_json::from_slice(json).map_err(|_| SnapshotError::Malformed)
}

fn check_head(head: &str, message: &[u8], keys: &[PassKey]) -> Result<(), SnapshotError> {
    let mut parts = head.split('.');
    if parts.next() != Some(PREFIX) {
        return Err(SnapshotError::Malformed);
    }
    let mut found = Err(SnapshotError::Malformed);
    while let Some(key) = parts.next() {
        let signature = parts.next().ok_or(SnapshotError::Malformed)?;
        match signing::check(keys, key, message, signature) {
            Ok(()) => found = Ok(()),
            Err(signing::SignatureError::Forged) => return Err(SnapshotError::Forged),
            Err(signing::SignatureError::KeyUnknown) => {
                found = found.or(Err(SnapshotError::KeyUnknown));
            }
        }
    }
    found
}

/// The SHA-256 of bytes, in hexadecimal, as `SnapshotReady` tells it.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    signing::hex(&Sha256::digest(bytes))
}

/// What is signed; no pass starts like it.
fn signed(json: &[u8]) -> Vec<u8> {
    let mut message = b"linli-snapshot-1\n".to_vec();
    message.extend_from_slice(&Sha256::digest(json));
    message
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for it; trivial where a pointer has 8 bytes"
)]
fn is_epoch(millis: &i64) -> bool {
    *millis == 0
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for it; trivial where a pointer has 8 bytes"
)]
fn is_never(millis: &i64) -> bool {
    *millis == i64::MAX
}

fn never() -> i64 {
    i64::MAX
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod tests;
