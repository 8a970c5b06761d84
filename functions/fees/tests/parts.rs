//! What a payment is made up of: coupon, points, balance and the channel, and that it comes back.

use serde_json::{Value, json};
use wire::event::PaymentClosed;

use crate::support::{CHEN, DAY_MS, LI, MA, Person, World, on_each_engine};

/// Two bills of r101, of 280.00 and 150.00 yuan, and where a point is worth a yuan and ten yuan earn one.
pub async fn owed(world: &World) -> Vec<Value> {
    let terms = json!({"late_rate_per_100k": 50, "grace_days": 0, "late_cap_percent": 100, "due_days": 30, "point_minor": 100, "earn_minor": 1_000});
    world
        .ask(http::Method::PUT, "/api/fee-terms/garden")
        .by(CHEN)
        .header("if-match", "*")
        .json(&terms)
        .content()
        .await;
    for (name, charge) in [
        ("物业费", json!({"kind": "area", "price": 28_000})),
        ("停车费", json!({"kind": "fixed", "amount_minor": 15_000})),
    ] {
        world.rule(name, charge).await;
    }
    world.published("2026-10").await;
    let mut bills = world.bills(LI, "").await;
    bills.sort_by_key(|bill| bill["amount_minor"].as_i64());
    bills
}

pub fn ids(bills: &[Value]) -> Vec<&Value> {
    bills.iter().map(|bill| &bill["id"]).collect()
}

pub async fn pay(world: &World, person: Person<'_>, key: &str, ask: Value) -> Value {
    world
        .post("/api/bill-payments")
        .by(person)
        .key(key)
        .json(&ask)
        .content()
        .await
}

pub async fn coupon(world: &World, key: &str, value: Value, holder: (&str, &str)) -> String {
    let mut ask = json!({"community": "garden", "title": "迎新", "value": value, "minimum_minor": 10_000, "first_day": "2026-11-01", "until_day": "2026-12-01", "reason": "x"});
    ask[holder.0] = json!(holder.1);
    let made = world
        .post("/api/fee-coupons")
        .by(CHEN)
        .key(key)
        .json(&ask)
        .content()
        .await;
    made["id"].as_str().unwrap().to_owned()
}

pub async fn grant(world: &World, points: i64) -> Value {
    let ask = json!({"community": "garden", "person": "li", "points": points, "reason": "x"});
    world
        .post("/api/fee-points")
        .by(CHEN)
        .key(&format!("grant{points}"))
        .json(&ask)
        .content()
        .await
}

async fn points(world: &World) -> i64 {
    let shown = world
        .get("/api/fee-points?community=garden")
        .by(LI)
        .content()
        .await;
    let entries = shown["items"].as_array().unwrap();
    let sum: i64 = entries
        .iter()
        .map(|entry| entry["points"].as_i64().unwrap())
        .sum();
    assert_eq!(shown["balance"], sum, "{shown}");
    sum
}

async fn coupon_state(world: &World, coupon: &str) -> Value {
    let shown = world
        .get(&format!("/api/fee-coupons/{coupon}"))
        .by(LI)
        .content()
        .await;
    shown["state"].clone()
}

pub async fn refund(world: &World, payment: &Value, bill: &Value) -> Value {
    let path = format!(
        "/api/bill-payments/{}/refunds",
        payment["id"].as_str().unwrap()
    );
    let key = format!("refund-{}", bill["id"].as_str().unwrap());
    world
        .post(&path)
        .by(CHEN)
        .key(&key)
        .json(&json!({"bills": [bill["id"]], "reason": "x"}))
        .content()
        .await
}

