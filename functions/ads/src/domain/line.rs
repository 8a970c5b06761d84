//! Booking lines: one placement for some days, in the states of OpenDirect.

use chrono::NaiveDate;
use kernel::{
    ActorId, AdLineId, AdOrderId, BarterId, MerchantId, Message, PlacementId, Refusal, Timestamp,
};

use super::placement::words;
use super::wish::Wish;

/// How long a reservation holds seats, in milliseconds: 48 hours.
pub const RESERVATION_MS: i64 = 48 * 60 * 60 * 1_000;
/// The most creatives of a line.
pub const LINE_CREATIVES_MAX: usize = 3;

words! {
    /// How a line stands.
    LineState {
        /// Being put together.
        Draft = "draft",
        /// Its seats are held, for a while.
        Reserved = "reserved",
        /// Its seats are its own.
        Booked = "booked",
        /// Its first day has come.
        InFlight = "in_flight",
        /// Its last day is over.
        Finished = "finished",
        /// It was ended before.
        Stopped = "stopped",
        /// It was taken back before it began.
        Cancelled = "cancelled",
        /// The platform does not want it.
        Declined = "declined",
    }
    /// What is done with a line.
    Verb {
        /// Hold its seats for a while.
        Reserve = "reserve",
        /// Make its seats its own.
        Book = "book",
        /// Take it back before it begins.
        Cancel = "cancel",
        /// End it while it runs.
        Stop = "stop",
        /// Refuse it, for the platform.
        Decline = "decline",
    }
    /// What a line is paid with.
    LineKind {
        /// Money.
        Paid = "paid",
        /// Goods: it belongs to an exchange.
        Barter = "barter",
        /// Nothing: it makes good what another one fell short of.
        MakeGood = "make_good",
    }
}

impl LineState {
    /// What can be done in this state.
    #[must_use]
    pub fn allows(self) -> &'static [Verb] {
        match self {
            Self::Draft => &[Verb::Reserve, Verb::Book, Verb::Cancel, Verb::Decline],
            Self::Reserved => &[Verb::Book, Verb::Cancel, Verb::Decline],
            Self::Booked => &[Verb::Cancel],
            Self::InFlight => &[Verb::Stop],
            Self::Finished | Self::Stopped | Self::Cancelled | Self::Declined => &[],
        }
    }

    /// The state after it.
    ///
    /// # Errors
    /// 409 with the present state and what it allows.
    pub fn after(self, verb: Verb) -> Result<Self, Refusal> {
        if !self.allows().contains(&verb) {
            return Err(illegal(self, verb));
        }
        Ok(match verb {
            Verb::Reserve => Self::Reserved,
            Verb::Book => Self::Booked,
            Verb::Cancel => Self::Cancelled,
            Verb::Stop => Self::Stopped,
            Verb::Decline => Self::Declined,
        })
    }

    /// The state as it is on that day: what is booked is in flight from its first day on and finished after its last,
    /// whether or not anybody has written so.
    #[must_use]
    pub fn on(self, today: NaiveDate, (starts_on, ends_on): (NaiveDate, NaiveDate)) -> Self {
        match self {
            Self::Booked | Self::InFlight if today >= ends_on => Self::Finished,
            Self::Booked if today >= starts_on => Self::InFlight,
            other => other,
        }
    }
}

fn illegal(state: LineState, verb: Verb) -> Refusal {
    let allowed: Vec<&str> = state.allows().iter().map(|verb| verb.as_str()).collect();
    let listed = if allowed.is_empty() {
        "-".to_owned()
    } else {
        allowed.join(", ")
    };
    Refusal::conflict(
        "line_state",
        Message::new(
            format!(
                "The line is {}: {} cannot be done. What can: {listed}.",
                state.as_str(),
                verb.as_str()
            ),
            format!(
                "排期当前状态为 {}，不能执行 {}；可执行：{listed}。",
                state.as_str(),
                verb.as_str()
            ),
        ),
    )
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its id.
    pub id: AdLineId,
    /// Of which order.
    pub order: AdOrderId,
    /// Whose.
    pub merchant: MerchantId,
    /// Where.
    pub placement: PlacementId,
    /// What deals are compared by.
    pub class: String,
    /// What it is paid with.
    pub kind: LineKind,
    /// How it stands, as written.
    pub state: LineState,
    /// What was asked for; the budget stands with what is spent of it.
    pub wish: Wish,
    /// The price of a thousand views or a click; of a line by the day, what a seat costs on its first day.
    pub price_minor: i64,
    /// What it comes to: its days, or its budget.
    pub total_minor: i64,
    /// Until when its seats are held.
    pub reserved_until: Option<Timestamp>,
    /// The exchange that it belongs to.
    pub barter: Option<BarterId>,
    /// The line that it makes good.
    pub make_good_of: Option<AdLineId>,
    /// Whether what it fell short of was made good.
    pub made_good: bool,
    /// Since when it is held back.
    pub paused_from: Option<NaiveDate>,
    /// When it was booked.
    pub booked_at: Option<Timestamp>,
    /// On which day it was stopped: the first that it does not pay for.
    pub stopped_on: Option<NaiveDate>,
    /// Who made it.
    pub created_by: ActorId,
    /// When.
    pub created_at: Timestamp,
    /// Counts up with each change.
    pub version: i64,
}

