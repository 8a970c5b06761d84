//! `/api/doors/{door}/grants` and `/api/grants`: who may open a door.

use ::http::StatusCode;
use kernel::{Actor, ActorId, CommunityId, DeviceId, GrantId, Message, Refusal, Timestamp};
use serde::{Deserialize, Serialize};
use store::tx;
use web::{Problem, Query, Reply, Request};

use super::doors::Text;
use super::{answer, caller, path_id, stored, write};
use crate::context::Context;
use crate::domain::{
    self, Grant, GrantState, Offer, Reason, Validity, know, known_grant, unknown_door,
    unknown_grant, whose,
};
use crate::{facts, store as sql};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewGrant {
    person: ActorId,
    valid_from: Option<Timestamp>,
    valid_until: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Suspension {
    reason: Text<Reason>,
}

#[derive(Serialize)]
struct ShownGrant {
    id: GrantId,
    door: DeviceId,
    community: CommunityId,
    person: ActorId,
    valid_from: Timestamp,
    valid_until: Option<Timestamp>,
    state: &'static str,
    /// Of a suspension.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Who suspended or revoked it.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<ActorId>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Timestamp>,
    version: i64,
}

pub(super) async fn grant(
    context: &Context,
    request: &Request,
    door: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let door_id = path_id(door, unknown_door)?;
    let new: NewGrant = web::body(request)?;
    let validity = Validity::new(new.valid_from.unwrap_or(context.now), new.valid_until)
        .map_err(|_| wrong_end())?;
    let offer = Offer {
        id: context.new_id()?,
        person: new.person,
        validity,
    };
    let granted = write(context, request, &actor, async |tx| {
        let door = know(&actor, sql::door(tx, &actor.tenant, &door_id).await?)?;
        let held = sql::held_grant(tx, &door_id, &offer.person).await?;
        let grant = domain::grant(&actor, &door, offer.clone(), held.as_ref())?;
        sql::insert_grant(tx, &grant).await?;
        sql::gateways::mark(tx, &door.gateway).await?;
        facts::granted(context, tx, &actor, &grant).await?;
        answer(201, &ShownGrant::from(grant))
    })
    .await?;
    stored(&granted, "/api/grants")
}

pub(super) async fn list(
    context: &Context,
    request: &Request,
    door: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(door, unknown_door)?;
    let mut query = Query::of(request)?;
    let page = query.page(GrantId::parse)?;
    let asked = query.take("person", ActorId::parse)?;
    query.finish()?;
    let door = know(&actor, sql::door(&context.db, &actor.tenant, &id).await?)?;
    let person = whose(&actor, &door, asked)?;
    let grants = sql::grants(&context.db, &actor.tenant, &door.id, person.as_ref(), &page).await?;
    Ok(Reply::ok(&page.listing(
        grants,
        |grant| grant.id.to_string(),
        ShownGrant::from,
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    grant: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(grant, unknown_grant)?;
    let grant = known_grant(&actor, sql::grant(&context.db, &actor.tenant, &id).await?)?;
    if web::is_fresh(request, grant.version) {
        return Ok(Reply::not_modified(grant.version));
    }
    Ok(shown(grant))
}

pub(super) async fn suspend(
    context: &Context,
    request: &Request,
    grant: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let Suspension { reason } = web::body(request)?;
    let suspended = change(context, request, &actor, grant, |grant| {
        domain::suspend(&actor, grant, reason.0.clone(), context.now)
    });
    suspended.await.map(shown)
}

pub(super) async fn resume(
    context: &Context,
    request: &Request,
    grant: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    change(context, request, &actor, grant, |grant| {
        domain::resume(&actor, grant)
    })
    .await
    .map(shown)
}

pub(super) async fn revoke(
    context: &Context,
    request: &Request,
    grant: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    change(context, request, &actor, grant, |grant| {
        domain::revoke(&actor, grant, context.now)
    })
    .await?;
    Ok(Reply::no_content())
}

/// Loads the grant, decides, stores what changed; the grant as it is afterwards.
async fn change(
    context: &Context,
    request: &Request,
    actor: &Actor,
    grant: &str,
    decide: impl Fn(&Grant) -> Result<Option<Grant>, Refusal>,
) -> anyhow::Result<Grant> {
    let id = path_id(grant, unknown_grant)?;
    let expected = web::if_match(request);
    tx(&context.db, &actor.tenant, async |tx| {
        let before = known_grant(actor, sql::grant(tx, &actor.tenant, &id).await?)?;
        let Some(after) = decide(&before)? else {
            return Ok(before);
        };
        if let Some(expected) = &expected {
            expected.check(before.version)?;
        }
        sql::update_grant(tx, &after).await?;
        sql::gateways::mark_door(tx, &after.door).await?;
        facts::grant_changed(context, tx, actor, &after).await?;
        Ok(after)
    })
    .await
}

fn shown(grant: Grant) -> Reply {
    let version = grant.version;
    Reply::ok(&ShownGrant::from(grant)).with_etag(version)
}

pub(super) fn wrong_end() -> Problem {
    let message = Message::new(
        "A grant must end after it starts.",
        "授权的结束时间必须晚于开始时间。",
    );
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "validity_invalid",
        message,
    )
    .at_field("valid_until")
}

impl From<Grant> for ShownGrant {
    fn from(grant: Grant) -> Self {
        let (state, reason, by, at) = match grant.state {
            GrantState::Active => ("active", None, None, None),
            GrantState::Suspended { reason, by, at } => (
                "suspended",
                Some(reason.as_str().to_owned()),
                Some(by),
                Some(at),
            ),
            GrantState::Revoked { by, at } => ("revoked", None, Some(by), Some(at)),
        };
        Self {
            id: grant.id,
            door: grant.door,
            community: grant.community,
            person: grant.person,
            valid_from: grant.validity.from(),
            valid_until: grant.validity.until(),
            state,
            reason,
            by,
            at,
            version: grant.version,
        }
    }
}
