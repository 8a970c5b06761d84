//! Group-buys that wait and fail, coupons that the platform bears in part, and what of them comes back.

use serde_json::{Value, json};

use crate::support::{DAY_MS, FRUITER, LI, MA, MINUTE_MS, Person, World, on_each_engine};
use crate::trade::path;

async fn group_of_two(world: &World) {
    world.goods("apple", 1_000, 10).await;
    let terms = json!({"kind": "group_buy", "variant": "apple", "price_minor": 800, "size": 2, "hours": 24});
    world.promotion("together", (&terms, 0)).await;
}

async fn join(world: &World, who: Person<'_>, group: Option<&str>) -> Value {
    let mut body = world.buying(&[("apple", 1)], 800);
    body["lines"][0]["group_buy"] = json!("together");
    body["group"] = json!(group);
    world
        .post("/api/checkouts")
        .by(who)
        .key("join")
        .json(&body)
        .content()
        .await
}

#[tokio::test]
async fn orders_of_a_group_wait_until_all_of_it_have_paid() {
    on_each_engine(async |world| {
        group_of_two(&world).await;
        let first = join(&world, LI, None).await;
        let group = first["orders"][0]["group"].as_str().unwrap();
        let second = join(&world, MA, Some(group)).await;
        world.pay(&first).await;
        let order = &first["orders"][0];
        assert_eq!(world.whole(LI, order).await["summary"], "waits_for_group");
        world
            .post(&path(order, "acceptance"))
            .by(FRUITER)
            .refused(409, "order_state")
            .await;
        world.pay(&second).await;
        world.tick().await;
        assert_eq!(world.whole(LI, order).await["summary"], "to_accept");
        assert_eq!(
            world.facts_of("group_buy.ended").await,
            [json!({"group": group, "promotion": "together", "full": true})]
        );
        world.step(FRUITER, order, "acceptance", json!({})).await;
    })
    .await;
}

#[tokio::test]
async fn a_group_that_is_not_full_in_time_gives_all_back_once() {
    on_each_engine(async |mut world| {
        group_of_two(&world).await;
        let first = join(&world, LI, None).await;
        let group = first["orders"][0]["group"].as_str().unwrap().to_owned();
        world.pay(&first).await;
        world.tick().await;
        world.pass_ms(DAY_MS - 5 * MINUTE_MS);
        let second = join(&world, MA, Some(&group)).await;
        let late = world.received(&second).await;
        world.pass_ms(5 * MINUTE_MS);
        assert_eq!(world.tick().await["orders"]["groups"], 1);
        assert_eq!(world.tick().await["orders"]["groups"], 0);
        world.record(&late).await;
        let mut back = world.refund_all().await;
        back.sort_unstable();
        assert_eq!(back, [800, 800]);
        assert_eq!(world.stock("apple").await, (10, 0, 0));
        assert_eq!(world.balance("suspense").await, 0);
        let order = world.whole(LI, &first["orders"][0]).await;
        assert_eq!(
            (&order["state"], &order["payment"]),
            (&json!("cancelled"), &json!("refunded"))
        );
        world.books_are_right().await;
    })
    .await;
}

/// Li buys three apples for 3,000 with a coupon of 300, of which the platform bears half.
async fn with_coupon(world: &World) -> Value {
    world.goods("apple", 1_000, 10).await;
    world.commission(1_000).await;
    let terms = json!({"kind": "coupon", "off_minor": 300, "least_minor": 0, "issue_max": 100, "products": []});
    world.promotion("off", (&terms, 5_000)).await;
    world.coupon("c1", "off").await;
    let mut body = world.buying(&[("apple", 3)], 2_700);
    body["coupons"] = json!(["c1"]);
    world
        .post("/api/checkouts")
        .by(LI)
        .key("coupon")
        .json(&body)
        .content()
        .await
}

#[tokio::test]
async fn what_the_platform_bears_is_posted_with_the_sale_and_comes_back_with_a_refund() {
    on_each_engine(async |world| {
        let checkout = with_coupon(&world).await;
        world.pay(&checkout).await;
        let order = &checkout["orders"][0];
        for (who, step) in [
            (FRUITER, "acceptance"),
            (FRUITER, "shipment"),
            (LI, "completion"),
        ] {
            world.step(who, order, step, json!({})).await;
        }
        // A base of 2,700 and 150 of subsidy: 285 of commission.
        assert_eq!(world.balance("coupon_subsidy_expense").await, 150);
        assert_eq!(world.balance("platform_commission").await, 285);
        assert_eq!(world.balance("merchant_payable:fruit").await, 2_565);
        for _ in 0..3 {
            let asked = world.ask_refund(order, 1, None).await;
            world.answering(&asked, "agreement").content().await;
        }
        assert_eq!(world.refund_all().await, [900, 900, 900]);
        for account in [
            "coupon_subsidy_expense",
            "platform_commission",
            "merchant_payable:fruit",
            "merchant_receivable:fruit",
            "suspense",
        ] {
            assert_eq!(world.balance(account).await, 0, "{account}");
        }
        let told = world.facts_of("order_line.refunded").await;
        let subsidies: i64 = told
            .iter()
            .map(|fact| fact["subsidy_minor"].as_i64().unwrap())
            .sum();
        assert_eq!(subsidies, 150);
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn a_coupon_of_an_order_that_nobody_paid_can_be_used_again() {
    on_each_engine(async |mut world| {
        with_coupon(&world).await;
        let mut again = world.buying(&[("apple", 3)], 2_700);
        again["coupons"] = json!(["c1"]);
        let reply = world
            .post("/api/checkouts")
            .by(LI)
            .key("twice")
            .json(&again)
            .reply()
            .await;
        assert!(reply.status.is_client_error());
        world.pass_ms(15 * MINUTE_MS);
        world.tick().await;
        world
            .post("/api/checkouts")
            .by(LI)
            .key("again")
            .json(&again)
            .content()
            .await;
        assert_eq!(world.stock("apple").await, (7, 3, 0));
    })
    .await;
}
