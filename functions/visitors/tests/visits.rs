//! Inviting, the pass, arriving, leaving, revoking.

use http::Method;
use serde_json::json;

use crate::support::{
    APP, APP_READER, APP_WRITER, AUDITOR, CHEN, GUARD_ELSEWHERE, LI, MA, SUN, World, ZHAO,
    on_each_engine,
};

async fn pass_of(world: &World, id: &str) -> serde_json::Value {
    let path = format!("/api/visits/{id}/pass");
    world.get(&path).by(LI).content().await
}

#[tokio::test]
async fn an_invited_visitor_gets_a_pass_comes_and_leaves_and_each_step_is_a_fact_once() {
    on_each_engine(async |mut world| {
        let visit = world.invited().await;
        let id = visit["id"].as_str().unwrap();
        assert_eq!(
            (&visit["state"], &visit["requested_by"]),
            (&json!("approved"), &json!("li"))
        );
        let pass = pass_of(&world, id).await;
        let key = wire::pass::PassKey::of_seed(&world.context.pass_seed);
        let text = pass["text"].as_str().unwrap();
        let claims = wire::pass::verify(text, &[key], world.context.now).unwrap();
        assert_eq!(claims.pass.as_str(), visit["approval"]["pass"]);
        assert_eq!((claims.community.as_str(), claims.uses_max), ("garden", 1));

        world.pass_ms(60_000);
        world
            .use_pass(claims.pass.as_str(), world.context.now)
            .await;
        world.tick().await;
        let arrived = world.visit(id).await;
        assert_eq!(
            (&arrived["state"], &arrived["approval"]["uses"]),
            (&json!("arrived"), &json!(1))
        );
        for _ in 0..2 {
            let path = format!("/api/visits/{id}/departure");
            assert_eq!(world.post(&path).by(CHEN).content().await["state"], "left");
        }
        world
            .post(&format!("/api/visits/{id}/arrival"))
            .by(CHEN)
            .refused(409, "visit_state")
            .await;
        world
            .get(&format!("/api/visits/{id}/pass"))
            .by(LI)
            .refused(409, "visit_without_pass")
            .await;
        let facts: Vec<_> = world
            .facts()
            .await
            .into_iter()
            .filter(|kind| kind.starts_with("visit."))
            .collect();
        assert_eq!(facts, ["visit.approved", "visit.arrived", "visit.ended"]);
        assert_eq!(world.last_fact("visit.approved").await["unit"], "u1");
    })
    .await;
}

#[tokio::test]
async fn only_the_household_and_those_who_run_the_community_know_a_visit() {
    on_each_engine(async |world| {
        let id = world.invited().await["id"].as_str().unwrap().to_owned();
        let path = format!("/api/visits/{id}");
        for person in [LI, MA, CHEN, AUDITOR] {
            assert_eq!(world.get(&path).by(person).content().await["id"], json!(id));
            let list = world.get("/api/visits").by(person).content().await;
            assert_eq!(list["items"][0]["id"], json!(id));
        }
        for person in [ZHAO, SUN, GUARD_ELSEWHERE] {
            world
                .get(&path)
                .by(person)
                .refused(404, "visit_unknown")
                .await;
            let list = world.get("/api/visits").by(person).content().await;
            assert_eq!(list["items"], json!([]));
        }
    })
    .await;
}

