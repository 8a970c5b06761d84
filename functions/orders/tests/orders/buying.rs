//! From the basket to the completed order: prices, payments, delivery, and what is posted.

use serde_json::{Value, json};

use crate::support::{FRUITER, LAUNDERER, LI, MINUTE_MS, on_each_engine};
use crate::trade::path;

#[tokio::test]
async fn one_checkout_over_two_shops_is_one_payment_and_an_order_of_each() {
    on_each_engine(async |world| {
        world.goods("apple", 500, 10).await;
        world
            .shelf("laundry", ("goods", "fruits"), ("soap", 1_200), 5)
            .await;
        let body = world.buying(&[("apple", 2), ("soap", 1)], 0);
        let quote = json!({"community": "garden", "lines": body["lines"]});
        let quote = world
            .post("/api/checkouts/quote")
            .by(LI)
            .json(&quote)
            .content()
            .await;
        assert_eq!(quote["total_minor"], 2_200);
        world
            .post("/api/checkouts")
            .by(LI)
            .key("wrong")
            .json(&world.buying(&[("apple", 2), ("soap", 1)], 2_199))
            .refused(409, "total_changed")
            .await;
        assert_eq!(world.stock("apple").await, (10, 0, 0));
        let checkout = world.place(LI, &[("apple", 2), ("soap", 1)], 2_200).await;
        assert_eq!(checkout["orders"].as_array().unwrap().len(), 2);
        let asked = world.facts_of("payment.requested").await;
        assert_eq!(asked.len(), 1);
        assert_eq!(
            (&asked[0]["amount_minor"], &asked[0]["direct_minor"]),
            (&json!(2_200), &json!(1_200))
        );
        assert_eq!(
            (world.stock("apple").await, world.stock("soap").await),
            ((8, 2, 0), (4, 1, 0))
        );
        world.pay(&checkout).await;
        world.tick().await;
        assert_eq!(
            (world.stock("apple").await, world.stock("soap").await),
            ((8, 0, 2), (4, 0, 1))
        );
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn a_completed_order_pays_the_merchant_and_the_platform() {
    on_each_engine(async |world| {
        world.goods("apple", 1_000, 10).await;
        world.commission(500).await;
        let order = world.completed(&[("apple", 3)], 3_000).await;
        assert_eq!(
            (&order["summary"], &order["payment"]),
            (&json!("completed"), &json!("paid"))
        );
        assert_eq!(world.balance("suspense").await, 0);
        assert_eq!(world.balance("merchant_payable:fruit").await, 2_850);
        assert_eq!(world.balance("platform_commission").await, 150);
        let lines = world.facts_of("order_line.completed").await;
        assert_eq!(lines.len(), 1);
        assert_eq!(
            (
                &lines[0]["base_minor"],
                &lines[0]["commission_minor"],
                &lines[0]["rule"]
            ),
            (&json!(3_000), &json!(150), &json!("all"))
        );
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn where_the_channel_pays_the_merchant_no_commission_is_posted_at_completion() {
    on_each_engine(async |world| {
        world
            .shelf("laundry", ("service", "care"), ("wash", 2_000), 5)
            .await;
        world.commission(1_000).await;
        world.slot("wash", "wash-4pm", 3).await;
        let mut body = world.buying(&[("wash", 1)], 2_000);
        body["lines"][0]["slot"] = json!("wash-4pm");
        let ask = world.post("/api/checkouts").by(LI).key("wash");
        let checkout = ask.json(&body).content().await;
        world.pay(&checkout).await;
        let order = &checkout["orders"][0];
        world.step(LAUNDERER, order, "acceptance", json!({})).await;
        let code = world.whole(LI, order).await["verification_code"].clone();
        assert_eq!(
            world.whole(LAUNDERER, order).await["verification_code"],
            Value::Null
        );
        world
            .post(&path(order, "verification"))
            .by(LAUNDERER)
            .json(&json!({"code": "0"}))
            .refused(409, "code_wrong")
            .await;
        world
            .step(LAUNDERER, order, "verification", json!({"code": code}))
            .await;
        assert_eq!(world.whole(LI, order).await["state"], "completed");
        assert_eq!(world.balance("suspense").await, 0);
        assert_eq!(world.balance("channel_clearing:simulated").await, 0);
        assert_eq!(world.balance("platform_commission").await, 0);
        assert_eq!(
            world.facts_of("order_line.completed").await[0]["commission_minor"],
            200
        );
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn what_nobody_pays_in_time_is_free_again_and_late_money_goes_back() {
    on_each_engine(async |mut world| {
        world.goods("apple", 500, 10).await;
        let checkout = world.place(LI, &[("apple", 10)], 5_000).await;
        let money = world.received(&checkout).await;
        world.pass_ms(15 * MINUTE_MS - 1);
        world.tick().await;
        assert_eq!(world.stock("apple").await, (0, 10, 0));
        world.pass_ms(1);
        assert_eq!(world.tick().await["orders"]["closed"], 1);
        assert_eq!(world.tick().await["orders"]["closed"], 0);
        assert_eq!(world.stock("apple").await, (10, 0, 0));
        assert_eq!(world.facts_of("payment.cancel_requested").await.len(), 1);
        // The money was there before payments heard that nobody wants it.
        world.record(&money).await;
        world.record(&money).await;
        world.payment_closed(&checkout).await;
        assert_eq!(world.refund_all().await, [5_000]);
        assert_eq!(world.stock("apple").await, (10, 0, 0));
        assert_eq!(
            world.whole(LI, &checkout["orders"][0]).await["state"],
            "cancelled"
        );
        assert_eq!(world.balance("suspense").await, 0);
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn a_payment_notice_that_comes_twice_or_late_has_its_effect_once() {
    on_each_engine(async |mut world| {
        world.goods("apple", 500, 10).await;
        let checkout = world.place(LI, &[("apple", 1)], 500).await;
        let money = world.pay(&checkout).await;
        world.record(&money).await;
        // Heard only after the time was over: it was paid in time.
        world.pass_ms(20 * MINUTE_MS);
        world.tick().await;
        world.record(&money).await;
        world.tick().await;
        let order = world.whole(LI, &checkout["orders"][0]).await;
        assert_eq!(
            (&order["summary"], &order["payment"]),
            (&json!("to_accept"), &json!("paid"))
        );
        assert_eq!(world.stock("apple").await, (9, 0, 1));
        assert!(world.facts_of("refund.requested").await.is_empty());
        let changes = world.facts_of("order.changed").await;
        let paid = changes.iter().filter(|fact| fact["change"] == "paid");
        assert_eq!(paid.count(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_price_is_changed_before_payment_alone_and_the_payment_is_asked_for_anew() {
    on_each_engine(async |world| {
        world.goods("apple", 500, 10).await;
        let checkout = world.place(LI, &[("apple", 3)], 1_500).await;
        let order = &checkout["orders"][0];
        let price = json!({"goods_minor": 1_000, "freight_minor": 0, "reason": "老客户"});
        let change = || world.put(&path(order, "price")).by(FRUITER).json(&price);
        change().refused(428, "if_match_required").await;
        change()
            .header("if-match", "\"7\"")
            .refused(412, "version_changed")
            .await;
        change().header("if-match", "\"1\"").content().await;
        world
            .put(&path(order, "price"))
            .by(FRUITER)
            .header("if-match", "*")
            .json(&json!({"goods_minor": -1, "freight_minor": 0, "reason": "x"}))
            .refused(422, "price_invalid")
            .await;
        let before = world.received(&checkout).await;
        world.record(&before).await;
        let path_of = format!("/api/checkouts/{}", checkout["id"].as_str().unwrap());
        let now = world.get(&path_of).by(LI).content().await;
        assert_eq!(
            (&now["total_minor"], &now["state"]),
            (&json!(1_000), &json!("unpaid"))
        );
        assert_ne!(now["payment"], checkout["payment"]);
        // The old total was paid at the same moment: it goes back, and the new one is still wanted.
        assert_eq!(world.refund_all().await, [1_500]);
        world.pay(&now).await;
        let whole = world.whole(LI, order).await;
        assert_eq!(
            (&whole["payment"], &whole["total_minor"]),
            (&json!("paid"), &json!(1_000))
        );
        assert_eq!(whole["price_changes"][0]["before_goods_minor"], 1_500);
        change()
            .header("if-match", "*")
            .refused(409, "order_state")
            .await;
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn a_rejected_order_goes_back_to_the_shelf_and_its_money_to_the_buyer() {
    on_each_engine(async |world| {
        world.goods("apple", 500, 10).await;
        world.goods("pear", 700, 10).await;
        let checkout = world.place(LI, &[("apple", 2), ("pear", 1)], 1_700).await;
        world.pay(&checkout).await;
        let order = &checkout["orders"][0];
        world
            .step(FRUITER, order, "rejection", json!({"reason": "卖完了"}))
            .await;
        assert_eq!(
            (world.stock("apple").await, world.stock("pear").await),
            ((10, 0, 0), (10, 0, 0))
        );
        assert_eq!(world.refund_all().await, [1_700]);
        assert_eq!(world.balance("suspense").await, 0);
        let problem = world
            .post(&path(order, "acceptance"))
            .by(FRUITER)
            .refused(409, "order_state")
            .await;
        assert!(
            problem["detail"].as_str().unwrap().contains("cancelled"),
            "{problem}"
        );
    })
    .await;
}
