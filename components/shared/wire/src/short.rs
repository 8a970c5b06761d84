//! Rotation: the steps of time, the pass of a person, and the 64-bit number that stands for a pass at one gateway.

use hmac::{Hmac, Mac as _};
use kernel::{ActorId, PassId, TenantId, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::pass::{CLOCK_SKEW_MS_MAX, RESIDENT_PASS_MS_MAX, STEP_MS};
use crate::signing;

/// The step of a moment.
#[must_use]
pub fn step_of(now: Timestamp) -> u64 {
    u64::try_from(now.millis() / STEP_MS).unwrap_or_default()
}

/// The first moment of a step.
#[must_use]
pub fn step_start(step: u64) -> Timestamp {
    let millis = i64::try_from(step)
        .unwrap_or(i64::MAX)
        .saturating_mul(STEP_MS);
    Timestamp::EPOCH.plus_millis(millis)
}

/// The pass of a person whose text rotates: always the same one, and no other person's.
#[must_use]
pub fn personal_pass(tenant: &TenantId, person: &ActorId) -> Option<PassId> {
    let digest = Sha256::digest(format!("personal/{tenant}/{person}"));
    PassId::parse(&signing::hex(digest.get(..16)?)).ok()
}

/// The key of a gateway's short numbers.
#[must_use]
pub fn short_key(seed: &[u8; 32], tenant: &TenantId, gateway: &str) -> Option<[u8; 32]> {
    mac(seed, &format!("short/{tenant}/{gateway}"))
}

/// The number that stands for a pass in a step at one gateway: 24 bits that find the pass, and 40 bits of an HMAC over
/// pass and step, truncated as in RFC 6238. A pass that does not rotate uses step 0 at all times.
#[must_use]
pub fn short_number(key: &[u8; 32], pass: &PassId, step: u64) -> Option<u64> {
    let mac = mac(key, &format!("{pass}/{step}"))?;
    let offset = usize::from(mac.last()? & 0x0f);
    let taken = mac.get(offset..offset + 5)?;
    let code = taken
        .iter()
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    Some(short_handle(pass) << 40 | code)
}

/// The upper 24 bits of the short numbers of a pass, for finding it.
#[must_use]
pub fn short_handle(pass: &PassId) -> u64 {
    let digest = Sha256::digest(pass.as_str());
    let taken = digest.get(..3).unwrap_or_default();
    taken
        .iter()
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

/// The step in which this number stands for the pass, if it does now: a rotating one holds for its 60 s, and the clock
/// may be wrong by [`CLOCK_SKEW_MS_MAX`].
#[must_use]
pub fn short_step(
    key: &[u8; 32],
    pass: &PassId,
    rotates: bool,
    number: u64,
    now: Timestamp,
) -> Option<u64> {
    if number >> 40 != short_handle(pass) {
        return None;
    }
    if !rotates {
        return (short_number(key, pass, 0)? == number).then_some(0);
    }
    let ended = step_of(now.plus_millis(-CLOCK_SKEW_MS_MAX - RESIDENT_PASS_MS_MAX));
    let last = step_of(now.plus_millis(CLOCK_SKEW_MS_MAX));
    (ended + 1..=last).find(|step| short_number(key, pass, *step) == Some(number))
}

fn mac(key: &[u8; 32], message: &str) -> Option<[u8; 32]> {
    // HMAC takes a key of any length, so this is never `None`; a guest must not panic to say so.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(message.as_bytes());
    Some(mac.finalize().into_bytes().into())
}
