//! `/api/gateways/{gateway}/snapshot` and `/audit`: what a gateway decides with, and what it decided.

use ::http::HeaderName;
use kernel::{Actor, ActorKind, DeviceId, Message, Refusal};
use web::{Query, Reply, Request};

use super::{caller, path_id};
use crate::context::Context;
use crate::domain::oversees;
use crate::{snapshot, store as sql};

/// The most lines of one export.
pub const LINES_MAX: i64 = 1_000;
/// How many lines an export has unless it says otherwise.
const LINES_DEFAULT: i64 = 500;

pub(super) async fn snapshot(
    context: &Context,
    request: &Request,
    gateway: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id: DeviceId = path_id(gateway, unknown_gateway)?;
    own_gateway(&actor, &id)?;
    let kept = snapshot::current(context, &actor.tenant, &id).await?;
    let kept = kept.ok_or_else(unknown_gateway)?;
    if web::is_fresh(request, kept.version) {
        return Ok(Reply::not_modified(kept.version));
    }
    let body = kept.body.into_bytes().into();
    let reply = Reply::with_body(
        ::http::StatusCode::OK,
        "application/vnd.linli.snapshot",
        body,
    );
    Ok(reply
        .with_etag(kept.version)
        .with_header(HeaderName::from_static("linli-sha256"), &kept.sha256))
}

pub(super) async fn audit(
    context: &Context,
    request: &Request,
    gateway: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id: DeviceId = path_id(gateway, unknown_gateway)?;
    let mut query = Query::of(request)?;
    let limit = query.take("limit", |text| match text.parse() {
        Ok(limit) if (1..=LINES_MAX).contains(&limit) => Ok(limit),
        _ => Err(format!("it is a number from 1 to {LINES_MAX}")),
    })?;
    let after = query.take("after", |text| match text.parse() {
        Ok(after) if after >= 0 => Ok(after),
        _ => Err("it is the sequence of an entry".to_owned()),
    })?;
    query.finish()?;
    overseer_of(context, &actor, &id).await?;
    let span = (after.unwrap_or(0), limit.unwrap_or(LINES_DEFAULT));
    let entries = sql::audit::entries(&context.db, &actor.tenant, &id, span).await?;
    let mut body = String::new();
    for entry in entries {
        body.push_str(&serde_json::to_string(&entry)?);
        body.push('\n');
    }
    Ok(Reply::with_body(
        ::http::StatusCode::OK,
        "application/x-ndjson",
        body.into(),
    ))
}

/// Lets only the gateway itself pass.
fn own_gateway(actor: &Actor, gateway: &DeviceId) -> Result<(), Refusal> {
    if actor.kind != ActorKind::Device {
        return Err(gateways_only());
    }
    if actor.id.as_str() == gateway.as_str() {
        return Ok(());
    }
    Err(unknown_gateway())
}

/// Lets only those pass who run or audit a community in which the gateway has doors.
async fn overseer_of(context: &Context, actor: &Actor, id: &DeviceId) -> anyhow::Result<()> {
    let communities = sql::gateways::communities(&context.db, &actor.tenant, id).await?;
    let reached = communities.iter().any(|community| actor.reaches(community));
    if !reached {
        return Err(unknown_gateway().into());
    }
    if communities
        .iter()
        .any(|community| oversees(actor, community))
    {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "overseers_only",
        Message::new(
            "Only operators, auditors and the community's staff read this.",
            "只有平台运营、审计和本小区员工可以查看。",
        ),
    )
    .into())
}

/// Only a gateway does this, with its own token.
pub(super) fn gateways_only() -> Refusal {
    Refusal::forbidden(
        "gateways_only",
        Message::new(
            "Only the gateway itself does this, with its device token.",
            "只有网关设备本身可以进行此操作。",
        ),
    )
}

/// No such gateway, or none that the caller may know.
pub(super) fn unknown_gateway() -> Refusal {
    Refusal::not_found(
        "gateway_unknown",
        Message::new(
            "There is no such gateway that you can see.",
            "没有您可见的这个网关。",
        ),
    )
}
