//! `/api/conversations`: what buyers and shops write to each other. Phone numbers are masked; operators read along only
//! where there is a dispute.

use kernel::{
    ActorId, ChatMessageId, ConversationId, MerchantId, Message, OrderId, Refusal, Timestamp,
};
use serde::{Deserialize, Serialize};
use store::Read;
use web::{Query, Reply, Request};

use super::{answer, path_id, private, replied, stored, write};
use crate::context::Context;
use crate::domain::{
    Party, Side, Words, buyers_only, masked, party_of, unknown_order, unknown_shop,
};
use crate::party::{self, Caller};
use crate::store::conversations::{self as sql, Conversation, Text};
use crate::store::orders::Whose;
use crate::store::{disputes, known, orders};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewConversation {
    merchant: MerchantId,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewText {
    words: Words,
    #[serde(default)]
    order: Option<OrderId>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Marker {
    message: ChatMessageId,
}

#[derive(Serialize)]
struct Shown {
    id: ConversationId,
    buyer: ActorId,
    merchant: MerchantId,
    buyer_read: Option<ChatMessageId>,
    merchant_read: Option<ChatMessageId>,
    last_message: Option<ChatMessageId>,
    last_at: Timestamp,
    /// Whether the caller's side has not read the last message.
    is_unread: bool,
}

#[derive(Serialize)]
struct ShownText {
    id: ChatMessageId,
    side: &'static str,
    author: ActorId,
    words: String,
    order: Option<OrderId>,
    at: Timestamp,
}

pub(super) async fn begin(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    buyers_only(&caller.actor)?;
    let new: NewConversation = web::body(request)?;
    let made = write(context, request, &caller.actor, async |tx| {
        let shop = known::merchant(tx, tx.tenant(), &new.merchant).await?;
        let shop = shop.ok_or_else(unknown_shop)?;
        let both = (&caller.actor.id, &shop.id);
        if let Some(known) = sql::of_both(tx, both).await? {
            return answer(200, &shown(known, Some(Side::Buyer)));
        }
        let conversation = Conversation {
            id: context.new_id()?,
            buyer: caller.actor.id.clone(),
            merchant: shop.id,
            buyer_read: None,
            merchant_read: None,
            last_message: None,
            last_at: context.now,
        };
        sql::insert_conversation(tx, &conversation).await?;
        answer(201, &shown(conversation, Some(Side::Buyer)))
    })
    .await?;
    stored(&made, "/api/conversations")
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let mut query = Query::of(request)?;
    let merchant = query.take("merchant", MerchantId::parse)?;
    let page = query.page(ConversationId::parse)?;
    query.finish()?;
    let whose = match (caller.whose(merchant)?, caller.shops.is_empty()) {
        // What others write to each other is nobody's to browse.
        (Whose::Merchant(merchant), true) => match is_kept(context, &caller, &merchant).await? {
            true => Whose::Merchant(merchant),
            false => Whose::Everybody,
        },
        (whose, _) => whose,
    };
    let side = match &whose {
        Whose::Buyer(_) => Some(Side::Buyer),
        Whose::Merchant(_) => Some(Side::Merchant),
        Whose::Everybody => None,
    };
    let found = sql::conversations(&context.db, (&caller.actor.tenant, &whose), &page).await?;
    Ok(private(Reply::ok(&page.listing(
        found,
        |conversation| conversation.id.to_string(),
        |conversation| shown(conversation, side),
    ))))
}

/// Whether the caller keeps this shop for its merchant.
async fn is_kept(
    context: &Context,
    caller: &Caller,
    merchant: &MerchantId,
) -> anyhow::Result<bool> {
    let nobody = party_of(&caller.actor, &[], (&caller.actor.id, Some(merchant)));
    let Some(party @ Party::Operator) = nobody else {
        return Ok(false);
    };
    caller.keeps(&context.db, party, merchant).await
}

pub(super) async fn read(context: &Context, request: &Request, id: &str) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let (conversation, _) = seen(&context.db, &caller, id).await?;
    let mut query = Query::of(request)?;
    let page = query.page(ChatMessageId::parse)?;
    query.finish()?;
    let of = (&caller.actor.tenant, &conversation.id);
    let found = sql::messages(&context.db, of, &page).await?;
    Ok(private(Reply::ok(&page.listing(
        found,
        |text| text.id.to_string(),
        shown_text,
    ))))
}

/// The conversation and the side for which the caller speaks; none for those who only read along in a dispute.
async fn seen(
    db: &impl Read,
    caller: &Caller,
    text: &str,
) -> anyhow::Result<(Conversation, Option<Side>)> {
    let id: ConversationId = path_id(text, unknown_conversation)?;
    let tenant = &caller.actor.tenant;
    let found = sql::conversation(db, tenant, &id).await?;
    let found = found.ok_or_else(unknown_conversation)?;
    let of = (&found.buyer, Some(&found.merchant));
    match party_of(&caller.actor, &caller.shops, of) {
        Some(Party::Buyer) => Ok((found, Some(Side::Buyer))),
        Some(Party::Merchant) => Ok((found, Some(Side::Merchant))),
        Some(party @ Party::Operator) => {
            if caller.keeps(db, party, &found.merchant).await? {
                return Ok((found, Some(Side::Merchant)));
            }
            let both = (&found.merchant, &found.buyer);
            if disputes::is_disputed(db, tenant, both).await? {
                return Ok((found, None));
            }
            Err(unknown_conversation().into())
        }
        Some(Party::Reader) | None => Err(unknown_conversation().into()),
    }
}

pub(super) async fn write_to(
    context: &Context,
    request: &Request,
    id: &str,
) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let new: NewText = web::body(request)?;
    let made = write(context, request, &caller.actor, async |tx| {
        let (conversation, side) = seen(tx, &caller, id).await?;
        let side = side.ok_or_else(both_only)?;
        if let Some(order) = &new.order {
            let order = orders::order(tx, tx.tenant(), order).await?;
            let is_theirs = |order: &crate::domain::Order| {
                order.buyer == conversation.buyer && order.merchant == conversation.merchant
            };
            order.filter(is_theirs).ok_or_else(unknown_order)?;
        }
        let text = Text {
            id: context.new_id()?,
            side,
            author: caller.actor.id.clone(),
            words: masked(new.words.as_str()),
            order: new.order.clone(),
            at: context.now,
        };
        sql::insert_message(tx, &conversation.id, &text).await?;
        answer(201, &shown_text(text))
    })
    .await?;
    replied(&made)
}

