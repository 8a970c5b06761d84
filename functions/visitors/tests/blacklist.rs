//! Who is not let in.

use http::Method;
use serde_json::json;

use crate::support::{AUDITOR, CHEN, GUARD_ELSEWHERE, LI, World, on_each_engine};

async fn block(world: &World, mark: serde_json::Value) -> serde_json::Value {
    let mut ask = json!({"community": "garden", "reason": "曾尾随入室"});
    ask.as_object_mut()
        .unwrap()
        .extend(mark.as_object().unwrap().clone());
    world
        .post("/api/visitor-blacklist")
        .by(CHEN)
        .json(&ask)
        .content()
        .await
}

#[tokio::test]
async fn a_blocked_number_is_not_invited_not_approved_and_at_the_gate_rejected_unseen() {
    on_each_engine(async |world| {
        let (waiting, token) = world.registered("13800138000").await;
        let expected = world.invited().await["id"].as_str().unwrap().to_owned();
        let entry = block(&world, json!({"phone": "13800138000"})).await;
        assert_eq!(
            (&entry["mark"], &entry["kind"]),
            (&json!("+86138****8000"), &json!("phone"))
        );
        assert_eq!(world.visit(&waiting).await["state"], "rejected");
        assert_eq!(world.visit(&expected).await["state"], "revoked");
        let standing = world
            .get(&format!("/api/visitor-registrations/{token}"))
            .content()
            .await;
        assert_eq!(standing["state"], "rejected");
        let ask = json!({"room": "r101", "visitor": {"name": "周", "phone": "+8613800138000"}});
        world
            .post("/api/visits")
            .by(LI)
            .json(&ask)
            .refused(409, "visitor_blacklisted")
            .await;
        let (id, _) = world.registered("13800138000").await;
        assert_eq!(world.visit(&id).await["end"]["reason"], "blacklist");
        assert_eq!(
            world.last_fact("visitor_blacklist.changed").await["blocked"],
            true
        );
    })
    .await;
}

#[tokio::test]
async fn a_blocked_plate_is_the_same_however_it_is_written_and_is_taken_off_again() {
    on_each_engine(async |world| {
        let entry = block(&world, json!({"plate": "京A·12345"})).await;
        assert_eq!(
            block(&world, json!({"plate": "京a12345"})).await["id"],
            entry["id"]
        );
        let ask = json!({"room": "r101", "visitor": {"name": "周", "plate": "京 A12345"}});
        world
            .post("/api/visits")
            .by(LI)
            .json(&ask)
            .refused(409, "visitor_blacklisted")
            .await;
        let path = format!("/api/visitor-blacklist/{}", entry["id"].as_str().unwrap());
        for _ in 0..2 {
            let ended = world.ask(Method::DELETE, &path).by(CHEN).content().await;
            assert_eq!(ended["ended_by"], "chen");
        }
        world.post("/api/visits").by(LI).json(&ask).content().await;
        let list = world
            .get("/api/visitor-blacklist?community=garden")
            .by(CHEN)
            .content()
            .await;
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn only_staff_of_the_community_see_and_change_its_blacklist() {
    on_each_engine(async |world| {
        let entry = block(&world, json!({"plate": "京A12345"})).await;
        let ask = json!({"community": "garden", "plate": "京A12346", "reason": "x"});
        for person in [LI, AUDITOR, GUARD_ELSEWHERE] {
            world.post("/api/visitor-blacklist").by(person).json(&ask).refused(403, "managers_only").await;
            world.get("/api/visitor-blacklist?community=garden").by(person).refused(403, "managers_only").await;
            let path = format!("/api/visitor-blacklist/{}", entry["id"].as_str().unwrap());
            world.ask(Method::DELETE, &path).by(person).refused(404, "blacklist_entry_unknown").await;
        }
        let both = json!({"community": "garden", "plate": "京A12346", "phone": "13800138000", "reason": "x"});
        world.post("/api/visitor-blacklist").by(CHEN).json(&both).refused(422, "one_mark").await;
        world.get("/api/visitor-blacklist").by(CHEN).refused(422, "community_required").await;
    })
    .await;
}
