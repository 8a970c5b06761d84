//! Every route refuses: nobody in particular, the wrong kind of caller, the caller of another tenant. The list is
//! checked against the route table itself, so that a new route without its refusals fails here.

use serde_json::json;
use testing::{Places, Refusals, Route, arms, is_listed, other_methods, refuse, route, with};

use crate::support::{
    APP, APP_READER, AUDIT, AUDITOR, CHEN, DEVICE, LI, MA, SOMEBODY, STRANGER, WANG, World,
    content, id, on_each_engine, owner_of, paper, terms,
};

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
        route("GET", "/api/merchant-applications/{application}/qualifications/{qualification}", None, own("merchant_application_unknown")),
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
        route("GET", "/api/merchants/{merchant}/qualifications/{qualification}", None, inside("merchant_unknown")),
        route("POST", "/api/merchants/{merchant}/qualifications/{qualification}/decision", Some(json!({"accepted": true})), readers_but("audit_only", "merchant_unknown")),
        route("POST", "/api/merchant-change-requests", Some(json!({"merchant": "{merchant}", "title": "x", "detail": "x"})), [readers_but("members_only", "merchant_unknown"), with("members_only", 403, &[WANG])].concat()),
        route("GET", "/api/merchant-change-requests", None, readers()),
        route("GET", "/api/merchant-change-requests/{change}", None, inside("change_request_unknown")),
        route("POST", "/api/merchant-change-requests/{change}/answer", Some(json!({"done": true})), readers_but("operators_only", "change_request_unknown")),
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
        ("change", id(&request)),
        ("qualification", id(&papers["items"][0])),
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
        let mut routes = routes();
        routes.retain(|route| !route.path.starts_with("/api/merchant-registrations"));
        refuse(&world, &routes, &places).await;
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
async fn a_known_path_with_another_method_names_the_right_ones() {
    on_each_engine(async |world| {
        let places = places(&world).await;
        let unknown = [
            "/api",
            "/api/merchants/x/y",
            "/api/categories/x/y",
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
