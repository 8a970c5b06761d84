//! What fees record: rules and tariffs, bills and what became of them, recharges. Amounts are whole minor units (fen).

use kernel::{
    ActorId, BillId, BillPaymentId, BillRunId, CashCloseId, Commodity, CommunityId, CouponId,
    Currency, FeeRuleId, RechargeId, RoomId, TariffId, Timestamp,
};

events! {
    /// A tariff was added, or its prices changed.
    TariffChanged = "tariff.changed" {
        /// The tariff.
        tariff: TariffId,
        /// Its community.
        community: CommunityId,
        /// Its version after the change, from 1.
        version: i64,
        /// Who changed it.
        actor: ActorId,
    }
    /// A rule was added or changed.
    FeeRuleChanged = "fee_rule.changed" {
        /// The rule.
        rule: FeeRuleId,
        /// Its community.
        community: CommunityId,
        /// Its version after the change, from 1.
        version: i64,
        /// Who changed it.
        actor: ActorId,
    }
    /// When a community's bills are due, and what being late costs.
    FeeTermsChanged = "fee_terms.changed" {
        /// The community.
        community: CommunityId,
        /// The version after the change, from 1.
        version: i64,
        /// Who changed it.
        actor: ActorId,
    }
    /// A bill run went through every rule and room.
    BillRunFinished = "bill_run.finished" {
        /// The run.
        run: BillRunId,
        /// The community.
        community: CommunityId,
        /// The month: `2026-10`.
        period: String,
        /// Whether nothing was kept.
        dry_run: bool,
        /// How many bills it made.
        bills: i64,
        /// Their sum.
        amount_minor: i64,
        /// How many rooms and rules it skipped, each with a reason.
        skipped: i64,
    }
    /// A bill is owed from now on.
    BillPublished = "bill.published", unhurried {
        /// The bill.
        bill: BillId,
        /// The community.
        community: CommunityId,
        /// The room.
        room: RoomId,
        /// The rule, or the bill itself when it was made by hand.
        rule: String,
        /// The month: `2026-10`.
        period: String,
        /// 1, 2, 3 ...: a later one bills the difference, or stands in for one that was voided.
        version: i64,
        /// What it is for.
        title: String,
        /// How much; below zero when it gives back.
        amount_minor: i64,
        /// The currency.
        currency: Currency,
        /// The last day on which it is paid in time, in the community's zone.
        due_on: String,
    }
    /// A bill counts no more.
    BillVoided = "bill.voided" {
        /// The bill.
        bill: BillId,
        /// The community.
        community: CommunityId,
        /// The room.
        room: RoomId,
        /// What was owed by it.
        amount_minor: i64,
        /// Why.
        reason: String,
        /// Who voided it.
        actor: ActorId,
    }
    /// A bill became smaller.
    BillDiscounted = "bill.discounted" {
        /// The bill.
        bill: BillId,
        /// The community.
        community: CommunityId,
        /// The room.
        room: RoomId,
        /// By how much.
        amount_minor: i64,
        /// Why.
        reason: String,
        /// Who decided.
        actor: ActorId,
    }
    /// What being late cost was let go, all or in part.
    LateFeeWaived = "late_fee.waived" {
        /// The bill.
        bill: BillId,
        /// The community.
        community: CommunityId,
        /// The room.
        room: RoomId,
        /// How much.
        amount_minor: i64,
        /// Why.
        reason: String,
        /// Who decided.
        actor: ActorId,
    }
    /// Money was put against a bill.
    BillPaid = "bill.paid", unhurried {
        /// The bill.
        bill: BillId,
        /// The community.
        community: CommunityId,
        /// The room.
        room: RoomId,
        /// The payment of the bill, with others perhaps.
        payment: BillPaymentId,
        /// What of it went against the bill.
        principal_minor: i64,
        /// What of it went against the late fee.
        late_minor: i64,
        /// Whether nothing is owed by the bill any more.
        settled: bool,
        /// When the payer paid.
        paid_at: Timestamp,
    }
    /// Money that was put against a bill goes back.
    BillRefunded = "bill.refunded", unhurried {
        /// The bill.
        bill: BillId,
        /// The community.
        community: CommunityId,
        /// The room.
        room: RoomId,
        /// The payment it came with.
        payment: BillPaymentId,
        /// How much, late fee included.
        amount_minor: i64,
        /// Why.
        reason: String,
        /// Who decided.
        actor: ActorId,
    }
    /// A room owes, and somebody should tell its people.
    BillReminderDue = "bill.reminder_due", unhurried {
        /// The community.
        community: CommunityId,
        /// The room.
        room: RoomId,
        /// Whom to tell: the owners and tenants of the room.
        people: Vec<ActorId>,
        /// How many bills.
        bills: i64,
        /// What is owed, without late fees.
        outstanding_minor: i64,
        /// The last day for the oldest of them.
        due_on: String,
    }
    /// A coupon of the property office was given, counted on, used, freed again or taken back.
    FeeCouponChanged = "fee_coupon.changed", unhurried {
        /// The coupon.
        coupon: CouponId,
        /// The community.
        community: CommunityId,
        /// Whose it is, unless it is a room's.
        person: Option<ActorId>,
        /// The room whose people may use it.
        room: Option<RoomId>,
        /// `available`, `held`, `used` or `withdrawn`.
        state: String,
        /// The payment that holds or has used it.
        payment: Option<BillPaymentId>,
    }
    /// Somebody has more points in a community, or fewer.
    PointsChanged = "points.changed" {
        /// Whose.
        person: ActorId,
        /// Where.
        community: CommunityId,
        /// How many came; below zero when they went.
        points: i64,
        /// How many there are now.
        balance: i64,
        /// `granted`, `earned`, `spent`, `given_back` or `revoked`.
        kind: String,
        /// The payment or the refund; of a grant its own id.
        reference: String,
    }
    /// A cashier's drawer was counted.
    CashClosed = "cash.closed" {
        /// The counting.
        close: CashCloseId,
        /// The community.
        community: CommunityId,
        /// Who counted.
        cashier: ActorId,
        /// What should have been there.
        expected_minor: i64,
        /// What was.
        counted_minor: i64,
        /// What of it goes to the bank.
        banked_minor: i64,
    }
    /// A recharge is paid: the meter is to be told.
    RechargeCommanded = "recharge.commanded", awaited {
        /// The recharge.
        recharge: RechargeId,
        /// The community.
        community: CommunityId,
        /// The room.
        room: RoomId,
        /// For what.
        commodity: Commodity,
        /// How much money.
        amount_minor: i64,
    }
    /// The meter has taken a recharge, or the money goes back.
    RechargeFinished = "recharge.finished", awaited {
        /// The recharge.
        recharge: RechargeId,
        /// The community.
        community: CommunityId,
        /// The room.
        room: RoomId,
        /// How much money.
        amount_minor: i64,
        /// `confirmed` or `refunding`.
        state: String,
        /// Who said so; absent when time did.
        actor: Option<ActorId>,
    }
}
