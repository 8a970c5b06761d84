//! `/api/push/devices`: browsers, apps, topics and registrations at services on which the caller is reached.

use kernel::{Actor, Message, Refusal, SubscriptionId, Timestamp};
use messaging::ntfy;
use messaging::webpush::Subscription;
use serde::{Deserialize, Serialize};
use store::{Answer, Tx};
use web::{Query, Reply, Request};
use wire::event::PushDeviceChanged;

use super::{answer, caller, form, path_id, stored, write};
use crate::context::Context;
use crate::domain::{
    Channel, DeviceState, label, people_only, tags, unknown_device, unknown_topic, zone,
};
use crate::facts;
use crate::store::devices::{self as sql, Device};
use crate::store::{deliveries as on_the_way, notes, people, reports};

/// The most devices on which one person is reached.
const DEVICES_MAX: i64 = 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewDevice {
    channel: Channel,
    /// The address of a push service.
    endpoint: Option<String>,
    keys: Option<Keys>,
    /// A topic of the caller's own.
    topic: Option<String>,
    /// The registration at JPush.
    registration: Option<String>,
    alias: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    time_zone: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    p256dh: String,
    auth: String,
}

#[derive(Serialize)]
struct Shown {
    id: SubscriptionId,
    channel: &'static str,
    address: String,
    alias: Option<String>,
    time_zone: Option<String>,
    state: &'static str,
    created_at: Timestamp,
}

/// What devices need to know of this deployment before they register.
pub(super) async fn keys(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    caller(context, request)?;
    let sender = context.keys.sender();
    Ok(Reply::ok(&serde_json::json!({
        "web_push": sender.map(|sender| sender.public_key()),
        "jpush": context.jpush.is_some(),
        "ntfy": format!("{}/n", context.public_url),
    })))
}

pub(super) async fn register(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    people_only(&actor)?;
    let new: NewDevice = web::body(request)?;
    let made = write(context, request, &actor, async |tx| {
        add(context, tx, &actor, &new).await
    })
    .await?;
    stored(&made, "/api/push/devices")
}

async fn add(context: &Context, tx: &Tx, actor: &Actor, new: &NewDevice) -> anyhow::Result<Answer> {
    let device = device_of(context, tx, actor, new).await?;
    let tags = tags(&new.tags)?;
    people::meet(tx, &actor.id).await?;
    let known = sql::by_address(tx, device.channel, &device.address).await?;
    let (device, status) = match known {
        // The same browser again: with other keys, perhaps.
        Some(known) if known.person == actor.id => {
            let renewed = Device {
                id: known.id,
                created_at: known.created_at,
                ..device
            };
            sql::renew(tx, &renewed, context.now).await?;
            (renewed, 200)
        }
        other => {
            if let Some(other) = other {
                // Another person signed in on it: it does not show the messages of the one before.
                end(context, tx, &other, DeviceState::Removed).await?;
            }
            if sql::count(tx, &actor.id).await? >= DEVICES_MAX {
                return Err(too_many().into());
            }
            sql::insert(tx, &device).await?;
            changed(context, tx, &device, DeviceState::Active).await?;
            (device, 201)
        }
    };
    people::set_tags(tx, (&actor.id, device.id.as_str()), &tags).await?;
    answer(status, &shown(device))
}

/// A device as it was asked for, if it can be reached.
async fn device_of(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    new: &NewDevice,
) -> anyhow::Result<Device> {
    let (address, origin) = match new.channel {
        Channel::WebPush | Channel::UnifiedPush => endpoint(context, new)?,
        Channel::Ntfy => {
            let named = new.topic.as_deref().ok_or_else(|| missing("topic"))?;
            let topic = ntfy::Topic::parse(named).map_err(|_| unknown_topic())?;
            let own = notes::topic(tx, tx.tenant(), topic.as_str()).await?;
            own.filter(|own| own.owner == actor.id)
                .ok_or_else(unknown_topic)?;
            (topic.as_str().to_owned(), String::new())
        }
        Channel::Jpush => {
            let account = context.jpush.as_ref().ok_or_else(not_set_up)?;
            let id = new.registration.as_deref();
            let id = label("registration", id.ok_or_else(|| missing("registration"))?)?;
            (id, account.origin().to_owned())
        }
        Channel::Inbox | Channel::Webhook => return Err(elsewhere().into()),
    };
    Ok(Device {
        id: context.new_id()?,
        person: actor.id.clone(),
        channel: new.channel,
        address,
        origin,
        p256dh: new.keys.as_ref().map(|keys| keys.p256dh.clone()),
        auth: new.keys.as_ref().map(|keys| keys.auth.clone()),
        alias: new
            .alias
            .as_deref()
            .map(|alias| label("alias", alias))
            .transpose()?,
        time_zone: new
            .time_zone
            .as_deref()
            .map(|name| zone(name).map(|zone| zone.as_str().to_owned()))
            .transpose()?,
        state: DeviceState::Active,
        secret_number: 0,
        previous_until: None,
        created_at: context.now,
    })
}

