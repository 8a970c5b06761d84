//! Disputes and the evidence of both sides.

use anyhow::Context as _;
use kernel::{ActorId, DisputeId, EventId, MerchantId, TenantId, Timestamp};
use store::{Read, Row, Tx, Value};
use web::Page;

use super::orders::Whose;
use crate::domain::{Decided, Decision, Dispute, DisputeState, Side, changed_meanwhile};
use crate::rows_flow::word;

statements! {
    DISPUTE = "select id, order_id, after_sale, buyer, merchant, opened_by, state, claim, opened_at, evidence_until,
            decide_until, decision, amount_minor, decision_reason, decided_by, decided_at, refund, version
        from orders_dispute where tenant = $1 and id = $2";

    OF_BUYER = "select id, order_id, after_sale, buyer, merchant, opened_by, state, claim, opened_at, evidence_until,
            decide_until, decision, amount_minor, decision_reason, decided_by, decided_at, refund, version
        from orders_dispute
        where tenant = $1 and buyer = $2 and (cast($3 as text) is null or id < $3) order by id desc limit $4";

    OF_MERCHANT = "select id, order_id, after_sale, buyer, merchant, opened_by, state, claim, opened_at, evidence_until,
            decide_until, decision, amount_minor, decision_reason, decided_by, decided_at, refund, version
        from orders_dispute
        where tenant = $1 and merchant = $2 and (cast($3 as text) is null or id < $3) order by id desc limit $4";

    DISPUTES = "select id, order_id, after_sale, buyer, merchant, opened_by, state, claim, opened_at, evidence_until,
            decide_until, decision, amount_minor, decision_reason, decided_by, decided_at, refund, version
        from orders_dispute
        where tenant = $1 and (cast($2 as text) is null or id < $2) order by id desc limit $3";

    INSERT_DISPUTE = "insert into orders_dispute (tenant, id, order_id, after_sale, buyer, merchant, opened_by, state,
            claim, opened_at, evidence_until, decide_until, decision, amount_minor, decision_reason, decided_by,
            decided_at, refund, version)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
        on conflict do nothing returning id";

    UPDATE_DISPUTE = "update orders_dispute set state = $4, decision = $5, amount_minor = $6, decision_reason = $7,
            decided_by = $8, decided_at = $9, refund = $10, version = version + 1
        where tenant = $1 and id = $2 and version = $3
        returning version";

    INSERT_EVIDENCE = "insert into orders_evidence (tenant, id, dispute, side, author, words, files, at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)";

    EVIDENCE = "select id, side, author, words, files, at
        from orders_evidence where tenant = $1 and dispute = $2 order by id limit 200";

    IS_DISPUTED = "select id from orders_dispute
        where tenant = $1 and merchant = $2 and buyer = $3 limit 1";
}

/// What one side brings.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    pub(crate) id: EventId,
    pub(crate) side: Side,
    pub(crate) author: ActorId,
    pub(crate) words: String,
    pub(crate) files: Vec<String>,
    pub(crate) at: Timestamp,
}

/// The dispute.
pub(crate) async fn dispute(
    db: &impl Read,
    tenant: &TenantId,
    id: &DisputeId,
) -> anyhow::Result<Option<Dispute>> {
    let row = db.row(DISPUTE, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read).transpose()
}

/// A page of disputes, the latest first.
pub(crate) async fn disputes(
    db: &impl Read,
    (tenant, whose): (&TenantId, &Whose),
    page: &Page<DisputeId>,
) -> anyhow::Result<Vec<Dispute>> {
    let (sql, who): (&str, Option<Value>) = match whose {
        Whose::Buyer(buyer) => (OF_BUYER, Some(buyer.into())),
        Whose::Merchant(merchant) => (OF_MERCHANT, Some(merchant.into())),
        Whose::Everybody => (DISPUTES, None),
    };
    let tail: [Value; 2] = [page.after.as_ref().into(), page.rows().into()];
    let parameters: Vec<Value> = [tenant.into()].into_iter().chain(who).chain(tail).collect();
    let rows = db.rows(sql, &parameters).await?;
    rows.iter().map(read).collect()
}

