//! How merchants stand with the platform: what others decide by; statements, deposits, withdrawals and platform fees.
//! Amounts are whole minor units (fen).

use kernel::{ActorId, Currency, MerchantId, StatementId, Timestamp, TransactionId, WithdrawalId};

use crate::mall::Standing;

events! {
    /// A merchant's standing changed: whether it may trade as far as its deposit and its debts go.
    MerchantStandingChanged = "merchant.standing_changed", awaited {
        /// The merchant.
        merchant: MerchantId,
        /// How it stands from now on.
        standing: Standing,
        /// Counts up with each change; a lower one that comes later is old news.
        version: i64,
        /// When.
        at: Timestamp,
    }
    /// A merchant's statement of a month was made and sent.
    StatementIssued = "statement.issued", unhurried {
        /// The statement.
        statement: StatementId,
        /// Whose.
        merchant: MerchantId,
        /// The month: `2026-10`.
        month: String,
        /// How many lines.
        lines: i64,
        /// What it comes to; below zero is carried over to the next one.
        total_minor: i64,
        /// What was taken from what the merchant may draw.
        netted_minor: i64,
        /// What is to be paid.
        owed_minor: i64,
        /// The currency.
        currency: Currency,
        /// The first moment at which it is overdue.
        due_at: Timestamp,
        /// By how much it was late, in milliseconds; the due moment moved by as much.
        late_ms: i64,
    }
    /// A statement is right: the merchant said so, or its silence did.
    StatementConfirmed = "statement.confirmed" {
        /// The statement.
        statement: StatementId,
        /// Whose.
        merchant: MerchantId,
        /// Who said so; none when the day came without a word.
        actor: Option<ActorId>,
        /// When.
        at: Timestamp,
    }
    /// A merchant objects to lines of its statement.
    StatementDisputed = "statement.disputed" {
        /// The statement.
        statement: StatementId,
        /// Whose.
        merchant: MerchantId,
        /// The lines.
        lines: Vec<String>,
        /// Who objects.
        actor: ActorId,
    }
    /// An objection was decided; what is corrected is a line of the open period.
    StatementObjectionDecided = "statement_objection.decided" {
        /// The statement.
        statement: StatementId,
        /// Whose.
        merchant: MerchantId,
        /// The line.
        line: String,
        /// Whether the merchant was right.
        accepted: bool,
        /// The correction.
        adjustment_minor: i64,
        /// Who decided.
        actor: ActorId,
    }
    /// Nothing of a statement is owed any more.
    StatementPaid = "statement.paid" {
        /// The statement.
        statement: StatementId,
        /// Whose.
        merchant: MerchantId,
        /// How: `nothing_owed`, `netted`, `payment`, `balance` or `deposit`.
        by: String,
        /// When.
        at: Timestamp,
    }
    /// The due moment of a statement passed with something unpaid.
    StatementOverdue = "statement.overdue", unhurried {
        /// The statement.
        statement: StatementId,
        /// Whose.
        merchant: MerchantId,
        /// What was unpaid.
        owed_minor: i64,
        /// What the deposit bore of it.
        deducted_minor: i64,
        /// When.
        at: Timestamp,
    }
    /// A correction, a line of the open period.
    SettlementAdjusted = "settlement.adjusted" {
        /// Whose.
        merchant: MerchantId,
        /// The line.
        line: String,
        /// What the merchant owes more; below zero less.
        amount_minor: i64,
        /// Why.
        reason: String,
        /// Who decided.
        actor: ActorId,
    }
    /// Money of a merchant was added to its deposit.
    DepositPaid = "deposit.paid" {
        /// Whose.
        merchant: MerchantId,
        /// How much.
        amount_minor: i64,
        /// What the deposit is from now on.
        balance_minor: i64,
        /// The ledger transaction.
        transaction: TransactionId,
    }
    /// A deposit bore what a statement left unpaid.
    DepositDeducted = "deposit.deducted" {
        /// Whose.
        merchant: MerchantId,
        /// The statement.
        statement: StatementId,
        /// How much.
        amount_minor: i64,
        /// What the deposit is from now on.
        balance_minor: i64,
        /// The ledger transaction.
        transaction: TransactionId,
    }
    /// The giving back of a deposit was asked for, agreed to, or refused.
    DepositRefundChanged = "deposit_refund.changed" {
        /// Whose.
        merchant: MerchantId,
        /// `requested`, `refunded` or `rejected`.
        state: String,
        /// How much.
        amount_minor: i64,
        /// Who.
        actor: ActorId,
    }
    /// A withdrawal was requested, approved, rejected, sent, or came to its end.
    WithdrawalChanged = "withdrawal.changed", unhurried {
        /// The withdrawal.
        withdrawal: WithdrawalId,
        /// Whose money.
        merchant: MerchantId,
        /// How much.
        amount_minor: i64,
        /// `requested`, `approved`, `rejected`, `cancelled`, `sending`, `paid` or `failed`.
        state: String,
        /// Who; none when the channel said so.
        actor: Option<ActorId>,
        /// When.
        at: Timestamp,
    }
    /// Whether a property company or an owner may use the platform. Others judge by the latest version when they are
    /// asked; opening doors, reading and paying go on whatever it says.
    PlatformAccountChanged = "platform_account.changed", unhurried {
        /// The account: the company's or the person's id.
        account: ActorId,
        /// `company` or `owner`.
        kind: String,
        /// Whose accounts act for it.
        holders: Vec<ActorId>,
        /// Whether it is suspended.
        suspended: bool,
        /// Counts up with each change.
        version: i64,
        /// When.
        at: Timestamp,
    }
    /// A platform fee was taken from what was paid ahead, or could not be.
    PlatformFeeCharged = "platform_fee.charged" {
        /// The account.
        account: ActorId,
        /// The month: `2026-10`.
        period: String,
        /// How much.
        amount_minor: i64,
        /// Whether it was taken; otherwise the account is suspended until it can be.
        taken: bool,
        /// When.
        at: Timestamp,
    }
    /// Somebody has to look: a deadline passed.
    SettlementAlarmRaised = "settlement_alarm.raised" {
        /// `issue_deadline_missed`, `statement_late`, `objection_undecided`, `shortfall` or `transfer_unknown`.
        kind: String,
        /// The month, the statement or the withdrawal that it is about.
        subject: String,
        /// Whose, if it is about one merchant.
        merchant: Option<MerchantId>,
        /// When.
        at: Timestamp,
    }
}
