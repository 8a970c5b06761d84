//! `/api/binding-requests`: people ask to be bound to a room, staff approve or reject.

use kernel::{
    Actor, BindingId, BindingRequestId, CommunityId, Message, Phone, Refusal, RefusalKind, RoomId,
    Timestamp,
};
use serde::Deserialize;
use store::{Tx, tx};
use web::{Query, Reply, Request};
use wire::event::{BindingRequestDecided, BindingRequested, BindingRole};

use super::bindings::bind;
use super::rooms::Place;
use super::{answer, caller, path_id, shown, stored, versioned, write};
use crate::context::Context;
use crate::domain::{
    Binding, BindingRequest, Decision, Name, Note, RequestState, Resident, Term, check_request,
    is_overseer, know_request, managers_only, managing_kinds_only, people_only,
};
use crate::{facts, store as sql};

const REQUEST: (&str, &str, &str) = ("binding_request_unknown", "request", "申请");

/// The most requests of one person that wait at a time.
const REQUESTS_PENDING_MAX: i64 = 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRequest {
    role: BindingRole,
    room: Option<RoomId>,
    community: Option<CommunityId>,
    place: Option<String>,
    name: Name,
    phone: Option<Phone>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Approval {
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    #[serde(default)]
    co_owner: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rejection {
    reason: Note,
}

pub(super) async fn ask(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    people_only(&actor)?;
    let new: NewRequest = web::body(request)?;
    check_request(&actor, new.role)?;
    let id: BindingRequestId = context.new_id()?;
    let asked = write(context, request, &actor, async |tx| {
        let place = Place {
            room: new.room.clone(),
            community: new.community.clone(),
            place: new.place.clone(),
        };
        let room = place.find(tx, &actor).await?;
        check_free(context, tx, &actor, (&room.community, &room.id)).await?;
        let asked = BindingRequest {
            id: id.clone(),
            person: actor.id.clone(),
            role: new.role,
            community: room.community,
            room: room.id,
            name: Some(new.name.clone()),
            phone: new.phone.clone(),
            asked_at: context.now,
            state: RequestState::Pending,
            version: 1,
        };
        sql::insert_request(tx, &asked).await?;
        let fact = BindingRequested {
            request: asked.id.clone(),
            person: asked.person.clone(),
            role: asked.role,
            community: asked.community.clone(),
            room: asked.room.clone(),
        };
        facts::append(context, tx, &fact).await?;
        answer(201, &shown::request(&actor, &asked))
    })
    .await?;
    stored(&asked, "/api/binding-requests")
}

/// Refuses a second request for a room, one for a room that the person is bound to, and too many at a time.
async fn check_free(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    (community, room): (&CommunityId, &RoomId),
) -> anyhow::Result<()> {
    let held = sql::held(tx, &actor.tenant, (community, Some(room)), context.now).await?;
    let pending = sql::pending(tx, &actor.id, REQUESTS_PENDING_MAX).await?;
    let is_full = i64::try_from(pending.len())? >= REQUESTS_PENDING_MAX;
    let (kind, code, english, chinese) = if held.iter().any(|binding| binding.person == actor.id) {
        (
            RefusalKind::Conflict,
            "binding_exists",
            "You are already bound to this room.",
            "您已绑定该房屋。",
        )
    } else if pending.contains(room) {
        (
            RefusalKind::Conflict,
            "request_pending",
            "You have already asked for this room. Wait for the property office's answer.",
            "您已提交过该房屋的申请，请等待物业审核。",
        )
    } else if is_full {
        (
            RefusalKind::TooMany,
            "requests_too_many",
            "You have asked for many rooms. Wait for the property office's answers.",
            "您待审核的申请过多，请等待物业审核后再申请。",
        )
    } else {
        return Ok(());
    };
    Err(Refusal::new(kind, code, Message::new(english, chinese)).into())
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    people_only(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(BindingRequestId::parse)?;
    let filter = sql::RequestFilter {
        community: query.take("community", CommunityId::parse)?,
        state: query.take("state", state_name)?,
        person: (!is_overseer(&actor)).then(|| actor.id.clone()),
    };
    query.finish()?;
    let requests = sql::requests(&context.db, &actor, &filter, &page).await?;
    Ok(Reply::ok(&page.listing(
        requests,
        |asked| asked.id.to_string(),
        |asked| shown::request(&actor, &asked),
    )))
}

fn state_name(text: &str) -> Result<String, &'static str> {
    match text {
        "pending" | "approved" | "rejected" => Ok(text.to_owned()),
        _ => Err("it is one of pending, approved, rejected"),
    }
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    asked: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(asked, REQUEST)?;
    let asked = know_request(&actor, sql::request(&context.db, &actor.tenant, &id).await?)?;
    Ok(versioned(
        request,
        asked.version,
        &shown::request(&actor, &asked),
    ))
}

pub(super) async fn approve(
    context: &Context,
    request: &Request,
    asked: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds_only(&actor)?;
    let id: BindingRequestId = path_id(asked, REQUEST)?;
    let approval: Approval = match request.body().is_empty() {
        true => Approval::default(),
        false => web::body(request)?,
    };
    let term = Term::new(approval.from.unwrap_or(context.now), approval.until)?;
    let binding: BindingId = context.new_id()?;
    let decided = tx(&context.db, &actor.tenant, async |tx| {
        let before = know_request(&actor, sql::request(tx, &actor.tenant, &id).await?)?;
        managers_only(&actor, &before.community)?;
        if matches!(before.state, RequestState::Approved { .. }) {
            return Ok(before);
        }
        let after = decide(
            &before,
            RequestState::Approved {
                binding: binding.clone(),
                decision: decision(context, &actor),
            },
        );
        enter(context, tx, &actor, &before).await?;
        let room = Place {
            room: Some(before.room.clone()),
            community: None,
            place: None,
        };
        let room = room.find(tx, &actor).await?;
        let new = Binding {
            id: binding.clone(),
            person: before.person.clone(),
            role: before.role,
            community: room.community,
            home: Some((room.building, room.unit, room.id)),
            term,
            started_by: actor.id.clone(),
            ended_by: None,
            end_reason: None,
            version: 1,
        };
        bind(context, tx, &new, approval.co_owner).await?;
        settle(context, tx, &actor, &after).await?;
        Ok(after)
    })
    .await?;
    Ok(Reply::ok(&shown::request(&actor, &decided)).with_etag(decided.version))
}

pub(super) async fn reject(
    context: &Context,
    request: &Request,
    asked: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds_only(&actor)?;
    let id: BindingRequestId = path_id(asked, REQUEST)?;
    let Rejection { reason } = web::body(request)?;
    let decided = tx(&context.db, &actor.tenant, async |tx| {
        let before = know_request(&actor, sql::request(tx, &actor.tenant, &id).await?)?;
        if matches!(&before.state, RequestState::Rejected { reason: said, .. } if *said == reason) {
            return Ok(before);
        }
        before.check_rejection(&actor)?;
        let after = decide(
            &before,
            RequestState::Rejected {
                reason: reason.clone(),
                decision: decision(context, &actor),
            },
        );
        settle(context, tx, &actor, &after).await?;
        Ok(after)
    })
    .await?;
    Ok(Reply::ok(&shown::request(&actor, &decided)).with_etag(decided.version))
}

fn decision(context: &Context, actor: &Actor) -> Decision {
    Decision {
        by: actor.id.clone(),
        at: context.now,
    }
}

fn decide(before: &BindingRequest, state: RequestState) -> BindingRequest {
    BindingRequest {
        state,
        version: before.version + 1,
        ..before.clone()
    }
}

/// Stores a decision with its fact.
async fn settle(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    decided: &BindingRequest,
) -> anyhow::Result<()> {
    sql::decide_request(tx, decided).await?;
    let (binding, reason) = match &decided.state {
        RequestState::Approved { binding, .. } => (Some(binding.clone()), None),
        RequestState::Rejected { reason, .. } => (None, Some(reason.as_str().to_owned())),
        RequestState::Pending => (None, None),
    };
    let fact = BindingRequestDecided {
        request: decided.id.clone(),
        person: decided.person.clone(),
        community: decided.community.clone(),
        binding,
        reason,
        actor: actor.id.clone(),
    };
    facts::append(context, tx, &fact).await
}

/// Enters the person who asked, unless there is an entry. The number was typed by that person and is told to nobody:
/// only one that the property office or identity vouches for may join accounts.
async fn enter(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    asked: &BindingRequest,
) -> anyhow::Result<()> {
    if let Some(resident) = sql::resident(tx, &actor.tenant, &asked.person).await? {
        return Ok(resident.check_present()?);
    }
    let mut phones = Vec::new();
    if let Some(phone) = &asked.phone
        && sql::person_of_phone(tx, &actor.tenant, phone)
            .await?
            .is_none()
    {
        phones.push(phone.clone());
    }
    let resident = Resident {
        id: asked.person.clone(),
        community: asked.community.clone(),
        name: asked.name.clone(),
        phones,
        company: None,
        notes: None,
        erased_at: None,
        version: 1,
    };
    sql::insert_residents(tx, std::slice::from_ref(&resident)).await?;
    facts::resident_recorded(context, tx, &actor.id, (&resident, None)).await
}
