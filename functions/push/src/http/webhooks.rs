//! `/api/webhooks`: services of the caller's own that are told what the caller is told, signed by Standard Webhooks.

use kernel::{Actor, DeliveryId, SubscriptionId, Timestamp, WebhookId};
use kernel::{Message, Refusal};
use messaging::webhook::WAITS_MS;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::Tx;
use web::{Query, Reply, Request};
use wire::event::PushWebhookChanged;

use super::{answer, caller, form, path_id, private, replied, stored, write};
use crate::context::Context;
use crate::domain::{Channel, DeviceState, label, receivers_only, unknown_webhook};
use crate::facts;
use crate::store::devices::{self as sql, Device};
use crate::store::{deliveries as on_the_way, people, reports};

/// How long the secret before still signs after a rotation, in milliseconds: a day.
const ROTATION_MS: i64 = 86_400_000;
/// The most webhooks of one owner.
const WEBHOOKS_MAX: usize = 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    url: String,
    name: Option<String>,
    /// A webhook that its service disabled is told again.
    #[serde(default)]
    active: Option<bool>,
}

#[derive(Serialize)]
struct Shown {
    id: SubscriptionId,
    url: String,
    name: Option<String>,
    state: &'static str,
    created_at: Timestamp,
    /// Until when the secret before signs, too.
    previous_until: Option<Timestamp>,
    /// Shown when it is made, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook_secret: Option<String>,
}

