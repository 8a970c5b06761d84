//! Pushes that merchants pay for.

use kernel::{
    ActorId, CommunityId, MerchantId, PaymentId, PushMessageId, PushOrderId, TenantId, Timestamp,
};
use serde_json::Value as Json;
use store::{Read, Row, Tx};
use web::Page;

use super::word;
use crate::domain::OrderState;

statements! {
    PUT = "insert into push_order (tenant, id, merchant, community, content, audience, state, due_at, people, digest,
            price_minor, amount_minor, valid_until, payment, message, delivered, charged_minor, refunded_minor,
            created_by, reviewed_by, note, created_at, changed_at, version)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
            $23, $24)
        on conflict (tenant, id) do update set content = excluded.content, audience = excluded.audience,
            state = excluded.state, due_at = excluded.due_at, people = excluded.people, digest = excluded.digest,
            price_minor = excluded.price_minor, amount_minor = excluded.amount_minor,
            valid_until = excluded.valid_until, payment = excluded.payment, message = excluded.message,
            delivered = excluded.delivered, charged_minor = excluded.charged_minor,
            refunded_minor = excluded.refunded_minor, reviewed_by = excluded.reviewed_by, note = excluded.note,
            changed_at = excluded.changed_at, version = excluded.version";

    ORDER = "select id, merchant, community, content, audience, state, due_at, people, digest, price_minor, amount_minor,
            valid_until, payment, message, delivered, charged_minor, refunded_minor, created_by, reviewed_by, note,
            created_at, changed_at, version
        from push_order where tenant = $1 and id = $2";

    ORDER_OF_MESSAGE = "select id, merchant, community, content, audience, state, due_at, people, digest, price_minor,
            amount_minor, valid_until, payment, message, delivered, charged_minor, refunded_minor, created_by,
            reviewed_by, note, created_at, changed_at, version
        from push_order where tenant = $1 and message = $2";

    ORDER_OF_PAYMENT = "select id, merchant, community, content, audience, state, due_at, people, digest, price_minor,
            amount_minor, valid_until, payment, message, delivered, charged_minor, refunded_minor, created_by,
            reviewed_by, note, created_at, changed_at, version
        from push_order where tenant = $1 and payment = $2";

    ORDERS = "select o.id, o.merchant, o.community, o.content, o.audience, o.state, o.due_at, o.people, o.digest,
            o.price_minor, o.amount_minor, o.valid_until, o.payment, o.message, o.delivered, o.charged_minor,
            o.refunded_minor, o.created_by, o.reviewed_by, o.note, o.created_at, o.changed_at, o.version
        from push_order o
        where o.tenant = $1 and (cast($2 as text) is null or o.id < $2)
            and (cast($3 as text) is null or o.merchant = $3)
            and (cast($4 as text) is null or exists (select 1 from push_member m
                where m.tenant = $1 and m.merchant = o.merchant and m.person = $4))
        order by o.id desc limit $5";

    REACHED = "select count(distinct person) from push_delivery
        where tenant = $1 and message = $2 and sent_at is not null";

    BOUGHT_AFTER = "select d.message from push_order o
        join push_delivery d on d.tenant = o.tenant and d.message = o.message and d.person = $3
        where o.tenant = $1 and o.merchant = $2 and o.message is not null and d.sent_at >= $4
        order by d.sent_at desc limit 1";
}

/// A paid push.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) id: PushOrderId,
    pub(crate) merchant: MerchantId,
    pub(crate) community: CommunityId,
    /// What is told, as it was written.
    pub(crate) content: Json,
    pub(crate) audience: Json,
    pub(crate) state: OrderState,
    pub(crate) due_at: Timestamp,
    pub(crate) people: i64,
    /// The digest of who they were.
    pub(crate) digest: Option<String>,
    pub(crate) price_minor: i64,
    pub(crate) amount_minor: i64,
    pub(crate) valid_until: Option<Timestamp>,
    pub(crate) payment: Option<PaymentId>,
    pub(crate) message: Option<PushMessageId>,
    pub(crate) delivered: i64,
    pub(crate) charged_minor: i64,
    pub(crate) refunded_minor: i64,
    pub(crate) created_by: ActorId,
    pub(crate) reviewed_by: Option<ActorId>,
    pub(crate) note: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) changed_at: Timestamp,
    pub(crate) version: i64,
}

