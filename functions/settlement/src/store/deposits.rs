//! Deposits that are to be given back. How much is deposited stands in the ledger.

use kernel::{ActorId, MerchantId, TenantId, Timestamp};
use store::{Read, Row, Tx};
use web::Page;

use super::Whose;

statements! {
    INSERT_REFUND = "insert into settlement_deposit_refund (tenant, merchant, number, amount_minor, state, reason,
            requested_by, requested_at, decided_by, decided_at)
        values ($1, $2, $3, $4, 'requested', $5, $6, $7, null, null)";

    LAST_REFUND = "select number, amount_minor, state, reason, requested_by, requested_at, decided_by, decided_at
        from settlement_deposit_refund where tenant = $1 and merchant = $2 order by number desc limit 1";

    DECIDE = "update settlement_deposit_refund set state = $4, decided_by = $5, decided_at = $6
        where tenant = $1 and merchant = $2 and number = $3 and state = 'requested'";

    MERCHANTS = "select id from settlement_merchant
        where tenant = $1
          and (cast($2 as text) is null
            or id in (select merchant from settlement_member where tenant = $1 and person = $2))
          and (cast($3 as text) is null or id = $3) and (cast($4 as text) is null or id > $4)
        order by id limit $5";
}

/// The giving back of a deposit.
#[derive(Debug, Clone)]
pub(crate) struct Refund {
    pub(crate) number: i64,
    pub(crate) amount_minor: i64,
    pub(crate) state: String,
    pub(crate) reason: String,
    pub(crate) requested_by: ActorId,
    pub(crate) requested_at: Timestamp,
    pub(crate) decided_by: Option<ActorId>,
    pub(crate) decided_at: Option<Timestamp>,
}

impl Refund {
    /// Whether it waits for somebody to decide.
    pub(crate) fn is_open(&self) -> bool {
        self.state == "requested"
    }
}

/// Adds a request.
pub(crate) async fn insert_refund(
    tx: &Tx,
    merchant: &MerchantId,
    refund: &Refund,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        merchant.into(),
        refund.number.into(),
        refund.amount_minor.into(),
        (&refund.reason).into(),
        (&refund.requested_by).into(),
        refund.requested_at.into(),
    ];
    tx.execute(INSERT_REFUND, &parameters).await
}

/// The latest request of a merchant.
pub(crate) async fn last_refund(
    db: &impl Read,
    tenant: &TenantId,
    merchant: &MerchantId,
) -> anyhow::Result<Option<Refund>> {
    let row = db
        .row(LAST_REFUND, &[tenant.into(), merchant.into()])
        .await?;
    row.as_ref().map(read).transpose()
}

/// Ends a request.
pub(crate) async fn decide(
    tx: &Tx,
    (merchant, number): (&MerchantId, i64),
    (state, actor, now): (&str, &ActorId, Timestamp),
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        merchant.into(),
        number.into(),
        state.into(),
        actor.into(),
        now.into(),
    ];
    tx.execute(DECIDE, &parameters).await
}

/// The merchants that a list shows, by their ids.
pub(crate) async fn merchants(
    db: &impl Read,
    (tenant, whose): (&TenantId, &Whose<'_>),
    page: &Page<MerchantId>,
) -> anyhow::Result<Vec<MerchantId>> {
    let [person, merchant] = whose.parameters();
    let parameters = [
        tenant.into(),
        person,
        merchant,
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(MERCHANTS, &parameters).await?;
    rows.iter().map(|row| row.id(0)).collect()
}

fn read(row: &Row) -> anyhow::Result<Refund> {
    Ok(Refund {
        number: row.integer(0)?,
        amount_minor: row.integer(1)?,
        state: row.text(2)?.to_owned(),
        reason: row.text(3)?.to_owned(),
        requested_by: row.id(4)?,
        requested_at: row.timestamp(5)?,
        decided_by: row.optional_id(6)?,
        decided_at: row.optional_timestamp(7)?,
    })
}
