//! WeChat Pay and Alipay as they are set up: what is sent, and which answers are believed.

use payments::context::Settings;
use payments::exchange::Answered;
use payments::protocol::alipay::{Fields, fields_of, notice_message, request_message};
use payments::protocol::keys::PrivateKey;
use payments::protocol::wechat::{Authorization, Signed, request_message as wechat_message};
use serde_json::{Value, json};

use crate::support::{API_KEY, LI, MERCHANT_KEY, PLATFORM_KEY, World, settings, with_settings};

fn platform_public() -> String {
    PrivateKey::from_pem(PLATFORM_KEY)
        .unwrap()
        .public()
        .pem()
        .unwrap()
}

/// Both channels, with keys of the tests.
pub fn configured() -> Settings {
    let own = str::to_owned;
    Settings {
        simulated_channel: "off".to_owned(),
        wechat: [
            own("https://wechat.invalid"),
            own("1900000001"),
            own("wxapp"),
            own("SERIAL1"),
            own(MERCHANT_KEY),
            own(API_KEY),
            own("PUB_KEY_ID_1"),
            platform_public(),
        ],
        alipay: [
            own("https://alipay.invalid/gateway.do"),
            own("2021000000000001"),
            own("2088000000000001"),
            own(MERCHANT_KEY),
            platform_public(),
        ],
        ..settings()
    }
}

/// An answer that WeChat Pay has signed.
pub fn wechat_answer(world: &World, status: u16, body: &str) -> Answered {
    let key = PrivateKey::from_pem(PLATFORM_KEY).unwrap();
    let signed = Signed::of(
        &key,
        "PUB_KEY_ID_1",
        (world.context.now.millis() / 1_000, "n"),
        body,
    )
    .unwrap();
    let header = |name: &str, value: String| (name.to_owned(), value);
    Answered {
        status,
        headers: vec![
            header("wechatpay-timestamp", signed.timestamp),
            header("wechatpay-nonce", signed.nonce),
            header("wechatpay-signature", signed.signature),
            header("wechatpay-serial", signed.serial),
        ],
        body: body.as_bytes().to_vec(),
    }
}

async fn start(world: &World, channel: &str) -> Value {
    let ask = json!({"channel": channel});
    world
        .post("/api/payments/p1/attempts")
        .by(LI)
        .key(channel)
        .json(&ask)
        .content()
        .await
}

