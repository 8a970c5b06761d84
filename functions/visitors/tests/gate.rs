//! Registration at the gate, the household's answer, and what the visitor sees.

use serde_json::json;

use crate::support::{AUDITOR, CHEN, LI, MA, START_MS, World, ZHAO, on_each_engine, registration};

async fn standing(world: &World, token: &str) -> serde_json::Value {
    let path = format!("/api/visitor-registrations/{token}");
    world.get(&path).content().await
}

fn answer_path(id: &str) -> String {
    format!("/api/visits/{id}/answer")
}

#[tokio::test]
async fn a_registration_tells_the_visitor_nothing_but_how_it_stands() {
    on_each_engine(async |world| {
        let (id, token) = world.registered("13800138001").await;
        let waiting = standing(&world, &token).await;
        assert_eq!(
            (&waiting["state"], &waiting["id"]),
            (&json!("requested"), &json!(id))
        );
        assert!(waiting.get("pass").is_none() && waiting.get("room").is_none());
        let asked = world.last_fact("visit.requested").await;
        assert_eq!(
            (&asked["hosts"], &asked["room"]),
            (&json!(["li", "ma"]), &json!("r101"))
        );
        let approved = world
            .post(&answer_path(&id))
            .by(MA)
            .json(&json!({"approved": true}))
            .content()
            .await;
        assert_eq!(
            (&approved["state"], &approved["approval"]["host"]),
            (&json!("approved"), &json!("ma"))
        );
        let expected = standing(&world, &token).await;
        let key = wire::pass::PassKey::of_seed(&world.context.pass_seed);
        let text = expected["pass"]["text"].as_str().unwrap();
        assert!(wire::pass::verify(text, &[key], world.context.now).is_ok());
        let again = world
            .post(&answer_path(&id))
            .by(LI)
            .json(&json!({"approved": true}))
            .content()
            .await;
        assert_eq!(again["approval"]["host"], "ma");
        world
            .post(&answer_path(&id))
            .by(LI)
            .json(&json!({"approved": false}))
            .refused(409, "visit_state")
            .await;
    })
    .await;
}

#[tokio::test]
async fn no_answer_in_five_minutes_is_a_refusal() {
    on_each_engine(async |mut world| {
        let (id, token) = world.registered("13800138001").await;
        world.pass_ms(5 * 60_000 - 1);
        assert_eq!(standing(&world, &token).await["state"], "requested");
        world.pass_ms(1);
        assert_eq!(standing(&world, &token).await["state"], "expired");
        world
            .post(&answer_path(&id))
            .by(LI)
            .json(&json!({"approved": true}))
            .refused(409, "visit_state")
            .await;
        assert_eq!(world.tick().await["ended"], 1);
        assert_eq!(world.last_fact("visit.ended").await["state"], "expired");
    })
    .await;
}

#[tokio::test]
async fn only_the_household_or_staff_with_a_reason_answer() {
    on_each_engine(async |world| {
        let (id, _) = world.registered("13800138001").await;
        let yes = json!({"approved": true});
        world
            .post(&answer_path(&id))
            .by(ZHAO)
            .json(&yes)
            .refused(404, "visit_unknown")
            .await;
        world
            .post(&answer_path(&id))
            .by(AUDITOR)
            .json(&yes)
            .refused(403, "hosts_only")
            .await;
        world
            .post(&answer_path(&id))
            .by(CHEN)
            .json(&yes)
            .refused(422, "reason_required")
            .await;
        let no = json!({"approved": false, "reason": "电话确认"});
        let rejected = world
            .post(&answer_path(&id))
            .by(CHEN)
            .json(&no)
            .content()
            .await;
        assert_eq!(
            (&rejected["state"], &rejected["end"]["reason"]),
            (&json!("rejected"), &json!("电话确认"))
        );
    })
    .await;
}

#[tokio::test]
async fn a_room_that_nobody_knows_looks_the_same_to_the_visitor_and_staff_find_it() {
    on_each_engine(async |world| {
        let ask = registration("1栋 101", "13800138001");
        let answer = world
            .post("/api/visitor-registrations")
            .json(&ask)
            .content()
            .await;
        let id = answer["id"].as_str().unwrap();
        let token = answer["token"].as_str().unwrap();
        assert_eq!(standing(&world, token).await["state"], "requested");
        world
            .get(&format!("/api/visits/{id}"))
            .by(LI)
            .refused(404, "visit_unknown")
            .await;
        let yes = json!({"approved": true, "reason": "住户电话同意"});
        world
            .post(&answer_path(id))
            .by(CHEN)
            .json(&yes)
            .refused(422, "room_required")
            .await;
        let yes = json!({"approved": true, "reason": "住户电话同意", "room": "r101"});
        let approved = world
            .post(&answer_path(id))
            .by(CHEN)
            .json(&yes)
            .content()
            .await;
        assert_eq!(
            (&approved["room"], &approved["state"]),
            (&json!("r101"), &json!("approved"))
        );
        assert_eq!(world.visit(id).await["state"], "approved");
    })
    .await;
}

#[tokio::test]
async fn one_number_registers_three_times_in_ten_minutes() {
    on_each_engine(async |mut world| {
        for _ in 0..3 {
            world.registered("13800138001").await;
        }
        let again = registration("r102", "+86 138-0013-8001");
        world
            .post("/api/visitor-registrations")
            .json(&again)
            .refused(429, "too_many_requests")
            .await;
        world.registered("13800138002").await;
        world.pass_ms(10 * 60_000 + 1);
        world.registered("13800138001").await;
    })
    .await;
}

#[tokio::test]
async fn the_same_key_registers_once_and_shows_the_same_token() {
    on_each_engine(async |world| {
        let ask = || {
            let ask = registration("r101", "13800138001");
            world
                .post("/api/visitor-registrations")
                .header("idempotency-key", "k")
                .json(&ask)
        };
        assert_eq!(ask().content().await, ask().content().await);
        let list = world.get("/api/visits").by(LI).content().await;
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn nobodys_word_makes_a_community_a_tenant_or_a_token() {
    on_each_engine(async |world| {
        let mut ask = registration("r101", "13800138001");
        ask["community"] = json!("atlantis");
        world
            .post("/api/visitor-registrations")
            .json(&ask)
            .refused(404, "community_unknown")
            .await;
        ask["tenant"] = json!("nobody");
        world
            .post("/api/visitor-registrations")
            .json(&ask)
            .refused(404, "community_unknown")
            .await;
        let phone = registration("r101", "110");
        world
            .post("/api/visitor-registrations")
            .json(&phone)
            .refused(422, "wrong_type")
            .await;
        let (id, token) = world.registered("13800138001").await;
        let forged = token.replace(&id, &id.replace('0', "1"));
        for wrong in ["x", "demo.v.x", &forged, &format!("{token}x")] {
            let path = format!("/api/visitor-registrations/{wrong}");
            world.get(&path).refused(404, "visit_unknown").await;
        }
        let reply = world
            .get(&format!("/api/visitor-registrations/{token}"))
            .reply()
            .await;
        assert_eq!(reply.headers["cache-control"], "no-store");
        assert!(world.context.now.millis() == START_MS);
    })
    .await;
}
