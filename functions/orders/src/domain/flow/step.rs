//! What may follow on what. A step that may not is refused with the present state and what is allowed instead.

use kernel::{Message, Refusal};

use super::{AfterSaleKind, AfterSaleState, Delivery, Fulfilment, OrderState, PaymentState};

/// Where an order stands in all of its machines at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// The order.
    pub order: OrderState,
    /// Its money.
    pub payment: PaymentState,
    /// How it reaches the buyer.
    pub delivery: Delivery,
    /// How far it is on that way.
    pub fulfilment: Fulfilment,
    /// Whether its group-buy is not full yet.
    pub waits_for_group: bool,
    /// Whether an after-sale or a dispute is open.
    pub is_contested: bool,
}

/// What can be done to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The money is there.
    Pay,
    /// The merchant names another price.
    Reprice,
    /// The buyer does not want it.
    Cancel,
    /// The merchant takes it.
    Accept,
    /// The merchant does not take it, or cannot deliver.
    Reject,
    /// It goes out.
    Ship,
    /// It can be fetched.
    Prepare,
    /// It arrived.
    Deliver,
    /// The buyer's code was shown.
    Verify,
    /// The buyer is content, or silent for long enough.
    Complete,
    /// The buyer asks for a refund, a return or an exchange.
    AskAfterSale,
    /// Buyer or merchant call the operator.
    Dispute,
}

impl Step {
    /// Every one.
    pub const ALL: [Self; 12] = [
        Self::Pay,
        Self::Reprice,
        Self::Cancel,
        Self::Accept,
        Self::Reject,
        Self::Ship,
        Self::Prepare,
        Self::Deliver,
        Self::Verify,
        Self::Complete,
        Self::AskAfterSale,
        Self::Dispute,
    ];

    /// The name that refusals use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pay => "pay",
            Self::Reprice => "price",
            Self::Cancel => "cancellation",
            Self::Accept => "acceptance",
            Self::Reject => "rejection",
            Self::Ship => "shipment",
            Self::Prepare => "readiness",
            Self::Deliver => "delivery",
            Self::Verify => "verification",
            Self::Complete => "completion",
            Self::AskAfterSale => "after-sale",
            Self::Dispute => "dispute",
        }
    }
}

impl Stage {
    /// Whether the step may be taken now.
    #[must_use]
    pub fn may(self, step: Step) -> bool {
        let runs = self.order == OrderState::Accepted && !self.is_contested;
        let unpaid = self.order == OrderState::Placed && self.payment == PaymentState::Unpaid;
        let waiting = self.fulfilment == Fulfilment::Waiting;
        match step {
            Step::Pay | Step::Reprice => unpaid,
            Step::Cancel => {
                self.order == OrderState::Placed
                    || runs && waiting && self.delivery == Delivery::Appointment
            }
            Step::Accept => {
                self.order == OrderState::Placed
                    && self.payment == PaymentState::Paid
                    && !self.waits_for_group
            }
            Step::Reject => {
                self.order == OrderState::Placed
                    || runs && matches!(self.fulfilment, Fulfilment::Waiting | Fulfilment::Ready)
            }
            Step::Ship => {
                runs && waiting && matches!(self.delivery, Delivery::Carrier | Delivery::Own)
            }
            Step::Prepare => runs && waiting && self.delivery == Delivery::PickUp,
            Step::Deliver => {
                self.order == OrderState::Accepted && self.fulfilment == Fulfilment::Shipped
            }
            Step::Verify => {
                runs && match self.delivery {
                    Delivery::PickUp => self.fulfilment == Fulfilment::Ready,
                    Delivery::Appointment => waiting,
                    Delivery::Carrier | Delivery::Own => false,
                }
            }
            Step::Complete => {
                runs && matches!(self.fulfilment, Fulfilment::Shipped | Fulfilment::Delivered)
            }
            Step::AskAfterSale | Step::Dispute => {
                self.payment == PaymentState::Paid
                    && matches!(self.order, OrderState::Accepted | OrderState::Completed)
            }
        }
    }

