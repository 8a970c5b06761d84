//! Cash: what passed through a cashier's hands, and the countings of their drawer.

use kernel::{ActorId, CashCloseId, CommunityId, TenantId, Timestamp};
use store::{Read, Row, Tx};
use web::Page;

use crate::context::Context;

statements! {
    INSERT_CASH_ENTRY = "insert into fees_cash_entry (tenant, id, community, cashier, reference, amount_minor, at, counted_in)
        values ($1, $2, $3, $4, $5, $6, $7, null)";

    IN_DRAWER = "select cast(coalesce(sum(case when amount_minor > 0 then amount_minor else 0 end), 0) as bigint),
            cast(coalesce(sum(case when amount_minor < 0 then -amount_minor else 0 end), 0) as bigint)
        from fees_cash_entry where tenant = $1 and community = $2 and cashier = $3 and counted_in is null";

    COUNT_IN = "update fees_cash_entry set counted_in = $4
        where tenant = $1 and community = $2 and cashier = $3 and counted_in is null";

    LEFT_IN_DRAWER = "select counted_minor - banked_minor from fees_cash_close
        where tenant = $1 and community = $2 and cashier = $3 order by id desc limit 1";

    INSERT_CLOSE = "insert into fees_cash_close (tenant, id, community, cashier, opening_minor, taken_minor, given_minor,
            counted_minor, banked_minor, note, closed_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

    CLOSE = "select id, community, cashier, opening_minor, taken_minor, given_minor, counted_minor, banked_minor, note,
            closed_at
        from fees_cash_close where tenant = $1 and id = $2";

    CLOSES = "select id, community, cashier, opening_minor, taken_minor, given_minor, counted_minor, banked_minor, note,
            closed_at
        from fees_cash_close
        where tenant = $1 and community = $2 and (cast($3 as text) is null or id < $3)
        order by id desc limit $4";
}

/// One counting of a drawer.
#[derive(Debug, Clone)]
pub(crate) struct Close {
    pub(crate) id: CashCloseId,
    pub(crate) community: CommunityId,
    pub(crate) cashier: ActorId,
    /// What the counting before had left.
    pub(crate) opening_minor: i64,
    pub(crate) taken_minor: i64,
    pub(crate) given_minor: i64,
    pub(crate) counted_minor: i64,
    /// What of it goes to the bank.
    pub(crate) banked_minor: i64,
    pub(crate) note: String,
    pub(crate) closed_at: Timestamp,
}

impl Close {
    /// What should be there.
    pub(crate) fn expected_minor(&self) -> i64 {
        self.opening_minor + self.taken_minor - self.given_minor
    }

    /// What is there too much; below zero when some is missing.
    pub(crate) fn difference_minor(&self) -> i64 {
        self.counted_minor - self.expected_minor()
    }
}

/// Notes money that a cashier took, or below zero gave back, for a payment or a refund.
pub(crate) async fn insert_entry(
    context: &Context,
    tx: &Tx,
    (community, cashier): (&CommunityId, &ActorId),
    (reference, amount_minor): (&str, i64),
) -> anyhow::Result<()> {
    let id: CashCloseId = context.new_id()?;
    let parameters = [
        tx.tenant().into(),
        (&id).into(),
        community.into(),
        cashier.into(),
        reference.into(),
        amount_minor.into(),
        context.now.into(),
    ];
    tx.execute(INSERT_CASH_ENTRY, &parameters).await
}

/// What the drawer had at first, and what came and went since: opening, taken, given.
pub(crate) async fn drawer(
    tx: &Tx,
    (community, cashier): (&CommunityId, &ActorId),
) -> anyhow::Result<(i64, i64, i64)> {
    let parameters = [tx.tenant().into(), community.into(), cashier.into()];
    let opening = match tx.row(LEFT_IN_DRAWER, &parameters).await? {
        Some(row) => row.integer(0)?,
        None => 0,
    };
    let moved = tx.row(IN_DRAWER, &parameters).await?;
    let Some(moved) = moved else {
        return Ok((opening, 0, 0));
    };
    Ok((opening, moved.integer(0)?, moved.integer(1)?))
}

/// Adds a counting; what was not counted before went into it.
pub(crate) async fn insert_close(tx: &Tx, close: &Close) -> anyhow::Result<()> {
    let key = [
        tx.tenant().into(),
        (&close.community).into(),
        (&close.cashier).into(),
        (&close.id).into(),
    ];
    tx.execute(COUNT_IN, &key).await?;
    let parameters = [
        tx.tenant().into(),
        (&close.id).into(),
        (&close.community).into(),
        (&close.cashier).into(),
        close.opening_minor.into(),
        close.taken_minor.into(),
        close.given_minor.into(),
        close.counted_minor.into(),
        close.banked_minor.into(),
        (&close.note).into(),
        close.closed_at.into(),
    ];
    tx.execute(INSERT_CLOSE, &parameters).await
}

/// The counting.
pub(crate) async fn close(
    db: &impl Read,
    tenant: &TenantId,
    id: &CashCloseId,
) -> anyhow::Result<Option<Close>> {
    let row = db.row(CLOSE, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read).transpose()
}

/// The countings in a community, the latest first.
pub(crate) async fn closes(
    db: &impl Read,
    (tenant, community): (&TenantId, &CommunityId),
    page: &Page<CashCloseId>,
) -> anyhow::Result<Vec<Close>> {
    let parameters = [
        tenant.into(),
        community.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(CLOSES, &parameters).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> anyhow::Result<Close> {
    Ok(Close {
        id: row.id(0)?,
        community: row.id(1)?,
        cashier: row.id(2)?,
        opening_minor: row.integer(3)?,
        taken_minor: row.integer(4)?,
        given_minor: row.integer(5)?,
        counted_minor: row.integer(6)?,
        banked_minor: row.integer(7)?,
        note: row.text(8)?.to_owned(),
        closed_at: row.timestamp(9)?,
    })
}
