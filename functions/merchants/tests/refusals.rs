//! Every route refuses: nobody in particular, the wrong kind of caller, the caller of another tenant. The list is
//! checked against the route table itself, so that a new route without its refusals fails here.

use http::Method;
use serde_json::{Value, json};

use crate::support::{
    APP, APP_READER, AUDIT, AUDITOR, CHEN, DEVICE, LI, MA, Person, SECRET, SOMEBODY, STRANGER,
    WANG, World, content, id, on_each_engine, owner_of, paper, terms,
};

/// A route, a body that it would accept, and who is refused how.
struct Route {
    method: &'static str,
    path: &'static str,
    body: Option<Value>,
    refusals: Vec<(Person<'static>, u16, &'static str)>,
}

type Refusals = Vec<(Person<'static>, u16, &'static str)>;

fn with(code: &'static str, status: u16, who: &[Person<'static>]) -> Refusals {
    who.iter().map(|person| (*person, status, code)).collect()
}

/// Those who are nobody to a merchant, and those who only read it.
fn inside(code: &'static str) -> Refusals {
    with(code, 404, &[LI, MA, CHEN, SOMEBODY, DEVICE, APP, STRANGER])
}

fn readers_but(code: &'static str, unknown: &'static str) -> Refusals {
    [inside(unknown), with(code, 403, &[AUDITOR, APP_READER])].concat()
}

fn writers() -> Refusals {
    with(
        "operators_only",
        403,
        &[LI, CHEN, SOMEBODY, DEVICE, APP, AUDITOR, APP_READER, AUDIT],
    )
}

