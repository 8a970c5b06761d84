//! Money that goes out: under one number, whatever is lost on the way.

use kernel::{Currency, TransferId};
use payments::exchange::Sent;
use payments::protocol::keys::PrivateKey;
use payments::protocol::wechat::{Authorization, request_message};
use serde_json::{Value, json};
use wire::event::TransferRequested;

use crate::channels::{configured, wechat_answer};
use crate::support::{AUDITOR, MERCHANT_KEY, World, on_each_engine, with_settings};

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

/// What WeChat Pay says of a bill.
fn bill(number: &str, state: &str, more: Value) -> Value {
    let mut bill = json!({"out_bill_no": number, "transfer_bill_no": "1330000071100999991182020050700019480001",
        "state": state, "create_time": "2027-01-15T16:00:00+08:00"});
    for (name, value) in more.as_object().unwrap() {
        bill[name] = value.clone();
    }
    bill
}

/// What WeChat Pay says of a bill, as the answer to the next request.
fn answers(world: &World, status: u16, body: &Value) {
    let answer = wechat_answer(world, status, &body.to_string());
    world.context.exchange.answer(answer);
}

const PATH: &str = "/v3/fund-app/mch-transfer/transfer-bills";

/// The number of a transfer that was sent, signed and in the words of the interface.
fn number_of(sent: &Sent) -> String {
    assert_eq!(
        (sent.method, sent.url.as_str()),
        (
            "POST",
            "https://wechat.invalid/v3/fund-app/mch-transfer/transfer-bills"
        )
    );
    let header = |name: &str| {
        let found = sent.headers.iter().find(|(known, _)| *known == name);
        found.unwrap().1.clone()
    };
    let parts = Authorization::parse(&header("authorization")).unwrap();
    let message = request_message("POST", PATH, (parts.timestamp, &parts.nonce), &sent.body);
    let key = PrivateKey::from_pem(MERCHANT_KEY).unwrap();
    assert!(key.public().verifies(message.as_bytes(), &parts.signature));
    assert_eq!(header("wechatpay-serial"), "PUB_KEY_ID_1");
    let body: Value = serde_json::from_str(&sent.body).unwrap();
    let number = body["out_bill_no"].as_str().unwrap().to_owned();
    assert_eq!(number.len(), 32);
    assert_eq!(
        (&body["appid"], &body["openid"], &body["transfer_amount"]),
        (&json!("wxapp"), &json!("o-openid"), &json!(250_000))
    );
    assert_eq!(
        body["notify_url"],
        "https://linli.invalid/api/payment-notices/wechat"
    );
    // From 2,000 yuan on the name is told, and only the platform reads it.
    assert!(!sent.body.contains("张三") && body["user_name"].as_str().unwrap().len() > 300);
    number
}

#[tokio::test]
async fn wechat_pay_is_asked_in_its_own_words_and_under_one_number_until_it_has_paid() {
    with_settings(configured, async |mut world| {
        world.record(&requested("t1", "o-openid", "wechat")).await;
        // Nobody answers: the bill may have arrived.
        world.tick().await;
        let number = number_of(&world.context.exchange.take().remove(0));
        // It never arrived, and there is not enough money yet: both leave it open.
        world.pass_ms(10_000);
        answers(&world, 404, &json!({"code": "NOT_FOUND"}));
        answers(&world, 403, &json!({"code": "NOT_ENOUGH"}));
        world.tick().await;
        let again = world.context.exchange.take();
        assert!(
            again[0]
                .url
                .ends_with(&format!("{PATH}/out-bill-no/{number}"))
        );
        let second: Value = serde_json::from_str(&again[1].body).unwrap();
        assert_eq!(second["out_bill_no"], number.as_str());
        world.pass_ms(20_000);
        let waits = json!({"package_info": "package", "transfer_amount": 250_000});
        answers(&world, 200, &bill(&number, "WAIT_USER_CONFIRM", waits));
        world.tick().await;
        assert_eq!(
            world.facts("transfer.waiting").await[0]["confirmation"],
            "package"
        );
        // An answer about another amount is not believed.
        world.pass_ms(40_000);
        let other = json!({"transfer_amount": 1, "update_time": "2027-01-15T16:01:00+08:00"});
        answers(&world, 200, &bill(&number, "SUCCESS", other));
        world.tick().await;
        assert!(ended(&world, "transfer.succeeded").await.is_empty());
        world.pass_ms(80_000);
        let paid = json!({"transfer_amount": 250_000, "update_time": "2027-01-15T16:01:00+08:00"});
        answers(&world, 200, &bill(&number, "SUCCESS", paid));
        world.tick().await;
        let told = world.facts("transfer.succeeded").await;
        assert_eq!(
            (told.len(), &told[0]["channel_transfer"]),
            (1, &json!("1330000071100999991182020050700019480001"))
        );
        assert_eq!(told[0]["at"], "2027-01-15T08:01:00.000Z");
        assert!(ended(&world, "transfer.failed").await.is_empty());
    })
    .await;
}
