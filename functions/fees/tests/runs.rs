//! The making of a month's bills: dry, for good, again, and better known.

use kernel::TimeBand;
use serde_json::{Value, json};

use crate::events::usage_closed;
use crate::support::{CHEN, LI, MIGRATIONS, World, ZHAO, on_each_engine};

fn area() -> Value {
    json!({"kind": "area", "price": 28_000})
}

/// The prices of Beijing by month.
async fn electricity(world: &World) -> Value {
    let tiers = json!([
        {"above_milli": 0, "up_to_milli": 240_000, "price": 4_883},
        {"above_milli": 240_000, "up_to_milli": 400_000, "price": 5_383},
        {"above_milli": 400_000, "up_to_milli": null, "price": 7_883},
    ]);
    let tariff = json!({"community": "garden", "name": "居民电价", "terms": {
        "periods": [{"first_day": "2020-01-01", "prices": {"tiered": tiers}}],
    }});
    world
        .post("/api/tariffs")
        .by(CHEN)
        .json(&tariff)
        .content()
        .await
}

fn amounts(bills: &[Value]) -> Vec<i64> {
    let mut amounts: Vec<i64> = bills
        .iter()
        .map(|bill| bill["amount_minor"].as_i64().unwrap())
        .collect();
    amounts.sort_unstable();
    amounts
}

#[tokio::test]
async fn a_dry_run_counts_what_a_run_makes_and_keeps_nothing() {
    on_each_engine(async |world| {
        world.rule("物业费", area()).await;
        world.room("r104", 0).await;
        world.room("r105", -5).await;
        let dry = world.run("2026-10", true).await;
        assert_eq!(
            (&dry["bills"], &dry["amount_minor"]),
            (&json!(3), &json!(50_400))
        );
        assert_eq!(dry["state"], "done");
        assert_eq!(dry["skipped"]["area_missing"]["samples"][0]["room"], "r104");
        assert_eq!(dry["skipped"]["area_negative"]["count"], 1);
        assert_eq!(world.bills(CHEN, "").await, [] as [Value; 0]);
        let path = format!("/api/bill-runs/{}/publication", dry["id"].as_str().unwrap());
        world
            .post(&path)
            .by(CHEN)
            .key("a")
            .refused(409, "bill_run_state")
            .await;

        let run = world.run("2026-10", false).await;
        assert_eq!(run["bills"], dry["bills"]);
        assert_eq!(run["skipped"], dry["skipped"]);
        let bills = world.bills(CHEN, "?state=draft").await;
        assert_eq!(amounts(&bills), [8_400, 14_000, 28_000]);
        // Nobody who is to pay sees a draft.
        assert_eq!(world.bills(LI, "").await, [] as [Value; 0]);
    })
    .await;
}

#[tokio::test]
async fn a_second_run_of_a_month_adds_nothing() {
    on_each_engine(async |world| {
        world.rule("物业费", area()).await;
        world.published("2026-10").await;
        let again = world.run("2026-10", false).await;
        assert_eq!(again["bills"], 0);
        assert_eq!(again["skipped"]["already_billed"]["count"], 3);
        assert_eq!(world.balance("fee_receivable:r101").await, 28_000);
        assert_eq!(world.balance("fee_income:garden").await, 50_400);
        world.books_are_right().await;
        let own = world.bills(LI, "").await;
        assert_eq!(amounts(&own), [28_000]);
        assert_eq!(own[0]["due_on"], "2026-12-02");
        assert_eq!(own[0]["basis"]["area_dm2"], 10_000);
    })
    .await;
}

#[tokio::test]
async fn usage_is_rated_by_the_plugged_tariff_and_a_revision_is_billed_by_its_difference() {
    on_each_engine(async |world| {
        let tariff = electricity(&world).await;
        let charge = json!({"kind": "tiered", "commodity": "electricity", "tariff": tariff["id"]});
        world.rule("电费", charge).await;
        world.usage("r101", "2026-10", 350, 1).await;
        world.usage("r102", "2026-10", 241, 1).await;
        let run = world.published("2026-10").await;
        assert_eq!(run["skipped"]["usage_missing"]["count"], 1);
        let bills = world.bills(CHEN, "").await;
        assert_eq!(amounts(&bills), [11_773, 17_641]);

        world.usage("r101", "2026-10", 400, 2).await;
        world.usage("r102", "2026-10", 240, 2).await;
        let second = world.published("2026-10").await;
        assert_eq!(second["bills"], 2);
        let bills = world.bills(CHEN, "?period=2026-10").await;
        assert_eq!(
            amounts(&bills),
            [11_719 - 11_773, 20_332 - 17_641, 11_773, 17_641]
        );
        assert_eq!(world.balance("fee_receivable:r101").await, 20_332);
        assert_eq!(world.balance("fee_receivable:r102").await, 11_719);
        // An earlier revision that comes late changes nothing.
        world.usage("r101", "2026-10", 1, 1).await;
        assert_eq!(world.run("2026-10", false).await["bills"], 0);
    })
    .await;
}