fn order_of(row: &Row) -> anyhow::Result<Order> {
    Ok(Order {
        id: row.id(0)?,
        merchant: row.id(1)?,
        community: row.id(2)?,
        content: serde_json::from_str(row.text(3)?)?,
        audience: serde_json::from_str(row.text(4)?)?,
        state: word(row.text(5)?, OrderState::parse)?,
        due_at: row.timestamp(6)?,
        people: row.integer(7)?,
        digest: row.optional_text(8)?.map(str::to_owned),
        price_minor: row.integer(9)?,
        amount_minor: row.integer(10)?,
        valid_until: row.optional_timestamp(11)?,
        payment: row.optional_id(12)?,
        message: row.optional_id(13)?,
        delivered: row.integer(14)?,
        charged_minor: row.integer(15)?,
        refunded_minor: row.integer(16)?,
        created_by: row.id(17)?,
        reviewed_by: row.optional_id(18)?,
        note: row.optional_text(19)?.map(str::to_owned),
        created_at: row.timestamp(20)?,
        changed_at: row.timestamp(21)?,
        version: row.integer(22)?,
    })
}

/// Puts a paid push in the place of the one before.
pub(crate) async fn put(tx: &Tx, order: &Order) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&order.id).into(),
        (&order.merchant).into(),
        (&order.community).into(),
        order.content.to_string().into(),
        order.audience.to_string().into(),
        order.state.as_str().into(),
        order.due_at.into(),
        order.people.into(),
        order.digest.as_ref().into(),
        order.price_minor.into(),
        order.amount_minor.into(),
        order.valid_until.into(),
        order.payment.as_ref().into(),
        order.message.as_ref().into(),
        order.delivered.into(),
        order.charged_minor.into(),
        order.refunded_minor.into(),
        (&order.created_by).into(),
        order.reviewed_by.as_ref().into(),
        order.note.as_ref().into(),
        order.created_at.into(),
        order.changed_at.into(),
        order.version.into(),
    ];
    tx.execute(PUT, &parameters).await
}

/// The paid push.
pub(crate) async fn order(
    db: &impl Read,
    tenant: &TenantId,
    id: &PushOrderId,
) -> anyhow::Result<Option<Order>> {
    let row = db.row(ORDER, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(order_of).transpose()
}

/// The paid push that a message is of.
pub(crate) async fn of_message(tx: &Tx, message: &PushMessageId) -> anyhow::Result<Option<Order>> {
    let row = tx
        .row(ORDER_OF_MESSAGE, &[tx.tenant().into(), message.into()])
        .await?;
    row.as_ref().map(order_of).transpose()
}

/// The paid push that a payment is for.
pub(crate) async fn of_payment(tx: &Tx, payment: &PaymentId) -> anyhow::Result<Option<Order>> {
    let row = tx
        .row(ORDER_OF_PAYMENT, &[tx.tenant().into(), payment.into()])
        .await?;
    row.as_ref().map(order_of).transpose()
}

/// Paid pushes, the latest first: of one merchant, of those that somebody acts for, or all.
pub(crate) async fn orders(
    db: &impl Read,
    tenant: &TenantId,
    (merchant, person): (Option<&MerchantId>, Option<&ActorId>),
    page: &Page<PushOrderId>,
) -> anyhow::Result<Vec<Order>> {
    let parameters = [
        tenant.into(),
        page.after.as_ref().into(),
        merchant.into(),
        person.into(),
        page.rows().into(),
    ];
    let rows = db.rows(ORDERS, &parameters).await?;
    rows.iter().map(order_of).collect()
}

/// How many people a message reached: a service took it for one of their devices at least.
pub(crate) async fn reached(tx: &Tx, message: &PushMessageId) -> anyhow::Result<i64> {
    let row = tx
        .row(REACHED, &[tx.tenant().into(), message.into()])
        .await?;
    row.map_or(Ok(0), |row| row.integer(0))
}

/// The last paid push of a merchant that somebody got since a moment.
pub(crate) async fn bought_after(
    tx: &Tx,
    (merchant, person): (&MerchantId, &ActorId),
    since: Timestamp,
) -> anyhow::Result<Option<PushMessageId>> {
    let parameters = [
        tx.tenant().into(),
        merchant.into(),
        person.into(),
        since.into(),
    ];
    let row = tx.row(BOUGHT_AFTER, &parameters).await?;
    row.map(|row| row.id(0)).transpose()
}
