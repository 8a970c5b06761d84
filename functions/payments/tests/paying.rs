//! From a request for money to money in the books, whatever the channel does with its notices.

use std::collections::BTreeMap;

use serde_json::json;

use crate::support::{CHEN, LI, WANG, on_each_engine};

#[tokio::test]
async fn a_payment_is_paid_over_the_simulated_channel_and_stands_in_suspense() {
    on_each_engine(async |world| {
        world.asked("p1", 12_345).await;
        let attempt = world.started("p1").await;
        assert_eq!(attempt["state"], "waiting");
        assert!(
            attempt["code_url"]
                .as_str()
                .unwrap()
                .starts_with("weixin://wxpay/bizpayurl?pr=")
        );
        world.pays("p1").await;
        let payment = world.payment("p1").await;
        assert_eq!(
            (&payment["state"], &payment["attempts"][0]["state"]),
            (&json!("succeeded"), &json!("succeeded"))
        );
        assert_eq!(world.stands("channel_clearing:simulated").await, 12_345);
        assert_eq!(world.stands("suspense").await, 12_345);
        let told = world.facts("payment.succeeded").await;
        assert_eq!(told.len(), 1);
        assert_eq!(
            (&told[0]["amount_minor"], &told[0]["reference"]),
            (&json!(12_345), &json!("bill-p1"))
        );
        assert_eq!(told[0]["transaction"], payment["transaction"]);
        world.books_are_clean().await;
    })
    .await;
}

