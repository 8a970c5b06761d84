//! Messages in the making: what somebody wrote, or a template with values, becomes a message that cron and the doorbell
//! take further.

use std::collections::BTreeMap;

use kernel::{ActorId, Refusal, Timestamp, Zone};
use messaging::audience::Audience;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::events::{Draft as Fact, append_drafts};
use store::{Read, Tx};
use wire::event::PushMessageCreated;

use crate::context::Context;
use crate::domain::{
    Bilingual, Channel, Content, Draft, MessageState, Source, purpose_name, rule, unknown_template,
};
use crate::expanding::{self, is_personal};
use crate::store::deliveries;
use crate::store::messages::{self, PushMessage, Whom};
use crate::store::people::Quiet;
use crate::store::templates;

/// A text in both languages, on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Both {
    pub(crate) zh: String,
    /// The Chinese one stands for both when it is the only one.
    #[serde(default)]
    pub(crate) en: Option<String>,
}

impl Both {
    fn text(self) -> Bilingual {
        let en = self.en.unwrap_or_else(|| self.zh.clone());
        Bilingual { zh: self.zh, en }
    }

    fn of(text: &Bilingual) -> Self {
        Self {
            zh: text.zh.clone(),
            en: Some(text.en.clone()),
        }
    }
}

/// What is told, on the wire and in plans and orders: texts, or a template and its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) purpose: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sender: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<Both>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<Both>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) template: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) values: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
}

impl Written {
    /// Some words, where it matters only whom they are for.
    pub(crate) fn placeholder() -> Self {
        let word = Both {
            zh: "-".to_owned(),
            en: None,
        };
        Self {
            purpose: None,
            sender: None,
            title: Some(word.clone()),
            body: Some(word),
            template: None,
            values: BTreeMap::new(),
            url: None,
        }
    }
}

/// How it is told, on the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) channels: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) urgency: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) collapse_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ttl_seconds: Option<u32>,
}

/// Who speaks when nobody says.
const SENDER: &str = "邻里 Linli";

/// What is told, with its template filled in.
///
/// # Errors
/// 404 for a template that is none, 422 for what cannot be told; a failure of the database.
pub(crate) async fn content(
    db: &impl Read,
    tenant: &kernel::TenantId,
    (written, options): (Written, Options),
) -> anyhow::Result<Content> {
    let texts = match &written.template {
        None => None,
        Some(name) => Some(
            template(db, tenant, name)
                .await?
                .ok_or_else(unknown_template)?,
        ),
    };
    let (purpose, title, body) = match texts {
        Some((purpose, title, body)) => (
            written.purpose.or(Some(purpose)),
            written.title.map_or(title, Both::text),
            written.body.map_or(body, Both::text),
        ),
        None => (
            written.purpose,
            written.title.ok_or_else(no_text)?.text(),
            written.body.ok_or_else(no_text)?.text(),
        ),
    };
    let channels = options
        .channels
        .iter()
        .map(|name| Channel::parse(name).ok_or_else(no_channel))
        .collect::<Result<_, Refusal>>()?;
    Ok(Content::of(Draft {
        purpose: purpose.unwrap_or_else(|| "notice".to_owned()),
        sender: written.sender.unwrap_or_else(|| SENDER.to_owned()),
        title: title.filled(&written.values),
        body: body.filled(&written.values),
        url: written.url,
        channels,
        urgency: options.urgency,
        collapse_key: options.collapse_key,
        ttl_seconds: options.ttl_seconds,
    })?)
}

/// A content as plans and orders keep it.
pub(crate) fn kept(content: &Content) -> anyhow::Result<Value> {
    let written = Written {
        purpose: Some(purpose_name(content.purpose).to_owned()),
        sender: Some(content.sender.clone()),
        title: Some(Both::of(&content.title)),
        body: Some(Both::of(&content.body)),
        template: None,
        values: BTreeMap::new(),
        url: content.url.clone(),
    };
    let channels = content.channels.iter();
    let options = Options {
        channels: channels
            .map(|channel| channel.as_str().to_owned())
            .collect(),
        urgency: Some(content.urgency.as_str().to_owned()),
        collapse_key: content.collapse_key.clone(),
        ttl_seconds: Some(content.ttl_seconds),
    };
    Ok(serde_json::json!({"notification": written, "options": options}))
}

