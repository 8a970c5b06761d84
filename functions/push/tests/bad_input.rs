//! Bad input: each a clear error, nothing told and nothing charged.

use serde_json::{Value, json};

use crate::support::{LI, WANG, browser, on_each_engine};

fn message(audience: &Value, body: &str) -> Value {
    json!({
        "audience": audience,
        "notification": {"purpose": "notice", "title": {"zh": "a"}, "body": {"zh": body}},
    })
}

#[tokio::test]
async fn what_cannot_be_told_is_refused_and_nothing_is() {
    on_each_engine(async |world| {
        let deep = json!({"and": [{"or": [{"not": {"and": [{"all": true}]}}]}]});
        let everybody = json!({"all": true});
        let long = "水".repeat(1_300);
        let mut wrong_purpose = message(&everybody, "x");
        wrong_purpose["notification"]["purpose"] = json!("spam");
        let mut wrong_channel = message(&everybody, "x");
        wrong_channel["options"] = json!({"channels": ["fax"]});
        let mut late = message(&everybody, "x");
        late["options"] = json!({"send_at": "2026-11-22T00:00:00Z"});
        let mut endless = message(&everybody, "x");
        endless["options"] = json!({"ttl_seconds": 2_419_201});
        let mut url = message(&everybody, "x");
        url["notification"]["url"] = json!("javascript:alert(1)");
        let mut both = message(&everybody, "x");
        both["people"] = json!(["li"]);
        let mut nobody = message(&everybody, "x");
        nobody["audience"] = Value::Null;
        nobody["people"] = json!(["nobody"]);
        let mut template = message(&everybody, "x");
        template["notification"]["template"] = json!("none");
        for (body, status, code) in [
            (message(&deep, "x"), 422, "audience_too_deep"),
            (
                message(&json!({"planet": "mars"}), "x"),
                422,
                "audience_invalid",
            ),
            (message(&everybody, &long), 422, "plaintext_too_long"),
            (message(&everybody, ""), 422, "text_invalid"),
            (wrong_purpose, 422, "purpose_unknown"),
            (wrong_channel, 422, "channel_unknown"),
            (late, 422, "send_at_invalid"),
            (endless, 422, "ttl_too_long"),
            (url, 422, "url_invalid"),
            (both, 422, "audience_invalid"),
            (nobody, 404, "push_person_unknown"),
            (template, 404, "push_template_unknown"),
        ] {
            let ask = world
                .post("/api/push/messages")
                .by(WANG)
                .key("bad")
                .json(&body);
            let problem = ask.refused(status, code).await;
            assert!(problem["detail"].as_str().unwrap().len() > 10);
        }
        world.tick().await;
        assert!(world.inbox(LI).await.is_empty());
        assert_eq!(world.count("push.message_created").await, 0);
    })
    .await;
}

#[tokio::test]
async fn zones_and_rhythms_that_are_none_are_refused() {
    on_each_engine(async |world| {
        let plan = |zone: &str, rhythm: Value| {
            json!({
                "name": "x", "audience": {"all": true}, "time_zone": zone, "rhythm": rhythm,
                "notification": {"title": {"zh": "a"}, "body": {"zh": "b"}},
            })
        };
        for (body, code) in [
            (
                plan("Asia/Atlantis", json!({"day": 1, "points": ["08:00"]})),
                "time_zone_unknown",
            ),
            (
                plan("Asia/Shanghai", json!({"day": 1})),
                "plan_rhythm_invalid",
            ),
            (
                plan("Asia/Shanghai", json!({"once": "2026-11-22T00:00:00Z"})),
                "plan_never_due",
            ),
        ] {
            world
                .post("/api/push/plans")
                .by(WANG)
                .json(&body)
                .refused(422, code)
                .await;
        }
        let quiet = json!({"language": "zh", "time_zone": "Mars/Base"});
        world
            .put("/api/push/preferences")
            .by(LI)
            .json(&quiet)
            .refused(422, "time_zone_unknown")
            .await;
        let quiet =
            json!({"language": "zh", "quiet": {"from": "22:00", "until": "22:00", "then": "drop"}});
        world
            .put("/api/push/preferences")
            .by(LI)
            .json(&quiet)
            .refused(422, "span_invalid")
            .await;
    })
    .await;
}

#[tokio::test]
async fn devices_that_cannot_be_reached_are_refused() {
    on_each_engine(async |world| {
        let with = |endpoint: &str| {
            let mut device = browser("x");
            device["endpoint"] = json!(endpoint);
            device
        };
        let mut keys = browser("x");
        keys["keys"]["auth"] = json!("AAAA");
        for (body, code) in [
            (with("https://192.168.1.1/push"), "endpoint_private"),
            (
                with("https://evil.example.com/push"),
                "endpoint_not_allowed",
            ),
            (with("push.example.net"), "endpoint_invalid"),
            (keys, "subscription_keys_invalid"),
            (json!({"channel": "web_push"}), "device_incomplete"),
            (json!({"channel": "inbox"}), "channel_needs_no_device"),
        ] {
            world
                .post("/api/push/devices")
                .by(LI)
                .json(&body)
                .refused(422, code)
                .await;
        }
        let consent = json!({"purpose": "espionage", "given": true});
        world
            .post("/api/push/consents")
            .by(LI)
            .json(&consent)
            .refused(422, "purpose_unknown")
            .await;
    })
    .await;
}
