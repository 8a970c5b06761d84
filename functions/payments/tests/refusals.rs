//! Every route refuses: nobody in particular, the wrong kind of caller, the caller of another tenant. The list is
//! checked against the route table itself, so that a new route without its refusals fails here.

use http::Method;
use serde_json::{Value, json};

use crate::support::{
    APP, APP_READER, AUDITOR, CHEN, DEVICE, LI, Person, SECRET, STRANGER, TANG, WANG, World, ZHAO,
    on_each_engine,
};

/// A route, a body that it would accept, and who is refused how.
struct Route {
    method: &'static str,
    path: &'static str,
    body: Option<Value>,
    refusals: Vec<(Person, u16, &'static str)>,
}

#[rustfmt::skip]
fn routes() -> Vec<Route> {
    let route = |method, path, body, refusals| Route { method, path, body, refusals };
    let strangers = |code: &'static str| [ZHAO, TANG, DEVICE, APP, STRANGER].map(|person| (person, 404, code)).to_vec();
    let books = || [LI, CHEN, DEVICE, APP, APP_READER].map(|person| (person, 403, "auditors_only")).to_vec();
    let operators = || [LI, CHEN, AUDITOR, DEVICE, APP].map(|person| (person, 403, "operators_only")).to_vec();
    let unknown = |mut refusals: Vec<(Person, u16, &'static str)>, code| { refusals.push((STRANGER, 404, code)); refusals };
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

/// A path with its places filled in, of what [`places`] has made.
fn fill(path: &str) -> String {
    path.replace("{payment}", "p1")
        .replace("{refund}", "r1")
        .replace("{transfer}", "t1")
        .replace("{channel}/{day}", "simulated/2027-01-14")
        .replace("{channel}", "simulated")
        .replace("{account}", "suspense")
        .replace("{transaction}", "1")
}

impl Route {
    fn ask<'a>(&self, world: &'a World) -> crate::support::Ask<'a> {
        let method = Method::from_bytes(self.method.as_bytes()).unwrap();
        let ask = world.ask(method, &fill(self.path)).key("k");
        match &self.body {
            Some(body) => ask.json(body),
            None => ask,
        }
    }
}

/// A payment that was paid, a refund of it, and a day that was reconciled.
async fn places(world: &World) {
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
}

#[tokio::test]
async fn every_route_refuses_whom_it_must_and_nothing_changes() {
    on_each_engine(async |world| {
        places(&world).await;
        let payment = world.payment("p1").await;
        let facts = log(&world).await;
        for route in routes().iter().filter(|route| !is_public(route)) {
            route.ask(&world).refused(401, "token_missing").await;
            route
                .ask(&world)
                .bearer("a.b.c")
                .refused(401, "token_invalid")
                .await;
            for (person, status, code) in &route.refusals {
                route.ask(&world).by(*person).refused(*status, code).await;
            }
        }
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
        let count = async |person: Person, query: &str| {
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
async fn the_internal_token_opens_no_other_route() {
    on_each_engine(async |world| {
        for route in routes()
            .iter()
            .filter(|route| route.path.starts_with("/api") && !is_public(route))
        {
            route
                .ask(&world)
                .bearer(SECRET)
                .refused(401, "token_invalid")
                .await;
        }
        assert_eq!(
            world
                .post("/internal/ticks/payments")
                .bearer(SECRET)
                .reply()
                .await
                .status,
            200
        );
    })
    .await;
}

#[tokio::test]
async fn a_known_path_with_another_method_names_the_right_ones() {
    on_each_engine(async |world| {
        for route in routes() {
            let path = fill(route.path);
            let reply = world.ask(Method::OPTIONS, &path).reply().await;
            let allowed = reply
                .headers
                .get("allow")
                .map_or("", |allow| allow.to_str().unwrap());
            assert_eq!(reply.status, 405, "{path}");
            let mut expected: Vec<_> = routes()
                .into_iter()
                .filter(|other| other.path == route.path)
                .map(|other| other.method)
                .collect();
            expected.sort_unstable();
            assert_eq!(allowed, expected.join(", "), "{path}");
        }
        for path in [
            "/",
            "/api",
            "/api/payments/x/y",
            "/api/ledger",
            "/internal/ticks/meters",
        ] {
            world.get(path).refused(404, "not_found").await;
        }
    })
    .await;
}

/// The arms of the route table, as `METHOD /path/{place}`.
fn arms() -> Vec<String> {
    let source = include_str!("../src/http.rs");
    let arms = source.lines().filter_map(|line| {
        let (method, rest) = line.trim().strip_prefix("(\"")?.split_once("\", [")?;
        let (segments, _) = rest.split_once("])")?;
        let path = segments
            .split(", ")
            .map(|segment| match segment.strip_prefix('"') {
                Some(literal) => format!("/{}", literal.trim_end_matches('"')),
                None => format!("/{{{segment}}}"),
            });
        Some(format!("{method} {}", path.collect::<String>()))
    });
    arms.collect()
}

#[test]
fn every_route_of_the_table_stands_in_the_list_of_refusals() {
    let listed: Vec<String> = routes()
        .iter()
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    assert_eq!(arms(), listed);
}
