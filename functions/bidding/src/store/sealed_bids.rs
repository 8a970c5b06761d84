//! What was bid in sealed rounds, what secures it, and which ranks are let now.

use anyhow::Context as _;
use kernel::{MerchantId, PaymentId, RefundId, SealedBidId, SealedRoundId, TenantId, Timestamp};
use store::{Read, Row, Tx};

use crate::domain::{BidState, Forfeit, SealedBid, Target};

statements! {
    INSERT = "insert into bidding_sealed_bid (tenant, id, round, merchant, creative, amount_minor, bid_version, state,
            slot, price_minor, payment, paid_minor, refund, refund_state, made_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, null, null, $9, 0, null, null, $10)";

    OF_ROUND = "select id, round, merchant, creative, amount_minor, bid_version, state, slot, price_minor, payment,
            paid_minor, refund, refund_state, made_at, forfeit_reason, forfeit_transaction
        from bidding_sealed_bid where tenant = $1 and round = $2 order by merchant";

    OF_MERCHANT = "select id, round, merchant, creative, amount_minor, bid_version, state, slot, price_minor, payment,
            paid_minor, refund, refund_state, made_at, forfeit_reason, forfeit_transaction
        from bidding_sealed_bid where tenant = $1 and round = $2 and merchant = $3";

    OF_PERSON = "select id, round, merchant, creative, amount_minor, bid_version, state, slot, price_minor, payment,
            paid_minor, refund, refund_state, made_at, forfeit_reason, forfeit_transaction
        from bidding_sealed_bid where tenant = $1 and round = $2
          and merchant in (select merchant from bidding_member where tenant = $1 and person = $3)
        order by merchant";

    OF_PAYMENT = "select id, round, merchant, creative, amount_minor, bid_version, state, slot, price_minor, payment,
            paid_minor, refund, refund_state, made_at, forfeit_reason, forfeit_transaction
        from bidding_sealed_bid where tenant = $1 and payment = $2";

    UPDATE = "update bidding_sealed_bid set creative = $3, amount_minor = $4, bid_version = $5, state = $6, slot = $7,
            price_minor = $8, payment = $9, paid_minor = $10, refund = $11, refund_state = $12,
            forfeit_reason = $13, forfeit_transaction = $14
        where tenant = $1 and id = $2";

    REFUNDED = "update bidding_sealed_bid set refund_state = $3 where tenant = $1 and refund = $2";

    LET_NOW = "select b.id, b.merchant, b.creative, b.slot, k.landing, k.title, k.body, k.image, m.name
        from bidding_sealed_round r
        join bidding_sealed_bid b on b.tenant = r.tenant and b.round = r.id and b.state = 'won'
        join bidding_creative k on k.tenant = b.tenant and k.id = b.creative
        join bidding_merchant m on m.tenant = b.tenant and m.id = b.merchant
        where r.tenant = $1 and r.target_kind = $2 and r.target = $3 and r.ends_at > $4 and r.starts_at <= $4
          and r.state = 'cleared' and k.approved = 1 and m.open = 1 and m.may_trade = 1
        order by b.slot";
}

/// A rank that is let now, and what is shown there.
#[derive(Debug, Clone)]
pub(crate) struct Let {
    pub(crate) bid: SealedBidId,
    pub(crate) merchant: MerchantId,
    pub(crate) creative: kernel::CreativeId,
    pub(crate) slot: i64,
    pub(crate) landing: String,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) image: Option<String>,
    pub(crate) advertiser: String,
}

/// Adds a bid.
pub(crate) async fn insert(tx: &Tx, bid: &SealedBid) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&bid.id).into(),
        (&bid.round).into(),
        (&bid.merchant).into(),
        (&bid.creative).into(),
        bid.amount_minor.into(),
        bid.bid_version.into(),
        bid.state.as_str().into(),
        (&bid.payment).into(),
        bid.made_at.into(),
    ];
    tx.execute(INSERT, &parameters).await
}

/// All bids of a round.
pub(crate) async fn of_round(
    db: &impl Read,
    tenant: &TenantId,
    round: &SealedRoundId,
) -> anyhow::Result<Vec<SealedBid>> {
    let rows = db.rows(OF_ROUND, &[tenant.into(), round.into()]).await?;
    rows.iter().map(read).collect()
}

