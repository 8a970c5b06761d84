//! The channel's bill of a day against the books.

use serde_json::json;
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
