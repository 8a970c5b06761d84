//! The channel's bill of a day against the books.

use serde_json::{Value, json};
use store::Value as Cell;

use crate::support::{AUDITOR, DAY_MS, WANG, World, on_each_engine};

/// The next day, after ten.
const NEXT_DAY_MS: i64 = DAY_MS;

async fn run(world: &World) -> serde_json::Value {
    let ask = json!({"channel": "simulated", "day": "2027-01-15"});
    world
        .post("/api/reconciliations")
        .by(WANG)
        .json(&ask)
        .content()
        .await
}

async fn mistakes(world: &World) -> Vec<String> {
    let day = world
        .get("/api/reconciliations/simulated/2027-01-15")
        .by(AUDITOR)
        .content()
        .await;
    let items = day["items"].as_array().unwrap();
    items
        .iter()
        .map(|mistake| mistake["kind"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_day_without_mistakes_matches_payments_and_refunds() {
    on_each_engine(async |mut world| {
        world.paid("p1", 1_000).await;
        world.paid("p2", 2_000).await;
        world.asked_back("r1", "p1", 1_000).await;
        world.tick().await;
        world.pass_ms(10_000);
        world.tick().await;
        world.pass_ms(NEXT_DAY_MS);
        assert_eq!(world.tick().await["reconciled"], 1);
        assert_eq!(world.tick().await["reconciled"], 0);
        let again = run(&world).await;
        assert_eq!(
            (&again["run"], &again["matched"], &again["mistakes"]),
            (&json!(2), &json!(3), &json!(0))
        );
        assert_eq!(world.facts("reconciliation.completed").await.len(), 2);
        let list = world
            .get("/api/reconciliations")
            .by(AUDITOR)
            .content()
            .await;
        assert_eq!(list["items"][0]["id"], "2027-01-15/simulated");
    })
    .await;
}

#[tokio::test]
async fn today_is_matched_as_far_as_it_has_come_and_again_when_it_is_over() {
    on_each_engine(async |mut world| {
        let ask = json!({"channel": "simulated", "day": "2027-01-16"});
        world
            .post("/api/reconciliations")
            .by(WANG)
            .json(&ask)
            .refused(422, "day_not_over")
            .await;
        world.paid("p1", 1_000).await;
        let early = run(&world).await;
        assert_eq!(
            (&early["matched"], &early["mistakes"]),
            (&json!(1), &json!(0))
        );
        world.paid("p2", 2_000).await;
        world.pass_ms(NEXT_DAY_MS);
        assert_eq!(world.tick().await["reconciled"], 1);
        assert_eq!(world.tick().await["reconciled"], 0);
        let day = world
            .get("/api/reconciliations/simulated/2027-01-15")
            .by(AUDITOR)
            .content()
            .await;
        assert_eq!(
            (&day["run"], &day["matched"], &day["mistakes"]),
            (&json!(2), &json!(2), &json!(0))
        );
    })
    .await;
}

#[tokio::test]
async fn what_the_channel_has_otherwise_is_listed_by_its_kind() {
    on_each_engine(async |mut world| {
        for payment in ["p1", "p2", "p3", "p4", "p5", "p6"] {
            world.paid(payment, 10_000).await;
        }
        world.asked("p7", 10_000).await;
        world.started("p7").await;
        let number = async |payment: &str| {
            let shown = world.payment(payment).await;
            shown["attempts"][0]["number"].as_str().unwrap().to_owned()
        };
        let change = async |sql: &str, payment: &str| {
            let number = number(payment).await;
            world.context.db.rows(sql, &[Cell::from(number.as_str())]).await.unwrap();
        };
        // The other side's own books are changed, as if it had erred.
        change("delete from payments_simulated_order where number = $1", "p1").await;
        change("update payments_simulated_order set amount = amount + 1 where number = $1", "p2").await;
        change("update payments_simulated_order set amount = amount - 1 where number = $1", "p3").await;
        change("update payments_simulated_order set fee = fee + 1 where number = $1", "p4").await;
        change("update payments_simulated_order set number = 'unknown' where number = $1", "p5").await;
        change("update payments_simulated_order set paid_at = 1800000000000, state = 'SUCCESS' where number = $1", "p7").await;
        world.pass_ms(NEXT_DAY_MS);
        let outcome = run(&world).await;
        assert_eq!((&outcome["matched"], &outcome["mistakes"]), (&json!(1), &json!(7)), "{outcome}");
        let mut kinds = mistakes(&world).await;
        kinds.sort();
        let expected = [
            "amount_over",
            "amount_short",
            "fee_mismatch",
            "missing_at_channel",
            "missing_at_channel",
            "missing_here",
            "status_short",
        ];
        assert_eq!(kinds, expected);
    })
    .await;
}

/// What a listed mistake leaves in the clearing account: what we booked less what the channel pays for it.
fn left_by(mistake: &Value) -> i64 {
    let minor = |side: &str| mistake[side].as_i64().unwrap_or_default();
    let (ours, theirs) = (minor("ours_minor"), minor("theirs_minor"));
    let sign = if mistake["movement"] == "refund" {
        -1
    } else {
        1
    };
    match mistake["kind"].as_str().unwrap() {
        "missing_at_channel" | "status_over" => sign * ours,
        "missing_here" | "status_short" => -sign * theirs,
        "amount_short" | "amount_over" => sign * (ours - theirs),
        "fee_mismatch" => theirs - ours,
        other => panic!("{other}"),
    }
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// A day of payments: some are partly merchants', one goes back, and the channel errs about some.
async fn day(world: &mut World, dice: &mut Dice, day: usize) -> i64 {
    let mut unearned = 0;
    for payment in 0..4 {
        let name = format!("d{day}p{payment}");
        let amount = i64::try_from(dice.below(100_000)).unwrap() + 1;
        let direct = if dice.below(3) == 0 { amount / 2 } else { 0 };
        world.asked_direct(&name, amount, direct).await;
        world.started(&name).await;
        world.pays(&name).await;
        unearned += direct;
        if payment == 3 {
            world
                .asked_back_direct((&format!("r{name}"), &name), amount, direct)
                .await;
            world.tick().await;
            world.pass_ms(10_000);
            world.tick().await;
            unearned -= direct;
            continue;
        }
        let error = match dice.below(6) {
            0 => "delete from payments_simulated_order where number = $1",
            1 => "update payments_simulated_order set amount = amount + 7 where number = $1",
            2 => "update payments_simulated_order set fee = fee + 3 where number = $1",
            3 => "update payments_simulated_order set number = number || 'x' where number = $1",
            _ => continue,
        };
        if direct > 0 {
            continue;
        }
        let shown = world.payment(&name).await;
        let number = shown["attempts"][0]["number"].as_str().unwrap();
        world
            .context
            .db
            .rows(error, &[Cell::from(number)])
            .await
            .unwrap();
    }
    unearned
}

#[tokio::test]
async fn after_random_days_the_clearing_account_is_what_the_runs_list() {
    on_each_engine(async |mut world| {
        let mut dice = Dice(20_270_115);
        let (mut listed, mut unearned, mut bank, mut fees) = (0, 0, 0, 0);
        for number in 0..8 {
            unearned += day(&mut world, &mut dice, number).await;
            let date = format!("2027-01-{}", 15 + number);
            let ask = json!({"channel": "simulated", "day": date});
            // Early and again: what is settled is settled once.
            world
                .post("/api/reconciliations")
                .by(WANG)
                .json(&ask)
                .content()
                .await;
            world.pass_ms(NEXT_DAY_MS);
            let run = world
                .post("/api/reconciliations")
                .by(WANG)
                .json(&ask)
                .content()
                .await;
            bank += run["bank_minor"].as_i64().unwrap();
            fees += run["fees_minor"].as_i64().unwrap();
            let path = format!("/api/reconciliations/simulated/{date}?limit=100");
            let shown = world.get(&path).by(AUDITOR).content().await;
            listed += shown["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(left_by)
                .sum::<i64>();
            assert_eq!(
                world.stands("channel_clearing:simulated").await,
                listed + unearned,
                "{date}: {shown}"
            );
            assert_eq!(
                (
                    world.stands("bank").await,
                    world.stands("channel_fee_expense").await
                ),
                (bank, fees)
            );
        }
        assert!(listed != 0 && unearned != 0 && bank != 0);
        world.books_are_clean().await;
    })
    .await;
}

#[tokio::test]
async fn direct_money_that_is_earned_leaves_clearing_by_who_asked_for_it() {
    on_each_engine(async |mut world| {
        world.asked_direct("p1", 10_000, 10_000).await;
        world.started("p1").await;
        world.pays("p1").await;
        world.pass_ms(NEXT_DAY_MS);
        let day = run(&world).await;
        assert_eq!(
            (&day["bank_minor"], &day["fees_minor"], &day["mistakes"]),
            (&json!(0), &json!(0), &json!(0))
        );
        assert_eq!(world.stands("channel_clearing:simulated").await, 10_000);
        world.earned("p1", 10_000).await;
        assert_eq!(world.stands("channel_clearing:simulated").await, 0);
        assert_eq!(world.stands("suspense").await, 0);
        // More to merchants than is paid is no payment.
        world.asked_direct("p2", 1, 2).await;
        world.tick().await;
        assert_eq!(world.facts("payment.closed").await[0]["reason"], "invalid");
        world.books_are_clean().await;
    })
    .await;
}
