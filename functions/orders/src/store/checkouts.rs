//! Checkouts: what is bought at once, and how its payment stands.

use anyhow::Context as _;
use kernel::{ActorId, CheckoutId, PaymentId, TenantId, Timestamp};
use store::{Read, Row, Tx};
use web::Page;

use crate::domain::{Checkout, PaymentState, unknown_checkout};

statements! {
    CHECKOUT = "select id, buyer, community, total_minor, payment, state, channel, placed_at, expires_at, paid_at, version
        from orders_checkout where tenant = $1 and id = $2";

    CHECKOUTS_OF = "select id, buyer, community, total_minor, payment, state, channel, placed_at, expires_at, paid_at,
            version
        from orders_checkout
        where tenant = $1 and buyer = $2 and (cast($3 as text) is null or id < $3)
        order by id desc limit $4";

    INSERT_CHECKOUT = "insert into orders_checkout (tenant, id, buyer, community, total_minor, payment, state, channel,
            placed_at, expires_at, paid_at, version)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

    UPDATE_CHECKOUT = "update orders_checkout set total_minor = $4, payment = $5, state = $6, channel = $7, paid_at = $8,
            version = version + 1
        where tenant = $1 and id = $2 and version = $3
        returning version";

    EXPIRED = "select tenant, id from orders_checkout where state = 'unpaid' and expires_at <= $1
        order by expires_at limit $2";
}

/// The checkout.
pub(crate) async fn checkout(
    db: &impl Read,
    tenant: &TenantId,
    id: &CheckoutId,
) -> anyhow::Result<Option<Checkout>> {
    let row = db.row(CHECKOUT, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read).transpose()
}

/// The checkouts of a buyer, the latest first.
pub(crate) async fn checkouts_of(
    db: &impl Read,
    (tenant, buyer): (&TenantId, &ActorId),
    page: &Page<CheckoutId>,
) -> anyhow::Result<Vec<Checkout>> {
    let parameters = [
        tenant.into(),
        buyer.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(CHECKOUTS_OF, &parameters).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> anyhow::Result<Checkout> {
    Ok(Checkout {
        id: row.id(0)?,
        buyer: row.id(1)?,
        community: row.id(2)?,
        total_minor: row.integer(3)?,
        payment: row.optional_id(4)?,
        state: PaymentState::parse(row.text(5)?).context("a checkout's state is none")?,
        channel: row.optional_text(6)?.map(str::to_owned),
        placed_at: row.timestamp(7)?,
        expires_at: row.timestamp(8)?,
        paid_at: row.optional_timestamp(9)?,
        version: row.integer(10)?,
    })
}

/// Adds a checkout.
pub(crate) async fn insert_checkout(tx: &Tx, checkout: &Checkout) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&checkout.id).into(),
        (&checkout.buyer).into(),
        (&checkout.community).into(),
        checkout.total_minor.into(),
        checkout.payment.as_ref().into(),
        checkout.state.as_str().into(),
        checkout.channel.clone().into(),
        checkout.placed_at.into(),
        checkout.expires_at.into(),
        checkout.paid_at.into(),
        checkout.version.into(),
    ];
    tx.execute(INSERT_CHECKOUT, &parameters).await
}

/// Stores a checkout that is still as it was read; its version counts up.
///
/// # Errors
/// When somebody else changed it; a failure of the database.
pub(crate) async fn update_checkout(tx: &Tx, checkout: &mut Checkout) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&checkout.id).into(),
        checkout.version.into(),
        checkout.total_minor.into(),
        checkout.payment.as_ref().into(),
        checkout.state.as_str().into(),
        checkout.channel.clone().into(),
        checkout.paid_at.into(),
    ];
    let row = tx.row(UPDATE_CHECKOUT, &parameters).await?;
    checkout.version = row.ok_or_else(unknown_checkout)?.integer(0)?;
    Ok(())
}

/// The checkouts that were not paid in time, at most `limit`.
pub(crate) async fn expired(
    db: &impl Read,
    now: Timestamp,
    limit: i64,
) -> anyhow::Result<Vec<(TenantId, CheckoutId)>> {
    let rows = db.rows(EXPIRED, &[now.into(), limit.into()]).await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.id(1)?)))
        .collect()
}

/// Whether the payment is the one that the checkout waits for.
pub(crate) fn waits_for(checkout: &Checkout, payment: &PaymentId) -> bool {
    checkout.state == PaymentState::Unpaid && checkout.payment.as_ref() == Some(payment)
}
