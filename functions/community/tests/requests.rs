//! Asking for a binding.

use http::Method;
use serde_json::{Value, json};
use wire::event::{BindingRequestDecided, BindingStarted, ResidentRecorded};

use crate::support::{AUDITOR, CHEN, DEVICE, HU, LI, World, ZHAO, each, on_each_engine};

async fn ask(world: &World, content: &Value) -> String {
    let asked = world
        .post("/api/binding-requests")
        .by(ZHAO)
        .json(content)
        .content()
        .await;
    assert_eq!(asked["state"], "pending");
    asked["id"].as_str().unwrap().to_owned()
}

fn zhao() -> Value {
    json!({"role": "tenant", "community": "garden", "place": "1号楼1单元101室", "name": "赵六", "phone": "13800138006"})
}

#[tokio::test]
async fn a_request_is_approved_and_binds_once() {
    on_each_engine(async |world| {
        let house = world.house().await;
        let id = ask(&world, &zhao()).await;
        let again = world.post("/api/binding-requests").by(ZHAO).json(&zhao());
        again.refused(409, "request_pending").await;
        let path = format!("/api/binding-requests/{id}");
        let approve = || {
            world
                .ask(Method::PUT, &format!("{path}/approval"))
                .by(CHEN)
                .reply()
        };
        let (first, second) = (approve().await, approve().await);
        assert_eq!((first.status.as_u16(), &first.body), (200, &second.body));
        let seen = world.get(&path).by(ZHAO).content().await;
        assert_eq!(
            (&seen["state"], &seen["decided_by"]),
            (&json!("approved"), &json!("chen"))
        );
        let binding = world.get(&format!(
            "/api/bindings/{}",
            seen["binding"].as_str().unwrap()
        ));
        let binding = binding.by(ZHAO).content().await;
        assert_eq!(
            (&binding["room"], &binding["role"]),
            (&json!(house.room), &json!("tenant"))
        );
        let (started, decided): (Vec<BindingStarted>, Vec<BindingRequestDecided>) =
            (world.facts().await, world.facts().await);
        assert_eq!((started.len(), decided.len()), (1, 1));
        // A number that somebody typed joins no accounts.
        let recorded: Vec<ResidentRecorded> = world.facts().await;
        assert_eq!(
            (recorded[0].person.as_str(), &recorded[0].phone),
            ("zhao", &None)
        );
        let bound = world.post("/api/binding-requests").by(ZHAO).json(&zhao());
        bound.refused(409, "binding_exists").await;
        let rejection = world
            .ask(Method::PUT, &format!("{path}/rejection"))
            .by(CHEN);
        rejection
            .json(&json!({"reason": "x"}))
            .refused(409, "request_decided")
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_request_is_rejected_with_a_reason_and_may_be_made_again() {
    on_each_engine(async |world| {
        world.house().await;
        let id = ask(&world, &zhao()).await;
        let path = format!("/api/binding-requests/{id}/rejection");
        world
            .ask(Method::PUT, &path)
            .by(CHEN)
            .json(&json!({}))
            .refused(422, "wrong_type")
            .await;
        let rejected = world
            .ask(Method::PUT, &path)
            .by(CHEN)
            .json(&json!({"reason": "请补充租赁合同"}));
        assert_eq!(rejected.content().await["state"], "rejected");
        let seen = world
            .get(&format!("/api/binding-requests/{id}"))
            .by(ZHAO)
            .content()
            .await;
        assert_eq!(seen["reason"], "请补充租赁合同");
        // On second thoughts it may be approved, and a new request is not needed.
        let approval = format!("/api/binding-requests/{id}/approval");
        world
            .ask(Method::PUT, &approval)
            .by(HU)
            .refused(404, "binding_request_unknown")
            .await;
        ask(&world, &zhao()).await;
        let pending = world
            .get("/api/binding-requests?state=pending")
            .by(CHEN)
            .content()
            .await;
        assert_eq!(each(&pending, "person"), ["zhao"]);
        assert_eq!(pending["items"][0]["phone"], "+8613800138006");
        let audited = world
            .get("/api/binding-requests")
            .by(AUDITOR)
            .content()
            .await;
        assert_eq!(audited["items"][0]["phone"], "+86138****8006");
        let mut states = each(&audited, "state");
        states.sort_unstable();
        assert_eq!(states, ["pending", "rejected"]);
        for (caller, seen) in [(LI, 0), (HU, 0), (ZHAO, 2)] {
            let listed = world
                .get("/api/binding-requests")
                .by(caller)
                .content()
                .await;
            assert_eq!(each(&listed, "id").len(), seen);
        }
    })
    .await;
}

#[tokio::test]
async fn only_people_ask_and_only_for_rooms_that_are_there() {
    on_each_engine(async |world| {
        world.house().await;
        let post = |content: Value| {
            world
                .post("/api/binding-requests")
                .by(ZHAO)
                .json(&content)
                .reply()
        };
        let mut content = zhao();
        content["place"] = json!("9栋909");
        assert_eq!(post(content).await.status, 404);
        let mut content = zhao();
        content["role"] = json!("staff");
        assert_eq!(post(content).await.status, 422);
        let device = world.post("/api/binding-requests").by(DEVICE).json(&zhao());
        device.refused(403, "people_only").await;
        let id = ask(&world, &zhao()).await;
        let path = format!("/api/binding-requests/{id}/approval");
        world
            .ask(Method::PUT, &path)
            .by(LI)
            .refused(403, "managers_only")
            .await;
        world
            .ask(Method::PUT, &path)
            .by(HU)
            .refused(404, "binding_request_unknown")
            .await;
        world
            .ask(Method::PUT, &path)
            .by(AUDITOR)
            .refused(403, "managers_only")
            .await;
    })
    .await;
}

#[tokio::test]
async fn nobody_asks_for_every_room_at_once() {
    on_each_engine(async |world| {
        let house = world.house().await;
        for number in 201..=211 {
            let room = json!({"number": number.to_string(), "area_dm2": 100});
            let room = world
                .made(&format!("/api/units/{}/rooms", house.unit), room)
                .await;
            let asked = json!({"role": "owner", "room": room, "name": "赵六"});
            let asked = world.post("/api/binding-requests").by(ZHAO).json(&asked);
            if number <= 210 {
                asked.content().await;
            } else {
                asked.refused(429, "requests_too_many").await;
            }
        }
    })
    .await;
}
