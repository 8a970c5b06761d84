//! Withdrawals: held, seen by four eyes, out over the bank or a channel; what is unknown stays held.

use kernel::TransferId;
use serde_json::{Value, json};
use wire::event::{ContractChanged, TransferFailed, TransferSucceeded, TransferWaiting};
use wire::mall::Collection;

use crate::events::contract_changed;
use crate::support::{BO, DUE, HE, MEI, RUN, SUN, WANG, World, content_of, on_each_engine};

/// Merchant m1 is in good standing and may draw 900.00.
async fn rich(world: &World) {
    for merchant in ["m1", "m2"] {
        world
            .record(&ContractChanged {
                version: 2,
                collection: Collection::Platform,
                ..contract_changed(merchant)
            })
            .await;
    }
    world.deposit("m1", 6_000, "deposit").await;
    world
        .sold(("m1", "l1"), 10_000, "2026-10-09T00:00:00Z")
        .await;
    world.tick().await;
}

async fn request(world: &World, minor: i64, account: &str) -> Value {
    let key = format!("{minor}-{account}");
    world
        .post("/api/withdrawals")
        .by(MEI)
        .key(&key)
        .json(&json!({"merchant": "m1", "amount_minor": minor, "payee": "梅的小店", "account": account}))
        .content()
        .await
}

fn path(withdrawal: &Value, end: &str) -> String {
    format!(
        "/api/withdrawals/{}{end}",
        withdrawal["id"].as_str().unwrap()
    )
}

async fn approve(world: &World, withdrawal: &Value, channel: &str) -> Value {
    world
        .post(&path(withdrawal, "/review"))
        .by(WANG)
        .key("review")
        .json(&json!({"approve": true, "channel": channel}))
        .content()
        .await
}

async fn money(world: &World) -> (i64, i64) {
    let finances = world
        .get("/api/settlements/finances/m1")
        .by(MEI)
        .content()
        .await;
    let minor = |name: &str| finances[name].as_i64().unwrap();
    (minor("available_minor"), minor("held_minor"))
}

