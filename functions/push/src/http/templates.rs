//! `/api/push/templates`: texts in both languages by name; one of the name of a household rule replaces its texts.

use kernel::{ActorId, Message, Refusal};
use serde::{Deserialize, Serialize};
use store::Tx;
use web::{Query, Reply, Request};
use wire::event::PushTemplateChanged;

use super::{answer, caller, replied, stored, write};
use crate::context::Context;
use crate::domain::{
    Bilingual, Content, Draft, purpose_name, readers_only, tellers_only, unknown_template,
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewTemplate {
    id: String,
    purpose: String,
    title: Texts,
    body: Texts,
}

impl NewTemplate {
    fn form(self) -> Form {
        Form {
            purpose: self.purpose,
            title: self.title,
            body: self.body,
        }
    }
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

/// A template as it was written, if it can be told.
fn checked(id: String, form: Form) -> Result<Template, Refusal> {
    let content = Content::of(Draft {
        purpose: form.purpose,
        sender: "x".to_owned(),
        title: Bilingual::new(form.title.zh, form.title.en),
        body: Bilingual::new(form.body.zh, form.body.en),
        url: None,
        channels: Vec::new(),
        urgency: None,
        collapse_key: None,
        ttl_seconds: None,
    })?;
    Ok(Template {
        id,
        purpose: content.purpose,
        title: content.title,
        body: content.body,
        version: 1,
    })
}

pub(super) async fn add(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    tellers_only(&actor)?;
    let new: NewTemplate = web::body(request)?;
    let template = checked(name(&new.id)?, new.form())?;
    let made = write(context, request, &actor, async |tx| {
        let known = sql::template(tx, tx.tenant(), &template.id).await?;
        if known.is_some() {
            return Err(taken().into());
        }
        keep(context, tx, &template, &actor.id).await?;
        answer(201, &shown(template.clone()))
    })
    .await?;
    stored(&made, "/api/push/templates")
}

pub(super) async fn change(
    context: &Context,
    request: &Request,
    template: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    tellers_only(&actor)?;
    let if_match = web::required_if_match(request)?;
    let new: Form = web::body(request)?;
    let after = checked(template.to_owned(), new)?;
    let made = write(context, request, &actor, async |tx| {
        let known = sql::template(tx, tx.tenant(), &after.id).await?;
        let version = known.ok_or_else(unknown_template)?.version;
        if_match.check(version)?;
        let after = Template {
            version: version + 1,
            ..after.clone()
        };
        keep(context, tx, &after, &actor.id).await?;
        answer(200, &shown(after))
    })
    .await?;
    replied(&made)
}

async fn keep(
    context: &Context,
    tx: &Tx,
    template: &Template,
    actor: &ActorId,
) -> anyhow::Result<()> {
    sql::put(tx, template, (actor, context.now)).await?;
    let fact = PushTemplateChanged {
        template: template.id.clone(),
        version: template.version,
        actor: actor.clone(),
    };
    facts::append(context, tx, &fact).await
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

fn taken() -> Refusal {
    Refusal::conflict(
        "push_template_exists",
        Message::new(
            "There is a template of this name. Change it instead.",
            "已有同名模板，请直接修改。",
        ),
    )
}
