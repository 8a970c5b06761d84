//! Money that goes back: never more than was paid, once, and under one number.

use serde_json::json;

use crate::support::{LI, on_each_engine};

#[tokio::test]
async fn a_part_goes_back_over_the_channel_and_through_the_books() {
    on_each_engine(async |mut world| {
        world.paid("p1", 1_000).await;
        world.asked_back("r1", "p1", 300).await;
        world.tick().await;
        assert_eq!(world.stands("refund_in_transit").await, 300);
        world.pass_ms(10_000);
        world.tick().await;
        let refund = world.get("/api/refunds/r1").by(LI).content().await;
        assert_eq!(refund["state"], "succeeded", "{refund}");
        assert_eq!(world.stands("refund_in_transit").await, 0);
        assert_eq!(world.stands("channel_clearing:simulated").await, 700);
        assert_eq!(world.stands("suspense").await, 700);
        let told = world.facts("refund.succeeded").await;
        assert_eq!((told.len(), &told[0]["amount_minor"]), (1, &json!(300)));
        world.books_are_clean().await;
    })
    .await;
}

#[tokio::test]
async fn two_refunds_of_one_amount_are_both_right_and_one_too_many_is_not() {
    on_each_engine(async |mut world| {
        world.paid("p1", 1_000).await;
        for refund in ["r1", "r2", "r3"] {
            world.asked_back(refund, "p1", 400).await;
        }
        world.asked_back("r4", "nobody", 1).await;
        for _ in 0..3 {
            world.tick().await;
            world.pass_ms(30_000);
        }
        assert_eq!(world.facts("refund.succeeded").await.len(), 2);
        let failed = world.facts("refund.failed").await;
        let reasons: Vec<_> = failed
            .iter()
            .map(|fact| fact["reason"].as_str().unwrap())
            .collect();
        assert_eq!(reasons, ["refund_exceeds_payment", "payment_unknown"]);
        assert_eq!(world.stands("channel_clearing:simulated").await, 200);
        world.books_are_clean().await;
    })
    .await;
}

#[tokio::test]
async fn a_refund_that_the_channel_will_not_do_puts_the_money_back_where_it_was() {
    on_each_engine(async |mut world| {
        world.behaves(json!({"fail_refunds": true})).await;
        world.paid("p1", 1_000).await;
        world.asked_back("r1", "p1", 1_000).await;
        for _ in 0..3 {
            world.tick().await;
            world.pass_ms(30_000);
        }
        let refund = world.get("/api/refunds/r1").by(LI).content().await;
        assert_eq!(
            (&refund["state"], &refund["failure"]),
            (&json!("failed"), &json!("abnormal"))
        );
        assert_eq!(world.stands("suspense").await, 1_000);
        assert_eq!(world.stands("refund_in_transit").await, 0);
        assert_eq!(world.payment("p1").await["refunded_minor"], 0);
        assert_eq!(world.facts("refund.failed").await.len(), 1);
        world.books_are_clean().await;
    })
    .await;
}
