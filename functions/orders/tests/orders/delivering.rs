//! From the paid order to the completed one, and who may do what on the way.

use serde_json::json;

use crate::support::{DAY_MS, FRUITER, LAUNDERER, LI, MA, WANG, on_each_engine};
use crate::trade::path;

#[tokio::test]
async fn nobody_is_silent_for_ever_an_order_completes_by_itself() {
    on_each_engine(async |mut world| {
        world.goods("apple", 500, 10).await;
        let order = world.accepted(&[("apple", 1)], 500).await;
        world
            .step(
                FRUITER,
                &order,
                "shipment",
                json!({"carrier": "顺丰", "tracking": "SF1"}),
            )
            .await;
        world.step(FRUITER, &order, "delivery", json!({})).await;
        world.pass_ms(7 * DAY_MS - 1);
        assert_eq!(world.tick().await["orders"]["completed"], 0);
        world.pass_ms(1);
        assert_eq!(world.tick().await["orders"]["completed"], 1);
        assert_eq!(world.tick().await["orders"]["completed"], 0);
        assert_eq!(world.balance("merchant_payable:fruit").await, 500);
    })
    .await;
}

#[tokio::test]
async fn goods_are_fetched_with_a_code_that_the_buyer_alone_sees() {
    on_each_engine(async |world| {
        world.goods("apple", 500, 10).await;
        let mut body = world.buying(&[("apple", 1)], 500);
        body["pick_up"] = json!(true);
        let checkout = world
            .post("/api/checkouts")
            .by(LI)
            .key("k")
            .json(&body)
            .content()
            .await;
        world.pay(&checkout).await;
        let order = &checkout["orders"][0];
        world.step(FRUITER, order, "acceptance", json!({})).await;
        world
            .post(&path(order, "shipment"))
            .by(FRUITER)
            .json(&json!({}))
            .refused(409, "order_state")
            .await;
        world.step(FRUITER, order, "readiness", json!({})).await;
        for _ in 0..10 {
            let wrong = world.post(&path(order, "verification")).by(FRUITER);
            wrong
                .json(&json!({"code": "x"}))
                .refused(409, "code_wrong")
                .await;
        }
        let code = world.whole(LI, order).await["verification_code"].clone();
        let locked = world.post(&path(order, "verification")).by(FRUITER);
        locked
            .json(&json!({"code": code}))
            .refused(409, "code_locked")
            .await;
        let code = world.step(LI, order, "code", json!({})).await["verification_code"].clone();
        world
            .step(FRUITER, order, "verification", json!({"code": code}))
            .await;
        assert_eq!(world.whole(LI, order).await["fulfilment"], "delivered");
    })
    .await;
}

#[tokio::test]
async fn another_merchants_order_is_unknown_and_the_buyer_does_not_deliver() {
    on_each_engine(async |world| {
        world.goods("apple", 500, 10).await;
        let order = world.accepted(&[("apple", 1)], 500).await;
        for stranger in [LAUNDERER, MA] {
            world
                .get(&path(&order, ""))
                .by(stranger)
                .refused(404, "order_unknown")
                .await;
        }
        let ship = |who| {
            world
                .post(&path(&order, "shipment"))
                .by(who)
                .json(&json!({}))
        };
        ship(LAUNDERER).refused(404, "order_unknown").await;
        ship(LI).refused(403, "merchant_only").await;
        // The fruit shop is kept by its merchant, not by the platform.
        ship(WANG).refused(403, "merchant_only").await;
        world
            .post(&path(&order, "completion"))
            .by(LI)
            .refused(409, "order_state")
            .await;
        let seen = world
            .get("/api/orders?merchant=fruit")
            .by(FRUITER)
            .content()
            .await;
        assert_eq!(seen["items"].as_array().unwrap().len(), 1);
        world
            .get("/api/orders?merchant=fruit")
            .by(LAUNDERER)
            .refused(404, "merchant_unknown")
            .await;
        let own = world.get("/api/orders").by(MA).content().await;
        assert!(own["items"].as_array().unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_frozen_shop_sells_nothing_and_still_delivers_what_was_paid() {
    on_each_engine(async |world| {
        world.goods("apple", 500, 10).await;
        let order = world.accepted(&[("apple", 1)], 500).await;
        world.stands("fruit", wire::mall::Standing::Frozen, 1).await;
        let reply = world
            .post("/api/checkouts")
            .by(LI)
            .key("frozen")
            .json(&world.buying(&[("apple", 1)], 500))
            .reply()
            .await;
        assert_eq!(reply.status, 409, "{}", crate::support::content_of(&reply));
        world.step(FRUITER, &order, "shipment", json!({})).await;
        world.step(LI, &order, "completion", json!({})).await;
    })
    .await;
}

#[tokio::test]
async fn a_buyer_gives_up_one_of_two_orders_and_pays_for_the_other() {
    on_each_engine(async |world| {
        world.goods("apple", 500, 10).await;
        world
            .shelf("laundry", ("goods", "fruits"), ("soap", 1_200), 5)
            .await;
        let checkout = world.place(LI, &[("apple", 2), ("soap", 1)], 2_200).await;
        let orders = checkout["orders"].as_array().unwrap();
        let apple = orders
            .iter()
            .find(|order| order["merchant"] == "fruit")
            .unwrap();
        world
            .step(LI, apple, "cancellation", json!({"reason": "不要了"}))
            .await;
        assert_eq!(world.stock("apple").await, (10, 0, 0));
        let path_of = format!("/api/checkouts/{}", checkout["id"].as_str().unwrap());
        let now = world.get(&path_of).by(LI).content().await;
        assert_eq!(now["total_minor"], 1_200);
        world.pay(&now).await;
        world.tick().await;
        assert_eq!(world.stock("soap").await, (4, 0, 1));
        assert_eq!(world.balance("suspense").await, 1_200);
        let cancel = world
            .post(&format!("{path_of}/cancellation"))
            .by(LI)
            .key("c");
        cancel.refused(409, "checkout_state").await;
    })
    .await;
}

#[tokio::test]
async fn the_same_request_again_places_nothing_more() {
    on_each_engine(async |world| {
        world.goods("apple", 500, 10).await;
        let ask = || {
            world
                .post("/api/checkouts")
                .by(LI)
                .key("k")
                .json(&world.buying(&[("apple", 1)], 500))
        };
        assert_eq!(ask().content().await, ask().content().await);
        assert_eq!(world.stock("apple").await, (9, 1, 0));
        world
            .post("/api/checkouts")
            .by(LI)
            .json(&world.buying(&[("apple", 1)], 500))
            .refused(422, "idempotency_key_required")
            .await;
        let again = world
            .post("/api/checkouts")
            .by(LI)
            .key("none")
            .json(&world.buying(&[("apple", 10)], 5_000))
            .reply()
            .await;
        assert_eq!(again.status, 409);
    })
    .await;
}
