//! What several bills cost today, and how money is put against them: what gives back first, then the oldest, each with
//! its late fee before its principal; what is over is credit.

use chrono::NaiveDate;
use kernel::BillId;

use super::{Bill, BillState, Late, LateTerms};

/// What is owed by one bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// The bill.
    pub bill: BillId,
    /// Without late fee, in fen; below zero when it gives back.
    pub principal_fen: i64,
    /// Late fee, in fen.
    pub late_fen: i64,
}

/// What was put against one bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paid {
    /// The bill as it stands after.
    pub bill: Bill,
    /// In fen; below zero when the bill gave back.
    pub principal_fen: i64,
    /// In fen.
    pub late_fen: i64,
}

/// What the bills cost on a day, oldest first.
#[must_use]
pub fn quote(bills: &[Bill], terms: LateTerms, today: NaiveDate) -> Vec<Owed> {
    let mut ordered: Vec<&Bill> = bills.iter().collect();
    ordered.sort_by(|left, right| age(left).cmp(&age(right)));
    ordered
        .into_iter()
        .map(|bill| Owed {
            bill: bill.id.clone(),
            principal_fen: bill.unpaid_fen(),
            late_fen: late_of(bill, terms, today),
        })
        .collect()
}

/// The late fee that is owed by a bill on a day.
#[must_use]
pub fn late_of(bill: &Bill, terms: LateTerms, today: NaiveDate) -> i64 {
    let (BillState::Published, Some(due_on)) = (bill.state, bill.due_on) else {
        return 0;
    };
    let amounts = (bill.amount_fen - bill.discount_fen, bill.unpaid_fen());
    bill.late
        .owed(bill.late.total(terms, amounts, due_on, today))
}

fn age(bill: &Bill) -> (Option<NaiveDate>, super::Month, &BillId) {
    (bill.due_on, bill.period, &bill.id)
}

/// Puts money against bills as they stand now, with the late fees that were quoted, on the day on which it was paid:
/// what became of each bill, and what is over.
#[must_use]
pub fn settle(
    money_fen: i64,
    bills: &[Bill],
    quoted: &[Owed],
    paid_on: NaiveDate,
) -> (Vec<Paid>, i64) {
    let mut ordered: Vec<&Bill> = bills
        .iter()
        .filter(|bill| bill.state == BillState::Published)
        .collect();
    ordered.sort_by(|left, right| age(left).cmp(&age(right)));
    let gives_back = ordered
        .iter()
        .map(|bill| bill.unpaid_fen().min(0))
        .sum::<i64>();
    let mut left = money_fen - gives_back;
    let mut paid = Vec::new();
    for bill in ordered {
        let unpaid = bill.unpaid_fen();
        let quoted = quoted
            .iter()
            .find(|owed| owed.bill == bill.id)
            .map_or(0, |owed| owed.late_fen);
        let (late_fen, principal_fen) = if unpaid < 0 {
            (0, unpaid)
        } else {
            let late = quoted.min(left).max(0);
            (late, unpaid.min(left - late).max(0))
        };
        if unpaid >= 0 {
            left -= late_fen + principal_fen;
        }
        if late_fen == 0 && principal_fen == 0 {
            continue;
        }
        paid.push(Paid {
            bill: after(bill, principal_fen, late_fen, (quoted, paid_on)),
            principal_fen,
            late_fen,
        });
    }
    (paid, left)
}

/// All that these bills still take, as they stand now, with the late fees that were quoted.
#[must_use]
pub fn needed(bills: &[Bill], quoted: &[Owed]) -> i64 {
    let owed = bills
        .iter()
        .filter(|bill| bill.state == BillState::Published);
    owed.map(|bill| {
        let quoted = quoted.iter().find(|owed| owed.bill == bill.id);
        let late = quoted.map_or(0, |owed| owed.late_fen);
        match bill.unpaid_fen() {
            unpaid @ ..0 => unpaid,
            unpaid => unpaid + late,
        }
    })
    .sum()
}

/// The bill with this put against it: interest has run until this day, and runs on the rest.
fn after(
    bill: &Bill,
    principal_fen: i64,
    late_fen: i64,
    (quoted_fen, paid_on): (i64, NaiveDate),
) -> Bill {
    let state = if principal_fen == bill.unpaid_fen() && late_fen == quoted_fen {
        BillState::Paid
    } else {
        bill.state
    };
    Bill {
        paid_fen: bill.paid_fen + principal_fen,
        late: Late {
            fixed_fen: bill.late.paid_fen + bill.late.waived_fen + quoted_fen,
            paid_fen: bill.late.paid_fen + late_fen,
            waived_fen: bill.late.waived_fen,
            since: Some(paid_on),
        },
        state,
        ..bill.clone()
    }
}
