//! What is shown in a placement: of the lines in flight that fit the viewer, one, by their parts of the rotation.

use advertising::{Budget, Cap, Micros, Subject as Counted, allowed, even_share_bps, passes};
use chrono::NaiveDate;
use kernel::{AdLineId, CreativeId, MerchantId, PlacementId};

use super::creative::Subject;
use super::day::count;
use super::placement::ReviewClass;
use super::wish::{Pacing, Targeting, Viewer};

/// What a line in flight may spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purse {
    /// The whole budget.
    pub budget: Budget,
    /// What one offer promises.
    pub bid: Micros,
    /// What was used today, spent and reserved.
    pub used_today: Micros,
}

/// A creative of a line in flight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Where.
    pub placement: PlacementId,
    /// The line.
    pub line: AdLineId,
    /// The creative.
    pub creative: CreativeId,
    /// Whose.
    pub merchant: MerchantId,
    /// Its part of the rotation.
    pub weight: i64,
    /// How often one viewer sees it.
    pub caps: Vec<Cap>,
    /// To whom it is shown.
    pub targeting: Targeting,
    /// How its budget is spread.
    pub pacing: Pacing,
    /// The first day after its flight.
    pub ends_on: NaiveDate,
    /// What it may spend; none where days are paid for.
    pub purse: Option<Purse>,
    /// What it is about.
    pub subject: Subject,
    /// What may be shown there.
    pub review_class: ReviewClass,
}

/// When and to whom something is shown.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// Who looks.
    pub viewer: Viewer<'a>,
    /// The day.
    pub today: NaiveDate,
}

impl Candidate {
    /// Under which names its views are counted.
    #[must_use]
    pub fn counted(&self) -> Counted<'_> {
        Counted {
            creative: self.creative.as_str(),
            line: self.line.as_str(),
            advertiser: self.merchant.as_str(),
            placement: self.placement.as_str(),
        }
    }

    /// Whether it may be shown: to that viewer, within its caps and its budget, and not ahead of its pace.
    fn fits(&self, moment: Moment<'_>, seen: &impl Fn(&str, &Cap) -> i64, draw: u64) -> bool {
        let is_fit = self.review_class == ReviewClass::General || self.subject == Subject::General;
        let counted = self.counted();
        is_fit
            && self.targeting.meets(moment.viewer)
            && allowed(&self.caps, |cap| seen(&counted.named(cap.scope), cap))
            && self
                .purse
                .is_none_or(|purse| self.affords(purse, moment, draw))
    }

    fn affords(&self, purse: Purse, moment: Moment<'_>, draw: u64) -> bool {
        if purse.budget.reserve(purse.bid).is_none() {
            return false;
        }
        if self.pacing == Pacing::Asap {
            return true;
        }
        // What is left, with what today has used already, over the days that are left, today included.
        let left = purse
            .budget
            .left()
            .plus(purse.used_today)
            .unwrap_or(Micros::ZERO);
        let days = count(moment.today, self.ends_on).max(1);
        let daily = Micros::new((left.get() / days).max(purse.bid.get()));
        let share = even_share_bps(daily, purse.used_today, moment.viewer.minute);
        passes(share, draw)
    }
}

