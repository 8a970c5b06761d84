//! What holds of every schedule and every line.

use proptest::prelude::*;

use crate::beijing_tests::{day, october, one, schedule};
use crate::*;

fn tiers() -> impl Strategy<Value = Vec<Tier>> {
    prop::collection::vec((1_i64..500_000, 0_i64..100_000), 1..6).prop_map(|steps| {
        let last = steps.len() - 1;
        let (mut above, mut price) = (0, 0);
        let mut tiers = Vec::new();
        for (index, (width, dearer)) in steps.into_iter().enumerate() {
            price += dearer;
            tiers.push(Tier {
                above_milli: above,
                up_to_milli: (index < last).then_some(above + width),
                price,
            });
            above += width;
        }
        tiers
    })
}

fn exact(schedule: &Schedule, line: Line) -> i64 {
    one(schedule, line).unwrap().exact
}

proptest! {
    #[test]
    fn using_in_steps_costs_exactly_what_using_at_once_costs(
        tiers in tiers(),
        months in prop::collection::vec(0_i64..200_000, 1..12),
    ) {
        let schedule = schedule(Cycle::Year(1, 1), Prices::Tiered(tiers));
        let (mut used, mut total) = (0, 0);
        for quantity_milli in &months {
            let line = Line { quantity_milli: *quantity_milli, used_milli: used, ..october(0) };
            total += exact(&schedule, line);
            used += quantity_milli;
        }
        let at_once = Line { quantity_milli: used, ..october(0) };
        prop_assert_eq!(exact(&schedule, at_once), total);
    }

    #[test]
    fn cutting_a_line_where_its_days_cut_it_costs_the_same_to_the_last_digit(
        tiers in tiers(),
        quantity_milli in 0_i64..2_000_000,
        cut in 1_i32..31,
    ) {
        let whole = schedule(Cycle::Year(1, 1), Prices::Tiered(tiers));
        let mut parted = whole.clone();
        let at = day("2026-10-01") + cut;
        parted.periods[0].until = Some(at);
        parted.periods.push(PricePeriod { first: at, until: None, prices: whole.periods[0].prices.clone() });
        let line = Line { quantity_milli, ..october(0) };
        prop_assert_eq!(exact(&whole, line.clone()), exact(&parted, line));
    }

    #[test]
    fn more_usage_never_costs_less(tiers in tiers(), less in 0_i64..2_000_000, more in 0_i64..2_000_000) {
        let schedule = schedule(Cycle::Month(1), Prices::Tiered(tiers));
        let line = |quantity_milli| Line { quantity_milli, ..october(0) };
        let (less, more) = (less.min(more), less.max(more));
        prop_assert!(exact(&schedule, line(less)) <= exact(&schedule, line(more)));
    }

    #[test]
    fn the_parts_sum_to_the_usage_and_to_the_amount(
        tiers in tiers(),
        quantity_milli in 0_i64..5_000_000,
        used_milli in 0_i64..1_000_000,
        persons in 0_u32..12,
        days in 1_i32..800,
        moved_in in -400_i32..400,
    ) {
        let mut schedule = schedule(Cycle::Month(15), Prices::Tiered(tiers));
        schedule.uplift = Some(Uplift { above_persons: 4, per_person_milli: 40_000 });
        schedule.prorate_move_in = true;
        let first = day("2026-10-01");
        let line = Line {
            quantity_milli, used_milli, persons,
            until: first + days,
            moved_in: Some(first + moved_in),
            ..october(0)
        };
        let charge = one(&schedule, line).unwrap();
        prop_assert_eq!(charge.parts.iter().map(|part| part.quantity_milli).sum::<i64>(), quantity_milli);
        let sum: i64 = charge.parts.iter().map(|part| part.price * part.quantity_milli).sum();
        prop_assert_eq!(charge.exact, sum);
        prop_assert!((charge.amount_fen * 100_000 - charge.exact).abs() <= 50_000);
    }

    #[test]
    fn no_numbers_make_it_panic(
        first in any::<i32>(), until in any::<i32>(), moved_in in any::<i32>(),
        quantity_milli in any::<i64>(), used_milli in any::<i64>(), price in any::<i64>(), persons in any::<u32>(),
        bound in any::<i64>(), lift in any::<i64>(),
    ) {
        let tiers = vec![
            Tier { above_milli: 0, up_to_milli: Some(bound), price },
            Tier { above_milli: bound, up_to_milli: None, price },
        ];
        let mut schedule = schedule(Cycle::Year(2, 28), Prices::Tiered(tiers));
        schedule.uplift = Some(Uplift { above_persons: 1, per_person_milli: lift });
        schedule.prorate_move_in = true;
        schedule.periods[0].first = i32::MIN;
        let line = Line { first, until, quantity_milli, bands: vec![], used_milli, persons, moved_in: Some(moved_in) };
        let _ = rate(Kinds::All, &schedule, &[line]);
    }
}