/// The content that a plan or an order keeps.
///
/// # Errors
/// As [`content`].
pub(crate) async fn unkept(
    db: &impl Read,
    tenant: &kernel::TenantId,
    kept: &Value,
) -> anyhow::Result<Content> {
    let part = |name: &str| kept.get(name).cloned().unwrap_or_default();
    let written: Written = serde_json::from_value(part("notification"))?;
    let options: Options = serde_json::from_value(part("options"))?;
    content(db, tenant, (written, options)).await
}

/// Purpose, title and text of a template: the tenant's own, or one of ours.
pub(crate) async fn template(
    db: &impl Read,
    tenant: &kernel::TenantId,
    name: &str,
) -> anyhow::Result<Option<(String, Bilingual, Bilingual)>> {
    if let Some(own) = templates::template(db, tenant, name).await? {
        let purpose = purpose_name(own.purpose).to_owned();
        return Ok(Some((purpose, own.title, own.body)));
    }
    Ok(rule(name).map(|rule| {
        (
            purpose_name(rule.purpose).to_owned(),
            Bilingual::new(rule.title.0, rule.title.1),
            Bilingual::new(rule.body.0, rule.body.1),
        )
    }))
}

/// A message to be made.
pub(crate) struct New<'a> {
    pub(crate) content: Content,
    pub(crate) source: Source,
    /// What it is of: unique within its source.
    pub(crate) reference: String,
    pub(crate) whom: Whom,
    pub(crate) due_at: Timestamp,
    pub(crate) per_minute: Option<i64>,
    pub(crate) hold_out_bps: u32,
    pub(crate) quiet: Option<(Quiet, Zone)>,
    pub(crate) actor: &'a ActorId,
}

/// Makes a message, once for its source and reference; none when there was one.
///
/// # Errors
/// 422 for an audience that is none; a failure of the database.
pub(crate) async fn tell(
    context: &Context,
    tx: &Tx,
    new: New<'_>,
) -> anyhow::Result<Option<PushMessage>> {
    let personal = match &new.whom {
        Whom::Audience(audience) => is_personal(&Audience::parse(audience)?),
        Whom::People(_) => false,
    };
    let ttl_ms = i64::from(new.content.ttl_seconds) * 1_000;
    let mut message = PushMessage {
        id: context.new_id()?,
        expires_at: new.due_at.plus_millis(ttl_ms),
        content: new.content,
        source: new.source,
        reference: new.reference,
        whom: new.whom,
        personal,
        per_minute: new.per_minute,
        hold_out_bps: new.hold_out_bps,
        quiet: new.quiet,
        due_at: new.due_at,
        state: MessageState::Scheduled,
        cursor: None,
        meant: 0,
        created_by: new.actor.clone(),
        created_at: context.now,
        finished_at: None,
    };
    let first = expanding::at_once(context, tx, &mut message).await?;
    if !messages::insert(tx, &message).await? {
        return Ok(None);
    }
    let times = (message.expires_at, context.now);
    deliveries::insert_many(tx, &message.id, &first, times).await?;
    let created = PushMessageCreated {
        message: message.id.clone(),
        purpose: purpose_name(message.content.purpose).to_owned(),
        source: message.source.as_str().to_owned(),
        reference: message.reference.clone(),
        due_at: message.due_at,
    };
    let mut facts = vec![Fact::of(context.new_id()?, &created)?];
    if message.state == MessageState::Finished {
        let finished = expanding::finished(&message.id, &first);
        facts.push(Fact::of(context.new_id()?, &finished)?);
    }
    append_drafts(tx, context.now, facts).await?;
    Ok(Some(message))
}

fn no_text() -> Refusal {
    Refusal::invalid(
        "text_invalid",
        kernel::Message::new(
            "Write a title and a body, or name a template.",
            "请填写标题和正文，或指定模板。",
        ),
    )
}

fn no_channel() -> Refusal {
    Refusal::invalid(
        "channel_unknown",
        kernel::Message::new(
            "A channel is inbox, web_push, unified_push, ntfy, jpush or webhook.",
            "渠道应为 inbox、web_push、unified_push、ntfy、jpush 或 webhook。",
        ),
    )
}