#[tokio::test]
async fn who_moved_out_is_no_host_any_more() {
    on_each_engine(async |world| {
        let id = world.invited().await["id"].as_str().unwrap().to_owned();
        world.bind("li", "r101", Some(world.context.now)).await;
        let ask = json!({"room": "r101", "visitor": {"name": "周"}});
        world
            .post("/api/visits")
            .by(LI)
            .json(&ask)
            .refused(404, "room_unknown")
            .await;
        world
            .get(&format!("/api/visits/{id}"))
            .by(LI)
            .refused(404, "visit_unknown")
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_revoked_visit_opens_nothing_and_staff_say_why() {
    on_each_engine(async |world| {
        let id = world.invited().await["id"].as_str().unwrap().to_owned();
        let path = format!("/api/visits/{id}");
        world
            .ask(Method::DELETE, &path)
            .by(CHEN)
            .refused(422, "reason_required")
            .await;
        let because = json!({"reason": "住户来电"});
        for _ in 0..2 {
            let revoked = world
                .ask(Method::DELETE, &path)
                .by(CHEN)
                .json(&because)
                .content()
                .await;
            assert_eq!(
                (&revoked["state"], &revoked["end"]["by"]),
                (&json!("revoked"), &json!("chen"))
            );
        }
        let ended = world.last_fact("visit.ended").await;
        assert_eq!(
            (&ended["state"], &ended["actor"]),
            (&json!("revoked"), &json!("chen"))
        );
        assert!(ended["pass"].is_string());
    })
    .await;
}

#[tokio::test]
async fn a_visit_ends_with_its_window_whether_a_tick_has_passed_or_not() {
    on_each_engine(async |mut world| {
        let id = world.invited().await["id"].as_str().unwrap().to_owned();
        world.pass_ms(24 * 3_600_000);
        assert_eq!(world.visit(&id).await["state"], "expired");
        let expired = world
            .get("/api/visits?state=expired")
            .by(LI)
            .content()
            .await;
        assert_eq!(expired["items"][0]["id"], json!(id));
        let done = world.tick().await;
        assert_eq!(done["ended"], 1);
        assert_eq!(world.tick().await["ended"], 0);
        assert_eq!(world.last_fact("visit.ended").await["state"], "expired");
        assert_eq!(world.visit(&id).await["state"], "expired");
    })
    .await;
}

#[tokio::test]
async fn a_use_reported_after_the_window_is_counted() {
    on_each_engine(async |mut world| {
        let visit = world.invited().await;
        let (id, pass) = (
            visit["id"].as_str().unwrap(),
            visit["approval"]["pass"].as_str().unwrap(),
        );
        let used_at = world.context.now.plus_millis(1_000);
        world.pass_ms(25 * 3_600_000);
        world.use_pass(pass, used_at).await;
        world.tick().await;
        let seen = world.visit(id).await;
        assert_eq!(
            (&seen["state"], &seen["approval"]["arrived_at"]),
            (&json!("left"), &json!(used_at))
        );
    })
    .await;
}

#[tokio::test]
async fn a_couriers_window_is_fixed_and_a_guests_has_limits() {
    on_each_engine(async |world| {
        let ask = |extra: serde_json::Value| {
            let mut ask = json!({"room": "r101", "visitor": {"name": "周", "plate": "京a·12345"}});
            ask.as_object_mut()
                .unwrap()
                .extend(extra.as_object().unwrap().clone());
            world.post("/api/visits").by(LI).json(&ask)
        };
        let courier = ask(json!({"kind": "courier"})).content().await;
        assert_eq!(
            courier["approval"]["until"],
            json!(world.context.now.plus_millis(30 * 60_000))
        );
        assert_eq!(courier["visitor"]["plate"], "京A12345");
        let now = world.context.now;
        let later = now.plus_millis(8 * 24 * 3_600_000);
        ask(json!({"kind": "courier", "until": later}))
            .refused(422, "courier_window_fixed")
            .await;
        for wrong in [
            json!({"until": later}),
            json!({"until": now}),
            json!({"from": later, "until": now}),
        ] {
            ask(wrong).refused(422, "window_invalid").await;
        }
        ask(json!({"uses_max": 0})).refused(422, "wrong_type").await;
        ask(json!({"colour": 1})).refused(422, "wrong_type").await;
    })
    .await;
}

#[tokio::test]
async fn the_same_key_invites_once() {
    on_each_engine(async |world| {
        let ask = |name: &str| {
            let body = json!({"room": "r101", "visitor": {"name": name}});
            world
                .post("/api/visits")
                .by(LI)
                .header("idempotency-key", "k1")
                .json(&body)
        };
        let (first, second) = (ask("周").content().await, ask("周").content().await);
        assert_eq!(first, second);
        ask("吴").refused(422, "idempotency_key_reused").await;
        let list = world.get("/api/visits").by(LI).content().await;
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn staff_expect_somebody_in_a_room_where_nobody_lives_with_the_way_to_it() {
    on_each_engine(async |world| {
        let way = json!({"community": "garden", "building": "b2", "unit": "u2"});
        let ask =
            json!({"room": "r999", "way": way, "visitor": {"name": "装修"}, "reason": "装修进场"});
        let visit = world
            .post("/api/visits")
            .by(CHEN)
            .json(&ask)
            .content()
            .await;
        assert_eq!(
            (&visit["unit"], &visit["approval"]["reason"]),
            (&json!("u2"), &json!("装修进场"))
        );
        world
            .post("/api/visits")
            .by(LI)
            .json(&ask)
            .refused(404, "room_unknown")
            .await;
        world
            .post("/api/visits")
            .by(GUARD_ELSEWHERE)
            .json(&ask)
            .refused(404, "room_unknown")
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_connected_application_does_what_its_permissions_say() {
    on_each_engine(async |world| {
        let id = world.invited().await["id"].as_str().unwrap().to_owned();
        let path = format!("/api/visits/{id}");
        world.get(&path).by(APP).refused(404, "visit_unknown").await;
        world
            .get("/api/visits")
            .by(APP)
            .refused(403, "people_only")
            .await;
        for app in [APP_READER, APP_WRITER] {
            let list = world.get("/api/visits").by(app).content().await;
            assert_eq!(list["items"][0]["id"], json!(id));
        }
        let because = json!({"reason": "门禁系统联动"});
        let ask = |app| world.ask(Method::DELETE, &path).by(app).json(&because);
        ask(APP_READER).refused(403, "hosts_only").await;
        let arrival = world.post(&format!("{path}/arrival")).by(APP_WRITER);
        assert_eq!(arrival.content().await["state"], "arrived");
        let revoked = ask(APP_WRITER).content().await;
        assert_eq!(revoked["end"]["by"], "app-writer");
        world
            .get("/api/visitor-blacklist?community=garden")
            .by(APP_WRITER)
            .refused(403, "managers_only")
            .await;
    })
    .await;
}
