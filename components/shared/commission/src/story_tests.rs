//! The examples that the formula was agreed by.

use crate::*;

pub(crate) fn rule(id: &str, rate_bps: u32) -> Rule {
    Rule {
        id: id.to_owned(),
        version: 1,
        merchant: None,
        category: None,
        kind: None,
        rate_bps,
        includes_freight: false,
        begins: 0,
        ends: None,
    }
}

pub(crate) fn line(paid: i64) -> Line {
    Line {
        merchant: "lin".to_owned(),
        categories: vec!["apples".to_owned(), "fruit".to_owned(), "food".to_owned()],
        kind: SaleKind::Goods,
        paid,
        subsidy: 0,
        freight: 0,
        paid_at: 1_000,
    }
}

fn one(rules: &[Rule], line: Line) -> Charge {
    let mut charged = charge(rules, &[line]).unwrap();
    charged.pop().unwrap().unwrap()
}

fn check_chosen(rules: &[Rule], expected: Option<&str>) {
    let chosen = one(rules, line(100)).chosen.map(|chosen| chosen.rule);
    assert_eq!(chosen.as_deref(), expected);
}

#[test]
fn a_commission_is_rounded_once_and_half_up() {
    assert_eq!(one(&[rule("all", 1_500)], line(13_070)).amount, 1_961);
    assert_eq!(percent(13_070, 1_500), Ok(1_961));
    assert_eq!(percent(1, 4_999), Ok(0));
    assert_eq!(percent(1, 5_000), Ok(1));
    assert_eq!(percent(i64::MAX, 10_000), Ok(i64::MAX));
}

#[test]
fn the_base_is_what_was_paid_and_the_subsidy_and_freight_only_when_agreed() {
    let sold = Line {
        subsidy: 500,
        freight: 300,
        ..line(9_500)
    };
    let without = one(&[rule("all", 500)], sold.clone());
    assert_eq!((without.base, without.amount), (10_000, 500));
    let including = Rule {
        includes_freight: true,
        ..rule("all", 500)
    };
    let with = one(&[including], sold);
    assert_eq!((with.base, with.amount), (10_300, 515));
}

#[test]
fn the_most_particular_rule_that_holds_counts() {
    let all = rule("all", 100);
    let kind = Rule {
        kind: Some(SaleKind::Goods),
        ..rule("kind", 200)
    };
    let food = Rule {
        category: Some("food".to_owned()),
        ..rule("food", 300)
    };
    let apples = Rule {
        category: Some("apples".to_owned()),
        ..rule("apples", 400)
    };
    let merchant = Rule {
        merchant: Some("lin".to_owned()),
        ..rule("merchant", 500)
    };
    let both = Rule {
        category: Some("fruit".to_owned()),
        merchant: Some("lin".to_owned()),
        ..rule("both", 600)
    };
    let other = Rule {
        merchant: Some("chen".to_owned()),
        ..rule("other", 700)
    };
    let mut rules = vec![other];
    check_chosen(&rules, None);
    for rule in [all, kind, food, apples, merchant, both] {
        let id = rule.id.clone();
        rules.push(rule);
        check_chosen(&rules, Some(&id));
    }
}

#[test]
fn a_rule_holds_from_its_first_moment_until_its_last_excluded() {
    let dated = |begins, ends| Rule {
        begins,
        ends,
        ..rule("dated", 100)
    };
    check_chosen(&[dated(1_000, None)], Some("dated"));
    check_chosen(&[dated(1_001, None)], None);
    check_chosen(&[dated(0, Some(1_001))], Some("dated"));
    check_chosen(&[dated(0, Some(1_000))], None);
}

#[test]
fn without_a_rule_there_is_a_base_and_no_commission() {
    let free = one(&[], line(10_000));
    assert_eq!(
        (free.chosen, free.rate_bps, free.base, free.amount),
        (None, 0, 10_000, 0)
    );
}

#[test]
fn rules_that_contradict_each_other_are_refused_by_name() {
    let problem = check(&[rule("first", 100), rule("second", 200)]).unwrap_err();
    assert_eq!(problem.code, "rules_overlap");
    assert!(problem.english.contains("first") && problem.chinese.contains("second"));
    let ended = Rule {
        ends: Some(500),
        ..rule("first", 100)
    };
    let after = Rule {
        begins: 500,
        ..rule("second", 200)
    };
    assert_eq!(check(&[ended, after]), Ok(()));
    assert_eq!(check(&[rule("all", 10_001)]).unwrap_err().code, "bad_rate");
    let withdrawn = Rule {
        begins: 500,
        ends: Some(500),
        ..rule("withdrawn", 300)
    };
    assert_eq!(check(&[withdrawn, rule("first", 100)]), Ok(()));
    let backwards = Rule {
        ends: Some(-1),
        ..rule("all", 1)
    };
    assert_eq!(check(&[backwards]).unwrap_err().code, "bad_time");
}

#[test]
fn three_single_refunds_of_three_units_give_333_334_333() {
    let refund = |refunded_before, returned_before| Refund {
        base: 10_000 * 3,
        amount: 1_000,
        refunded_before,
        returned_before,
        refunded: 10_000,
    };
    let given = give_back(&[refund(0, 0), refund(10_000, 333), refund(20_000, 667)]).unwrap();
    assert_eq!(given, [Ok(333), Ok(334), Ok(333)]);
}

#[test]
fn a_refund_above_the_rest_is_refused() {
    let refund = Refund {
        base: 100,
        amount: 10,
        refunded_before: 60,
        returned_before: 6,
        refunded: 41,
    };
    let code = |refund: Refund| {
        let mut given = give_back(&[refund]).unwrap();
        given.pop().unwrap().unwrap_err().code
    };
    assert_eq!(code(refund), "refund_too_large");
    let negative = Refund {
        refunded: -1,
        ..refund
    };
    assert_eq!(code(negative), "bad_refund");
    let inconsistent = Refund {
        returned_before: 11,
        refunded: 40,
        ..refund
    };
    assert_eq!(code(inconsistent), "returned_too_much");
}

#[test]
fn an_amount_below_zero_is_refused_and_its_neighbours_are_charged() {
    let charged = charge(&[rule("all", 100)], &[line(-1), line(100)]).unwrap();
    assert_eq!(charged[0].as_ref().unwrap_err().code, "negative_amount");
    assert_eq!(charged[1].as_ref().unwrap().amount, 1);
}