#[tokio::test]
async fn a_request_holds_and_somebody_else_decides_and_a_cashier_records_the_bank() {
    on_each_engine(async |world| {
        rich(&world).await;
        let withdrawal = request(&world, 30_000, "6222000011112222").await;
        assert_eq!(withdrawal["account"], "****2222");
        assert_eq!(money(&world).await, (60_000, 30_000));
        let body = json!({"merchant": "m1", "amount_minor": 60_001, "payee": "x", "account": "1"});
        let over = world
            .post("/api/withdrawals")
            .by(MEI)
            .key("over")
            .json(&body);
        over.refused(409, "balance_insufficient").await;
        let approved = approve(&world, &withdrawal, "bank").await;
        assert_eq!(approved["state"], "approved");
        world.tick().await;
        let record = |key: &'static str| {
            world
                .post(&path(&withdrawal, "/transfer"))
                .key(key)
                .json(&json!({"reference": "BOC-20261010-1"}))
        };
        let paid = record("a").by(HE).content().await;
        assert_eq!(
            (&paid["state"], &paid["paid_by"]),
            (&json!("paid"), &json!("he"))
        );
        let again = record("b").by(HE).refused(409, "withdrawal_state").await;
        assert!(again["detail"].as_str().unwrap().contains("paid"));
        assert_eq!(money(&world).await, (60_000, 0));
        assert_eq!(world.balance("bank").await, -30_000);
        assert_eq!(world.balance("withdrawal_in_transit").await, 0);
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn nobody_decides_their_own_request() {
    on_each_engine(async |world| {
        rich(&world).await;
        let body = json!({"merchant": "m1", "amount_minor": 10_000, "payee": "x", "account": "1"});
        let ask = world
            .post("/api/withdrawals")
            .by(SUN)
            .key("own")
            .json(&body);
        let withdrawal = ask.content().await;
        let review = json!({"approve": true, "channel": "bank"});
        world
            .post(&path(&withdrawal, "/review"))
            .by(SUN)
            .key("a")
            .json(&review)
            .refused(403, "own_request")
            .await;
        approve(&world, &withdrawal, "bank").await;
        world
            .post(&path(&withdrawal, "/transfer"))
            .by(SUN)
            .key("b")
            .json(&json!({"reference": "x"}))
            .refused(403, "own_request")
            .await;
        assert_eq!(money(&world).await, (80_000, 10_000));
        world
            .post(&path(&withdrawal, "/review"))
            .by(HE)
            .key("c")
            .json(&review)
            .refused(409, "withdrawal_state")
            .await;
    })
    .await;
}

#[tokio::test]
async fn what_is_rejected_or_taken_back_is_free_again() {
    on_each_engine(async |world| {
        rich(&world).await;
        let first = request(&world, 10_000, "1").await;
        let second = request(&world, 20_000, "2").await;
        let rejected = world
            .post(&path(&first, "/review"))
            .by(WANG)
            .key("a")
            .json(&json!({"approve": false, "note": "户名不符"}))
            .content()
            .await;
        assert_eq!(rejected["state"], "rejected");
        world
            .post(&path(&second, "/cancellation"))
            .by(BO)
            .key("b")
            .refused(404, "withdrawal_unknown")
            .await;
        let cancelled = world
            .post(&path(&second, "/cancellation"))
            .by(MEI)
            .key("c")
            .content()
            .await;
        assert_eq!(cancelled["state"], "cancelled");
        assert_eq!(money(&world).await, (90_000, 0));
        world.books_are_right().await;
    })
    .await;
}

/// What payments tells of the transfer of a withdrawal.
fn transferred(withdrawal: &Value) -> (TransferId, String, String) {
    let id = withdrawal["id"].as_str().unwrap();
    let transfer = TransferId::parse(id).unwrap();
    (transfer, "withdrawal".to_owned(), id.to_owned())
}

#[tokio::test]
async fn a_channels_transfer_is_asked_for_once_and_held_until_payments_says_that_it_is_out() {
    on_each_engine(async |mut world| {
        rich(&world).await;
        let withdrawal = request(&world, 10_000, "openid-1").await;
        let approved = approve(&world, &withdrawal, "wechat").await;
        assert_eq!(approved["state"], "sending");
        let asked = world.last_fact("transfer.requested").await;
        assert_eq!(
            (&asked["payee"], &asked["channel"], &asked["amount_minor"]),
            (&json!("openid-1"), &json!("wechat"), &json!(10_000))
        );
        assert_eq!(money(&world).await, (80_000, 10_000));
        // A cashier does not end what a channel has.
        world
            .post(&path(&withdrawal, "/transfer"))
            .by(HE)
            .key("x")
            .json(&json!({}))
            .refused(409, "transfer_by_channel")
            .await;
        // Nobody knows for a day: somebody has to look, and the money stays held.
        assert_eq!(
            world.tick_at("2026-10-11T01:59:59.999Z").await["transfers"],
            0
        );
        assert_eq!(world.tick_at("2026-10-11T02:00:00Z").await["transfers"], 1);
        assert_eq!(
            world.last_fact("settlement_alarm.raised").await["kind"],
            "transfer_unknown"
        );
        assert_eq!(money(&world).await, (80_000, 10_000));
        let (transfer, purpose, reference) = transferred(&withdrawal);
        let done = TransferSucceeded {
            transfer,
            purpose,
            reference,
            channel_transfer: "1330000071100999991182020050700019480001".to_owned(),
            amount_minor: 10_000,
            at: world.context.now,
        };
        world.record(&done).await;
        world.record(&done).await;
        world.tick().await;
        let shown = world.get(&path(&withdrawal, "")).by(MEI).content().await;
        assert_eq!(
            (&shown["state"], &shown["reference"]),
            (&json!("paid"), &json!(done.channel_transfer))
        );
        assert_eq!(money(&world).await, (80_000, 0));
        assert_eq!(world.balance("bank").await, -10_000);
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn a_payee_who_has_to_say_yes_sees_how_and_a_channel_that_refuses_frees_the_money() {
    on_each_engine(async |world| {
        rich(&world).await;
        let withdrawal = request(&world, 10_000, "openid-1").await;
        approve(&world, &withdrawal, "simulated").await;
        let (transfer, purpose, reference) = transferred(&withdrawal);
        let waiting = TransferWaiting {
            transfer: transfer.clone(),
            purpose: purpose.clone(),
            reference: reference.clone(),
            confirmation: "package".to_owned(),
        };
        world.record(&waiting).await;
        world.tick().await;
        let shown = world.get(&path(&withdrawal, "")).by(MEI).content().await;
        assert_eq!(shown["confirmation"], "package");
        let failed = TransferFailed {
            transfer,
            purpose,
            reference,
            reason: "cancelled".to_owned(),
        };
        world.record(&failed).await;
        world.tick().await;
        let shown = world.get(&path(&withdrawal, "")).by(MEI).content().await;
        assert_eq!(
            (&shown["state"], &shown["note"]),
            (&json!("failed"), &json!("cancelled"))
        );
        assert!(shown.get("confirmation").is_none());
        assert_eq!(money(&world).await, (90_000, 0));
        // What is told of other transfers is none of settlement's business.
        world
            .record(&TransferFailed {
                purpose: "salary".to_owned(),
                ..failed
            })
            .await;
        assert_eq!(world.tick().await["parked"], 0);
        world.books_are_right().await;
    })
    .await;
}

async fn ask(world: &World, key: &str, minor: i64) -> web::Reply {
    let body = json!({"merchant": "m1", "amount_minor": minor, "payee": "x", "account": "1"});
    let ask = world.post("/api/withdrawals").by(MEI).key(key).json(&body);
    ask.reply().await
}

async fn code(world: &World, key: &str, minor: i64) -> Value {
    content_of(&ask(world, key, minor).await)["code"].clone()
}

#[tokio::test]
async fn limits_hold_to_the_fen_and_by_the_day_in_shanghai() {
    on_each_engine(async |mut world| {
        rich(&world).await;
        assert_eq!(code(&world, "a", 9_999).await, "withdrawal_limit");
        for key in ["b", "c", "d"] {
            assert_eq!(ask(&world, key, 10_000).await.status, 201);
        }
        assert_eq!(code(&world, "e", 10_000).await, "withdrawal_limit");
        world.at("2026-10-10T15:59:59.999Z");
        assert_eq!(code(&world, "f", 10_000).await, "withdrawal_limit");
        world.at("2026-10-10T16:00:00.000Z");
        assert_eq!(ask(&world, "g", 10_000).await.status, 201);
    })
    .await;
}

#[tokio::test]
async fn a_frozen_merchant_draws_nothing_and_an_approval_names_its_channel() {
    on_each_engine(async |mut world| {
        rich(&world).await;
        // A hosting fee that the deposit does not cover freezes.
        world
            .record(&ContractChanged {
                version: 3,
                collection: Collection::Direct,
                hosting_fee_minor: 6_001,
                ..contract_changed("m1")
            })
            .await;
        world.tick_at(RUN).await;
        world.tick_at(DUE).await;
        let refused = code(&world, "a", 10_000).await;
        assert_eq!(refused, "merchant_not_in_good_standing");
        let approve = json!({"approve": true});
        let reject = json!({"approve": false, "channel": "bank"});
        for body in [approve, reject] {
            world
                .post("/api/withdrawals/x/review")
                .by(WANG)
                .key("b")
                .json(&body)
                .refused(422, "transfer_channel_required")
                .await;
        }
    })
    .await;
}

#[tokio::test]
async fn of_requests_at_once_only_as_many_win_as_there_is_money() {
    on_each_engine(async |world| {
        rich(&world).await;
        let terms = json!({"time_zone": "Asia/Shanghai", "issue_day": 4, "withdrawal_min_minor": 1,
            "withdrawal_max_minor": 1_000_000, "withdrawals_per_day": 100});
        world
            .ask(http::Method::PUT, "/api/settlements/terms")
            .by(WANG)
            .header("if-match", "\"0\"")
            .json(&terms)
            .content()
            .await;
        let replies = tokio::join!(
            ask(&world, "a", 40_000),
            ask(&world, "b", 40_000),
            ask(&world, "c", 40_000),
            ask(&world, "d", 40_000),
        );
        let replies = [replies.0, replies.1, replies.2, replies.3];
        let won = replies.iter().filter(|reply| reply.status == 201).count();
        assert_eq!(won, 2);
        assert_eq!(money(&world).await, (10_000, 80_000));
        world.books_are_right().await;
    })
    .await;
}
