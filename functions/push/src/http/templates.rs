//! `/api/push/templates`: texts in both languages by name; one of the name of a household rule replaces its texts.

use kernel::{Message, Refusal};
use serde::{Deserialize, Serialize};
use web::{Query, Reply, Request};
use wire::event::PushTemplateChanged;

use super::{answer, caller, name_of, replied, write};
use crate::context::Context;
use crate::domain::{
    Bilingual, Content, Draft, purpose, purpose_name, readers_only, tellers_only, unknown_template,
};
use crate::facts;
use crate::store::templates::{self as sql, Template};

/// The longest name, in characters.
const NAME_CHARACTERS_MAX: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    purpose: String,
    title: Texts,
    body: Texts,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts {
    zh: String,
    en: String,
}

#[derive(Serialize)]
struct Shown {
    id: String,
    purpose: &'static str,
    title: Texts,
    body: Texts,
    version: i64,
}

pub(super) async fn put(
    context: &Context,
    request: &Request,
    template: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    tellers_only(&actor)?;
    let new: Form = web::body(request)?;
    let id = name(template)?;
    // A template is told one day: what cannot be is refused now.
    let content = Content::of(Draft {
        purpose: new.purpose.clone(),
        sender: "x".to_owned(),
        title: Bilingual::new(new.title.zh, new.title.en),
        body: Bilingual::new(new.body.zh, new.body.en),
        url: None,
        channels: Vec::new(),
        urgency: None,
        collapse_key: None,
        ttl_seconds: None,
    })?;
    let if_match = web::if_match(request);
    let who = (&actor.tenant, name_of(&actor));
    let made = write(context, request, (who.0, &who.1), async |tx| {
        let known = sql::template(tx, tx.tenant(), &id).await?;
        let version = known.map_or(0, |known| known.version);
        if let Some(wanted) = &if_match {
            wanted.check(version)?;
        }
        let after = Template {
            id: id.clone(),
            purpose: purpose(&new.purpose).unwrap_or(content.purpose),
            title: content.title.clone(),
            body: content.body.clone(),
            version: version + 1,
        };
        sql::put(tx, &after, (&actor.id, context.now)).await?;
        let fact = PushTemplateChanged {
            template: id.clone(),
            version: after.version,
            actor: actor.id.clone(),
        };
        facts::append(context, tx, &fact).await?;
        answer(200, &shown(after))
    })
    .await?;
    replied(&made)
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    readers_only(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(name)?;
    query.finish()?;
    let found = sql::templates(&context.db, &actor.tenant, &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |template| template.id.clone(),
        shown,
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    template: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    readers_only(&actor)?;
    let found = sql::template(&context.db, &actor.tenant, template).await?;
    let found = found.ok_or_else(unknown_template)?;
    let version = found.version;
    Ok(Reply::ok(&shown(found)).with_etag(version))
}

fn shown(template: Template) -> Shown {
    let texts = |text: Bilingual| Texts {
        zh: text.zh,
        en: text.en,
    };
    Shown {
        id: template.id,
        purpose: purpose_name(template.purpose),
        title: texts(template.title),
        body: texts(template.body),
        version: template.version,
    }
}

/// A name: small letters, digits, `.`, `-` and `_`.
fn name(text: &str) -> Result<String, Refusal> {
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte);
    if (1..=NAME_CHARACTERS_MAX).contains(&text.len()) && text.bytes().all(allowed) {
        return Ok(text.to_owned());
    }
    Err(Refusal::invalid(
        "template_name_invalid",
        Message::new(
            "A name has 1 to 64 small letters, digits, '.', '-' or '_'.",
            "模板名为 1 到 64 个小写字母、数字、“.”、“-”或“_”。",
        ),
    ))
}
