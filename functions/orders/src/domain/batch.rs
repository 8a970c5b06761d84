//! Batches of a variant (批次): what came together, with a code to trace it by and a last day. The first to expire is the
//! first to go.
//!
//! A sale does not know of batches: it moves the counters of the variant. What of each batch is left is found out
//! afterwards, from how many units are there.

use chrono::NaiveDate;
use kernel::{Message, Refusal, Timestamp};

use super::stock::Stock;
use super::text::Code;

/// The most batches of a variant of which something is left.
pub const BATCHES_MAX: usize = 50;

/// What came together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Its id; later ones are larger.
    pub id: String,
    /// The last day on which it may be sold.
    pub expires_on: Option<NaiveDate>,
    /// By which it is traced.
    pub trace_code: Option<Code>,
    /// How many units came.
    pub units: i64,
    /// How many of them are there.
    pub left: i64,
    /// When they came.
    pub received_at: Timestamp,
}

/// The batches of a variant after it was found out what is left of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// In the order in which they go.
    pub batches: Vec<Batch>,
    /// How many units can no longer be sold because their last day is over.
    pub expired: i64,
}

impl Batch {
    fn is_expired(&self, today: NaiveDate) -> bool {
        self.expires_on.is_some_and(|last| last < today)
    }
}

impl Settled {
    /// The batch that goes next, if anything is left.
    #[must_use]
    pub fn front(&self) -> Option<&Batch> {
        self.batches.iter().find(|batch| batch.left > 0)
    }
}

/// Finds out what of each batch is left, when so many units of all are there.
///
/// What is gone is gone from the batches that expire first. What came without a batch counts to the first that has not
/// expired. Expired units can no longer be sold; those that are set aside for orders stay until it is known what becomes
/// of these.
#[must_use]
pub fn settle(mut batches: Vec<Batch>, stock: &Stock, today: NaiveDate) -> Settled {
    batches.sort_by(|one, other| {
        let place = |batch: &Batch| (batch.expires_on.is_none(), batch.expires_on);
        (place(one), &one.id).cmp(&(place(other), &other.id))
    });
    let there = stock.available + stock.reserved;
    let known: i64 = batches.iter().map(|batch| batch.left).sum();
    let mut gone = (known - there).max(0);
    for batch in &mut batches {
        let out = batch.left.min(gone);
        batch.left -= out;
        gone -= out;
    }
    let fresh = batches
        .iter_mut()
        .find(|batch| batch.left > 0 && !batch.is_expired(today));
    if let Some(batch) = fresh {
        batch.left += (there - known).max(0);
    }
    let mut free = stock.available;
    let mut expired = 0;
    for batch in batches.iter_mut().filter(|batch| batch.is_expired(today)) {
        let off = batch.left.min(free);
        batch.left -= off;
        free -= off;
        expired += off;
    }
    Settled { batches, expired }
}

/// Lets a batch be received.
///
/// # Errors
/// 422 for one whose last day is over, 409 when there are too many already.
pub fn check_new(open: &[Batch], expires_on: NaiveDate, today: NaiveDate) -> Result<(), Refusal> {
    if expires_on < today {
        return Err(Refusal::invalid(
            "batch_expired",
            Message::new(
                "The batch's last day of sale is over already. Check the date.",
                "该批次的最后销售日已过，请核对日期。",
            ),
        ));
    }
    if open.len() >= BATCHES_MAX {
        return Err(Refusal::conflict(
            "batches_full",
            Message::new(
                format!(
                    "There are {BATCHES_MAX} batches of it on the shelf. Sell or issue some first."
                ),
                format!("该规格在架批次已达 {BATCHES_MAX} 个，请先售出或出库。"),
            ),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, day).unwrap()
    }

    fn batch(id: usize, expires_on: Option<u32>, left: i64) -> Batch {
        Batch {
            id: format!("b{id}"),
            expires_on: expires_on.map(day),
            trace_code: None,
            units: 100,
            left,
            received_at: Timestamp::EPOCH,
        }
    }

    fn stock(available: i64, reserved: i64) -> Stock {
        Stock {
            item: "v1".to_owned(),
            kind: "variant".to_owned(),
            available,
            reserved,
            taken: 0,
        }
    }

    /// What is left of batches of 5 that expire on the 10th, the 12th and never, on a day, and what can no longer be sold.
    fn check(on: u32, (available, reserved): (i64, i64), left: [i64; 3], expired: i64) {
        let batches = vec![
            batch(1, None, 5),
            batch(2, Some(12), 5),
            batch(3, Some(10), 5),
        ];
        let settled = settle(batches, &stock(available, reserved), day(on));
        let found: Vec<i64> = settled.batches.iter().map(|batch| batch.left).collect();
        assert_eq!(
            (found.as_slice(), settled.expired),
            (left.as_slice(), expired)
        );
    }

    #[test]
    fn the_first_to_expire_goes_first_and_what_has_expired_is_not_sold() {
        check(9, (15, 0), [5, 5, 5], 0);
        check(9, (10, 2), [2, 5, 5], 0);
        check(10, (7, 0), [0, 2, 5], 0);
        check(9, (0, 0), [0, 0, 0], 0);
        check(11, (15, 0), [0, 5, 5], 5);
        check(13, (12, 0), [0, 0, 5], 7);
        check(13, (15, 0), [0, 0, 5], 10);
        // What is set aside stays.
        check(11, (3, 12), [2, 5, 5], 3);
        // What came without a batch.
        check(9, (17, 0), [7, 5, 5], 0);
        check(11, (17, 0), [0, 7, 5], 5);
    }

    #[test]
    fn a_batch_that_is_over_or_one_too_many_is_refused() {
        let code = |open: usize, last: u32| {
            let open: Vec<Batch> = (0..open).map(|id| batch(id, Some(20), 1)).collect();
            check_new(&open, day(last), day(10)).map_err(|refusal| refusal.code)
        };
        assert_eq!(code(BATCHES_MAX - 1, 10), Ok(()));
        assert_eq!(code(0, 9), Err("batch_expired"));
        assert_eq!(code(BATCHES_MAX, 10), Err("batches_full"));
    }

    proptest! {
        #[test]
        fn units_are_conserved_and_nothing_changes_a_second_time(
            parts in prop::collection::vec((prop::option::of(1_u32..28), 1_i64..50), 1..6),
            available in 0_i64..200,
            reserved in 0_i64..50,
            today in 1_u32..28,
        ) {
            let batches: Vec<Batch> =
                parts.iter().enumerate().map(|(id, (last, left))| batch(id, *last, *left)).collect();
            let before = stock(available, reserved);
            let settled = settle(batches, &before, day(today));
            let left: i64 = settled.batches.iter().map(|batch| batch.left).sum();
            let after = stock(available - settled.expired, reserved);
            prop_assert!(settled.batches.iter().all(|batch| batch.left >= 0));
            prop_assert!((0..=available).contains(&settled.expired));
            // All units that are there are in a batch, unless they came when none was fresh.
            let is_fresh = settled.batches.iter().any(|batch| !batch.is_expired(day(today)) && batch.left > 0);
            prop_assert!(left <= after.available + after.reserved);
            prop_assert!(!is_fresh || left == after.available + after.reserved);
            // Whatever of expired batches is left is set aside.
            let old: i64 = settled.batches.iter().filter(|batch| batch.is_expired(day(today))).map(|batch| batch.left).sum();
            prop_assert!(old == 0 || after.available == 0);
            let again = settle(settled.batches.clone(), &after, day(today));
            prop_assert_eq!(again, Settled { expired: 0, ..settled });
        }
    }
}
