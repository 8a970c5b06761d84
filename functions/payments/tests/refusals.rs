//! Every route refuses: nobody in particular, the wrong kind of caller, the caller of another tenant. The list is
//! checked against the route table itself, so that a new route without its refusals fails here.

use serde_json::json;
use testing::{Places, Refusals, Route, arms, is_listed, other_methods, refuse, route};

use crate::support::{
    APP, APP_READER, AUDITOR, CHEN, DEVICE, LI, Person, STRANGER, TANG, WANG, World, ZHAO,
    on_each_engine,
};

#[rustfmt::skip]
fn routes() -> Vec<Route> {
    let strangers = |code: &'static str| [ZHAO, TANG, DEVICE, APP, STRANGER].map(|person| (person, 404, code)).to_vec();
    let books = || [LI, CHEN, DEVICE, APP, APP_READER].map(|person| (person, 403, "auditors_only")).to_vec();
    let operators = || [LI, CHEN, AUDITOR, DEVICE, APP].map(|person| (person, 403, "operators_only")).to_vec();
    let unknown = |mut refusals: Refusals, code| { refusals.push((STRANGER, 404, code)); refusals };
    let starts = [strangers("payment_unknown"), vec![(AUDITOR, 403, "payers_only"), (APP_READER, 403, "payers_only")]].concat();
    let pays = [strangers("payment_unknown"), vec![(AUDITOR, 404, "payment_unknown")]].concat();
    vec![
        route("GET", "/api/payments", None, vec![]),
        route("GET", "/api/payments/{payment}", None, strangers("payment_unknown")),
        route("POST", "/api/payments/{payment}/attempts", Some(json!({"channel": "simulated"})), starts),
        route("GET", "/api/refunds", None, books()),
        route("GET", "/api/refunds/{refund}", None, strangers("refund_unknown")),
        route("GET", "/api/transfers", None, books()),
        route("GET", "/api/transfers/{transfer}", None, unknown(books(), "transfer_unknown")),
        route("POST", "/api/payment-notices/{channel}", None, vec![]),
        route("GET", "/api/reconciliations", None, books()),
        route("POST", "/api/reconciliations", Some(json!({"channel": "simulated", "day": "2027-01-14"})), operators()),
        route("GET", "/api/reconciliations/{channel}/{day}", None, unknown(books(), "reconciliation_unknown")),
        route("GET", "/api/ledger/trial-balance", None, books()),
        route("GET", "/api/ledger/accounts", None, books()),
        route("GET", "/api/ledger/accounts/{account}/statement", None, unknown(books(), "account_unknown")),
        route("GET", "/api/ledger/transactions/{transaction}", None, unknown(books(), "transaction_unknown")),
        route("GET", "/api/ledger/verification", None, books()),
        route("GET", "/api/simulated-channel/behaviour", None, operators()),
        route("PUT", "/api/simulated-channel/behaviour", Some(json!({})), operators()),
        route("POST", "/api/simulated-channel/payments/{payment}", None, pays),
        route("POST", "/internal/ticks/payments", None, vec![(LI, 401, "token_invalid"), (WANG, 401, "token_invalid")]),
    ]
}

/// Channels have no account here: what they post is believed for its signature.
fn is_public(route: &Route) -> bool {
    route.path.starts_with("/api/payment-notices")
}

/// A payment that was paid, a refund of it, and a day that was reconciled.
async fn places(world: &World) -> Places {
    world.paid("p1", 100).await;
    world.asked_back("r1", "p1", 10).await;
    world.tick().await;
    let ask = json!({"channel": "simulated", "day": "2027-01-14"});
    world
        .post("/api/reconciliations")
        .by(WANG)
        .json(&ask)
        .content()
        .await;
    let made = [
        ("payment", "p1"),
        ("refund", "r1"),
        ("transfer", "t1"),
        ("channel", "simulated"),
        ("day", "2027-01-14"),
        ("account", "suspense"),
        ("transaction", "1"),
    ];
    Places(made.map(|(name, id)| (name, id.to_owned())).to_vec())
}

#[tokio::test]
async fn every_route_refuses_whom_it_must_and_nothing_changes() {
    on_each_engine(async |world| {
        let places = places(&world).await;
        let payment = world.payment("p1").await;
        let facts = log(&world).await;
        let mut routes = routes();
        routes.retain(|route| !is_public(route));
        refuse(&world, &routes, &places).await;
        assert_eq!(world.payment("p1").await, payment);
        assert_eq!(log(&world).await, facts);
    })
    .await;
}

/// How many facts the log holds.
async fn log(world: &World) -> usize {
    let page = store::events::page(&world.context.db, &crate::support::tenant(), 0, 200).await;
    page.unwrap().len()
}

#[tokio::test]
async fn lists_hold_the_own_and_for_those_who_run_the_community_all_of_it() {
    on_each_engine(async |world| {
        places(&world).await;
        let count = async |person: Person<'_>, query: &str| {
            let list = world
                .get(&format!("/api/payments{query}"))
                .by(person)
                .content()
                .await;
            list["items"].as_array().unwrap().len()
        };
        for (person, query, expected) in [
            (LI, "", 1),
            (ZHAO, "", 0),
            (WANG, "", 1),
            (AUDITOR, "", 1),
            (STRANGER, "", 0),
            (CHEN, "", 0),
            (CHEN, "?community=garden", 1),
            (TANG, "?community=garden", 0),
            (APP, "?community=garden", 0),
            (APP_READER, "?community=garden", 1),
            (ZHAO, "?community=garden", 0),
        ] {
            assert_eq!(count(person, query).await, expected, "{} {query}", person.1);
        }
    })
    .await;
}

#[tokio::test]
async fn a_known_path_with_another_method_names_the_right_ones() {
    on_each_engine(async |world| {
        let places = places(&world).await;
        let unknown = [
            "/",
            "/api",
            "/api/payments/x/y",
            "/api/ledger",
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

#[tokio::test]
async fn the_internal_token_opens_the_heartbeat() {
    on_each_engine(async |world| testing::beats(&world, "payments").await).await;
}
