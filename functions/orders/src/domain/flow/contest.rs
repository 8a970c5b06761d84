//! After-sales and disputes: what a buyer asks for afterwards, and what the operator decides between both.

use kernel::{
    ActorId, AfterSaleId, DisputeId, MerchantId, Message, OrderId, OrderLineId, RefundId, Refusal,
    Timestamp,
};
use serde::Deserialize;

use super::{AfterSaleKind, AfterSaleState, Decision, DisputeState, Wanted, illegal};

/// What is wanted back of one line.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedLine {
    /// The line.
    pub line: OrderLineId,
    /// How many; 0 for money alone.
    #[serde(default)]
    pub quantity: i64,
    /// How much of what was paid for it; all of that quantity when absent.
    #[serde(default)]
    pub amount_minor: Option<i64>,
    /// Whether its freight is wanted back too.
    #[serde(default)]
    pub with_freight: bool,
}

impl WantedLine {
    /// As the line takes it.
    #[must_use]
    pub fn wanted(&self) -> Wanted {
        Wanted {
            quantity: self.quantity,
            goods_minor: self.amount_minor,
            with_freight: self.with_freight,
        }
    }
}

/// A refund, return or exchange that a buyer asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AfterSale {
    /// Its id.
    pub id: AfterSaleId,
    /// The order.
    pub order: OrderId,
    /// Who asks.
    pub buyer: ActorId,
    /// Who answers.
    pub merchant: MerchantId,
    /// What is asked for.
    pub kind: AfterSaleKind,
    /// The fourth machine.
    pub state: AfterSaleState,
    /// Of which lines.
    pub wanted: Vec<WantedLine>,
    /// What would go back, or did.
    pub amount_minor: i64,
    /// Why.
    pub reason: String,
    /// What the merchant says.
    pub answer: Option<String>,
    /// With whom the goods went back, under which number.
    pub returned: Option<(String, String)>,
    /// With whom another one was sent, under which number.
    pub reshipped: Option<(String, String)>,
    /// The money on its way back.
    pub refund: Option<RefundId>,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When it was changed last.
    pub changed_at: Timestamp,
    /// Counts up with each change.
    pub version: i64,
}

/// The sides of a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Who bought.
    Buyer,
    /// Who sold.
    Merchant,
    /// Who decides.
    Operator,
}

impl Side {
    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Buyer => "buyer",
            Self::Merchant => "merchant",
            Self::Operator => "operator",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Buyer, Self::Merchant, Self::Operator]
            .into_iter()
            .find(|side| side.as_str() == text)
    }
}

/// A quarrel over an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    /// Its id.
    pub id: DisputeId,
    /// The order.
    pub order: OrderId,
    /// The after-sale that was refused, when it is over one.
    pub after_sale: Option<AfterSaleId>,
    /// Who bought.
    pub buyer: ActorId,
    /// Who sold.
    pub merchant: MerchantId,
    /// Who called the operator.
    pub opened_by: Side,
    /// The fifth machine.
    pub state: DisputeState,
    /// What it is about.
    pub claim: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Until when both bring evidence.
    pub evidence_until: Timestamp,
    /// Until when the operator should have decided.
    pub decide_until: Timestamp,
    /// What was decided.
    pub decided: Option<Decided>,
    /// The money on its way back.
    pub refund: Option<RefundId>,
    /// Counts up with each change.
    pub version: i64,
}

/// What the operator decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// What.
    pub decision: Decision,
    /// How much goes back; 0 for none.
    pub amount_minor: i64,
    /// Why.
    pub reason: String,
    /// Who decided.
    pub by: ActorId,
    /// When.
    pub at: Timestamp,
}

impl Dispute {
    /// Lets evidence in while there is time.
    ///
    /// # Errors
    /// 409 when it is over, or the time is.
    pub fn check_evidence(&self, now: Timestamp) -> Result<(), Refusal> {
        self.check_open("evidence")?;
        if now < self.evidence_until {
            return Ok(());
        }
        Err(Refusal::conflict(
            "evidence_late",
            Message::new(
                format!("Evidence was taken until {}.", self.evidence_until),
                format!("举证已于 {} 截止。", self.evidence_until),
            ),
        ))
    }

    /// Lets a decision pass once both have had their time, or both have brought what they have.
    ///
    /// # Errors
    /// 409 when it is over or too early.
    pub fn check_decision(&self, heard: (bool, bool), now: Timestamp) -> Result<(), Refusal> {
        self.check_open("decision")?;
        if now >= self.evidence_until || heard == (true, true) {
            return Ok(());
        }
        Err(Refusal::conflict(
            "evidence_awaited",
            Message::new(
                format!(
                    "Both sides may bring evidence until {}. Decide then, or once both have.",
                    self.evidence_until
                ),
                format!(
                    "双方举证期至 {}，请届时或双方举证后再裁决。",
                    self.evidence_until
                ),
            ),
        ))
    }

    /// Lets those pass for whom the dispute must be open.
    ///
    /// # Errors
    /// 409 when it is over.
    pub fn check_open(&self, step: &str) -> Result<(), Refusal> {
        if self.state == DisputeState::Open {
            return Ok(());
        }
        Err(illegal("dispute_state", step, self.state.as_str(), &[]))
    }
}

/// No after-sale of that id, or none that the caller may know.
#[must_use]
pub fn unknown_after_sale() -> Refusal {
    Refusal::not_found(
        "after_sale_unknown",
        Message::new(
            "There is no such after-sale that you can see.",
            "未找到您可查看的该售后单。",
        ),
    )
}

/// No dispute of that id, or none that the caller may know.
#[must_use]
pub fn unknown_dispute() -> Refusal {
    Refusal::not_found(
        "dispute_unknown",
        Message::new(
            "There is no such dispute that you can see.",
            "未找到您可查看的该纠纷。",
        ),
    )
}
