//! How exchanges stand, and what leads from one state to the next.

use kernel::{Message, Refusal};

use crate::domain::placement::words;

words! {
    /// How an exchange stands.
    BarterState {
        /// Being written.
        Draft = "draft",
        /// One side has said what it wants.
        Proposed = "proposed",
        /// The other side wants it otherwise.
        Countered = "countered",
        /// Both want the same.
        Agreed = "agreed",
        /// Both have signed.
        Signed = "signed",
        /// It runs.
        Active = "active",
        /// It is held back: one side is too far ahead.
        Suspended = "suspended",
        /// Its advertising is over, and something is open.
        Settling = "settling",
        /// Nothing is open.
        Closed = "closed",
        /// It was ended before, and made even in money.
        Terminated = "terminated",
    }
    /// What is done with an exchange.
    BarterVerb {
        /// Say what one wants.
        Propose = "propose",
        /// Say what one wants instead.
        Counter = "counter",
        /// Want what the other side wants.
        Agree = "agree",
        /// Sign.
        Sign = "sign",
        /// Begin.
        Activate = "activate",
        /// Take in goods.
        Receive = "receive",
        /// Make even in money what is open, at the end.
        Settle = "settle",
        /// End it before, and make even.
        Terminate = "terminate",
    }
    /// A side of an exchange.
    Side {
        /// Gives advertising.
        Platform = "platform",
        /// Gives goods.
        Merchant = "merchant",
    }
}

impl BarterState {
    /// What can be done in this state.
    #[must_use]
    pub fn allows(self) -> &'static [BarterVerb] {
        match self {
            Self::Draft => &[BarterVerb::Propose],
            Self::Proposed | Self::Countered => &[BarterVerb::Counter, BarterVerb::Agree],
            Self::Agreed => &[BarterVerb::Sign],
            Self::Signed => &[BarterVerb::Activate],
            Self::Active | Self::Suspended => &[BarterVerb::Receive, BarterVerb::Terminate],
            Self::Settling => &[BarterVerb::Receive, BarterVerb::Settle],
            Self::Closed | Self::Terminated => &[],
        }
    }

    /// Lets pass what can be done.
    ///
    /// # Errors
    /// 409 with the present state and what it allows.
    pub fn check(self, verb: BarterVerb) -> Result<(), Refusal> {
        if self.allows().contains(&verb) {
            return Ok(());
        }
        let allowed: Vec<&str> = self.allows().iter().map(|verb| verb.as_str()).collect();
        let listed = if allowed.is_empty() {
            "-".to_owned()
        } else {
            allowed.join(", ")
        };
        Err(Refusal::conflict(
            "barter_state",
            Message::new(
                format!(
                    "The exchange is {}: {} cannot be done. What can: {listed}.",
                    self.as_str(),
                    verb.as_str()
                ),
                format!(
                    "置换合同当前状态为 {}，不能执行 {}；可执行：{listed}。",
                    self.as_str(),
                    verb.as_str()
                ),
            ),
        ))
    }
}
