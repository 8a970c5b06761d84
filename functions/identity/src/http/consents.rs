//! `/api/consents`: what people agree to, and to what one agreed.

use ::http::StatusCode;
use kernel::{Actor, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Tx, events, tx};
use web::{Query, Reply, Request};
use wire::event::{ConsentChanged, ConsentTextPublished};

use super::{Text, caller, path_id};
use crate::context::Context;
use crate::domain::{
    Consent, ConsentPurpose, ConsentText, Prose, TextVersion, give_consent, operators_only,
    people_only, publish_text, unknown_purpose,
};
use crate::store as sql;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedText {
    purpose: Text<ConsentPurpose>,
    version: Text<TextVersion>,
    english: Text<Prose>,
    chinese: Text<Prose>,
    retention_days: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedConsent {
    text_version: Text<TextVersion>,
}

#[derive(Serialize)]
struct ShownText {
    version: String,
    english: String,
    chinese: String,
    retention_days: u32,
    published_at: Timestamp,
}

#[derive(Serialize)]
pub(super) struct ShownConsent {
    purpose: String,
    given: bool,
    /// The version that was agreed to, or withdrawn from.
    #[serde(skip_serializing_if = "Option::is_none")]
    text_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changed_at: Option<Timestamp>,
    /// What is agreed to now.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<ShownText>,
}

#[derive(Serialize)]
struct ShownConsents {
    items: Vec<ShownConsent>,
    /// All purposes fit one page.
    next: Option<String>,
}

pub(super) async fn publish(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    operators_only(&actor)?;
    let asked: AskedText = web::body(request)?;
    let text = ConsentText {
        purpose: asked.purpose.0,
        version: asked.version.0,
        english: asked.english.0,
        chinese: asked.chinese.0,
        retention_days: asked.retention_days,
        published_at: context.now,
    };
    let published = tx(&context.db, &actor.tenant, async |tx| {
        let present = sql::consent_text(tx, &actor.tenant, &text.purpose, &text.version).await?;
        publish_text(&actor, present.as_ref(), &text)?;
        if let Some(present) = present {
            return Ok(present);
        }
        sql::insert_text(tx, &text).await?;
        let fact = ConsentTextPublished {
            purpose: text.purpose.to_string(),
            text_version: text.version.as_str().to_owned(),
            actor: actor.id.clone(),
        };
        events::append(tx, &context.new_id()?, context.now, &fact).await?;
        Ok(text.clone())
    })
    .await?;
    Ok(Reply::json(
        StatusCode::CREATED,
        "application/json",
        &ShownText::from(published),
    ))
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    people_only(&actor)?;
    Query::of(request)?.finish()?;
    let mut own = sql::consents(&context.db, &actor.tenant, &actor.id).await?;
    let mut items = Vec::new();
    for text in sql::newest_texts(&context.db, &actor.tenant).await? {
        let position = own
            .iter()
            .position(|consent| consent.purpose == text.purpose);
        let consent = position.map(|position| own.swap_remove(position));
        items.push(ShownConsent::of(consent, text));
    }
    Ok(Reply::ok(&ShownConsents { items, next: None }))
}

pub(super) async fn give(
    context: &Context,
    request: &Request,
    purpose: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    people_only(&actor)?;
    let purpose: ConsentPurpose = path_id(purpose, unknown_purpose)?;
    let asked: AskedConsent = web::body(request)?;
    let consent = tx(&context.db, &actor.tenant, async |tx| {
        let newest = sql::newest_text(tx, &actor.tenant, &purpose).await?;
        let next = give_consent(&actor, newest.as_ref(), &asked.text_version.0, context.now)?;
        change(context, tx, &actor, next).await
    })
    .await?;
    Ok(Reply::ok(&ShownConsent::from(consent)))
}

pub(super) async fn withdraw(
    context: &Context,
    request: &Request,
    purpose: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    people_only(&actor)?;
    let purpose: ConsentPurpose = path_id(purpose, unknown_purpose)?;
    tx(&context.db, &actor.tenant, async |tx| {
        let present = sql::consent(tx, &actor.tenant, &actor.id, &purpose).await?;
        let withdrawn = Consent {
            given: false,
            changed_at: context.now,
            ..present.ok_or_else(unknown_purpose)?
        };
        change(context, tx, &actor, withdrawn).await.map(drop)
    })
    .await?;
    Ok(Reply::no_content())
}

/// Stores how things stand from now on, where they stood otherwise.
async fn change(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    next: Consent,
) -> anyhow::Result<Consent> {
    let present = sql::consent(tx, &actor.tenant, &actor.id, &next.purpose).await?;
    if let Some(present) = present
        && (present.given, &present.text_version) == (next.given, &next.text_version)
    {
        return Ok(present);
    }
    sql::put_consent(tx, &actor.id, &next).await?;
    let fact = ConsentChanged {
        person: actor.id.clone(),
        purpose: next.purpose.to_string(),
        given: next.given,
        text_version: next.text_version.as_str().to_owned(),
    };
    events::append(tx, &context.new_id()?, context.now, &fact).await?;
    Ok(next)
}

impl ShownConsent {
    fn of(consent: Option<Consent>, text: ConsentText) -> Self {
        let purpose = text.purpose.to_string();
        let shown = consent.map(Self::from);
        let shown = shown.unwrap_or(Self {
            purpose,
            given: false,
            text_version: None,
            changed_at: None,
            text: None,
        });
        Self {
            text: Some(text.into()),
            ..shown
        }
    }
}

impl From<Consent> for ShownConsent {
    fn from(consent: Consent) -> Self {
        Self {
            purpose: consent.purpose.to_string(),
            given: consent.given,
            text_version: Some(consent.text_version.as_str().to_owned()),
            changed_at: Some(consent.changed_at),
            text: None,
        }
    }
}

impl From<ConsentText> for ShownText {
    fn from(text: ConsentText) -> Self {
        Self {
            version: text.version.as_str().to_owned(),
            english: text.english.as_str().to_owned(),
            chinese: text.chinese.as_str().to_owned(),
            retention_days: text.retention_days,
            published_at: text.published_at,
        }
    }
}