#[tokio::test]
async fn a_year_s_tiers_know_what_was_used_before() {
    on_each_engine(async |world| {
        let tiers = json!([
            {"above_milli": 0, "up_to_milli": 180_000, "price": 50_000},
            {"above_milli": 180_000, "up_to_milli": null, "price": 70_000},
        ]);
        let tariff = json!({"community": "garden", "name": "年阶梯", "terms": {
            "cycle": {"year": [1, 1]},
            "periods": [{"first_day": "2020-01-01", "prices": {"tiered": tiers}}],
        }});
        let tariff = world
            .post("/api/tariffs")
            .by(CHEN)
            .json(&tariff)
            .content()
            .await;
        let charge = json!({"kind": "tiered", "commodity": "electricity", "tariff": tariff["id"]});
        world.rule("按年", charge).await;
        world.usage("r101", "2025-12", 500, 1).await;
        world.usage("r101", "2026-03", 170, 1).await;
        world.usage("r101", "2026-10", 20, 1).await;
        world.run("2026-10", false).await;
        let bills = world.bills(CHEN, "").await;
        assert_eq!(amounts(&bills), [12_000]);
        assert_eq!(bills[0]["basis"]["used_before_milli"], 170_000);
    })
    .await;
}

#[tokio::test]
async fn time_of_use_is_billed_by_its_bands() {
    on_each_engine(async |world| {
        let tariff = json!({"community": "garden", "name": "峰谷", "terms": {"periods": [{"first_day": "2020-01-01", "prices": {
            "time_of_use": [{"name": "peak", "price": 8_000}, {"name": "valley", "price": 3_000}],
        }}]}});
        let tariff = world.post("/api/tariffs").by(CHEN).json(&tariff).content().await;
        let charge = json!({"kind": "time_of_use", "commodity": "electricity", "tariff": tariff["id"]});
        world.rule("峰谷电费", charge).await;
        let bands = [(TimeBand::Peak, 60), (TimeBand::Valley, 40)];
        world.record(&usage_closed(("r101", "2026-10"), 100, 1, &bands)).await;
        world.usage("r102", "2026-10", 10, 1).await;
        let run = world.run("2026-10", false).await;
        assert_eq!(amounts(&world.bills(CHEN, "").await), [6_000]);
        assert_eq!(run["skipped"]["bands_missing"]["samples"][0]["room"], "r102");
    })
    .await;
}

#[tokio::test]
async fn a_shared_cost_is_borne_to_the_last_fen() {
    on_each_engine(async |world| {
        let cost =
            json!({"metered": {"commodity": "electricity", "price": 5_000, "areas": ["大堂"]}});
        world
            .rule(
                "公摊电费",
                json!({"kind": "shared", "cost": cost, "by": "area"}),
            )
            .await;
        world
            .rule(
                "公摊清洁",
                json!({"kind": "shared", "cost": {"amount_minor": 100}, "by": "household"}),
            )
            .await;
        world.usage("", "2026-10", 100, 1).await;
        let run = world.run("2026-10", false).await;
        // 100 kWh at 0.5 by 100:50:30, and 100 fen by three.
        assert_eq!(
            (&run["bills"], &run["amount_minor"]),
            (&json!(6), &json!(5_100))
        );
        let amounts = amounts(&world.bills(CHEN, "").await);
        assert_eq!(amounts, [33, 33, 34, 833, 1_389, 2_778]);
    })
    .await;
}

