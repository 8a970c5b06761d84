//! The list of messages in the app (我的消息).

use kernel::{ActorId, DeliveryId, TenantId, Timestamp};
use store::{Read, Row, Tx};
use web::Page;

use super::messages::content_of;
use crate::domain::Content;

statements! {
    MESSAGES = "select d.id, d.message, d.delivered_at, d.read_at,
            m.purpose, m.sender, m.title_zh, m.title_en, m.body_zh, m.body_en, m.url, m.channels, m.urgency,
            m.collapse_key
        from push_delivery d join push_message m on m.tenant = d.tenant and m.id = d.message
        where d.tenant = $1 and d.person = $2 and d.channel = 'inbox' and d.delivered_at is not null
            and (cast($3 as text) is null or d.id < $3) and (cast($4 as bigint) = 0 or d.read_at is null)
            and (cast($5 as text) is null or d.id = $5)
        order by d.id desc limit $6";

    UNREAD = "select count(*) from push_delivery
        where tenant = $1 and person = $2 and channel = 'inbox' and read_at is null and delivered_at is not null";

    READ_ONE = "update push_delivery set read_at = coalesce(read_at, $4), displayed_at = coalesce(displayed_at, $4),
            state = case when state = 'delivered' then 'displayed' else state end
        where tenant = $1 and person = $2 and id = $3 and channel = 'inbox' and delivered_at is not null
        returning id";

    READ_ALL = "update push_delivery set read_at = $4, displayed_at = coalesce(displayed_at, $4),
            state = case when state = 'delivered' then 'displayed' else state end
        where tenant = $1 and person = $2 and id <= $3 and channel = 'inbox' and read_at is null
            and delivered_at is not null";
}

/// A message of somebody.
pub(crate) struct Item {
    pub(crate) id: DeliveryId,
    pub(crate) message: String,
    pub(crate) at: Timestamp,
    pub(crate) read_at: Option<Timestamp>,
    pub(crate) content: Content,
}

fn item_of(row: &Row) -> anyhow::Result<Item> {
    Ok(Item {
        id: row.id(0)?,
        message: row.text(1)?.to_owned(),
        at: row.timestamp(2)?,
        read_at: row.optional_timestamp(3)?,
        content: content_of(row, 4, 5)?,
    })
}

/// Somebody's messages, the latest first: all, or those that were not read.
pub(crate) async fn messages(
    db: &impl Read,
    (tenant, person): (&TenantId, &ActorId),
    unread: bool,
    page: &Page<DeliveryId>,
) -> anyhow::Result<Vec<Item>> {
    let parameters = [
        tenant.into(),
        person.into(),
        page.after.as_ref().into(),
        unread.into(),
        store::Value::Null,
        page.rows().into(),
    ];
    let rows = db.rows(MESSAGES, &parameters).await?;
    rows.iter().map(item_of).collect()
}

/// One message of somebody.
pub(crate) async fn message(
    db: &impl Read,
    (tenant, person): (&TenantId, &ActorId),
    id: &DeliveryId,
) -> anyhow::Result<Option<Item>> {
    let parameters = [
        tenant.into(),
        person.into(),
        store::Value::Null,
        false.into(),
        id.into(),
        1.into(),
    ];
    let row = db.row(MESSAGES, &parameters).await?;
    row.as_ref().map(item_of).transpose()
}

/// How many somebody has not read.
pub(crate) async fn unread(
    db: &impl Read,
    tenant: &TenantId,
    person: &ActorId,
) -> anyhow::Result<i64> {
    let row = db.row(UNREAD, &[tenant.into(), person.into()]).await?;
    row.map_or(Ok(0), |row| row.integer(0))
}

/// Somebody read a message; whether it is theirs.
pub(crate) async fn read(
    tx: &Tx,
    person: &ActorId,
    id: &DeliveryId,
    now: Timestamp,
) -> anyhow::Result<bool> {
    let parameters = [tx.tenant().into(), person.into(), id.into(), now.into()];
    Ok(tx.row(READ_ONE, &parameters).await?.is_some())
}

/// Somebody read all up to a message.
pub(crate) async fn read_all(
    tx: &Tx,
    person: &ActorId,
    up_to: &DeliveryId,
    now: Timestamp,
) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), person.into(), up_to.into(), now.into()];
    tx.execute(READ_ALL, &parameters).await
}
