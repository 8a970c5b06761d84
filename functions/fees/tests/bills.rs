//! Bills one by one: by hand, voided, discounted, late, reminded of, and printed.

use http::Method;
use serde_json::{Value, json};

use crate::support::{CHEN, DAY_MS, LI, MA, World, ZHAO, on_each_engine};

async fn by_hand(world: &World, amount_minor: i64) -> Value {
    let bill = json!({"room": "r101", "title": "装修垃圾清运", "amount_minor": amount_minor, "reason": "住户申请"});
    world
        .post("/api/bills")
        .by(CHEN)
        .key(&format!("hand-{amount_minor}"))
        .json(&bill)
        .content()
        .await
}

fn path(bill: &Value, what: &str) -> String {
    format!("/api/bills/{}{what}", bill["id"].as_str().unwrap())
}

async fn late_terms(world: &World) {
    let terms =
        json!({"late_rate_per_100k": 50, "grace_days": 5, "late_cap_percent": 100, "due_days": 30});
    world
        .ask(Method::PUT, "/api/fee-terms/garden")
        .by(CHEN)
        .header("if-match", "*")
        .json(&terms)
        .content()
        .await;
}

#[tokio::test]
async fn a_bill_made_by_hand_is_owed_at_once() {
    on_each_engine(async |world| {
        let bill = by_hand(&world, 10_000).await;
        assert_eq!(
            (&bill["state"], &bill["unpaid_minor"]),
            (&json!("published"), &json!(10_000))
        );
        assert_eq!(world.balance("fee_receivable:r101").await, 10_000);
        assert_eq!(world.last_fact("bill.published").await["bill"], bill["id"]);
        assert_eq!(
            world.get(&path(&bill, "")).by(MA).content().await["id"],
            bill["id"]
        );
        world
            .get(&path(&bill, ""))
            .by(ZHAO)
            .refused(404, "bill_unknown")
            .await;
        let again = json!({"room": "r101", "title": "x", "amount_minor": 1, "reason": "x"});
        world
            .post("/api/bills")
            .by(CHEN)
            .json(&again)
            .refused(422, "idempotency_key_required")
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_voided_bill_is_reversed_and_the_next_run_makes_another_version() {
    on_each_engine(async |world| {
        world
            .rule("物业费", json!({"kind": "area", "price": 28_000}))
            .await;
        world.published("2026-10").await;
        let bill = world.bills(LI, "").await.remove(0);
        let less = json!({"amount_minor": 1_000, "reason": "停梯三天"});
        world
            .post(&path(&bill, "/discounts"))
            .by(CHEN)
            .key("d")
            .json(&less)
            .content()
            .await;
        assert_eq!(world.balance("fee_receivable:r101").await, 27_000);
        let why = json!({"reason": "面积有误"});
        let void = world
            .post(&path(&bill, "/void"))
            .by(CHEN)
            .key("v")
            .json(&why)
            .content()
            .await;
        assert_eq!(void["state"], "voided");
        assert_eq!(world.balance("fee_receivable:r101").await, 0);
        world
            .post(&path(&bill, "/void"))
            .by(CHEN)
            .key("w")
            .json(&why)
            .refused(409, "bill_state")
            .await;
        world.room("r101", 9_000).await;
        world.published("2026-10").await;
        let anew = world.bills(LI, "?state=published").await.remove(0);
        assert_eq!(
            (&anew["version"], &anew["amount_minor"]),
            (&json!(2), &json!(25_200))
        );
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn being_late_costs_after_the_days_of_grace_and_can_be_let_go() {
    on_each_engine(async |mut world| {
        late_terms(&world).await;
        let bill = by_hand(&world, 100_000).await;
        world.pass_ms(35 * DAY_MS);
        let in_grace = world.get(&path(&bill, "")).by(LI).content().await;
        assert_eq!(in_grace["late_fee"]["owed_minor"], 0);
        world.pass_ms(10 * DAY_MS);
        let late = world.get(&path(&bill, "")).by(LI).content().await;
        assert_eq!(late["late_fee"]["owed_minor"], 500);
        let ask = |amount: i64| json!({"amount_minor": amount, "reason": "系统故障"});
        world
            .post(&path(&bill, "/late-fee-waivers"))
            .by(CHEN)
            .key("a")
            .json(&ask(501))
            .refused(422, "more_than_owed")
            .await;
        let waived = world
            .post(&path(&bill, "/late-fee-waivers"))
            .by(CHEN)
            .key("b")
            .json(&ask(300))
            .content()
            .await;
        assert_eq!(waived["late_fee"]["owed_minor"], 200);
        assert_eq!(
            world.last_fact("late_fee.waived").await["reason"],
            "系统故障"
        );
    })
    .await;
}

#[tokio::test]
async fn rooms_are_reminded_by_the_day_of_their_own_community() {
    on_each_engine(async |mut world| {
        // In Shanghai it is 2 November already, in Los Angeles still the first.
        world.open_community_in("America/Los_Angeles").await;
        let bill = json!({"room": "r101", "title": "x", "amount_minor": 100, "due_on": "2026-11-05", "reason": "x"});
        world.post("/api/bills").by(CHEN).key("b").json(&bill).content().await;
        assert_eq!(world.tick().await["reminded"], 0);
        world.pass_ms(DAY_MS);
        assert_eq!(world.tick().await["reminded"], 1);
        assert_eq!(world.tick().await["reminded"], 0);
    })
    .await;
}

#[tokio::test]
async fn rooms_that_owe_are_listed_and_reminded_of_once_a_week() {
    on_each_engine(async |mut world| {
        by_hand(&world, 10_000).await;
        assert_eq!(world.tick().await["reminded"], 0);
        world.pass_ms(28 * DAY_MS);
        assert_eq!(world.tick().await["reminded"], 1);
        assert_eq!(world.tick().await["reminded"], 0);
        let told = world.last_fact("bill.reminder_due").await;
        assert_eq!(
            (&told["people"], &told["outstanding_minor"]),
            (&json!(["li", "ma"]), &json!(10_000))
        );
        world.pass_ms(7 * DAY_MS);
        assert_eq!(world.tick().await["reminded"], 1);
        let owing = world
            .get("/api/fee-statements?community=garden")
            .by(CHEN)
            .content()
            .await;
        assert_eq!(
            (
                &owing["items"][0]["room"],
                &owing["items"][0]["outstanding_minor"]
            ),
            (&json!("r101"), &json!(10_000))
        );
        world
            .get("/api/fee-statements?community=garden")
            .by(LI)
            .refused(403, "managers_only")
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_statement_prints_in_both_languages() {
    on_each_engine(async |world| {
        by_hand(&world, 10_000).await;
        let reply = world.get("/api/fee-statements/r101").by(LI).reply().await;
        assert_eq!(reply.headers["content-type"], "text/html; charset=utf-8");
        let page = String::from_utf8(reply.body.to_vec()).unwrap();
        for text in ["对账单 Statement", "1栋1单元r101", "装修垃圾清运", "100.00"] {
            assert!(page.contains(text), "{text}");
        }
        world
            .get("/api/fee-statements/r101")
            .by(ZHAO)
            .refused(404, "room_unknown")
            .await;
    })
    .await;
}