#[rustfmt::skip]
fn routes() -> Vec<Route> {
    let route = |method, path, body, refusals| Route { method, path, body, refusals };
    let own = |code| with(code, 404, &[MA, CHEN, SOMEBODY, DEVICE, APP, STRANGER]);
    let applicants = || [own("merchant_application_unknown"), with("applicant_only", 403, &[AUDITOR, APP_READER, AUDIT, WANG])].concat();
    let platform = || [with("operators_only", 403, &[LI, CHEN, SOMEBODY, AUDITOR, APP_READER]), with("merchant_unknown", 404, &[DEVICE, APP, STRANGER])].concat();
    let people = || with("people_only", 403, &[AUDITOR, DEVICE, APP, APP_READER]);
    let readers = || with("readers_only", 403, &[LI, CHEN, SOMEBODY, DEVICE, APP]);
    let known = |code| with(code, 404, &[DEVICE, APP, STRANGER]);
    let application = content("13800138000");
    let mut registration = content("13500135000");
    registration["tenant"] = json!("demo");
    let profile = json!({"profile": {"name": "x"}, "reason": "x"});
    let file = paper("other", None);
    let rule = json!({"rate_bps": 1, "from": "2028-01-01T00:00:00Z"});
    vec![
        route("POST", "/api/merchant-applications", Some(application.clone()), people()),
        route("GET", "/api/merchant-applications", None, with("people_only", 403, &[DEVICE, APP])),
        route("GET", "/api/merchant-applications/{application}", None, own("merchant_application_unknown")),
        route("PUT", "/api/merchant-applications/{application}", Some(application), applicants()),
        route("POST", "/api/merchant-applications/{application}/qualifications", Some(file.clone()), applicants()),
        route("GET", "/api/merchant-applications/{application}/qualifications/{paper}", None, own("merchant_application_unknown")),
        route("POST", "/api/merchant-applications/{application}/submission", None, applicants()),
        route("POST", "/api/merchant-applications/{application}/withdrawal", None, applicants()),
        route("POST", "/api/merchant-applications/{application}/decision", Some(json!({"decision": "approve"})), [own("merchant_application_unknown"), with("audit_only", 403, &[LI, AUDITOR, APP_READER])].concat()),
        route("POST", "/api/merchant-registrations", Some(registration.clone()), vec![]),
        route("GET", "/api/merchant-registrations/{token}", None, vec![]),
        route("PUT", "/api/merchant-registrations/{token}", Some(content("13500135000")), vec![]),
        route("POST", "/api/merchant-registrations/{token}/qualifications", Some(file.clone()), vec![]),
        route("POST", "/api/merchant-registrations/{token}/submission", None, vec![]),
        route("GET", "/api/merchants", None, with("readers_only", 403, &[DEVICE, APP])),
        route("GET", "/api/merchants/{merchant}", None, known("merchant_unknown")),
        route("PUT", "/api/merchants/{merchant}", Some(profile), readers_but("members_only", "merchant_unknown")),
        route("PUT", "/api/merchants/{merchant}/opening", Some(json!({"open": true})), [readers_but("owner_only", "merchant_unknown"), with("owner_only", 403, &[WANG])].concat()),
        route("PUT", "/api/merchants/{merchant}/state", Some(json!({"state": "closed", "reason": "x"})), platform()),
        route("PUT", "/api/merchants/{merchant}/mode", Some(json!({"mode": "hosted"})), platform()),
        route("PUT", "/api/merchants/{merchant}/categories", Some(json!({"categories": ["tools"]})), platform()),
        route("GET", "/api/merchants/{merchant}/edits", None, inside("merchant_unknown")),
        route("GET", "/api/merchants/{merchant}/members", None, inside("merchant_unknown")),
        route("POST", "/api/merchants/{merchant}/members", Some(json!({"name": "x", "phone": "13600136000"})), readers_but("owner_only", "merchant_unknown")),
        route("DELETE", "/api/merchants/{merchant}/members/{member}", None, readers_but("owner_only", "merchant_unknown")),
        route("GET", "/api/merchants/{merchant}/qualifications", None, inside("merchant_unknown")),
        route("POST", "/api/merchants/{merchant}/qualifications", Some(file), readers_but("owner_only", "merchant_unknown")),
        route("GET", "/api/merchants/{merchant}/qualifications/{paper}", None, inside("merchant_unknown")),
        route("POST", "/api/merchants/{merchant}/qualifications/{paper}/decision", Some(json!({"accepted": true})), readers_but("audit_only", "merchant_unknown")),
        route("POST", "/api/merchant-change-requests", Some(json!({"merchant": "{merchant}", "title": "x", "detail": "x"})), [readers_but("members_only", "merchant_unknown"), with("members_only", 403, &[WANG])].concat()),
        route("GET", "/api/merchant-change-requests", None, readers()),
        route("GET", "/api/merchant-change-requests/{request}", None, inside("change_request_unknown")),
        route("POST", "/api/merchant-change-requests/{request}/answer", Some(json!({"done": true})), readers_but("operators_only", "change_request_unknown")),
        route("POST", "/api/merchant-contracts", Some(json!({"merchant": "{merchant}", "from": "2027-01", "terms": terms(0)})), [writers(), with("merchant_unknown", 404, &[STRANGER])].concat()),
        route("GET", "/api/merchant-contracts", None, readers()),
        route("GET", "/api/merchant-contracts/{merchant}", None, inside("merchant_unknown")),
        route("POST", "/api/categories", Some(json!({"kind": "goods", "name": "x"})), writers()),
        route("GET", "/api/categories", None, with("readers_only", 403, &[DEVICE, APP])),
        route("GET", "/api/categories/{category}", None, known("category_unknown")),
        route("PUT", "/api/categories/{category}", Some(json!({"name": "x"})), [known("category_unknown"), with("operators_only", 403, &[LI, CHEN, SOMEBODY, AUDITOR, APP_READER])].concat()),
        route("DELETE", "/api/categories/{category}", None, [known("category_unknown"), with("operators_only", 403, &[LI, CHEN, SOMEBODY, AUDITOR, APP_READER])].concat()),
        route("POST", "/api/commission-rules", Some(rule.clone()), writers()),
        route("GET", "/api/commission-rules", None, readers()),
        route("POST", "/api/commission-rules/previews", Some(json!({"merchant": "m", "lines": [{"category": "fruit", "paid_minor": 1}]})), readers()),
        route("GET", "/api/commission-rules/{rule}", None, [inside("commission_rule_unknown"), with("commission_rule_unknown", 404, &[STRANGER])].concat()),
        route("PUT", "/api/commission-rules/{rule}", Some(rule), readers_but("operators_only", "commission_rule_unknown")),
        route("DELETE", "/api/commission-rules/{rule}", None, readers_but("operators_only", "commission_rule_unknown")),
        route("POST", "/internal/ticks/merchants", None, with("token_invalid", 401, &[LI, STRANGER])),
    ]
}

