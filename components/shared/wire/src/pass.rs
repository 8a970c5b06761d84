//! Passes: what a person shows as a QR code, `L1.<claims>.<signature>`, and the 64-bit number for readers that carry
//! no more. Signed with Ed25519 and verified with the public key alone, so a gate needs no uplink and no secret.
//!
//! Deliberately no algorithm in the text: `L1` is Ed25519 over these claims, and nothing else is ever tried. Whether
//! a valid pass opens a certain door is decided in `access`.

use std::fmt;

use kernel::{ActorId, BuildingId, CommunityId, DoorGroupId, PassId, TenantId, Timestamp, UnitId};
use serde::{Deserialize, Serialize};

pub use crate::short::{
    personal_pass, short_handle, short_key, short_number, short_step, step_of, step_start,
};
use crate::signing::{self, SignatureError};
pub use crate::signing::{PassKey, seed_of};

/// The longest text of a pass, in characters.
pub const PASS_CHARACTERS_MAX: usize = 1_024;
/// The most targets of a pass.
pub const TARGETS_MAX: usize = 16;
/// How far a gate's clock may be wrong, in milliseconds, before a pass is refused for it.
pub const CLOCK_SKEW_MS_MAX: i64 = 60_000;
/// How long a resident's pass holds at most, in milliseconds.
pub const RESIDENT_PASS_MS_MAX: i64 = 60_000;
/// How long one step of a rotating pass or short number takes, in milliseconds (RFC 6238's X).
pub const STEP_MS: i64 = 30_000;

/// What a text starts with: the version of the form.
const PREFIX: &str = "L1";

/// Who holds a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// Somebody who lives there.
    Resident,
    /// Somebody who visits.
    Visitor,
    /// Somebody who works there.
    Staff,
}

impl Holder {
    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Resident => "resident",
            Self::Visitor => "visitor",
            Self::Staff => "staff",
        }
    }
}

/// What a person or pass belongs to: which doors that opens is said by the door groups.
/// Written as one word: `c`, `b:BUILDING`, `u:BUILDING:UNIT`, `g:GROUP`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Target {
    /// The community as such, for example its staff.
    Community,
    /// A building.
    Building(BuildingId),
    /// An entrance of a building.
    Unit(BuildingId, UnitId),
    /// The members of a door group.
    Group(DoorGroupId),
}

/// What a pass says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassClaims {
    /// The pass.
    pub pass: PassId,
    /// The tenant.
    pub tenant: TenantId,
    /// The community.
    pub community: CommunityId,
    /// Who holds it.
    pub holder: Holder,
    /// The account of the holder; none for a visitor.
    pub person: Option<ActorId>,
    /// What it belongs to, at most [`TARGETS_MAX`]; of a person with an account, what the person may counts as well.
    pub targets: Vec<Target>,
    /// The first moment at which it holds.
    pub not_before: Timestamp,
    /// The first moment at which it no longer holds.
    pub expires_at: Timestamp,
    /// How often it opens each door, in this step.
    pub uses_max: u16,
    /// Which of the rotating texts of the pass this is; 0 for one that does not rotate.
    pub step: u64,
}

/// Why a text is no valid pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PassError {
    /// Longer than [`PASS_CHARACTERS_MAX`].
    TooLong,
    /// Not of the form of a pass, or with claims that no pass has.
    Malformed,
    /// Signed under a key id that is not known.
    KeyUnknown,
    /// Not signed by the key it names.
    Forged,
    /// Holds only later.
    NotYetValid,
    /// Holds no longer.
    Expired,
}

impl PassError {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLong => "pass_too_long",
            Self::Malformed => "pass_malformed",
            Self::KeyUnknown => "pass_key_unknown",
            Self::Forged => "pass_forged",
            Self::NotYetValid => "pass_not_yet_valid",
            Self::Expired => "pass_expired",
        }
    }
}

impl fmt::Display for PassError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl std::error::Error for PassError {}

/// Writes and signs a pass. The same claims always give the same text.
///
/// # Errors
/// [`PassError::Malformed`] for claims that [`verify`] would refuse, [`PassError::TooLong`] for too many targets.
pub fn sign(claims: &PassClaims, seed: &[u8; 32]) -> Result<String, PassError> {
    if !claims.are_possible() {
        return Err(PassError::Malformed);
    }
    let packed = Packed::of(claims, PassKey::of_seed(seed).id);
    let json = serde_json::to_vec(&packed).map_err(|_| PassError::Malformed)?;
    let signed = format!("{PREFIX}.{}", signing::base64(&json));
    let text = format!("{signed}.{}", signing::signature(seed, signed.as_bytes()));
    if text.len() > PASS_CHARACTERS_MAX {
        return Err(PassError::TooLong);
    }
    Ok(text)
}

