//! Bills: unique by room, rule and month, and version. A draft is owed by nobody; what was published is never edited,
//! only paid, discounted or voided, and billed anew by its difference.

use chrono::NaiveDate;
use kernel::{BillId, BillRunId, CommunityId, Message, Refusal, RoomId, Timestamp};
use serde_json::Value;

use super::rule::{Skip, skip};
use super::{Charged, Late, Month, Span};

/// How a bill stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BillState {
    /// Made by a run, and not published.
    Draft,
    /// Owed.
    Published,
    /// Nothing is owed by it any more.
    Paid,
    /// Counts no more.
    Voided,
}

impl BillState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Draft, Self::Published, Self::Paid, Self::Voided];

    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
            Self::Paid => "paid",
            Self::Voided => "voided",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// What a room owes by one rule for one month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// The bill.
    pub id: BillId,
    /// Its community.
    pub community: CommunityId,
    /// The room.
    pub room: RoomId,
    /// The rule; the bill itself when it was made by hand.
    pub rule: String,
    /// The version of the rule it was made by.
    pub rule_version: i64,
    /// What it is for.
    pub title: String,
    /// The month, or the first of those it is for.
    pub period: Month,
    /// How many months it is for.
    pub months: u32,
    /// From 1, of this room, rule and month.
    pub version: i64,
    /// The run that made it.
    pub run: Option<BillRunId>,
    /// How it stands.
    pub state: BillState,
    /// In fen; below zero when it gives back.
    pub amount_fen: i64,
    /// What was taken off, in fen.
    pub discount_fen: i64,
    /// What was paid, in fen.
    pub paid_fen: i64,
    /// What being late costs.
    pub late: Late,
    /// The last day on which it is paid in time.
    pub due_on: Option<NaiveDate>,
    /// When it was published.
    pub published_at: Option<Timestamp>,
    /// What it was computed of.
    pub basis: Value,
    /// The usages with their revisions.
    pub mark: String,
}

impl Bill {
    /// The months that it is for.
    #[must_use]
    pub fn span(&self) -> Span {
        Span {
            first: self.period,
            months: self.months,
        }
    }

    /// What is owed by it, without late fee; below zero when it gives back.
    #[must_use]
    pub fn unpaid_fen(&self) -> i64 {
        match self.state {
            BillState::Published => self.amount_fen - self.discount_fen - self.paid_fen,
            BillState::Draft | BillState::Paid | BillState::Voided => 0,
        }
    }
}

/// What there is already of a room's bills by one rule for one month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    /// The highest version.
    pub latest: i64,
    /// Whether one of them counts.
    pub live: bool,
    /// The sum of those that count, in fen.
    pub live_fen: i64,
    /// The usages of the latest that counts.
    pub mark: String,
}

/// The version and the amount of the bill to make: the whole for the first one and after a void, the difference when
/// usage is known better than it was.
///
/// # Errors
/// The reason to make none.
pub fn next_version(existing: Option<&Versions>, charged: &Charged) -> Result<(i64, i64), Skip> {
    match existing {
        None => Ok((1, charged.amount_fen)),
        Some(known) if !known.live => Ok((known.latest + 1, charged.amount_fen)),
        Some(known) if known.mark == charged.mark => Err(skip("already_billed")),
        Some(known) if known.live_fen == charged.amount_fen => Err(skip("unchanged")),
        Some(known) => Ok((known.latest + 1, charged.amount_fen - known.live_fen)),
    }
}

/// A bill that counts no more.
///
/// # Errors
/// 409 for one that is paid in part or whole, or voided already.
pub fn void(bill: &Bill) -> Result<Bill, Refusal> {
    if bill.state == BillState::Voided {
        return Err(wrong_state(bill));
    }
    refuse_paid(bill)?;
    Ok(Bill {
        state: BillState::Voided,
        ..bill.clone()
    })
}

/// Refuses a bill that money was put against.
///
/// # Errors
/// 409.
pub fn refuse_paid(bill: &Bill) -> Result<(), Refusal> {
    if bill.paid_fen == 0 && bill.late.paid_fen == 0 && bill.state != BillState::Paid {
        return Ok(());
    }
    Err(Refusal::conflict(
        "bill_paid",
        Message::new(
            "Money was paid for this bill. Refund the payment first.",
            "该账单已有付款，请先退款。",
        ),
    ))
}

/// A bill with a discount more.
///
/// # Errors
/// 409 unless it is published; 422 for more than is owed.
pub fn discount(bill: &Bill, amount_fen: i64) -> Result<Bill, Refusal> {
    if bill.state != BillState::Published {
        return Err(wrong_state(bill));
    }
    let unpaid = bill.unpaid_fen();
    if amount_fen <= 0 || amount_fen > unpaid {
        return Err(more_than_owed(unpaid));
    }
    let state = if amount_fen == unpaid {
        BillState::Paid
    } else {
        bill.state
    };
    Ok(Bill {
        discount_fen: bill.discount_fen + amount_fen,
        state,
        ..bill.clone()
    })
}

/// A bill with a part of its late fee, owed as it is now, let go.
///
/// # Errors
/// 409 unless it is published; 422 for more than is owed.
pub fn waive(bill: &Bill, owed_fen: i64, amount_fen: i64) -> Result<Bill, Refusal> {
    if bill.state != BillState::Published {
        return Err(wrong_state(bill));
    }
    if amount_fen <= 0 || amount_fen > owed_fen {
        return Err(more_than_owed(owed_fen));
    }
    let late = Late {
        waived_fen: bill.late.waived_fen + amount_fen,
        ..bill.late
    };
    Ok(Bill {
        late,
        ..bill.clone()
    })
}

fn more_than_owed(owed_fen: i64) -> Refusal {
    Refusal::invalid(
        "more_than_owed",
        Message::new(
            format!("Between 1 and {owed_fen} fen can be let go here."),
            format!("此处可减免 1 到 {owed_fen} 分。"),
        ),
    )
}

fn wrong_state(bill: &Bill) -> Refusal {
    let state = bill.state.as_str();
    Refusal::conflict(
        "bill_state",
        Message::new(
            format!("The bill is {state}: that cannot be done to it any more, or not yet."),
            format!("账单当前状态为 {state}，不能执行该操作。"),
        ),
    )
}

/// No such bill, or none that the caller may know.
#[must_use]
pub fn unknown_bill() -> Refusal {
    Refusal::not_found(
        "bill_unknown",
        Message::new(
            "There is no such bill that you can see.",
            "未找到您可查看的该账单。",
        ),
    )
}
