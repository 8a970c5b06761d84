//! What the register of meters takes: rooms that there are, links that are undone, people who go by another name.

use kernel::{ActorId, CommunityId};
use serde_json::{Value, json};
use wire::event::{CommunityChanged, PersonAliased, PersonErased};

use crate::support::{CHEN, GATEWAY, WANG, World, ago, on_each_engine};

fn meter(id: &str, community: &str, room: &str) -> Value {
    json!({"id": id, "community": community, "commodity": "water", "name": "x", "room": room, "digits": 5, "opening_milli": 0})
}

async fn change(world: &World, body: &Value) -> Value {
    let ask = world.patch("/api/meters/e101").by(CHEN);
    ask.header("if-match", "*").json(body).content().await
}

#[tokio::test]
async fn a_room_that_the_community_does_not_have_is_refused() {
    on_each_engine(async |world| {
        let post = async |body: &Value| world.post("/api/meters").by(WANG).json(body).reply().await;
        let ask = world.post("/api/meters").by(WANG);
        let problem = ask
            .json(&meter("x1", "garden", "r999"))
            .refused(422, "room_unknown")
            .await;
        assert!(
            problem["detail"].as_str().unwrap().contains("room"),
            "{problem}"
        );
        let ask = world.post("/api/meters/e101/bindings").by(CHEN);
        ask.json(&json!({"room": "r999"}))
            .refused(422, "room_unknown")
            .await;
        // The room of another community is none of this one's.
        let ask = world.post("/api/meters").by(WANG);
        ask.json(&meter("x2", "harbour", "r101"))
            .refused(422, "room_unknown")
            .await;
        // A room that was added a moment ago is known.
        world.room("r103").await;
        assert_eq!(post(&meter("x3", "garden", "r103")).await.status, 201);
        // Where no room is known at all, meters come first.
        assert_eq!(post(&meter("x4", "harbour", "h1")).await.status, 201);
    })
    .await;
}

#[tokio::test]
async fn null_undoes_a_link_and_what_is_absent_stays() {
    on_each_engine(async |world| {
        let master = json!({"id": "main", "community": "garden", "commodity": "electricity", "name": "总表", "area": "配电室", "digits": 6, "opening_milli": 0});
        world.post("/api/meters").by(WANG).json(&master).content().await;
        let linked = change(&world, &json!({"master": "main", "decoding": {"step_milli": 1, "offset_milli": 0}, "prepaid": true})).await;
        assert_eq!(
            (&linked["master"], &linked["gateway"], &linked["prepaid"]),
            (&json!("main"), &json!("gateway-1"), &json!(true))
        );
        let named = change(&world, &json!({"name": "y"})).await;
        assert_eq!(
            (&named["master"], &named["gateway"], &named["decoding"]["step_milli"]),
            (&json!("main"), &json!("gateway-1"), &json!(1))
        );
        let freed = change(&world, &json!({"master": null, "gateway": null, "decoding": null})).await;
        for field in ["master", "gateway", "decoding"] {
            assert_eq!(freed[field], Value::Null, "{field}");
        }
        let refused = world.read(GATEWAY, "e101", (ago(1), 5_000)).await;
        assert_eq!(refused, "meter_unknown", "the gateway speaks for it no more");
    })
    .await;
}

#[tokio::test]
async fn who_read_and_decided_goes_by_the_new_id_and_is_forgotten() {
    on_each_engine(async |world| {
        world.read(CHEN, "w102", (ago(2), 3_000)).await;
        let id = format!("w102-{}-3000", ago(2).millis());
        let uri = format!("/api/meter-reviews/{id}");
        let decision = json!({"decision": "edit", "register_milli": 2_000, "reason": "照片"});
        world.put(&uri).by(CHEN).json(&decision).content().await;
        let cut = json!({"supply": "off", "reason": "leak"});
        let ask = world.post("/api/meters/e101/switchings").by(CHEN);
        ask.json(&cut).content().await;
        let people = async || {
            let reading = world
                .get(&format!("/api/meter-readings/{id}"))
                .by(WANG)
                .content()
                .await;
            let list = world
                .get("/api/meters/e101/switchings")
                .by(WANG)
                .content()
                .await;
            [
                reading["actor"].clone(),
                reading["review"]["actor"].clone(),
                list["items"][0]["actor"].clone(),
            ]
        };
        assert_eq!(people().await, ["chen", "chen", "chen"]);
        let (chen, new) = (
            ActorId::parse("chen").unwrap(),
            ActorId::parse("chen-2").unwrap(),
        );
        world
            .record(&PersonAliased {
                alias: chen,
                person: new.clone(),
            })
            .await;
        world.tick().await;
        assert_eq!(people().await, ["chen-2", "chen-2", "chen-2"]);
        let actor = ActorId::parse("wang").unwrap();
        world.record(&PersonErased { person: new, actor }).await;
        world.tick().await;
        assert_eq!(people().await, ["erased", "erased", "erased"]);
    })
    .await;
}

#[tokio::test]
async fn a_community_of_meters_only_is_one_whose_rooms_are_not_known_yet() {
    on_each_engine(async |world| {
        let fact = CommunityChanged {
            community: CommunityId::parse("hill").unwrap(),
            name: "山上".to_owned(),
            time_zone: "Asia/Shanghai".to_owned(),
            version: 1,
            actor: ActorId::parse("wang").unwrap(),
        };
        world.record(&fact).await;
        let reply = world
            .post("/api/meters")
            .by(WANG)
            .json(&meter("h1", "hill", "any"))
            .reply()
            .await;
        assert_eq!(reply.status, 201);
    })
    .await;
}
