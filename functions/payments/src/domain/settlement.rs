//! What a channel's bill of a day brings to the bank, and what it costs. What it leaves in the clearing account is what the
//! runs list: the tests say of each kind of mistake how much that is.

use std::collections::{BTreeMap, BTreeSet};

use kernel::MoneyError;

use super::{Bill, BillStatus, Mistake, MistakeKind, Movement, Rate};

/// A movement by its number.
pub type Moved = (String, Movement);

/// What a day came to, in fen; below zero when more went back than came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settled {
    /// What the channel pays to the bank.
    pub bank: i64,
    /// What it charges.
    pub fees: i64,
}

impl Settled {
    /// What leaves the clearing account.
    #[must_use]
    pub fn cleared(self) -> i64 {
        self.bank + self.fees
    }
}

/// What the day's own lines come to: each that moved money, less what of it is paid straight to merchants. A charge
/// that is listed as a mistake costs what was agreed: the difference stays with the channel.
///
/// # Errors
/// A charge beyond 2^63 fen.
pub fn settled(
    bills: &[Bill],
    mistakes: &[Mistake],
    direct: &BTreeMap<Moved, i64>,
    rate: Rate,
) -> Result<Settled, MoneyError> {
    let disputed: BTreeSet<(&str, Movement)> = mistakes
        .iter()
        .filter(|mistake| mistake.kind == MistakeKind::FeeMismatch)
        .map(|mistake| (mistake.number.as_str(), mistake.movement))
        .collect();
    let mut sum = Settled::default();
    for bill in bills.iter().filter(|bill| bill.status == BillStatus::Done) {
        let entry = &bill.entry;
        let key = (entry.number.clone(), entry.movement);
        let elsewhere = direct
            .get(&key)
            .copied()
            .unwrap_or_default()
            .min(entry.amount);
        let sign = sign(entry.movement);
        let agreed = sign * rate.fee(entry.amount)?;
        let is_disputed = disputed.contains(&(entry.number.as_str(), entry.movement));
        let charge = if is_disputed { agreed } else { bill.fee };
        if bill.carried {
            // It came to the bank with its own day; only now its charge is known to be another than agreed.
            sum.fees += charge - bill.fee;
            continue;
        }
        let borne = sign * rate.fee(elsewhere)?;
        sum.bank += sign * (entry.amount - elsewhere) - (bill.fee - borne);
        sum.fees += charge - borne;
    }
    Ok(sum)
}

fn sign(movement: Movement) -> i64 {
    match movement {
        Movement::Payment => 1,
        Movement::Refund => -1,
    }
}

#[cfg(test)]
mod tests {
    use kernel::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Booked, Entry, compare};

    const RATE: Rate = Rate(60);
    const DAY_END_MS: i64 = 1_800_000_000_000;

    /// What a mistake leaves in the clearing account, in fen: above zero when the channel still owes it by our books.
    fn left_by(mistake: &Mistake) -> i64 {
        let sign = sign(mistake.movement);
        let (ours, theirs) = (
            mistake.ours.unwrap_or_default(),
            mistake.theirs.unwrap_or_default(),
        );
        match mistake.kind {
            MistakeKind::MissingAtChannel | MistakeKind::StatusOver => sign * ours,
            MistakeKind::MissingHere | MistakeKind::StatusShort => -sign * theirs,
            MistakeKind::AmountShort | MistakeKind::AmountOver => sign * (ours - theirs),
            MistakeKind::FeeMismatch => theirs - ours,
        }
    }

    /// One movement as both sides may have it: our amount and theirs, whether each did it, how far the charge is off,
    /// and how long before midnight.
    type Case = (Option<(i64, bool)>, Option<(i64, bool)>, i64, bool, i64);

    fn entry(number: usize, amount: i64, (back, before_ms): (bool, i64)) -> Entry {
        Entry {
            number: format!("n{number:03}"),
            movement: if back {
                Movement::Refund
            } else {
                Movement::Payment
            },
            amount,
            at: Timestamp::from_millis(DAY_END_MS - before_ms).unwrap(),
        }
    }

    fn sides(cases: &[Case]) -> (Vec<Bill>, Vec<Booked>) {
        let (mut bills, mut books) = (Vec::new(), Vec::new());
        for (number, (ours, theirs, off, back, before_ms)) in cases.iter().enumerate() {
            if let Some((amount, done)) = ours {
                books.push(Booked {
                    entry: entry(number, *amount, (*back, *before_ms)),
                    done: *done,
                    expected: true,
                    carried: false,
                });
            }
            if let Some((amount, done)) = theirs {
                let entry = entry(number, *amount, (*back, *before_ms));
                let fee = sign(entry.movement) * RATE.fee(*amount).unwrap() + off;
                let status = if *done {
                    BillStatus::Done
                } else {
                    BillStatus::Undone
                };
                bills.push(Bill {
                    entry,
                    status,
                    fee,
                    carried: false,
                });
            }
        }
        (bills, books)
    }

    /// Our amount and theirs are one more often than not.
    fn cases() -> impl Strategy<Value = Vec<Case>> {
        let side = || prop::option::weighted(0.9, (1..1_000_000_i64, prop::bool::weighted(0.9)));
        let case = (
            side(),
            side(),
            prop::bool::ANY,
            prop_oneof![4 => Just(0), 1 => -5..5_i64],
            (
                prop::bool::ANY,
                prop_oneof![Just(60_000_i64), Just(40_000_000)],
            ),
        )
            .prop_map(|(ours, theirs, same, off, (back, before_ms))| {
                let theirs = match (same, ours, theirs) {
                    (true, Some(ours), Some((_, done))) => Some((ours.0, done)),
                    _ => theirs,
                };
                (ours, theirs, off, back, before_ms)
            });
        prop::collection::vec(case, 0..40)
    }

    proptest! {
        #[test]
        fn what_is_booked_less_what_is_settled_is_what_is_listed(cases in cases()) {
            let (bills, books) = sides(&cases);
            let booked: i64 = books.iter().filter(|book| book.done).map(|book| sign(book.entry.movement) * book.entry.amount).sum();
            let end = Timestamp::from_millis(DAY_END_MS).unwrap();
            let compared = compare(bills.clone(), books, RATE, end).unwrap();
            let settled = settled(&bills, &compared.mistakes, &BTreeMap::new(), RATE).unwrap();
            let listed: i64 = compared.mistakes.iter().map(left_by).sum();
            let ours: i64 = compared.carried_books.iter().map(|entry| sign(entry.movement) * entry.amount).sum();
            let theirs: i64 = compared.carried_bills.iter().map(|bill| sign(bill.entry.movement) * bill.entry.amount).sum();
            prop_assert_eq!(booked - settled.cleared(), listed + ours - theirs);
        }

        #[test]
        fn what_is_paid_straight_to_merchants_neither_reaches_the_bank_nor_costs_us(amount in 1..1_000_000_i64, share in 0..=100_i64, back in prop::bool::ANY) {
            let (bills, _) = sides(&[(None, Some((amount, true)), 0, back, 40_000_000)]);
            let elsewhere = amount * share / 100;
            let key = (bills[0].entry.number.clone(), bills[0].entry.movement);
            let sign = sign(key.1);
            let settled = settled(&bills, &[], &BTreeMap::from([(key, elsewhere)]), RATE).unwrap();
            prop_assert_eq!(settled.cleared(), sign * (amount - elsewhere));
            prop_assert_eq!(settled.fees, sign * (RATE.fee(amount).unwrap() - RATE.fee(elsewhere).unwrap()));
        }
    }
}
