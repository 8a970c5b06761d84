//! `/api/push/messages`: telling people, and what became of it.

use std::cell::RefCell;
use std::collections::BTreeSet;

use kernel::{Actor, ActorId, Message, PushMessageId, Refusal, Timestamp};
use messaging::audience::Audience;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::Tx;
use web::{Query, Reply, Request};
use wire::event::PushMessageCancelled;

use super::{answer, caller, id_of, path_id, quota, replied, stored, write, write_once};
use crate::context::Context;
use crate::domain::{
    Source, body, purpose_name, readers_only, sees_all, tellers_only, tells, title,
    unknown_message, unknown_person,
};
use crate::store::messages::{self as sql, PushMessage, Whom};
use crate::store::reports::{self, Part};
use crate::store::{deliveries, keeping};
use crate::telling::{self, New, Options, Written};
use crate::{delivering, facts, inbox, selling};

/// The most people that are named.
pub const PEOPLE_MAX: usize = 1_000;
/// How far ahead a message is scheduled at most, in milliseconds: 90 days.
const AHEAD_MS_MAX: i64 = 90 * 86_400_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewMessage {
    audience: Option<Value>,
    people: Option<Vec<ActorId>>,
    notification: Written,
    #[serde(default)]
    options: NewOptions,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct NewOptions {
    #[serde(default)]
    channels: Vec<String>,
    urgency: Option<String>,
    collapse_key: Option<String>,
    ttl_seconds: Option<u32>,
    send_at: Option<Timestamp>,
    per_minute: Option<i64>,
}

#[derive(Serialize)]
struct Shown {
    id: PushMessageId,
    state: &'static str,
    purpose: &'static str,
    source: &'static str,
    reference: String,
    sender: String,
    title: Value,
    body: Value,
    url: Option<String>,
    channels: Vec<&'static str>,
    urgency: &'static str,
    collapse_key: Option<String>,
    audience: Option<Value>,
    people: Option<Vec<ActorId>>,
    due_at: Timestamp,
    expires_at: Timestamp,
    meant: i64,
    created_by: ActorId,
    created_at: Timestamp,
    finished_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    funnel: Option<Funnel>,
}

#[derive(Serialize)]
struct Funnel {
    deliveries: i64,
    sent: i64,
    delivered: i64,
    displayed: i64,
    clicked: i64,
    converted: i64,
    parts: Vec<Part>,
}

pub(super) async fn send(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    tellers_only(&actor)?;
    let new: NewMessage = web::body(request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let due_at = due_at(new.options.send_at, context.now)?;
    let whom = whom(&new)?;
    let options = Options {
        channels: new.options.channels,
        urgency: new.options.urgency,
        collapse_key: new.options.collapse_key,
        ttl_seconds: new.options.ttl_seconds,
    };
    let parts = (new.notification, options);
    let content = telling::content(&context.db, &actor.tenant, parts).await?;
    let per_minute = pace(new.options.per_minute)?;
    let taken = RefCell::new(None);
    let made = write_once(context, request, &actor, async |tx| {
        let left = quota::take(context, tx, &actor).await?;
        all_known(tx, &whom).await?;
        let id: PushMessageId = context.new_id()?;
        let new = New {
            content: content.clone(),
            source: Source::Api,
            reference: id.to_string(),
            whom: whom.clone(),
            due_at,
            per_minute,
            hold_out_bps: 0,
            quiet: None,
            actor: &actor.id,
        };
        let message = telling::tell(context, tx, new).await?;
        let message = message.ok_or_else(unknown_message)?;
        taken.replace(Some((message.id.clone(), left)));
        answer(202, &shown(message, None))
    })
    .await?;
    let reply = stored(&made, "/api/push/messages")?;
    // What a repeated request would have taken was given back.
    let made = id_of(&made)?;
    Ok(match taken.take() {
        Some((id, left)) if id.as_str() == made => left.on(reply, context.now),
        _ => reply,
    })
}

/// Whom a message is for: an audience, or people by name.
fn whom(new: &NewMessage) -> Result<Whom, Refusal> {
    match (&new.audience, &new.people) {
        (Some(audience), None) => Ok(Whom::Audience(Audience::parse(audience)?.to_json())),
        (None, Some(people)) if (1..=PEOPLE_MAX).contains(&people.len()) => {
            Ok(Whom::People(people.clone()))
        }
        _ => Err(Refusal::invalid(
            "audience_invalid",
            Message::new(
                format!("Name an audience, or 1 to {PEOPLE_MAX} people, and not both."),
                format!("请指定受众条件，或 1 到 {PEOPLE_MAX} 名用户，二者选一。"),
            ),
        )),
    }
}

async fn all_known(tx: &Tx, whom: &Whom) -> anyhow::Result<()> {
    let Whom::People(people) = whom else {
        return Ok(());
    };
    let people: BTreeSet<&ActorId> = people.iter().collect();
    if keeping::count_known(tx, &people).await? < people.len() {
        return Err(unknown_person().into());
    }
    Ok(())
}

/// When a message goes out: now, or later.
pub(super) fn due_at(send_at: Option<Timestamp>, now: Timestamp) -> Result<Timestamp, Refusal> {
    match send_at {
        None => Ok(now),
        Some(at) if at >= now && at.millis_since(now) <= AHEAD_MS_MAX => Ok(at),
        Some(_) => Err(Refusal::invalid(
            "send_at_invalid",
            Message::new(
                "A message is sent now or within the next 90 days.",
                "消息只能立即发送或预约在 90 天内发送。",
            ),
        )),
    }
}

/// How many go out in a minute.
pub(super) fn pace(per_minute: Option<i64>) -> Result<Option<i64>, Refusal> {
    match per_minute {
        None => Ok(None),
        Some(pace) if (1..=1_000_000).contains(&pace) => Ok(Some(pace)),
        Some(_) => Err(Refusal::invalid(
            "pace_invalid",
            Message::new(
                "1 to 1000000 deliveries go out in a minute.",
                "每分钟投递数为 1 到 1000000。",
            ),
        )),
    }
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    readers_only(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(PushMessageId::parse)?;
    let source = query.take("source", |text| Source::try_from(text.to_owned()))?;
    query.finish()?;
    let found = sql::messages(&context.db, &actor.tenant, (source, None), &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |message| message.id.to_string(),
        |message| shown(message, None),
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    message: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let message = seen(context, &actor, message).await?;
    let parts = reports::funnel(&context.db, &actor.tenant, &message.id).await?;
    let sum = |of: fn(&Part) -> i64| parts.iter().map(of).sum();
    let funnel = Funnel {
        deliveries: sum(|part| part.deliveries),
        sent: sum(|part| part.sent),
        delivered: sum(|part| part.delivered),
        displayed: sum(|part| part.displayed),
        clicked: sum(|part| part.clicked),
        converted: sum(|part| part.converted),
        parts,
    };
    Ok(Reply::ok(&shown(message, Some(funnel))))
}

pub(super) async fn deliveries(
    context: &Context,
    request: &Request,
    message: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let message = seen(context, &actor, message).await?;
    let mut query = Query::of(request)?;
    let page = query.page(kernel::DeliveryId::parse)?;
    let state = query.take("state", |text| match text.len() {
        1..=20 => Ok(text.to_owned()),
        _ => Err("it is the name of a state"),
    })?;
    query.finish()?;
    let of = (&actor.tenant, &message.id);
    let found = reports::deliveries(&context.db, of, state.as_deref(), &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |record| record.id.to_string(),
        |record| record,
    )))
}

pub(super) async fn cancel(
    context: &Context,
    request: &Request,
    message: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let found = seen(context, &actor, message).await?;
    tellers_only(&actor)?;
    let made = write(context, request, &actor, async |tx| {
        let again = sql::message(tx, tx.tenant(), &found.id).await?;
        let mut message = again.ok_or_else(unknown_message)?;
        delivering::cancel(context, tx, &mut message).await?;
        // What a merchant paid for and was told by then is charged, the rest goes back.
        selling::settle(context, tx, &message.id).await?;
        let fact = PushMessageCancelled {
            message: message.id.clone(),
            actor: actor.id.clone(),
        };
        facts::append(context, tx, &fact).await?;
        answer(200, &shown(message, None))
    })
    .await?;
    replied(&made)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Conversion {
    person: ActorId,
}

/// Somebody did what a message was for: also those who were held out, for what would have happened anyway.
pub(super) async fn convert(
    context: &Context,
    request: &Request,
    message: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let found = seen(context, &actor, message).await?;
    tellers_only(&actor)?;
    let new: Conversion = web::body(request)?;
    let made = write(context, request, &actor, async |tx| {
        let of = (&found.id, &new.person);
        let counted = deliveries::convert(tx, of, context.now).await?;
        answer(200, &json!({"counted": counted}))
    })
    .await?;
    replied(&made)
}

/// A message that the caller may see.
async fn seen(context: &Context, actor: &Actor, message: &str) -> anyhow::Result<PushMessage> {
    let id: PushMessageId = path_id(message, unknown_message)?;
    let found = sql::message(&context.db, &actor.tenant, &id).await?;
    let seen = found.filter(|_| sees_all(actor) || tells(actor));
    seen.ok_or_else(|| unknown_message().into())
}

fn shown(message: PushMessage, funnel: Option<Funnel>) -> Shown {
    use crate::domain::Tongue::{Chinese, English};
    let content = &message.content;
    let (audience, people) = match message.whom {
        Whom::Audience(audience) => (Some(audience), None),
        Whom::People(people) => (None, Some(people)),
    };
    Shown {
        id: message.id,
        state: message.state.as_str(),
        purpose: purpose_name(content.purpose),
        source: message.source.as_str(),
        reference: message.reference,
        sender: content.sender.clone(),
        title: json!({"zh": title(content, Chinese), "en": title(content, English)}),
        body: json!({"zh": body(content, Chinese), "en": body(content, English)}),
        url: content.url.clone(),
        channels: content.channels.iter().map(|one| one.as_str()).collect(),
        urgency: content.urgency.as_str(),
        collapse_key: content.collapse_key.clone(),
        audience,
        people,
        due_at: message.due_at,
        expires_at: message.expires_at,
        meant: message.meant,
        created_by: message.created_by,
        created_at: message.created_at,
        finished_at: message.finished_at,
        funnel,
    }
}
