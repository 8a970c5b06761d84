//! Pushes that merchants pay for: draft, quoted, asked for the money, held, reviewed and scheduled, sending, settled.

use kernel::{Message, Refusal, Timestamp};

/// How long a quote holds, in milliseconds: a day.
pub const QUOTE_MS: i64 = 86_400_000;
/// How long the payment may take, in milliseconds: 30 minutes.
pub const PAYMENT_MS: i64 = 30 * 60_000;

macro_rules! states {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// How far a paid push is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum OrderState { $($(#[$doc])* $variant,)* }

        impl OrderState {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name on the wire and in the database.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The one of that name.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == text)
            }
        }
    };
}

states! {
    /// It can be changed.
    Draft = "draft",
    /// It has a price and a frozen audience, for a time.
    Quoted = "quoted",
    /// The money was asked for.
    Asked = "asked",
    /// The money is there; somebody has to look at the content.
    Held = "held",
    /// It was approved, and waits for its time.
    Scheduled = "scheduled",
    /// It is on its way.
    Sending = "sending",
    /// What was delivered is earned, the rest went back.
    Settled = "settled",
    /// It was refused; the money went back.
    Rejected = "rejected",
    /// The merchant took it back before it was paid.
    Cancelled = "cancelled",
    /// Nobody paid in time.
    Expired = "expired",
}

/// What is done to a paid push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Its content is changed.
    Change,
    /// Its audience is frozen, and it gets a price.
    Quote,
    /// Its money is asked for.
    Ask,
    /// Its money came.
    Pay,
    /// Nobody paid.
    Expire,
    /// It is approved.
    Approve,
    /// It is refused.
    Reject,
    /// It is taken back.
    Cancel,
    /// Its message goes out.
    Send,
    /// All of it was told.
    Settle,
}

impl Step {
    const ALL: [Self; 10] = [
        Self::Change,
        Self::Quote,
        Self::Ask,
        Self::Pay,
        Self::Expire,
        Self::Approve,
        Self::Reject,
        Self::Cancel,
        Self::Send,
        Self::Settle,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Quote => "quote",
            Self::Ask => "pay",
            Self::Pay => "receive",
            Self::Expire => "expire",
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Cancel => "cancel",
            Self::Send => "send",
            Self::Settle => "settle",
        }
    }
}

impl OrderState {
    /// The state after a step.
    ///
    /// # Errors
    /// 409 with the state and what is possible in it.
    pub fn after(self, step: Step) -> Result<Self, Refusal> {
        self.next(step).ok_or_else(|| {
            let possible: Vec<&str> = Step::ALL
                .into_iter()
                .filter(|step| self.next(*step).is_some())
                .map(Step::name)
                .collect();
            let possible = match possible.as_slice() {
                [] => "-".to_owned(),
                some => some.join(", "),
            };
            let state = self.as_str();
            Refusal::conflict(
                "push_order_state",
                Message::new(
                    format!("The paid push is {state}. Possible now: {possible}."),
                    format!("该付费推送当前为 {state}，可执行：{possible}。"),
                ),
            )
        })
    }

    fn next(self, step: Step) -> Option<Self> {
        Some(match (self, step) {
            (Self::Draft | Self::Quoted | Self::Expired, Step::Change) => Self::Draft,
            (Self::Draft | Self::Quoted | Self::Expired, Step::Quote) => Self::Quoted,
            (Self::Quoted, Step::Ask) => Self::Asked,
            (Self::Asked | Self::Expired, Step::Pay) => Self::Held,
            (Self::Asked, Step::Expire) => Self::Expired,
            (Self::Held, Step::Approve) => Self::Scheduled,
            (Self::Held, Step::Reject) => Self::Rejected,
            (Self::Draft | Self::Quoted | Self::Expired, Step::Cancel) => Self::Cancelled,
            (Self::Scheduled, Step::Send) => Self::Sending,
            (Self::Scheduled | Self::Sending, Step::Settle) => Self::Settled,
            _ => return None,
        })
    }
}

/// Lets a quote pass that still holds.
///
/// # Errors
/// 409 for one that is over.
pub fn holds(valid_until: Option<Timestamp>, now: Timestamp) -> Result<(), Refusal> {
    if valid_until.is_some_and(|until| now < until) {
        return Ok(());
    }
    Err(Refusal::conflict(
        "quote_expired",
        Message::new(
            "The quote does not hold any more. Ask for a new one.",
            "报价已过期，请重新报价。",
        ),
    ))
}

/// Four eyes: who made it does not decide on it.
#[must_use]
pub fn own_order() -> Refusal {
    Refusal::forbidden(
        "own_push_order",
        Message::new(
            "Somebody else decides on what you made. Ask a colleague.",
            "本人创建的付费推送须由他人审核。",
        ),
    )
}

/// What is charged: the price of each person reached, never more than was paid.
#[must_use]
pub fn charge(delivered: i64, price_minor: i64, amount_minor: i64) -> i64 {
    delivered
        .max(0)
        .checked_mul(price_minor)
        .map_or(amount_minor, |sum| sum.min(amount_minor))
}

/// What a push to so many people costs.
///
/// # Errors
/// 422 when that is more than a payment can be.
pub fn price(people: u64, price_minor: i64) -> Result<i64, Refusal> {
    const AMOUNT_MAX: i64 = 1_000_000_000;
    i64::try_from(people)
        .ok()
        .and_then(|people| people.checked_mul(price_minor))
        .filter(|sum| (1..=AMOUNT_MAX).contains(sum))
        .ok_or_else(|| {
            Refusal::invalid(
                "amount_invalid",
                Message::new(
                    "That is more than can be paid at once. Narrow the audience.",
                    "金额超过单次付款上限，请缩小受众范围。",
                ),
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_is_sent_unpaid_or_unseen() {
        for state in OrderState::ALL {
            let sends = state.after(Step::Send).is_ok();
            assert_eq!(sends, *state == OrderState::Scheduled);
            let approved = state.after(Step::Approve).is_ok();
            assert_eq!(approved, *state == OrderState::Held);
        }
        let refused = OrderState::Settled.after(Step::Change).unwrap_err();
        assert!(refused.message.english.contains("settled"));
    }

    proptest! {
        #[test]
        fn what_is_charged_and_what_goes_back_is_what_was_paid(
            delivered in -5_i64..1_000_000, people in 50_u64..100_000, price_minor in 1_i64..1_000,
        ) {
            let paid = price(people, price_minor).unwrap();
            let charged = charge(delivered, price_minor, paid);
            prop_assert!((0..=paid).contains(&charged));
        }
    }
}
