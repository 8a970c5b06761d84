//! What operators watch: orders that are stuck, the orders of a day, and sums over days, categories and shops.

use kernel::{MerchantId, TenantId, Timestamp};
use store::Read;

statements! {
    // Paid for long and not accepted. What is open is named as its index names it: so SQLite knows that it serves.
    NOT_ACCEPTED = "select id, merchant, paid_at from orders_order
        where tenant = $1 and state in ('placed', 'accepted') and state = 'placed' and payment = 'paid'
          and waits_for_group = 0 and placed_at <= $2 and paid_at <= $2 order by placed_at limit $3";

    // Accepted for long and not gone out.
    NOT_SHIPPED = "select id, merchant, accepted_at from orders_order
        where tenant = $1 and state in ('placed', 'accepted') and state = 'accepted' and fulfilment = 'waiting'
          and delivery <> 'appointment' and placed_at <= $2 and accepted_at <= $2 order by placed_at limit $3";

    // Gone out for long and not completed.
    NOT_COMPLETED = "select id, merchant, shipped_at from orders_order
        where tenant = $1 and state in ('placed', 'accepted') and state = 'accepted' and fulfilment in ('shipped', 'delivered')
          and placed_at <= $2 and shipped_at <= $2 order by placed_at limit $3";

    // Ready for long and not fetched.
    NOT_FETCHED = "select id, merchant, shipped_at from orders_order
        where tenant = $1 and state in ('placed', 'accepted') and state = 'accepted' and fulfilment = 'ready'
          and placed_at <= $2 and shipped_at <= $2 order by placed_at limit $3";

    NOT_REFUNDED = "select id, order_id, requested_at from orders_refund
        where tenant = $1 and state = 'requested' and requested_at <= $2 order by requested_at limit $3";

    NOT_ANSWERED = "select id, merchant, changed_at from orders_after_sale
        where tenant = $1
          and state in ('requested', 'agreed', 'returned', 'received', 'refunding', 'refund_failed')
          and changed_at <= $2 order by changed_at limit $3";

    NOT_DECIDED = "select id, merchant, decide_until from orders_dispute
        where tenant = $1 and state = 'open' and decide_until <= $2 order by decide_until limit $3";

    EXPORT = "select o.id, o.checkout, o.merchant, o.buyer, o.state, o.payment, o.fulfilment, o.placed_at, o.paid_at,
            o.completed_at, l.title, l.quantity, l.unit_minor, l.goods_minor, l.freight_minor, l.subsidy_minor,
            l.back_goods_minor + l.back_freight_minor, l.commission_minor - l.back_commission_minor, l.id
        from orders_order o join orders_line l on l.tenant = o.tenant and l.order_id = o.id
        where o.tenant = $1 and o.placed_at >= $2 and o.placed_at < $3
          and (o.id > $4 or (o.id = $4 and l.id > $5))
        order by o.id, l.id limit $6";

    // The orders of the span are found first, by their days, whatever they are grouped by.
    SUMS_BY_SHOP = "with orders_sold as materialized (select tenant, id, merchant from orders_order
            where tenant = $1 and payment = 'paid' and placed_at >= $2 and placed_at < $3
              and (cast($4 as text) is null or merchant = $4))
        select o.merchant, count(distinct o.id), cast(sum(l.quantity) as bigint),
            cast(sum(l.goods_minor + l.freight_minor) as bigint),
            cast(sum(l.back_goods_minor + l.back_freight_minor) as bigint),
            cast(sum(l.commission_minor - l.back_commission_minor) as bigint)
        from orders_sold o join orders_line l on l.tenant = o.tenant and l.order_id = o.id
        group by o.merchant order by o.merchant limit 500";

    SUMS_BY_CATEGORY = "select l.category, count(distinct o.id), cast(sum(l.quantity) as bigint),
            cast(sum(l.goods_minor + l.freight_minor) as bigint),
            cast(sum(l.back_goods_minor + l.back_freight_minor) as bigint),
            cast(sum(l.commission_minor - l.back_commission_minor) as bigint)
        from orders_order o join orders_line l on l.tenant = o.tenant and l.order_id = o.id
        where o.tenant = $1 and o.payment = 'paid' and o.placed_at >= $2 and o.placed_at < $3
          and (cast($4 as text) is null or o.merchant = $4)
        group by l.category order by l.category limit 500";

    // Days of Shanghai, which is eight hours ahead all year, counted from 1970.
    SUMS_BY_DAY = "select cast((o.placed_at + 28800000) / 86400000 as text), count(distinct o.id),
            cast(sum(l.quantity) as bigint), cast(sum(l.goods_minor + l.freight_minor) as bigint),
            cast(sum(l.back_goods_minor + l.back_freight_minor) as bigint),
            cast(sum(l.commission_minor - l.back_commission_minor) as bigint)
        from orders_order o join orders_line l on l.tenant = o.tenant and l.order_id = o.id
        where o.tenant = $1 and o.payment = 'paid' and o.placed_at >= $2 and o.placed_at < $3
          and (cast($4 as text) is null or o.merchant = $4)
        group by (o.placed_at + 28800000) / 86400000 order by 1 limit 500";
}

