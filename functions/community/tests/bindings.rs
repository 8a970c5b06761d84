//! What binds people to rooms.

use http::Method;
use kernel::ActorKind;
use serde_json::json;
use wire::event::{BindingEnded, BindingStarted};

use crate::support::{AUDITOR, CHEN, HU, Person, WANG, each, on_each_engine};

#[tokio::test]
async fn a_person_is_bound_to_many_rooms_and_to_each_once() {
    on_each_engine(async |world| {
        let house = world.house().await;
        let second = world
            .made(
                &format!("/api/units/{}/rooms", house.unit),
                json!({"number": "102", "area_dm2": 100}),
            )
            .await;
        let li = world.resident("李雷", "13800138000").await;
        let path = format!("/api/residents/{li}/bindings");
        world.bound(&li, &house.room, "owner").await;
        world.bound(&li, &second, "owner").await;
        let again = json!({"community": "garden", "place": "1栋101", "role": "family"});
        world
            .post(&path)
            .by(CHEN)
            .json(&again)
            .refused(409, "binding_exists")
            .await;
        let facts: Vec<BindingStarted> = world.facts().await;
        assert_eq!(facts.len(), 2);
        assert_eq!(facts[0].unit.as_ref().unwrap().as_str(), house.unit);
        assert_eq!(facts[0].building.as_ref().unwrap().as_str(), house.building);
    })
    .await;
}

#[tokio::test]
async fn of_two_bindings_at_the_same_time_one_wins() {
    on_each_engine(async |world| {
        let house = world.house().await;
        let li = world.resident("李雷", "13800138000").await;
        let path = format!("/api/residents/{li}/bindings");
        let content = json!({"room": house.room, "role": "owner"});
        let ask = || world.post(&path).by(CHEN).json(&content).reply();
        let (one, two, three) = tokio::join!(ask(), ask(), ask());
        let mut statuses = [
            one.status.as_u16(),
            two.status.as_u16(),
            three.status.as_u16(),
        ];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409]);
        let held = world
            .get(&format!("/api/bindings?room={}", house.room))
            .by(CHEN)
            .content()
            .await;
        assert_eq!(each(&held, "role"), ["owner"]);
        let facts: Vec<BindingStarted> = world.facts().await;
        assert_eq!(facts.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_same_key_binds_once_and_answers_again() {
    on_each_engine(async |world| {
        let house = world.house().await;
        let li = world.resident("李雷", "13800138000").await;
        let path = format!("/api/residents/{li}/bindings");
        let content = json!({"room": house.room, "role": "owner"});
        let ask = || {
            world
                .post(&path)
                .by(CHEN)
                .header("idempotency-key", "k1")
                .json(&content)
                .reply()
        };
        let (first, second) = (ask().await, ask().await);
        assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 201));
        assert_eq!(first.body, second.body);
    })
    .await;
}

#[tokio::test]
async fn a_new_owner_ends_the_old_one() {
    on_each_engine(async |mut world| {
        let house = world.house().await;
        let li = world.resident("李雷", "13800138000").await;
        let sun = world.resident("孙七", "13800138001").await;
        let zhou = world.resident("周八", "13800138002").await;
        let first = world.bound(&li, &house.room, "owner").await;
        world.pass_ms(60_000);
        world.bound(&sun, &house.room, "owner").await;
        let ended = world
            .get(&format!("/api/bindings/{first}"))
            .by(CHEN)
            .content()
            .await;
        assert_eq!(
            (&ended["holds"], &ended["ended_by"]),
            (&json!(false), &json!("chen"))
        );
        let facts: Vec<BindingEnded> = world.facts().await;
        assert_eq!(
            (facts.len(), facts[0].binding.as_str()),
            (1, first.as_str())
        );
        let together = json!({"room": house.room, "role": "owner", "co_owner": true});
        world
            .made(&format!("/api/residents/{zhou}/bindings"), together)
            .await;
        let now = world
            .get("/api/bindings?current=true")
            .by(CHEN)
            .content()
            .await;
        assert_eq!(each(&now, "role"), ["owner", "owner"]);
        let all = world.get("/api/bindings").by(AUDITOR).content().await;
        assert_eq!(each(&all, "role").len(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_binding_is_ended_and_never_deleted() {
    on_each_engine(async |mut world| {
        let house = world.house().await;
        let li = world.resident("李雷", "13800138000").await;
        let id = world.bound(&li, &house.room, "tenant").await;
        world.pass_ms(60_000);
        let path = format!("/api/bindings/{id}/end");
        let end = || {
            world
                .ask(Method::PUT, &path)
                .by(CHEN)
                .json(&json!({"reason": "退租"}))
        };
        let ended = end().content().await;
        assert_eq!(
            (&ended["holds"], &ended["end_reason"], &ended["version"]),
            (&json!(false), &json!("退租"), &json!(2))
        );
        assert_eq!(end().content().await["version"], 2);
        world.pass_ms(60_000);
        let later = world.ask(Method::PUT, &path).by(CHEN);
        later.refused(409, "binding_ended").await;
        world
            .ask(Method::DELETE, &format!("/api/bindings/{id}"))
            .by(CHEN)
            .refused(405, "method_not_allowed")
            .await;
        world.bound(&li, &house.room, "owner").await;
        world
            .get(&format!("/api/bindings/{id}"))
            .by(HU)
            .refused(404, "binding_unknown")
            .await;
    })
    .await;
}

#[tokio::test]
async fn staff_are_bound_to_a_community_and_to_no_room() {
    on_each_engine(async |world| {
        let house = world.house().await;
        let butler = world.resident("陈管家", "13800138009").await;
        let path = format!("/api/residents/{butler}/bindings");
        let wrong = json!({"role": "staff", "community": "garden", "room": house.room});
        world.post(&path).by(CHEN).json(&wrong).refused(422, "community_required").await;
        let home = json!({"role": "owner"});
        world.post(&path).by(CHEN).json(&home).refused(422, "room_required").await;
        let harbour = json!({"role": "staff", "community": "harbour"});
        world.post(&path).by(CHEN).json(&harbour).refused(404, "community_unknown").await;
        let made = world.post(&path).by(WANG).json(&harbour).content().await;
        assert_eq!((&made["room"], &made["community"]), (&json!(null), &json!("harbour")));
        let term = json!({"role": "staff", "community": "garden", "from": "2027-02-01T00:00:00Z", "until": "2027-01-01T00:00:00Z"});
        world.post(&path).by(CHEN).json(&term).refused(422, "term_invalid").await;
        // The harbour's staff know the person from now on.
        assert_eq!(world.get(&format!("/api/residents/{butler}")).by(HU).content().await["name"], "陈管家");
        let butler = Person(ActorKind::Staff, "x", "demo", &[], &[]);
        assert!(each(&world.get("/api/bindings").by(butler).content().await, "id").is_empty());
    })
    .await;
}
