//! `/api/passes`: the code that a person shows at a door, and a reader's question about one.

use access::{Reason as Why, Shown};
use kernel::{Actor, ActorId, ActorKind, CommunityId, DeviceId, PassId, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Tx, tx};
use web::{Reply, Request};
use wire::pass::{
    self, Holder, PassClaims, PassKey, RESIDENT_PASS_MS_MAX, TARGETS_MAX, Target, personal_pass,
    short_handle, short_key, short_number, step_of, step_start,
};

use super::gateways::gateways_only;
use super::recognising::{Recognised, Seen, recognise};
use super::{caller, path_id};
use crate::context::Context;
use crate::domain::{
    Door, Known, is_people, know, manages, refusal_of, unknown_community, unknown_door,
};
use crate::store as sql;
use crate::store::log::Access;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPass {
    community: CommunityId,
    door: Option<DeviceId>,
}

#[derive(Serialize)]
struct ShownPass {
    pass: PassId,
    community: CommunityId,
    text: String,
    step: u64,
    not_before: Timestamp,
    expires_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<String>,
}

#[derive(Serialize)]
struct Keys {
    keys: Vec<PassKey>,
}

#[derive(Serialize)]
struct Checked {
    allowed: bool,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<ActorId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pass: Option<PassId>,
    unlock_ms: u32,
}

/// The caller's code of this half minute: asking again within it gives the same text, which is not stored.
pub(super) async fn issue(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let NewPass { community, door } = web::body(request)?;
    if !is_people(actor.kind) {
        return Err(refusal_of(Why::KindMayNotOpen).into());
    }
    if !actor.reaches(&community) {
        return Err(unknown_community().into());
    }
    let targets = targets_of(context, &actor, &community).await?;
    let step = step_of(context.now);
    let not_before = step_start(step);
    let own = personal_pass(&actor.tenant, &actor.id);
    let own = own.ok_or_else(|| anyhow::anyhow!("a person without a pass"))?;
    let claims = PassClaims {
        pass: own.clone(),
        tenant: actor.tenant.clone(),
        community: community.clone(),
        holder: if manages(&actor, &community) {
            Holder::Staff
        } else {
            Holder::Resident
        },
        person: Some(actor.id.clone()),
        targets,
        not_before,
        expires_at: not_before.plus_millis(RESIDENT_PASS_MS_MAX),
        uses_max: 1,
        step,
    };
    let number = match door {
        None => None,
        Some(door) => number_at(context, &actor, &door, (&own, step)).await?,
    };
    Ok(Reply::ok(&ShownPass {
        text: pass::sign(&claims, &context.pass_seed)?,
        pass: own,
        community,
        step,
        not_before,
        expires_at: claims.expires_at,
        number,
    }))
}

/// What passes are verified with: for gates, and for anybody who has to check one.
pub(super) async fn keys(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    caller(context, request)?;
    Ok(Reply::ok(&Keys {
        keys: context.pass_keys(),
    }))
}

/// Decides for a reader that cannot by itself, and counts the use.
pub(super) async fn check(
    context: &Context,
    request: &Request,
    door: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let door: DeviceId = path_id(door, unknown_door)?;
    if actor.kind != ActorKind::Device {
        return Err(gateways_only().into());
    }
    let seen: Seen = web::body(request)?;
    let checked = tx(&context.db, &actor.tenant, async |tx| {
        let place = sql::decide::place(tx, &actor.tenant, &door, context.now).await?;
        let (door, _) = place.ok_or_else(unknown_door)?;
        if door.gateway.as_str() != actor.id.as_str() {
            return Err(unknown_door().into());
        }
        decide(context, tx, &door, &seen).await
    })
    .await?;
    Ok(Reply::ok(&checked))
}

async fn decide(context: &Context, tx: &Tx, door: &Door, seen: &Seen) -> anyhow::Result<Checked> {
    let recognised = recognise(context, tx, door, seen).await?;
    let known = sql::decide::known(tx, &door.id, recognised.person.as_ref(), context.now).await?;
    let mut known = known.ok_or_else(unknown_door)?;
    known.place.online = true;
    if let Some((pass, step)) = &recognised.pass {
        known.history.uses = sql::decide::uses(tx, pass, *step, &door.id).await?;
    }
    let decision = match &recognised.shown {
        _ if known.place.released => known.decide(&Shown::Person, context.now),
        Err(reason) => access::Decision::refused(*reason),
        Ok(shown) => known.decide(shown, context.now),
    };
    keep(context, tx, (&known, &recognised), decision).await?;
    Ok(Checked {
        allowed: decision.allowed,
        reason: decision.reason.code(),
        person: recognised.person,
        pass: recognised.pass.map(|(pass, _)| pass),
        unlock_ms: door.unlock.millis(),
    })
}

/// Logs the decision, counts the use, and says so to others.
async fn keep(
    context: &Context,
    tx: &Tx,
    (known, recognised): (&Known, &Recognised),
    decision: access::Decision,
) -> anyhow::Result<()> {
    let access = Access {
        id: context.new_id()?,
        community: known.door.community.clone(),
        door: known.door.id.clone(),
        person: recognised.person.clone(),
        pass: recognised.pass.as_ref().map(|(pass, _)| pass.clone()),
        credential: recognised.credential.as_str().to_owned(),
        allowed: decision.allowed,
        reason: decision.reason.code().to_owned(),
        passback: decision.passback,
        direction: known.door.direction,
        offline: false,
        opening: None,
        decided_at: context.now,
    };
    crate::went::keep(context, tx, &access, recognised.pass.as_ref()).await
}

/// What the caller belongs to in the community.
async fn targets_of(
    context: &Context,
    actor: &Actor,
    community: &CommunityId,
) -> anyhow::Result<Vec<Target>> {
    let key = (community, &actor.id);
    let suspended = sql::people::suspension(&context.db, &actor.tenant, key).await?;
    if suspended.is_some() {
        return Err(refusal_of(Why::PersonSuspended).into());
    }
    let belongs = sql::decide::belongs(&context.db, &actor.tenant, &actor.id, community).await?;
    let now = belongs.into_iter().filter(|belongs| {
        belongs
            .window
            .is_none_or(|window| window.holds(context.now))
    });
    let mut targets: Vec<Target> = now.map(|belongs| belongs.target).collect();
    if manages(actor, community) {
        targets.push(Target::Community);
    }
    targets.sort();
    targets.dedup();
    targets.truncate(TARGETS_MAX);
    let has_grant = sql::decide::holds_grant(&context.db, &actor.tenant, &actor.id);
    if targets.is_empty() && !has_grant.await? {
        return Err(refusal_of(Why::NoGrant).into());
    }
    Ok(targets)
}

/// The number for the door's reader. Whoever has asked for one is remembered, to be found by it.
async fn number_at(
    context: &Context,
    actor: &Actor,
    door: &DeviceId,
    (pass, step): (&PassId, u64),
) -> anyhow::Result<Option<String>> {
    let door = know(actor, sql::door(&context.db, &actor.tenant, door).await?)?;
    let key = short_key(&context.pass_seed, &actor.tenant, door.gateway.as_str());
    let Some(number) = key.and_then(|key| short_number(&key, pass, step)) else {
        return Ok(None);
    };
    let handle = i64::try_from(short_handle(pass))?;
    if !sql::short::is_known(&context.db, &actor.tenant, handle, &actor.id).await? {
        tx(&context.db, &actor.tenant, async |tx| {
            sql::short::remember(tx, handle, &actor.id).await
        })
        .await?;
    }
    Ok(Some(number.to_string()))
}
