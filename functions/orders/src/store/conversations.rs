//! What buyers and shops write to each other.

use kernel::{ActorId, ChatMessageId, ConversationId, MerchantId, OrderId, TenantId, Timestamp};
use store::{Db, Read, Row, Tx, Value, bulk};
use web::Page;

use super::orders::Whose;
use crate::domain::Side;
use crate::rows_flow::word;

statements! {
    CONVERSATION = "select id, buyer, merchant, buyer_read, merchant_read, last_message, last_at
        from orders_conversation where tenant = $1 and id = $2";

    OF_BOTH = "select id, buyer, merchant, buyer_read, merchant_read, last_message, last_at
        from orders_conversation where tenant = $1 and buyer = $2 and merchant = $3";

    OF_BUYER = "select id, buyer, merchant, buyer_read, merchant_read, last_message, last_at
        from orders_conversation
        where tenant = $1 and buyer = $2 and (cast($3 as text) is null or id < $3) order by id desc limit $4";

    OF_MERCHANT = "select id, buyer, merchant, buyer_read, merchant_read, last_message, last_at
        from orders_conversation
        where tenant = $1 and merchant = $2 and (cast($3 as text) is null or id < $3) order by id desc limit $4";

    INSERT_CONVERSATION = "insert into orders_conversation (tenant, id, buyer, merchant, buyer_read, merchant_read,
            last_message, last_at)
        values ($1, $2, $3, $4, null, null, null, $5)";

    INSERT_MESSAGE = "insert into orders_message (tenant, id, conversation, side, author, words, order_id, at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)";

    TOUCH = "update orders_conversation set last_message = $3, last_at = $4 where tenant = $1 and id = $2";

    MESSAGES = "select id, side, author, words, order_id, at from orders_message
        where tenant = $1 and conversation = $2 and (cast($3 as text) is null or id < $3) order by id desc limit $4";

    // A marker moves forward only.
    READ_BY_BUYER = "update orders_conversation set buyer_read = $3
        where tenant = $1 and id = $2 and (buyer_read is null or buyer_read < $3)";

    READ_BY_MERCHANT = "update orders_conversation set merchant_read = $3
        where tenant = $1 and id = $2 and (merchant_read is null or merchant_read < $3)";

    IS_MESSAGE = "select id from orders_message where tenant = $1 and id = $2 and conversation = $3";

    FORGET_OLD = "delete from orders_message where (tenant, id) in
            (select o.tenant, o.id from orders_message o where o.at <= $1 order by o.at limit $2)
        returning id";
}

/// What a buyer and a shop write to each other.
#[derive(Debug, Clone)]
pub(crate) struct Conversation {
    pub(crate) id: ConversationId,
    pub(crate) buyer: ActorId,
    pub(crate) merchant: MerchantId,
    /// Up to which message the buyer has read.
    pub(crate) buyer_read: Option<ChatMessageId>,
    /// Up to which message the shop has read.
    pub(crate) merchant_read: Option<ChatMessageId>,
    pub(crate) last_message: Option<ChatMessageId>,
    pub(crate) last_at: Timestamp,
}

/// One text.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    pub(crate) id: ChatMessageId,
    pub(crate) side: Side,
    pub(crate) author: ActorId,
    pub(crate) words: String,
    pub(crate) order: Option<OrderId>,
    pub(crate) at: Timestamp,
}

fn read(row: &Row) -> anyhow::Result<Conversation> {
    Ok(Conversation {
        id: row.id(0)?,
        buyer: row.id(1)?,
        merchant: row.id(2)?,
        buyer_read: row.optional_id(3)?,
        merchant_read: row.optional_id(4)?,
        last_message: row.optional_id(5)?,
        last_at: row.timestamp(6)?,
    })
}

/// The conversation.
pub(crate) async fn conversation(
    db: &impl Read,
    tenant: &TenantId,
    id: &ConversationId,
) -> anyhow::Result<Option<Conversation>> {
    let row = db.row(CONVERSATION, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read).transpose()
}

