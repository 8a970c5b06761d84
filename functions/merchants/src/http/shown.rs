//! What several routes show, and files as they are sent and read.

use ::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::NaiveDate;
use kernel::{Actor, ActorId, Message, Refusal, Zone};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use web::{Reply, Request};

use super::{FILE_BODY_BYTES_MAX, private};
use crate::context::Context;
use crate::domain::{
    Application, Media, Merchant, Name, Qualification, QualificationKind, QualificationState,
    Reason, Validity, file_of, may_audit,
};
use crate::rows::{content_json, profile_json};

/// A paper as it is sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentPaper {
    kind: QualificationKind,
    name: Name,
    media_type: Media,
    /// The file in base64.
    content: String,
    valid_from: NaiveDate,
    valid_until: Option<NaiveDate>,
}

/// The paper that a request sends, and its file in base64.
pub(super) fn sent_paper(
    context: &Context,
    request: &Request,
    by: Option<&ActorId>,
) -> anyhow::Result<(Qualification, String)> {
    let sent: SentPaper = web::body_up_to(request, FILE_BODY_BYTES_MAX)?;
    let bytes = STANDARD.decode(&sent.content).map_err(|_| {
        Refusal::invalid(
            "content_not_base64",
            Message::new(
                "Send the file's content in base64.",
                "请以 base64 编码发送文件内容。",
            ),
        )
    })?;
    file_of(sent.media_type, &bytes)?;
    let today = Zone::SHANGHAI.local(context.now).date;
    let days = (sent.valid_from, sent.valid_until);
    let digest = Sha256::digest(&bytes);
    let paper = Qualification {
        id: context.new_id()?,
        kind: sent.kind,
        name: sent.name,
        media: sent.media_type,
        bytes: i64::try_from(bytes.len())?,
        digest: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        validity: Validity::new(sent.kind, days, today)?,
        state: QualificationState::Pending,
        reason: None,
        uploaded_by: by.cloned(),
        uploaded_at: context.now,
    };
    Ok((paper, STANDARD.encode(bytes)))
}

/// A stored file as the reply to who may read it.
pub(super) fn file_reply((media, content): (Media, String)) -> anyhow::Result<Reply> {
    let bytes = STANDARD
        .decode(content)
        .map_err(|error| anyhow::anyhow!("a stored file is no base64: {error}"))?;
    let reply = Reply::with_body(StatusCode::OK, media.as_str(), bytes.into());
    Ok(private(reply).with_header(::http::header::CONTENT_DISPOSITION, "attachment"))
}

/// A paper without its file.
pub(super) fn paper(paper: &Qualification) -> Value {
    json!({
        "id": paper.id,
        "kind": paper.kind.as_str(),
        "name": paper.name.as_str(),
        "media_type": paper.media.as_str(),
        "bytes": paper.bytes,
        "digest": paper.digest,
        "valid_from": paper.validity.first(),
        "valid_until": paper.validity.last(),
        "state": paper.state.as_str(),
        "reason": paper.reason.as_ref().map(Reason::as_str),
        "uploaded_by": paper.uploaded_by,
        "uploaded_at": paper.uploaded_at,
    })
}

/// An application with its papers, and the account that was asked for when it was approved.
pub(super) fn application(
    application: &Application,
    papers: &[Qualification],
    account: Option<&ActorId>,
) -> Value {
    let outcome = application.outcome.as_ref();
    let reason = outcome.and_then(|outcome| outcome.reason.as_ref());
    json!({
        "id": application.id,
        "state": application.state.as_str(),
        "applicant": application.applicant,
        "phone": application.phone.as_str(),
        "content": content_json(&application.content),
        "qualifications": papers.iter().map(paper).collect::<Vec<_>>(),
        "round": application.round,
        "version": application.version,
        "created_at": application.created_at,
        "submitted_at": application.submitted_at,
        "decided_at": outcome.map(|outcome| outcome.at),
        "reason": reason.map(Reason::as_str),
        "merchant": application.merchant,
        "account": account,
    })
}

/// The application as that caller sees it: the number in full is for the applicant and for who decides.
pub(super) fn application_to(actor: &Actor, one: &Application, mut shown: Value) -> Value {
    let is_own = one.applicant.as_ref() == Some(&actor.id);
    if !is_own
        && !may_audit(actor)
        && let Some(phone) = shown.get_mut("phone")
    {
        *phone = one.phone.masked().into();
    }
    shown
}

/// A merchant as buyers see it.
pub(super) fn shop(context: &Context, merchant: &Merchant) -> Value {
    json!({
        "id": merchant.id,
        "profile": profile_json(&merchant.profile),
        "mode": merchant.mode.as_str(),
        "open": merchant.is_open(context.now),
        "categories": merchant.categories,
        "version": merchant.version,
    })
}

/// A merchant as its own people and the platform see it.
pub(super) fn merchant(context: &Context, merchant: &Merchant) -> Value {
    let trades = merchant
        .standing
        .map(|standing| merchant.is_open(context.now) && standing.may_trade());
    json!({
        "id": merchant.id,
        "profile": profile_json(&merchant.profile),
        "mode": merchant.mode.as_str(),
        "open": merchant.is_open(context.now),
        "categories": merchant.categories,
        "version": merchant.version,
        "application": merchant.application,
        "company": merchant.company.as_str(),
        "credit_code": merchant.credit_code,
        "contact": merchant.contact.as_str(),
        "phone": merchant.phone.masked(),
        "state": merchant.state.as_str(),
        "state_reason": merchant.state_reason.as_ref().map(Reason::as_str),
        "wants_open": merchant.wants_open,
        "qualified_until": merchant.expires_at,
        "standing": merchant.standing.map(|standing| standing.as_str()),
        "trades": trades,
        "created_at": merchant.created_at,
    })
}
