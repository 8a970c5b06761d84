//! Stock: what can be bought and what is set aside, moved by guarded updates in the caller's transaction.
//!
//! A line of an order claims items once; a claim is reserved, then taken or released, once. What a call finds done it
//! passes over, so that whatever comes twice counts once.

use std::collections::BTreeMap;

use kernel::{
    ActorId, CheckoutId, MerchantId, OrderId, OrderLineId, ProductId, TenantId, Timestamp,
};
use store::{Read, Tx};
use web::Page;

use crate::domain::stock::{Item, Movement, MovementKind, Stock, less_than_wanted};
use crate::rows::{read_movement, read_stock};

statements! {
    OPEN = "insert into orders_stock (tenant, item, merchant, kind, available, reserved, taken)
        values ($1, $2, $3, $4, $5, 0, 0) on conflict (tenant, item) do nothing";

    STOCK = "select item, kind, available, reserved, taken from orders_stock where tenant = $1 and item = $2";

    STOCK_OF_PRODUCT = "select k.item, k.kind, k.available, k.reserved, k.taken from orders_variant v
        join orders_stock k on k.tenant = v.tenant and k.item = v.id
        where v.tenant = $1 and v.product = $2 limit 500";

    OWNER = "select merchant from orders_stock where tenant = $1 and item = $2";

    ADJUST = "update orders_stock set available = available + $3
        where tenant = $1 and item = $2 and available + $3 >= 0
        returning item, kind, available, reserved, taken";

    INSERT_MOVEMENT = "insert into orders_stock_movement
            (tenant, id, item, kind, available, reserved, line, actor, reason, at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

    // What was set aside stands in the claims, under the id of the line.
    MOVEMENTS = "select n.id, n.kind, n.available, n.reserved, n.line, n.actor, n.reason, n.at from (
            select m.id, m.kind, m.available, m.reserved, m.line, m.actor, m.reason, m.at from (
                select id, kind, available, reserved, line, actor, reason, at from orders_stock_movement
                where tenant = $1 and item = $2 and (cast($3 as text) is null or id < $3)
                order by id desc limit $4) m
            union all
            select c.line, 'reserved', -c.quantity, c.quantity, c.line, cast(null as text), cast(null as text),
                c.reserved_at
            from (
                select line, quantity, reserved_at from orders_stock_claim
                where tenant = $1 and item = $2 and (cast($3 as text) is null or line < $3)
                order by line desc limit $4) c) n
        order by n.id desc limit $4";

    CLAIM = "insert into orders_stock_claim
            (tenant, line, item, kind, checkout, order_id, buyer, quantity, reserved_at, restocked, state)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        on conflict (tenant, line, item) do nothing
        returning line, item";

    RESERVE = "update orders_stock
        set available = available - cast(n.column3 as bigint), reserved = reserved + cast(n.column3 as bigint)
        from (values ($1, $2, $3)) as n
        where orders_stock.tenant = n.column1 and orders_stock.item = n.column2
          and orders_stock.available >= cast(n.column3 as bigint)
        returning item";

    MOVE_RESERVED = "insert into orders_stock_movement
            (tenant, id, item, kind, available, reserved, line, actor, reason, at)
        select c.tenant, $4 || '-' || cast(row_number() over (order by c.line, c.item) as text), c.item, $5,
            c.quantity * $6, -c.quantity, c.line, null, null, cast($7 as bigint)
        from orders_stock_claim c
        where c.tenant = $1 and c.checkout = $2 and (cast($3 as text) is null or c.order_id = $3)
          and c.state = 'reserved'";

    TAKE = "update orders_stock set reserved = reserved - c.quantity, taken = taken + c.quantity
        from (select item as claimed, cast(sum(quantity) as bigint) as quantity from orders_stock_claim
            where tenant = $1 and checkout = $2 and (cast($3 as text) is null or order_id = $3)
              and state = 'reserved' group by item) as c
        where orders_stock.tenant = $1 and orders_stock.item = c.claimed";

    RELEASE = "update orders_stock set reserved = reserved - c.quantity, available = available + c.quantity
        from (select item as claimed, cast(sum(quantity) as bigint) as quantity from orders_stock_claim
            where tenant = $1 and checkout = $2 and (cast($3 as text) is null or order_id = $3)
              and state = 'reserved' group by item) as c
        where orders_stock.tenant = $1 and orders_stock.item = c.claimed";

    SETTLE_CLAIMS = "update orders_stock_claim set state = $4, moved_at = $5
        where tenant = $1 and checkout = $2 and (cast($3 as text) is null or order_id = $3) and state = 'reserved'
        returning line";

    // A flash sale's units do not come back: what is returned is sold at its usual price.
    RESTOCK_CLAIM = "update orders_stock_claim set restocked = restocked + $3
        where tenant = $1 and line = $2 and kind <> 'flash' and state = 'taken' and restocked + $3 <= quantity
        returning item";

    RESTOCK = "update orders_stock set available = available + $3, taken = taken - $3
        where tenant = $1 and item = $2";

    BOUGHT = "select cast(coalesce(sum(quantity), 0) as bigint) from orders_stock_claim
        where tenant = $1 and item = $2 and buyer = $3 and state <> 'released'";
}