/// Reads a pass and checks its signature and its time. Whether it was used before, revoked, or is meant for another
/// community, is not known here.
///
/// # Errors
/// Why it is no valid pass at this moment.
pub fn verify(text: &str, keys: &[PassKey], now: Timestamp) -> Result<PassClaims, PassError> {
    let claims = read(text, keys)?;
    if now.plus_millis(CLOCK_SKEW_MS_MAX) < claims.not_before {
        return Err(PassError::NotYetValid);
    }
    if claims.expires_at.plus_millis(CLOCK_SKEW_MS_MAX) <= now {
        return Err(PassError::Expired);
    }
    Ok(claims)
}

/// Reads a pass and checks its signature, but not its time: for saying which pass was refused.
///
/// # Errors
/// Why it is no pass of ours.
pub fn read(text: &str, keys: &[PassKey]) -> Result<PassClaims, PassError> {
    if text.len() > PASS_CHARACTERS_MAX {
        return Err(PassError::TooLong);
    }
    let (signed, signature) = text.rsplit_once('.').ok_or(PassError::Malformed)?;
    let claims = signed
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.strip_prefix('.'));
    let json = claims.and_then(signing::from_base64);
    let json = json.ok_or(PassError::Malformed)?;
    let packed: Packed = serde_json::from_slice(&json).map_err(|_| PassError::Malformed)?;
    signing::check(keys, &packed.k, signed.as_bytes(), signature).map_err(|error| match error {
        SignatureError::KeyUnknown => PassError::KeyUnknown,
        SignatureError::Forged => PassError::Forged,
    })?;
    let claims = packed.claims().ok_or(PassError::Malformed)?;
    if claims.are_possible() {
        Ok(claims)
    } else {
        Err(PassError::Malformed)
    }
}

impl PassClaims {
    fn are_possible(&self) -> bool {
        let lasts_ms = self.expires_at.millis_since(self.not_before);
        let short = self.holder == Holder::Visitor || lasts_ms <= RESIDENT_PASS_MS_MAX;
        lasts_ms > 0
            && short
            && self.uses_max > 0
            && (!self.targets.is_empty() || self.person.is_some())
            && self.targets.len() <= TARGETS_MAX
    }
}

/// The claims as they are written: short names, because a QR code has to be read in the rain.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Packed {
    p: PassId,
    t: TenantId,
    c: CommunityId,
    h: Holder,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    w: Option<ActorId>,
    g: Vec<Target>,
    n: i64,
    e: i64,
    u: u16,
    s: u64,
    k: String,
}

impl Packed {
    fn of(claims: &PassClaims, key: String) -> Self {
        Self {
            p: claims.pass.clone(),
            t: claims.tenant.clone(),
            c: claims.community.clone(),
            h: claims.holder,
            w: claims.person.clone(),
            g: claims.targets.clone(),
            n: claims.not_before.millis(),
            e: claims.expires_at.millis(),
            u: claims.uses_max,
            s: claims.step,
            k: key,
        }
    }

    fn claims(self) -> Option<PassClaims> {
        Some(PassClaims {
            pass: self.p,
            tenant: self.t,
            community: self.c,
            holder: self.h,
            person: self.w,
            targets: self.g,
            not_before: Timestamp::from_millis(self.n).ok()?,
            expires_at: Timestamp::from_millis(self.e).ok()?,
            uses_max: self.u,
            step: self.s,
        })
    }
}

impl Target {
    /// The target as one word without blanks or commas.
    #[must_use]
    pub fn pack(&self) -> String {
        match self {
            Self::Community => "c".to_owned(),
            Self::Building(building) => format!("b:{building}"),
            Self::Unit(building, unit) => format!("u:{building}:{unit}"),
            Self::Group(group) => format!("g:{group}"),
        }
    }

    /// The target of that word.
    #[must_use]
    pub fn unpack(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let target = match (parts.next()?, parts.next(), parts.next()) {
            ("c", None, None) => Self::Community,
            ("b", Some(building), None) => Self::Building(BuildingId::parse(building).ok()?),
            ("u", Some(building), Some(unit)) => {
                Self::Unit(BuildingId::parse(building).ok()?, UnitId::parse(unit).ok()?)
            }
            ("g", Some(group), None) => Self::Group(DoorGroupId::parse(group).ok()?),
            _ => return None,
        };
        parts.next().is_none().then_some(target)
    }
}

/// Why a text is no target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetError;

impl fmt::Display for TargetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a target is written c, b:BUILDING, u:BUILDING:UNIT or g:GROUP")
    }
}

impl std::error::Error for TargetError {}

impl TryFrom<String> for Target {
    type Error = TargetError;
    fn try_from(text: String) -> Result<Self, TargetError> {
        Self::unpack(&text).ok_or(TargetError)
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        target.pack()
    }
}

#[cfg(test)]
#[path = "pass_tests.rs"]
mod tests;