/// The bids of those for whom a person acts.
pub(crate) async fn of_person(
    db: &impl Read,
    tenant: &TenantId,
    (round, person): (&SealedRoundId, &kernel::ActorId),
) -> anyhow::Result<Vec<SealedBid>> {
    let parameters = [tenant.into(), round.into(), person.into()];
    let rows = db.rows(OF_PERSON, &parameters).await?;
    rows.iter().map(read).collect()
}

/// The bid of a merchant.
pub(crate) async fn of_merchant(
    db: &impl Read,
    tenant: &TenantId,
    (round, merchant): (&SealedRoundId, &MerchantId),
) -> anyhow::Result<Option<SealedBid>> {
    let parameters = [tenant.into(), round.into(), merchant.into()];
    let row = db.row(OF_MERCHANT, &parameters).await?;
    row.as_ref().map(read).transpose()
}

/// The bid that a payment secures.
pub(crate) async fn of_payment(tx: &Tx, payment: &PaymentId) -> anyhow::Result<Option<SealedBid>> {
    let row = tx
        .row(OF_PAYMENT, &[tx.tenant().into(), payment.into()])
        .await?;
    row.as_ref().map(read).transpose()
}

/// Stores a bid as it is.
pub(crate) async fn update(tx: &Tx, bid: &SealedBid) -> anyhow::Result<()> {
    let forfeit = bid.forfeit.as_ref();
    let parameters = [
        tx.tenant().into(),
        (&bid.id).into(),
        (&bid.creative).into(),
        bid.amount_minor.into(),
        bid.bid_version.into(),
        bid.state.as_str().into(),
        bid.slot.into(),
        bid.price_minor.into(),
        (&bid.payment).into(),
        bid.paid_minor.into(),
        bid.refund.as_ref().into(),
        bid.refund_state.as_ref().into(),
        forfeit.map(|forfeit| &forfeit.reason).into(),
        forfeit.map(|forfeit| &forfeit.transaction).into(),
    ];
    tx.execute(UPDATE, &parameters).await
}

/// How the going back of a deposit stands.
pub(crate) async fn refunded(tx: &Tx, refund: &RefundId, state: &str) -> anyhow::Result<()> {
    tx.execute(REFUNDED, &[tx.tenant().into(), refund.into(), state.into()])
        .await
}

/// Which ranks of a place are let now.
pub(crate) async fn let_now(
    db: &impl Read,
    (tenant, target): (&TenantId, &Target),
    now: Timestamp,
) -> anyhow::Result<Vec<Let>> {
    let parameters = [
        tenant.into(),
        target.kind.as_str().into(),
        (&target.value).into(),
        now.into(),
    ];
    let rows = db.rows(LET_NOW, &parameters).await?;
    let read = |row: &Row| {
        Ok(Let {
            bid: row.id(0)?,
            merchant: row.id(1)?,
            creative: row.id(2)?,
            slot: row.integer(3)?,
            landing: row.text(4)?.to_owned(),
            title: row.text(5)?.to_owned(),
            body: row.text(6)?.to_owned(),
            image: row.optional_text(7)?.map(str::to_owned),
            advertiser: row.text(8)?.to_owned(),
        })
    };
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> anyhow::Result<SealedBid> {
    Ok(SealedBid {
        id: row.id(0)?,
        round: row.id(1)?,
        merchant: row.id(2)?,
        creative: row.id(3)?,
        amount_minor: row.integer(4)?,
        bid_version: row.integer(5)?,
        state: BidState::parse(row.text(6)?).context("a sealed bid's state is none")?,
        slot: row.optional_integer(7)?,
        price_minor: row.optional_integer(8)?,
        payment: row.id(9)?,
        paid_minor: row.integer(10)?,
        refund: row.optional_id(11)?,
        refund_state: row.optional_text(12)?.map(str::to_owned),
        made_at: row.timestamp(13)?,
        forfeit: match (row.optional_text(14)?, row.optional_id(15)?) {
            (Some(reason), Some(transaction)) => Some(Forfeit {
                reason: reason.to_owned(),
                transaction,
            }),
            _ => None,
        },
    })
}
