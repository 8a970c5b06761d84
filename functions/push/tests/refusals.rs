//! Every route refuses: nobody in particular, the wrong kind of caller, the caller of another tenant. The list is
//! checked against the route table itself, so that a new route without its refusals fails here.

use serde_json::{Value, json};
use testing::{Places, Route, arms, is_listed, other_methods, refuse, route, with};

use crate::orders::{draft, drafted};
use crate::support::{
    APP, APP_READER, AUDITOR, BO, CHEN, DEVICE, LI, MEI, MIN, STRANGER, WANG, World, browser,
    on_each_engine,
};

#[rustfmt::skip]
fn push_routes() -> Vec<Route> {
    let people = || with("people_only", 403, &[DEVICE, AUDITOR, APP]);
    let receivers = || with("people_only", 403, &[DEVICE, AUDITOR]);
    let tellers = || with("tellers_only", 403, &[LI, CHEN, MEI, DEVICE, APP, APP_READER, AUDITOR]);
    let readers = || with("tellers_only", 403, &[LI, CHEN, MEI, DEVICE, APP]);
    let hidden = |code| with(code, 404, &[LI, CHEN, MEI, DEVICE, APP, STRANGER]);
    let told = |code| [hidden(code), with("tellers_only", 403, &[AUDITOR, APP_READER])].concat();
    let own = |code| with(code, 404, &[MIN, CHEN, MEI, DEVICE, APP, AUDITOR, WANG, STRANGER]);
    let buyers = || with("merchants_only", 403, &[LI, CHEN, DEVICE, APP]);
    let order = || with("push_order_unknown", 404, &[LI, CHEN, DEVICE, APP, STRANGER, BO]);
    let bought = || [order(), with("tellers_only", 403, &[AUDITOR, APP_READER])].concat();
    let plan = json!({"name": "x", "audience": {"all": true}, "rhythm": {"day": 1, "points": ["08:00"]}, "notification": {"title": {"zh": "a"}, "body": {"zh": "b"}}});
    let message = json!({"audience": {"all": true}, "notification": {"title": {"zh": "a"}, "body": {"zh": "b"}}});
    let terms = json!({"time_zone": "Asia/Shanghai", "window_from": "07:00", "window_until": "23:00", "per_day": 1, "per_week": 3, "price_minor": 10, "calls_per_minute": 600, "messages_per_day": 10_000});
    let template = json!({"purpose": "service", "title": {"zh": "a", "en": "a"}, "body": {"zh": "b", "en": "b"}});
    vec![
        route("GET", "/api/push/keys", None, vec![]),
        route("POST", "/api/push/devices", Some(browser("refused")), people()),
        route("GET", "/api/push/devices", None, people()),
        route("GET", "/api/push/devices/{device}", None, own("push_device_unknown")),
        route("DELETE", "/api/push/devices/{device}", None, own("push_device_unknown")),
        route("GET", "/api/push/devices/{device}/deliveries", None, own("push_device_unknown")),
        route("GET", "/api/push/preferences", None, people()),
        route("PUT", "/api/push/preferences", Some(json!({"language": "zh"})), people()),
        route("GET", "/api/push/people/{person}", None, [readers(), with("push_person_unknown", 404, &[STRANGER])].concat()),
        route("PUT", "/api/push/people/{person}", Some(json!({"minor": false, "tags": [], "segments": []})), [tellers(), with("push_person_unknown", 404, &[STRANGER])].concat()),
        route("POST", "/api/push/consents", Some(json!({"purpose": "notice", "given": true})), people()),
        route("GET", "/api/push/consents", None, people()),
        route("GET", "/api/push/consents/history", None, with("people_only", 403, &[DEVICE, APP])),
        route("POST", "/api/push/templates", Some(json!({"id": "refused", "purpose": "service", "title": {"zh": "a", "en": "a"}, "body": {"zh": "b", "en": "b"}})), tellers()),
        route("GET", "/api/push/templates", None, readers()),
        route("GET", "/api/push/templates/{template}", None, [readers(), with("push_template_unknown", 404, &[STRANGER])].concat()),
        route("PUT", "/api/push/templates/{template}", Some(template), [tellers(), with("push_template_unknown", 404, &[STRANGER])].concat()),
        route("POST", "/api/push/audiences", Some(json!({"audience": {"all": true}})), readers()),
        route("POST", "/api/push/messages", Some(message), tellers()),
        route("GET", "/api/push/messages", None, readers()),
        route("GET", "/api/push/messages/{message}", None, hidden("push_message_unknown")),
        route("GET", "/api/push/messages/{message}/deliveries", None, hidden("push_message_unknown")),
        route("POST", "/api/push/messages/{message}/cancellation", None, told("push_message_unknown")),
        route("POST", "/api/push/messages/{message}/conversions", Some(json!({"person": "li"})), told("push_message_unknown")),
        route("GET", "/api/push/statistics", None, readers()),
        route("GET", "/api/push/terms", None, readers()),
        route("PUT", "/api/push/terms", Some(terms), tellers()),
        route("POST", "/api/push/plans", Some(plan.clone()), tellers()),
        route("GET", "/api/push/plans", None, readers()),
        route("GET", "/api/push/plans/{plan}", None, hidden("push_plan_unknown")),
        route("PUT", "/api/push/plans/{plan}", Some(plan), [tellers(), with("push_plan_unknown", 404, &[STRANGER])].concat()),
        route("GET", "/api/push/plans/{plan}/runs", None, hidden("push_plan_unknown")),
        route("POST", "/api/push/orders", Some(draft()), [buyers(), with("tellers_only", 403, &[AUDITOR, APP_READER]), with("merchant_unknown", 404, &[BO, STRANGER])].concat()),
        route("GET", "/api/push/orders", None, buyers()),
        route("GET", "/api/push/orders/{order}", None, order()),
        route("PUT", "/api/push/orders/{order}", Some(draft()), bought()),
        route("POST", "/api/push/orders/{order}/quote", None, bought()),
        route("POST", "/api/push/orders/{order}/payment", None, bought()),
        route("POST", "/api/push/orders/{order}/review", Some(json!({"approve": false})), [order(), with("reviewers_only", 403, &[MEI, AUDITOR, APP_READER])].concat()),
        route("POST", "/api/push/orders/{order}/cancellation", None, bought()),
        route("POST", "/api/push/topics", Some(json!({"topic": "other"})), receivers()),
        route("GET", "/api/push/topics", None, receivers()),
        route("DELETE", "/api/push/topics/{topic}", None, own("push_topic_unknown")),
        route("POST", "/api/push/topics/{topic}/key", None, own("push_topic_unknown")),
    ]
}