/// What is shown in a placement, of the creatives that stand there. Advertisers in `shown` are on the page already:
/// nobody is there twice. `draw` is any number; the same draw chooses the same.
pub fn choose<'a>(
    candidates: impl IntoIterator<Item = &'a Candidate>,
    moment: Moment<'_>,
    (shown, seen): (&[MerchantId], impl Fn(&str, &Cap) -> i64),
    draw: u64,
) -> Option<&'a Candidate> {
    let fits = |candidate: &&Candidate| {
        !shown.contains(&candidate.merchant) && candidate.fits(moment, &seen, draw >> 32)
    };
    let fitting: Vec<&Candidate> = candidates.into_iter().filter(fits).collect();
    let whole: i64 = fitting
        .iter()
        .map(|candidate| candidate.weight.max(1))
        .sum();
    let mut place =
        i64::try_from(draw % u64::try_from(whole).ok().filter(|whole| *whole > 0)?).ok()?;
    for candidate in fitting {
        place -= candidate.weight.max(1);
        if place < 0 {
            return Some(candidate);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use advertising::{CapScope, Window};
    use kernel::ActorKind;
    use proptest::prelude::*;

    fn candidate(line: &str, merchant: &str) -> Candidate {
        Candidate {
            placement: PlacementId::parse("home").unwrap(),
            line: AdLineId::parse(line).unwrap(),
            creative: CreativeId::parse("c").unwrap(),
            merchant: MerchantId::parse(merchant).unwrap(),
            weight: 1,
            caps: vec![],
            targeting: Targeting::default(),
            pacing: Pacing::Asap,
            ends_on: "2026-11-05".parse().unwrap(),
            purse: None,
            subject: Subject::General,
            review_class: ReviewClass::General,
        }
    }

    fn moment() -> Moment<'static> {
        Moment {
            viewer: Viewer {
                kind: ActorKind::Resident,
                communities: &[],
                minute: 600,
            },
            today: "2026-11-02".parse().unwrap(),
        }
    }

    fn purse(limit: i64, bid: i64, used_today: i64) -> Option<Purse> {
        Some(Purse {
            budget: Budget::new(Micros::new(limit)),
            bid: Micros::new(bid),
            used_today: Micros::new(used_today),
        })
    }

    fn chosen(candidates: &[Candidate], shown: &[MerchantId]) -> Option<String> {
        choose(candidates, moment(), (shown, |_: &str, _: &Cap| 1), 7)
            .map(|one| one.line.to_string())
    }

    #[test]
    fn what_does_not_fit_is_not_shown() {
        let fine = candidate("a", "m1");
        assert_eq!(
            chosen(std::slice::from_ref(&fine), &[]),
            Some("a".to_owned())
        );
        assert_eq!(
            chosen(
                std::slice::from_ref(&fine),
                std::slice::from_ref(&fine.merchant)
            ),
            None
        );
        let cap = Cap {
            scope: CapScope::Line,
            window: Window::Day,
            views: 1,
        };
        for misfit in [
            Candidate {
                caps: vec![cap],
                ..fine.clone()
            },
            Candidate {
                targeting: Targeting {
                    kinds: vec![ActorKind::Staff],
                    ..Targeting::default()
                },
                ..fine.clone()
            },
            Candidate {
                targeting: Targeting {
                    minutes: Some((0, 600)),
                    ..Targeting::default()
                },
                ..fine.clone()
            },
            Candidate {
                purse: purse(99, 100, 0),
                ..fine.clone()
            },
            Candidate {
                subject: Subject::Alcohol,
                review_class: ReviewClass::Family,
                ..fine.clone()
            },
            // Three days are left: a third of it today, and today is not that far.
            Candidate {
                purse: purse(2_880, 10, 1_000),
                pacing: Pacing::Even,
                ..fine.clone()
            },
        ] {
            assert_eq!(chosen(&[misfit], &[]), None);
        }
        let paced = Candidate {
            purse: purse(2_880, 10, 0),
            pacing: Pacing::Even,
            ..fine
        };
        assert!(chosen(&[paced], &[]).is_some());
    }

    proptest! {
        #[test]
        fn everybody_has_their_part_of_the_rotation(weights in prop::collection::vec(1_i64..10, 1..6)) {
            let candidates: Vec<Candidate> = weights
                .iter()
                .enumerate()
                .map(|(index, weight)| Candidate { weight: *weight, ..candidate(&format!("l{index}"), &format!("m{index}")) })
                .collect();
            let whole: i64 = weights.iter().sum();
            let mut counts = vec![0; weights.len()];
            for draw in 0..u64::try_from(whole).unwrap() {
                let one = choose(&candidates, moment(), (&[], |_: &str, _: &Cap| 0), draw).unwrap();
                counts[one.line.as_str()[1..].parse::<usize>().unwrap()] += 1;
            }
            prop_assert_eq!(counts, weights);
        }
    }
}