impl Route {
    /// Whether it is for those who have no account.
    fn is_open(&self) -> bool {
        self.path.starts_with("/api/merchant-registrations")
    }

    fn ask<'a>(&self, world: &'a World, places: &Places) -> crate::support::Ask<'a> {
        let method = Method::from_bytes(self.method.as_bytes()).unwrap();
        let ask = world
            .ask(method, &places.fill(self.path))
            .header("if-match", "*");
        match &self.body {
            Some(body) => ask.json(&serde_json::from_str(&places.fill(&body.to_string())).unwrap()),
            None => ask,
        }
    }
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

async fn places(world: &World) -> Places {
    let (merchant, owner) = world.merchant().await;
    let hosted = json!({"mode": "hosted"});
    world
        .put(&format!("/api/merchants/{merchant}/mode"))
        .by(WANG)
        .json(&hosted)
        .content()
        .await;
    let ask = json!({"merchant": merchant, "title": "x", "detail": "x"});
    let request = world
        .post("/api/merchant-change-requests")
        .by(owner_of(&owner))
        .json(&ask)
        .content()
        .await;
    let own = json!({"mode": "self_run"});
    world
        .put(&format!("/api/merchants/{merchant}/mode"))
        .by(WANG)
        .json(&own)
        .content()
        .await;
    let papers = world
        .get(&format!("/api/merchants/{merchant}/qualifications"))
        .by(WANG)
        .content()
        .await;
    let application = world
        .post("/api/merchant-applications")
        .by(LI)
        .json(&content("13800138000"))
        .content()
        .await;
    let rule = json!({"rate_bps": 1, "from": "2027-01-01T00:00:00Z", "kind": "goods"});
    let rule = world
        .post("/api/commission-rules")
        .by(WANG)
        .json(&rule)
        .content()
        .await;
    Places(vec![
        ("merchant", merchant),
        ("member", owner),
        ("request", id(&request)),
        ("paper", id(&papers["items"][0])),
        ("application", id(&application)),
        ("rule", id(&rule)),
        ("category", "laundry".to_owned()),
        ("token", "demo.x.AAAA".to_owned()),
    ])
}

#[tokio::test]
async fn every_route_refuses_whom_it_must_and_nothing_changes() {
    on_each_engine(async |world| {
        let places = places(&world).await;
        let facts = world.facts().await;
        for route in routes().iter().filter(|route| !route.is_open()) {
            route
                .ask(&world, &places)
                .refused(401, "token_missing")
                .await;
            let forged = route.ask(&world, &places).bearer("a.b.c");
            forged.refused(401, "token_invalid").await;
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
async fn a_token_that_this_deployment_did_not_make_opens_no_application() {
    on_each_engine(async |world| {
        let places = places(&world).await;
        let opened = routes();
        for route in opened.iter().filter(|route| route.path.contains("{token}")) {
            route
                .ask(&world, &places)
                .refused(404, "merchant_application_unknown")
                .await;
        }
    })
    .await;
}

#[tokio::test]
async fn the_token_of_people_opens_no_internal_route_and_the_internal_token_no_other() {
    on_each_engine(async |world| {
        let places = places(&world).await;
        for route in routes()
            .iter()
            .filter(|route| route.path.starts_with("/api") && !route.is_open())
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
            "/api/merchants/x/y",
            "/api/categories/x/y",
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
    let names = [("{qualification}", "{paper}"), ("{change}", "{request}")];
    arms.map(|arm| {
        names
            .iter()
            .fold(arm, |arm, (name, here)| arm.replace(name, here))
    })
    .collect()
}

#[test]
fn every_route_of_the_table_stands_in_the_list_of_refusals() {
    let listed: Vec<String> = routes()
        .iter()
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    assert_eq!(arms(), listed);
}
