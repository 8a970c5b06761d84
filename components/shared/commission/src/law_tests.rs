//! What holds of every line and of every sequence of refunds.

use proptest::prelude::*;

use crate::story_tests::{line, rule};
use crate::*;

proptest! {
    #[test]
    fn however_a_line_is_refunded_its_commission_goes_back_exactly(
        parts in prop::collection::vec(0_i64..1_000_000, 1..12),
        rate_bps in 0_u32..=10_000,
    ) {
        let base: i64 = parts.iter().sum();
        let amount = percent(base, rate_bps).unwrap();
        let (mut refunded_before, mut returned_before) = (0, 0);
        for refunded in parts {
            let refund = Refund { base, amount, refunded_before, returned_before, refunded };
            let returned = give_back(&[refund]).unwrap().pop().unwrap().unwrap();
            prop_assert!((0..=amount).contains(&returned));
            refunded_before += refunded;
            returned_before += returned;
        }
        prop_assert_eq!(returned_before, if base == 0 { 0 } else { amount });
    }

    #[test]
    fn a_commission_is_within_half_a_unit_of_its_share_and_never_above_its_base(
        paid in 0_i64..1_000_000_000_000,
        rate_bps in 0_u32..=10_000,
    ) {
        let charged = charge(&[rule("all", rate_bps)], &[line(paid)]).unwrap().pop().unwrap().unwrap();
        let off = i128::from(charged.amount) * 10_000 - i128::from(paid) * i128::from(rate_bps);
        prop_assert!(off.abs() <= 5_000 && charged.amount <= charged.base);
    }

    #[test]
    fn the_order_of_rules_does_not_matter(seed in prop::collection::vec(0_u32..10_000, 1..6), turn in 0_usize..6) {
        let categories = ["apples", "fruit", "food", "tools", "toys", "tea"];
        let mut rules: Vec<Rule> = seed.iter().zip(categories).map(|(rate, category)| Rule {
            category: Some(category.to_owned()),
            ..rule(category, *rate)
        }).collect();
        let first = charge(&rules, &[line(12_345)]).unwrap();
        let middle = turn % rules.len();
        rules.rotate_left(middle);
        prop_assert_eq!(charge(&rules, &[line(12_345)]).unwrap(), first);
    }
}
