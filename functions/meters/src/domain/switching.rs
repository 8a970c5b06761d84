//! Cutting and restoring the supply behind a meter: for reasons of safety and at the resident's own wish, never to make
//! anybody pay property fees.

use kernel::{
    ActorId, Commodity, CommunityId, DeviceId, Message, MeterId, Refusal, RoomId, SwitchingId,
    Timestamp,
};
use wire::meter::{Outcome, Supply};

use super::Reason;
use super::meter::{Meter, invalid};
use super::reading::named;

/// How long an order to a meter holds, in milliseconds: a bus may be reading its other meters.
pub const SWITCHING_EXPIRES_MS: i64 = 60_000;
/// How long after that an answer is waited for, in milliseconds.
pub const ANSWER_MS: i64 = 30_000;
/// What people give as a reason when they mean unpaid property fees (物业费).
const FEES: [&str; 6] = [
    "property_fees",
    "unpaid_property_fees",
    "unpaid_fees",
    "unpaid_bills",
    "arrears",
    "debt",
];

named! {
    /// Why a supply may be cut.
    CutReason {
        /// Water or gas runs where it should not.
        Leak = "leak",
        /// Danger of fire or of an electric shock.
        Danger = "danger",
        /// Somebody works on the installation.
        Repair = "repair",
        /// Whoever lives there asked for it.
        ResidentRequest = "resident_request",
        /// Nobody lives there.
        Vacant = "vacant",
        /// The meter is gone around or tampered with.
        Tampering = "tampering",
        /// The supplier or an authority ordered it.
        AuthorityOrder = "authority_order",
    }
}

impl CutReason {
    /// The reason of that name.
    ///
    /// # Errors
    /// 422 when it is none; said plainly when it is unpaid property fees (Civil Code, article 944).
    pub fn of(text: &str) -> Result<Self, Refusal> {
        if let Some(reason) = Self::parse(text) {
            return Ok(reason);
        }
        if FEES.contains(&text) {
            return Err(invalid(
                "supply_protected",
                "Nobody's water, electricity, heat or gas is cut off to collect property fees (Civil Code, article 944). Send a reminder, or take it to court or arbitration.",
                "依据《民法典》第九百四十四条，不得采取停止供电、供水、供热、供燃气等方式催交物业费，请改用催告、诉讼或仲裁。",
            ));
        }
        let names: Vec<&str> = Self::ALL.iter().map(|reason| reason.as_str()).collect();
        let names = names.join(", ");
        Err(Refusal::invalid(
            "switching_reason",
            Message::new(
                format!("A supply is cut for one of these reasons: {names}."),
                format!("停供原因应为以下之一：{names}。"),
            ),
        ))
    }
}

/// A request to cut or restore a supply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switching {
    /// The request; its order to the meter goes by the same text.
    pub id: SwitchingId,
    /// The meter.
    pub meter: MeterId,
    /// Where.
    pub community: CommunityId,
    /// The room that it measures for, unless it is a common area's.
    pub room: Option<RoomId>,
    /// How the supply is to be.
    pub supply: Supply,
    /// Why; always there when it is cut.
    pub reason: Option<CutReason>,
    /// What there is to be known about it.
    pub note: Option<Reason>,
    /// Who asked.
    pub actor: ActorId,
    /// When.
    pub requested_at: Timestamp,
    /// From then on nothing is sent to the meter.
    pub expires_at: Timestamp,
    /// What became of it.
    pub state: SwitchingState,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SwitchingState {
    /// The order is on its way.
    Requested,
    /// The meter confirmed it.
    Done {
        /// When that was stored.
        at: Timestamp,
    },
    /// The meter or its gateway refused: nothing was moved.
    Refused {
        /// When that was stored.
        at: Timestamp,
        /// What it said.
        detail: String,
    },
    /// The meter did not answer in time.
    TimedOut {
        /// When that was known.
        at: Timestamp,
        /// What the line said, or the answer that came after all: the relay may have moved.
        detail: Option<String>,
    },
}

impl SwitchingState {
    /// The state's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Done { .. } => "done",
            Self::Refused { .. } => "refused",
            Self::TimedOut { .. } => "timed_out",
        }
    }

    /// When it was settled.
    #[must_use]
    pub fn settled_at(&self) -> Option<Timestamp> {
        match self {
            Self::Requested => None,
            Self::Done { at } | Self::Refused { at, .. } | Self::TimedOut { at, .. } => Some(*at),
        }
    }

    /// What the meter or the line said.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::Requested | Self::Done { .. } => None,
            Self::Refused { detail, .. } => Some(detail),
            Self::TimedOut { detail, .. } => detail.as_deref(),
        }
    }
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The new request's id.
    pub id: SwitchingId,
    /// How the supply is to be.
    pub supply: Supply,
    /// Why.
    pub reason: Option<CutReason>,
    /// What there is to be known about it.
    pub note: Option<Reason>,
}

