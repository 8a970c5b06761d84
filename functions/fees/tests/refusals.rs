//! Every route refuses: nobody in particular, the wrong kind of caller, the caller of another tenant. The list is
//! checked against the route table itself, so that a new route without its refusals fails here.

use http::Method;
use serde_json::{Value, json};

use crate::support::{
    APP, APP_READER, AUDITOR, CHEN, DEVICE, LI, Person, SECRET, STAFF_ELSEWHERE, STRANGER, World,
    ZHAO, on_each_engine,
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
    let with = |code: &'static str, status: u16, who: &[Person]| who.iter().map(|person| (*person, status, code)).collect::<Vec<_>>();
    // Who neither bills nor audits the community knows of nothing in it; who audits it changes nothing.
    let hidden = |code| with(code, 404, &[LI, ZHAO, STAFF_ELSEWHERE, DEVICE, APP, STRANGER]);
    let changed = |code| [hidden(code), with("managers_only", 403, &[AUDITOR, APP_READER])].concat();
    let managers = || with("managers_only", 403, &[LI, ZHAO, STAFF_ELSEWHERE, DEVICE, APP, AUDITOR, APP_READER]);
    let readers = || with("managers_only", 403, &[LI, ZHAO, STAFF_ELSEWHERE, DEVICE, APP]);
    let people = || with("people_only", 403, &[DEVICE, APP]);
    let own = |code: &'static str| with(code, 404, &[ZHAO, STAFF_ELSEWHERE, DEVICE, APP, STRANGER]);
    let own_changed = |code: &'static str| [own(code), with("managers_only", 403, &[LI, AUDITOR, APP_READER])].concat();
    let prices = json!({"periods": [{"first_day": "2026-01-01", "prices": {"flat": 1}}]});
    let tariff = json!({"community": "garden", "name": "x", "terms": prices});
    let rule = json!({"community": "garden", "name": "x", "charge": {"kind": "area", "price": 28_000}, "first_day": "2026-01-01"});
    let terms = json!({"late_rate_per_100k": 0, "grace_days": 0, "late_cap_percent": 100, "due_days": 30});
    let bill = json!({"room": "r101", "title": "x", "amount_minor": 100, "reason": "x"});
    let less = json!({"amount_minor": 1, "reason": "x"});
    let coupon = json!({"community": "garden", "title": "x", "person": "li", "value": {"amount_minor": 1}, "first_day": "2026-11-01", "until_day": "2026-12-01", "reason": "x"});
    vec![
        route("POST", "/api/tariffs", Some(tariff), managers()),
        route("GET", "/api/tariffs", None, readers()),
        route("GET", "/api/tariffs/{tariff}", None, hidden("tariff_unknown")),
        route("PUT", "/api/tariffs/{tariff}", Some(json!({"name": "x", "terms": prices})), changed("tariff_unknown")),
        route("POST", "/api/tariffs/{tariff}/preview", Some(json!({"lines": []})), hidden("tariff_unknown")),
        route("GET", "/api/fee-terms/{community}", None, hidden("community_unknown")),
        route("PUT", "/api/fee-terms/{community}", Some(terms), changed("community_unknown")),
        route("POST", "/api/fee-rules", Some(rule.clone()), managers()),
        route("GET", "/api/fee-rules", None, readers()),
        route("GET", "/api/fee-rules/{rule}", None, hidden("fee_rule_unknown")),
        route("PUT", "/api/fee-rules/{rule}", Some(json!({"name": "x", "charge": rule["charge"], "first_day": "2026-01-01"})), changed("fee_rule_unknown")),
        route("POST", "/api/bill-runs", Some(json!({"community": "garden", "period": "2026-10"})), managers()),
        route("GET", "/api/bill-runs", None, readers()),
        route("GET", "/api/bill-runs/{run}", None, hidden("bill_run_unknown")),
        route("DELETE", "/api/bill-runs/{run}", None, changed("bill_run_unknown")),
        route("POST", "/api/bill-runs/{run}/steps", None, changed("bill_run_unknown")),
        route("POST", "/api/bill-runs/{run}/publication", None, changed("bill_run_unknown")),
        route("POST", "/api/bills", Some(bill), [managers(), with("room_unknown", 404, &[STRANGER])].concat()),
        route("GET", "/api/bills", None, people()),
        route("GET", "/api/bills/{bill}", None, own("bill_unknown")),
        route("POST", "/api/bills/{bill}/void", Some(json!({"reason": "x"})), own_changed("bill_unknown")),
        route("POST", "/api/bills/{bill}/discounts", Some(less.clone()), own_changed("bill_unknown")),
        route("POST", "/api/bills/{bill}/late-fee-waivers", Some(less), own_changed("bill_unknown")),
        route("POST", "/api/bill-payments", Some(json!({"bills": ["{bill}"]})), with("bill_unknown", 404, &[ZHAO, CHEN, AUDITOR, DEVICE, APP, STRANGER])),
        route("GET", "/api/bill-payments", None, people()),
        route("GET", "/api/bill-payments/{payment}", None, own("bill_payment_unknown")),
        route("GET", "/api/bill-payments/{payment}/receipt", None, own("bill_payment_unknown")),
        route("POST", "/api/bill-payments/{payment}/refunds", Some(json!({"bills": ["{bill}"], "reason": "x"})), own_changed("bill_payment_unknown")),
        route("POST", "/api/fee-coupons", Some(coupon), managers()),
        route("GET", "/api/fee-coupons", None, people()),
        route("GET", "/api/fee-coupons/{coupon}", None, own("fee_coupon_unknown")),
        route("DELETE", "/api/fee-coupons/{coupon}", None, own_changed("fee_coupon_unknown")),
        route("POST", "/api/fee-points", Some(json!({"community": "garden", "person": "li", "points": 1, "reason": "x"})), managers()),
        route("GET", "/api/fee-points", None, people()),
        route("POST", "/api/cash-closes", Some(json!({"community": "garden", "counted_minor": 0})), managers()),
        route("GET", "/api/cash-closes", None, readers()),
        route("GET", "/api/cash-closes/{close}", None, hidden("cash_close_unknown")),
        route("POST", "/api/recharges", Some(json!({"room": "r101", "commodity": "water", "amount_minor": 1})), with("room_unknown", 404, &[ZHAO, STAFF_ELSEWHERE, AUDITOR, DEVICE, APP, STRANGER])),
        route("GET", "/api/recharges", None, people()),
        route("GET", "/api/recharges/{recharge}", None, own("recharge_unknown")),
        route("POST", "/api/recharges/{recharge}/acknowledgement", Some(json!({"accepted": true})), own_changed("recharge_unknown")),
        route("GET", "/api/account-credits", None, people()),
        route("GET", "/api/fee-statements", None, readers()),
        route("GET", "/api/fee-statements/{room}", None, with("room_unknown", 404, &[ZHAO, STAFF_ELSEWHERE, DEVICE, APP, STRANGER])),
        route("POST", "/internal/ticks/fees", None, with("token_invalid", 401, &[LI, STRANGER])),
    ]
}

