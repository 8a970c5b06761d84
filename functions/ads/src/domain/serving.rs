//! What is shown in a placement: of the lines in flight that fit the viewer, one, by their parts of the rotation.

use std::collections::BTreeMap;

use advertising::{Cap, Micros, Subject as Counted, allowed, even_share_bps, passes};
use chrono::NaiveDate;
use kernel::{AdLineId, CreativeId, MerchantId, PlacementId};

use super::creative::Subject;
use super::day::count;
use super::placement::{Pricing, ReviewClass};
use super::wish::{Pacing, Targeting, Viewer};

/// What a line may still spend at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purse {
    /// What is neither spent nor promised.
    pub left: Micros,
    /// What was used today, spent and reserved.
    pub used_today: Micros,
}

/// A creative of a line in flight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
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
    /// What is paid for.
    pub pricing: Pricing,
    /// What one offer promises; none where days are paid for.
    pub bid: Option<Micros>,
    /// What it is about.
    pub subject: Subject,
    /// What may be shown there.
    pub review_class: ReviewClass,
}

/// When, where and to whom something is shown.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// Where.
    pub placement: &'a PlacementId,
    /// Who looks.
    pub viewer: Viewer<'a>,
    /// The day.
    pub today: NaiveDate,
    /// What lines may still spend: of each that is spread over the day, and of each that bears no offer any more. A
    /// line that is shown as fast as it goes and is not here bears one.
    pub purses: &'a BTreeMap<AdLineId, Purse>,
}

impl Candidate {
    /// Under which names its views are counted.
    #[must_use]
    pub fn counted<'a>(&'a self, placement: &'a PlacementId) -> Counted<'a> {
        Counted {
            creative: self.creative.as_str(),
            line: self.line.as_str(),
            advertiser: self.merchant.as_str(),
            placement: placement.as_str(),
        }
    }

    /// Whether it may be shown: to that viewer, within its caps and its budget, and not ahead of its pace.
    fn fits(&self, moment: Moment<'_>, seen: &impl Fn(&str, &Cap) -> i64, draw: u64) -> bool {
        let is_fit = self.review_class == ReviewClass::General || self.subject == Subject::General;
        let counted = self.counted(moment.placement);
        is_fit
            && self.targeting.meets(moment.viewer)
            && allowed(&self.caps, |cap| seen(&counted.named(cap.scope), cap))
            && self.bid.is_none_or(|bid| self.affords(bid, moment, draw))
    }

    fn affords(&self, bid: Micros, moment: Moment<'_>, draw: u64) -> bool {
        let Some(purse) = moment.purses.get(&self.line) else {
            return self.pacing == Pacing::Asap;
        };
        if bid > purse.left {
            return false;
        }
        if self.pacing == Pacing::Asap {
            return true;
        }
        // What is left, with what today has used already, over the days that are left, today included.
        let left = purse.left.plus(purse.used_today).unwrap_or(Micros::ZERO);
        let days = count(moment.today, self.ends_on).max(1);
        let daily = Micros::new((left.get() / days).max(bid.get()));
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
            line: AdLineId::parse(line).unwrap(),
            creative: CreativeId::parse("c").unwrap(),
            merchant: MerchantId::parse(merchant).unwrap(),
            weight: 1,
            caps: vec![],
            targeting: Targeting::default(),
            pacing: Pacing::Asap,
            ends_on: "2026-11-05".parse().unwrap(),
            pricing: Pricing::Day,
            bid: None,
            subject: Subject::General,
            review_class: ReviewClass::General,
        }
    }

    /// What [`chosen`] knows of: what a line has left, and what it used today.
    type Purses = BTreeMap<AdLineId, Purse>;

    fn purses(left: i64, used_today: i64) -> Purses {
        let purse = Purse {
            left: Micros::new(left),
            used_today: Micros::new(used_today),
        };
        BTreeMap::from([(AdLineId::parse("a").unwrap(), purse)])
    }

    fn priced(bid: i64, pacing: Pacing) -> Candidate {
        Candidate {
            pricing: Pricing::Cpm,
            bid: Some(Micros::new(bid)),
            pacing,
            ..candidate("a", "m1")
        }
    }

    fn drawn(
        candidates: &[Candidate],
        (shown, purses): (&[MerchantId], &Purses),
        draw: u64,
    ) -> Option<String> {
        let placement = PlacementId::parse("home").unwrap();
        let moment = Moment {
            placement: &placement,
            viewer: Viewer {
                kind: ActorKind::Resident,
                communities: &[],
                minute: 600,
            },
            today: "2026-11-02".parse().unwrap(),
            purses,
        };
        choose(candidates, moment, (shown, |_: &str, _: &Cap| 1), draw)
            .map(|one| one.line.to_string())
    }

    fn chosen(candidates: &[Candidate], shown: &[MerchantId]) -> Option<String> {
        drawn(candidates, (shown, &Purses::new()), 7)
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
                subject: Subject::Alcohol,
                review_class: ReviewClass::Family,
                ..fine.clone()
            },
        ] {
            assert_eq!(chosen(&[misfit], &[]), None);
        }
    }

    #[test]
    fn what_a_budget_does_not_bear_or_what_is_ahead_of_its_pace_is_not_shown() {
        let shown =
            |candidate: Candidate, purses: &Purses| drawn(&[candidate], (&[], purses), 7).is_some();
        assert!(shown(priced(100, Pacing::Asap), &Purses::new()));
        assert!(shown(priced(100, Pacing::Asap), &purses(100, 0)));
        assert!(!shown(priced(100, Pacing::Asap), &purses(99, 0)));
        // Three days are left: a third of it today, and today is not that far.
        assert!(shown(priced(10, Pacing::Even), &purses(2_880, 0)));
        assert!(!shown(priced(10, Pacing::Even), &purses(2_880, 1_000)));
        // One of which nothing is known has no budget.
        assert!(!shown(priced(10, Pacing::Even), &Purses::new()));
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
                let one = drawn(&candidates, (&[], &Purses::new()), draw).unwrap();
                counts[one[1..].parse::<usize>().unwrap()] += 1;
            }
            prop_assert_eq!(counts, weights);
        }
    }
}
