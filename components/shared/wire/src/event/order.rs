//! What becomes of orders, as far as others settle, tell and count by it. Amounts are whole minor units (fen).

use kernel::{
    ActorId, AfterSaleId, CategoryId, CheckoutId, CommissionRuleId, CommunityId, Currency,
    MerchantId, OrderId, OrderLineId, ProductId, RefundId, Timestamp, TransactionId,
};

use crate::mall::{Collection, SaleKind};

events! {
    /// An order changed in one of its machines: for messages to the buyer and the merchant.
    OrderChanged = "order.changed", awaited {
        /// The order.
        order: OrderId,
        /// The checkout that it came of.
        checkout: CheckoutId,
        /// Who bought.
        buyer: ActorId,
        /// Who sells.
        merchant: MerchantId,
        /// Where.
        community: CommunityId,
        /// What happened: `placed`, `paid`, `accepted`, `shipped`, `ready`, `completed`, `cancelled`, `refund_requested` ...
        change: String,
        /// Who did it; none when it happened by itself.
        actor: Option<ActorId>,
        /// When.
        at: Timestamp,
    }
    /// A line of an order was completed: what the merchant is to be settled for.
    OrderLineCompleted = "order_line.completed", awaited {
        /// The order.
        order: OrderId,
        /// The line.
        line: OrderLineId,
        /// Who sells.
        merchant: MerchantId,
        /// Who bought.
        buyer: ActorId,
        /// Where.
        community: CommunityId,
        /// Of what category.
        category: CategoryId,
        /// Goods or service.
        kind: SaleKind,
        /// What.
        product: ProductId,
        /// How many.
        quantity: u32,
        /// What the buyer paid for the line and was not given back before, without freight.
        paid_minor: i64,
        /// What the platform adds for discounts that it bears.
        subsidy_minor: i64,
        /// The line's part of the freight that was paid.
        freight_minor: i64,
        /// What the commission is a share of.
        base_minor: i64,
        /// The rule that was frozen when the order was paid; none when no rule held.
        rule: Option<CommissionRuleId>,
        /// Its version.
        rule_version: Option<i64>,
        /// Its share, in 1/10,000.
        rate_bps: u32,
        /// The commission on the base.
        commission_minor: i64,
        /// Who received the money.
        collection: Collection,
        /// The currency.
        currency: Currency,
        /// When the order was paid.
        paid_at: Timestamp,
        /// When it was completed.
        completed_at: Timestamp,
        /// The ledger transaction of the sale.
        transaction: TransactionId,
    }
    /// Money for a completed line went back: a negative line of the next statement.
    OrderLineRefunded = "order_line.refunded", awaited {
        /// The refund.
        refund: RefundId,
        /// The request that it answers; none for one that needed no request.
        after_sale: Option<AfterSaleId>,
        /// The order.
        order: OrderId,
        /// The line.
        line: OrderLineId,
        /// Who sells.
        merchant: MerchantId,
        /// Where.
        community: CommunityId,
        /// What went back to the buyer, freight included.
        amount_minor: i64,
        /// The subsidy that went back to the platform with it.
        subsidy_minor: i64,
        /// By how much the base of the commission shrank.
        base_minor: i64,
        /// By how much the commission shrank; the last refund closes the sum.
        commission_minor: i64,
        /// What the merchant could not bear from what it may draw, and owes since.
        owed_minor: i64,
        /// Who received the money of the sale.
        collection: Collection,
        /// The currency.
        currency: Currency,
        /// When the money went back.
        succeeded_at: Timestamp,
        /// The ledger transaction that took it from the merchant.
        transaction: TransactionId,
    }
}