pub(super) async fn mark(context: &Context, request: &Request, id: &str) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let marker: Marker = web::body(request)?;
    let done = write(context, request, &caller.actor, async |tx| {
        let (conversation, side) = seen(tx, &caller, id).await?;
        let side = side.ok_or_else(both_only)?;
        if !sql::mark_read(tx, (&conversation.id, side), &marker.message).await? {
            return Err(unknown_message().into());
        }
        let (conversation, _) = seen(tx, &caller, id).await?;
        answer(200, &shown(conversation, Some(side)))
    })
    .await?;
    replied(&done)
}

fn shown(conversation: Conversation, side: Option<Side>) -> Shown {
    let read = match side {
        Some(Side::Buyer) => &conversation.buyer_read,
        _ => &conversation.merchant_read,
    };
    Shown {
        is_unread: side.is_some() && *read < conversation.last_message,
        id: conversation.id,
        buyer: conversation.buyer,
        merchant: conversation.merchant,
        buyer_read: conversation.buyer_read,
        merchant_read: conversation.merchant_read,
        last_message: conversation.last_message,
        last_at: conversation.last_at,
    }
}

fn shown_text(text: Text) -> ShownText {
    ShownText {
        id: text.id,
        side: text.side.as_str(),
        author: text.author,
        words: text.words,
        order: text.order,
        at: text.at,
    }
}

fn unknown_conversation() -> Refusal {
    Refusal::not_found(
        "conversation_unknown",
        Message::new(
            "There is no such conversation that you can read.",
            "未找到您可查看的该会话。",
        ),
    )
}

fn unknown_message() -> Refusal {
    Refusal::not_found(
        "message_unknown",
        Message::new(
            "The conversation has no such message.",
            "该会话中没有这条消息。",
        ),
    )
}

fn both_only() -> Refusal {
    Refusal::forbidden(
        "conversation_of_both",
        Message::new(
            "Only the buyer and the shop write here.",
            "仅买家与商家可在此发言。",
        ),
    )
}
