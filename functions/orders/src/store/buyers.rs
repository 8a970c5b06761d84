//! What is done to all that orders hold of one person.

use kernel::ActorId;
use store::Tx;

/// What stands where a person stood who was forgotten.
const ERASED: &str = "erased";

statements! {
    RENAME_CHECKOUTS = "update orders_checkout set buyer = $3 where tenant = $1 and buyer = $2";
    RENAME_ORDERS = "update orders_order set buyer = $3 where tenant = $1 and buyer = $2";
    RENAME_AFTER_SALES = "update orders_after_sale set buyer = $3 where tenant = $1 and buyer = $2";
    RENAME_DISPUTES = "update orders_dispute set buyer = $3 where tenant = $1 and buyer = $2";
    RENAME_REVIEWS = "update orders_review set buyer = $3 where tenant = $1 and buyer = $2";

    // Two conversations with one shop become one: what was written in the alias's goes to the person's.
    MERGE_MESSAGES = "update orders_message set conversation =
            (select o.id from orders_conversation c
                join orders_conversation o on o.tenant = c.tenant and o.merchant = c.merchant and o.buyer = $3
                where c.tenant = $1 and c.id = orders_message.conversation)
        where tenant = $1 and conversation in
            (select c.id from orders_conversation c
                join orders_conversation o on o.tenant = c.tenant and o.merchant = c.merchant and o.buyer = $3
                where c.tenant = $1 and c.buyer = $2)";

    MERGE_LAST = "update orders_conversation
        set last_message = (select c.last_message from orders_conversation c
                where c.tenant = $1 and c.buyer = $2 and c.merchant = orders_conversation.merchant),
            last_at = (select c.last_at from orders_conversation c
                where c.tenant = $1 and c.buyer = $2 and c.merchant = orders_conversation.merchant)
        where tenant = $1 and buyer = $3 and exists (select 1 from orders_conversation c
            where c.tenant = $1 and c.buyer = $2 and c.merchant = orders_conversation.merchant
              and c.last_at > orders_conversation.last_at)";

    FORGET_MERGED = "delete from orders_conversation
        where tenant = $1 and buyer = $2 and merchant in
            (select o.merchant from orders_conversation o where o.tenant = $1 and o.buyer = $3)";

    RENAME_CONVERSATIONS = "update orders_conversation set buyer = $3
        where tenant = $1 and buyer = $2 and merchant not in
            (select o.merchant from orders_conversation o where o.tenant = $1 and o.buyer = $3)";

    RENAME_AUTHORS = "update orders_message set author = $3
        where tenant = $1 and author = $2 and conversation in
            (select c.id from orders_conversation c where c.tenant = $1 and c.buyer = $3)";

    // Where things were brought, and what was said of them, is the person's; what was sold is the books'.
    FORGET_ORDERS = "update orders_order set receiver = null, phone = null, address = null, remark = null
        where tenant = $1 and buyer = $2";

    FORGET_REVIEWS = "update orders_review set is_anonymous = 1 where tenant = $1 and buyer = $2";

    FORGET_MESSAGES = "delete from orders_message where tenant = $1 and conversation in
        (select c.id from orders_conversation c where c.tenant = $1 and c.buyer = $2)";

    FORGET_CONVERSATIONS = "delete from orders_conversation where tenant = $1 and buyer = $2";
}

/// Puts another id wherever this person bought.
pub(crate) async fn rename(tx: &Tx, person: &ActorId, new: &str) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), person.into(), new.into()];
    for statement in [
        RENAME_CHECKOUTS,
        RENAME_ORDERS,
        RENAME_AFTER_SALES,
        RENAME_DISPUTES,
        RENAME_REVIEWS,
        MERGE_MESSAGES,
        MERGE_LAST,
        FORGET_MERGED,
        RENAME_CONVERSATIONS,
        RENAME_AUTHORS,
    ] {
        tx.execute(statement, &parameters).await?;
    }
    Ok(())
}

/// Forgets a person: where they are, what they wrote. What was sold, and for how much, stays without them.
pub(crate) async fn erase(tx: &Tx, person: &ActorId) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), person.into()];
    for statement in [
        FORGET_ORDERS,
        FORGET_REVIEWS,
        FORGET_MESSAGES,
        FORGET_CONVERSATIONS,
    ] {
        tx.execute(statement, &parameters).await?;
    }
    rename(tx, person, ERASED).await
}