/// What one line of an order wants of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The line.
    pub line: OrderLineId,
    /// The variant, slot or flash sale.
    pub item: Item,
    /// The line's order.
    pub order: OrderId,
    /// The order's checkout.
    pub checkout: CheckoutId,
    /// Who buys.
    pub buyer: ActorId,
    /// How many, at least one.
    pub quantity: u32,
}

/// Makes an item that can be bought; one that is there is left alone.
pub async fn open(
    tx: &Tx,
    merchant: &MerchantId,
    item: &Item,
    available: i64,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        item.as_str().into(),
        merchant.into(),
        item.kind().into(),
        available.into(),
    ];
    tx.execute(OPEN, &parameters).await
}

/// The counters of an item.
pub async fn stock(db: &impl Read, tenant: &TenantId, item: &str) -> anyhow::Result<Option<Stock>> {
    let row = db.row(STOCK, &[tenant.into(), item.into()]).await?;
    row.map(|row| read_stock(&row)).transpose()
}

/// The counters of all variants of a product.
pub(crate) async fn of_product(
    db: &impl Read,
    tenant: &TenantId,
    product: &ProductId,
) -> anyhow::Result<Vec<Stock>> {
    let rows = db
        .rows(STOCK_OF_PRODUCT, &[tenant.into(), product.into()])
        .await?;
    rows.iter().map(read_stock).collect()
}

/// Whose an item is.
pub(crate) async fn owner(
    db: &impl Read,
    tenant: &TenantId,
    item: &str,
) -> anyhow::Result<Option<MerchantId>> {
    let row = db.row(OWNER, &[tenant.into(), item.into()]).await?;
    row.map(|row| row.id(0)).transpose()
}

/// Adds to what is available, or takes away from it; nothing when there is less.
pub(crate) async fn adjust(
    tx: &Tx,
    item: &str,
    movement: &Movement,
) -> anyhow::Result<Option<Stock>> {
    let parameters = [tx.tenant().into(), item.into(), movement.available.into()];
    let Some(row) = tx.row(ADJUST, &parameters).await? else {
        return Ok(None);
    };
    let parameters = [
        tx.tenant().into(),
        (&movement.id).into(),
        item.into(),
        movement.kind.as_str().into(),
        movement.available.into(),
        movement.reserved.into(),
        movement.line.as_ref().into(),
        movement.actor.as_ref().into(),
        movement.reason.as_ref().into(),
        movement.at.into(),
    ];
    tx.execute(INSERT_MOVEMENT, &parameters).await?;
    Ok(Some(read_stock(&row)?))
}