/// The inbox, webhooks, and what only the deployment does.
#[rustfmt::skip]
fn other_routes() -> Vec<Route> {
    let people = || with("people_only", 403, &[DEVICE, AUDITOR, APP]);
    let receivers = || with("people_only", 403, &[DEVICE, AUDITOR]);
    let own = |code| with(code, 404, &[MIN, CHEN, MEI, DEVICE, APP, AUDITOR, WANG, STRANGER]);
    let hook = json!({"url": "https://hooks.example.net/other"});
    vec![
        route("GET", "/api/inbox", None, people()),
        route("GET", "/api/inbox/unread", None, people()),
        route("POST", "/api/inbox/reads", Some(json!({"up_to": "x"})), people()),
        route("GET", "/api/inbox/{item}", None, own("push_message_unknown")),
        route("POST", "/api/inbox/{item}/read", None, own("push_message_unknown")),
        route("POST", "/api/webhooks", Some(hook.clone()), receivers()),
        route("GET", "/api/webhooks", None, receivers()),
        route("GET", "/api/webhooks/{webhook}", None, own("webhook_unknown")),
        route("PUT", "/api/webhooks/{webhook}", Some(hook), own("webhook_unknown")),
        route("DELETE", "/api/webhooks/{webhook}", None, own("webhook_unknown")),
        route("POST", "/api/webhooks/{webhook}/secret", None, own("webhook_unknown")),
        route("GET", "/api/webhooks/{webhook}/deliveries", None, own("webhook_unknown")),
        route("POST", "/api/webhooks/{webhook}/deliveries/{delivery}/replay", None, own("webhook_unknown")),
        route("POST", "/internal/ticks/push", None, with("token_invalid", 401, &[LI, STRANGER])),
    ]
}

