//! Rooms: entering, searching, changing.

use serde_json::json;

use crate::support::{AUDITOR, CHEN, HU, LI, each, on_each_engine};

/// The text as it stands in a query.
fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

#[tokio::test]
async fn a_room_is_found_however_it_is_written() {
    on_each_engine(async |world| {
        let house = world.house().await;
        world
            .made(
                &format!("/api/units/{}/rooms", house.unit),
                json!({"number": "102", "area_dm2": 10_000, "aliases": ["老王家"]}),
            )
            .await;
        for (text, expected) in [
            ("1栋101", vec!["1栋1单元101"]),
            ("1-1-101", vec!["1栋1单元101"]),
            ("1号楼1单元101室", vec!["1栋1单元101"]),
            ("１栋一单元０１０１", vec!["1栋1单元101"]),
            ("老王", vec!["1栋1单元102"]),
            ("1栋", vec!["1栋1单元101", "1栋1单元102"]),
            ("2栋101", vec![]),
        ] {
            let found = world
                .get(&format!("/api/rooms?q={}", escaped(text)))
                .by(CHEN)
                .content()
                .await;
            let mut places = each(&found, "place");
            places.sort_unstable();
            assert_eq!(places, expected, "{text}");
        }
    })
    .await;
}

#[tokio::test]
async fn rooms_are_listed_page_by_page_to_those_who_reach_them() {
    on_each_engine(async |world| {
        let house = world.house().await;
        for number in 102..106 {
            world
                .made(
                    &format!("/api/units/{}/rooms", house.unit),
                    json!({"number": number.to_string(), "area_dm2": 100}),
                )
                .await;
        }
        let (mut seen, mut after) = (vec![], String::new());
        loop {
            let page = world
                .get(&format!("/api/rooms?limit=2{after}"))
                .by(AUDITOR)
                .content()
                .await;
            seen.extend(each(&page, "number").into_iter().map(str::to_owned));
            let Some(next) = page["next"].as_str() else {
                break;
            };
            after = format!("&after={next}");
        }
        seen.sort_unstable();
        assert_eq!(seen, ["101", "102", "103", "104", "105"]);
        assert!(each(&world.get("/api/rooms").by(HU).content().await, "id").is_empty());
        assert!(each(&world.get("/api/rooms").by(LI).content().await, "id").is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_room_is_checked_and_changes_by_version() {
    on_each_engine(async |world| {
        let house = world.house().await;
        let rooms = format!("/api/units/{}/rooms", house.unit);
        for (content, status, code) in [
            (json!({"number": "0101", "area_dm2": 1}), 409, "room_exists"),
            (json!({"number": "103", "area_dm2": 0}), 422, "wrong_type"),
            (
                json!({"number": "103", "area_dm2": 89.5}),
                422,
                "wrong_type",
            ),
            (
                json!({"number": "103", "area_dm2": 1, "floor": 999}),
                422,
                "wrong_type",
            ),
            (
                json!({"number": "103", "area_dm2": 1, "use": "castle"}),
                422,
                "wrong_type",
            ),
            (json!({"number": "-", "area_dm2": 1}), 422, "wrong_type"),
        ] {
            world
                .post(&rooms)
                .by(CHEN)
                .json(&content)
                .refused(status, code)
                .await;
        }
        let path = format!("/api/rooms/{}", house.room);
        let change = json!({"use": "office", "area_dm2": 9000, "aliases": ["北屋"]});
        let changed = world.patch(&path).by(CHEN).json(&change).content().await;
        assert_eq!(
            (&changed["use"], &changed["floor"], &changed["version"]),
            (&json!("office"), &json!(1), &json!(2))
        );
        let shown = world.get(&path).by(AUDITOR).reply().await;
        assert_eq!(shown.headers["etag"], "\"2\"");
        world.get(&path).by(HU).refused(404, "room_unknown").await;
        world.get(&path).by(LI).refused(404, "room_unknown").await;
    })
    .await;
}
