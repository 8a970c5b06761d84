//! What was bought: a checkout over several shops, its orders and their lines.

use kernel::{
    ActorId, CategoryId, CheckoutId, CommissionRuleId, CommunityId, MerchantId, Message, OrderId,
    OrderLineId, PaymentId, ProductId, PromotionId, Refusal, SlotId, Timestamp, TransactionId,
    VariantId,
};
use wire::mall::{Collection, SaleKind};

use super::{Delivery, Fulfilment, OrderState, PaymentState, Stage, Step, StockState};

/// What is bought at once, with one payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// Its id; payments knows it as the reference.
    pub id: CheckoutId,
    /// Who buys.
    pub buyer: ActorId,
    /// Where.
    pub community: CommunityId,
    /// What is to be paid, or was.
    pub total_minor: i64,
    /// The payment that counts; another one of the same checkout was given up.
    pub payment: Option<PaymentId>,
    /// How its money stands.
    pub state: PaymentState,
    /// Over which channel it came.
    pub channel: Option<String>,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// The first moment at which it can no longer be paid.
    pub expires_at: Timestamp,
    /// When it was paid.
    pub paid_at: Option<Timestamp>,
    /// Counts up with each change.
    pub version: i64,
}

/// One day, in milliseconds.
pub const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// How long things take before they happen by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// A checkout can be paid for so many minutes.
    pub unpaid_minutes: i64,
    /// What arrived is completed after so many days.
    pub delivered_days: i64,
    /// What went out is completed after so many days, arrived or not.
    pub shipped_days: i64,
    /// What is ready and not fetched comes to nothing after so many days.
    pub fetch_days: i64,
    /// A refund can be asked for until so many days after completion.
    pub after_sale_days: i64,
    /// Both sides bring evidence for so many hours.
    pub evidence_hours: i64,
    /// The operator decides within so many hours after that.
    pub decision_hours: i64,
    /// What was written to each other is kept for so many days.
    pub message_days: i64,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            unpaid_minutes: 15,
            delivered_days: 7,
            shipped_days: 15,
            fetch_days: 14,
            after_sale_days: 15,
            evidence_hours: 48,
            decision_hours: 24,
            message_days: 365,
        }
    }
}

/// Whom and where an order goes to, as it was when it was placed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Destination {
    /// Who receives it.
    pub name: Option<String>,
    /// Their phone.
    pub phone: Option<String>,
    /// Where they are.
    pub address: Option<String>,
}

/// What one person buys of one merchant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// What it was bought with.
    pub checkout: CheckoutId,
    /// Who buys.
    pub buyer: ActorId,
    /// Who sells.
    pub merchant: MerchantId,
    /// Where.
    pub community: CommunityId,
    /// The first machine.
    pub state: OrderState,
    /// The second.
    pub payment: PaymentState,
    /// How it reaches the buyer.
    pub delivery: Delivery,
    /// The third machine.
    pub fulfilment: Fulfilment,
    /// How many after-sales and disputes are open.
    pub contests: i64,
    /// The group-buy that it is a part of.
    pub group: Option<String>,
    /// Whether that is not full yet.
    pub waits_for_group: bool,
    /// Where its goods stand in the stock.
    pub stock: StockState,
    /// Whom it goes to.
    pub destination: Destination,
    /// What the buyer wrote.
    pub remark: Option<String>,
    /// Who carries it, and under which number.
    pub carrier: Option<(String, String)>,
    /// What the buyer shows.
    pub code: Option<String>,
    /// How often a wrong one was shown.
    pub wrong_codes: i64,
    /// What the lines cost, without freight.
    pub goods_minor: i64,
    /// The freight.
    pub freight_minor: i64,
    /// What of what was paid went back, or is on its way.
    pub refunded_minor: i64,
    /// Who received the money.
    pub collection: Collection,
    /// When each thing happened.
    pub times: Times,
    /// Why it was cancelled.
    pub cancel_reason: Option<String>,
    /// The ledger transaction of the sale.
    pub transaction: Option<TransactionId>,
    /// Until when the buyer can give up what is booked; none for goods.
    pub cancel_until: Option<Timestamp>,
    /// Counts up with each change.
    pub version: i64,
}

/// When things happened to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// It was placed.
    pub placed: Timestamp,
    /// It was paid.
    pub paid: Option<Timestamp>,
    /// It was accepted.
    pub accepted: Option<Timestamp>,
    /// It went out, or was made ready.
    pub shipped: Option<Timestamp>,
    /// It arrived.
    pub delivered: Option<Timestamp>,
    /// It was completed.
    pub completed: Option<Timestamp>,
    /// It was cancelled.
    pub cancelled: Option<Timestamp>,
}

impl Order {
    /// Where it stands in all of its machines.
    #[must_use]
    pub fn stage(&self) -> Stage {
        Stage {
            order: self.state,
            payment: self.payment,
            delivery: self.delivery,
            fulfilment: self.fulfilment,
            waits_for_group: self.waits_for_group,
            is_contested: self.contests > 0,
        }
    }

    /// What the buyer pays.
    #[must_use]
    pub fn total_minor(&self) -> i64 {
        self.goods_minor + self.freight_minor
    }

