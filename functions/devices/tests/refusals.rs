//! Every route refuses: nobody in particular, the wrong kind of caller, the caller of another tenant. The list is
//! checked against the route table itself, so that a new route without its refusals fails here.

use http::Method;
use serde_json::{Value, json};

use crate::support::{
    AUDITOR, CHEN, DEVICE, GUARD_ELSEWHERE, LI, OTHER_GATEWAY, Person, SECRET, STRANGER, WANG,
    World, on_each_engine,
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
    let unknown = |code: &'static str| [LI, GUARD_ELSEWHERE, OTHER_GATEWAY, STRANGER].map(|person| (person, 404, code)).to_vec();
    let operators = |strangers: Vec<(Person, u16, &'static str)>| {
        let others = [LI, CHEN, AUDITOR, DEVICE].map(|person| (person, 403, "operator_only"));
        [others.to_vec(), strangers].concat()
    };
    let stranger = |code| vec![(STRANGER, 404, code)];
    let overseers = || [LI, DEVICE].map(|person| (person, 403, "overseers_only")).to_vec();
    let described = json!({"community": "garden", "name": "x"});
    vec![
        route("GET", "/api/gateways", None, overseers()),
        route("PUT", "/api/gateways/{gateway}", Some(described.clone()), operators(stranger("gateway_unknown"))),
        route("GET", "/api/gateways/{gateway}", None, unknown("gateway_unknown")),
        route("PUT", "/api/gateways/{gateway}/configuration", Some(json!({})), operators(stranger("gateway_unknown"))),
        route("GET", "/api/gateways/{gateway}/configuration", None, unknown("gateway_unknown")),
        route("POST", "/api/gateways/{gateway}/commands", Some(json!({"action": "ping"})), operators(stranger("gateway_unknown"))),
        route("GET", "/api/gateways/{gateway}/commands", None, unknown("gateway_unknown")),
        route("GET", "/api/gateways/{gateway}/commands/{command}", None, unknown("gateway_unknown")),
        route("DELETE", "/api/gateways/{gateway}/commands/{command}", None, operators(stranger("gateway_unknown"))),
        route("GET", "/api/terminals", None, overseers()),
        route("PUT", "/api/terminals/{terminal}", Some(described), operators(stranger("terminal_unknown"))),
        route("GET", "/api/terminals/{terminal}", None, unknown("terminal_unknown")),
        route("POST", "/internal/ticks/devices", None, vec![(LI, 401, "token_invalid"), (STRANGER, 401, "token_invalid")]),
    ]
}

/// The places of a path, filled in.
struct Places {
    command: String,
}

impl Places {
    fn fill(&self, path: &str) -> String {
        path.replace("{gateway}", "gateway-1")
            .replace("{terminal}", "north")
            .replace("{command}", &self.command)
    }
}

impl Route {
    fn ask<'a>(&self, world: &'a World, places: &Places) -> crate::support::Ask<'a> {
        let method = Method::from_bytes(self.method.as_bytes()).unwrap();
        let ask = world
            .ask(method, &places.fill(self.path))
            .header("if-match", "*");
        match &self.body {
            Some(body) => ask.json(body),
            None => ask,
        }
    }
}

async fn places(world: &World) -> Places {
    let ask = json!({"action": "ping"});
    let path = "/api/gateways/gateway-1/commands";
    let command = world.post(path).by(WANG).json(&ask).content().await;
    Places {
        command: command["id"].as_str().unwrap().to_owned(),
    }
}

#[tokio::test]
async fn every_route_refuses_whom_it_must_and_nothing_changes() {
    on_each_engine(async |world| {
        let places = places(&world).await;
        let gateway = world.gateway().await;
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
                route
                    .ask(&world, &places)
                    .by(*person)
                    .refused(*status, code)
                    .await;
            }
        }
        assert_eq!(world.gateway().await, gateway);
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
        assert_eq!(
            world
                .post("/internal/ticks/devices")
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
async fn an_expired_token_is_refused() {
    on_each_engine(async |mut world| {
        let token = world.token(CHEN);
        assert_eq!(
            world
                .get("/api/gateways")
                .bearer(&token)
                .reply()
                .await
                .status,
            200
        );
        world.pass_ms(3_600_000);
        world
            .get("/api/gateways")
            .bearer(&token)
            .refused(401, "token_expired")
            .await;
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
                .map(|allow| allow.to_str().unwrap())
                .unwrap_or("");
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
            "/api/gateways/x/keys",
            "/api/terminals/x/y",
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
