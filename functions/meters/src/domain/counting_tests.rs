//! What readings are worth: the stories by example, the laws by property.

use kernel::{ReadingId, Timestamp};
use proptest::prelude::*;

use super::counting::*;
use super::*;

const HOUR_MS: i64 = 60 * 60 * 1_000;
const START_MS: i64 = 1_800_000_000_000;
const BASIS: Basis = Basis {
    limit_milli_per_hour: 13_200,
    p99_milli_per_hour: 0,
    interval_ms: HOUR_MS,
};
const REGISTER: Register = Register {
    seq: 1,
    digits: 5,
    multiplier: 1,
};

fn at(hours: i64) -> Timestamp {
    Timestamp::from_millis(START_MS + hours * HOUR_MS).unwrap()
}

fn item(hours: i64, register_milli: i64, kind: ItemKind) -> Item {
    // A register may open at what the one before it closed at: two readings of one hour.
    let what = match kind {
        ItemKind::Opening(_) => "opening",
        _ => "reading",
    };
    Item {
        at: at(hours),
        id: ReadingId::parse(&format!("{what}-{hours}-{register_milli}")).unwrap(),
        register_milli,
        bands: None,
        kind,
    }
}

fn opened(register_milli: i64) -> Count {
    let opening = item(0, register_milli, ItemKind::Opening(1));
    match judge(None, &opening, &[REGISTER], &BASIS) {
        Verdict::Counted(count) => count,
        other => panic!("{other:?}"),
    }
}

fn check(opening_milli: i64, hours: i64, register_milli: i64) -> Result<i64, HoldReason> {
    let read = item(hours, register_milli, ItemKind::Read);
    match judge(Some(&opened(opening_milli)), &read, &[REGISTER], &BASIS) {
        Verdict::Counted(count) => Ok(count.total_milli),
        Verdict::Held(reason) => Err(reason),
        Verdict::Rejected => panic!("nobody rejected it"),
    }
}

#[test]
fn a_step_forwards_counts() {
    assert_eq!(check(1_000, 1, 3_500), Ok(2_500));
    assert_eq!(check(1_000, 1, 1_000), Ok(0));
}

#[test]
fn a_rollover_counts_when_it_is_plausible() {
    assert_eq!(check(99_999_000, 1, 1_500), Ok(2_500));
    // Half an hour past the plausible: the register went back.
    assert_eq!(check(99_900_000, 1, 1_500), Err(HoldReason::Backwards));
}

#[test]
fn a_step_back_is_held_and_never_becomes_the_base() {
    let (after, judged) = count(
        Some(opened(50_000)),
        vec![
            item(1, 49_000, ItemKind::Read),
            item(2, 49_500, ItemKind::Read),
            item(3, 51_000, ItemKind::Read),
        ],
        &[REGISTER],
        &BASIS,
    );
    let held = judged
        .iter()
        .filter(|one| one.verdict == Verdict::Held(HoldReason::Backwards));
    assert_eq!(held.count(), 2);
    assert_eq!(after.unwrap().total_milli, 1_000);
    // Years with a breaker that would let half a turn through are still no rollover.
    assert_eq!(
        check(50_000, 24 * 365 * 9, 49_000),
        Err(HoldReason::Backwards)
    );
}

#[test]
fn a_spike_is_more_than_three_times_what_is_plausible() {
    assert_eq!(check(0, 1, 3 * 13_200), Ok(39_600));
    assert_eq!(check(0, 1, 3 * 13_200 + 1), Err(HoldReason::Spike));
    let busy = Basis {
        p99_milli_per_hour: 20_000,
        ..BASIS
    };
    assert_eq!(busy.allowed_milli(HOUR_MS), 60_000);
    // Two readings a second apart may differ by an interval's usage.
    assert_eq!(busy.allowed_milli(1_000), 60_000);
}

#[test]
fn what_a_register_cannot_show_is_held() {
    assert_eq!(check(0, 1, 100_000_000), Err(HoldReason::BeyondDigits));
    assert_eq!(check(0, 1, -1), Err(HoldReason::BeyondDigits));
    let early = item(0, 5, ItemKind::Read);
    let verdict = judge(None, &early, &[REGISTER], &BASIS);
    assert_eq!(verdict, Verdict::Held(HoldReason::BeforeOpening));
}

#[test]
fn a_replacement_closes_the_old_register_and_the_total_goes_on() {
    let new = Register {
        seq: 2,
        digits: 6,
        multiplier: 40,
    };
    let (after, judged) = count(
        Some(opened(50_000)),
        vec![
            item(3, 1_100, ItemKind::Read),
            item(2, 1_000, ItemKind::Opening(2)),
            item(2, 55_000, ItemKind::Closing),
            item(1, 52_000, ItemKind::Read),
        ],
        &[REGISTER, new],
        &BASIS,
    );
    assert!(
        judged
            .iter()
            .all(|one| matches!(one.verdict, Verdict::Counted(_)))
    );
    let after = after.unwrap();
    assert_eq!((after.total_milli, after.seq), (5_000 + 40 * 100, 2));
}

#[test]
fn what_somebody_accepted_counts_and_what_somebody_rejected_does_not() {
    let (after, _) = count(
        Some(opened(0)),
        vec![
            item(1, 90_000, ItemKind::Decided),
            item(2, 99_000, ItemKind::Rejected),
            item(3, 91_000, ItemKind::Read),
        ],
        &[REGISTER],
        &BASIS,
    );
    assert_eq!(after.unwrap().total_milli, 91_000);
}

fn watched(steps: impl IntoIterator<Item = i64>) -> Count {
    let mut register = 0;
    let items = (1..).zip(steps).map(|(hour, step)| {
        register += step;
        item(hour, register, ItemKind::Read)
    });
    let (after, judged) = count(Some(opened(0)), items.collect(), &[REGISTER], &BASIS);
    assert!(
        judged
            .iter()
            .all(|one| matches!(one.verdict, Verdict::Counted(_)))
    );
    after.unwrap()
}