#[tokio::test]
async fn the_same_start_is_the_same_attempt_and_another_key_finds_the_one_that_waits() {
    on_each_engine(async |world| {
        world.asked("p1", 100).await;
        let first = world.started("p1").await;
        assert_eq!(world.started("p1").await["id"], first["id"]);
        let ask = json!({"channel": "simulated"});
        let start = |key: &'static str| {
            world
                .post("/api/payments/p1/attempts")
                .by(CHEN)
                .key(key)
                .json(&ask)
        };
        assert_eq!(start("other").content().await["number"], first["number"]);
        world
            .post("/api/payments/p1/attempts")
            .by(LI)
            .json(&ask)
            .refused(422, "idempotency_key_required")
            .await;
        let wechat = json!({"channel": "wechat"});
        world
            .post("/api/payments/p1/attempts")
            .by(LI)
            .key("w")
            .json(&wechat)
            .refused(409, "channel_unavailable")
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_notice_that_is_repeated_pays_once() {
    on_each_engine(async |mut world| {
        world.behaves(json!({"repeats": 3})).await;
        world.paid("p1", 500).await;
        for _ in 0..5 {
            world.pass_ms(20_000);
            world.tick().await;
        }
        assert_eq!(world.stands("suspense").await, 500);
        assert_eq!(world.facts("payment.succeeded").await.len(), 1);
        world.books_are_clean().await;
    })
    .await;
}

#[tokio::test]
async fn a_notice_that_is_lost_is_made_up_for_by_asking() {
    on_each_engine(async |mut world| {
        world.behaves(json!({"lose": true})).await;
        world.paid("p1", 500).await;
        assert_eq!(world.payment("p1").await["state"], "open");
        world.pass_ms(15_000);
        world.tick().await;
        assert_eq!(world.payment("p1").await["state"], "succeeded");
        assert_eq!(world.stands("suspense").await, 500);
    })
    .await;
}

#[tokio::test]
async fn a_delayed_notice_finds_what_the_query_has_told_before() {
    on_each_engine(async |mut world| {
        world.asked("p1", 500).await;
        world.started("p1").await;
        world.behaves(json!({"payment": "p1", "delay_s": 60})).await;
        world.pays("p1").await;
        assert_eq!(world.payment("p1").await["state"], "open");
        world.pass_ms(20_000);
        world.tick().await;
        assert_eq!(world.payment("p1").await["state"], "succeeded");
        world.pass_ms(60_000);
        assert_eq!(world.tick().await["delivered"], 1);
        assert_eq!(world.stands("suspense").await, 500);
        assert_eq!(world.facts("payment.succeeded").await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn notices_in_another_order_come_to_the_same() {
    on_each_engine(async |mut world| {
        world.behaves(json!({"reorder": true})).await;
        world.asked("p1", 300).await;
        world.started("p1").await;
        world.pays("p1").await;
        world.behaves(json!({})).await;
        world.paid("p2", 200).await;
        assert_eq!(world.payment("p2").await["state"], "succeeded");
        assert_eq!(world.payment("p1").await["state"], "open");
        world.pass_ms(20_000);
        world.tick().await;
        assert_eq!(world.payment("p1").await["state"], "succeeded");
        assert_eq!(world.stands("suspense").await, 500);
        world.books_are_clean().await;
    })
    .await;
}

#[tokio::test]
async fn a_payment_expires_and_the_channel_takes_no_money_for_it_any_more() {
    on_each_engine(async |mut world| {
        world.asked("p1", 500).await;
        world.started("p1").await;
        world.pass_ms(3_600_000);
        let done = world.tick().await;
        assert_eq!(done["expired"], 1);
        let payment = world.payment("p1").await;
        assert_eq!(
            (&payment["state"], &payment["reason"]),
            (&json!("closed"), &json!("expired"))
        );
        assert_eq!(payment["attempts"][0]["state"], "closed");
        assert_eq!(world.facts("payment.closed").await.len(), 1);
        world
            .post("/api/simulated-channel/payments/p1")
            .by(LI)
            .refused(409, "nothing_to_pay")
            .await;
        let ask = json!({"channel": "simulated"});
        world
            .post("/api/payments/p1/attempts")
            .by(LI)
            .key("again")
            .json(&ask)
            .refused(409, "payment_state")
            .await;
    })
    .await;
}

#[tokio::test]
async fn money_that_comes_too_late_goes_back_by_itself() {
    on_each_engine(async |mut world| {
        world.behaves(json!({"lose": true})).await;
        world.asked("p1", 500).await;
        world.started("p1").await;
        world.pays("p1").await;
        world
            .record(&wire::event::PaymentCancelRequested {
                payment: kernel::PaymentId::parse("p1").unwrap(),
                reason: "已在前台付款".to_owned(),
            })
            .await;
        // The cancellation is heard first; the query then tells of the money.
        let done = world.tick().await;
        assert_eq!((&done["asked"], &done["refunds"]), (&json!(1), &json!(1)));
        world.pass_ms(60_000);
        world.tick().await;
        let payment = world.payment("p1").await;
        assert_eq!(
            (&payment["state"], &payment["attempts"][0]["state"]),
            (&json!("closed"), &json!("late"))
        );
        let refunds = world.get("/api/refunds?payment=p1").by(LI).content().await;
        let refund = &refunds["items"][0];
        assert_eq!(
            (&refund["automatic"], &refund["state"]),
            (&json!(true), &json!("succeeded"))
        );
        for account in [
            "channel_clearing:simulated",
            "refund_in_transit",
            "suspense",
        ] {
            assert_eq!(world.stands(account).await, 0, "{account}");
        }
        assert_eq!(world.facts("payment.succeeded").await.len(), 0);
        world.books_are_clean().await;
    })
    .await;
}

#[tokio::test]
async fn a_request_for_nothing_is_closed_and_the_same_request_twice_is_one_payment() {
    on_each_engine(async |world| {
        world.asked("p0", 0).await;
        world.asked("p1", 100).await;
        world.asked("p1", 999).await;
        world.tick().await;
        assert_eq!(world.facts("payment.closed").await[0]["reason"], "invalid");
        assert_eq!(world.payment("p1").await["amount"]["minor"], 100);
        let list = world
            .get("/api/payments?state=open")
            .by(WANG)
            .content()
            .await;
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_erased_persons_payments_keep_their_amounts_and_lose_their_words() {
    on_each_engine(async |world| {
        world.paid("p1", 100).await;
        world.asked("p2", 100).await;
        world
            .record(&wire::event::PersonErased {
                person: kernel::ActorId::parse("li").unwrap(),
                actor: kernel::ActorId::parse("wang").unwrap(),
            })
            .await;
        world.tick().await;
        let paid = world.get("/api/payments/p1").by(WANG).content().await;
        assert_eq!(
            (&paid["subject"], &paid["amount"]["minor"]),
            (&json!(""), &json!(100))
        );
        let open = world.get("/api/payments/p2").by(WANG).content().await;
        assert_eq!(open["subject"], "物业费", "the channel is still told of it");
        world.books_are_clean().await;
    })
    .await;
}

#[tokio::test]
async fn a_key_of_the_simulated_channel_that_was_not_made_in_time_is_made_by_who_asks_next() {
    on_each_engine(async |world| {
        world.asked("p1", 100).await;
        world.started("p1").await;
        let keys = async || {
            let rows = "select name, secret from payments_simulated_key order by name";
            let rows = world.context.db.rows(rows, &[]).await.unwrap();
            let text = |row: &store::Row, column| row.text(column).unwrap().to_owned();
            let keys = rows.iter().map(|row| (text(row, 0), text(row, 1)));
            keys.collect::<BTreeMap<String, String>>()
        };
        let made = keys().await;
        let forget = "delete from payments_simulated_key where name = 'platform'";
        world.context.db.rows(forget, &[]).await.unwrap();
        world.asked("p2", 200).await;
        world.started("p2").await;
        world.pays("p2").await;
        let kept = keys().await;
        assert_eq!(kept["merchant"], made["merchant"]);
        assert_eq!(kept["api"], made["api"]);
        assert_ne!(kept["platform"], made["platform"]);
        assert_eq!(world.payment("p2").await["state"], "succeeded");
    })
    .await;
}
