//! Deposits: paid, drawn on at the due moment, frozen, opened again at double, given back.

use serde_json::{Value, json};
use wire::event::{ContractChanged, MerchantChanged, OrderChanged};

use crate::events::{at, completed, contract_changed, merchant_changed};
use crate::support::{DUE, HE, MEI, RUN, WANG, World, on_each_engine};

async fn standing(world: &World, merchant: &str) -> Value {
    world.deposit_of(merchant).await["standing"].clone()
}

/// Merchant m1 has deposited that much and owes that much for October.
async fn owes(world: &mut World, deposit: i64, debt: i64) {
    world.deposit("m1", deposit, "deposit").await;
    world
        .record(&completed(("m1", "l1"), debt, "2026-10-11T00:00:00Z"))
        .await;
    world.tick_at(RUN).await;
}

#[tokio::test]
async fn the_first_standing_is_told_when_the_contract_is_heard_and_each_later_one_with_its_version()
{
    on_each_engine(async |world| {
        world.tick().await;
        assert_eq!(standing(&world, "m1").await, "deposit_due");
        world
            .record(&ContractChanged {
                deposit_minor: 0,
                ..contract_changed("m3")
            })
            .await;
        world.tick().await;
        let told = world.last_fact("merchant.standing_changed").await;
        assert_eq!(
            (&told["merchant"], &told["standing"], &told["version"]),
            (&json!("m3"), &json!("good"), &json!(1))
        );
        world.deposit("m1", 5_999, "a").await;
        assert_eq!(standing(&world, "m1").await, "deposit_due");
        assert_eq!(world.deposit_of("m1").await["missing_minor"], 1);
        world.deposit("m1", 1, "b").await;
        let told = world.last_fact("merchant.standing_changed").await;
        assert_eq!(
            (&told["standing"], &told["version"]),
            (&json!("good"), &json!(2))
        );
        assert_eq!(world.balance("merchant_deposit:m1").await, 6_000);
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn debt_above_the_deposit_takes_all_of_it_and_freezes() {
    on_each_engine(async |mut world| {
        owes(&mut world, 6_000, 10_000).await;
        assert_eq!(
            world.tick_at("2026-11-15T15:59:59.999Z").await["overdue"],
            0
        );
        assert_eq!(world.balance("merchant_deposit:m1").await, 6_000);
        assert_eq!(world.tick_at(DUE).await["overdue"], 1);
        let statement = world.statement("m1").await;
        assert_eq!(
            (
                &statement["deducted_minor"],
                &statement["unpaid_minor"],
                &statement["state"]
            ),
            (&json!(6_000), &json!(4_000), &json!("shortfall"))
        );
        assert_eq!(standing(&world, "m1").await, "frozen");
        // Once for each statement, however often the heart beats and whatever is deposited after.
        assert_eq!(world.tick().await["overdue"], 0);
        world.deposit("m1", 500, "more").await;
        assert_eq!(world.tick_at("2026-11-16T16:00:00Z").await["overdue"], 0);
        assert_eq!(world.balance("merchant_deposit:m1").await, 500);
        assert_eq!(world.count("deposit.deducted").await, 1);
        assert_eq!(world.count("statement.overdue").await, 1);
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn debt_of_one_fen_more_freezes_and_debt_that_is_the_deposit_does_not() {
    for (debt, left, after) in [
        (6_001, 0, "frozen"),
        (6_000, 0, "top_up_required"),
        (5_999, 1, "top_up_required"),
    ] {
        on_each_engine(async |mut world| {
            owes(&mut world, 6_000, debt).await;
            world.tick_at(DUE).await;
            assert_eq!(world.balance("merchant_deposit:m1").await, left);
            assert_eq!(standing(&world, "m1").await, after, "{debt}");
            world.books_are_right().await;
        })
        .await;
    }
}

#[tokio::test]
async fn what_is_paid_in_the_last_millisecond_is_not_deducted() {
    on_each_engine(async |mut world| {
        owes(&mut world, 6_000, 1_000).await;
        world.at("2026-11-15T15:59:59.999Z");
        world.pay((MEI, "m1"), 999, "nearly").await;
        world.pay((MEI, "m1"), 1, "all").await;
        assert_eq!(world.tick_at(DUE).await["overdue"], 0);
        assert_eq!(world.balance("merchant_deposit:m1").await, 6_000);
        assert_eq!(world.statement("m1").await["state"], "paid");
    })
    .await;
}

#[tokio::test]
async fn paying_the_debt_does_not_open_again_double_the_deposit_does_and_never_more() {
    on_each_engine(async |mut world| {
        owes(&mut world, 6_000, 10_000).await;
        world.tick_at(DUE).await;
        world.pay((MEI, "m1"), 4_000, "debt").await;
        assert_eq!(standing(&world, "m1").await, "frozen");
        let deposit = world.deposit_of("m1").await;
        assert_eq!(
            (&deposit["required_minor"], &deposit["arrears_minor"]),
            (&json!(12_000), &json!(0))
        );
        world.deposit("m1", 11_999, "nearly").await;
        assert_eq!(standing(&world, "m1").await, "frozen");
        world.deposit("m1", 1, "all").await;
        assert_eq!(standing(&world, "m1").await, "good");
        // A second freeze asks for the same again: the multiple is of the contract's deposit.
        world
            .record(&completed(("m1", "l2"), 12_001, "2026-11-20T00:00:00Z"))
            .await;
        world.tick_at("2026-11-30T16:10:00Z").await;
        world.tick_at("2026-12-15T16:00:00Z").await;
        assert_eq!(standing(&world, "m1").await, "frozen");
        assert_eq!(world.deposit_of("m1").await["required_minor"], 12_000);
        // Double the deposit while something is still owed: no.
        world.deposit("m1", 12_000, "again").await;
        assert_eq!(standing(&world, "m1").await, "frozen");
        world.pay((MEI, "m1"), 1, "rest").await;
        assert_eq!(standing(&world, "m1").await, "good");
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn a_disputed_statement_waits_for_its_decision_and_an_alarm_tells_of_it() {
    on_each_engine(async |mut world| {
        owes(&mut world, 6_000, 1_000).await;
        let id = world.statement("m1").await["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let objections = format!("/api/statements/{id}/objections");
        let body = json!({"lines": ["commission.l1"], "reason": "重复计费"});
        world.post(&objections).by(MEI).json(&body).content().await;
        let tick = world.tick_at(DUE).await;
        assert_eq!((&tick["overdue"], &tick["alarms"]), (&json!(0), &json!(1)));
        world
            .post(&format!("{objections}/commission.l1/decision"))
            .by(WANG)
            .key("no")
            .json(&json!({"note": "核对无误"}))
            .content()
            .await;
        assert_eq!(world.tick().await["overdue"], 1);
        assert_eq!(world.balance("merchant_deposit:m1").await, 5_000);
    })
    .await;
}

#[tokio::test]
async fn a_deposit_is_given_back_by_another_person_when_nothing_can_follow() {
    on_each_engine(async |mut world| {
        owes(&mut world, 6_000, 1_000).await;
        let needed = async |world: &World, reason: &str| {
            let problem = world
                .post("/api/deposits/m1/refund")
                .by(WANG)
                .key("back")
                .json(&json!({"reason": "合同结束"}))
                .refused(409, "deposit_still_needed")
                .await;
            assert!(
                problem["detail"].as_str().unwrap().contains(reason),
                "{problem}"
            );
        };
        needed(&world, "shop_open").await;
        let order = |change: &str| OrderChanged {
            order: kernel::OrderId::parse("o1").unwrap(),
            checkout: kernel::CheckoutId::parse("c1").unwrap(),
            buyer: kernel::ActorId::parse("li").unwrap(),
            merchant: kernel::MerchantId::parse("m1").unwrap(),
            community: kernel::CommunityId::parse("garden").unwrap(),
            change: change.to_owned(),
            actor: None,
            at: at(RUN),
        };
        world.record(&order("paid")).await;
        world
            .record(&MerchantChanged {
                open: false,
                ..merchant_changed("m1", "mei", 2)
            })
            .await;
        needed(&world, "open_orders").await;
        world.record(&order("completed")).await;
        needed(&world, "something_owed").await;
        world.pay((MEI, "m1"), 1_000, "pay").await;
        let ask = world.post("/api/deposits/m1/refund").by(WANG).key("back");
        ask.json(&json!({"reason": "合同结束"})).content().await;
        let decide = |key: &'static str| {
            world
                .post("/api/deposits/m1/refund/decision")
                .key(key)
                .json(&json!({"approve": true}))
        };
        decide("own").by(WANG).refused(403, "own_request").await;
        let after = decide("other").by(HE).content().await;
        assert_eq!(
            (&after["deposit_minor"], &after["refund"]["state"]),
            (&json!(0), &json!("refunded"))
        );
        assert_eq!(world.balance("merchant_payable:m1").await, 6_000);
        decide("twice")
            .by(HE)
            .refused(409, "deposit_refund_state")
            .await;
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn runs_and_ticks_at_once_make_one_statement_and_deduct_once() {
    on_each_engine(async |mut world| {
        world.deposit("m1", 6_000, "deposit").await;
        world
            .record(&completed(("m1", "l1"), 1_000, "2026-10-11T00:00:00Z"))
            .await;
        world.at(RUN);
        let runs = tokio::join!(
            world.run("2026-10", false),
            world.run("2026-10", false),
            world.tick(),
        );
        let made = [&runs.0["statements"], &runs.1["statements"]];
        let made: i64 = made.iter().filter_map(|count| count.as_i64()).sum();
        assert!(made <= 1);
        assert_eq!(world.statements("m1").await.len(), 1);
        assert_eq!(world.count("statement.issued").await, 1);
        world.at(DUE);
        let ticks = tokio::join!(world.tick(), world.tick(), world.tick());
        let deducted = [
            &ticks.0["overdue"],
            &ticks.1["overdue"],
            &ticks.2["overdue"],
        ];
        let deducted: i64 = deducted.iter().filter_map(|count| count.as_i64()).sum();
        assert_eq!(deducted, 1);
        assert_eq!(world.balance("merchant_deposit:m1").await, 5_000);
        world.books_are_right().await;
    })
    .await;
}
