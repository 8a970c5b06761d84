//! `/api/inbox`: the caller's messages (我的消息), and what of them was read.

use kernel::{Actor, DeliveryId, Timestamp};
use messaging::timing::Purpose;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::tx;
use web::{Language, Query, Reply, Request};

use super::{caller, path_id, private};
use crate::context::Context;
use crate::domain::{Tongue, body, people_only, purpose_name, title, unknown_message};
use crate::store::{inbox as sql, people};

#[derive(Serialize)]
struct Shown {
    id: DeliveryId,
    message: String,
    purpose: &'static str,
    sender: String,
    title: String,
    body: String,
    url: Option<String>,
    at: Timestamp,
    read_at: Option<Timestamp>,
    /// What stops advertising with one tap, for advertising.
    #[serde(skip_serializing_if = "Option::is_none")]
    stop: Option<String>,
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    people_only(&actor)?;
    catch_up(context, &actor).await?;
    let mut query = Query::of(request)?;
    let page = query.page(DeliveryId::parse)?;
    let unread = query
        .take("unread", str::parse::<bool>)?
        .unwrap_or_default();
    query.finish()?;
    let whose = (&actor.tenant, &actor.id);
    let found = sql::messages(&context.db, whose, unread, &page).await?;
    let mut shown = Vec::with_capacity(found.len());
    for item in found {
        shown.push(show_item(context, request, &actor, item)?);
    }
    let listing = page.listing(shown, |item| item.id.to_string(), |item| item);
    Ok(private(Reply::ok(&listing)))
}

pub(super) async fn unread(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    people_only(&actor)?;
    catch_up(context, &actor).await?;
    let unread = sql::unread(&context.db, &actor.tenant, &actor.id).await?;
    Ok(private(Reply::ok(&json!({"unread": unread}))))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    item: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    people_only(&actor).map_err(|_| unknown_message())?;
    let id: DeliveryId = path_id(item, unknown_message)?;
    let whose = (&actor.tenant, &actor.id);
    let found = sql::message(&context.db, whose, &id).await?;
    let item = found.ok_or_else(unknown_message)?;
    let shown = show_item(context, request, &actor, item)?;
    Ok(private(Reply::ok(&shown)))
}

pub(super) async fn read(
    context: &Context,
    request: &Request,
    item: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    people_only(&actor).map_err(|_| unknown_message())?;
    let id: DeliveryId = path_id(item, unknown_message)?;
    tx(&context.db, &actor.tenant, async |tx| {
        if !sql::read(tx, &actor.id, &id, context.now).await? {
            return Err(unknown_message().into());
        }
        people::seen(tx, &actor.id, context.now).await
    })
    .await?;
    Ok(Reply::no_content())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpTo {
    up_to: DeliveryId,
}

pub(super) async fn read_all(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    people_only(&actor)?;
    let read: UpTo = web::body(request)?;
    tx(&context.db, &actor.tenant, async |tx| {
        sql::read_all(tx, &actor.id, &read.up_to, context.now).await?;
        people::seen(tx, &actor.id, context.now).await
    })
    .await?;
    let unread = sql::unread(&context.db, &actor.tenant, &actor.id).await?;
    Ok(private(Reply::ok(&json!({"unread": unread}))))
}

/// What was recorded right before is in the list.
async fn catch_up(context: &Context, actor: &Actor) -> anyhow::Result<()> {
    if crate::inbox::catch_up(context, &actor.tenant).await? {
        crate::cron::expand(context, &mut crate::cron::Done::default()).await?;
    }
    Ok(())
}

fn show_item(
    context: &Context,
    request: &Request,
    actor: &Actor,
    item: sql::Item,
) -> anyhow::Result<Shown> {
    let tongue = match web::language(request) {
        Language::Chinese => Tongue::Chinese,
        Language::English => Tongue::English,
    };
    let is_advertising = item.content.purpose == Purpose::Marketing;
    let stop = is_advertising
        .then(|| context.keys.stop_token(&actor.tenant, &actor.id))
        .transpose()?
        .map(|token| format!("{}/api/unsubscriptions/{token}", context.public_url));
    Ok(Shown {
        id: item.id,
        message: item.message,
        purpose: purpose_name(item.content.purpose),
        title: title(&item.content, tongue),
        body: body(&item.content, tongue).to_owned(),
        sender: item.content.sender,
        url: item.content.url,
        at: item.at,
        read_at: item.read_at,
        stop,
    })
}