#[tokio::test]
async fn a_run_that_was_not_published_can_be_given_up() {
    on_each_engine(async |world| {
        world.rule("物业费", area()).await;
        let run = world.run("2026-10", false).await;
        let path = format!("/api/bill-runs/{}", run["id"].as_str().unwrap());
        let gone = world
            .ask(http::Method::DELETE, &path)
            .by(CHEN)
            .content()
            .await;
        assert_eq!(gone["state"], "discarded");
        assert_eq!(world.bills(CHEN, "").await, [] as [Value; 0]);
        assert_eq!(world.published("2026-10").await["bills"], 3);
        world
            .ask(http::Method::DELETE, &path)
            .by(CHEN)
            .content()
            .await;
        assert_eq!(world.bills(ZHAO, "").await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_run_goes_on_in_steps_and_makes_each_bill_once() {
    let database = store::testing::sqlite(&MIGRATIONS).await;
    let world = World::on(database);
    world.open_community().await;
    for number in 0..1_100 {
        world.room(&format!("r{number:05}"), 10_000).await;
    }
    for _ in 0..4 {
        world.tick().await;
    }
    world.rule("物业费", area()).await;
    let run = world.run("2026-10", false).await;
    assert_eq!(
        (&run["bills"], &run["state"]),
        (&json!(1_100), &json!("done"))
    );
    let path = format!("/api/bill-runs/{}/steps", run["id"].as_str().unwrap());
    assert_eq!(world.post(&path).by(CHEN).content().await["bills"], 1_100);
    assert_eq!(world.published("2026-10").await["bills"], 0);
}

/// A rule of 30.00 yuan a month that bills by longer periods.
async fn by_periods(world: &World, billing: Value, first_day: &str) -> Value {
    let rule = json!({"community": "garden", "name": "车位", "charge": {"kind": "fixed", "amount_minor": 3_000}, "billing": billing, "first_day": first_day});
    world
        .post("/api/fee-rules")
        .by(CHEN)
        .json(&rule)
        .content()
        .await
}

#[tokio::test]
async fn a_quarter_is_billed_once_ahead_or_in_its_last_month() {
    on_each_engine(async |world| {
        let rule = by_periods(&world, json!({"every": "quarter"}), "2026-10-16").await;
        assert_eq!(rule["billing"]["from_month"], 1);
        for month in ["2026-10", "2026-11"] {
            assert_eq!(world.run(month, false).await["bills"], 0);
        }
        // 16 of October's 31 days, November and December, rounded once.
        let run = world.published("2026-12").await;
        assert_eq!(
            (&run["bills"], &run["amount_minor"]),
            (&json!(3), &json!(3 * 7_548))
        );
        let bill = world.bills(LI, "").await.remove(0);
        assert_eq!(
            (&bill["period"], &bill["months"]),
            (&json!("2026-10"), &json!(3))
        );
        assert_eq!(
            bill["basis"]["months"][0],
            json!({"month": "2026-10", "days": 16, "days_of_month": 31})
        );
        let again = world.run("2026-12", false).await;
        assert_eq!(
            (
                &again["bills"],
                &again["skipped"]["already_billed"]["count"]
            ),
            (&json!(0), &json!(3))
        );
        by_periods(
            &world,
            json!({"every": "year", "from_month": 2, "in_advance": true}),
            "2027-01-01",
        )
        .await;
        assert_eq!(world.run("2027-01", false).await["bills"], 0);
        let year = world.run("2027-02", false).await;
        assert_eq!(
            (&year["bills"], &year["amount_minor"]),
            (&json!(3), &json!(3 * 36_000))
        );
    })
    .await;
}

#[tokio::test]
async fn a_rule_that_ends_within_a_period_is_billed_for_its_part() {
    on_each_engine(async |world| {
        let rule = json!({"community": "garden", "name": "x", "charge": {"kind": "area", "price": 10_000}, "billing": {"every": "half_year"}, "first_day": "2026-01-01", "until_day": "2026-09-01"});
        let made = world.post("/api/fee-rules").by(CHEN).json(&rule).content().await;
        let run = world.run("2026-12", false).await;
        // July and August of 180.00 m2 at 1.00 yuan.
        assert_eq!((&run["bills"], &run["amount_minor"]), (&json!(3), &json!(36_000)));
        assert_eq!(world.run("2027-06", false).await["skipped"], json!({}));
        let path = format!("/api/fee-rules/{}", made["id"].as_str().unwrap());
        let mut other = rule.clone();
        other.as_object_mut().unwrap().remove("community");
        other["billing"] = json!({"every": "year"});
        world.ask(http::Method::PUT, &path).by(CHEN).header("if-match", "*").json(&other).refused(409, "fee_rule_billing").await;
        for charge in [json!({"kind": "per_usage", "commodity": "water", "price": 1}), json!({"kind": "shared", "cost": {"amount_minor": 1}, "by": "area"})] {
            let mut wrong = rule.clone();
            wrong["charge"] = charge;
            world.post("/api/fee-rules").by(CHEN).json(&wrong).refused(422, "fee_rule_invalid").await;
        }
    })
    .await;
}