/// The conversation of these two.
pub(crate) async fn of_both(
    tx: &Tx,
    (buyer, merchant): (&ActorId, &MerchantId),
) -> anyhow::Result<Option<Conversation>> {
    let parameters = [tx.tenant().into(), buyer.into(), merchant.into()];
    let row = tx.row(OF_BOTH, &parameters).await?;
    row.as_ref().map(read).transpose()
}

/// A page of conversations, the latest first. Nobody reads everybody's.
pub(crate) async fn conversations(
    db: &impl Read,
    (tenant, whose): (&TenantId, &Whose),
    page: &Page<ConversationId>,
) -> anyhow::Result<Vec<Conversation>> {
    let (sql, who): (&str, Value) = match whose {
        Whose::Buyer(buyer) => (OF_BUYER, buyer.into()),
        Whose::Merchant(merchant) => (OF_MERCHANT, merchant.into()),
        Whose::Everybody => return Ok(Vec::new()),
    };
    let parameters = [
        tenant.into(),
        who,
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(sql, &parameters).await?;
    rows.iter().map(read).collect()
}

/// Adds a conversation.
pub(crate) async fn insert_conversation(
    tx: &Tx,
    conversation: &Conversation,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&conversation.id).into(),
        (&conversation.buyer).into(),
        (&conversation.merchant).into(),
        conversation.last_at.into(),
    ];
    tx.execute(INSERT_CONVERSATION, &parameters).await
}

/// Adds a text to a conversation.
pub(crate) async fn insert_message(
    tx: &Tx,
    conversation: &ConversationId,
    text: &Text,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&text.id).into(),
        conversation.into(),
        text.side.as_str().into(),
        (&text.author).into(),
        (&text.words).into(),
        text.order.as_ref().into(),
        text.at.into(),
    ];
    tx.execute(INSERT_MESSAGE, &parameters).await?;
    let parameters = [
        tx.tenant().into(),
        conversation.into(),
        (&text.id).into(),
        text.at.into(),
    ];
    tx.execute(TOUCH, &parameters).await
}

/// A page of texts, the latest first.
pub(crate) async fn messages(
    db: &impl Read,
    (tenant, conversation): (&TenantId, &ConversationId),
    page: &Page<ChatMessageId>,
) -> anyhow::Result<Vec<Text>> {
    let parameters = [
        tenant.into(),
        conversation.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(MESSAGES, &parameters).await?;
    rows.iter()
        .map(|row| {
            Ok(Text {
                id: row.id(0)?,
                side: word(row, 1, Side::parse)?,
                author: row.id(2)?,
                words: row.text(3)?.to_owned(),
                order: row.optional_id(4)?,
                at: row.timestamp(5)?,
            })
        })
        .collect()
}

/// Stores up to where a side has read; whether there is such a message in the conversation.
pub(crate) async fn mark_read(
    tx: &Tx,
    (conversation, side): (&ConversationId, Side),
    message: &ChatMessageId,
) -> anyhow::Result<bool> {
    let of = [tx.tenant().into(), message.into(), conversation.into()];
    if tx.row(IS_MESSAGE, &of).await?.is_none() {
        return Ok(false);
    }
    let sql = match side {
        Side::Buyer => READ_BY_BUYER,
        Side::Merchant | Side::Operator => READ_BY_MERCHANT,
    };
    let parameters = [tx.tenant().into(), conversation.into(), message.into()];
    tx.execute(sql, &parameters).await?;
    Ok(true)
}

/// Deletes texts that were written by then, at most `limit`; how many.
pub(crate) async fn forget_old(db: &Db, until: Timestamp, limit: i64) -> anyhow::Result<i64> {
    bulk(db, async |batch| {
        let rows = batch
            .rows(FORGET_OLD, &[until.into(), limit.into()])
            .await?;
        Ok(i64::try_from(rows.len())?)
    })
    .await
}
