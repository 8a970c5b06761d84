//! `/api/push/preferences` and `/api/push/people`: how the caller wants to be told, and what is known of somebody for
//! audiences.

use kernel::{ActorId, Message, Refusal};
use messaging::timing::Span;
use serde::{Deserialize, Serialize};
use web::{Reply, Request};
use wire::event::PushPersonChanged;

use super::{answer, caller, path_id, replied, write};
use crate::context::Context;
use crate::domain::{
    TAGS_MAX, Tongue, label, people_only, readers_only, tags, tellers_only, unknown_person,
    when_quiet, zone,
};
use crate::store::people::{self as sql, Person, Quiet};
use crate::{facts, inbox};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Preferences {
    language: Tongue,
    time_zone: Option<String>,
    quiet: Option<QuietForm>,
}

/// Quiet hours, on the wire.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QuietForm {
    from: String,
    until: String,
    then: String,
}

impl QuietForm {
    /// Quiet hours that can be.
    ///
    /// # Errors
    /// 422 for times or a word that are none.
    pub(super) fn checked(&self) -> Result<Quiet, Refusal> {
        Span::parse(&self.from, &self.until)?;
        when_quiet(&self.then).ok_or_else(|| {
            Refusal::invalid(
                "quiet_hours_invalid",
                Message::new(
                    "In quiet hours a message is put off (defer) or left out (drop).",
                    "免打扰时段内，消息可推迟（defer）或丢弃（drop）。",
                ),
            )
        })?;
        Ok(Quiet {
            from: self.from.clone(),
            until: self.until.clone(),
            then: self.then.clone(),
        })
    }

    pub(super) fn of(quiet: &Quiet) -> Self {
        Self {
            from: quiet.from.clone(),
            until: quiet.until.clone(),
            then: quiet.then.clone(),
        }
    }
}

#[derive(Serialize)]
struct ShownPreferences {
    language: &'static str,
    time_zone: Option<&'static str>,
    quiet: Option<QuietForm>,
}

pub(super) async fn preferences(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    people_only(&actor)?;
    let found = sql::person(&context.db, &actor.tenant, &actor.id).await?;
    let shown = match found {
        Some(person) => shown_preferences(&person),
        None => ShownPreferences {
            language: Tongue::Chinese.as_str(),
            time_zone: None,
            quiet: None,
        },
    };
    Ok(Reply::ok(&shown))
}

fn shown_preferences(person: &Person) -> ShownPreferences {
    ShownPreferences {
        language: person.language.as_str(),
        time_zone: person.zone.map(kernel::Zone::as_str),
        quiet: person.quiet.as_ref().map(QuietForm::of),
    }
}

pub(super) async fn prefer(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    people_only(&actor)?;
    let new: Preferences = web::body(request)?;
    let zone = new.time_zone.as_deref().map(zone).transpose()?;
    let quiet = new.quiet.as_ref().map(QuietForm::checked).transpose()?;
    let made = write(context, request, &actor, async |tx| {
        sql::meet(tx, &actor.id).await?;
        let clock = (new.language, zone.map(kernel::Zone::as_str));
        sql::prefer(tx, &actor.id, clock, quiet.as_ref()).await?;
        facts::append(
            context,
            tx,
            &PushPersonChanged {
                person: actor.id.clone(),
                actor: actor.id.clone(),
            },
        )
        .await?;
        let person = sql::person(tx, tx.tenant(), &actor.id).await?;
        answer(200, &shown_preferences(&person.ok_or_else(unknown_person)?))
    })
    .await?;
    replied(&made)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    minor: bool,
    tags: Vec<String>,
    segments: Vec<String>,
    rfm: Option<String>,
}

#[derive(Serialize)]
struct ShownPerson {
    person: ActorId,
    language: &'static str,
    minor: bool,
    tags: Vec<String>,
    segments: Vec<String>,
    rfm: Option<String>,
    last_active_at: Option<kernel::Timestamp>,
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    person: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    readers_only(&actor)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let id: ActorId = path_id(person, unknown_person)?;
    let found = sql::person(&context.db, &actor.tenant, &id).await?;
    let tags = sql::tags(&context.db, &actor.tenant, &id).await?;
    let found = found.ok_or_else(unknown_person)?;
    Ok(Reply::ok(&shown(found, tags)))
}

pub(super) async fn describe(
    context: &Context,
    request: &Request,
    person: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    tellers_only(&actor)?;
    let new: Description = web::body(request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let id: ActorId = path_id(person, unknown_person)?;
    let (tags, segments) = (tags(&new.tags)?, tags(&new.segments)?);
    let rfm = new.rfm.as_deref();
    let rfm = rfm.map(|class| label("rfm", class)).transpose()?;
    let made = write(context, request, &actor, async |tx| {
        let found = sql::person(tx, tx.tenant(), &id).await?;
        found.ok_or_else(unknown_person)?;
        let classes = (segments.as_slice(), rfm.as_deref());
        sql::describe(tx, &id, new.minor, classes).await?;
        sql::set_tags(tx, (&id, ""), &tags).await?;
        facts::append(
            context,
            tx,
            &PushPersonChanged {
                person: id.clone(),
                actor: actor.id.clone(),
            },
        )
        .await?;
        let after = sql::person(tx, tx.tenant(), &id).await?;
        let all = sql::tags(tx, tx.tenant(), &id).await?;
        answer(200, &shown(after.ok_or_else(unknown_person)?, all))
    })
    .await?;
    replied(&made)
}

fn shown(person: Person, mut tags: Vec<String>) -> ShownPerson {
    tags.truncate(TAGS_MAX * 10);
    ShownPerson {
        person: person.id,
        language: person.language.as_str(),
        minor: person.minor,
        tags,
        segments: person.segments,
        rfm: person.rfm,
        last_active_at: person.last_active_at,
    }
}
