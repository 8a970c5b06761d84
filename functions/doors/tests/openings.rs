//! Asking for a door to open.

use serde_json::json;
use wire::door::Outcome;

use crate::support::{AUDITOR, CHEN, DEVICE, LI, SUN, WANG, ZHAO, content_of, on_each_engine};

#[tokio::test]
async fn a_resident_asks_the_door_answers_and_the_opening_says_how_long_it_took() {
    on_each_engine(async |mut world| {
        let reply = world.post("/api/doors/north/openings").by(LI).reply().await;
        let opening = content_of(&reply);
        let id = opening["id"].as_str().unwrap().to_owned();
        assert_eq!(reply.status, 202);
        assert_eq!(reply.headers["location"], format!("/api/doors/north/openings/{id}"));
        assert_eq!((&opening["state"], &opening["ground"]), (&json!("requested"), &json!("grant")));
        let sent = world.published();
        assert_eq!(sent.len(), 1);
        let (topic, message) = &sent[0];
        assert_eq!(topic, "linli/demo/door/north/cmd");
        assert_eq!(message["id"], opening["id"]);
        let expected = json!({"action": "open", "opening": id, "expires_at": opening["expires_at"], "unlock_ms": 3000});
        assert_eq!(message["body"], expected);

        world.pass_ms(180);
        assert_eq!(world.answer("gateway-1", &id, Outcome::Opened).await, trigger::Outcome::Done);
        let opened = world.opening(&id).await;
        assert_eq!((&opened["state"], &opened["latency_ms"]), (&json!("opened"), &json!(180)));
        let receipts = world.published();
        assert_eq!(receipts.len(), 1);
        assert_eq!(receipts[0].0, "linli/demo/gateway/gateway-1/cmd");
        assert_eq!(receipts[0].1["body"], json!({"action": "receipt", "messages": ["ack-1"]}));
        let facts = world.facts().await;
        assert_eq!(facts[facts.len() - 2..], ["door.opening_requested", "door.opened"]);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_published_for_a_refused_opening_and_its_row_and_fact_are_kept() {
    on_each_engine(async |mut world| {
        world
            .post("/api/doors/north/openings")
            .by(ZHAO)
            .refused(403, "no_grant")
            .await;
        world.pass_ms(1);
        world
            .post("/api/doors/north/openings")
            .by(AUDITOR)
            .refused(403, "kind_may_not_open")
            .await;
        world.pass_ms(1);
        world
            .post("/api/doors/north/openings")
            .by(DEVICE)
            .refused(403, "kind_may_not_open")
            .await;
        world.pass_ms(1);
        let grant = world.grant_of_li().await;
        let suspension = json!({"reason": "欠费"});
        world
            .ask(
                http::Method::PUT,
                &format!("/api/grants/{grant}/suspension"),
            )
            .by(CHEN)
            .json(&suspension)
            .content()
            .await;
        world
            .post("/api/doors/north/openings")
            .by(LI)
            .refused(403, "grant_suspended")
            .await;
        assert_eq!(world.published(), []);
        let audit = world
            .get("/api/doors/north/openings?state=refused")
            .by(WANG)
            .content()
            .await;
        let kept: Vec<_> = audit["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|opening| (&opening["person"], &opening["reason"]))
            .collect();
        assert_eq!(
            json!(kept),
            json!([
                ["li", "grant_suspended"],
                ["gateway-1", "kind_may_not_open"],
                ["qian", "kind_may_not_open"],
                ["zhao", "no_grant"]
            ])
        );
        assert_eq!(
            world
                .facts()
                .await
                .iter()
                .filter(|kind| *kind == "door.opening_refused")
                .count(),
            4
        );
    })
    .await;
}

#[tokio::test]
async fn a_door_that_is_unknown_or_elsewhere_answers_the_same_and_leaves_nothing() {
    on_each_engine(async |world| {
        let before = world.facts().await;
        let unknown = world
            .post("/api/doors/nowhere/openings")
            .by(LI)
            .refused(404, "door_unknown")
            .await;
        let elsewhere = world
            .post("/api/doors/pier/openings")
            .by(LI)
            .refused(404, "door_unknown")
            .await;
        assert_eq!(unknown, elsewhere);
        world
            .post("/api/doors/north/openings")
            .by(SUN)
            .refused(404, "door_unknown")
            .await;
        world
            .post("/api/doors/a%20b/openings")
            .by(LI)
            .refused(404, "door_unknown")
            .await;
        assert_eq!(world.facts().await, before);
        let audit = world
            .get("/api/doors/north/openings")
            .by(WANG)
            .content()
            .await;
        assert_eq!(audit["items"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn staff_and_operators_open_with_a_reason_that_the_audit_shows() {
    on_each_engine(async |world| {
        for person in [CHEN, WANG] {
            world
                .post("/api/doors/north/openings")
                .by(person)
                .refused(422, "reason_required")
                .await;
            let ask = world
                .post("/api/doors/north/openings")
                .by(person)
                .json(&json!({"reason": "消防演练"}));
            let opening = ask.content().await;
            assert_eq!(
                (&opening["ground"], &opening["override_reason"]),
                (&json!("override"), &json!("消防演练"))
            );
        }
        assert_eq!(world.published().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_repeated_key_gives_the_first_answer_and_sends_no_second_command() {
    on_each_engine(async |mut world| {
        let ask = |key: &str| {
            world
                .post("/api/doors/north/openings")
                .by(LI)
                .header("idempotency-key", key)
                .reply()
        };
        let first = ask("k1").await;
        let again = ask("k1").await;
        assert_eq!(first, again);
        assert_eq!(world.published().len(), 1);
        world.pass_ms(3_000);
        let ask = |key: &str| {
            world
                .post("/api/doors/north/openings")
                .by(LI)
                .header("idempotency-key", key)
                .reply()
        };
        assert_ne!(ask("k2").await.body, first.body);
        assert_eq!(world.published().len(), 1);
        let other = world
            .post("/api/doors/north/openings")
            .by(LI)
            .header("idempotency-key", "k1");
        other
            .json(&json!({"reason": "换了"}))
            .refused(422, "idempotency_key_reused")
            .await;
        assert_eq!(world.published(), []);
        world.pass_ms(60_000);
        let later = world
            .post("/api/doors/north/openings")
            .by(LI)
            .header("idempotency-key", "k1")
            .reply()
            .await;
        assert_eq!(later.body, first.body);
        assert_eq!(world.published(), []);
    })
    .await;
}

#[tokio::test]
async fn one_key_sent_four_times_at_once_moves_the_door_once() {
    on_each_engine(async |world| {
        let ask = || {
            world
                .post("/api/doors/north/openings")
                .by(LI)
                .header("idempotency-key", "k")
                .content()
        };
        let (first, second, third, fourth) = tokio::join!(ask(), ask(), ask(), ask());
        assert!([second, third, fourth].iter().all(|other| *other == first));
        assert_eq!(world.published().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_refusal_under_a_key_is_repeated_and_kept_once() {
    on_each_engine(async |world| {
        for _ in 0..3 {
            let ask = world
                .post("/api/doors/north/openings")
                .by(ZHAO)
                .header("idempotency-key", "k1");
            ask.refused(403, "no_grant").await;
        }
        let audit = world
            .get("/api/doors/north/openings")
            .by(WANG)
            .content()
            .await;
        assert_eq!(audit["items"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_keys_of_two_callers_have_nothing_to_do_with_each_other() {
    on_each_engine(async |world| {
        let reason = json!({"reason": "巡检"});
        for person in [WANG, CHEN] {
            let ask = world
                .post("/api/doors/north/openings")
                .by(person)
                .header("idempotency-key", "same");
            ask.json(&reason).content().await;
        }
        assert_eq!(world.published().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_broker_that_is_away_leaves_an_opening_that_times_out() {
    on_each_engine(async |mut world| {
        world.context.outbox.broken = true;
        let id = world.opening_of_li().await;
        world.pass_ms(4_999);
        assert_eq!(world.opening(&id).await["state"], "requested");
        world.pass_ms(1);
        let opening = world.opening(&id).await;
        assert_eq!(opening["state"], "timed_out");
        assert_eq!(
            opening["settled_at"].as_str().unwrap(),
            (world.context.now).to_string()
        );
    })
    .await;
}

#[tokio::test]
async fn a_body_that_is_not_what_was_asked_for_is_explained() {
    on_each_engine(async |world| {
        let ask = || world.post("/api/doors/north/openings").by(WANG);
        ask()
            .raw("{\"reason\":")
            .refused(400, "malformed_json")
            .await;
        let wrong = ask().raw("{\"reason\":7}").refused(422, "wrong_type").await;
        assert_eq!(wrong["field"], "reason");
        ask()
            .raw("{\"reason\":\"  \"}")
            .refused(422, "wrong_type")
            .await;
        ask()
            .raw("{\"reazon\":\"x\"}")
            .refused(422, "wrong_type")
            .await;
        ask()
            .raw(vec![b' '; 64 * 1024 + 1])
            .refused(413, "body_too_large")
            .await;
        ask()
            .raw("{}")
            .header("idempotency-key", "a b")
            .refused(400, "invalid_idempotency_key")
            .await;
        let chinese = ask()
            .raw("{}")
            .header("accept-language", "zh-CN")
            .refused(422, "reason_required")
            .await;
        assert!(
            chinese["detail"].as_str().unwrap().contains("reason"),
            "{chinese}"
        );
        assert_eq!(chinese["title"], "内容无法接受");
        assert_eq!(world.published(), []);
    })
    .await;
}
