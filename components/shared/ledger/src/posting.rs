//! What is posted: a business key, a moment, and legs.

use kernel::{Money, Timestamp};

use crate::{Account, Side};

/// The most legs of one transaction.
pub const LEGS_MAX: usize = 400;

/// The business key of a transaction, unique forever, with when and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// What happened, `bill`, `payment`, `bill.void`: lower-case letters, digits, `.`, `_` and `-`.
    pub kind: String,
    /// Which one, in the words of the capability that posts: at most 200 characters on one line.
    pub reference: String,
    /// When it is recorded.
    pub at: Timestamp,
    /// What people read; may be empty. Not part of the content that a key stands for.
    pub memo: String,
}

impl Key {
    /// A key without a memo.
    #[must_use]
    pub fn new(kind: &str, reference: &str, at: Timestamp) -> Self {
        Self {
            kind: kind.to_owned(),
            reference: reference.to_owned(),
            at,
            memo: String::new(),
        }
    }
}

/// One side of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    /// Where.
    pub account: Account,
    /// Debit or credit.
    pub side: Side,
    /// How much; above zero.
    pub amount: Money,
}

/// A transaction to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// What happened, as [`Key::kind`].
    pub kind: String,
    /// Which one, as [`Key::reference`].
    pub reference: String,
    /// When it is recorded. A retry may say another moment.
    pub at: Timestamp,
    /// What people read.
    pub memo: String,
    /// Two or more; per currency, debits are credits.
    pub legs: Vec<Leg>,
}

impl Posting {
    /// A posting without legs yet.
    #[must_use]
    pub fn new(kind: &str, reference: &str, at: Timestamp) -> Self {
        Self {
            kind: kind.to_owned(),
            reference: reference.to_owned(),
            at,
            memo: String::new(),
            legs: Vec::new(),
        }
    }

    /// With this memo.
    #[must_use]
    pub fn memo(mut self, memo: &str) -> Self {
        memo.clone_into(&mut self.memo);
        self
    }

    /// With this account debited.
    #[must_use]
    pub fn debit(self, account: Account, amount: Money) -> Self {
        self.leg(account, Side::Debit, amount)
    }

    /// With this account credited.
    #[must_use]
    pub fn credit(self, account: Account, amount: Money) -> Self {
        self.leg(account, Side::Credit, amount)
    }

    fn leg(mut self, account: Account, side: Side, amount: Money) -> Self {
        self.legs.push(Leg {
            account,
            side,
            amount,
        });
        self
    }
}
