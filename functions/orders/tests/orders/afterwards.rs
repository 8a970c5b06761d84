//! Refunds, returns, exchanges and disputes, to the fen.

use serde_json::json;

use crate::support::{AUDITOR, DAY_MS, FRUITER, LAUNDERER, LI, WANG, World, on_each_engine};
use crate::trade::path;

/// What the fruit shop may draw, what it owes, what the platform took.
async fn standing(world: &World) -> (i64, i64, i64) {
    (
        world.balance("merchant_payable:fruit").await,
        world.balance("merchant_receivable:fruit").await,
        world.balance("platform_commission").await,
    )
}

#[tokio::test]
async fn three_single_refunds_of_a_line_over_three_units_close_exactly() {
    on_each_engine(async |world| {
        world.goods("apple", 1_000, 10).await;
        world.commission(3_333).await;
        let order = world.completed(&[("apple", 3)], 3_000).await;
        assert_eq!(standing(&world).await, (2_000, 0, 1_000));
        let mut seen = Vec::new();
        for _ in 0..3 {
            let asked = world.ask_refund(&order, 1, None).await;
            world.answering(&asked, "agreement").content().await;
            world.refund_all().await;
            seen.push(world.balance("platform_commission").await);
        }
        assert_eq!(seen, [667, 333, 0]);
        assert_eq!(standing(&world).await, (0, 0, 0));
        assert_eq!(world.balance("suspense").await, 0);
        let told = world.facts_of("order_line.refunded").await;
        let back: Vec<_> = told
            .iter()
            .map(|fact| fact["commission_minor"].as_i64().unwrap())
            .collect();
        assert_eq!(back, [333, 334, 333]);
        assert_eq!(world.whole(LI, &order).await["payment"], "refunded");
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn of_two_refunds_of_sixty_out_of_a_hundred_one_wins() {
    on_each_engine(async |world| {
        world.goods("apple", 10_000, 10).await;
        let order = world.completed(&[("apple", 1)], 10_000).await;
        let first = world.ask_refund(&order, 0, Some(6_000)).await;
        let second = world.ask_refund(&order, 0, Some(6_000)).await;
        let (one, other) = tokio::join!(
            world.answering(&first, "agreement").reply(),
            world.answering(&second, "agreement").reply()
        );
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
        assert_eq!(world.refund_all().await, [6_000]);
        assert_eq!(world.whole(LI, &order).await["refunded_minor"], 6_000);
        // Two distinct refunds of one amount are both legal.
        for _ in 0..2 {
            let asked = world.ask_refund(&order, 0, Some(2_000)).await;
            world.answering(&asked, "agreement").content().await;
        }
        assert_eq!(world.refund_all().await, [2_000, 2_000]);
        let more = json!({"kind": "refund", "lines": [{"line": world.whole(LI, &order).await["lines"][0]["id"], "amount_minor": 1}], "reason": "x"});
        let more = world.post(&path(&order, "after-sales")).by(LI).key("more").json(&more);
        more.refused(409, "refund_too_large").await;
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn a_refund_beyond_what_a_merchant_may_draw_is_owed() {
    on_each_engine(async |world| {
        world.goods("apple", 1_000, 10).await;
        world.commission(1_000).await;
        let order = world.completed(&[("apple", 1)], 1_000).await;
        // It has drawn 800 of its 900 already.
        world.drawn("fruit", 800).await;
        let asked = world.ask_refund(&order, 1, None).await;
        world.answering(&asked, "agreement").content().await;
        assert_eq!(standing(&world).await, (0, 800, 0));
        world.refund_all().await;
        assert_eq!(
            world.facts_of("order_line.refunded").await[0]["owed_minor"],
            800
        );
        assert_eq!(world.balance("suspense").await, 0);
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn a_refund_that_the_channel_will_not_do_is_taken_back_and_can_be_agreed_to_again() {
    on_each_engine(async |world| {
        world.goods("apple", 1_000, 10).await;
        world.commission(1_000).await;
        let order = world.completed(&[("apple", 1)], 1_000).await;
        let asked = world.ask_refund(&order, 1, None).await;
        world.answering(&asked, "agreement").content().await;
        let wanted = world.facts_of("refund.requested").await;
        world.refund_fails(&wanted[0]).await;
        world.refund_fails(&wanted[0]).await;
        world.tick().await;
        assert_eq!(standing(&world).await, (900, 0, 100));
        assert_eq!(world.balance("suspense").await, 0);
        assert_eq!(world.whole(LI, &order).await["refunded_minor"], 0);
        assert!(world.facts_of("order_line.refunded").await.is_empty());
        let again = world.answering(&asked, "agreement").reply().await;
        assert_eq!(again.status, 200, "{}", crate::support::content_of(&again));
        assert_eq!(standing(&world).await, (0, 0, 0));
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn before_completion_money_that_cannot_go_back_becomes_credit_of_the_buyer() {
    on_each_engine(async |world| {
        world.goods("apple", 1_000, 10).await;
        let order = world.accepted(&[("apple", 2)], 2_000).await;
        let asked = world.ask_refund(&order, 2, None).await;
        world
            .post(&path(&order, "shipment"))
            .by(FRUITER)
            .json(&json!({}))
            .refused(409, "order_state")
            .await;
        world.answering(&asked, "agreement").content().await;
        assert_eq!(world.stock("apple").await, (10, 0, 0));
        let wanted = world.facts_of("refund.requested").await;
        world.refund_fails(&wanted[0]).await;
        world.tick().await;
        assert_eq!(world.balance("resident_wallet:li").await, 2_000);
        assert_eq!(world.balance("suspense").await, 0);
        assert_eq!(world.whole(LI, &order).await["state"], "cancelled");
        assert_eq!(world.stock("apple").await, (10, 0, 0));
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn a_part_that_went_back_before_completion_is_no_part_of_the_sale() {
    on_each_engine(async |world| {
        world.goods("apple", 1_000, 10).await;
        world.commission(1_000).await;
        let order = world.accepted(&[("apple", 3)], 3_000).await;
        let asked = world.ask_refund(&order, 1, None).await;
        world.answering(&asked, "agreement").content().await;
        world.refund_all().await;
        assert_eq!(world.stock("apple").await, (8, 0, 2));
        world.step(FRUITER, &order, "shipment", json!({})).await;
        world.step(LI, &order, "completion", json!({})).await;
        assert_eq!(standing(&world).await, (1_800, 0, 200));
        assert_eq!(world.balance("suspense").await, 0);
        let line = &world.facts_of("order_line.completed").await[0];
        assert_eq!(
            (
                &line["quantity"],
                &line["paid_minor"],
                &line["commission_minor"]
            ),
            (&json!(2), &json!(2_000), &json!(200))
        );
        assert!(world.facts_of("order_line.refunded").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_exchange_sends_another_one_and_moves_no_money() {
    on_each_engine(async |world| {
        world.goods("apple", 1_000, 10).await;
        let order = world.completed(&[("apple", 1)], 1_000).await;
        let line = world.whole(LI, &order).await["lines"][0]["id"].clone();
        let body = json!({"kind": "exchange", "lines": [{"line": line, "quantity": 1}], "reason": "尺寸不对"});
        let asked = world.step(LI, &order, "after-sales", body).await;
        world.answering(&asked, "receipt").refused(409, "after_sale_state").await;
        world.answering(&asked, "agreement").content().await;
        let back = format!("/api/after-sales/{}/return", asked["id"].as_str().unwrap());
        let sent = json!({"carrier": "中通", "tracking": "ZT1"});
        world.post(&back).by(FRUITER).key("r0").json(&sent).refused(403, "buyer_only").await;
        world.post(&back).by(LI).key("r1").json(&sent).content().await;
        world.answering(&asked, "receipt").content().await;
        let done = world.answering(&asked, "reshipment").json(&sent).content().await;
        assert_eq!((&done["state"], &done["amount_minor"]), (&json!("reshipped"), &json!(0)));
        assert!(world.facts_of("refund.requested").await.is_empty());
        assert_eq!(world.whole(LI, &order).await["summary"], "completed");
        assert_eq!(world.stock("apple").await, (8, 0, 1));
    })
    .await;
}

#[tokio::test]
async fn an_after_sale_is_asked_for_in_time_and_answered_by_the_shop_alone() {
    on_each_engine(async |mut world| {
        world.goods("apple", 1_000, 10).await;
        let order = world.completed(&[("apple", 1)], 1_000).await;
        let asked = world.ask_refund(&order, 1, None).await;
        let path_of = format!("/api/after-sales/{}", asked["id"].as_str().unwrap());
        world
            .get(&path_of)
            .by(LAUNDERER)
            .refused(404, "after_sale_unknown")
            .await;
        let agree = |who| world.post(&format!("{path_of}/agreement")).by(who).key("a");
        agree(LAUNDERER).refused(404, "after_sale_unknown").await;
        agree(LI).refused(403, "merchant_only").await;
        agree(AUDITOR).refused(403, "merchant_only").await;
        let refused = world
            .answering(&asked, "refusal")
            .json(&json!({"words": "已签收"}))
            .content()
            .await;
        assert_eq!(
            (&refused["state"], &refused["answer"]),
            (&json!("refused"), &json!("已签收"))
        );
        world.pass_ms(15 * DAY_MS + 1);
        let line = world.whole(LI, &order).await["lines"][0]["id"].clone();
        let body =
            json!({"kind": "refund", "lines": [{"line": line, "quantity": 1}], "reason": "x"});
        let late = world
            .post(&path(&order, "after-sales"))
            .by(LI)
            .key("late")
            .json(&body);
        late.refused(409, "after_sale_late").await;
    })
    .await;
}

#[tokio::test]
async fn a_dispute_hears_both_sides_and_its_decision_is_done_at_once() {
    on_each_engine(async |mut world| {
        world.goods("apple", 1_000, 10).await;
        world.commission(1_000).await;
        let order = world.completed(&[("apple", 3)], 3_000).await;
        let claim = json!({"claim": "少了一箱"});
        let dispute = world.step(LI, &order, "disputes", claim.clone()).await;
        world
            .post(&path(&order, "disputes"))
            .by(FRUITER)
            .key("d2")
            .json(&claim)
            .refused(409, "dispute_open")
            .await;
        let path_of =
            |step: &str| format!("/api/disputes/{}{step}", dispute["id"].as_str().unwrap());
        world
            .get(&path_of(""))
            .by(LAUNDERER)
            .refused(404, "dispute_unknown")
            .await;
        let part = json!({"decision": "part", "amount_minor": 700, "reason": "各担一半"});
        let decide = |key: &'static str| {
            world
                .post(&path_of("/decision"))
                .by(WANG)
                .key(key)
                .json(&part)
        };
        decide("early").refused(409, "evidence_awaited").await;
        world
            .post(&path_of("/decision"))
            .by(FRUITER)
            .key("m")
            .json(&part)
            .refused(403, "operator_only")
            .await;
        let evidence = json!({"words": "打包照片", "files": ["https://files.example/1"]});
        world
            .post(&path_of("/evidence"))
            .by(FRUITER)
            .json(&evidence)
            .content()
            .await;
        let decided = decide("now").content().await;
        assert_eq!(
            (&decided["state"], &decided["amount_minor"]),
            (&json!("executed"), &json!(700))
        );
        assert_eq!(world.refund_all().await, [700]);
        assert_eq!(standing(&world).await, (2_070, 0, 230));
        decide("twice").refused(409, "dispute_state").await;
        world.pass_ms(3 * DAY_MS);
        world
            .post(&path_of("/evidence"))
            .by(LI)
            .json(&evidence)
            .refused(409, "dispute_state")
            .await;
        assert_eq!(world.whole(LI, &order).await["summary"], "completed");
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn a_full_decision_gives_all_back_and_a_rejecting_one_nothing() {
    on_each_engine(async |mut world| {
        world.goods("apple", 1_000, 10).await;
        for (decision, back) in [
            ("full", vec![1_000]),
            ("reject", vec![]),
            ("exchange", vec![]),
        ] {
            let order = world.completed(&[("apple", 1)], 1_000).await;
            let dispute = world
                .step(LI, &order, "disputes", json!({"claim": "x"}))
                .await;
            world.pass_ms(2 * DAY_MS);
            let path_of = format!("/api/disputes/{}/decision", dispute["id"].as_str().unwrap());
            let verdict = json!({"decision": decision, "reason": "证据充分"});
            world
                .post(&path_of)
                .by(WANG)
                .key("v")
                .json(&verdict)
                .content()
                .await;
            assert_eq!(world.refund_all().await, back);
            let contests = world.whole(LI, &order).await["contests"].clone();
            assert_eq!(contests, i64::from(decision == "exchange"));
        }
        world.books_are_right().await;
    })
    .await;
}
