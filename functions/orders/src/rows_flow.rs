//! Rows of orders and their lines become domain values here, and domain values rows, by position.

use anyhow::Context as _;
use kernel::{OrderLineId, TenantId};
use serde::Serialize;
use store::{Row, Value};
use wire::mall::{Collection, SaleKind};

use crate::domain::{
    Back, Delivery, Destination, Frozen, Fulfilment, Line, Order, OrderState, PaymentState,
    StockState, Times, WantedLine,
};

/// A word of a machine out of a column.
pub(crate) fn word<Word>(
    row: &Row,
    position: usize,
    parse: impl FnOnce(&str) -> Option<Word>,
) -> anyhow::Result<Word> {
    let text = row.text(position)?;
    parse(text).with_context(|| format!("column {position} is {text:?}, which is no word of it"))
}

fn text(row: &Row, position: usize) -> anyhow::Result<Option<String>> {
    Ok(row.optional_text(position)?.map(str::to_owned))
}

/// An order from its thirty-five columns; see the statement `ORDER`.
pub(crate) fn read_order(row: &Row) -> anyhow::Result<Order> {
    Ok(Order {
        id: row.id(0)?,
        checkout: row.id(1)?,
        buyer: row.id(2)?,
        merchant: row.id(3)?,
        community: row.id(4)?,
        state: word(row, 5, OrderState::parse)?,
        payment: word(row, 6, PaymentState::parse)?,
        delivery: word(row, 7, Delivery::parse)?,
        fulfilment: word(row, 8, Fulfilment::parse)?,
        contests: row.integer(9)?,
        group: text(row, 10)?,
        waits_for_group: row.boolean(11)?,
        stock: word(row, 12, StockState::parse)?,
        destination: Destination {
            name: text(row, 13)?,
            phone: text(row, 14)?,
            address: text(row, 15)?,
        },
        remark: text(row, 16)?,
        carrier: text(row, 17)?.zip(text(row, 18)?),
        code: text(row, 19)?,
        wrong_codes: row.integer(20)?,
        goods_minor: row.integer(21)?,
        freight_minor: row.integer(22)?,
        refunded_minor: row.integer(23)?,
        collection: word(row, 24, Collection::parse)?,
        times: Times {
            placed: row.timestamp(25)?,
            paid: row.optional_timestamp(26)?,
            accepted: row.optional_timestamp(27)?,
            shipped: row.optional_timestamp(28)?,
            delivered: row.optional_timestamp(29)?,
            completed: row.optional_timestamp(30)?,
            cancelled: row.optional_timestamp(31)?,
        },
        cancel_reason: text(row, 32)?,
        transaction: row.optional_id(33)?,
        version: row.integer(34)?,
        cancel_until: row.optional_timestamp(35)?,
    })
}

/// The columns of a new order, in the order of the statement `INSERT_ORDER`.
pub(crate) fn order_values(tenant: &TenantId, order: &Order) -> Vec<Value> {
    let (carrier, tracking) = order.carrier.clone().unzip();
    let times = order.times;
    vec![
        tenant.into(),
        (&order.id).into(),
        (&order.checkout).into(),
        (&order.buyer).into(),
        (&order.merchant).into(),
        (&order.community).into(),
        order.state.as_str().into(),
        order.payment.as_str().into(),
        order.delivery.as_str().into(),
        order.fulfilment.as_str().into(),
        order.contests.into(),
        order.group.clone().into(),
        order.waits_for_group.into(),
        order.stock.as_str().into(),
        order.destination.name.clone().into(),
        order.destination.phone.clone().into(),
        order.destination.address.clone().into(),
        order.remark.clone().into(),
        carrier.into(),
        tracking.into(),
        order.code.clone().into(),
        order.wrong_codes.into(),
        order.goods_minor.into(),
        order.freight_minor.into(),
        order.refunded_minor.into(),
        order.collection.as_str().into(),
        times.placed.into(),
        times.paid.into(),
        times.accepted.into(),
        times.shipped.into(),
        times.delivered.into(),
        times.completed.into(),
        times.cancelled.into(),
        order.cancel_reason.clone().into(),
        order.transaction.as_ref().into(),
        order.version.into(),
        order.cancel_until.into(),
    ]
}

