//! Rooms by the names that visitors know them by.

use kernel::{ActorId, BuildingId, CommunityId, RoomId, UnitId, place_key};
use serde_json::{Value, json};
use wire::event::RoomChanged;

use crate::support::{World, on_each_engine, registration};

/// The register tells of a room of the garden, found by its number alone as well.
async fn room(world: &World, id: &str, unit: &str, names: &[&str]) {
    world
        .record(&RoomChanged {
            room: RoomId::parse(id).unwrap(),
            unit: UnitId::parse(unit).unwrap(),
            building: BuildingId::parse("b1").unwrap(),
            community: CommunityId::parse("garden").unwrap(),
            name: names[0].to_owned(),
            keys: names.iter().map(|name| place_key(name)).collect(),
            area_dm2: 8950,
            usage: "residential".to_owned(),
            version: 1,
            actor: ActorId::parse("wang").unwrap(),
        })
        .await;
}

/// Somebody asks at the gate for what they call the room: what they are told, and what the hosts hear.
async fn asks(world: &World, words: &str, phone: &str) -> (Value, Value) {
    let ask = world
        .post("/api/visitor-registrations")
        .json(&registration(words, phone));
    let told = ask.content().await;
    (told, world.last_fact("visit.requested").await)
}

#[tokio::test]
async fn whatever_a_room_is_called_its_household_is_asked_at_once() {
    on_each_engine(async |world| {
        room(&world, "r101", "u1", &["1栋1单元101", "1栋101"]).await;
        world.tick().await;
        let names = ["1栋101", "1号楼1单元101室", "1-1-101", "r101"];
        for (words, phone) in names.iter().zip(1..) {
            let (_, asked) = asks(&world, words, &format!("1380013800{phone}")).await;
            let hosts = (&asked["room"], &asked["hosts"]);
            assert_eq!(hosts, (&json!("r101"), &json!(["li", "ma"])), "{words}");
        }
    })
    .await;
}

#[tokio::test]
async fn words_for_several_rooms_or_none_go_to_staff_and_a_room_is_found_by_its_present_name() {
    on_each_engine(async |world| {
        room(&world, "r101", "u1", &["1栋1单元101", "1栋101"]).await;
        room(&world, "r201", "u2", &["1栋2单元101", "1栋101"]).await;
        world.tick().await;
        for (words, phone) in [
            ("1栋101", "13800138001"),
            ("9栋9", "13800138002"),
            ("#", "13800138003"),
        ] {
            let (_, asked) = asks(&world, words, phone).await;
            assert_eq!(
                (&asked["room"], &asked["hosts"]),
                (&json!(null), &json!([])),
                "{words}"
            );
        }
        room(&world, "r201", "u2", &["2栋101"]).await;
        world.tick().await;
        let (_, asked) = asks(&world, "1栋101", "13800138004").await;
        assert_eq!(asked["room"], "r101");
        let (_, asked) = asks(&world, "1栋2单元101", "13800138005").await;
        assert_eq!(asked["room"], json!(null), "it is called so no longer");
    })
    .await;
}

#[tokio::test]
async fn the_visitor_cannot_tell_a_household_from_an_empty_room_or_from_none() {
    on_each_engine(async |world| {
        room(&world, "r101", "u1", &["1栋101"]).await;
        room(&world, "r301", "u1", &["1栋301"]).await;
        world.tick().await;
        let mut seen = Vec::new();
        for (words, phone) in [
            ("1栋101", "13800138001"),
            ("1栋301", "13800138002"),
            ("9栋9", "13800138003"),
        ] {
            let (told, asked) = asks(&world, words, phone).await;
            let token = told["token"].as_str().unwrap();
            let path = format!("/api/visitor-registrations/{token}");
            let shown = world.get(&path).content().await;
            let fields = |content: &Value| -> Vec<String> {
                content.as_object().unwrap().keys().cloned().collect()
            };
            seen.push((
                fields(&told),
                fields(&shown),
                shown["state"].clone(),
                shown["answer_by"].clone(),
            ));
            assert_eq!(asked["hosts"] == json!([]), words != "1栋101");
        }
        assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
    })
    .await;
}
