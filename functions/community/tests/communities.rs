//! Companies, communities, buildings and entrances.

use http::Method;
use serde_json::json;
use wire::event::CommunityChanged;

use crate::support::{AUDITOR, CHEN, HU, LI, STRANGER, WANG, ZHAO, each, on_each_engine};

#[tokio::test]
async fn everybody_finds_the_tenants_communities_and_their_own_ones() {
    on_each_engine(async |world| {
        for person in [LI, ZHAO, CHEN, WANG, AUDITOR] {
            let all = world.get("/api/communities").by(person).content().await;
            assert_eq!(each(&all, "id"), ["garden", "harbour"]);
        }
        let house = world.house().await;
        let mine = "/api/communities?mine=true";
        assert!(each(&world.get(mine).by(ZHAO).content().await, "id").is_empty());
        assert_eq!(
            each(&world.get(mine).by(CHEN).content().await, "id"),
            ["garden"]
        );
        assert_eq!(
            each(&world.get(mine).by(WANG).content().await, "id").len(),
            2
        );
        // A binding counts at once, before the token knows of it.
        let asked = json!({"role": "family", "room": house.room, "name": "赵六"});
        let asked = world
            .post("/api/binding-requests")
            .by(ZHAO)
            .json(&asked)
            .content()
            .await;
        let path = format!(
            "/api/binding-requests/{}/approval",
            asked["id"].as_str().unwrap()
        );
        world.ask(Method::PUT, &path).by(CHEN).content().await;
        assert_eq!(
            each(&world.get(mine).by(ZHAO).content().await, "id"),
            ["garden"]
        );
        assert!(
            each(
                &world.get("/api/communities").by(STRANGER).content().await,
                "id"
            )
            .is_empty()
        );
    })
    .await;
}

#[tokio::test]
async fn a_community_changes_by_version_and_tells_its_zone() {
    on_each_engine(async |world| {
        let path = "/api/communities/garden";
        let stale = world
            .ask(Method::PATCH, path)
            .by(WANG)
            .header("if-match", "\"7\"");
        stale
            .json(&json!({"name": "花园"}))
            .refused(412, "version_changed")
            .await;
        let change = world
            .ask(Method::PATCH, path)
            .by(WANG)
            .header("if-match", "\"1\"");
        let changed = change
            .json(&json!({"time_zone": "Asia/Urumqi"}))
            .content()
            .await;
        assert_eq!(
            (&changed["name"], &changed["version"]),
            (&json!("阳光花园"), &json!(2))
        );
        let facts: Vec<CommunityChanged> = world.facts().await;
        assert_eq!(facts.last().unwrap().time_zone, "Asia/Urumqi");
        let wrong = json!({"id": "x", "name": "x", "time_zone": "Mars/Base"});
        world
            .post("/api/communities")
            .by(WANG)
            .json(&wrong)
            .refused(422, "wrong_type")
            .await;
        let unknown = json!({"id": "x", "name": "x", "company": "nobody"});
        world
            .post("/api/communities")
            .by(WANG)
            .json(&unknown)
            .refused(404, "company_unknown")
            .await;
        let again = json!({"id": "garden", "name": "花园"});
        world
            .post("/api/communities")
            .by(WANG)
            .json(&again)
            .refused(409, "community_exists")
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_building_stands_once_however_its_name_is_written() {
    on_each_engine(async |world| {
        let house = world.house().await;
        let again = json!({"name": "1号楼"});
        let path = "/api/communities/garden/buildings";
        world
            .post(path)
            .by(CHEN)
            .json(&again)
            .refused(409, "building_exists")
            .await;
        let units = format!("/api/buildings/{}/units", house.building);
        world
            .post(&units)
            .by(CHEN)
            .json(&json!({"name": "一单元"}))
            .refused(409, "unit_exists")
            .await;
        assert_eq!(
            each(&world.get(path).by(AUDITOR).content().await, "name"),
            ["1栋"]
        );
        assert_eq!(
            each(&world.get(&units).by(CHEN).content().await, "name"),
            ["1单元"]
        );
        world
            .get(path)
            .by(HU)
            .refused(404, "community_unknown")
            .await;
        world
            .get(&units)
            .by(LI)
            .refused(404, "building_unknown")
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_building_with_another_name_has_its_rooms_found_by_it() {
    on_each_engine(async |world| {
        let house = world.house().await;
        let path = format!("/api/buildings/{}", house.building);
        world
            .patch(&path)
            .by(CHEN)
            .json(&json!({"name": "A座"}))
            .content()
            .await;
        let found = world
            .get("/api/rooms?q=a%E5%BA%A7101")
            .by(CHEN)
            .content()
            .await;
        assert_eq!(each(&found, "place"), ["A座1单元101"]);
        assert!(
            each(
                &world.get("/api/rooms?q=1-1-101").by(CHEN).content().await,
                "id"
            )
            .is_empty()
        );
        let unit = format!("/api/units/{}", house.unit);
        world
            .patch(&unit)
            .by(CHEN)
            .json(&json!({"name": "东单元"}))
            .content()
            .await;
        let found = world
            .get("/api/rooms?q=A-%E4%B8%9C%E5%8D%95%E5%85%83-101")
            .by(CHEN)
            .content()
            .await;
        assert_eq!(each(&found, "place"), ["A座东单元101"]);
    })
    .await;
}
