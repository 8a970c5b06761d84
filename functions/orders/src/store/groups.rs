//! Groups of buyers (拼团). An order holds a seat from when it is placed; when all seats are paid, the group is full.

use kernel::{ActorId, GroupId, MerchantId, OrderId, PromotionId, TenantId, Timestamp};
use store::{Read, Row, Tx};
use web::Page;

statements! {
    GROUP = "select id, promotion, merchant, size, seats, paid, state, opened_by, opened_at, deadline from orders_group
        where tenant = $1 and id = $2";

    OPEN_GROUPS = "select id, promotion, merchant, size, seats, paid, state, opened_by, opened_at, deadline
        from orders_group
        where tenant = $1 and promotion = $2 and state = 'open' and deadline > $3 and seats < size
          and (cast($4 as text) is null or id > $4)
        order by id limit $5";

    INSERT_GROUP = "insert into orders_group
            (tenant, id, promotion, merchant, size, seats, paid, state, opened_by, opened_at, deadline)
        values ($1, $2, $3, $4, $5, 0, 0, 'open', $6, $7, $8)";

    HAS_SEAT = "select 1 from orders_group_seat
        where tenant = $1 and group_id = $2 and person = $3 and state <> 'left' limit 1";

    TAKE_SEAT = "update orders_group set seats = seats + 1
        where tenant = $1 and id = $2 and state = 'open' and deadline > $3 and seats < size returning id";

    INSERT_SEAT = "insert into orders_group_seat (tenant, order_id, group_id, person, state, taken_at)
        values ($1, $2, $3, $4, 'held', $5) on conflict (tenant, order_id) do nothing returning group_id";

    SEAT = "select group_id, state from orders_group_seat where tenant = $1 and order_id = $2";

    PAY_SEAT = "update orders_group_seat set state = 'paid'
        where tenant = $1 and order_id = $2 and state = 'held' returning group_id";

    COUNT_PAID = "update orders_group set paid = paid + 1, state = case when paid + 1 = size then 'full' else state end
        where tenant = $1 and id = $2 and state = 'open'
        returning id, promotion, merchant, size, seats, paid, state, opened_by, opened_at, deadline";

    LEAVE_SEAT = "update orders_group_seat set state = 'left'
        where tenant = $1 and order_id = $2 and state = $3 returning group_id";

    FREE_SEAT = "update orders_group set seats = seats - 1, paid = paid - $3
        where tenant = $1 and id = $2 and state = 'open'";

    ORDERS_OF = "select order_id, state from orders_group_seat
        where tenant = $1 and group_id = $2 and state <> 'left' order by order_id limit 200";

    TENANTS_DUE = "select distinct tenant from orders_group where state = 'open' and deadline <= $1
        order by tenant limit $2";

    DUE = "select id, promotion, merchant, size, seats, paid, state, opened_by, opened_at, deadline from orders_group
        where tenant = $1 and state = 'open' and deadline <= $2 order by deadline limit $3";

    FAIL = "update orders_group set state = 'failed' where tenant = $1 and id = $2 and state = 'open' returning id";
}

/// A group of buyers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// The promotion that it is of.
    pub promotion: PromotionId,
    /// Whose.
    pub merchant: MerchantId,
    /// How many buyers make it full.
    pub size: i64,
    /// How many orders were placed in it.
    pub seats: i64,
    /// How many of them are paid.
    pub paid: i64,
    /// `open`, `full` or `failed`.
    pub state: String,
    /// Who began it.
    pub opened_by: ActorId,
    /// When.
    pub opened_at: Timestamp,
    /// By when all seats are to be paid.
    pub deadline: Timestamp,
}

/// What becomes of an order of a group that was paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seat {
    /// Others are still to pay.
    Waiting,
    /// All have paid: these orders, this one among them, go on.
    Full(Vec<OrderId>),
    /// The group is over, or the order gave up its seat: the money goes back.
    TooLate,
}

/// Which group an order is to join.
pub struct Joining<'a> {
    /// The promotion.
    pub promotion: &'a PromotionId,
    /// Whose.
    pub merchant: &'a MerchantId,
    /// How many buyers make a group.
    pub size: u32,
    /// How long a new group has, in hours.
    pub hours: u32,
    /// The group; none to begin a new one.
    pub group: Option<&'a GroupId>,
    /// The order.
    pub order: &'a OrderId,
    /// Who buys.
    pub buyer: &'a ActorId,
}

fn read(row: &Row) -> anyhow::Result<Group> {
    Ok(Group {
        id: row.id(0)?,
        promotion: row.id(1)?,
        merchant: row.id(2)?,
        size: row.integer(3)?,
        seats: row.integer(4)?,
        paid: row.integer(5)?,
        state: row.text(6)?.to_owned(),
        opened_by: row.id(7)?,
        opened_at: row.timestamp(8)?,
        deadline: row.timestamp(9)?,
    })
}

/// The group.
pub(crate) async fn group(
    db: &impl Read,
    tenant: &TenantId,
    id: &GroupId,
) -> anyhow::Result<Option<Group>> {
    let row = db.row(GROUP, &[tenant.into(), id.into()]).await?;
    row.map(|row| read(&row)).transpose()
}

