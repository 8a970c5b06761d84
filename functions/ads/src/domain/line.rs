//! Booking lines: one placement for some days, in the states of OpenDirect.

use advertising::{CAPS_MAX, Cap};
use chrono::NaiveDate;
use kernel::{
    ActorId, ActorKind, AdLineId, AdOrderId, BarterId, CommunityId, MerchantId, Message,
    PlacementId, Refusal, Timestamp,
};

use super::day::count;
use super::placement::{PRICE_MAX, Placement, Pricing, words};

/// How long a reservation holds seats, in milliseconds: 48 hours.
pub const RESERVATION_MS: i64 = 48 * 60 * 60 * 1_000;
/// The most days of a line.
pub const LINE_DAYS_MAX: i64 = 366;
/// How far ahead a line begins at most, in days.
pub const AHEAD_DAYS_MAX: i64 = 730;
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
    /// How a budget is spread over the day.
    Pacing {
        /// Evenly.
        Even = "even",
        /// As fast as it goes.
        Asap = "asap",
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

/// To whom a line is shown; what is empty means all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Targeting {
    /// In these communities.
    pub communities: Vec<CommunityId>,
    /// To these kinds of people.
    pub kinds: Vec<ActorKind>,
    /// From this minute of the day to before that one.
    pub minutes: Option<(u16, u16)>,
}

/// Who looks, where and when.
#[derive(Debug, Clone, Copy)]
pub struct Viewer<'a> {
    /// What they are.
    pub kind: ActorKind,
    /// Where they look from; several when they did not say.
    pub communities: &'a [CommunityId],
    /// The minute of the day, 0 to 1439.
    pub minute: u16,
}

impl Targeting {
    /// Whether a line is shown to that viewer.
    #[must_use]
    pub fn meets(&self, viewer: Viewer<'_>) -> bool {
        let there = |community: &CommunityId| viewer.communities.contains(community);
        let minutes = self.minutes.unwrap_or((0, 1_440));
        (self.communities.is_empty() || self.communities.iter().any(there))
            && (self.kinds.is_empty() || self.kinds.contains(&viewer.kind))
            && (minutes.0..minutes.1).contains(&viewer.minute)
    }
}

/// What somebody wants of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The first day.
    pub starts_on: NaiveDate,
    /// The first day after.
    pub ends_on: NaiveDate,
    /// What is paid for.
    pub pricing: Pricing,
    /// What may be spent, in fen, where views or clicks are paid for.
    pub budget_minor: Option<i64>,
    /// How many views are promised.
    pub goal_views: Option<i64>,
    /// How the budget is spread.
    pub pacing: Pacing,
    /// Its part of the rotation, 1 to 100.
    pub weight: i64,
    /// How often one viewer sees it.
    pub caps: Vec<Cap>,
    /// To whom it is shown.
    pub targeting: Targeting,
}

impl Wish {
    /// Lets a wish pass that the placement can fulfil.
    ///
    /// # Errors
    /// 409 for a placement that is closed; 422 naming what cannot be.
    pub fn check(&self, placement: &Placement, today: NaiveDate) -> Result<(), Refusal> {
        if !placement.active {
            return Err(placement_closed());
        }
        let days = count(self.starts_on, self.ends_on);
        let is_metered = self.pricing != Pricing::Day;
        let budget = self.budget_minor.unwrap_or_default();
        let minutes = self.targeting.minutes.unwrap_or((0, 1_440));
        let faults = [
            (
                self.starts_on < today,
                "it begins today or later",
                "开始日期不能早于今天",
            ),
            (
                count(today, self.starts_on) > AHEAD_DAYS_MAX,
                "it begins within two years",
                "开始日期须在两年以内",
            ),
            (
                !(1..=LINE_DAYS_MAX).contains(&days),
                "it runs 1 to 366 days",
                "投放天数为 1 至 366",
            ),
            (
                days < placement.minimum_days,
                "it runs at least as long as the placement asks",
                "投放天数少于该广告位的最短天数",
            ),
            (
                is_metered && !(1..=PRICE_MAX).contains(&budget),
                "paying for views or clicks needs a budget_minor of 1 to 100000000",
                "按展示或点击计费需要 1 至 100000000 分的预算",
            ),
            (
                !is_metered && self.budget_minor.is_some(),
                "paying by the day needs no budget_minor",
                "按天计费无需预算",
            ),
            (
                !(1..=100).contains(&self.weight),
                "weight is 1 to 100",
                "权重为 1 至 100",
            ),
            (
                self.goal_views
                    .is_some_and(|goal| !(1..=1_000_000_000).contains(&goal)),
                "goal_views is 1 to 1000000000",
                "保证展示量为 1 至 1000000000",
            ),
            (
                self.caps.len() > CAPS_MAX || self.caps.iter().any(|cap| cap.views == 0),
                "caps are at most 8, each of at least 1 view",
                "频次上限最多 8 条，每条至少 1 次",
            ),
            (
                minutes.0 >= minutes.1 || minutes.1 > 1_440,
                "minutes go from 0 to 1440",
                "时段为 0 至 1440 分钟",
            ),
            (
                self.targeting.communities.len() > 50,
                "at most 50 communities are named",
                "最多指定 50 个小区",
            ),
        ];
        match faults.into_iter().find(|(is_wrong, _, _)| *is_wrong) {
            None => Ok(()),
            Some((_, english, chinese)) => Err(Refusal::invalid(
                "line_invalid",
                Message::new(
                    format!("This line cannot be: {english}."),
                    format!("排期不正确：{chinese}。"),
                ),
            )),
        }
    }
}

/// Nothing is sold there.
#[must_use]
pub fn placement_closed() -> Refusal {
    Refusal::conflict(
        "placement_closed",
        Message::new(
            "Nothing is shown at this placement at present. Choose another one.",
            "该广告位暂停投放，请选择其他广告位。",
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
    use crate::domain::placement::tests::placement;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn wish() -> Wish {
        Wish {
            starts_on: day("2026-11-05"),
            ends_on: day("2026-11-08"),
            pricing: Pricing::Day,
            budget_minor: None,
            goal_views: None,
            pacing: Pacing::Even,
            weight: 1,
            caps: vec![],
            targeting: Targeting::default(),
        }
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
    fn what_a_placement_cannot_fulfil_is_refused() {
        let today = day("2026-11-02");
        assert!(wish().check(&placement(), today).is_ok());
        for wrong in [
            Wish {
                starts_on: day("2026-11-01"),
                ..wish()
            },
            Wish {
                ends_on: day("2026-11-05"),
                ..wish()
            },
            Wish {
                pricing: Pricing::Cpm,
                ..wish()
            },
            Wish {
                budget_minor: Some(1),
                ..wish()
            },
            Wish {
                weight: 0,
                ..wish()
            },
            Wish {
                targeting: Targeting {
                    minutes: Some((5, 5)),
                    ..Targeting::default()
                },
                ..wish()
            },
        ] {
            assert_eq!(
                wrong.check(&placement(), today).unwrap_err().code,
                "line_invalid"
            );
        }
        let closed = Placement {
            active: false,
            ..placement()
        };
        assert_eq!(
            wish().check(&closed, today).unwrap_err().code,
            "placement_closed"
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