/// The movements of an item, the latest first.
pub(crate) async fn movements(
    db: &impl Read,
    tenant: &TenantId,
    item: &str,
    page: &Page<String>,
) -> anyhow::Result<Vec<Movement>> {
    let parameters = [
        tenant.into(),
        item.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(MOVEMENTS, &parameters).await?;
    rows.iter().map(read_movement).collect()
}

/// Sets aside what the lines claim, all or nothing. A line that claimed an item before keeps what it has.
///
/// # Errors
/// 409 when there is less of something than is claimed; nothing is changed then, once the transaction is given up.
pub async fn reserve(tx: &Tx, now: Timestamp, claims: &[Claim]) -> anyhow::Result<()> {
    let rows: Vec<_> = claims.iter().map(|claim| values(tx, now, claim)).collect();
    let mut fresh = std::collections::BTreeSet::new();
    for row in tx.insert_many_rows(CLAIM, &rows).await? {
        fresh.insert((row.text(0)?.to_owned(), row.text(1)?.to_owned()));
    }
    let mut wanted: BTreeMap<&str, i64> = BTreeMap::new();
    for claim in claims {
        let key = (
            claim.line.as_str().to_owned(),
            claim.item.as_str().to_owned(),
        );
        if fresh.remove(&key) {
            *wanted.entry(claim.item.as_str()).or_default() += i64::from(claim.quantity);
        }
    }
    // As text: PostgreSQL takes the values of a list for text until they are cast.
    let row = |(item, quantity): (&&str, &i64)| {
        let quantity = quantity.to_string();
        vec![tx.tenant().into(), (*item).into(), quantity.into()]
    };
    let rows: Vec<_> = wanted.iter().map(row).collect();
    let served = tx.insert_many_rows(RESERVE, &rows).await?;
    if served.len() < wanted.len() {
        return Err(less_than_wanted().into());
    }
    Ok(())
}

fn values(tx: &Tx, now: Timestamp, claim: &Claim) -> Vec<store::Value> {
    vec![
        tx.tenant().into(),
        (&claim.line).into(),
        claim.item.as_str().into(),
        claim.item.kind().into(),
        (&claim.checkout).into(),
        (&claim.order).into(),
        (&claim.buyer).into(),
        claim.quantity.into(),
        now.into(),
        0_i64.into(),
        "reserved".into(),
    ]
}

/// What was set aside for a checkout, or for one order of it, is sold. Answers the lines that were; those that were
/// taken or released before are passed over.
pub async fn take(
    tx: &Tx,
    now: Timestamp,
    checkout: &CheckoutId,
    order: Option<&OrderId>,
) -> anyhow::Result<Vec<OrderLineId>> {
    settle(tx, now, (checkout, order), (TAKE, MovementKind::Taken)).await
}

/// What was set aside for a checkout, or for one order of it, can be bought by others again. Answers the lines that
/// were released; those that were taken or released before are passed over.
pub async fn release(
    tx: &Tx,
    now: Timestamp,
    checkout: &CheckoutId,
    order: Option<&OrderId>,
) -> anyhow::Result<Vec<OrderLineId>> {
    settle(
        tx,
        now,
        (checkout, order),
        (RELEASE, MovementKind::Released),
    )
    .await
}

async fn settle(
    tx: &Tx,
    now: Timestamp,
    (checkout, order): (&CheckoutId, Option<&OrderId>),
    (statement, kind): (&str, MovementKind),
) -> anyhow::Result<Vec<OrderLineId>> {
    let back: i64 = if kind == MovementKind::Released { 1 } else { 0 };
    let movements = [
        tx.tenant().into(),
        checkout.into(),
        order.into(),
        web::new_id(now)?.into(),
        kind.as_str().into(),
        back.into(),
        now.into(),
    ];
    tx.execute(MOVE_RESERVED, &movements).await?;
    let counters = [tx.tenant().into(), checkout.into(), order.into()];
    tx.execute(statement, &counters).await?;
    let claims = [
        tx.tenant().into(),
        checkout.into(),
        order.into(),
        kind.as_str().into(),
        now.into(),
    ];
    let mut lines = Vec::new();
    for row in tx.rows(SETTLE_CLAIMS, &claims).await? {
        let line: OrderLineId = row.id(0)?;
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    Ok(lines)
}

/// Puts some of a sold line back on the shelf (a return, a cancelled order that was paid); answers whether so many were
/// still to come back. Each return is to be put back by its own decision, once.
pub async fn restock(
    tx: &Tx,
    now: Timestamp,
    line: &OrderLineId,
    quantity: u32,
) -> anyhow::Result<bool> {
    let parameters = [tx.tenant().into(), line.into(), quantity.into()];
    let items = tx.rows(RESTOCK_CLAIM, &parameters).await?;
    for row in &items {
        let item = row.text(0)?;
        let parameters = [tx.tenant().into(), item.into(), quantity.into()];
        tx.execute(RESTOCK, &parameters).await?;
        let movement = [
            tx.tenant().into(),
            web::new_id(now)?.into(),
            item.into(),
            MovementKind::Restocked.as_str().into(),
            quantity.into(),
            0_i64.into(),
            line.into(),
            store::Value::Null,
            store::Value::Null,
            now.into(),
        ];
        tx.execute(INSERT_MOVEMENT, &movement).await?;
    }
    Ok(!items.is_empty())
}

/// How many of an item this person has bought or set aside.
pub(crate) async fn bought(tx: &Tx, item: &str, buyer: &ActorId) -> anyhow::Result<i64> {
    let parameters = [tx.tenant().into(), item.into(), buyer.into()];
    let row = tx.row(BOUGHT, &parameters).await?;
    row.map_or(Ok(0), |row| row.integer(0))
}