/// Whether the two have, or had, a dispute.
pub(crate) async fn is_disputed(
    db: &impl Read,
    tenant: &TenantId,
    (merchant, buyer): (&MerchantId, &ActorId),
) -> anyhow::Result<bool> {
    let parameters = [tenant.into(), merchant.into(), buyer.into()];
    Ok(db.row(IS_DISPUTED, &parameters).await?.is_some())
}

fn read(row: &Row) -> anyhow::Result<Dispute> {
    let decided = match row.optional_text(11)? {
        None => None,
        Some(_) => Some(Decided {
            decision: word(row, 11, Decision::parse)?,
            amount_minor: row.integer(12)?,
            reason: row.text(13)?.to_owned(),
            by: row.id(14)?,
            at: row.timestamp(15)?,
        }),
    };
    Ok(Dispute {
        id: row.id(0)?,
        order: row.id(1)?,
        after_sale: row.optional_id(2)?,
        buyer: row.id(3)?,
        merchant: row.id(4)?,
        opened_by: word(row, 5, Side::parse)?,
        state: word(row, 6, DisputeState::parse)?,
        claim: row.text(7)?.to_owned(),
        opened_at: row.timestamp(8)?,
        evidence_until: row.timestamp(9)?,
        decide_until: row.timestamp(10)?,
        decided,
        refund: row.optional_id(16)?,
        version: row.integer(17)?,
    })
}

/// Adds a dispute; whether none was open of that order.
pub(crate) async fn insert_dispute(tx: &Tx, dispute: &Dispute) -> anyhow::Result<bool> {
    let none: Option<&str> = None;
    let parameters = [
        tx.tenant().into(),
        (&dispute.id).into(),
        (&dispute.order).into(),
        dispute.after_sale.as_ref().into(),
        (&dispute.buyer).into(),
        (&dispute.merchant).into(),
        dispute.opened_by.as_str().into(),
        dispute.state.as_str().into(),
        (&dispute.claim).into(),
        dispute.opened_at.into(),
        dispute.evidence_until.into(),
        dispute.decide_until.into(),
        none.into(),
        None::<i64>.into(),
        none.into(),
        none.into(),
        None::<i64>.into(),
        dispute.refund.as_ref().into(),
        dispute.version.into(),
    ];
    Ok(tx.row(INSERT_DISPUTE, &parameters).await?.is_some())
}

/// Stores a dispute that is still as it was read; its version counts up.
///
/// # Errors
/// 409 when somebody else changed it; a failure of the database.
pub(crate) async fn update_dispute(tx: &Tx, dispute: &mut Dispute) -> anyhow::Result<()> {
    let decided = dispute.decided.as_ref();
    let parameters = [
        tx.tenant().into(),
        (&dispute.id).into(),
        dispute.version.into(),
        dispute.state.as_str().into(),
        decided.map(|decided| decided.decision.as_str()).into(),
        decided.map(|decided| decided.amount_minor).into(),
        decided.map(|decided| decided.reason.as_str()).into(),
        decided.map(|decided| decided.by.as_str()).into(),
        decided.map(|decided| decided.at).into(),
        dispute.refund.as_ref().into(),
    ];
    let row = tx.row(UPDATE_DISPUTE, &parameters).await?;
    dispute.version = row.ok_or_else(changed_meanwhile)?.integer(0)?;
    Ok(())
}

/// Adds evidence.
pub(crate) async fn insert_evidence(
    tx: &Tx,
    dispute: &DisputeId,
    evidence: &Evidence,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&evidence.id).into(),
        dispute.into(),
        evidence.side.as_str().into(),
        (&evidence.author).into(),
        (&evidence.words).into(),
        serde_json::to_string(&evidence.files)?.into(),
        evidence.at.into(),
    ];
    tx.execute(INSERT_EVIDENCE, &parameters).await
}

/// What both sides brought, the first one first.
pub(crate) async fn evidence(
    db: &impl Read,
    tenant: &TenantId,
    dispute: &DisputeId,
) -> anyhow::Result<Vec<Evidence>> {
    let rows = db.rows(EVIDENCE, &[tenant.into(), dispute.into()]).await?;
    rows.iter()
        .map(|row| {
            Ok(Evidence {
                id: row.id(0)?,
                side: word(row, 1, Side::parse)?,
                author: row.id(2)?,
                words: row.text(3)?.to_owned(),
                files: serde_json::from_str(row.text(4)?).context("reading a list of files")?,
                at: row.timestamp(5)?,
            })
        })
        .collect()
}
