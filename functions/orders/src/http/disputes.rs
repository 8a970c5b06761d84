//! `/api/disputes`: the operator is called, both sides bring evidence, the operator decides.

use kernel::{
    ActorId, AfterSaleId, DisputeId, EventId, MerchantId, OrderId, RefundId, Refusal, Timestamp,
};
use serde::{Deserialize, Serialize};
use store::{Read, Tx};
use web::{Query, Reply, Request};

use super::{answer, path_id, replied, stored, write, write_once};
use crate::context::Context;
use crate::disputing::{self, Claim, Verdict};
use crate::domain::{
    Decision, Dispute, Order, Party, Side, Words, buyer_only, operator_only, party_of,
    unknown_dispute, unknown_order,
};
use crate::party::{self, Caller};
use crate::store::disputes::{self as sql, Evidence};
use crate::store::orders;

/// The most files of one piece of evidence.
const FILES_MAX: usize = 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewDispute {
    claim: Words,
    #[serde(default)]
    after_sale: Option<AfterSaleId>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewEvidence {
    words: Words,
    /// Where pictures and papers are kept.
    #[serde(default)]
    files: Vec<Words>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewDecision {
    decision: Decision,
    #[serde(default)]
    amount_minor: Option<i64>,
    reason: Words,
}

#[derive(Serialize)]
struct Shown {
    id: DisputeId,
    order: OrderId,
    after_sale: Option<AfterSaleId>,
    buyer: ActorId,
    merchant: MerchantId,
    opened_by: &'static str,
    state: &'static str,
    claim: String,
    opened_at: Timestamp,
    evidence_until: Timestamp,
    decide_until: Timestamp,
    decision: Option<&'static str>,
    amount_minor: Option<i64>,
    decision_reason: Option<String>,
    decided_by: Option<ActorId>,
    decided_at: Option<Timestamp>,
    refund: Option<RefundId>,
    version: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<Vec<ShownEvidence>>,
}

#[derive(Serialize)]
struct ShownEvidence {
    id: EventId,
    side: &'static str,
    author: ActorId,
    words: String,
    files: Vec<String>,
    at: Timestamp,
}

pub(super) async fn open(context: &Context, request: &Request, id: &str) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let new: NewDispute = web::body(request)?;
    let made = write(context, request, &caller.actor, async |tx| {
        let (mut order, party) = caller.order(tx, id).await?;
        let claim = Claim {
            side: side(&caller, tx, party, &order.merchant).await?,
            after_sale: new.after_sale.clone(),
            words: new.claim.as_str().to_owned(),
        };
        let made = disputing::open(context, tx, &caller.actor, (&mut order, claim)).await?;
        answer(201, &shown(made))
    })
    .await?;
    stored(&made, "/api/disputes")
}

/// For which side the caller speaks.
async fn side(
    caller: &Caller,
    db: &impl Read,
    party: Party,
    merchant: &MerchantId,
) -> anyhow::Result<Side> {
    if party == Party::Buyer {
        return Ok(Side::Buyer);
    }
    caller.sells(db, party, merchant).await?;
    Ok(Side::Merchant)
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let mut query = Query::of(request)?;
    let merchant = query.take("merchant", MerchantId::parse)?;
    let page = query.page(DisputeId::parse)?;
    query.finish()?;
    let whose = caller.whose(merchant)?;
    let found = sql::disputes(&context.db, (&caller.actor.tenant, &whose), &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |dispute| dispute.id.to_string(),
        shown,
    )))
}

pub(super) async fn show(context: &Context, request: &Request, id: &str) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let (dispute, _) = seen(&context.db, &caller, id).await?;
    let brought = sql::evidence(&context.db, &caller.actor.tenant, &dispute.id).await?;
    let version = dispute.version;
    let content = Shown {
        evidence: Some(brought.into_iter().map(shown_evidence).collect()),
        ..shown(dispute)
    };
    Ok(Reply::ok(&content).with_etag(version))
}

/// The dispute, and the caller's part in it.
async fn seen(db: &impl Read, caller: &Caller, text: &str) -> anyhow::Result<(Dispute, Party)> {
    let id: DisputeId = path_id(text, unknown_dispute)?;
    let found = sql::dispute(db, &caller.actor.tenant, &id).await?;
    let found = found.ok_or_else(unknown_dispute)?;
    let of = (&found.buyer, Some(&found.merchant));
    let party = party_of(&caller.actor, &caller.shops, of).ok_or_else(unknown_dispute)?;
    Ok((found, party))
}

