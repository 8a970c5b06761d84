//! Parking spaces and number plates.

use http::Method;
use kernel::ActorKind;
use serde_json::json;
use wire::event::PlateChanged;

use crate::support::{CHEN, HU, Person, WANG, each, on_each_engine};

#[tokio::test]
async fn a_plate_belongs_to_one_household_at_a_time() {
    on_each_engine(async |world| {
        let house = world.house().await;
        let second = world
            .made(
                &format!("/api/units/{}/rooms", house.unit),
                json!({"number": "102", "area_dm2": 100}),
            )
            .await;
        let plate = json!({"plate": "京a·d12345", "community": "garden", "place": "1-1-101"});
        let id = world.made("/api/plates", plate.clone()).await;
        assert_eq!(world.made("/api/plates", plate).await, id);
        let seen = world
            .get(&format!("/api/plates/{id}"))
            .by(CHEN)
            .content()
            .await;
        assert_eq!(
            (&seen["plate"], &seen["is_new_energy"]),
            (&json!("京AD12345"), &json!(true))
        );
        let other = json!({"plate": "京AD12345", "room": second});
        world
            .post("/api/plates")
            .by(CHEN)
            .json(&other)
            .refused(409, "plate_taken")
            .await;
        world
            .ask(Method::DELETE, &format!("/api/plates/{id}"))
            .by(HU)
            .refused(404, "plate_unknown")
            .await;
        let released = world
            .ask(Method::DELETE, &format!("/api/plates/{id}"))
            .by(CHEN)
            .reply()
            .await;
        assert_eq!(released.status, 204);
        world
            .get(&format!("/api/plates/{id}"))
            .by(CHEN)
            .refused(404, "plate_unknown")
            .await;
        world.made("/api/plates", other).await;
        let facts: Vec<PlateChanged> = world.facts().await;
        let rooms: Vec<_> = facts
            .iter()
            .map(|fact| fact.room.as_ref().map(|room| room.as_str()))
            .collect();
        assert_eq!(
            rooms,
            [Some(house.room.as_str()), None, Some(second.as_str())]
        );
        for wrong in ["京", "美A12345", "京A1234O"] {
            let content = json!({"plate": wrong, "room": house.room});
            world
                .post("/api/plates")
                .by(CHEN)
                .json(&content)
                .refused(422, "wrong_type")
                .await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_household_sees_its_own_spaces_and_plates() {
    on_each_engine(async |world| {
        let house = world.house().await;
        let space = json!({"community": "garden", "name": "B1-023", "place": "1栋101"});
        let space = world.made("/api/parking-spaces", space).await;
        world
            .made(
                "/api/parking-spaces",
                json!({"community": "garden", "name": "B1-024"}),
            )
            .await;
        let again = json!({"community": "garden", "name": "b1－23"});
        world
            .post("/api/parking-spaces")
            .by(CHEN)
            .json(&again)
            .refused(409, "parking_space_exists")
            .await;
        let plate = json!({"plate": "京A12345", "room": house.room, "space": space});
        world.made("/api/plates", plate).await;
        let li = world.resident("李雷", "13800138000").await;
        world.bound(&li, &house.room, "owner").await;
        let li = Person(
            ActorKind::Resident,
            Box::leak(li.into_boxed_str()),
            "demo",
            &[],
            &[],
        );
        assert_eq!(
            each(
                &world.get("/api/parking-spaces").by(li).content().await,
                "name"
            ),
            ["B1-023"]
        );
        assert_eq!(
            each(&world.get("/api/plates").by(li).content().await, "plate"),
            ["京A12345"]
        );
        assert_eq!(
            each(
                &world.get("/api/parking-spaces").by(WANG).content().await,
                "name"
            )
            .len(),
            2
        );
        let path = format!("/api/parking-spaces/{space}");
        assert_eq!(world.get(&path).by(li).content().await["name"], "B1-023");
        let vacated = world
            .patch(&path)
            .by(CHEN)
            .json(&json!({"vacate": true}))
            .content()
            .await;
        assert_eq!(
            (&vacated["room"], &vacated["version"]),
            (&json!(null), &json!(2))
        );
        world
            .get(&path)
            .by(li)
            .refused(404, "parking_space_unknown")
            .await;
    })
    .await;
}
