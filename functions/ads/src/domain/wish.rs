//! What somebody wants of a line: days, a way to pay, whom it is for; and whether a placement can fulfil it.

use advertising::{CAPS_MAX, Cap};
use chrono::NaiveDate;
use kernel::{ActorKind, CommunityId, Message, Refusal};

use super::day::count;
use super::placement::{PRICE_MAX, Placement, Pricing, words};

/// The most days of a line.
pub const LINE_DAYS_MAX: i64 = 366;
/// How far ahead a line begins at most, in days.
pub const AHEAD_DAYS_MAX: i64 = 730;

words! {
    /// How a budget is spread over the day.
    Pacing {
        /// Evenly.
        Even = "even",
        /// As fast as it goes.
        Asap = "asap",
    }
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
    /// What may be wrong: whether it is, and what it ought to be, in both languages.
    fn faults(
        &self,
        placement: &Placement,
        today: NaiveDate,
    ) -> [(bool, &'static str, &'static str); 11] {
        let days = count(self.starts_on, self.ends_on);
        let is_metered = self.pricing != Pricing::Day;
        let budget = self.budget_minor.unwrap_or_default();
        let minutes = self.targeting.minutes.unwrap_or((0, 1_440));
        [
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
        ]
    }

    /// Lets a wish pass that the placement can fulfil.
    ///
    /// # Errors
    /// 409 for a placement that is closed; 422 naming what cannot be.
    pub fn check(&self, placement: &Placement, today: NaiveDate) -> Result<(), Refusal> {
        if !placement.active {
            return Err(placement_closed());
        }
        let faults = self.faults(placement, today);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::placement::tests::placement;

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
}
