//! Every route refuses: nobody in particular, the wrong kind of caller, the caller of another tenant. The list is
//! checked against the route table itself, so that a new route without its refusals fails here.

use serde_json::{Value, json};
use testing::{Places, Route, arms, is_listed, other_methods, refuse, route, with};
use wire::event::ContractChanged;
use wire::mall::Collection;

use crate::events::{completed, contract_changed};
use crate::support::{
    APP, APP_READER, AUDITOR, BO, CHEN, DEVICE, LI, MEI, RUN, STRANGER, WANG, World, on_each_engine,
};

#[rustfmt::skip]
fn routes() -> Vec<Route> {
    let strangers = [LI, CHEN, DEVICE, APP, STRANGER, BO];
    let nobody = |code| with(code, 404, &strangers);
    let settlers = || with("settlers_only", 403, &[LI, CHEN, DEVICE, APP, APP_READER, AUDITOR, MEI, BO]);
    let readers = || with("settlers_only", 403, &[LI, CHEN, DEVICE, APP, MEI, BO]);
    let merchants = || with("merchants_only", 403, &[LI, CHEN, DEVICE, APP]);
    let acted = |code| [nobody(code), with("settlers_only", 403, &[AUDITOR, APP_READER])].concat();
    let decided = |code| [nobody(code), with("settlers_only", 403, &[AUDITOR, APP_READER, MEI])].concat();
    let run = |code| [with(code, 404, &[LI, CHEN, DEVICE, APP, STRANGER, MEI])].concat();
    let account = || with("platform_account_unknown", 404, &[CHEN, DEVICE, APP, STRANGER, MEI]);
    let money = |minor: i64| json!({"amount_minor": minor});
    let terms = json!({"time_zone": "Asia/Shanghai", "issue_day": 4, "withdrawal_min_minor": 100, "withdrawal_max_minor": 1000, "withdrawals_per_day": 3});
    let platform = json!({"name": "x", "holders": ["li"], "fee_minor": 1, "charge_day": 1});
    let opened = json!({"id": "c2", "kind": "company", "name": "x", "community": "garden", "holders": ["li"], "fee_minor": 1, "charge_day": 1});
    vec![
        route("POST", "/api/settlements/runs", Some(json!({"month": "2026-10"})), settlers()),
        route("GET", "/api/settlements/runs", None, readers()),
        route("GET", "/api/settlements/runs/{run}", None, run("settlement_run_unknown")),
        route("POST", "/api/settlements/runs/{run}/steps", None, [run("settlement_run_unknown"), with("settlers_only", 403, &[AUDITOR])].concat()),
        route("GET", "/api/settlements/terms", None, readers()),
        route("PUT", "/api/settlements/terms", Some(terms), settlers()),
        route("POST", "/api/settlements/adjustments", Some(json!({"merchant": "m1", "revenue": "hosting", "amount_minor": 1, "reason": "x"})), [settlers(), with("merchant_unknown", 404, &[STRANGER])].concat()),
        route("GET", "/api/settlements/alarms", None, readers()),
        route("GET", "/api/settlements/revenue", None, readers()),
        route("GET", "/api/settlements/finances/{merchant}", None, nobody("merchant_unknown")),
        route("POST", "/api/settlements/payments", Some(json!({"merchant": "m1", "amount_minor": 1, "source": "channel"})), acted("merchant_unknown")),
        route("GET", "/api/settlements/payments", None, with("people_only", 403, &[DEVICE, APP])),
        route("GET", "/api/settlements/payments/{payment}", None, nobody("settlement_payment_unknown")),
        route("GET", "/api/statements", None, merchants()),
        route("GET", "/api/statements/{statement}", None, nobody("statement_unknown")),
        route("GET", "/api/statements/{statement}/lines", None, nobody("statement_unknown")),
        route("GET", "/api/statements/{statement}/export", None, nobody("statement_unknown")),
        route("POST", "/api/statements/{statement}/confirmation", None, acted("statement_unknown")),
        route("POST", "/api/statements/{statement}/objections", Some(json!({"lines": ["commission.l1"], "reason": "x"})), acted("statement_unknown")),
        route("GET", "/api/statements/{statement}/objections", None, nobody("statement_unknown")),
        route("POST", "/api/statements/{statement}/objections/{line}/decision", Some(json!({"note": "x"})), decided("statement_unknown")),
        route("GET", "/api/deposits", None, merchants()),
        route("GET", "/api/deposits/{merchant}", None, nobody("merchant_unknown")),
        route("POST", "/api/deposits/{merchant}/payments", Some(money(1)), acted("merchant_unknown")),
        route("POST", "/api/deposits/{merchant}/refund", Some(json!({"reason": "x"})), acted("merchant_unknown")),
        route("POST", "/api/deposits/{merchant}/refund/decision", Some(json!({"approve": false})), decided("merchant_unknown")),
        route("POST", "/api/platform-accounts", Some(opened), settlers()),
        route("GET", "/api/platform-accounts", None, with("people_only", 403, &[DEVICE, APP])),
        route("GET", "/api/platform-accounts/{account}", None, account()),
        route("PUT", "/api/platform-accounts/{account}", Some(platform), [account(), with("settlers_only", 403, &[AUDITOR, APP_READER, LI])].concat()),
        route("POST", "/api/platform-accounts/{account}/recharges", Some(money(1)), [account(), with("settlers_only", 403, &[AUDITOR, APP_READER])].concat()),
        route("GET", "/api/platform-accounts/{account}/charges", None, account()),
        route("POST", "/api/withdrawals", Some(json!({"merchant": "m1", "amount_minor": 10_000, "payee": "x", "account": "1"})), acted("merchant_unknown")),
        route("GET", "/api/withdrawals", None, merchants()),
        route("GET", "/api/withdrawals/{withdrawal}", None, nobody("withdrawal_unknown")),
        route("POST", "/api/withdrawals/{withdrawal}/review", Some(json!({"approve": false})), decided("withdrawal_unknown")),
        route("POST", "/api/withdrawals/{withdrawal}/cancellation", None, acted("withdrawal_unknown")),
        route("POST", "/api/withdrawals/{withdrawal}/transfer", Some(json!({})), decided("withdrawal_unknown")),
        route("POST", "/internal/ticks/settlement", None, with("token_invalid", 401, &[LI, STRANGER])),
    ]
}

