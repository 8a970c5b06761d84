//! Every kind of mistake, and what midnight carries over.

use super::*;

const DAY_END_MS: i64 = 1_800_000_000_000;
const RATE: Rate = Rate(60);

fn at(before_end_ms: i64) -> Timestamp {
    Timestamp::from_millis(DAY_END_MS - before_end_ms).unwrap()
}

fn entry(number: &str, amount: i64, before_end_ms: i64) -> Entry {
    Entry {
        number: number.to_owned(),
        movement: Movement::Payment,
        amount,
        at: at(before_end_ms),
    }
}

fn bill(number: &str, amount: i64, before_end_ms: i64) -> Bill {
    Bill {
        entry: entry(number, amount, before_end_ms),
        status: BillStatus::Done,
        fee: RATE.fee(amount).unwrap(),
        carried: false,
    }
}

fn booked(number: &str, amount: i64, before_end_ms: i64) -> Booked {
    Booked {
        entry: entry(number, amount, before_end_ms),
        done: true,
        expected: true,
        carried: false,
    }
}

const NOON: i64 = 12 * 60 * 60 * 1_000;
const LATE: i64 = 60_000;

fn kinds(bills: Vec<Bill>, books: Vec<Booked>) -> Vec<MistakeKind> {
    let compared = compare(bills, books, RATE, at(0)).unwrap();
    compared
        .mistakes
        .iter()
        .map(|mistake| mistake.kind)
        .collect()
}

#[test]
fn what_agrees_is_no_mistake() {
    let compared = compare(
        vec![bill("a", 10_000, NOON)],
        vec![booked("a", 10_000, NOON)],
        RATE,
        at(0),
    )
    .unwrap();
    assert_eq!((compared.matched, compared.mistakes.len()), (1, 0));
}

#[test]
fn each_of_the_seven_mistakes_has_its_name() {
    use MistakeKind as Kind;
    let unpaid = |number| Booked {
        done: false,
        expected: false,
        ..booked(number, 100, NOON)
    };
    let undone = |number| Bill {
        status: BillStatus::Undone,
        ..bill(number, 100, NOON)
    };
    assert_eq!(
        kinds(vec![], vec![booked("a", 100, NOON)]),
        [Kind::MissingAtChannel]
    );
    assert_eq!(
        kinds(vec![bill("a", 100, NOON)], vec![]),
        [Kind::MissingHere]
    );
    assert_eq!(
        kinds(vec![bill("a", 100, NOON)], vec![unpaid("a")]),
        [Kind::StatusShort]
    );
    assert_eq!(
        kinds(vec![undone("a")], vec![booked("a", 100, NOON)]),
        [Kind::StatusOver]
    );
    assert_eq!(
        kinds(vec![bill("a", 101, NOON)], vec![booked("a", 100, NOON)]),
        [Kind::AmountShort]
    );
    assert_eq!(
        kinds(vec![bill("a", 99, NOON)], vec![booked("a", 100, NOON)]),
        [Kind::AmountOver]
    );
    let dear = Bill {
        fee: 2,
        ..bill("a", 100, NOON)
    };
    assert_eq!(
        kinds(vec![dear], vec![booked("a", 100, NOON)]),
        [Kind::FeeMismatch]
    );
    assert_eq!(kinds(vec![undone("a")], vec![unpaid("a")]), []);
}

#[test]
fn what_happened_just_before_midnight_waits_for_the_next_day_once() {
    let compared = compare(
        vec![bill("a", 100, LATE)],
        vec![booked("b", 100, LATE)],
        RATE,
        at(0),
    )
    .unwrap();
    assert_eq!(compared.mistakes, []);
    assert_eq!(
        (compared.carried_bills.len(), compared.carried_books.len()),
        (1, 1)
    );
    let left_over = Bill {
        carried: true,
        ..bill("a", 100, LATE)
    };
    let ours = Booked {
        carried: true,
        ..booked("b", 100, LATE)
    };
    let next_day = Timestamp::from_millis(DAY_END_MS + 86_400_000).unwrap();
    let next = compare(
        vec![left_over.clone(), bill("b", 100, -LATE)],
        vec![ours, booked("a", 100, -LATE)],
        RATE,
        next_day,
    )
    .unwrap();
    assert_eq!((next.matched, next.mistakes.len()), (2, 0));
    assert_eq!(kinds(vec![left_over], vec![]), [MistakeKind::MissingHere]);
}

#[test]
fn a_refund_gives_its_charge_back() {
    let refund = |fee| {
        let mut line = bill("r", 10_000, NOON);
        line.entry.movement = Movement::Refund;
        Bill { fee, ..line }
    };
    let mut ours = booked("r", 10_000, NOON);
    ours.entry.movement = Movement::Refund;
    assert_eq!(kinds(vec![refund(-60)], vec![ours.clone()]), []);
    assert_eq!(
        kinds(vec![refund(60)], vec![ours]),
        [MistakeKind::FeeMismatch]
    );
}