/// A line from its twenty-seven columns; see the statement `LINES`.
pub(crate) fn read_line(row: &Row) -> anyhow::Result<Line> {
    let rule = row.optional_id(15)?;
    let version = row.optional_integer(16)?;
    Ok(Line {
        id: row.id(0)?,
        order: row.id(1)?,
        product: row.id(2)?,
        variant: row.id(3)?,
        slot: row.optional_id(4)?,
        promotion: row.optional_id(5)?,
        category: row.id(6)?,
        kind: word(row, 7, SaleKind::parse)?,
        title: row.text(8)?.to_owned(),
        quantity: row.integer(9)?,
        unit_minor: row.integer(10)?,
        merchant_discount_minor: row.integer(11)?,
        subsidy_minor: row.integer(12)?,
        goods_minor: row.integer(13)?,
        freight_minor: row.integer(14)?,
        commission: Frozen {
            rule: rule.zip(version),
            rate_bps: u32::try_from(row.integer(17)?)?,
            includes_freight: row.boolean(18)?,
            base_minor: row.integer(19)?,
            amount_minor: row.integer(20)?,
        },
        back: read_back(row, 21)?,
    })
}

/// What went back, from six columns.
pub(crate) fn read_back(row: &Row, first: usize) -> anyhow::Result<Back> {
    Ok(Back {
        quantity: row.integer(first)?,
        goods_minor: row.integer(first + 1)?,
        freight_minor: row.integer(first + 2)?,
        subsidy_minor: row.integer(first + 3)?,
        base_minor: row.integer(first + 4)?,
        commission_minor: row.integer(first + 5)?,
    })
}

/// The six columns of what goes back.
pub(crate) fn back_values(back: Back) -> [Value; 6] {
    [
        back.quantity.into(),
        back.goods_minor.into(),
        back.freight_minor.into(),
        back.subsidy_minor.into(),
        back.base_minor.into(),
        back.commission_minor.into(),
    ]
}

/// The columns of a new line, in the order of the statement `INSERT_LINE`.
pub(crate) fn line_values(tenant: &TenantId, line: &Line) -> Vec<Value> {
    let (rule, version) = line.commission.rule.clone().unzip();
    let mut values = vec![
        tenant.into(),
        (&line.id).into(),
        (&line.order).into(),
        (&line.product).into(),
        (&line.variant).into(),
        line.slot.as_ref().into(),
        line.promotion.as_ref().into(),
        (&line.category).into(),
        line.kind.as_str().into(),
        (&line.title).into(),
        line.quantity.into(),
        line.unit_minor.into(),
        line.merchant_discount_minor.into(),
        line.subsidy_minor.into(),
        line.goods_minor.into(),
        line.freight_minor.into(),
        rule.as_ref().into(),
        version.into(),
        line.commission.rate_bps.into(),
        line.commission.includes_freight.into(),
        line.commission.base_minor.into(),
        line.commission.amount_minor.into(),
    ];
    values.extend(back_values(line.back));
    values
}

/// One line of what is wanted back, as the database keeps it and answers show it.
#[derive(Serialize)]
pub(crate) struct WrittenLine {
    line: OrderLineId,
    quantity: i64,
    amount_minor: Option<i64>,
    with_freight: bool,
}

/// What is wanted back, as it is written.
pub(crate) fn written(wanted: &[WantedLine]) -> Vec<WrittenLine> {
    let written = wanted.iter().map(|wanted| WrittenLine {
        line: wanted.line.clone(),
        quantity: wanted.quantity,
        amount_minor: wanted.amount_minor,
        with_freight: wanted.with_freight,
    });
    written.collect()
}
