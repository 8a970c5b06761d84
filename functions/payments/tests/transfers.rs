//! Money that goes out: under one number, whatever is lost on the way.

use kernel::{Currency, TransferId};
use serde_json::{Value, json};
use wire::event::TransferRequested;

use crate::support::{AUDITOR, World, on_each_engine};

fn requested(transfer: &str, payee: &str, channel: &str) -> TransferRequested {
    TransferRequested {
        transfer: TransferId::parse(transfer).unwrap(),
        purpose: "withdrawal".to_owned(),
        reference: format!("w-{transfer}"),
        channel: channel.to_owned(),
        payee: payee.to_owned(),
        name: "张三".to_owned(),
        amount_minor: 250_000,
        currency: Currency::Cny,
        remark: "提现".to_owned(),
    }
}

async fn ended(world: &World, kind: &str) -> Vec<Value> {
    let facts = world.facts(kind).await;
    facts.iter().map(|fact| fact["transfer"].clone()).collect()
}

#[tokio::test]
async fn a_transfer_goes_out_once_however_often_it_is_asked_for_and_told_of() {
    on_each_engine(async |mut world| {
        let asked = requested("t1", "openid-1", "simulated");
        world.record(&asked).await;
        world.record(&asked).await;
        world.behaves(json!({"repeats": 2})).await;
        assert_eq!(world.tick().await["transfers"], 1);
        assert!(ended(&world, "transfer.succeeded").await.is_empty());
        for _ in 0..4 {
            world.pass_ms(20_000);
            world.tick().await;
        }
        let told = world.facts("transfer.succeeded").await;
        assert_eq!(told.len(), 1);
        assert_eq!(
            (&told[0]["reference"], &told[0]["amount_minor"]),
            (&json!("w-t1"), &json!(250_000))
        );
        assert!(
            told[0]["channel_transfer"]
                .as_str()
                .unwrap()
                .starts_with("13")
        );
        assert_eq!(world.tick().await["transfers"], 0);
        let shown = world.get("/api/transfers/t1").by(AUDITOR).content().await;
        assert_eq!(
            (&shown["state"], &shown["channel_transfer"]),
            (&json!("succeeded"), &told[0]["channel_transfer"])
        );
        assert!(shown.get("payee").is_none());
        let page = world.get("/api/transfers?state=succeeded").by(AUDITOR);
        assert_eq!(page.content().await["items"][0]["id"], "t1");
    })
    .await;
}

#[tokio::test]
async fn a_channel_that_does_not_answer_is_asked_under_the_same_number() {
    on_each_engine(async |mut world| {
        world.behaves(json!({"lose": true})).await;
        world
            .record(&requested("t2", "openid-0002", "simulated"))
            .await;
        world
            .record(&requested("t3", "openid-0003", "simulated"))
            .await;
        world.tick().await;
        assert!(ended(&world, "transfer.succeeded").await.is_empty());
        world.pass_ms(10_000);
        world.tick().await;
        // What was lost was done; what was worked on is done the next time.
        assert_eq!(ended(&world, "transfer.succeeded").await, ["t2"]);
        world.pass_ms(20_000);
        world.tick().await;
        assert_eq!(ended(&world, "transfer.succeeded").await, ["t2", "t3"]);
        assert!(ended(&world, "transfer.failed").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn who_has_to_say_yes_is_told_how_and_who_cannot_be_paid_is_told_why() {
    on_each_engine(async |mut world| {
        world
            .record(&requested("t1", "openid-0001", "simulated"))
            .await;
        world
            .record(&requested("t4", "openid-0004", "simulated"))
            .await;
        world.record(&requested("t5", "openid-5", "wechat")).await;
        world.tick().await;
        let waiting = world.facts("transfer.waiting").await;
        assert_eq!((waiting.len(), &waiting[0]["transfer"]), (1, &json!("t4")));
        assert!(!waiting[0]["confirmation"].as_str().unwrap().is_empty());
        let failed = world.facts("transfer.failed").await;
        let reasons: Vec<_> = failed
            .iter()
            .map(|fact| (fact["transfer"].clone(), fact["reason"].clone()))
            .collect();
        assert_eq!(
            reasons,
            [
                (json!("t5"), json!("channel_unavailable")),
                (json!("t1"), json!("payee_account_abnormal"))
            ]
        );
        for _ in 0..3 {
            world.pass_ms(40_000);
            world.tick().await;
        }
        assert_eq!(ended(&world, "transfer.succeeded").await, ["t4"]);
        assert_eq!(world.facts("transfer.waiting").await.len(), 1);
    })
    .await;
}