#[tokio::test]
async fn wechat_pay_is_asked_with_a_signature_and_its_signed_answer_is_shown() {
    with_settings(configured, async |world| {
        world.asked("p1", 8_888).await;
        world
            .context
            .exchange
            .answer(wechat_answer(&world, 200, r#"{"code_url":"weixin://x"}"#));
        let attempt = start(&world, "wechat").await;
        assert_eq!(
            (&attempt["state"], &attempt["code_url"]),
            (&json!("waiting"), &json!("weixin://x"))
        );
        let sent = world.context.exchange.take().remove(0);
        assert_eq!(
            sent.url,
            "https://wechat.invalid/v3/pay/transactions/native"
        );
        let parts = Authorization::parse(&sent.headers[0].1).unwrap();
        assert_eq!(
            (parts.merchant.as_str(), parts.serial.as_str()),
            ("1900000001", "SERIAL1")
        );
        let message = wechat_message(
            "POST",
            "/v3/pay/transactions/native",
            (parts.timestamp, &parts.nonce),
            &sent.body,
        );
        let key = PrivateKey::from_pem(MERCHANT_KEY).unwrap();
        assert!(key.public().verifies(message.as_bytes(), &parts.signature));
        let body: Value = serde_json::from_str(&sent.body).unwrap();
        assert_eq!(body["amount"], json!({"total": 8_888, "currency": "CNY"}));
        assert_eq!(
            body["notify_url"],
            "https://linli.invalid/api/payment-notices/wechat"
        );
    })
    .await;
}

#[tokio::test]
async fn no_answer_and_one_that_is_not_believed_are_unknown_and_asked_for_later() {
    with_settings(configured, async |mut world| {
        world.asked("p1", 100).await;
        let forged = Answered {
            body: br#"{"code_url":"weixin://evil"}"#.to_vec(),
            ..wechat_answer(&world, 200, "{}")
        };
        world.context.exchange.answer(forged);
        let attempt = start(&world, "wechat").await;
        assert_eq!(
            (&attempt["state"], &attempt["code_url"]),
            (&json!("started"), &json!(null))
        );
        world.pass_ms(15_000);
        world
            .context
            .exchange
            .answer(wechat_answer(&world, 404, r#"{"code":"ORDER_NOT_EXIST"}"#));
        world
            .context
            .exchange
            .answer(wechat_answer(&world, 200, r#"{"code_url":"weixin://x"}"#));
        world.tick().await;
        let sent = world.context.exchange.take();
        assert!(
            sent[1].url.contains("/v3/pay/transactions/out-trade-no/"),
            "{}",
            sent[1].url
        );
        // The same number again, not a new one.
        let number =
            |body: &str| serde_json::from_str::<Value>(body).unwrap()["out_trade_no"].clone();
        assert_eq!(number(&sent[0].body), number(&sent[2].body));
        assert_eq!(world.payment("p1").await["attempts"][0]["state"], "waiting");
    })
    .await;
}

#[tokio::test]
async fn what_wechat_pay_refuses_is_refused_under_its_code() {
    with_settings(configured, async |world| {
        world.asked("p1", 100).await;
        world.context.exchange.answer(wechat_answer(
            &world,
            403,
            r#"{"code":"NO_AUTH","message":"x"}"#,
        ));
        let attempt = start(&world, "wechat").await;
        assert_eq!(
            (&attempt["state"], &attempt["reason"]),
            (&json!("refused"), &json!("NO_AUTH"))
        );
    })
    .await;
}

/// An attempt over Alipay that waits: its number.
pub async fn started_at_alipay(world: &World) -> String {
    world.asked("p1", 8_888).await;
    let platform = PrivateKey::from_pem(PLATFORM_KEY).unwrap();
    let node = r#"{"code":"10000","msg":"Success","qr_code":"https://qr.alipay.invalid/x"}"#;
    let sign = platform.sign(node.as_bytes()).unwrap();
    let body = format!(r#"{{"alipay_trade_precreate_response":{node},"sign":"{sign}"}}"#);
    world.context.exchange.answer(Answered {
        status: 200,
        headers: vec![],
        body: body.into_bytes(),
    });
    let attempt = start(world, "alipay").await;
    assert_eq!(attempt["code_url"], "https://qr.alipay.invalid/x");
    attempt["number"].as_str().unwrap().to_owned()
}

/// What Alipay posts, signed, with one field otherwise.
pub fn alipay_notice(number: &str, (name, value): (&str, &str)) -> String {
    let pairs = [
        ("notify_id", "n1"),
        ("app_id", "2021000000000001"),
        ("seller_id", "2088000000000001"),
        ("out_trade_no", number),
        ("trade_no", "T1"),
        ("trade_status", "TRADE_SUCCESS"),
        ("total_amount", "88.88"),
        ("gmt_payment", "2027-01-15 16:00:00"),
        ("sign_type", "RSA2"),
    ];
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let mut fields: Fields = pairs.iter().map(own).collect();
    fields.insert(name.to_owned(), value.to_owned());
    let platform = PrivateKey::from_pem(PLATFORM_KEY).unwrap();
    let sign = platform.sign(notice_message(&fields).as_bytes()).unwrap();
    let form: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    format!("{}&sign={}", form.join("&"), sign.replace('+', "%2B"))
}

#[tokio::test]
async fn alipay_is_asked_in_yuan_under_our_signature() {
    with_settings(configured, async |world| {
        started_at_alipay(&world).await;
        let sent = fields_of(&world.context.exchange.take()[0].body).unwrap();
        let merchant = PrivateKey::from_pem(MERCHANT_KEY).unwrap().public();
        assert!(merchant.verifies(request_message(&sent).as_bytes(), &sent["sign"]));
        let asked: Value = serde_json::from_str(&sent["biz_content"]).unwrap();
        assert_eq!(asked["total_amount"], "88.88");
    })
    .await;
}

#[tokio::test]
async fn alipays_signed_notice_pays_once_and_any_other_does_not() {
    with_settings(configured, async |world| {
        let number = started_at_alipay(&world).await;
        let told = |field| {
            world
                .post("/api/payment-notices/alipay")
                .plain(alipay_notice(&number, field))
        };
        for (field, status, code) in [
            (("app_id", "2021"), 422, "notice_app_mismatch"),
            (("seller_id", "2088"), 422, "notice_merchant_mismatch"),
            (("total_amount", "88.87"), 422, "notice_amount_mismatch"),
            (("total_amount", "88.888"), 422, "notice_malformed"),
            (("out_trade_no", "unknown"), 404, "notice_number_unknown"),
        ] {
            told(field).refused(status, code).await;
        }
        let unsigned = world.post("/api/payment-notices/alipay").plain("sign=x");
        unsigned.refused(401, "notice_signature_invalid").await;
        for _ in 0..2 {
            let reply = told(("subject", "x")).reply().await;
            assert_eq!(
                (reply.status.as_u16(), reply.body.as_ref()),
                (200, b"success".as_slice())
            );
        }
        assert_eq!(world.payment("p1").await["state"], "succeeded");
        assert_eq!(world.stands("channel_clearing:alipay").await, 8_888);
        world.books_are_clean().await;
    })
    .await;
}

#[tokio::test]
async fn a_channel_that_is_half_set_up_is_a_configuration_error() {
    let db = || store::Db::open("sqlite::memory:").unwrap();
    let now = kernel::Timestamp::EPOCH;
    let check = |settings: Settings| {
        payments::context::Context::new(db(), settings, now, outgoing::Outbox::default()).is_err()
    };
    let mut half = configured();
    half.wechat[5] = "short".to_owned();
    assert!(check(half));
    let mut half = configured();
    half.alipay[4].clear();
    assert!(check(half));
    assert!(check(Settings {
        simulated_channel: "maybe".to_owned(),
        ..settings()
    }));
}

#[tokio::test]
async fn who_pays_twice_over_two_channels_gets_the_second_back() {
    let both = || Settings {
        simulated_channel: "on".to_owned(),
        ..configured()
    };
    with_settings(both, async |mut world| {
        let number = started_at_alipay(&world).await;
        world.started("p1").await;
        world.pays("p1").await;
        let told = alipay_notice(&number, ("subject", "x"));
        let reply = world
            .post("/api/payment-notices/alipay")
            .plain(told)
            .reply()
            .await;
        assert_eq!(reply.status, 200);
        let refunds = world.get("/api/refunds?payment=p1").by(LI).content().await;
        assert_eq!(
            (
                &refunds["items"][0]["channel"],
                &refunds["items"][0]["automatic"]
            ),
            (&json!("alipay"), &json!(true))
        );
        assert_eq!(world.stands("suspense").await, 8_888);
        assert_eq!(world.stands("refund_in_transit").await, 8_888);
        // Nobody answers: the refund stays on its way under its number.
        let _ = world.context.exchange.take();
        world.tick().await;
        world.pass_ms(60_000);
        world.tick().await;
        let asked: Vec<Value> = world
            .context
            .exchange
            .take()
            .iter()
            .filter_map(|sent| {
                let fields = fields_of(&sent.body)?;
                let content: Value = serde_json::from_str(&fields["biz_content"]).ok()?;
                content.get("out_request_no").cloned()
            })
            .collect();
        assert!(
            asked.len() >= 2 && asked.iter().all(|number| *number == asked[0]),
            "{asked:?}"
        );
        assert_eq!(world.facts("payment.succeeded").await.len(), 1);
        world.books_are_clean().await;
    })
    .await;
}
