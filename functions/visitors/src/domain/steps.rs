//! The steps of a visit's machine. Each takes a visit as it stands now (see [`observe`]) and gives the next, or says
//! why not.

use kernel::{Actor, CommunityId, Message, PassId, Refusal, RefusalKind, Timestamp, VisitId};

use super::{
    Approval, COURIER_MS, End, GUEST_MS, Pass, Place, REGISTERED_GUEST_MS, Reason, Room, Signed,
    UsesMax, Visit, VisitKind, VisitState, Visitor, Window, blacklist::only_managers, blacklisted,
    is_manager,
};

/// How long an answer of the household counts, in milliseconds: 5 minutes; no answer is a refusal.
pub const ANSWER_MS: i64 = 5 * 60 * 1_000;
/// Over which time registrations at the gate are counted, in milliseconds: 10 minutes.
pub const REQUESTS_WINDOW_MS: i64 = 10 * 60 * 1_000;
/// The most registrations of one phone number in that time.
pub const PHONE_REQUESTS_MAX: i64 = 3;
/// The most registrations in one community in that time.
pub const COMMUNITY_REQUESTS_MAX: i64 = 120;

/// What is asked for when somebody is invited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The new visit's id.
    pub id: VisitId,
    /// The new pass's id.
    pub pass: PassId,
    /// Where.
    pub community: CommunityId,
    /// Where in it.
    pub room: Room,
    /// What sort.
    pub kind: VisitKind,
    /// Who comes.
    pub visitor: Visitor,
    /// From when, until when; what is absent takes the default of the kind.
    pub window: (Option<Timestamp>, Option<Timestamp>),
    /// How often each door opens.
    pub uses_max: UsesMax,
}

/// Invites somebody: the household's word, so nobody has to answer.
///
/// # Errors
/// 409 when the visitor is on the blacklist, 422 for a time that cannot be.
pub fn invite(
    asked: Invitation,
    signed: Signed,
    is_blacklisted: bool,
    now: Timestamp,
) -> Result<Visit, Refusal> {
    if is_blacklisted {
        return Err(blacklisted());
    }
    let window = Window::asked(asked.kind, asked.window, GUEST_MS, now)?;
    let pass = Pass {
        id: asked.pass,
        window,
        uses_max: asked.uses_max,
        uses: 0,
    };
    Ok(Visit {
        id: asked.id,
        community: asked.community,
        place: Place::Room(asked.room),
        kind: asked.kind,
        visitor: Some(asked.visitor),
        recurring: None,
        requested_by: Some(signed.by.clone()),
        requested_at: now,
        state: VisitState::Approved(Approval {
            signed,
            pass,
            arrived_at: None,
        }),
    })
}

/// What a visitor says at the gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The new visit's id.
    pub id: VisitId,
    /// Where.
    pub community: CommunityId,
    /// Where in it.
    pub place: Place,
    /// A guest or a courier.
    pub kind: VisitKind,
    /// Who.
    pub visitor: Visitor,
}

/// Takes a registration at the gate. A visitor on the blacklist is rejected without being told so.
///
/// # Errors
/// 429 when the number (`of_phone`) or the community (`of_community`) has had too many of late.
pub fn register(
    asked: Registration,
    is_blacklisted: bool,
    (of_phone, of_community): (i64, i64),
    now: Timestamp,
) -> Result<Visit, Refusal> {
    if of_phone >= PHONE_REQUESTS_MAX || of_community >= COMMUNITY_REQUESTS_MAX {
        return Err(too_many());
    }
    let state = if is_blacklisted {
        VisitState::Rejected(End {
            by: None,
            at: now,
            reason: Reason::parse("blacklist").ok(),
        })
    } else {
        VisitState::Requested {
            answer_by: now.plus_millis(ANSWER_MS),
        }
    };
    Ok(Visit {
        id: asked.id,
        community: asked.community,
        place: asked.place,
        kind: asked.kind,
        visitor: Some(asked.visitor),
        recurring: None,
        requested_by: None,
        requested_at: now,
        state,
    })
}

/// What the household adds to its yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The new pass's id.
    pub pass: PassId,
    /// The room, where the visitor's words named none.
    pub room: Option<Room>,
    /// Until when.
    pub until: Option<Timestamp>,
    /// How often each door opens.
    pub uses_max: UsesMax,
}

/// Says yes; nothing when that was said already.
///
/// # Errors
/// 409 when it is no longer waiting or the visitor is on the blacklist; 422 without a room, or for a time that
/// cannot be.
pub fn approve(
    visit: &Visit,
    signed: Signed,
    terms: Terms,
    is_blacklisted: bool,
    now: Timestamp,
) -> Result<Option<Visit>, Refusal> {
    match &visit.state {
        VisitState::Requested { .. } => {}
        VisitState::Approved(_) | VisitState::Arrived(_) => return Ok(None),
        ended => return Err(closed(ended)),
    }
    if is_blacklisted {
        return Err(blacklisted());
    }
    let place = match (&visit.place, terms.room) {
        (Place::Text(_), Some(room)) => Place::Room(room),
        (Place::Text(_), None) => return Err(room_required()),
        (known, None) => known.clone(),
        (Place::Room(known), Some(room)) if *known == room => visit.place.clone(),
        (Place::Room(_), Some(_)) => return Err(room_fixed()),
    };
    let default_ms = match visit.kind {
        VisitKind::Courier => COURIER_MS,
        _ => REGISTERED_GUEST_MS,
    };
    let pass = Pass {
        id: terms.pass,
        window: Window::asked(visit.kind, (None, terms.until), default_ms, now)?,
        uses_max: terms.uses_max,
        uses: 0,
    };
    let approval = Approval {
        signed,
        pass,
        arrived_at: None,
    };
    Ok(Some(Visit {
        place,
        state: VisitState::Approved(approval),
        ..visit.clone()
    }))
}