/// The groups of a promotion that somebody can still join, the oldest first.
pub(crate) async fn open_groups(
    db: &impl Read,
    (tenant, promotion): (&TenantId, &PromotionId),
    now: Timestamp,
    page: &Page<GroupId>,
) -> anyhow::Result<Vec<Group>> {
    let parameters = [
        tenant.into(),
        promotion.into(),
        now.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(OPEN_GROUPS, &parameters).await?;
    rows.iter().map(read).collect()
}

/// An order takes a seat; nothing when the group is full, over, of another promotion, or the buyer sits in it already.
pub async fn join(tx: &Tx, now: Timestamp, ask: &Joining<'_>) -> anyhow::Result<Option<GroupId>> {
    let id = match ask.group {
        Some(id) => {
            let held = group(tx, tx.tenant(), id).await?;
            if held.is_none_or(|held| &held.promotion != ask.promotion) {
                return Ok(None);
            }
            id.clone()
        }
        None => begin(tx, now, ask).await?,
    };
    let person = [tx.tenant().into(), (&id).into(), ask.buyer.into()];
    if tx.row(HAS_SEAT, &person).await?.is_some() {
        return Ok(None);
    }
    let seat = [tx.tenant().into(), (&id).into(), now.into()];
    if tx.row(TAKE_SEAT, &seat).await?.is_none() {
        return Ok(None);
    }
    let parameters = [
        tx.tenant().into(),
        ask.order.into(),
        (&id).into(),
        ask.buyer.into(),
        now.into(),
    ];
    Ok(tx.row(INSERT_SEAT, &parameters).await?.map(|_| id))
}

async fn begin(tx: &Tx, now: Timestamp, ask: &Joining<'_>) -> anyhow::Result<GroupId> {
    const HOUR_MS: i64 = 60 * 60 * 1_000;
    let id = GroupId::try_from(web::new_id(now)?)?;
    let parameters = [
        tx.tenant().into(),
        (&id).into(),
        ask.promotion.into(),
        ask.merchant.into(),
        ask.size.into(),
        ask.buyer.into(),
        now.into(),
        now.plus_millis(i64::from(ask.hours) * HOUR_MS).into(),
    ];
    tx.execute(INSERT_GROUP, &parameters).await?;
    Ok(id)
}

/// The order of a seat was paid. Twice says the same.
pub async fn paid(tx: &Tx, order: &OrderId) -> anyhow::Result<Seat> {
    let key = [tx.tenant().into(), order.into()];
    let Some(row) = tx.row(PAY_SEAT, &key).await? else {
        return again(tx, order).await;
    };
    let id: GroupId = row.id(0)?;
    match tx
        .row(COUNT_PAID, &[tx.tenant().into(), (&id).into()])
        .await?
    {
        None => Ok(Seat::TooLate),
        Some(row) => seat_of(tx, &read(&row)?).await,
    }
}

/// What an order was told that was paid before.
async fn again(tx: &Tx, order: &OrderId) -> anyhow::Result<Seat> {
    let row = tx.row(SEAT, &[tx.tenant().into(), order.into()]).await?;
    let Some(row) = row.filter(|row| row.text(1).is_ok_and(|state| state == "paid")) else {
        return Ok(Seat::TooLate);
    };
    match group(tx, tx.tenant(), &row.id(0)?).await? {
        Some(group) => seat_of(tx, &group).await,
        None => Ok(Seat::TooLate),
    }
}

async fn seat_of(tx: &Tx, group: &Group) -> anyhow::Result<Seat> {
    Ok(match group.state.as_str() {
        "open" => Seat::Waiting,
        "full" => Seat::Full(orders_of(tx, &group.id).await?),
        _ => Seat::TooLate,
    })
}

/// The orders that sit in a group, paid or not.
pub async fn orders_of(tx: &Tx, id: &GroupId) -> anyhow::Result<Vec<OrderId>> {
    let rows = tx.rows(ORDERS_OF, &[tx.tenant().into(), id.into()]).await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// An order gives up its seat (it was cancelled, or never paid) so that somebody else can have it. Twice, or when the
/// group is full or over, changes nothing in the group.
pub async fn leave(tx: &Tx, order: &OrderId) -> anyhow::Result<()> {
    for (state, paid) in [("held", 0_i64), ("paid", 1)] {
        let parameters = [tx.tenant().into(), order.into(), state.into()];
        if let Some(row) = tx.row(LEAVE_SEAT, &parameters).await? {
            let id: GroupId = row.id(0)?;
            let parameters = [tx.tenant().into(), (&id).into(), paid.into()];
            return tx.execute(FREE_SEAT, &parameters).await;
        }
    }
    Ok(())
}

/// The tenants with groups whose time is over, at most `limit`.
pub(crate) async fn tenants_due(
    db: &impl Read,
    now: Timestamp,
    limit: i64,
) -> anyhow::Result<Vec<TenantId>> {
    let rows = db.rows(TENANTS_DUE, &[now.into(), limit.into()]).await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// Ends the groups whose time is over before they were full, at most `limit`: each with the orders that sit in it, whose
/// money goes back.
pub(crate) async fn fail_due(
    tx: &Tx,
    now: Timestamp,
    limit: i64,
) -> anyhow::Result<Vec<(Group, Vec<OrderId>)>> {
    let parameters = [tx.tenant().into(), now.into(), limit.into()];
    let mut failed = Vec::new();
    for row in tx.rows(DUE, &parameters).await? {
        let group = read(&row)?;
        let key = [tx.tenant().into(), (&group.id).into()];
        if tx.row(FAIL, &key).await?.is_some() {
            let orders = orders_of(tx, &group.id).await?;
            failed.push((group, orders));
        }
    }
    Ok(failed)
}