/// Decides on a request about a meter that the caller looks after.
///
/// # Errors
/// 422 without a reason for a cut, for a gas valve that somebody has to open at the meter, and for a meter that no
/// gateway reaches.
pub fn request(
    meter: &Meter,
    ask: Ask,
    actor: &ActorId,
    now: Timestamp,
) -> Result<Switching, Refusal> {
    if ask.supply == Supply::Off && ask.reason.is_none() {
        return Err(invalid(
            "switching_reason",
            "Cutting a supply needs a `reason`.",
            "停供必须填写原因 reason。",
        ));
    }
    if ask.supply == Supply::On && meter.commodity == Commodity::Gas {
        return Err(invalid(
            "gas_opens_by_hand",
            "A gas valve is opened at the meter, by somebody who has looked that every tap is shut.",
            "燃气阀门须由人员现场确认各用气点关闭后手动开启。",
        ));
    }
    if meter.gateway.is_none() {
        return Err(invalid(
            "meter_not_reached",
            "No gateway reaches this meter. Switch it at the meter.",
            "该表未接入网关，请现场操作。",
        ));
    }
    Ok(Switching {
        id: ask.id,
        meter: meter.id.clone(),
        community: meter.community.clone(),
        room: meter.object.room().cloned(),
        supply: ask.supply,
        reason: ask.reason,
        note: ask.note,
        actor: actor.clone(),
        requested_at: now,
        expires_at: now.plus_millis(SWITCHING_EXPIRES_MS),
        state: SwitchingState::Requested,
    })
}

/// The request as it stands now: past its time an unanswered one has timed out, stored or not.
#[must_use]
pub fn observe(switching: Switching, now: Timestamp) -> Switching {
    let deadline = switching.expires_at.plus_millis(ANSWER_MS);
    if switching.state != SwitchingState::Requested || now < deadline {
        return switching;
    }
    let state = SwitchingState::TimedOut {
        at: deadline,
        detail: None,
    };
    Switching { state, ..switching }
}

/// Takes the gateway's answer; nothing when the request is settled already.
#[must_use]
pub fn answered(switching: &Switching, outcome: &Outcome, now: Timestamp) -> Option<Switching> {
    let switching = observe(switching.clone(), now);
    let timed_out = |text: &str| SwitchingState::TimedOut {
        at: now,
        detail: Some(clipped(text)),
    };
    let state = match (&switching.state, outcome) {
        (SwitchingState::Requested, Outcome::Done) => SwitchingState::Done { at: now },
        (
            SwitchingState::Requested,
            Outcome::Refused { reason } | Outcome::Unsupported { reason },
        ) => SwitchingState::Refused {
            at: now,
            detail: clipped(reason),
        },
        (SwitchingState::Requested, Outcome::Expired) => timed_out("the order came too late"),
        (SwitchingState::Requested, Outcome::Unreached { reason }) => timed_out(reason),
        (SwitchingState::Requested, Outcome::Unanswered { reason }) => {
            timed_out(&format!("it may have been done: {reason}"))
        }
        (SwitchingState::TimedOut { at, detail: None }, Outcome::Done) => {
            SwitchingState::TimedOut {
                at: *at,
                detail: Some("it was done too late".to_owned()),
            }
        }
        _ => return None,
    };
    Some(Switching { state, ..switching })
}

/// Only the gateway that reads a meter is believed about it.
///
/// # Errors
/// 403 when another speaks.
pub fn own_gateway(meter: &Meter, gateway: &DeviceId) -> Result<(), Refusal> {
    if meter.gateway.as_ref() == Some(gateway) {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "gateway_foreign",
        Message::new(
            "This gateway does not read this meter.",
            "该网关不负责这块表。",
        ),
    ))
}

/// What a device said, on one line and not too long.
#[must_use]
pub fn clipped(text: &str) -> String {
    const CHARACTERS_MAX: usize = 200;
    let printable = text
        .chars()
        .map(|char| if char.is_control() { ' ' } else { char });
    printable.take(CHARACTERS_MAX).collect()
}

/// Another request about the meter is on its way.
#[must_use]
pub fn under_way() -> Refusal {
    Refusal::conflict(
        "switching_under_way",
        Message::new(
            "An order to this meter is `requested` and not answered yet. Wait until it is done, refused or timed_out.",
            "该表已有一条处于 requested 的指令，请等待其完成、被拒绝或超时。",
        ),
    )
}

#[cfg(test)]
#[path = "switching_tests.rs"]
mod tests;
