//! A refund: at most what was paid, sent under one number until the channel says what became of it.

use kernel::{Message, Money, PaymentId, RefundId, Refusal, Timestamp};

use super::{Channel, Payment, PaymentState};

/// How often the channel is asked for a refund.
pub const TRIES_MAX: u32 = 100;

/// Between two tries, in milliseconds: shorter at first.
const TRY_MS: [i64; 5] = [10_000, 30_000, 60_000, 300_000, 1_800_000];

/// Money on its way back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// Its id, chosen by the capability that asks.
    pub id: RefundId,
    /// Of what.
    pub payment: PaymentId,
    /// The attempt that brought the money.
    pub attempt: String,
    /// Over what.
    pub channel: Channel,
    /// What the channel knows it by: always this one.
    pub number: String,
    /// What the channel knows the payment by.
    pub attempt_number: String,
    /// How much the payment was.
    pub attempt_amount: Money,
    /// How much goes back.
    pub amount: Money,
    /// Why.
    pub reason: String,
    /// Whether it is money that came too late.
    pub automatic: bool,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// How it stands.
    pub state: RefundState,
    /// When the channel is asked next.
    pub due_at: Option<Timestamp>,
    /// How often it was asked.
    pub tries: u32,
    /// What of the amount the channel takes straight from merchants, in fen.
    pub direct: i64,
}

/// How a refund stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundState {
    /// Not known whether the channel has it.
    Requested,
    /// The channel works on it.
    Sent,
    /// The money is back.
    Succeeded {
        /// The channel's number.
        channel_refund: String,
        /// When.
        at: Timestamp,
    },
    /// The channel will not do it.
    Failed(String),
}

impl RefundState {
    /// The name in the database and on the wire.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Sent => "sent",
            Self::Succeeded { .. } => "succeeded",
            Self::Failed(_) => "failed",
        }
    }

    /// Whether nothing changes any more.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Succeeded { .. } | Self::Failed(_))
    }
}

/// The attempt whose money can go back by this much.
///
/// # Errors
/// 409 when the payment was not paid, or what went back would be more than what was paid.
pub fn refundable(payment: &Payment, amount: i64) -> Result<&str, Refusal> {
    let PaymentState::Succeeded { attempt, .. } = &payment.state else {
        return Err(Refusal::conflict(
            "payment_not_paid",
            Message::new("Only what was paid goes back.", "仅已支付的款项可以退款。"),
        ));
    };
    let together = payment.refunded.checked_add(amount);
    if amount <= 0 || together.is_none_or(|sum| sum > payment.amount.minor()) {
        return Err(Refusal::conflict(
            "refund_exceeds_payment",
            Message::new(
                "This is more than is left of the payment.",
                "退款金额超过可退余额。",
            ),
        ));
    }
    Ok(attempt)
}

/// When the channel is asked again; never after the last time.
#[must_use]
pub fn next_try(tries: u32, now: Timestamp) -> Option<Timestamp> {
    let index = usize::try_from(tries).unwrap_or(usize::MAX);
    let wait = TRY_MS.get(index).or(TRY_MS.last()).copied()?;
    (tries < TRIES_MAX).then(|| now.plus_millis(wait))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::{ActorId, CommunityId, Currency, TransactionId};

    fn paid(refunded: i64) -> Payment {
        Payment {
            id: PaymentId::parse("p").unwrap(),
            purpose: "bills".to_owned(),
            payer: ActorId::parse("li").unwrap(),
            community: CommunityId::parse("garden").unwrap(),
            amount: Money::new(100, Currency::Cny),
            subject: String::new(),
            reference: String::new(),
            created_at: Timestamp::EPOCH,
            expires_at: Timestamp::EPOCH,
            state: PaymentState::Succeeded {
                attempt: "a".to_owned(),
                paid_at: Timestamp::EPOCH,
                transaction: TransactionId::parse("1").unwrap(),
            },
            direct: 0,
            refunded,
        }
    }

    #[test]
    fn no_more_goes_back_than_was_paid() {
        assert_eq!(refundable(&paid(40), 60), Ok("a"));
        for (refunded, amount) in [(40, 61), (100, 1), (0, 0), (0, -1), (1, i64::MAX)] {
            assert_eq!(
                refundable(&paid(refunded), amount).unwrap_err().code,
                "refund_exceeds_payment"
            );
        }
        let open = Payment {
            state: PaymentState::Open,
            ..paid(0)
        };
        assert_eq!(refundable(&open, 1).unwrap_err().code, "payment_not_paid");
    }
}