    /// Lets a step pass that may be taken.
    ///
    /// # Errors
    /// 409 with where the order stands and what is allowed.
    pub fn check(self, step: Step) -> Result<(), Refusal> {
        if self.may(step) {
            return Ok(());
        }
        let allowed = Step::ALL.into_iter().filter(|step| self.may(*step));
        let allowed: Vec<&str> = allowed.map(Step::as_str).collect();
        Err(illegal(
            "order_state",
            step.as_str(),
            &self.words(),
            &allowed,
        ))
    }

    fn words(self) -> String {
        let mut words = format!(
            "{}, {}, {}",
            self.order.as_str(),
            self.payment.as_str(),
            self.fulfilment.as_str()
        );
        if self.waits_for_group {
            words.push_str(", waits for its group");
        }
        if self.is_contested {
            words.push_str(", after-sale or dispute open");
        }
        words
    }

    /// The one word that people read.
    #[must_use]
    pub fn summary(self) -> &'static str {
        match (self.order, self.payment, self.fulfilment) {
            (OrderState::Cancelled, ..) => "cancelled",
            (OrderState::Completed, ..) if self.is_contested => "after_sale",
            (OrderState::Completed, ..) => "completed",
            (_, PaymentState::Unpaid | PaymentState::Closed, _) => "to_pay",
            _ if self.is_contested => "after_sale",
            _ if self.waits_for_group => "waits_for_group",
            (OrderState::Placed, ..) => "to_accept",
            (_, _, Fulfilment::Waiting) if self.delivery == Delivery::Appointment => "booked",
            (_, _, Fulfilment::Waiting) => "to_ship",
            (_, _, Fulfilment::Shipped) => "shipped",
            (_, _, Fulfilment::Ready) => "ready",
            (_, _, Fulfilment::Delivered) => "delivered",
        }
    }
}

/// What can be done to an after-sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterStep {
    /// The merchant says yes; again after the channel refused the money.
    Agree,
    /// The merchant says no.
    Refuse,
    /// The buyer does not want it any more.
    Withdraw,
    /// The buyer has sent the goods back.
    Return,
    /// The merchant has them again.
    Receive,
    /// The merchant has sent another one.
    Reship,
}

impl AfterStep {
    /// Every one.
    pub const ALL: [Self; 6] = [
        Self::Agree,
        Self::Refuse,
        Self::Withdraw,
        Self::Return,
        Self::Receive,
        Self::Reship,
    ];

    /// The name that refusals use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agree => "agreement",
            Self::Refuse => "refusal",
            Self::Withdraw => "withdrawal",
            Self::Return => "return",
            Self::Receive => "receipt",
            Self::Reship => "reshipment",
        }
    }
}

/// Where a step leads an after-sale of that kind.
///
/// # Errors
/// 409 with how it stands and what is allowed.
pub fn after_step(
    kind: AfterSaleKind,
    state: AfterSaleState,
    step: AfterStep,
) -> Result<AfterSaleState, Refusal> {
    leads(kind, state, step).ok_or_else(|| {
        let allowed = AfterStep::ALL.into_iter();
        let allowed = allowed.filter(|step| leads(kind, state, *step).is_some());
        let allowed: Vec<&str> = allowed.map(AfterStep::as_str).collect();
        illegal("after_sale_state", step.as_str(), state.as_str(), &allowed)
    })
}

