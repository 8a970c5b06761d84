//! Registering, reading and changing doors.

use http::Method;
use serde_json::{Value, json};

use crate::support::{AUDITOR, CHEN, LI, STRANGER, SUN, WANG, on_each_engine};

fn south() -> Value {
    json!({"id": "south", "community": "garden", "name": "南门", "gateway": "gateway-1", "unlock_ms": 5000})
}

fn ids(list: &Value) -> Vec<&str> {
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["id"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_door_is_registered_once_however_often_that_is_asked() {
    on_each_engine(async |world| {
        let first = world
            .post("/api/doors")
            .by(WANG)
            .json(&south())
            .reply()
            .await;
        assert_eq!(
            (
                first.status.as_u16(),
                first.headers["location"].to_str().unwrap()
            ),
            (201, "/api/doors/south")
        );
        let again = world
            .post("/api/doors")
            .by(WANG)
            .json(&south())
            .reply()
            .await;
        assert_eq!((again.status.as_u16(), &again.body), (200, &first.body));
        let other =
            json!({"id": "south", "community": "garden", "name": "西门", "gateway": "gateway-1"});
        world
            .post("/api/doors")
            .by(WANG)
            .json(&other)
            .refused(409, "door_exists")
            .await;
        let facts = world.facts().await;
        assert_eq!(
            facts
                .iter()
                .filter(|kind| *kind == "door.registered")
                .count(),
            3
        );
    })
    .await;
}

#[tokio::test]
async fn everybody_lists_the_doors_of_the_own_communities_page_by_page() {
    on_each_engine(async |world| {
        world
            .post("/api/doors")
            .by(WANG)
            .json(&south())
            .content()
            .await;
        for (person, expected) in [
            (LI, vec!["north", "south"]),
            (SUN, vec!["pier"]),
            (AUDITOR, vec!["north", "pier", "south"]),
            (STRANGER, vec![]),
        ] {
            assert_eq!(
                ids(&world.get("/api/doors").by(person).content().await),
                expected
            );
        }
        let first = world.get("/api/doors?limit=2").by(WANG).content().await;
        assert_eq!(
            (ids(&first), &first["next"]),
            (vec!["north", "pier"], &json!("pier"))
        );
        let second = world
            .get("/api/doors?limit=2&after=pier")
            .by(WANG)
            .content()
            .await;
        assert_eq!(
            (ids(&second), &second["next"]),
            (vec!["south"], &json!(null))
        );
        world
            .get("/api/doors?limit=0")
            .by(WANG)
            .refused(400, "invalid_parameter")
            .await;
        world
            .get("/api/doors?colour=red")
            .by(WANG)
            .refused(400, "invalid_parameter")
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_community_is_found_by_its_whole_name_and_nothing_like_it() {
    on_each_engine(async |world| {
        for (id, community) in [
            ("d1", "gard_n"),
            ("d2", "Garden"),
            ("d3", "gardens"),
            ("d4", "arden"),
        ] {
            let door =
                json!({"id": id, "community": community, "name": "门", "gateway": "gateway-1"});
            world
                .post("/api/doors")
                .by(WANG)
                .json(&door)
                .content()
                .await;
        }
        assert_eq!(
            ids(&world.get("/api/doors").by(LI).content().await),
            ["north"]
        );
    })
    .await;
}

#[tokio::test]
async fn only_the_version_that_was_read_is_changed() {
    on_each_engine(async |world| {
        let read = world.get("/api/doors/north").by(WANG).reply().await;
        let tag = read.headers["etag"].to_str().unwrap().to_owned();
        let change = |tag: &str, content: Value| {
            let ask = world
                .ask(Method::PATCH, "/api/doors/north")
                .by(WANG)
                .header("if-match", tag);
            ask.json(&content).reply()
        };
        let changed = change(&tag, json!({"name": "正门", "unlock_ms": 800})).await;
        assert_eq!(
            (
                changed.status.as_u16(),
                changed.headers["etag"].to_str().unwrap()
            ),
            (200, "\"2\"")
        );
        assert_eq!(change(&tag, json!({"name": "旁门"})).await.status, 412);
        let blind = world
            .ask(Method::PATCH, "/api/doors/north")
            .by(WANG)
            .json(&json!({"name": "旁门"}));
        blind.refused(428, "if_match_required").await;
        let door = world.get("/api/doors/north").by(LI).content().await;
        assert_eq!(
            (&door["name"], &door["unlock_ms"], &door["gateway"]),
            (&json!("正门"), &json!(800), &json!("gateway-1"))
        );
        assert_eq!(world.facts().await.last().unwrap(), "door.changed");
        let fresh = world
            .get("/api/doors/north")
            .by(LI)
            .header("if-none-match", "\"2\"")
            .reply()
            .await;
        assert_eq!((fresh.status.as_u16(), fresh.body.len()), (304, 0));
    })
    .await;
}

#[tokio::test]
async fn a_wrong_field_is_named() {
    on_each_engine(async |world| {
        for (field, value) in [
            ("id", json!("a/b")),
            ("name", json!("")),
            ("name", json!("a\nb")),
            ("gateway", json!(7)),
            ("unlock_ms", json!(10)),
            ("unlock_ms", json!(-1)),
            ("unlock_ms", json!(2.5)),
            ("colour", json!("red")),
        ] {
            let mut door = south();
            door[field] = value;
            let problem = world
                .post("/api/doors")
                .by(WANG)
                .json(&door)
                .refused(422, "wrong_type")
                .await;
            assert_eq!(problem["field"], field, "{problem}");
        }
        world
            .post("/api/doors")
            .by(WANG)
            .raw("{")
            .refused(400, "malformed_json")
            .await;
        let plain = world
            .post("/api/doors")
            .by(WANG)
            .header("content-type", "text/plain");
        plain.refused(415, "content_type_unsupported").await;
        assert_eq!(
            ids(&world.get("/api/doors").by(CHEN).content().await),
            ["north"]
        );
    })
    .await;
}
