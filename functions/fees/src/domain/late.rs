//! What being late costs: simple interest by the day on what is unpaid, from the day after the grace days, never more
//! than a part of the bill, and computed for a date.

use chrono::{Days, NaiveDate};

/// A community's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LateTerms {
    /// For each day late, in 1/100,000 of what is unpaid.
    pub rate_per_100k: i64,
    /// Days after the due day that cost nothing.
    pub grace_days: u32,
    /// The late fee is at most this part of the bill, in 1/100; at most 100.
    pub cap_percent: i64,
    /// A bill is due that many days after it was published.
    pub due_days: u32,
}

impl Default for LateTerms {
    /// Nothing for being late; due after 30 days.
    fn default() -> Self {
        Self {
            rate_per_100k: 0,
            grace_days: 0,
            cap_percent: 100,
            due_days: 30,
        }
    }
}

/// What stands on a bill about its being late.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Late {
    /// What had come together when a part of the bill was last paid.
    pub fixed_fen: i64,
    /// What of it is paid.
    pub paid_fen: i64,
    /// What of it was let go.
    pub waived_fen: i64,
    /// When a part of the bill was last paid: interest runs on the rest from that day on.
    pub since: Option<NaiveDate>,
}

impl Late {
    /// All that being late has cost by `today`, for a bill of `amount` with `unpaid` left, due on `due_on`.
    #[must_use]
    pub fn total(
        &self,
        terms: LateTerms,
        (amount, unpaid): (i64, i64),
        due_on: NaiveDate,
        today: NaiveDate,
    ) -> i64 {
        let free_until = due_on
            .checked_add_days(Days::new(u64::from(terms.grace_days)))
            .unwrap_or(due_on);
        let from = self.since.map_or(free_until, |since| since.max(free_until));
        let days = (today - from).num_days().max(0);
        let running =
            i128::from(unpaid.max(0)) * i128::from(terms.rate_per_100k) * i128::from(days);
        // Half up, to the fen: the one rounding of it.
        let running = (running + 50_000) / 100_000;
        let cap = i128::from(amount.max(0)) * i128::from(terms.cap_percent.clamp(0, 100)) / 100;
        let total = (i128::from(self.fixed_fen) + running).min(cap);
        i64::try_from(total)
            .unwrap_or(amount)
            .max(self.paid_fen + self.waived_fen)
    }

    /// What of a total is still owed.
    #[must_use]
    pub fn owed(&self, total: i64) -> i64 {
        (total - self.paid_fen - self.waived_fen).max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: LateTerms = LateTerms {
        rate_per_100k: 50,
        grace_days: 5,
        cap_percent: 100,
        due_days: 30,
    };

    fn total(late: Late, unpaid: i64, today: &str) -> i64 {
        let due: NaiveDate = "2026-10-31".parse().unwrap();
        late.total(TERMS, (100_000, unpaid), due, today.parse().unwrap())
    }

    #[test]
    fn days_of_grace_cost_nothing_and_each_after_costs_its_part() {
        assert_eq!(total(Late::default(), 100_000, "2026-10-31"), 0);
        assert_eq!(total(Late::default(), 100_000, "2026-11-05"), 0);
        assert_eq!(total(Late::default(), 100_000, "2026-11-06"), 50);
        assert_eq!(total(Late::default(), 100_000, "2026-11-15"), 500);
    }

    #[test]
    fn it_is_never_more_than_the_bill() {
        assert_eq!(total(Late::default(), 100_000, "2046-10-31"), 100_000);
    }

    #[test]
    fn what_is_paid_bears_no_further_interest() {
        let late = Late {
            fixed_fen: 500,
            paid_fen: 500,
            waived_fen: 0,
            since: "2026-11-15".parse().ok(),
        };
        assert_eq!(total(late, 40_000, "2026-11-25"), 700);
        assert_eq!(late.owed(700), 200);
    }
}