    /// When something happens to it by itself, should nobody do anything: it is completed so many days after it arrived,
    /// or after it went out; what nobody fetched comes to nothing so many days after it was ready.
    #[must_use]
    pub fn due_at(&self, terms: &Terms) -> Option<Timestamp> {
        if self.is_unfetched() {
            let ready = self.times.shipped?;
            return Some(ready.plus_millis(terms.fetch_days * DAY_MS));
        }
        if !self.stage().may(Step::Complete) {
            return None;
        }
        let arrived = self.times.delivered.map(|at| (at, terms.delivered_days));
        let went = self.times.shipped.map(|at| (at, terms.shipped_days));
        let (since, days) = arrived.or(went)?;
        Some(since.plus_millis(days * DAY_MS))
    }

    /// Whether it is ready and waits to be fetched.
    #[must_use]
    pub fn is_unfetched(&self) -> bool {
        self.fulfilment == Fulfilment::Ready && self.stage().may(Step::Reject)
    }

    /// Lets the buyer give up what is booked, until the time that the shop has set.
    ///
    /// # Errors
    /// 409 after that time.
    pub fn check_given_up(&self, now: Timestamp) -> Result<(), Refusal> {
        match self.cancel_until {
            Some(until) if self.payment == PaymentState::Paid && now > until => {
                Err(given_up_late(until))
            }
            _ => Ok(()),
        }
    }

    /// How the money stands, in the word that people read.
    #[must_use]
    pub fn money(&self) -> &'static str {
        match self.payment {
            PaymentState::Paid if self.refunded_minor == 0 => "paid",
            PaymentState::Paid if self.refunded_minor < self.total_minor() => "partly_refunded",
            PaymentState::Paid => "refunded",
            other => other.as_str(),
        }
    }
}

/// One product in an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its id.
    pub id: OrderLineId,
    /// The order.
    pub order: OrderId,
    /// What.
    pub product: ProductId,
    /// Of which size, which colour.
    pub variant: VariantId,
    /// When, for a service.
    pub slot: Option<SlotId>,
    /// What was promised for it.
    pub promotion: Option<PromotionId>,
    /// Of what category.
    pub category: CategoryId,
    /// Goods or service.
    pub kind: SaleKind,
    /// What it was called.
    pub title: String,
    /// How many.
    pub quantity: i64,
    /// The price of one.
    pub unit_minor: i64,
    /// What the merchant takes off.
    pub merchant_discount_minor: i64,
    /// What the platform takes off and bears.
    pub subsidy_minor: i64,
    /// What the buyer pays for it, without freight.
    pub goods_minor: i64,
    /// Its part of the freight.
    pub freight_minor: i64,
    /// What was frozen when it was paid.
    pub commission: Frozen,
    /// What went back since.
    pub back: Back,
}

/// The commission of a line, as it was frozen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frozen {
    /// The rule and its version; none when no rule held.
    pub rule: Option<(CommissionRuleId, i64)>,
    /// Its share, in 1/10,000.
    pub rate_bps: u32,
    /// Whether freight is part of the base.
    pub includes_freight: bool,
    /// What it is a share of.
    pub base_minor: i64,
    /// How much it is.
    pub amount_minor: i64,
}

/// What of a line went back in all, or what of it goes back now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Back {
    /// How many.
    pub quantity: i64,
    /// Of what was paid for it.
    pub goods_minor: i64,
    /// Of its freight.
    pub freight_minor: i64,
    /// Of the subsidy.
    pub subsidy_minor: i64,
    /// Of the commission's base.
    pub base_minor: i64,
    /// Of the commission.
    pub commission_minor: i64,
}

impl Back {
    /// What the buyer gets.
    #[must_use]
    pub fn amount_minor(self) -> i64 {
        self.goods_minor + self.freight_minor
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            quantity: self.quantity + other.quantity,
            goods_minor: self.goods_minor + other.goods_minor,
            freight_minor: self.freight_minor + other.freight_minor,
            subsidy_minor: self.subsidy_minor + other.subsidy_minor,
            base_minor: self.base_minor + other.base_minor,
            commission_minor: self.commission_minor + other.commission_minor,
        }
    }

    /// The one without the other.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        self.plus(Self {
            quantity: -other.quantity,
            goods_minor: -other.goods_minor,
            freight_minor: -other.freight_minor,
            subsidy_minor: -other.subsidy_minor,
            base_minor: -other.base_minor,
            commission_minor: -other.commission_minor,
        })
    }
}

/// No order of that id, or none that the caller may know.
#[must_use]
pub fn unknown_order() -> Refusal {
    Refusal::not_found(
        "order_unknown",
        Message::new(
            "There is no such order that you can see.",
            "未找到您可查看的该订单。",
        ),
    )
}

fn given_up_late(until: Timestamp) -> Refusal {
    Refusal::conflict(
        "cancel_late",
        Message::new(
            format!("This could be given up until {until}. Ask the shop for a refund instead."),
            format!("该预约仅可在 {until} 之前取消，请联系商家申请退款。"),
        ),
    )
}

/// No checkout of that id, or none that the caller may know.
#[must_use]
pub fn unknown_checkout() -> Refusal {
    Refusal::not_found(
        "checkout_unknown",
        Message::new(
            "There is no such checkout that you can see.",
            "未找到您可查看的该结算单。",
        ),
    )
}

/// Somebody else changed it since it was read.
#[must_use]
pub fn changed_meanwhile() -> Refusal {
    Refusal::conflict(
        "changed_meanwhile",
        Message::new(
            "Somebody else changed this at the same moment. Read it again.",
            "该记录刚被他人修改，请重新读取。",
        ),
    )
}