fn endpoint(context: &Context, new: &NewDevice) -> anyhow::Result<(String, String)> {
    if context.keys.sender().is_none() {
        return Err(not_set_up().into());
    }
    let text = new.endpoint.as_deref().ok_or_else(|| missing("endpoint"))?;
    let keys = new.keys.as_ref().ok_or_else(|| missing("keys"))?;
    let found = form::service(context, text)?;
    Subscription::parse(text, &keys.p256dh, &keys.auth, context.reach)?;
    Ok((found.as_str().to_owned(), found.origin().to_owned()))
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    people_only(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(SubscriptionId::parse)?;
    query.finish()?;
    let whose = (&actor.tenant, &actor.id);
    let found = sql::of_person(&context.db, whose, false, &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |device| device.id.to_string(),
        shown,
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    device: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    Ok(Reply::ok(&shown(own(context, &actor, device).await?)))
}

pub(super) async fn remove(
    context: &Context,
    request: &Request,
    device: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    own(context, &actor, device).await?;
    let id: SubscriptionId = path_id(device, unknown_device)?;
    write(context, request, &actor, async |tx| {
        let found = sql::device(tx, tx.tenant(), &id).await?;
        let found = found.ok_or_else(unknown_device)?;
        end(context, tx, &found, DeviceState::Removed).await?;
        answer(204, &())
    })
    .await?;
    Ok(Reply::no_content())
}

pub(super) async fn deliveries(
    context: &Context,
    request: &Request,
    device: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let device = own(context, &actor, device).await?;
    let mut query = Query::of(request)?;
    let page = query.page(kernel::DeliveryId::parse)?;
    query.finish()?;
    let whose = (&actor.tenant, &actor.id);
    let found = reports::of_device(&context.db, whose, device.id.as_str(), &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |record| record.id.to_string(),
        |record| record,
    )))
}

/// The caller's own device of that id.
async fn own(context: &Context, actor: &Actor, device: &str) -> anyhow::Result<Device> {
    let id: SubscriptionId = path_id(device, unknown_device)?;
    let found = sql::device(&context.db, &actor.tenant, &id).await?;
    let own = found
        .filter(|found| found.person == actor.id && found.channel != Channel::Webhook)
        .filter(|_| people_only(actor).is_ok());
    own.ok_or_else(|| unknown_device().into())
}

/// A device is no more: what waits for it goes nowhere.
async fn end(
    context: &Context,
    tx: &Tx,
    device: &Device,
    state: DeviceState,
) -> anyhow::Result<()> {
    let ended = sql::end(tx, &device.id, (state, context.now)).await?;
    if ended.is_none() {
        return Ok(());
    }
    on_the_way::drop_device(tx, &device.id).await?;
    people::set_tags(tx, (&device.person, device.id.as_str()), &[]).await?;
    changed(context, tx, device, state).await
}

async fn changed(
    context: &Context,
    tx: &Tx,
    device: &Device,
    state: DeviceState,
) -> anyhow::Result<()> {
    let fact = PushDeviceChanged {
        device: device.id.clone(),
        person: device.person.clone(),
        channel: device.channel.as_str().to_owned(),
        state: state.as_str().to_owned(),
    };
    facts::append(context, tx, &fact).await
}

fn shown(device: Device) -> Shown {
    Shown {
        id: device.id,
        channel: device.channel.as_str(),
        address: device.address,
        alias: device.alias,
        time_zone: device.time_zone,
        state: device.state.as_str(),
        created_at: device.created_at,
    }
}

fn missing(field: &str) -> Refusal {
    Refusal::invalid(
        "device_incomplete",
        Message::new(
            format!("A device of this channel needs the field {field}."),
            format!("该渠道的设备需要填写 {field}。"),
        ),
    )
}

fn too_many() -> Refusal {
    Refusal::conflict(
        "devices_too_many",
        Message::new(
            format!("You are reached on {DEVICES_MAX} devices already. Remove one first."),
            format!("您已注册 {DEVICES_MAX} 台设备，请先移除一台。"),
        ),
    )
}

fn not_set_up() -> Refusal {
    Refusal::conflict(
        "channel_not_set_up",
        Message::new(
            "This platform has not set up that channel. Choose another one.",
            "平台尚未开通该渠道，请选择其他渠道。",
        ),
    )
}

fn elsewhere() -> Refusal {
    Refusal::invalid(
        "channel_needs_no_device",
        Message::new(
            "The inbox needs no device, and webhooks are registered under /api/webhooks.",
            "收件箱无需注册设备，Webhook 请在 /api/webhooks 注册。",
        ),
    )
}