fn leads(kind: AfterSaleKind, state: AfterSaleState, step: AfterStep) -> Option<AfterSaleState> {
    use AfterSaleKind::{Exchange, Refund};
    use AfterSaleState as At;
    match (step, state) {
        (AfterStep::Agree, At::Requested) if kind == Refund => Some(At::Refunding),
        (AfterStep::Agree, At::Requested) => Some(At::Agreed),
        (AfterStep::Agree, At::RefundFailed) => Some(At::Refunding),
        (AfterStep::Refuse, At::Requested) => Some(At::Refused),
        (AfterStep::Withdraw, At::Requested | At::Agreed) => Some(At::Withdrawn),
        (AfterStep::Return, At::Agreed) => Some(At::Returned),
        (AfterStep::Receive, At::Agreed | At::Returned) if kind == Exchange => Some(At::Received),
        (AfterStep::Receive, At::Agreed | At::Returned) => Some(At::Refunding),
        (AfterStep::Reship, At::Received) => Some(At::Reshipped),
        _ => None,
    }
}

/// A step that does not follow on the present state.
#[must_use]
pub fn illegal(code: &'static str, step: &str, state: &str, allowed: &[&str]) -> Refusal {
    let (english, chinese) = if allowed.is_empty() {
        ("nothing".to_owned(), "无".to_owned())
    } else {
        (allowed.join(", "), allowed.join("、"))
    };
    Refusal::conflict(
        code,
        Message::new(
            format!("No {step} now: it is {state}. Allowed: {english}."),
            format!("当前状态（{state}）不能进行 {step}，可进行：{chinese}。"),
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(order: OrderState, payment: PaymentState, fulfilment: Fulfilment) -> Stage {
        Stage {
            order,
            payment,
            delivery: Delivery::Carrier,
            fulfilment,
            waits_for_group: false,
            is_contested: false,
        }
    }

    #[test]
    fn a_refused_step_says_where_the_order_stands_and_what_is_allowed() {
        let paid = stage(OrderState::Placed, PaymentState::Paid, Fulfilment::Waiting);
        let refusal = paid.check(Step::Ship).unwrap_err();
        assert_eq!(refusal.code, "order_state");
        assert_eq!(
            refusal.message.english,
            "No shipment now: it is placed, paid, waiting. Allowed: cancellation, acceptance, rejection."
        );
    }

    #[test]
    fn nothing_can_be_done_to_what_was_cancelled() {
        for payment in PaymentState::ALL {
            for fulfilment in Fulfilment::ALL {
                let over = stage(OrderState::Cancelled, *payment, *fulfilment);
                assert!(Step::ALL.into_iter().all(|step| !over.may(step)));
            }
        }
    }

    #[test]
    fn an_order_waits_for_its_group_and_for_what_is_open() {
        let mut paid = stage(OrderState::Placed, PaymentState::Paid, Fulfilment::Waiting);
        paid.waits_for_group = true;
        assert!(!paid.may(Step::Accept));
        assert!(paid.may(Step::Cancel));
        let mut shipped = stage(
            OrderState::Accepted,
            PaymentState::Paid,
            Fulfilment::Shipped,
        );
        assert!(shipped.may(Step::Complete));
        shipped.is_contested = true;
        assert!(!shipped.may(Step::Complete));
        assert_eq!(shipped.summary(), "after_sale");
    }

    #[test]
    fn a_return_and_an_exchange_take_their_steps_and_no_others() {
        use AfterSaleKind::{Exchange, Refund, Return};
        use AfterSaleState as At;
        let walk = |kind, steps: &[AfterStep]| {
            steps
                .iter()
                .try_fold(At::Requested, |state, step| after_step(kind, state, *step))
        };
        let there_and_back = [AfterStep::Agree, AfterStep::Return, AfterStep::Receive];
        assert_eq!(walk(Refund, &[AfterStep::Agree]), Ok(At::Refunding));
        assert_eq!(walk(Return, &there_and_back), Ok(At::Refunding));
        assert_eq!(walk(Exchange, &there_and_back), Ok(At::Received));
        let refusal = walk(Return, &[AfterStep::Refuse, AfterStep::Agree]).unwrap_err();
        assert_eq!(
            refusal.message.english,
            "No agreement now: it is refused. Allowed: nothing."
        );
        assert!(walk(Refund, &[AfterStep::Agree, AfterStep::Withdraw]).is_err());
    }
}
