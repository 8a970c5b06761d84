//! `/api/push/consents`: what the caller agrees to be told, for which purpose and on which channel.

use kernel::{ActorId, Message, Refusal};
use serde::{Deserialize, Serialize};
use serde_json::json;
use web::{Query, Reply, Request};

use super::{answer, caller, private, replied, write};
use crate::agreeing::{self, Says};
use crate::context::Context;
use crate::domain::{
    Agreement, Channel, EVERY_CHANNEL, Use, adults_only, agrees, people_only, readers_only,
    unknown_person,
};
use crate::inbox;
use crate::store::{consents as sql, people};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewWord {
    purpose: String,
    /// `all`, or one.
    channel: Option<String>,
    given: bool,
    text_version: Option<String>,
    /// The caller says that they are 18 or older; for advertising.
    #[serde(default)]
    adult: bool,
}

#[derive(Serialize)]
struct Shown {
    purpose: &'static str,
    /// The channels on which it holds.
    channels: Vec<&'static str>,
}

pub(super) async fn say(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    people_only(&actor)?;
    let new: NewWord = web::body(request)?;
    let purpose = Use::parse(&new.purpose).ok_or_else(no_purpose)?;
    let channel = match new.channel.as_deref() {
        None | Some(EVERY_CHANNEL) => None,
        Some(name) => Some(Channel::parse(name).ok_or_else(no_channel)?),
    };
    if purpose.needs_consent() && new.given && !new.adult {
        return Err(adults_only().into());
    }
    inbox::catch_up(context, &actor.tenant).await?;
    let header = |name: &str| {
        let value = request.headers().get(name)?.to_str().ok()?;
        Some(value.chars().take(200).collect::<String>())
    };
    let evidence = json!({
        "request": web::request_id(request),
        "adult": new.adult,
        "text_version": new.text_version,
        "user_agent": header("user-agent"),
    });
    let made = write(context, request, &actor, async |tx| {
        let known = people::person(tx, tx.tenant(), &actor.id).await?;
        let is_minor = known.is_some_and(|person| person.minor);
        if is_minor && new.given && purpose.needs_consent() {
            return Err(adults_only().into());
        }
        let says = Says {
            person: &actor.id,
            purpose,
            channel,
            given: new.given,
            text_version: new.text_version.as_deref(),
            via: "app",
            evidence: evidence.clone(),
            actor: &actor.id,
        };
        agreeing::say(context, tx, &says).await?;
        let words = sql::agreements(tx, tx.tenant(), &actor.id).await?;
        answer(201, &json!({"items": shown(&words)}))
    })
    .await?;
    replied(&made)
}

/// How things stand for the caller, purpose by purpose.
pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    people_only(&actor)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let words = sql::agreements(&context.db, &actor.tenant, &actor.id).await?;
    Ok(private(Reply::ok(&json!({"items": shown(&words)}))))
}

/// Every word that was said, the latest first: the caller's own, or of anybody for those who see it.
pub(super) async fn history(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let mut query = Query::of(request)?;
    let page = query.page(ActorId::parse)?;
    let person = query.take("person", ActorId::parse)?;
    query.finish()?;
    let person = match person {
        Some(person) if person != actor.id => {
            readers_only(&actor)?;
            let known = people::person(&context.db, &actor.tenant, &person).await?;
            known.ok_or_else(unknown_person)?.id
        }
        _ => {
            people_only(&actor)?;
            actor.id.clone()
        }
    };
    let found = sql::history(&context.db, (&actor.tenant, &person), &page).await?;
    Ok(private(Reply::ok(&page.listing(
        found,
        |said| said.id.clone(),
        |said| said,
    ))))
}

fn shown(words: &[Agreement]) -> Vec<Shown> {
    let of = |purpose: &Use| Shown {
        purpose: purpose.as_str(),
        channels: Channel::ALL
            .iter()
            .filter(|channel| agrees(words, *purpose, **channel))
            .map(|channel| channel.as_str())
            .collect(),
    };
    Use::ALL.iter().map(of).collect()
}

fn no_purpose() -> Refusal {
    Refusal::invalid(
        "purpose_unknown",
        Message::new(
            "A purpose is service, notice, marketing, personalised_ads or sharing.",
            "用途应为 service、notice、marketing、personalised_ads 或 sharing。",
        ),
    )
}

fn no_channel() -> Refusal {
    Refusal::invalid(
        "channel_unknown",
        Message::new(
            "A channel is all, inbox, web_push, unified_push, ntfy, jpush or webhook.",
            "渠道应为 all、inbox、web_push、unified_push、ntfy、jpush 或 webhook。",
        ),
    )
}