fn stands(count: &Count, commodity: kernel::Commodity, kind: AlarmKind) -> bool {
    alarms_of(count, commodity).contains(&(kind, true))
}

#[test]
fn water_that_flows_in_every_hour_of_a_day_leaks_until_an_hour_without() {
    let water = kernel::Commodity::Water;
    assert!(!stands(&watched([1; 23]), water, AlarmKind::Leak));
    assert!(stands(&watched([1; 24]), water, AlarmKind::Leak));
    assert!(!stands(
        &watched([1; 24]),
        kernel::Commodity::Electricity,
        AlarmKind::Leak
    ));
    let pause = [1; 24].into_iter().chain([0, 1]);
    assert!(!stands(&watched(pause), water, AlarmKind::Leak));
}

#[test]
fn a_meter_that_stands_still_is_stuck_after_its_days() {
    use kernel::Commodity::{Electricity, Gas, Water};
    for (commodity, hours, stuck) in [
        (Electricity, 71, false),
        (Electricity, 72, true),
        (Water, 167, false),
        (Water, 168, true),
        (Gas, 1_000, false),
    ] {
        let count = watched(std::iter::repeat_n(0, hours));
        assert_eq!(
            stands(&count, commodity, AlarmKind::Stuck),
            stuck,
            "{commodity:?} {hours}"
        );
    }
}

#[test]
fn bands_are_counted_beside_the_total() {
    let with_bands = |hours, register_milli, bands| Item {
        bands: Some(bands),
        ..item(hours, register_milli, ItemKind::Read)
    };
    let (after, _) = count(
        Some(opened(0)),
        vec![
            with_bands(1, 100, [10, 20, 30, 40]),
            with_bands(2, 200, [20, 40, 60, 80]),
            item(3, 300, ItemKind::Read),
            with_bands(4, 400, [40, 80, 120, 160]),
        ],
        &[REGISTER],
        &BASIS,
    );
    assert_eq!(after.unwrap().band_totals, [30, 60, 90, 120]);
}

/// Readings as they may come: mostly forwards, some wild, a replacement among them.
fn any_items() -> impl Strategy<Value = Vec<Item>> {
    let step = prop_oneof![8 => 0_i64..40_000, 1 => -30_000_i64..0, 1 => 0_i64..200_000];
    prop::collection::vec((step, 0_u8..20), 1..40).prop_map(|steps| {
        let mut register = 10_000_i64;
        let mut items = Vec::new();
        for (hour, (step, kind)) in (1..).zip(steps) {
            register = (register + step).clamp(0, 99_999_999);
            match kind {
                0 => {
                    items.push(item(hour, register, ItemKind::Closing));
                    register = 0;
                    items.push(item(hour, register, ItemKind::Opening(2)));
                }
                1 => items.push(item(hour, register, ItemKind::Decided)),
                2 => items.push(item(hour, register, ItemKind::Rejected)),
                _ => items.push(item(hour, register, ItemKind::Read)),
            }
        }
        items
    })
}

fn registers() -> [Register; 2] {
    [REGISTER, Register { seq: 2, ..REGISTER }]
}

#[test]
fn a_register_may_open_at_what_the_one_before_it_closed_at() {
    let items = vec![
        item(1, 0, ItemKind::Closing),
        item(1, 0, ItemKind::Opening(2)),
        item(2, 500, ItemKind::Read),
    ];
    let (after, judged) = count(Some(opened(0)), items, &registers(), &BASIS);
    assert_eq!(judged.len(), 3);
    let after = after.unwrap();
    assert_eq!((after.seq, after.total_milli), (2, 500));
}

proptest! {
    #[test]
    fn any_order_and_every_repetition_gives_the_same_count(
        (items, shuffled) in any_items().prop_flat_map(|items| {
            let twice: Vec<Item> = items.iter().chain(&items).cloned().collect();
            (Just(items), Just(twice).prop_shuffle())
        })
    ) {
        let once = count(Some(opened(10_000)), items, &registers(), &BASIS);
        let again = count(Some(opened(10_000)), shuffled, &registers(), &BASIS);
        prop_assert_eq!(once, again);
    }

    #[test]
    fn counting_in_two_parts_is_counting_in_one(items in any_items(), cut in 0_usize..40) {
        let mut sorted = items;
        sorted.sort_by(|left, right| left.order().cmp(&right.order()));
        let later = sorted.split_off(cut.min(sorted.len()));
        let whole: Vec<Item> = sorted.iter().chain(&later).cloned().collect();
        let (between, mut first) = count(Some(opened(10_000)), sorted, &registers(), &BASIS);
        let (after, second) = count(between, later, &registers(), &BASIS);
        first.extend(second);
        let (at_once, judged) = count(Some(opened(10_000)), whole, &registers(), &BASIS);
        prop_assert_eq!(after, at_once);
        prop_assert_eq!(first, judged);
    }

    #[test]
    fn a_total_never_goes_back(items in any_items()) {
        let (_, judged) = count(Some(opened(10_000)), items, &registers(), &BASIS);
        let mut total = 0;
        for one in judged {
            if let Verdict::Counted(count) = one.verdict {
                prop_assert!(count.total_milli >= total);
                total = count.total_milli;
            }
        }
    }

    #[test]
    fn any_register_is_judged(register_milli in any::<i64>(), hours in -10_i64..10_000, opening in 0_i64..99_999_999) {
        let read = item(hours, register_milli, ItemKind::Read);
        let _ = judge(Some(&opened(opening)), &read, &[REGISTER], &BASIS);
    }
}
