//! What is posted from outside is believed for its signature, its time, its merchant, its app and its amount.

use payments::protocol::keys::PrivateKey;
use payments::protocol::wechat::{Amount, Notice, Signed, Transaction, seal};
use web::Reply;

use crate::support::{API_KEY, MERCHANT_KEY, PLATFORM_KEY, World, content_of, on_each_engine};

/// A notice in the making, by default the right one.
struct Told {
    id: &'static str,
    key: &'static str,
    seal_key: &'static str,
    serial: Option<&'static str>,
    late_s: i64,
    transaction: Transaction,
}

impl Told {
    fn of(number: &str) -> Self {
        Self {
            id: "EV-1",
            key: PLATFORM_KEY,
            seal_key: API_KEY,
            serial: None,
            late_s: 0,
            transaction: Transaction {
                appid: "wxlinlisimulated".to_owned(),
                mchid: "1900000109".to_owned(),
                out_trade_no: number.to_owned(),
                transaction_id: Some("4200".to_owned()),
                trade_state: "SUCCESS".to_owned(),
                attach: "demo".to_owned(),
                success_time: Some("2027-01-15T16:00:00+08:00".to_owned()),
                amount: Some(Amount {
                    total: 500,
                    currency: "CNY".to_owned(),
                }),
            },
        }
    }

    async fn post(&self, world: &World) -> Reply {
        let plain = serde_json::to_vec(&self.transaction).unwrap();
        let notice = Notice {
            id: self.id.to_owned(),
            create_time: "2027-01-15T16:00:00+08:00".to_owned(),
            resource_type: "encrypt-resource".to_owned(),
            event_type: "TRANSACTION.SUCCESS".to_owned(),
            summary: String::new(),
            resource: seal(
                self.seal_key.as_bytes(),
                ("nonceof12chr", "transaction"),
                &plain,
            )
            .unwrap(),
        };
        let body = serde_json::to_string(&notice).unwrap();
        let own = PrivateKey::from_pem(PLATFORM_KEY)
            .unwrap()
            .public()
            .serial()
            .unwrap();
        let seconds = world.context.now.millis() / 1_000 - self.late_s;
        let key = PrivateKey::from_pem(self.key).unwrap();
        let signed =
            Signed::of(&key, self.serial.unwrap_or(&own), (seconds, "n0nce"), &body).unwrap();
        world
            .post("/api/payment-notices/simulated")
            .header("wechatpay-timestamp", &signed.timestamp)
            .header("wechatpay-nonce", &signed.nonce)
            .header("wechatpay-signature", &signed.signature)
            .header("wechatpay-serial", &signed.serial)
            .plain(body)
            .reply()
            .await
    }
}

async fn check(world: &World, told: Told, code: &str) {
    let reply = told.post(world).await;
    assert_eq!(content_of(&reply)["code"], code);
    assert!(reply.status.is_client_error());
    assert_eq!(world.payment("p1").await["state"], "open");
}

/// What is otherwise in a notice.
type Change = fn(&mut Transaction);

/// The number of a started payment of 5.00.
async fn started(world: &World) -> String {
    world.asked("p1", 500).await;
    let attempt = world.started("p1").await;
    attempt["number"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_notice_is_believed_only_from_the_platform_and_in_time() {
    on_each_engine(async |world| {
        let number = started(&world).await;
        let told = || Told::of(&number);
        let cases = [
            (
                Told {
                    key: MERCHANT_KEY,
                    ..told()
                },
                "notice_signature_invalid",
            ),
            (
                Told {
                    serial: Some("00"),
                    ..told()
                },
                "notice_serial_unknown",
            ),
            (
                Told {
                    late_s: 301,
                    ..told()
                },
                "notice_outside_window",
            ),
            (
                Told {
                    late_s: -301,
                    ..told()
                },
                "notice_outside_window",
            ),
            (
                Told {
                    seal_key: "012345abcdefghijklmnopqrstuvwxyz",
                    ..told()
                },
                "notice_resource_sealed",
            ),
        ];
        for (wrong, code) in cases {
            check(&world, wrong, code).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_notice_pays_only_for_its_merchant_app_amount_and_number_and_once() {
    on_each_engine(async |world| {
        let number = started(&world).await;
        let cases: [(Change, &str); 5] = [
            (
                |told| told.amount.as_mut().unwrap().total = 499,
                "notice_amount_mismatch",
            ),
            (
                |told| told.mchid = "1900000110".to_owned(),
                "notice_merchant_mismatch",
            ),
            (
                |told| told.appid = "wxother".to_owned(),
                "notice_app_mismatch",
            ),
            (
                |told| told.out_trade_no = "unknown".to_owned(),
                "notice_number_unknown",
            ),
            (|told| told.success_time = None, "notice_malformed"),
        ];
        for (change, code) in cases {
            let mut changed = Told::of(&number);
            change(&mut changed.transaction);
            check(&world, changed, code).await;
        }
        for id in ["EV-1", "EV-1", "EV-2"] {
            let told = Told {
                id,
                ..Told::of(&number)
            };
            assert_eq!(told.post(&world).await.status, 204);
        }
        assert_eq!(world.payment("p1").await["state"], "succeeded");
        assert_eq!(world.stands("suspense").await, 500);
        assert_eq!(world.facts("payment.succeeded").await.len(), 1);
        world.books_are_clean().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_no_notice_is_refused_without_a_word_about_payments() {
    on_each_engine(async |world| {
        let post = |path: &'static str| world.post(path).plain("{}");
        post("/api/payment-notices/simulated")
            .refused(401, "notice_outside_window")
            .await;
        post("/api/payment-notices/wechat")
            .refused(404, "channel_unknown")
            .await;
        post("/api/payment-notices/alipay")
            .refused(404, "channel_unknown")
            .await;
        post("/api/payment-notices/cash")
            .refused(404, "channel_unknown")
            .await;
    })
    .await;
}
