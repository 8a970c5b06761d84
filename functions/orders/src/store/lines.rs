//! Lines of orders, and the prices that merchants changed before they were paid.

use kernel::{ActorId, OrderId, OrderLineId, TenantId, Timestamp};
use store::{Read, Tx, Value};

use crate::domain::{Back, Line, Order};
use crate::rows_flow::{back_values, line_values, read_line};

statements! {
    LINES = "select id, order_id, product, variant, slot, promotion, category, kind, title, quantity, unit_minor,
            merchant_discount_minor, subsidy_minor, goods_minor, freight_minor, rule, rule_version, rate_bps,
            includes_freight, base_minor, commission_minor, back_quantity, back_goods_minor, back_freight_minor,
            back_subsidy_minor, back_base_minor, back_commission_minor
        from orders_line where tenant = $1 and order_id = $2 order by id limit 400";

    LINES_OF_CHECKOUT = "select l.id, l.order_id, l.product, l.variant, l.slot, l.promotion, l.category, l.kind, l.title,
            l.quantity, l.unit_minor, l.merchant_discount_minor, l.subsidy_minor, l.goods_minor, l.freight_minor, l.rule,
            l.rule_version, l.rate_bps, l.includes_freight, l.base_minor, l.commission_minor, l.back_quantity,
            l.back_goods_minor, l.back_freight_minor, l.back_subsidy_minor, l.back_base_minor, l.back_commission_minor
        from orders_line l
        where l.tenant = $1
          and l.order_id in (select o.id from orders_order o where o.tenant = $1 and o.checkout = $2)
        order by l.order_id, l.id limit 400";

    INSERT_LINE = "insert into orders_line (tenant, id, order_id, product, variant, slot, promotion, category, kind,
            title, quantity, unit_minor, merchant_discount_minor, subsidy_minor, goods_minor, freight_minor, rule,
            rule_version, rate_bps, includes_freight, base_minor, commission_minor, back_quantity, back_goods_minor,
            back_freight_minor, back_subsidy_minor, back_base_minor, back_commission_minor)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
            $24, $25, $26, $27, $28)";

    REPRICE_LINE = "update orders_line set merchant_discount_minor = $3, goods_minor = $4, freight_minor = $5
        where tenant = $1 and id = $2";

    FREEZE_LINE = "update orders_line set rule = $3, rule_version = $4, rate_bps = $5, includes_freight = $6,
            base_minor = $7, commission_minor = $8
        where tenant = $1 and id = $2";

    // The checks of the table bound what goes back of a line.
    ADD_BACK = "update orders_line set back_quantity = back_quantity + $3, back_goods_minor = back_goods_minor + $4,
            back_freight_minor = back_freight_minor + $5, back_subsidy_minor = back_subsidy_minor + $6,
            back_base_minor = back_base_minor + $7, back_commission_minor = back_commission_minor + $8
        where tenant = $1 and id = $2";

    INSERT_PRICE_CHANGE = "insert into orders_price_change (tenant, order_id, version, before_goods_minor,
            before_freight_minor, goods_minor, freight_minor, reason, changed_by, changed_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

    PRICE_CHANGES = "select version, before_goods_minor, before_freight_minor, goods_minor, freight_minor, reason,
            changed_by, changed_at
        from orders_price_change where tenant = $1 and order_id = $2 order by version limit 100";
}

/// The lines of an order.
pub(crate) async fn lines(
    db: &impl Read,
    tenant: &TenantId,
    order: &OrderId,
) -> anyhow::Result<Vec<Line>> {
    let rows = db.rows(LINES, &[tenant.into(), order.into()]).await?;
    rows.iter().map(read_line).collect()
}

/// The lines of all orders of a checkout.
pub(crate) async fn of_checkout(
    db: &impl Read,
    tenant: &TenantId,
    checkout: &kernel::CheckoutId,
) -> anyhow::Result<Vec<Line>> {
    let parameters = [tenant.into(), checkout.into()];
    let rows = db.rows(LINES_OF_CHECKOUT, &parameters).await?;
    rows.iter().map(read_line).collect()
}

/// Adds lines.
pub(crate) async fn insert_lines(tx: &Tx, lines: &[Line]) -> anyhow::Result<()> {
    let rows: Vec<Vec<Value>> = lines
        .iter()
        .map(|line| line_values(tx.tenant(), line))
        .collect();
    tx.insert_many(INSERT_LINE, &rows).await
}

/// Stores another price of a line.
pub(crate) async fn reprice(tx: &Tx, line: &Line) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&line.id).into(),
        line.merchant_discount_minor.into(),
        line.goods_minor.into(),
        line.freight_minor.into(),
    ];
    tx.execute(REPRICE_LINE, &parameters).await
}

/// Stores the commission of a line.
pub(crate) async fn freeze(tx: &Tx, line: &Line) -> anyhow::Result<()> {
    let (rule, version) = line.commission.rule.clone().unzip();
    let parameters = [
        tx.tenant().into(),
        (&line.id).into(),
        rule.as_ref().into(),
        version.into(),
        line.commission.rate_bps.into(),
        line.commission.includes_freight.into(),
        line.commission.base_minor.into(),
        line.commission.amount_minor.into(),
    ];
    tx.execute(FREEZE_LINE, &parameters).await
}

/// Counts what goes back of a line, or with negative parts what did not.
pub(crate) async fn add_back(tx: &Tx, line: &OrderLineId, back: Back) -> anyhow::Result<()> {
    let mut parameters: Vec<Value> = vec![tx.tenant().into(), line.into()];
    parameters.extend(back_values(back));
    tx.execute(ADD_BACK, &parameters).await
}

/// A price that a merchant changed.
#[derive(Debug, Clone)]
pub(crate) struct PriceChange {
    pub(crate) version: i64,
    pub(crate) before: (i64, i64),
    pub(crate) after: (i64, i64),
    pub(crate) reason: String,
    pub(crate) changed_by: ActorId,
    pub(crate) changed_at: Timestamp,
}

/// Keeps who changed a price, and what it was.
pub(crate) async fn insert_price_change(
    tx: &Tx,
    order: &Order,
    change: &PriceChange,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&order.id).into(),
        change.version.into(),
        change.before.0.into(),
        change.before.1.into(),
        change.after.0.into(),
        change.after.1.into(),
        (&change.reason).into(),
        (&change.changed_by).into(),
        change.changed_at.into(),
    ];
    tx.execute(INSERT_PRICE_CHANGE, &parameters).await
}

/// The prices of an order that were changed, the first one first.
pub(crate) async fn price_changes(
    db: &impl Read,
    tenant: &TenantId,
    order: &OrderId,
) -> anyhow::Result<Vec<PriceChange>> {
    let rows = db
        .rows(PRICE_CHANGES, &[tenant.into(), order.into()])
        .await?;
    rows.iter()
        .map(|row| {
            Ok(PriceChange {
                version: row.integer(0)?,
                before: (row.integer(1)?, row.integer(2)?),
                after: (row.integer(3)?, row.integer(4)?),
                reason: row.text(5)?.to_owned(),
                changed_by: row.id(6)?,
                changed_at: row.timestamp(7)?,
            })
        })
        .collect()
}