fn routes() -> Vec<Route> {
    let mut all = push_routes();
    all.extend(other_routes());
    all
}

/// What is open to those who carry a secret of another kind: receipts, stop links, keys of topics. Their refusals stand
/// in the stories of messages, consents and notes.
const OPEN: [&str; 14] = [
    "POST /api/push/receipts",
    "GET /api/unsubscriptions/{token}",
    "POST /api/unsubscriptions/{token}",
    "GET /n/v1/health",
    "POST /",
    "PUT /",
    "POST /n",
    "POST /n/",
    "PUT /n",
    "PUT /n/",
    "POST /n/{topic}",
    "PUT /n/{topic}",
    "GET /n/{topic}/json",
    "GET /n/{topic}/auth",
];

async fn places(world: &World) -> Places {
    let id = |made: &Value| made["id"].as_str().unwrap().to_owned();
    let device = world.browser(LI, "a").await;
    let message =
        json!({"people": ["li"], "notification": {"title": {"zh": "a"}, "body": {"zh": "b"}}});
    let message = world.tell("place", &message).await;
    let plan = json!({"name": "x", "audience": {"all": true}, "rhythm": {"day": 1, "points": ["08:00"]},
        "notification": {"title": {"zh": "a"}, "body": {"zh": "b"}}});
    let plan = world
        .post("/api/push/plans")
        .by(WANG)
        .json(&plan)
        .content()
        .await;
    let topic = json!({"topic": "garden"});
    world
        .post("/api/push/topics")
        .by(LI)
        .json(&topic)
        .content()
        .await;
    let hook = json!({"url": "https://hooks.example.net/x"});
    let hook = world
        .post("/api/webhooks")
        .by(LI)
        .json(&hook)
        .content()
        .await;
    let template = json!({"id": "door.opened", "purpose": "service", "title": {"zh": "a", "en": "a"}, "body": {"zh": "b", "en": "b"}});
    world
        .post("/api/push/templates")
        .by(WANG)
        .json(&template)
        .content()
        .await;
    let order = drafted(world).await;
    world.tick().await;
    let item = id(&world.inbox(LI).await[0]);
    Places(vec![
        ("device", device),
        ("person", "li".to_owned()),
        ("template", "door.opened".to_owned()),
        ("message", message),
        ("plan", id(&plan)),
        ("order", order),
        ("topic", "garden".to_owned()),
        ("item", item.clone()),
        ("webhook", id(&hook)),
        ("delivery", item),
    ])
}

#[tokio::test]
async fn every_route_refuses_whom_it_must_and_nothing_changes() {
    on_each_engine(async |world| {
        let places = places(&world).await;
        let facts = world.facts().await;
        refuse(&world, &routes(), &places).await;
        assert_eq!(world.facts().await, facts);
    })
    .await;
}

#[tokio::test]
async fn lists_hold_only_what_is_the_callers() {
    on_each_engine(async |world| {
        places(&world).await;
        for (path, who) in [
            ("/api/push/devices", MIN),
            ("/api/push/topics", MIN),
            ("/api/webhooks", MIN),
            ("/api/push/orders", BO),
            ("/api/inbox", MIN),
            ("/api/push/messages", STRANGER),
            ("/api/push/plans", STRANGER),
            ("/api/push/orders", STRANGER),
            ("/api/push/templates", STRANGER),
        ] {
            let page = world.get(path).by(who).content().await;
            assert_eq!(page["items"], json!([]), "{path} by {}", who.1);
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
            "/api/push",
            "/api/push/x/y/z/w",
            "/internal/ticks/meters",
        ];
        other_methods(&world, &routes(), &places, &unknown).await;
    })
    .await;
}

#[test]
fn every_route_of_the_table_stands_in_the_list_of_refusals() {
    let mut arms = arms(include_str!("../src/http.rs"));
    arms.retain(|arm| !OPEN.contains(&arm.as_str()));
    is_listed(&routes(), &arms);
}