/// How something can be stuck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stuck {
    Unaccepted,
    Unsent,
    Unfinished,
    Unfetched,
    Unrefunded,
    Unanswered,
    Undecided,
}

impl Stuck {
    /// Each with how many hours it may take.
    pub(crate) const ALL: [(Self, i64); 7] = [
        (Self::Unaccepted, 24),
        (Self::Unsent, 48),
        (Self::Unfinished, 10 * 24),
        (Self::Unfetched, 7 * 24),
        (Self::Unrefunded, 24),
        (Self::Unanswered, 48),
        (Self::Undecided, 0),
    ];

    /// The name on the wire.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Unaccepted => "not_accepted",
            Self::Unsent => "not_shipped",
            Self::Unfinished => "not_completed",
            Self::Unfetched => "not_fetched",
            Self::Unrefunded => "not_refunded",
            Self::Unanswered => "not_answered",
            Self::Undecided => "not_decided",
        }
    }

    fn statement(self) -> &'static str {
        match self {
            Self::Unaccepted => NOT_ACCEPTED,
            Self::Unsent => NOT_SHIPPED,
            Self::Unfinished => NOT_COMPLETED,
            Self::Unfetched => NOT_FETCHED,
            Self::Unrefunded => NOT_REFUNDED,
            Self::Unanswered => NOT_ANSWERED,
            Self::Undecided => NOT_DECIDED,
        }
    }
}

/// Something that is stuck: its id, whose it is (of a refund its order), and since when.
#[derive(Debug, Clone)]
pub(crate) struct Delayed {
    pub(crate) id: String,
    pub(crate) of: Option<String>,
    pub(crate) since: Timestamp,
}

/// What has been stuck in that way since then or longer, the oldest first.
pub(crate) async fn stuck(
    db: &impl Read,
    tenant: &TenantId,
    (how, since): (Stuck, Timestamp),
    limit: i64,
) -> anyhow::Result<Vec<Delayed>> {
    let parameters = [tenant.into(), since.into(), limit.into()];
    let rows = db.rows(how.statement(), &parameters).await?;
    rows.iter()
        .map(|row| {
            Ok(Delayed {
                id: row.text(0)?.to_owned(),
                of: row.optional_text(1)?.map(str::to_owned),
                since: row.timestamp(2)?,
            })
        })
        .collect()
}

/// The columns of an export, in their order.
pub(crate) const EXPORT_COLUMNS: [&str; 18] = [
    "order",
    "checkout",
    "merchant",
    "buyer",
    "state",
    "payment",
    "fulfilment",
    "placed_at",
    "paid_at",
    "completed_at",
    "title",
    "quantity",
    "unit_minor",
    "goods_minor",
    "freight_minor",
    "subsidy_minor",
    "refunded_minor",
    "commission_minor",
];

/// Lines of the orders placed in a span of time, after that order and line, at most `limit`: the columns of
/// [`EXPORT_COLUMNS`] and the line's id.
pub(crate) async fn export(
    db: &impl Read,
    tenant: &TenantId,
    (from, until): (Timestamp, Timestamp),
    (after, limit): ((&str, &str), i64),
) -> anyhow::Result<Vec<store::Row>> {
    let parameters = [
        tenant.into(),
        from.into(),
        until.into(),
        after.0.into(),
        after.1.into(),
        limit.into(),
    ];
    db.rows(EXPORT, &parameters).await
}

/// By what sums are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Day,
    Category,
    Shop,
}

impl By {
    /// The one of that name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "day" => Some(Self::Day),
            "category" => Some(Self::Category),
            "shop" => Some(Self::Shop),
            _ => None,
        }
    }
}

/// What was sold, of one day, category or shop.
#[derive(Debug, Clone)]
pub(crate) struct Sums {
    pub(crate) key: String,
    pub(crate) orders: i64,
    pub(crate) units: i64,
    pub(crate) paid_minor: i64,
    pub(crate) refunded_minor: i64,
    pub(crate) commission_minor: i64,
}

/// What was sold in a span of time, of one shop or of all.
pub(crate) async fn sums(
    db: &impl Read,
    (tenant, merchant): (&TenantId, Option<&MerchantId>),
    by: By,
    (from, until): (Timestamp, Timestamp),
) -> anyhow::Result<Vec<Sums>> {
    let parameters = [tenant.into(), from.into(), until.into(), merchant.into()];
    let sql = match by {
        By::Shop => SUMS_BY_SHOP,
        By::Category => SUMS_BY_CATEGORY,
        By::Day => SUMS_BY_DAY,
    };
    let rows = db.rows(sql, &parameters).await?;
    rows.iter()
        .map(|row| {
            Ok(Sums {
                key: row.text(0)?.to_owned(),
                orders: row.integer(1)?,
                units: row.integer(2)?,
                paid_minor: row.integer(3)?,
                refunded_minor: row.integer(4)?,
                commission_minor: row.integer(5)?,
            })
        })
        .collect()
}
