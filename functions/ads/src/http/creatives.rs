//! `/api/ads/creatives`: what is shown, and its review.

use chrono::NaiveDate;
use kernel::{Actor, CreativeId, MerchantId, Message, Refusal};
use serde::Deserialize;
use serde_json::{Value, json};
use store::Read;
use web::{Query, Reply, Request};
use wire::advertising::CreativeState;

use super::{answer, caller, held, path_id, replied, stored, whose, write};
use crate::context::Context;
use crate::domain::creative::{Content, Video, own_review};
use crate::domain::placement::{Format, WordError};
use crate::domain::text::{Body, Name, Note, Reason};
use crate::domain::{Creative, Hold, Subject, check_reviewer, unknown_creative, unknown_merchant};
use crate::store::{creatives as sql, known};
use crate::{facts, inbox};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewCreative {
    merchant: MerchantId,
    content: SentContent,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangedCreative {
    content: SentContent,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentContent {
    format: Format,
    #[serde(default)]
    width: i64,
    #[serde(default)]
    height: i64,
    landing: Note,
    title: Name,
    body: Option<Body>,
    image: Option<Note>,
    video: Option<SentVideo>,
    advertiser_domain: Note,
    subject: Subject,
    approval_number: Option<Name>,
    qualified_until: Option<NaiveDate>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentVideo {
    url: Note,
    duration_ms: i64,
}

impl SentContent {
    fn checked(self) -> Result<Content, Refusal> {
        let content = Content {
            format: self.format,
            width: self.width,
            height: self.height,
            landing: self.landing,
            title: self.title,
            body: self.body,
            image: self.image,
            video: self.video.map(|video| Video {
                url: video.url,
                millis: video.duration_ms,
            }),
            domain: self.advertiser_domain,
            subject: self.subject,
            approval_number: self.approval_number,
            qualified_until: self.qualified_until,
        };
        content.checked()
    }
}

pub(super) async fn add(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let new: NewCreative = web::body(request)?;
    held(&context.db, &actor, &new.merchant, unknown_merchant)
        .await?
        .check_change()?;
    let content = new.content.checked()?;
    let made = write(context, request, &actor, async |tx| {
        let hold = held(tx, &actor, &new.merchant, unknown_merchant).await?;
        hold.check_change()?;
        let found = known::name(tx, tx.tenant(), &new.merchant).await?;
        found.ok_or_else(unknown_merchant)?;
        let creative = Creative {
            id: context.new_id()?,
            merchant: new.merchant.clone(),
            content: content.clone(),
            state: CreativeState::Pending,
            approved_hash: None,
            reason: None,
            submitted_by: actor.id.clone(),
            submitted_at: context.now,
            reviewed_by: None,
            reviewed_at: None,
            version: 1,
        };
        sql::insert_creative(tx, &creative).await?;
        facts::creative_changed(context, tx, &creative).await?;
        answer(201, &shown(&creative))
    })
    .await?;
    stored(&made, "/api/ads/creatives")
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let mut query = Query::of(request)?;
    let page = query.page(CreativeId::parse)?;
    let state = query.take("state", |text| {
        let words = || {
            CreativeState::ALL
                .iter()
                .map(|state| state.as_str())
                .collect()
        };
        CreativeState::parse(text).ok_or_else(|| WordError(words()))
    })?;
    let merchant = whose(context, &actor, &mut query).await?;
    query.finish()?;
    let of = (merchant.as_ref(), state);
    let found = sql::creatives(&context.db, &actor.tenant, of, &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |one| one.id.to_string(),
        |one| shown(&one),
    )))
}

async fn seen(db: &impl Read, actor: &Actor, id: &str) -> anyhow::Result<(Creative, Hold)> {
    let id: CreativeId = path_id(id, unknown_creative)?;
    let creative = sql::creative(db, &actor.tenant, &id).await?;
    let creative = creative.ok_or_else(unknown_creative)?;
    let hold = held(db, actor, &creative.merchant, unknown_creative).await?;
    Ok((creative, hold))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    creative: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let (creative, _) = seen(&context.db, &actor, creative).await?;
    Ok(Reply::ok(&shown(&creative)).with_etag(creative.version))
}

pub(super) async fn change(
    context: &Context,
    request: &Request,
    creative: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    seen(&context.db, &actor, creative)
        .await?
        .1
        .check_change()?;
    let if_match = web::required_if_match(request)?;
    let sent: ChangedCreative = web::body(request)?;
    let content = sent.content.checked()?;
    let changed = write(context, request, &actor, async |tx| {
        let (before, hold) = seen(tx, &actor, creative).await?;
        hold.check_change()?;
        if_match.check(before.version)?;
        let after = before.changed(content.clone(), actor.id.clone(), context.now);
        sql::update_creative(tx, &after).await?;
        facts::creative_changed(context, tx, &after).await?;
        answer(200, &shown(&after))
    })
    .await?;
    replied(&changed)
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    Approve,
    Deny,
}

/// A review: what is denied has a reason.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Review {
    decision: Verdict,
    reason: Option<Reason>,
}

impl Review {
    /// Why it is denied, or nothing when it is approved.
    pub(super) fn denied(&self) -> Result<Option<Reason>, Refusal> {
        match (self.decision, &self.reason) {
            (Verdict::Approve, _) => Ok(None),
            (Verdict::Deny, Some(reason)) => Ok(Some(reason.clone())),
            (Verdict::Deny, None) => Err(Refusal::invalid(
                "review_reason_missing",
                Message::new("Say why it is denied.", "请填写拒绝原因。"),
            )),
        }
    }
}

pub(super) async fn review(
    context: &Context,
    request: &Request,
    creative: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    seen(&context.db, &actor, creative).await?;
    check_reviewer(&actor)?;
    let review: Review = web::body(request)?;
    let denied = review.denied()?;
    let reviewed = write(context, request, &actor, async |tx| {
        let (before, _) = seen(tx, &actor, creative).await?;
        let whose = (&actor.id, &before.merchant);
        if known::is_member(tx, tx.tenant(), whose).await? {
            return Err(own_review().into());
        }
        let by = (actor.id.clone(), context.now);
        let after = before.reviewed(by, context.today(), denied.clone())?;
        sql::update_creative(tx, &after).await?;
        facts::creative_changed(context, tx, &after).await?;
        answer(200, &shown(&after))
    })
    .await?;
    replied(&reviewed)
}

fn shown(creative: &Creative) -> Value {
    let content = &creative.content;
    json!({
        "id": creative.id,
        "merchant": creative.merchant,
        "content": {
            "format": content.format.as_str(),
            "width": content.width,
            "height": content.height,
            "landing": content.landing.as_str(),
            "title": content.title.as_str(),
            "body": content.body.as_ref().map(Body::as_str),
            "image": content.image.as_ref().map(Note::as_str),
            "video": content.video.as_ref().map(|video| json!({
                "url": video.url.as_str(),
                "duration_ms": video.millis,
            })),
            "advertiser_domain": content.domain.as_str(),
            "subject": content.subject.as_str(),
            "approval_number": content.approval_number.as_ref().map(Name::as_str),
            "qualified_until": content.qualified_until,
        },
        "content_hash": content.hash(),
        "state": creative.state,
        "reason": creative.reason.as_ref().map(Reason::as_str),
        "submitted_by": creative.submitted_by,
        "submitted_at": creative.submitted_at,
        "reviewed_by": creative.reviewed_by,
        "reviewed_at": creative.reviewed_at,
        "version": creative.version,
    })
}
