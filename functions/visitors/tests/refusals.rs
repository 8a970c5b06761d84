//! Every route refuses: nobody in particular, the wrong kind of caller, the caller of another tenant. The list is
//! checked against the route table itself, so that a new route without its refusals fails here.

use serde_json::json;
use testing::{Places, Refusals, Route, arms, is_listed, other_methods, refuse, route};

use crate::support::{
    APP, AUDITOR, CHEN, DEVICE, GUARD_ELSEWHERE, LI, Person, STRANGER, SUN, World, ZHAO,
    on_each_engine,
};

#[rustfmt::skip]
fn routes() -> Vec<Route> {
    let strangers = |code: &'static str, more: Refusals| {
        let unknown = [ZHAO, SUN, GUARD_ELSEWHERE, DEVICE, APP, STRANGER].map(|person| (person, 404, code));
        [unknown.to_vec(), more].concat()
    };
    let visit = |more| strangers("visit_unknown", more);
    let readers = || vec![(AUDITOR, 403, "hosts_only")];
    let invitation = json!({"room": "r101", "visitor": {"name": "周"}});
    let recurring = json!({"room": "r101", "visitor": {"name": "周"}, "days": ["sat"], "from": "09:00", "until": "12:00", "last_day": "2027-02-28"});
    let entry = json!({"community": "garden", "plate": "京A12345", "reason": "x"});
    let managers = || [LI, ZHAO, SUN, AUDITOR, GUARD_ELSEWHERE, DEVICE].map(|person| (person, 403, "managers_only")).to_vec();
    vec![
        route("POST", "/api/visits", Some(invitation), strangers("room_unknown", readers())),
        route("GET", "/api/visits", None, vec![(DEVICE, 403, "people_only"), (APP, 403, "people_only")]),
        route("GET", "/api/visits/{visit}", None, visit(vec![])),
        route("DELETE", "/api/visits/{visit}", None, visit(readers())),
        route("GET", "/api/visits/{visit}/pass", None, visit(readers())),
        route("POST", "/api/visits/{visit}/arrival", None, visit(vec![(LI, 403, "managers_only"), (AUDITOR, 403, "managers_only")])),
        route("POST", "/api/visits/{visit}/departure", None, visit(readers())),
        route("POST", "/api/visits/{visit}/answer", Some(json!({"approved": true})), visit(readers())),
        route("POST", "/api/recurring-visits", Some(recurring), strangers("room_unknown", readers())),
        route("GET", "/api/recurring-visits", None, vec![(DEVICE, 403, "people_only"), (APP, 403, "people_only")]),
        route("GET", "/api/recurring-visits/{recurring}", None, strangers("recurring_visit_unknown", vec![])),
        route("DELETE", "/api/recurring-visits/{recurring}", None, strangers("recurring_visit_unknown", readers())),
        route("POST", "/api/visitor-registrations", Some(json!({})), vec![]),
        route("GET", "/api/visitor-registrations/{token}", None, vec![]),
        route("POST", "/api/visitor-blacklist", Some(entry), managers()),
        route("GET", "/api/visitor-blacklist", None, vec![]),
        route("DELETE", "/api/visitor-blacklist/{entry}", None, strangers("blacklist_entry_unknown", vec![(LI, 404, "blacklist_entry_unknown"), (AUDITOR, 404, "blacklist_entry_unknown")])),
        route("POST", "/internal/ticks/visitors", None, vec![(LI, 401, "token_invalid"), (STRANGER, 401, "token_invalid")]),
    ]
}

/// Whether nobody needs a token there.
fn is_public(route: &Route) -> bool {
    route.path.starts_with("/api/visitor-registrations")
}

async fn places(world: &World) -> Places {
    let made = async |path: &str, person: Person| {
        let all = routes();
        let route = all
            .iter()
            .find(|route| (route.method, route.path) == ("POST", path));
        let body = route.and_then(|route| route.body.clone()).unwrap();
        let made = world.post(path).by(person).json(&body).content().await;
        made["id"].as_str().unwrap().to_owned()
    };
    Places(vec![
        ("visit", made("/api/visits", LI).await),
        ("recurring", made("/api/recurring-visits", LI).await),
        ("entry", made("/api/visitor-blacklist", CHEN).await),
        ("token", "x".to_owned()),
    ])
}

#[tokio::test]
async fn every_route_refuses_whom_it_must_and_nothing_changes() {
    on_each_engine(async |world| {
        let places = places(&world).await;
        let path = places.fill("/api/visits/{visit}");
        let visit = world.get(&path).by(LI).content().await;
        let facts = world.facts().await;
        let mut routes = routes();
        routes.retain(|route| !is_public(route));
        refuse(&world, &routes, &places).await;
        assert_eq!(world.get(&path).by(LI).content().await, visit);
        assert_eq!(world.facts().await, facts);
    })
    .await;
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    on_each_engine(async |mut world| {
        let token = world.token(LI);
        assert_eq!(
            world.get("/api/visits").bearer(&token).reply().await.status,
            200
        );
        world.pass_ms(3_600_000);
        world
            .get("/api/visits")
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
        let unknown = [
            "/",
            "/api",
            "/api/visits/x/keys",
            "/api/visitor-registrations/x/y",
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
    on_each_engine(async |world| testing::beats(&world, "visitors").await).await;
}