async fn places(world: &mut World) -> Places {
    let id = |made: &Value| made["id"].as_str().unwrap().to_owned();
    world
        .record(&ContractChanged {
            version: 2,
            collection: Collection::Platform,
            ..contract_changed("m1")
        })
        .await;
    world.deposit("m1", 6_000, "deposit").await;
    world
        .sold(("m1", "l0"), 10_000, "2026-10-09T00:00:00Z")
        .await;
    world
        .record(&completed(("m1", "l1"), 100, "2026-10-10T00:00:00Z"))
        .await;
    let platform = json!({"id": "company-1", "kind": "company", "name": "x", "community": "garden",
        "holders": ["li"], "fee_minor": 1, "charge_day": 1});
    world
        .post("/api/platform-accounts")
        .by(WANG)
        .json(&platform)
        .content()
        .await;
    world.tick_at(RUN).await;
    let run = world.run("2026-10", true).await;
    let payments = world
        .get("/api/settlements/payments?party=m1")
        .by(WANG)
        .content()
        .await;
    let withdrawal =
        json!({"merchant": "m1", "amount_minor": 10_000, "payee": "x", "account": "1"});
    let withdrawal = world
        .post("/api/withdrawals")
        .by(MEI)
        .key("withdrawal")
        .json(&withdrawal)
        .content()
        .await;
    Places(vec![
        ("GET /api/settlements/payments", "party=m1".to_owned()),
        ("run", id(&run)),
        ("merchant", "m1".to_owned()),
        ("payment", id(&payments["items"][0])),
        ("statement", id(&world.statement("m1").await)),
        ("line", "commission.l1".to_owned()),
        ("account", "company-1".to_owned()),
        ("withdrawal", id(&withdrawal)),
    ])
}

#[tokio::test]
async fn every_route_refuses_whom_it_must_and_nothing_changes() {
    on_each_engine(async |mut world| {
        let places = places(&mut world).await;
        let facts = world.facts().await;
        refuse(&world, &routes(), &places).await;
        assert_eq!(world.facts().await, facts);
    })
    .await;
}

#[tokio::test]
async fn lists_hold_only_what_is_the_callers() {
    on_each_engine(async |mut world| {
        places(&mut world).await;
        for (path, who) in [
            ("/api/statements", BO),
            ("/api/statements?merchant=m1", BO),
            ("/api/withdrawals", BO),
            ("/api/settlements/payments?party=m1", BO),
            ("/api/platform-accounts", BO),
            ("/api/deposits?merchant=m1", BO),
            ("/api/statements", STRANGER),
            ("/api/deposits", STRANGER),
            ("/api/withdrawals", STRANGER),
        ] {
            let page = world.get(path).by(who).content().await;
            assert_eq!(page["items"], json!([]), "{path} by {}", who.1);
        }
        let page = world.get("/api/deposits").by(BO).content().await;
        assert_eq!(page["items"][0]["merchant"], "m2");
    })
    .await;
}

#[tokio::test]
async fn money_moves_only_under_an_idempotency_key() {
    on_each_engine(async |world| {
        world.tick().await;
        let body = json!({"amount_minor": 1});
        world
            .post("/api/deposits/m1/payments")
            .by(MEI)
            .json(&body)
            .refused(422, "idempotency_key_required")
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_known_path_with_another_method_names_the_right_ones() {
    on_each_engine(async |mut world| {
        let places = places(&mut world).await;
        let unknown = [
            "/api",
            "/api/settlements",
            "/api/statements/x/y",
            "/internal/ticks/meters",
        ];
        other_methods(&world, &routes(), &places, &unknown).await;
    })
    .await;
}

#[test]
fn every_route_of_the_table_stands_in_the_list_of_refusals() {
    is_listed(&routes(), &arms(include_str!("../src/http.rs")));
}
