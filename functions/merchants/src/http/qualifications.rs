//! `/api/merchants/{merchant}/qualifications`: licences that a merchant renews, and who accepts them.

use kernel::{Actor, Message, QualificationId, Refusal};
use serde::Deserialize;
use serde_json::{Value, json};
use store::Tx;
use web::{Reply, Request};
use wire::event::MerchantQualificationDecided;

use super::merchants::seen_inside;
use super::shown::{file_reply, paper as shown, sent_paper};
use super::{answer, caller, path_id, private, replied, write};
use crate::context::Context;
use crate::domain::{
    Merchant, QUALIFICATIONS_MAX, Qualification, QualificationState, Reason, accepted,
    check_auditor, unknown_qualification,
};
use crate::facts;
use crate::keeping::{self, Changed};
use crate::store::qualifications::{self as sql, Owner};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentDecision {
    accepted: bool,
    reason: Option<Reason>,
}

pub(super) async fn list(
    context: &Context,
    request: &Request,
    merchant: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let (found, _) = seen_inside(&context.db, &actor, merchant).await?;
    let papers = sql::papers(&context.db, &actor.tenant, Owner::Merchant(&found.id)).await?;
    let items: Vec<Value> = papers.iter().map(shown).collect();
    Ok(private(Reply::ok(&json!({"items": items, "next": null}))))
}

pub(super) async fn hand_in(
    context: &Context,
    request: &Request,
    merchant: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let (_, relation) = seen_inside(&context.db, &actor, merchant).await?;
    relation.check_owner()?;
    let (paper, content) = sent_paper(context, request, Some(&actor.id))?;
    let kept = write(context, request, &actor, async |tx| {
        let (before, _) = seen_inside(tx, &actor, merchant).await?;
        let owner = Owner::Merchant(&before.id);
        let papers = sql::papers(tx, tx.tenant(), owner).await?;
        let counts = |paper: &&Qualification| paper.state != QualificationState::Refused;
        if papers.iter().filter(counts).count() >= QUALIFICATIONS_MAX
            || papers.len() >= 4 * QUALIFICATIONS_MAX
        {
            return Err(too_many_papers().into());
        }
        sql::put_paper(tx, owner, &paper, &content).await?;
        answer(201, &shown(&paper))
    })
    .await?;
    Ok(private(replied(&kept)?))
}

pub(super) async fn file(
    context: &Context,
    request: &Request,
    (merchant, qualification): (&str, &str),
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let (found, _) = seen_inside(&context.db, &actor, merchant).await?;
    let id = path_id(qualification, unknown_qualification)?;
    let owner = Owner::Merchant(&found.id);
    let file = sql::content(&context.db, &actor.tenant, &id, owner).await?;
    file_reply(file.ok_or_else(unknown_qualification)?)
}

pub(super) async fn decide(
    context: &Context,
    request: &Request,
    (merchant, qualification): (&str, &str),
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    seen_inside(&context.db, &actor, merchant).await?;
    check_auditor(&actor)?;
    let id: QualificationId = path_id(qualification, unknown_qualification)?;
    let sent: SentDecision = web::body(request)?;
    let refused_because = match (sent.accepted, sent.reason) {
        (true, _) => None,
        (false, Some(reason)) => Some(reason),
        (false, None) => return Err(reason_required().into()),
    };
    let decided = write(context, request, &actor, async |tx| {
        let (before, _) = seen_inside(tx, &actor, merchant).await?;
        let papers = sql::papers(tx, tx.tenant(), Owner::Merchant(&before.id)).await?;
        let paper = papers.iter().find(|paper| paper.id == id);
        let paper = paper.ok_or_else(unknown_qualification)?;
        if paper.uploaded_by.as_ref() == Some(&actor.id) {
            return Err(own_paper().into());
        }
        let after = accepted(paper, refused_because.clone())?;
        sql::decide_paper(tx, &after, &actor.id).await?;
        told(context, tx, &actor, (before, &after)).await?;
        answer(200, &shown(&after))
    })
    .await?;
    Ok(private(replied(&decided)?))
}

/// An accepted paper may let the shop open again.
async fn told(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    (before, paper): (Merchant, &Qualification),
) -> anyhow::Result<()> {
    let is_accepted = paper.state == QualificationState::Accepted;
    let fact = MerchantQualificationDecided {
        qualification: paper.id.clone(),
        merchant: before.id.clone(),
        kind: paper.kind.as_str().to_owned(),
        accepted: is_accepted,
        reason: paper
            .reason
            .as_ref()
            .map(|reason| reason.as_str().to_owned()),
        actor: actor.id.clone(),
    };
    facts::append(context, tx, &fact).await?;
    if !is_accepted {
        return Ok(());
    }
    let after = Merchant {
        version: before.version + 1,
        ..before
    };
    let after = keeping::with_expiry(tx, after).await?;
    let changed = Changed {
        actor,
        fields: &["qualifications"],
        on_behalf: false,
        reason: None,
    };
    keeping::save(context, tx, &after, &changed).await
}

pub(super) fn too_many_papers() -> Refusal {
    Refusal::conflict(
        "too_many_qualifications",
        Message::new(
            format!("At most {QUALIFICATIONS_MAX} papers are kept. Hand in those that count."),
            format!("最多保存 {QUALIFICATIONS_MAX} 份资质文件。"),
        ),
    )
}

fn reason_required() -> Refusal {
    Refusal::invalid(
        "reason_required",
        Message::new(
            "Say why, so that the merchant knows what to hand in.",
            "请填写原因，以便商家了解应提交的资质。",
        ),
    )
}

fn own_paper() -> Refusal {
    Refusal::forbidden(
        "own_qualification",
        Message::new(
            "Nobody decides on a paper that they handed in. Ask a colleague.",
            "不能审核本人上传的资质，请由其他人员审核。",
        ),
    )
}