#[tokio::test]
async fn a_coupon_then_points_then_balance_then_the_channel_bear_a_payment_and_come_back() {
    on_each_engine(async |world| {
        let bills = owed(&world).await;
        let part = json!({"percent": {"percent": 10, "cap_minor": 3_000}});
        let coupon = coupon(&world, "c", part, ("person", "li")).await;
        grant(&world, 50).await;
        let asked =
            json!({"bills": ids(&bills), "coupon": coupon, "use_points": true, "use_credit": true});
        let payment = pay(&world, LI, "p", asked).await;
        assert_eq!(
            [
                &payment["total_minor"],
                &payment["coupon_minor"],
                &payment["points_minor"],
                &payment["credit_minor"],
                &payment["channel_minor"]
            ],
            [
                &json!(43_000),
                &json!(3_000),
                &json!(5_000),
                &json!(0),
                &json!(35_000)
            ]
        );
        assert_eq!(
            (coupon_state(&world, &coupon).await, points(&world).await),
            (json!("held"), 0)
        );
        let asked = world.last_fact("payment.requested").await;
        world.money_came("bills", &asked).await;
        world.tick().await;
        // 350.00 yuan of money in time earn 35 points.
        assert_eq!(
            (coupon_state(&world, &coupon).await, points(&world).await),
            (json!("used"), 35)
        );
        assert_eq!(world.balance("coupon_subsidy_expense").await, 8_000);
        assert_eq!(world.balance("fee_receivable:r101").await, 0);
        let first = refund(&world, &payment, &bills[1]).await;
        assert_eq!(
            (&first["channel_minor"], &first["coupon_minor"]),
            (&json!(28_000), &json!(0))
        );
        let second = refund(&world, &payment, &bills[0]).await;
        assert_eq!(
            [
                &second["channel_minor"],
                &second["credit_minor"],
                &second["points_minor"],
                &second["coupon_minor"]
            ],
            [&json!(7_000), &json!(0), &json!(5_000), &json!(3_000)]
        );
        // What was earned went; what was spent is back.
        assert_eq!(
            (coupon_state(&world, &coupon).await, points(&world).await),
            (json!("available"), 50)
        );
        assert_eq!(world.balance("coupon_subsidy_expense").await, 0);
        assert_eq!(world.balance("fee_receivable:r101").await, 43_000);
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn what_a_payment_counts_on_is_nobody_elses_until_it_is_closed() {
    on_each_engine(async |world| {
        let bills = owed(&world).await;
        let room = coupon(
            &world,
            "c",
            json!({"amount_minor": 2_000}),
            ("room", "r101"),
        )
        .await;
        grant(&world, 5).await;
        let ask = |bill: &Value| json!({"bills": [bill["id"]], "coupon": room, "use_points": true});
        pay(&world, LI, "a", ask(&bills[0])).await;
        let again = world
            .post("/api/bill-payments")
            .by(MA)
            .key("b")
            .json(&ask(&bills[1]));
        again.refused(409, "fee_coupon_state").await;
        let path = format!("/api/fee-coupons/{room}");
        world
            .ask(http::Method::DELETE, &path)
            .by(CHEN)
            .key("d")
            .refused(409, "fee_coupon_state")
            .await;
        let asked = world.last_fact("payment.requested").await;
        assert_eq!(asked["amount_minor"], 15_000 - 2_000 - 500);
        let closed = PaymentClosed {
            payment: asked["payment"]
                .as_str()
                .unwrap()
                .to_owned()
                .try_into()
                .unwrap(),
            purpose: "bills".to_owned(),
            reference: asked["reference"].as_str().unwrap().to_owned(),
            reason: "expired".to_owned(),
        };
        world.record(&closed).await;
        world.record(&closed).await;
        world.tick().await;
        assert_eq!(
            (coupon_state(&world, &room).await, points(&world).await),
            (json!("available"), 5)
        );
        pay(&world, MA, "e", ask(&bills[1])).await;
        assert_eq!(points(&world).await, 5);
    })
    .await;
}

#[tokio::test]
async fn nobodys_coupon_becomes_money_when_others_paid_meanwhile() {
    on_each_engine(async |world| {
        let bills = owed(&world).await;
        let own = coupon(
            &world,
            "c",
            json!({"amount_minor": 2_000}),
            ("person", "li"),
        )
        .await;
        pay(
            &world,
            LI,
            "a",
            json!({"bills": [bills[0]["id"]], "coupon": own}),
        )
        .await;
        let li = world.last_fact("payment.requested").await;
        pay(&world, MA, "b", json!({"bills": [bills[0]["id"]]})).await;
        let ma = world.last_fact("payment.requested").await;
        world.money_came("bills", &ma).await;
        world.money_came("bills", &li).await;
        world.tick().await;
        assert_eq!(world.balance("resident_wallet:li").await, 13_000);
        assert_eq!(coupon_state(&world, &own).await, "available");
        assert_eq!(world.balance("coupon_subsidy_expense").await, 0);
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn points_are_whole_are_never_below_zero_and_are_given_by_staff() {
    on_each_engine(async |mut world| {
        owed(&world).await;
        grant(&world, 3).await;
        let ask = |points: i64| json!({"community": "garden", "person": "li", "points": points, "reason": "x"});
        let give = |key: &'static str, person, points| world.post("/api/fee-points").by(person).key(key).json(&ask(points));
        give("a", CHEN, -4).refused(409, "points_too_few").await;
        give("b", CHEN, 0).refused(422, "points_count").await;
        give("c", LI, 1).refused(403, "managers_only").await;
        assert_eq!(give("d", CHEN, -3).content().await["balance"], 0);
        world.get("/api/fee-points?community=garden&person=li").by(MA).refused(403, "own_points_only").await;
        world.get("/api/fee-points").by(LI).refused(422, "community_required").await;
        // Late, nothing is earned.
        world.pass_ms(40 * DAY_MS);
        let bills = world.bills(LI, "").await;
        let paid = pay(&world, CHEN, "e", json!({"bills": ids(&bills), "method": "cash"})).await;
        assert_eq!(paid["earned_points"], 0);
        assert!(paid["total_minor"].as_i64().unwrap() > 43_000);
    })
    .await;
}

#[tokio::test]
async fn a_coupon_that_cannot_be_is_refused_with_the_reason() {
    on_each_engine(async |world| {
        let bills = owed(&world).await;
        let good = json!({"community": "garden", "title": "x", "person": "li", "value": {"amount_minor": 100}, "first_day": "2026-11-01", "until_day": "2026-12-01", "reason": "x"});
        for (field, value, code) in [
            ("value", json!({"percent": {"percent": 101, "cap_minor": 1}}), "fee_coupon_invalid"),
            ("value", json!({"amount_minor": 0}), "fee_coupon_invalid"),
            ("until_day", json!("2026-11-01"), "fee_coupon_invalid"),
            ("room", json!("r101"), "fee_coupon_holder"),
        ] {
            let mut ask = good.clone();
            ask[field] = value;
            world.post("/api/fee-coupons").by(CHEN).key("k").json(&ask).refused(422, code).await;
        }
        let own = coupon(&world, "c", json!({"amount_minor": 100}), ("person", "li")).await;
        let ask = |bills: &[Value]| json!({"bills": ids(bills), "coupon": own, "pay_minor": 9_999});
        let by = |person, key: &'static str| world.post("/api/bill-payments").by(person).key(key).json(&ask(&bills));
        by(LI, "l").refused(422, "fee_coupon_minimum").await;
        by(MA, "m").refused(404, "fee_coupon_unknown").await;
        let path = format!("/api/fee-coupons/{own}");
        let gone = world.ask(http::Method::DELETE, &path).by(CHEN).key("d").content().await;
        assert_eq!(gone["state"], "withdrawn");
        assert_eq!(world.get("/api/fee-coupons?state=withdrawn").by(LI).content().await["items"].as_array().unwrap().len(), 1);
    })
    .await;
}