/// The places of a path, filled in.
struct Places(Vec<(&'static str, String)>);

impl Places {
    fn fill(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, value) in &self.0 {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text
    }
}

impl Route {
    fn ask<'a>(&self, world: &'a World, places: &Places) -> crate::support::Ask<'a> {
        let method = Method::from_bytes(self.method.as_bytes()).unwrap();
        let mut path = places.fill(self.path);
        let is_list = [
            "/api/tariffs",
            "/api/fee-rules",
            "/api/bill-runs",
            "/api/fee-statements",
            "/api/fee-points",
            "/api/cash-closes",
        ]
        .contains(&self.path);
        if self.method == "GET" && is_list {
            path.push_str("?community=garden");
        }
        let ask = world
            .ask(method, &path)
            .header("if-match", "*")
            .key("refused");
        match &self.body {
            Some(body) => ask.json(&serde_json::from_str(&places.fill(&body.to_string())).unwrap()),
            None => ask,
        }
    }
}

async fn made_by_chen(world: &World, path: &str, body: &Value) -> Value {
    let ask = world.post(path).by(CHEN).key(path);
    ask.json(body).content().await
}

async fn places(world: &World) -> Places {
    let id = |made: &Value| made["id"].as_str().unwrap().to_owned();
    let terms = json!({"periods": [{"first_day": "2026-01-01", "prices": {"flat": 1}}]});
    let tariff = json!({"community": "garden", "name": "x", "terms": terms});
    let tariff = world
        .post("/api/tariffs")
        .by(CHEN)
        .json(&tariff)
        .content()
        .await;
    let rule = world
        .rule("物业费", json!({"kind": "area", "price": 28_000}))
        .await;
    let run = world.published("2026-10").await;
    let bill = world.bills(LI, "").await.remove(0);
    let payment = world.pay(LI, "pay", &[&bill], false).await;
    let recharge = json!({"room": "r101", "commodity": "water", "amount_minor": 100});
    let recharge = world
        .post("/api/recharges")
        .by(LI)
        .key("recharge")
        .json(&recharge)
        .content()
        .await;
    let coupon = json!({"community": "garden", "title": "x", "person": "li", "value": {"amount_minor": 1}, "first_day": "2026-11-01", "until_day": "2026-12-01", "reason": "x"});
    let coupon = made_by_chen(world, "/api/fee-coupons", &coupon).await;
    let close = json!({"community": "garden", "counted_minor": 0});
    let close = made_by_chen(world, "/api/cash-closes", &close).await;
    Places(vec![
        ("coupon", id(&coupon)),
        ("close", id(&close)),
        ("tariff", id(&tariff)),
        ("community", "garden".to_owned()),
        ("rule", id(&rule)),
        ("run", id(&run)),
        ("bill", id(&bill)),
        ("payment", id(&payment)),
        ("recharge", id(&recharge)),
        ("room", "r101".to_owned()),
    ])
}

