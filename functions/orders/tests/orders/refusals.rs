//! Every route refuses: nobody in particular, the wrong kind of caller, the caller of another tenant. The list is
//! checked against the route table itself, so that a new route without its refusals fails here.

use http::Method;
use serde_json::{Value, json};

use crate::flow_refusals;
use crate::goods::{apples, id, variant};
use crate::support::{
    APP, APP_READER, AUDITOR, CHEN, DEVICE, FRUITER, LAUNDERER, LI, MA, Person, SECRET, STRANGER,
    WANG, World, on_each_engine,
};

/// A route, a body that it would accept, and who is refused how.
pub struct Route {
    method: &'static str,
    path: &'static str,
    body: Option<Value>,
    refusals: Vec<(Person, u16, &'static str)>,
}

pub fn route(
    method: &'static str,
    path: &'static str,
    body: Option<Value>,
    refusals: Vec<(Person, u16, &'static str)>,
) -> Route {
    Route {
        method,
        path,
        body,
        refusals,
    }
}

pub fn with(code: &'static str, status: u16, who: &[Person]) -> Vec<(Person, u16, &'static str)> {
    who.iter().map(|person| (*person, status, code)).collect()
}

/// All routes, in the order of the table.
fn routes() -> Vec<Route> {
    let ticks = route(
        "POST",
        "/internal/ticks/orders",
        None,
        with("token_invalid", 401, &[LI, STRANGER]),
    );
    [
        goods(),
        buying(),
        flow_refusals::flow(),
        flow_refusals::aftermath(),
        vec![ticks],
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[rustfmt::skip]
fn goods() -> Vec<Route> {
    let product = json!({"merchant": "fruit", "category": "fruits", "name": "x", "variants": [{"name": "x", "price_minor": 1}]});
    let changed = json!({"category": "fruits", "name": "x", "variants": [{"name": "x", "price_minor": 1}]});
    let slot = json!({"starts_at": "2026-11-04T02:00:00Z", "ends_at": "2026-11-04T03:00:00Z", "capacity": 1});
    let delivery = json!({"freight_minor": 0, "own": true, "carrier": true, "pickup": true});
    // Who may not keep goods knows of none that are not on offer; who reads changes nothing.
    let hidden = |code| with(code, 404, &[LI, CHEN, DEVICE, APP, STRANGER, LAUNDERER]);
    let readers = |code| [hidden(code), with("goods_keepers_only", 403, &[AUDITOR, APP_READER]), with("shop_is_self_run", 403, &[WANG])].concat();
    vec![
        route("POST", "/api/products", Some(product), readers("merchant_unknown")),
        route("GET", "/api/products", None, vec![]),
        route("GET", "/api/products/{product}", None, hidden("product_unknown")),
        route("PUT", "/api/products/{product}", Some(changed), readers("product_unknown")),
        route("POST", "/api/products/{product}/listing", None, readers("product_unknown")),
        route("POST", "/api/products/{product}/delisting", None, [hidden("product_unknown"), with("goods_keepers_only", 403, &[AUDITOR, APP_READER])].concat()),
        route("PUT", "/api/products/{product}/pictures/{position}", None, readers("product_unknown")),
        route("GET", "/api/products/{product}/pictures/{position}", None, hidden("product_unknown")),
        route("DELETE", "/api/products/{product}/pictures/{position}", None, readers("product_unknown")),
        route("POST", "/api/products/{product}/slots", Some(slot), readers("product_unknown")),
        route("GET", "/api/products/{product}/slots", None, hidden("product_unknown")),
        route("DELETE", "/api/products/{product}/slots/{slot}", None, readers("product_unknown")),
        route("POST", "/api/product-imports", None, [hidden("merchant_unknown"), with("goods_keepers_only", 403, &[AUDITOR, APP_READER]), with("shop_is_self_run", 403, &[WANG])].concat()),
        route("GET", "/api/stock/{item}", None, hidden("stock_unknown")),
        route("GET", "/api/stock/{item}/movements", None, hidden("stock_unknown")),
        route("POST", "/api/stock/{item}/movements", Some(json!({"kind": "received", "units": 1})), readers("stock_unknown")),
        route("GET", "/api/stock/{item}/batches", None, hidden("stock_unknown")),
        route("POST", "/api/stock/{item}/batches", Some(json!({"units": 1, "expires_on": "2026-12-01"})), readers("stock_unknown")),
        route("GET", "/api/shops", None, vec![]),
        route("GET", "/api/shops/{shop}", None, with("shop_unknown", 404, &[STRANGER])),
        route("PUT", "/api/shops/{shop}/delivery", Some(delivery), readers("merchant_unknown")),
        route("GET", "/api/shops/{shop}/shortage", None, hidden("merchant_unknown")),
        route("GET", "/api/shops/{shop}/near-expiry", None, hidden("merchant_unknown")),
        route("GET", "/api/shelves", None, vec![]),
        route("GET", "/api/search", None, vec![]),
    ]
}

#[rustfmt::skip]
fn buying() -> Vec<Route> {
    let people = || with("people_only", 403, &[AUDITOR, DEVICE, APP, APP_READER]);
    let others = |code| [with(code, 404, &[MA, CHEN, FRUITER, WANG, STRANGER]), with("people_only", 403, &[AUDITOR, DEVICE, APP])].concat();
    let address = json!({"community": "garden", "detail": "x", "name": "x", "phone": "13800138000"});
    let promotion = json!({"merchant": "fruit", "name": "x", "from": "2026-11-01T00:00:00Z", "until": "2026-11-30T00:00:00Z",
        "terms": {"kind": "full_reduction", "tiers": [{"from_minor": 2, "off_minor": 1}]}});
    let hidden = |code| with(code, 404, &[LI, CHEN, DEVICE, APP, STRANGER, LAUNDERER]);
    let audited = || [hidden("promotion_unknown"), with("promotion_auditors_only", 403, &[FRUITER, AUDITOR, APP_READER])].concat();
    vec![
        route("GET", "/api/carts", None, people()),
        route("PUT", "/api/carts/{variant}", Some(json!({"quantity": 1})), [people(), with("product_unknown", 404, &[STRANGER])].concat()),
        route("DELETE", "/api/carts/{variant}", None, [people(), with("cart_line_unknown", 404, &[LI, STRANGER])].concat()),
        route("GET", "/api/favourites", None, people()),
        route("PUT", "/api/favourites/{kind}/{favourite}", None, [people(), with("shop_unknown", 404, &[STRANGER])].concat()),
        route("DELETE", "/api/favourites/{kind}/{favourite}", None, [people(), with("favourite_unknown", 404, &[LI, STRANGER])].concat()),
        route("POST", "/api/addresses", Some(address.clone()), people()),
        route("GET", "/api/addresses", None, people()),
        route("GET", "/api/addresses/{address}", None, others("address_unknown")),
        route("PUT", "/api/addresses/{address}", Some(address), others("address_unknown")),
        route("DELETE", "/api/addresses/{address}", None, others("address_unknown")),
        route("POST", "/api/promotions", Some(promotion), [hidden("merchant_unknown"), with("goods_keepers_only", 403, &[AUDITOR, APP_READER]), with("shop_is_self_run", 403, &[WANG])].concat()),
        route("GET", "/api/promotions", None, vec![]),
        route("GET", "/api/promotions/{promotion}", None, hidden("promotion_unknown")),
        route("POST", "/api/promotions/{promotion}/approval", Some(json!({})), audited()),
        route("POST", "/api/promotions/{promotion}/rejection", Some(json!({"reason": "x"})), audited()),
        route("POST", "/api/promotions/{promotion}/withdrawal", None, [hidden("promotion_unknown"), with("goods_keepers_only", 403, &[AUDITOR, APP_READER])].concat()),
        route("POST", "/api/promotions/{promotion}/coupons", None, [people(), with("promotion_unknown", 404, &[LI, STRANGER])].concat()),
        route("GET", "/api/coupons", None, people()),
        route("GET", "/api/group-buys", None, with("promotion_required", 422, &[LI])),
        route("GET", "/api/group-buys/{group}", None, with("group_unknown", 404, &[LI, STRANGER])),
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
        if self.path == "/api/product-imports" {
            path.push_str("?merchant=fruit");
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

async fn places(world: &World) -> Places {
    let product = world.draft(FRUITER, &apples(5)).await;
    let address =
        json!({"community": "garden", "detail": "x", "name": "x", "phone": "13800138000"});
    let address = world
        .post("/api/addresses")
        .by(LI)
        .json(&address)
        .content()
        .await;
    let terms = json!({"kind": "coupon", "off_minor": 1, "least_minor": 1, "issue_max": 1});
    let promotion = json!({"merchant": "fruit", "name": "x", "from": "2026-11-01T00:00:00Z",
        "until": "2026-11-30T00:00:00Z", "terms": terms});
    let promotion = world
        .post("/api/promotions")
        .by(FRUITER)
        .json(&promotion)
        .content()
        .await;
    let mut places = vec![
        ("shop", "fruit".to_owned()),
        ("favourite", "fruit".to_owned()),
        ("kind", "shop".to_owned()),
        ("product", id(&product)),
        ("position", "1".to_owned()),
        ("slot", "slot".to_owned()),
        ("item", variant(&product, 0)),
        ("variant", variant(&product, 0)),
        ("address", id(&address)),
        ("promotion", id(&promotion)),
        ("group", "group".to_owned()),
    ];
    places.extend(flow_refusals::places(world).await);
    Places(places)
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
        for path in ["/api", "/api/shops/x/y/z", "/internal/ticks/meters"] {
            world.get(path).refused(404, "not_found").await;
        }
    })
    .await;
}

/// The arms of the route table, as `METHOD /path/{place}`.
fn arms() -> Vec<String> {
    let source = include_str!("../../src/http.rs");
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
