//! What a payment is asked for and what becomes of it. Who wants money appends `payment.requested`; payments answers.
//! Amounts are whole minor units (fen).

use kernel::{
    ActorId, CommunityId, Currency, PaymentId, RefundId, Timestamp, TransactionId, TransferId,
};

events! {
    /// A capability wants money of somebody. Payments takes it up; the payer chooses a channel there.
    PaymentRequested = "payment.requested", awaited {
        /// The payment; chosen by the capability that asks.
        payment: PaymentId,
        /// What for: `bills`, `recharge`, `order` ...; the asking capability knows its own by it.
        purpose: String,
        /// Who is to pay.
        payer: ActorId,
        /// Where.
        community: CommunityId,
        /// How much, in minor units; above zero.
        amount_minor: i64,
        /// The currency.
        currency: Currency,
        /// What the payer reads.
        subject: String,
        /// The asking capability's own id.
        reference: String,
        /// The first moment at which it can no longer be paid.
        expires_at: Timestamp,
        /// What of the amount the channel pays straight to merchants: it never reaches our bank, and who asks posts it
        /// from `suspense` to `channel_clearing:{channel}` when it is earned. 0 for all that the platform collects.
        #[serde(default)]
        direct_minor: i64,
    }
    /// A capability no longer wants the money; a payment that succeeded already stays as it is.
    PaymentCancelRequested = "payment.cancel_requested", awaited {
        /// The payment.
        payment: PaymentId,
        /// Why, for people.
        reason: String,
    }
    /// The money is there: it stands in `suspense` until the asking capability posts it to where it belongs.
    PaymentSucceeded = "payment.succeeded", awaited {
        /// The payment.
        payment: PaymentId,
        /// What for, as it was asked.
        purpose: String,
        /// The asking capability's own id.
        reference: String,
        /// Who paid.
        payer: ActorId,
        /// Where.
        community: CommunityId,
        /// How much, in minor units.
        amount_minor: i64,
        /// The currency.
        currency: Currency,
        /// Over which channel.
        channel: String,
        /// When the payer paid, as the channel says.
        paid_at: Timestamp,
        /// The ledger transaction `channel_clearing:{channel}` to `suspense`.
        transaction: TransactionId,
    }
    /// A payment will not be paid any more; money that comes later goes back by itself.
    PaymentClosed = "payment.closed", awaited {
        /// The payment.
        payment: PaymentId,
        /// What for, as it was asked.
        purpose: String,
        /// The asking capability's own id.
        reference: String,
        /// `expired`, `cancelled`, or `invalid` for one that could not be taken up.
        reason: String,
    }
    /// A capability gives money back, all or in part. It has posted what it gives back to `suspense` before.
    RefundRequested = "refund.requested", awaited {
        /// The refund; chosen by the capability that asks.
        refund: RefundId,
        /// The payment that succeeded.
        payment: PaymentId,
        /// How much, in minor units; above zero.
        amount_minor: i64,
        /// Why, for people.
        reason: String,
        /// What of it the channel takes straight from merchants, as it was paid to them; never our bank's.
        #[serde(default)]
        direct_minor: i64,
    }
    /// The money went back to the payer over the channel.
    RefundSucceeded = "refund.succeeded", awaited {
        /// The refund.
        refund: RefundId,
        /// The payment.
        payment: PaymentId,
        /// What the payment was for.
        purpose: String,
        /// The asking capability's own id of the payment.
        reference: String,
        /// How much, in minor units.
        amount_minor: i64,
        /// The currency.
        currency: Currency,
        /// When, as the channel says.
        refunded_at: Timestamp,
        /// The ledger transaction that took it out of `channel_clearing:{channel}`.
        transaction: TransactionId,
    }
    /// The channel refused the refund for good, or it was more than was paid; what was in transit is in `suspense` again.
    RefundFailed = "refund.failed", awaited {
        /// The refund.
        refund: RefundId,
        /// The payment.
        payment: PaymentId,
        /// What the payment was for; absent when there is no such payment.
        purpose: Option<String>,
        /// The asking capability's own id of the payment.
        reference: Option<String>,
        /// How much, in minor units.
        amount_minor: i64,
        /// The stable code of the reason.
        reason: String,
    }
    /// A capability sends money out over a channel. It holds that money until it hears what became of it.
    TransferRequested = "transfer.requested", awaited {
        /// The transfer; chosen by the capability that asks.
        transfer: TransferId,
        /// What it is for: `withdrawal`, `deposit`.
        purpose: String,
        /// The asking capability's own id of what it is for.
        reference: String,
        /// Over what: `wechat` or `simulated`.
        channel: String,
        /// Whom the channel knows by that name: at WeChat an openid of our app.
        payee: String,
        /// What the payee is called; the channel compares it, and demands it of larger amounts.
        name: String,
        /// How much, in minor units; above zero.
        amount_minor: i64,
        /// The currency.
        currency: Currency,
        /// Why, for the payee; at most 32 characters.
        remark: String,
    }
    /// The channel has taken a transfer, and the payee has to say yes.
    TransferWaiting = "transfer.waiting", awaited {
        /// The transfer.
        transfer: TransferId,
        /// What it is for.
        purpose: String,
        /// The asking capability's own id.
        reference: String,
        /// What the payee's app opens to say yes.
        confirmation: String,
    }
    /// The money is with the payee.
    TransferSucceeded = "transfer.succeeded", awaited {
        /// The transfer.
        transfer: TransferId,
        /// What it was for.
        purpose: String,
        /// The asking capability's own id.
        reference: String,
        /// What the channel calls it.
        channel_transfer: String,
        /// How much, in minor units.
        amount_minor: i64,
        /// When, as the channel says.
        at: Timestamp,
    }
    /// The channel will not do it: the money is where it was.
    TransferFailed = "transfer.failed", awaited {
        /// The transfer.
        transfer: TransferId,
        /// What it was for.
        purpose: String,
        /// The asking capability's own id.
        reference: String,
        /// The stable code of the reason, in lower case.
        reason: String,
    }
    /// A channel's bill of a day was held against our own books.
    ReconciliationCompleted = "reconciliation.completed" {
        /// The channel.
        channel: String,
        /// The day in the channel's zone, `2026-10-31`.
        day: String,
        /// How often this day was run.
        run: u32,
        /// How many mistakes are listed.
        mistakes: u32,
    }
}