pub(super) async fn add(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    receivers_only(&actor)?;
    let new: Form = web::body(request)?;
    let endpoint = form::address(context, &new.url)?;
    let name = new.name.as_deref();
    let name = name.map(|name| label("name", name)).transpose()?;
    let made = write(context, request, &actor, async |tx| {
        let known = sql::by_address(tx, Channel::Webhook, endpoint.as_str()).await?;
        let page = web::Page {
            limit: 100,
            after: None,
        };
        let own = sql::of_person(tx, (tx.tenant(), &actor.id), true, &page).await?;
        let active = own.iter().filter(|own| own.state == DeviceState::Active);
        if known.is_some() || active.count() >= WEBHOOKS_MAX {
            return Err(too_many().into());
        }
        people::meet(tx, &actor.id).await?;
        let device = Device {
            id: context.new_id()?,
            person: actor.id.clone(),
            channel: Channel::Webhook,
            address: endpoint.as_str().to_owned(),
            origin: endpoint.origin().to_owned(),
            p256dh: None,
            auth: None,
            alias: name.clone(),
            time_zone: None,
            state: DeviceState::Active,
            secret_number: 1,
            previous_until: None,
            created_at: context.now,
        };
        sql::insert(tx, &device).await?;
        changed(context, tx, &device, ("active", &actor)).await?;
        let secret = secret(context, tx, &device, 1)?;
        answer(201, &shown(device, Some(secret)))
    })
    .await?;
    Ok(private(stored(&made, "/api/webhooks")?))
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    receivers_only(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(SubscriptionId::parse)?;
    query.finish()?;
    let whose = (&actor.tenant, &actor.id);
    let found = sql::of_person(&context.db, whose, true, &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |webhook| webhook.id.to_string(),
        |webhook| shown(webhook, None),
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    webhook: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let found = own(context, &actor, webhook).await?;
    Ok(Reply::ok(&shown(found, None)))
}

pub(super) async fn change(
    context: &Context,
    request: &Request,
    webhook: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let found = own(context, &actor, webhook).await?;
    let new: Form = web::body(request)?;
    let endpoint = form::address(context, &new.url)?;
    let name = new.name.as_deref();
    let name = name.map(|name| label("name", name)).transpose()?;
    let made = write(context, request, &actor, async |tx| {
        let known = sql::device(tx, tx.tenant(), &found.id).await?;
        let known = known.ok_or_else(unknown_webhook)?;
        let at = (endpoint.as_str(), endpoint.origin());
        let other = sql::by_address(tx, Channel::Webhook, at.0).await?;
        if other.is_some_and(|other| other.id != known.id) {
            return Err(too_many().into());
        }
        sql::relocate(tx, &known.id, at, context.now).await?;
        let after = Device {
            alias: name.clone(),
            ..known
        };
        sql::renew(tx, &after, context.now).await?;
        let state = match new.active {
            Some(true) => {
                sql::start(tx, &after.id, context.now).await?;
                "active"
            }
            Some(false) => {
                end(context, tx, &after).await?;
                "disabled"
            }
            None => after.state.as_str(),
        };
        changed(context, tx, &after, (state, &actor)).await?;
        let after = sql::device(tx, tx.tenant(), &after.id).await?;
        answer(200, &shown(after.ok_or_else(unknown_webhook)?, None))
    })
    .await?;
    replied(&made)
}

pub(super) async fn remove(
    context: &Context,
    request: &Request,
    webhook: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let found = own(context, &actor, webhook).await?;
    write(context, request, &actor, async |tx| {
        end(context, tx, &found).await?;
        changed(context, tx, &found, ("removed", &actor)).await?;
        answer(204, &())
    })
    .await?;
    Ok(Reply::no_content())
}

/// Another secret signs from now on; the one before does, too, for a day.
pub(super) async fn rotate(
    context: &Context,
    request: &Request,
    webhook: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let found = own(context, &actor, webhook).await?;
    let made = write(context, request, &actor, async |tx| {
        let until = context.now.plus_millis(ROTATION_MS);
        sql::rotate(tx, &found.id, (until, context.now)).await?;
        let after = sql::device(tx, tx.tenant(), &found.id).await?;
        let after = after.ok_or_else(unknown_webhook)?;
        changed(context, tx, &after, (after.state.as_str(), &actor)).await?;
        let secret = secret(context, tx, &after, after.secret_number)?;
        answer(200, &shown(after, Some(secret)))
    })
    .await?;
    Ok(private(replied(&made)?))
}

pub(super) async fn deliveries(
    context: &Context,
    request: &Request,
    webhook: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let found = own(context, &actor, webhook).await?;
    let mut query = Query::of(request)?;
    let page = query.page(DeliveryId::parse)?;
    query.finish()?;
    let whose = (&actor.tenant, &actor.id);
    let records = reports::of_device(&context.db, whose, found.id.as_str(), &page).await?;
    Ok(Reply::ok(&page.listing(
        records,
        |record| record.id.to_string(),
        |record| record,
    )))
}

/// What was sent to a webhook is sent once more, under the same id.
pub(super) async fn replay(
    context: &Context,
    request: &Request,
    (webhook, delivery): (&str, &str),
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let found = own(context, &actor, webhook).await?;
    let id: DeliveryId = path_id(delivery, unknown_webhook)?;
    let made = write(context, request, &actor, async |tx| {
        if !on_the_way::is_to(tx, &id, found.id.as_str()).await? {
            return Err(unknown_webhook().into());
        }
        let ends = context.now.plus_millis(WAITS_MS.iter().sum::<i64>() * 2);
        let again = on_the_way::replay(tx, &id, (context.now, ends)).await?;
        answer(202, &json!({"replayed": again}))
    })
    .await?;
    replied(&made)
}

/// The caller's own webhook of that id.
async fn own(context: &Context, actor: &Actor, webhook: &str) -> anyhow::Result<Device> {
    let id: SubscriptionId = path_id(webhook, unknown_webhook)?;
    let found = sql::device(&context.db, &actor.tenant, &id).await?;
    let own = found
        .filter(|found| found.person == actor.id && found.channel == Channel::Webhook)
        .filter(|_| receivers_only(actor).is_ok());
    own.ok_or_else(|| unknown_webhook().into())
}

async fn end(context: &Context, tx: &Tx, device: &Device) -> anyhow::Result<()> {
    let ended = (DeviceState::Removed, context.now);
    if sql::end(tx, &device.id, ended).await?.is_some() {
        on_the_way::drop_device(tx, &device.id).await?;
    }
    Ok(())
}

async fn changed(
    context: &Context,
    tx: &Tx,
    device: &Device,
    (state, actor): (&str, &Actor),
) -> anyhow::Result<()> {
    let fact = PushWebhookChanged {
        webhook: WebhookId::parse(device.id.as_str())?,
        owner: device.person.clone(),
        state: state.to_owned(),
        actor: Some(actor.id.clone()),
    };
    facts::append(context, tx, &fact).await
}

fn secret(context: &Context, tx: &Tx, device: &Device, number: i64) -> anyhow::Result<String> {
    let keys = &context.keys;
    let secret = keys.webhook_secret(tx.tenant(), device.id.as_str(), number)?;
    Ok(secret.reveal())
}

fn shown(device: Device, webhook_secret: Option<String>) -> Shown {
    Shown {
        id: device.id,
        url: device.address,
        name: device.alias,
        state: match device.state {
            DeviceState::Active => "active",
            DeviceState::Removed | DeviceState::Gone => "disabled",
        },
        created_at: device.created_at,
        previous_until: device.previous_until,
        webhook_secret,
    }
}

fn too_many() -> Refusal {
    Refusal::conflict(
        "webhook_taken",
        Message::new(
            format!(
                "This address is a webhook already, or you have {WEBHOOKS_MAX} of them. Change one instead."
            ),
            format!("该地址已注册 Webhook，或您已有 {WEBHOOKS_MAX} 个，请修改现有的。"),
        ),
    )
}
