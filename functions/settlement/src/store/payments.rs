//! Money that was asked for, and what it paid.

use anyhow::Context as _;
use kernel::{ActorId, PaymentId, StatementId, TenantId, Timestamp};
use store::{Read, Row, Tx};
use web::Page;

statements! {
    INSERT = "insert into settlement_payment (tenant, id, payment, purpose, party, payer, amount_minor, over_minor, state,
            requested_at, expires_at, ended_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

    PAYMENT = "select id, payment, purpose, party, payer, amount_minor, over_minor, state, requested_at, expires_at,
            ended_at
        from settlement_payment where tenant = $1 and id = $2";

    PAYMENTS_OF = "select id, payment, purpose, party, payer, amount_minor, over_minor, state, requested_at, expires_at,
            ended_at
        from settlement_payment where tenant = $1 and party = $2 and (cast($3 as text) is null or id < $3)
        order by id desc limit $4";

    END = "update settlement_payment set state = $3, over_minor = $4, ended_at = $5 where tenant = $1 and id = $2";

    INSERT_PAID = "insert into settlement_paid (tenant, payment, statement, amount_minor) values ($1, $2, $3, $4)";

    PAID_BY = "select statement, amount_minor from settlement_paid where tenant = $1 and payment = $2 order by statement";
}

/// What money is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Deposit,
    Statement,
    PlatformFee,
}

impl Purpose {
    const ALL: [Self; 3] = [Self::Deposit, Self::Statement, Self::PlatformFee];

    /// What payments calls it by.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Statement => "statement",
            Self::PlatformFee => "platform_fee",
        }
    }

    /// The one of that name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == text)
    }
}

/// How a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PaymentState {
    Requested,
    Succeeded,
    Closed,
}

impl PaymentState {
    const ALL: [Self; 3] = [Self::Requested, Self::Succeeded, Self::Closed];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Succeeded => "succeeded",
            Self::Closed => "closed",
        }
    }
}

/// A payment.
#[derive(Debug, Clone)]
pub(crate) struct Payment {
    /// Its id; that of payments, unless it was paid from what the merchant may draw.
    pub(crate) id: PaymentId,
    /// Whether a channel is asked.
    pub(crate) over_channel: bool,
    pub(crate) purpose: Purpose,
    /// The merchant, or the platform account.
    pub(crate) party: String,
    pub(crate) payer: ActorId,
    pub(crate) amount_minor: i64,
    pub(crate) over_minor: i64,
    pub(crate) state: PaymentState,
    pub(crate) requested_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
}

/// Adds a payment.
pub(crate) async fn insert(tx: &Tx, payment: &Payment) -> anyhow::Result<()> {
    let channel = payment.over_channel.then_some(&payment.id);
    let parameters = [
        tx.tenant().into(),
        (&payment.id).into(),
        channel.into(),
        payment.purpose.as_str().into(),
        (&payment.party).into(),
        (&payment.payer).into(),
        payment.amount_minor.into(),
        payment.over_minor.into(),
        payment.state.as_str().into(),
        payment.requested_at.into(),
        payment.expires_at.into(),
        payment.ended_at.into(),
    ];
    tx.execute(INSERT, &parameters).await
}

/// The payment.
pub(crate) async fn payment(
    db: &impl Read,
    tenant: &TenantId,
    id: &PaymentId,
) -> anyhow::Result<Option<Payment>> {
    let row = db.row(PAYMENT, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read).transpose()
}

/// The payments of a merchant or a platform account, the latest first.
pub(crate) async fn payments(
    db: &impl Read,
    (tenant, party): (&TenantId, &str),
    page: &Page<PaymentId>,
) -> anyhow::Result<Vec<Payment>> {
    let parameters = [
        tenant.into(),
        party.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(PAYMENTS_OF, &parameters).await?;
    rows.iter().map(read).collect()
}

/// Ends a payment.
pub(crate) async fn end(
    tx: &Tx,
    id: &PaymentId,
    (state, over_minor): (PaymentState, i64),
    now: Timestamp,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        id.into(),
        state.as_str().into(),
        over_minor.into(),
        now.into(),
    ];
    tx.execute(END, &parameters).await
}

/// Adds what a payment paid of a statement.
pub(crate) async fn insert_paid(
    tx: &Tx,
    payment: &PaymentId,
    (statement, amount_minor): (&StatementId, i64),
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        payment.into(),
        statement.into(),
        amount_minor.into(),
    ];
    tx.execute(INSERT_PAID, &parameters).await
}

/// What a payment paid.
pub(crate) async fn paid_by(
    db: &impl Read,
    tenant: &TenantId,
    payment: &PaymentId,
) -> anyhow::Result<Vec<(StatementId, i64)>> {
    let rows = db.rows(PAID_BY, &[tenant.into(), payment.into()]).await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.integer(1)?)))
        .collect()
}

fn read(row: &Row) -> anyhow::Result<Payment> {
    let state = row.text(7)?;
    let state = PaymentState::ALL
        .into_iter()
        .find(|known| known.as_str() == state);
    Ok(Payment {
        id: row.id(0)?,
        over_channel: row.optional_text(1)?.is_some(),
        purpose: Purpose::parse(row.text(2)?).context("a purpose is none")?,
        party: row.text(3)?.to_owned(),
        payer: row.id(4)?,
        amount_minor: row.integer(5)?,
        over_minor: row.integer(6)?,
        state: state.context("a payment's state is none")?,
        requested_at: row.timestamp(8)?,
        expires_at: row.timestamp(9)?,
        ended_at: row.optional_timestamp(10)?,
    })
}