async fn order_of(tx: &Tx, dispute: &Dispute) -> anyhow::Result<Order> {
    let order = orders::order(tx, tx.tenant(), &dispute.order).await?;
    Ok(order.ok_or_else(unknown_order)?)
}

pub(super) async fn bring(context: &Context, request: &Request, id: &str) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let new: NewEvidence = web::body(request)?;
    if new.files.len() > FILES_MAX {
        return Err(too_many_files().into());
    }
    let made = write(context, request, &caller.actor, async |tx| {
        let (dispute, party) = seen(tx, &caller, id).await?;
        let evidence = Evidence {
            id: context.new_id()?,
            side: match party {
                Party::Operator => Side::Operator,
                party => side(&caller, tx, party, &dispute.merchant).await?,
            },
            author: caller.actor.id.clone(),
            words: new.words.as_str().to_owned(),
            files: new
                .files
                .iter()
                .map(|file| file.as_str().to_owned())
                .collect(),
            at: context.now,
        };
        disputing::add_evidence(context, tx, &dispute, &evidence).await?;
        answer(201, &shown_evidence(evidence))
    })
    .await?;
    replied(&made)
}

pub(super) async fn withdraw(
    context: &Context,
    request: &Request,
    id: &str,
) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let done = write(context, request, &caller.actor, async |tx| {
        let (mut dispute, party) = seen(tx, &caller, id).await?;
        match dispute.opened_by {
            Side::Buyer => buyer_only(party)?,
            _ => caller.sells(tx, party, &dispute.merchant).await?,
        }
        let mut order = order_of(tx, &dispute).await?;
        disputing::withdraw(context, tx, &caller.actor, (&mut order, &mut dispute)).await?;
        answer(200, &shown(dispute))
    })
    .await?;
    replied(&done)
}

pub(super) async fn decide(
    context: &Context,
    request: &Request,
    id: &str,
) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let (_, party) = seen(&context.db, &caller, id).await?;
    operator_only(party)?;
    let new: NewDecision = web::body(request)?;
    let done = write_once(context, request, &caller.actor, async |tx| {
        let (mut dispute, party) = seen(tx, &caller, id).await?;
        operator_only(party)?;
        let mut order = order_of(tx, &dispute).await?;
        let verdict = Verdict {
            decision: new.decision,
            amount_minor: new.amount_minor,
            reason: new.reason.as_str().to_owned(),
        };
        let what = (&mut order, &mut dispute, verdict);
        disputing::decide(context, tx, &caller.actor, what).await?;
        answer(200, &shown(dispute))
    })
    .await?;
    replied(&done)
}

fn shown(dispute: Dispute) -> Shown {
    let decided = dispute.decided;
    Shown {
        id: dispute.id,
        order: dispute.order,
        after_sale: dispute.after_sale,
        buyer: dispute.buyer,
        merchant: dispute.merchant,
        opened_by: dispute.opened_by.as_str(),
        state: dispute.state.as_str(),
        claim: dispute.claim,
        opened_at: dispute.opened_at,
        evidence_until: dispute.evidence_until,
        decide_until: dispute.decide_until,
        decision: decided.as_ref().map(|decided| decided.decision.as_str()),
        amount_minor: decided.as_ref().map(|decided| decided.amount_minor),
        decided_at: decided.as_ref().map(|decided| decided.at),
        decided_by: decided.as_ref().map(|decided| decided.by.clone()),
        decision_reason: decided.map(|decided| decided.reason),
        refund: dispute.refund,
        version: dispute.version,
        evidence: None,
    }
}

fn shown_evidence(evidence: Evidence) -> ShownEvidence {
    ShownEvidence {
        id: evidence.id,
        side: evidence.side.as_str(),
        author: evidence.author,
        words: evidence.words,
        files: evidence.files,
        at: evidence.at,
    }
}

fn too_many_files() -> Refusal {
    Refusal::invalid(
        "files_count",
        kernel::Message::new(
            format!("Name at most {FILES_MAX} files at once."),
            format!("每次最多提交 {FILES_MAX} 个文件。"),
        ),
    )
}