impl Line {
    /// Its first day, and the first after.
    #[must_use]
    pub fn flight(&self) -> (NaiveDate, NaiveDate) {
        (self.wish.starts_on, self.wish.ends_on)
    }

    /// How it stands on that day.
    #[must_use]
    pub fn state_on(&self, today: NaiveDate) -> LineState {
        self.state.on(today, self.flight())
    }
}

/// What deals in money are compared by: the price of a seat and day, half up.
#[must_use]
pub fn deal_of(total_minor: i64, days: i64) -> i64 {
    let total = kernel::Money::new(total_minor, kernel::Currency::Cny);
    total
        .times(1, days.max(1), kernel::Rounding::HalfUp)
        .map_or(total_minor, kernel::Money::minor)
}

/// What is given back of a line that fell short: its charge in proportion to the views that are missing, half up.
#[must_use]
pub fn pro_rata(charged_minor: i64, (delivered, goal): (i64, i64)) -> i64 {
    let missing = (goal - delivered).clamp(0, goal.max(0));
    kernel::Money::new(charged_minor.max(0), kernel::Currency::Cny)
        .times(missing, goal.max(1), kernel::Rounding::HalfUp)
        .map_or(0, kernel::Money::minor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_line_goes_forward_only_and_says_what_it_allows() {
        let after = |state: LineState, verb| state.after(verb);
        assert_eq!(
            after(LineState::Draft, Verb::Reserve),
            Ok(LineState::Reserved)
        );
        assert_eq!(
            after(LineState::Reserved, Verb::Book),
            Ok(LineState::Booked)
        );
        assert_eq!(
            after(LineState::InFlight, Verb::Stop),
            Ok(LineState::Stopped)
        );
        let refused = after(LineState::Booked, Verb::Reserve).unwrap_err();
        assert_eq!(refused.code, "line_state");
        assert!(
            refused.message.english.contains("booked")
                && refused.message.english.contains("cancel")
        );
        for over in [
            LineState::Finished,
            LineState::Stopped,
            LineState::Cancelled,
            LineState::Declined,
        ] {
            assert!(over.allows().is_empty());
        }
        let flight = (day("2026-11-05"), day("2026-11-08"));
        assert_eq!(
            LineState::Booked.on(day("2026-11-04"), flight),
            LineState::Booked
        );
        assert_eq!(
            LineState::Booked.on(day("2026-11-05"), flight),
            LineState::InFlight
        );
        assert_eq!(
            LineState::Booked.on(day("2026-11-08"), flight),
            LineState::Finished
        );
        assert_eq!(
            LineState::Draft.on(day("2026-11-08"), flight),
            LineState::Draft
        );
    }

    #[test]
    fn what_is_missing_is_given_back_in_proportion_and_more_is_free() {
        assert_eq!(pro_rata(1_000, (250, 1_000)), 750);
        assert_eq!(pro_rata(1_000, (667, 1_000)), 333);
        assert_eq!(pro_rata(1_000, (1_500, 1_000)), 0);
        assert_eq!(pro_rata(5, (1, 2)), 3);
        assert_eq!(deal_of(100, 3), 33);
    }

    proptest! {
        #[test]
        fn nobody_gets_back_more_than_they_paid(charged in 0_i64..1_000_000_000, delivered in 0_i64..2_000, goal in 1_i64..1_000) {
            let back = pro_rata(charged, (delivered, goal));
            prop_assert!((0..=charged).contains(&back));
        }
    }
}