#[tokio::test]
async fn every_route_refuses_whom_it_must_and_nothing_changes() {
    on_each_engine(async |world| {
        let places = places(&world).await;
        let facts = world.facts().await;
        for route in routes() {
            let none = route
                .ask(&world, &places)
                .refused(401, "token_missing")
                .await;
            assert_eq!(none["status"], 401, "{} {}", route.method, route.path);
            route
                .ask(&world, &places)
                .bearer("a.b.c")
                .refused(401, "token_invalid")
                .await;
            for (person, status, code) in &route.refusals {
                let reply = route.ask(&world, &places).by(*person).reply().await;
                let problem = crate::support::content_of(&reply);
                assert_eq!(
                    (reply.status.as_u16(), problem["code"].as_str()),
                    (*status, Some(*code)),
                    "{} {} by {}: {problem}",
                    route.method,
                    route.path,
                    person.1
                );
            }
        }
        assert_eq!(world.facts().await, facts);
    })
    .await;
}

#[tokio::test]
async fn the_token_of_people_opens_no_internal_route_and_the_internal_token_no_other() {
    on_each_engine(async |world| {
        let places = places(&world).await;
        for route in routes()
            .iter()
            .filter(|route| route.path.starts_with("/api"))
        {
            route
                .ask(&world, &places)
                .bearer(SECRET)
                .refused(401, "token_invalid")
                .await;
        }
        world.tick().await;
    })
    .await;
}

#[tokio::test]
async fn a_known_path_with_another_method_names_the_right_ones() {
    on_each_engine(async |world| {
        let places = places(&world).await;
        for route in routes() {
            let path = places.fill(route.path);
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
            "/api",
            "/api/bills/x/y",
            "/api/fee-terms",
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
