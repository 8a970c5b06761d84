//! Statements: what one comes to, how it is reviewed, and how it is paid.

use kernel::{MerchantId, Message, Refusal, StatementId, Timestamp, Zone};
use wire::mall::Collection;

use super::{Kind, Month, Revenue};

/// Whether the merchant agrees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Review {
    /// It was sent, and nothing was said.
    Sent,
    /// Lines are disputed and not decided.
    Disputed,
    /// It is right.
    Confirmed,
}

/// Whether it is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Money {
    /// Something is to be paid.
    Owed,
    /// Nothing is.
    Paid,
    /// The deposit bore the rest.
    SettledByDeposit,
    /// The deposit did not suffice.
    Shortfall,
}

impl Review {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Sent, Self::Disputed, Self::Confirmed];

    /// The name in the database and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Disputed => "disputed",
            Self::Confirmed => "confirmed",
        }
    }
}

impl Money {
    /// Every one.
    pub const ALL: [Self; 4] = [
        Self::Owed,
        Self::Paid,
        Self::SettledByDeposit,
        Self::Shortfall,
    ];

    /// The name in the database and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owed => "owed",
            Self::Paid => "paid",
            Self::SettledByDeposit => "settled_by_deposit",
            Self::Shortfall => "shortfall",
        }
    }
}

/// The sums of items, in fen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// How many.
    pub lines: i64,
    /// What buyers paid, less what they got back.
    pub sale_minor: i64,
    /// The platform's revenue.
    pub amount_minor: i64,
    /// What of it the books have taken already.
    pub settled_minor: i64,
    /// What else is owed and stands in the books.
    pub debt_minor: i64,
}

impl Sums {
    /// What is owed by it all; below zero the merchant gets it.
    #[must_use]
    pub fn total_minor(self) -> i64 {
        self.amount_minor - self.settled_minor + self.debt_minor
    }
}

/// The sums of the items of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindSums {
    /// The kind.
    pub kind: Kind,
    /// The revenue that they are part of.
    pub revenue: Revenue,
    /// Their sums.
    pub sums: Sums,
}

/// The sums of all kinds.
#[must_use]
pub fn total(kinds: &[KindSums]) -> Sums {
    let mut all = Sums::default();
    for KindSums { sums, .. } in kinds {
        all.lines += sums.lines;
        all.sale_minor += sums.sale_minor;
        all.amount_minor += sums.amount_minor;
        all.settled_minor += sums.settled_minor;
        all.debt_minor += sums.debt_minor;
    }
    all
}

/// A merchant's statement of a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its id.
    pub id: StatementId,
    /// Whose.
    pub merchant: MerchantId,
    /// The month.
    pub month: Month,
    /// Who received the money of sales.
    pub collection: Collection,
    /// The contract by which it was made.
    pub contract_version: i64,
    /// Whose clocks its dates are of.
    pub zone: Zone,
    /// What its lines sum to.
    pub sums: Sums,
    /// What is to be paid of it: its total, or nothing when that is below zero.
    pub owed_minor: i64,
    /// What was taken from what the merchant may draw when it was made.
    pub netted_minor: i64,
    /// What was paid since.
    pub paid_minor: i64,
    /// What the deposit bore.
    pub deducted_minor: i64,
    /// Whether the merchant agrees.
    pub review: Review,
    /// Whether it is paid.
    pub money: Money,
    /// When it was made and sent.
    pub issued_at: Timestamp,
    /// By how much that was late, in milliseconds.
    pub late_ms: i64,
    /// The first moment at which no line can be disputed any more.
    pub object_until: Timestamp,
    /// The first moment at which silence confirms it.
    pub confirm_at: Timestamp,
    /// The first moment at which it is overdue.
    pub due_at: Timestamp,
    /// When the deposit was asked.
    pub overdue_at: Option<Timestamp>,
}

impl Statement {
    /// What is unpaid, in fen.
    #[must_use]
    pub fn unpaid_minor(&self) -> i64 {
        self.owed_minor - self.netted_minor - self.paid_minor - self.deducted_minor
    }

    /// How it stands, in one word.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> &'static str {
        match self.money {
            Money::Owed if now >= self.due_at => "overdue",
            Money::Owed => self.review.as_str(),
            other => other.as_str(),
        }
    }

    /// With that much more paid; what is over is for others.
    #[must_use]
    pub fn pay(self, amount_minor: i64) -> (Self, i64) {
        let taken = amount_minor.clamp(0, self.unpaid_minor());
        let mut after = self;
        after.paid_minor += taken;
        if after.unpaid_minor() == 0 {
            after.money = Money::Paid;
        }
        (after, taken)
    }

    /// At the first tick after the due moment: takes from the deposit what there is, once. What was taken, and how it
    /// stands from then on.
    #[must_use]
    pub fn deduct(self, deposit_minor: i64, now: Timestamp) -> (Self, i64) {
        let taken = self.unpaid_minor().min(deposit_minor).max(0);
        let mut after = self;
        after.deducted_minor += taken;
        after.overdue_at = Some(now);
        after.money = if after.unpaid_minor() == 0 {
            Money::SettledByDeposit
        } else {
            Money::Shortfall
        };
        (after, taken)
    }

    /// Lets lines be disputed.
    ///
    /// # Errors
    /// 409 when it is confirmed, or the window is over.
    pub fn disputable(&self, now: Timestamp) -> Result<(), Refusal> {
        if self.review == Review::Confirmed || now >= self.object_until {
            return Err(Refusal::conflict(
                "objection_window_over",
                Message::new(
                    format!(
                        "The statement is {}, and lines could be disputed until {}. Ask the platform for an adjustment.",
                        self.review.as_str(),
                        self.object_until
                    ),
                    format!(
                        "该结算单当前为 {}，异议期至 {}。如需更正请联系平台调整。",
                        self.review.as_str(),
                        self.object_until
                    ),
                ),
            ));
        }
        Ok(())
    }

    /// Lets it be confirmed.
    ///
    /// # Errors
    /// 409 while lines are disputed.
    pub fn confirmable(&self) -> Result<(), Refusal> {
        match self.review {
            Review::Sent | Review::Confirmed => Ok(()),
            Review::Disputed => Err(Refusal::conflict(
                "statement_disputed",
                Message::new(
                    "Lines of it are disputed. It is confirmed when the platform has decided them.",
                    "结算单有异议明细，平台处理后将自动确认。",
                ),
            )),
        }
    }
}

/// Puts money against statements, the oldest first: those that changed with what each took, and what is over.
#[must_use]
pub fn pay_oldest(statements: Vec<Statement>, money_minor: i64) -> (Vec<(Statement, i64)>, i64) {
    let mut sorted = statements;
    sorted.sort_by(|left, right| (left.month, &left.id).cmp(&(right.month, &right.id)));
    let (mut paid, mut left) = (Vec::new(), money_minor.max(0));
    for statement in sorted {
        let (after, taken) = statement.pay(left);
        if taken > 0 {
            left -= taken;
            paid.push((after, taken));
        }
    }
    (paid, left)
}

/// No such statement, or none that the caller may know.
#[must_use]
pub fn unknown_statement() -> Refusal {
    Refusal::not_found(
        "statement_unknown",
        Message::new(
            "There is no such statement that you can see.",
            "未找到您可查看的结算单。",
        ),
    )
}
