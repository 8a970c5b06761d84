//! Every route refuses: nobody in particular, the wrong kind of caller, the caller of another tenant. The list is
//! checked against the route table itself, so that a new route without its refusals fails here.

use http::Method;
use serde_json::Value;

use crate::flow_refusals;
use crate::support::{LI, Person, SECRET, STRANGER, World, on_each_engine};

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
    vec![
        route("GET", "/api/shops", None, vec![]),
        route("GET", "/api/shops/{shop}", None, with("shop_unknown", 404, &[STRANGER])),
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
        let path = places.fill(self.path);
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
    let mut places = vec![("shop", "fruit".to_owned())];
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
