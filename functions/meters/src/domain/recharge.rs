//! Money on its way to a prepaid meter. The meter takes each number of a purchase once, so that a try whose answer was
//! lost can be made again; where nobody can know whether it was taken, somebody has to look.

use kernel::{CommunityId, DeviceId, IdError, MessageId, MeterId, RechargeId, Timestamp};
use wire::meter::{Order, Outcome};

use super::reading::named;
use super::switching::clipped;

/// How long one try holds, in milliseconds.
pub const TRY_EXPIRES_MS: i64 = 5 * 60_000;
/// The pause between two tries, in milliseconds.
pub const TRY_AGAIN_MS: i64 = 10 * 60_000;
/// For how long it is tried, in milliseconds: 20 hours. After 24 the money goes back to the payer.
pub const TRYING_MS_MAX: i64 = 20 * 60 * 60 * 1_000;

named! {
    /// How a recharge stands at its meter.
    RechargeState {
        /// The meter has not answered for good.
        Waiting = "waiting",
        /// The meter has taken it.
        Done = "done",
        /// The meter refused it.
        Refused = "refused",
        /// The meter or its gateway takes no money over the line: somebody brings it there.
        Unsupported = "unsupported",
        /// Nobody knows whether the meter took it: somebody looks.
        Unclear = "unclear",
        /// The meter was not reached in time.
        TimedOut = "timed_out",
        /// The money was given back, or confirmed by hand.
        Cancelled = "cancelled",
    }
}

/// Money for a prepaid meter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recharge {
    /// The recharge, as fees call it.
    pub id: RechargeId,
    /// The meter.
    pub meter: MeterId,
    /// Where.
    pub community: CommunityId,
    /// How much, in fen.
    pub amount_minor: i64,
    /// Since when the meter is to have it.
    pub commanded_at: Timestamp,
    /// How it stands.
    pub state: RechargeState,
    /// The number of the purchase at the meter, once that is known.
    pub number: Option<u8>,
    /// Whether a try with that number may have been taken without an answer.
    pub doubtful: bool,
    /// The number of the last try, from 1; 0 before the first.
    pub attempt: i64,
    /// Whether the last try was answered.
    pub answered: bool,
    /// When the next try is due.
    pub next_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What the meter or the line said last.
    pub detail: Option<String>,
}

/// One try to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Try {
    /// What makes it that try.
    pub command: MessageId,
    /// What is asked of the meter.
    pub order: Order,
    /// From then on nothing is sent to the meter.
    pub expires_at: Timestamp,
}

/// A recharge that was paid.
#[must_use]
pub fn commanded(
    (id, meter, community): (RechargeId, MeterId, CommunityId),
    amount_minor: i64,
    (commanded_at, now): (Timestamp, Timestamp),
) -> Recharge {
    Recharge {
        id,
        meter,
        community,
        amount_minor,
        commanded_at,
        state: RechargeState::Waiting,
        number: None,
        doubtful: false,
        attempt: 0,
        answered: true,
        next_at: now,
        ended_at: None,
        detail: None,
    }
}

/// What is due at a moment: the recharge after it, and the try to be sent unless it has ended.
///
/// # Errors
/// When its id is too long to name tries.
pub fn due(recharge: Recharge, now: Timestamp) -> Result<(Recharge, Option<Try>), IdError> {
    let doubtful = recharge.doubtful || (recharge.number.is_some() && !recharge.answered);
    let recharge = Recharge {
        doubtful,
        ..recharge
    };
    if now.millis_since(recharge.commanded_at) >= TRYING_MS_MAX {
        let state = if doubtful {
            RechargeState::Unclear
        } else {
            RechargeState::TimedOut
        };
        return Ok((ended(recharge, state, now), None));
    }
    let attempt = recharge.attempt + 1;
    let order = Order::Recharge {
        amount_minor: recharge.amount_minor,
        number: recharge.number,
    };
    let sent = Try {
        command: MessageId::parse(&format!("{}-{attempt}", recharge.id))?,
        order,
        expires_at: now.plus_millis(TRY_EXPIRES_MS),
    };
    let recharge = Recharge {
        attempt,
        answered: false,
        next_at: now.plus_millis(TRY_AGAIN_MS),
        ..recharge
    };
    Ok((recharge, Some(sent)))
}

/// The recharge and the try that a command names.
#[must_use]
pub fn named_by(command: &MessageId) -> Option<(RechargeId, i64)> {
    let (recharge, attempt) = command.as_str().rsplit_once('-')?;
    Some((RechargeId::parse(recharge).ok()?, attempt.parse().ok()?))
}

/// Takes the answer to a try; nothing when it changes nothing.
#[must_use]
pub fn answered(
    recharge: &Recharge,
    attempt: i64,
    outcome: &Outcome,
    now: Timestamp,
) -> Option<Recharge> {
    use RechargeState::{Done, Refused, Unclear, Unsupported, Waiting};
    let recharge = recharge.clone();
    // That it was taken counts whichever try it was of, and when nobody hoped for it any more.
    if *outcome == Outcome::Done && matches!(recharge.state, Waiting | Unclear) {
        return Some(ended(recharge, Done, now));
    }
    if recharge.state != Waiting || recharge.attempt != attempt || recharge.answered {
        return None;
    }
    let recharge = Recharge {
        answered: true,
        ..recharge
    };
    let later = |detail: &str| Recharge {
        detail: Some(clipped(detail)),
        ..recharge.clone()
    };
    Some(match outcome {
        Outcome::Done => return None,
        Outcome::Counted { .. } if recharge.doubtful => ended(
            later("the meter has another purchase than was sent"),
            Unclear,
            now,
        ),
        Outcome::Counted { number } => Recharge {
            number: Some(number.wrapping_add(1)),
            next_at: now,
            ..recharge
        },
        Outcome::Expired => later("the order came too late"),
        Outcome::Unreached { reason } => later(reason),
        Outcome::Unanswered { reason } => Recharge {
            doubtful: recharge.number.is_some(),
            ..later(reason)
        },
        Outcome::Unsupported { reason } if recharge.doubtful => ended(later(reason), Unclear, now),
        Outcome::Unsupported { reason } => ended(later(reason), Unsupported, now),
        Outcome::Refused { reason } => ended(later(reason), Refused, now),
    })
}

/// Nobody waits for the meter any more.
#[must_use]
pub fn cancelled(recharge: Recharge, now: Timestamp) -> Option<Recharge> {
    let is_open = recharge.state == RechargeState::Waiting;
    is_open.then(|| ended(recharge, RechargeState::Cancelled, now))
}

fn ended(recharge: Recharge, state: RechargeState, now: Timestamp) -> Recharge {
    Recharge {
        state,
        ended_at: Some(now),
        ..recharge
    }
}

/// Whether fees are told of that end, and whether the meter has taken the money; who says so is the gateway.
#[must_use]
pub fn told(state: RechargeState, gateway: Option<&DeviceId>) -> Option<(DeviceId, bool)> {
    let gateway = gateway?.clone();
    match state {
        RechargeState::Done => Some((gateway, true)),
        RechargeState::Refused => Some((gateway, false)),
        _ => None,
    }
}

#[cfg(test)]
#[path = "recharge_tests.rs"]
mod tests;