/// Says no; nothing when that was said already.
///
/// # Errors
/// 409 when it is no longer waiting.
pub fn reject(visit: &Visit, signed: Signed, now: Timestamp) -> Result<Option<Visit>, Refusal> {
    match &visit.state {
        VisitState::Requested { .. } => Ok(Some(visit.with(VisitState::Rejected(signed.end(now))))),
        VisitState::Rejected(_) => Ok(None),
        other => Err(closed(other)),
    }
}

/// Takes the yes back; nothing when that was done already.
///
/// # Errors
/// 409 when there is no yes, or the visit has ended.
pub fn revoke(visit: &Visit, end: End) -> Result<Option<Visit>, Refusal> {
    match &visit.state {
        VisitState::Approved(approval) | VisitState::Arrived(approval) => {
            let approval = approval.clone();
            Ok(Some(visit.with(VisitState::Revoked { approval, end })))
        }
        VisitState::Revoked { .. } => Ok(None),
        other => Err(closed(other)),
    }
}

/// A guard lets the visitor in by hand; nothing when the visitor is in already.
///
/// # Errors
/// 403 for others than those who run the community; 409 when the visitor is not expected now.
pub fn arrive(actor: &Actor, visit: &Visit, now: Timestamp) -> Result<Option<Visit>, Refusal> {
    if !is_manager(actor, &visit.community) {
        return Err(only_managers());
    }
    match &visit.state {
        VisitState::Approved(approval) if approval.pass.window.holds(now) => {
            Ok(Some(visit.with(VisitState::Arrived(approval.arrived(now)))))
        }
        VisitState::Arrived(_) => Ok(None),
        VisitState::Approved(_) => Err(too_early()),
        other => Err(closed(other)),
    }
}

/// A gate let the visitor in with the pass at `used_at`, and says so now or later. An ended visit stays as it
/// ended; the use is counted all the same.
#[must_use]
pub fn pass_used(visit: &Visit, used_at: Timestamp) -> Visit {
    let count = |approval: &Approval| {
        let mut counted = approval.arrived(used_at);
        counted.pass.uses = counted.pass.uses.saturating_add(1);
        counted
    };
    let state = match visit.state.clone() {
        VisitState::Approved(approval) | VisitState::Arrived(approval) => {
            VisitState::Arrived(count(&approval))
        }
        VisitState::Expired {
            approval: Some(approval),
            at,
        } => VisitState::Expired {
            approval: Some(count(&approval)),
            at,
        },
        VisitState::Left { approval, end } => VisitState::Left {
            approval: count(&approval),
            end,
        },
        VisitState::Revoked { approval, end } => VisitState::Revoked {
            approval: count(&approval),
            end,
        },
        without @ (VisitState::Requested { .. }
        | VisitState::Rejected(_)
        | VisitState::Expired { approval: None, .. }) => without,
    };
    visit.with(state)
}

/// The visitor is out again; nothing when that is known already.
///
/// # Errors
/// 409 when the visitor is not in.
pub fn leave(visit: &Visit, end: End) -> Result<Option<Visit>, Refusal> {
    match &visit.state {
        VisitState::Arrived(approval) => {
            let approval = approval.clone();
            Ok(Some(visit.with(VisitState::Left { approval, end })))
        }
        VisitState::Left { .. } => Ok(None),
        other => Err(closed(other)),
    }
}

/// The visit as it stands at `now`: what time has ended has ended, stored or not.
#[must_use]
pub fn observe(visit: Visit, now: Timestamp) -> Visit {
    let Some(at) = visit.state.due_at().filter(|due| *due <= now) else {
        return visit;
    };
    let state = match visit.state.clone() {
        VisitState::Requested { .. } => VisitState::Expired { approval: None, at },
        VisitState::Approved(approval) => VisitState::Expired {
            approval: Some(approval),
            at,
        },
        VisitState::Arrived(approval) => {
            let end = End {
                by: None,
                at,
                reason: None,
            };
            VisitState::Left { approval, end }
        }
        ended => ended,
    };
    visit.with(state)
}

fn closed(state: &VisitState) -> Refusal {
    let allowed = match state {
        VisitState::Requested { .. } => "approve, reject",
        VisitState::Approved(_) => "revoke",
        VisitState::Arrived(_) => "leave, revoke",
        _ => "-",
    };
    let name = state.name();
    Refusal::conflict(
        "visit_state",
        Message::new(
            format!("The visit is {name}. Possible now: {allowed}."),
            format!("来访状态为 {name}，当前可进行：{allowed}。"),
        ),
    )
}

fn too_early() -> Refusal {
    Refusal::conflict(
        "visit_not_yet",
        Message::new(
            "The visitor is expected later: see `from`.",
            "未到来访时间，请查看开始时间。",
        ),
    )
}

fn too_many() -> Refusal {
    Refusal::new(
        RefusalKind::TooMany,
        "too_many_requests",
        Message::new(
            "There were too many registrations. Wait ten minutes, or call the property office.",
            "登记过于频繁，请十分钟后再试，或联系物业。",
        ),
    )
}

fn room_required() -> Refusal {
    Refusal::invalid(
        "room_required",
        Message::new(
            "What the visitor wrote names no known room: say which it is, in `room`.",
            "访客填写的房号无法识别，请指定房屋（room）。",
        ),
    )
}

fn room_fixed() -> Refusal {
    Refusal::invalid(
        "room_fixed",
        Message::new(
            "The visit is to another room, which cannot be changed: leave out `room`.",
            "来访房屋不可更改，请勿填写 room。",
        ),
    )
}
