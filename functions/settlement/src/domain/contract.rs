//! What was agreed: with everybody (terms of the platform), and with one merchant (its contract).

use kernel::{Message, Refusal, Timestamp, Zone};
use wire::mall::Collection;

use super::Month;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// What holds for all merchants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Whose clocks count.
    pub zone: Zone,
    /// Statements are sent by the end of this day of the next month.
    pub issue_day: u8,
    /// The least that is withdrawn at once, in fen.
    pub withdrawal_min_minor: i64,
    /// The most that a merchant withdraws on one day, in fen.
    pub withdrawal_max_minor: i64,
    /// How often a merchant withdraws on one day.
    pub withdrawals_per_day: i64,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            zone: Zone::SHANGHAI,
            issue_day: 4,
            withdrawal_min_minor: 10_000,
            withdrawal_max_minor: 100_000_000,
            withdrawals_per_day: 3,
        }
    }
}

impl Terms {
    /// The first moment at which a month's statements are late.
    #[must_use]
    pub fn issue_by(&self, month: Month) -> Timestamp {
        self.zone.moment(month.next().day(self.issue_day), 1_440)
    }

    /// Checks terms that somebody wrote.
    ///
    /// # Errors
    /// 422 for what cannot be.
    pub fn checked(self) -> Result<Self, Refusal> {
        let fits = (1..=28).contains(&self.issue_day)
            && self.withdrawal_min_minor > 0
            && self.withdrawal_max_minor >= self.withdrawal_min_minor
            && (1..=100).contains(&self.withdrawals_per_day);
        if fits {
            return Ok(self);
        }
        Err(Refusal::invalid(
            "settlement_terms_invalid",
            Message::new(
                "The issue day is 1 to 28, withdrawals are above zero, the most at least the least, 1 to 100 a day.",
                "出账截止日为 1 到 28 日，提现金额须大于零且上限不小于下限，每日 1 到 100 次。",
            ),
        ))
    }
}

/// A version of a merchant's contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// Counts up.
    pub version: i64,
    /// The first month for which it counts.
    pub from: Month,
    /// Who receives the money of sales.
    pub collection: Collection,
    /// The day of the next month by whose end a statement is to be paid.
    pub due_day: u8,
    /// For how many days after the one on which it was sent lines can be disputed.
    pub objection_days: u8,
    /// How many days before the due moment silence counts as a confirmation.
    pub confirm_days: u8,
    /// The deposit, in fen.
    pub deposit_minor: i64,
    /// How many hundredths of the deposit it takes to open again.
    pub reopening_percent: u32,
    /// Monthly fees, in fen.
    pub hosting_minor: i64,
    /// Monthly fees, in fen.
    pub maintenance_minor: i64,
    /// Monthly fees, in fen.
    pub platform_minor: i64,
}

/// The moments of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moments {
    /// By how much it was sent late, in milliseconds; none when it was in time.
    pub late_ms: Option<i64>,
    /// The first moment at which no line can be disputed any more.
    pub object_until: Timestamp,
    /// The first moment at which silence confirms it.
    pub confirm_at: Timestamp,
    /// The first moment at which it is overdue.
    pub due_at: Timestamp,
}

impl Contract {
    /// The deposit that opens a frozen shop again, in fen: a multiple of what was agreed, however often it was frozen.
    #[must_use]
    pub fn reopening_minor(&self) -> i64 {
        let wide = i128::from(self.deposit_minor) * i128::from(self.reopening_percent);
        // Rounded up: one fen less is refused.
        i64::try_from((wide + 99) / 100).unwrap_or(i64::MAX)
    }

    /// The moments of the statement of a month that is sent now.
    #[must_use]
    pub fn moments(&self, terms: &Terms, month: Month, now: Timestamp) -> Moments {
        let issue_by = terms.issue_by(month);
        let late_ms = (now >= issue_by).then(|| now.millis_since(issue_by));
        let due_at = terms.zone.moment(month.next().day(self.due_day), 1_440);
        let due_at = due_at.plus_millis(late_ms.unwrap_or_default());
        let sent_on = terms.zone.local(now).date;
        let last_day = sent_on
            .checked_add_days(chrono::Days::new(u64::from(self.objection_days)))
            .unwrap_or(sent_on);
        Moments {
            late_ms,
            object_until: terms.zone.moment(last_day, 1_440),
            confirm_at: due_at.plus_millis(-(i64::from(self.confirm_days) * DAY_MS)),
            due_at,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn contract() -> Contract {
        Contract {
            version: 1,
            from: Month::parse("2026-01").unwrap(),
            collection: Collection::Direct,
            due_day: 15,
            objection_days: 5,
            confirm_days: 3,
            deposit_minor: 6_000,
            reopening_percent: 200,
            hosting_minor: 0,
            maintenance_minor: 0,
            platform_minor: 0,
        }
    }

    fn check(month: &str, now: &str, late_ms: Option<i64>, due_at: &str) {
        let month = Month::parse(month).unwrap();
        let now = Timestamp::parse(now).unwrap();
        let moments = contract().moments(&Terms::default(), month, now);
        assert_eq!(moments.late_ms, late_ms);
        assert_eq!(moments.due_at.to_string(), due_at);
        assert_eq!(moments.due_at.millis_since(moments.confirm_at), 3 * DAY_MS);
    }

    #[test]
    fn the_end_of_the_fourth_is_in_time_and_what_is_later_moves_the_due_moment_as_much() {
        let due = "2026-11-15T16:00:00.000Z";
        check("2026-10", "2026-11-04T15:59:59.999Z", None, due);
        check("2026-10", "2026-11-04T16:00:00.000Z", Some(0), due);
        check(
            "2026-10",
            "2026-11-04T16:00:00.001Z",
            Some(1),
            "2026-11-15T16:00:00.001Z",
        );
        check(
            "2026-10",
            "2026-11-06T16:00:00.000Z",
            Some(2 * DAY_MS),
            "2026-11-17T16:00:00.000Z",
        );
        // February is as any other month.
        check(
            "2026-02",
            "2026-02-28T16:00:00Z",
            None,
            "2026-03-15T16:00:00.000Z",
        );
        check(
            "2026-01",
            "2026-02-01T00:00:00Z",
            None,
            "2026-02-15T16:00:00.000Z",
        );
    }

    #[test]
    fn lines_can_be_disputed_until_the_last_day_of_the_window_is_over() {
        let month = Month::parse("2026-10").unwrap();
        let now = Timestamp::parse("2026-10-31T16:00:00Z").unwrap();
        let moments = contract().moments(&Terms::default(), month, now);
        assert_eq!(moments.object_until.to_string(), "2026-11-06T16:00:00.000Z");
    }

    #[test]
    fn reopening_takes_the_multiple_rounded_up() {
        assert_eq!(contract().reopening_minor(), 12_000);
        let odd = Contract {
            deposit_minor: 101,
            reopening_percent: 150,
            ..contract()
        };
        assert_eq!(odd.reopening_minor(), 152);
    }
}
