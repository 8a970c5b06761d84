//! Going round with a phone: the list, what was read without the net, pictures.

use serde_json::{Value, json};

use crate::support::{
    APP, APP_WRITER, AUDITOR, CHEN, GATEWAY_2, HOUR_MS, LI, TANG, World, ZHAO, ago, on_each_engine,
};

async fn route(world: &World) {
    let route =
        json!({"id": "round-1", "community": "garden", "name": "1栋", "meters": ["w102", "lobby"]});
    let reply = world
        .post("/api/meter-routes")
        .by(CHEN)
        .json(&route)
        .reply()
        .await;
    assert_eq!(reply.status, 201);
}

fn batch() -> Value {
    json!({"readings": [
        {"id": "phone-1", "meter": "w102", "at": ago(3), "register_milli": 12_000},
        {"id": "phone-2", "meter": "lobby", "at": ago(2), "register_milli": 7_000},
        {"id": "phone-3", "meter": "nothing", "at": ago(2), "register_milli": 7_000},
    ]})
}

#[tokio::test]
async fn a_round_is_read_without_the_net_and_sent_again_without_harm() {
    on_each_engine(async |world| {
        route(&world).await;
        let sheet = world
            .get("/api/meter-routes/round-1")
            .by(CHEN)
            .content()
            .await;
        assert_eq!(
            (&sheet["period"], &sheet["read"]),
            (&json!("2027-01"), &json!(0))
        );
        let stop = &sheet["stops"][0];
        assert_eq!(
            (&stop["meter"], &stop["place"]),
            (&json!("w102"), &json!("1栋1单元102"))
        );
        assert_eq!(sheet["stops"][1]["place"], "大堂");
        assert!(stop["plausible_until_milli"].as_i64().unwrap() > 0);
        for expected in ["counted", "duplicate"] {
            let answer = world
                .post("/api/meter-readings")
                .by(CHEN)
                .json(&batch())
                .content()
                .await;
            let results: Vec<&Value> = answer["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| &item["result"])
                .collect();
            assert_eq!(
                results,
                [&json!(expected), &json!(expected), &json!("refused")]
            );
            assert_eq!(answer["items"][2]["reason"], "meter_unknown");
        }
        let sheet = world
            .get("/api/meter-routes/round-1")
            .by(CHEN)
            .content()
            .await;
        assert_eq!(
            (&sheet["read"], &sheet["stops"][0]["reading"]),
            (&json!(2), &json!("phone-1"))
        );
        // CT 40: what the register moved counts forty times.
        assert_eq!(world.readings("lobby").await[0]["total_milli"], 280_000);
    })
    .await;
}

#[tokio::test]
async fn the_same_key_gets_the_first_answer_again() {
    on_each_engine(async |world| {
        let send = async || {
            let ask = world.post("/api/meter-readings").by(CHEN);
            ask.header("idempotency-key", "round-1")
                .json(&batch())
                .content()
                .await
        };
        let first = send().await;
        assert_eq!(send().await, first);
        assert_eq!(first["items"][0]["result"], "counted");
    })
    .await;
}

#[tokio::test]
async fn a_meter_is_read_by_hand_once_a_month() {
    on_each_engine(async |world| {
        assert_eq!(world.read(CHEN, "w102", (ago(3), 12_000)).await, "counted");
        assert_eq!(
            world.read(CHEN, "w102", (ago(2), 12_100)).await,
            "month_already_read"
        );
        assert_eq!(
            world.read(CHEN, "w102", (ago(24 * 20), 9_000)).await,
            "counted"
        );
        // Rejected, it makes room for a better one.
        let id = format!("w102-{}-12000", ago(3).millis());
        let reject = json!({"decision": "reject", "reason": "抄错"});
        let uri = format!("/api/meter-reviews/{id}");
        world.put(&uri).by(CHEN).json(&reject).content().await;
        assert_eq!(world.read(CHEN, "w102", (ago(2), 12_100)).await, "counted");
    })
    .await;
}

#[tokio::test]
async fn a_reading_has_one_small_picture_that_the_household_may_see() {
    on_each_engine(async |world| {
        world
            .post("/api/meter-readings")
            .by(CHEN)
            .json(&batch())
            .content()
            .await;
        let uri = "/api/meter-readings/phone-1/photo";
        let jpeg = [&[0xff, 0xd8, 0xff, 0xe0][..], &[7; 1_000]].concat();
        world.get(uri).by(CHEN).refused(404, "photo_unknown").await;
        let put = |bytes: Vec<u8>, kind: &str| world.put(uri).by(CHEN).bytes(kind, bytes);
        put(jpeg.clone(), "image/png")
            .refused(415, "content_type_unsupported")
            .await;
        put(b"<svg>".to_vec(), "image/jpeg")
            .refused(415, "content_type_unsupported")
            .await;
        put(vec![0xff; 200 * 1024 + 1], "image/jpeg")
            .refused(413, "body_too_large")
            .await;
        for _ in 0..2 {
            assert_eq!(put(jpeg.clone(), "image/jpeg").reply().await.status, 204);
        }
        let other = [&jpeg[..], &[8]].concat();
        put(other, "image/jpeg").refused(409, "photo_stored").await;
        let reply = world.get(uri).by(ZHAO).reply().await;
        assert_eq!(
            (reply.headers["content-type"].as_bytes(), &reply.body[..]),
            (&b"image/jpeg"[..], &jpeg[..])
        );
        world.get(uri).by(LI).refused(404, "reading_unknown").await;
        let shown = world
            .get("/api/meter-readings/phone-1")
            .by(ZHAO)
            .content()
            .await;
        assert_eq!(
            (&shown["has_photo"], &shown["source"]),
            (&json!(true), &json!("phone"))
        );
    })
    .await;
}

#[tokio::test]
async fn nobody_sends_readings_of_meters_that_are_not_theirs() {
    on_each_engine(async |world| {
        for person in [TANG, GATEWAY_2] {
            assert_eq!(
                world.read(person, "e101", (ago(1), 2_000)).await,
                "meter_unknown"
            );
        }
        for person in [LI, AUDITOR, APP] {
            let ask = world.post("/api/meter-readings").by(person).json(&batch());
            ask.refused(403, "managers_only").await;
        }
        assert_eq!(
            world.read(APP_WRITER, "e101", (ago(1), 2_000)).await,
            "counted"
        );
        let none = json!({"readings": []});
        let ask = world.post("/api/meter-readings").by(CHEN).json(&none);
        ask.refused(422, "readings_count").await;
    })
    .await;
}

#[tokio::test]
async fn a_route_is_changed_and_taken_away() {
    on_each_engine(async |mut world| {
        route(&world).await;
        let uri = "/api/meter-routes/round-1";
        let change = |meters: Value| {
            let ask = world.ask(http::Method::PATCH, uri).by(CHEN);
            ask.header("if-match", "\"1\"")
                .json(&json!({"meters": meters}))
        };
        for wrong in [json!([]), json!(["w102", "w102"]), json!(["nothing"])] {
            change(wrong).refused(422, "route_meters").await;
        }
        let shown = change(json!(["lobby", "w102", "e101"])).content().await;
        assert_eq!(shown["version"], 2);
        change(json!(["lobby"]))
            .refused(412, "version_changed")
            .await;
        let sheet = world.get(uri).by(AUDITOR).content().await;
        assert_eq!(sheet["stops"][0]["meter"], "lobby");
        assert_eq!(
            world
                .ask(http::Method::DELETE, uri)
                .by(CHEN)
                .reply()
                .await
                .status,
            204
        );
        world
            .get(uri)
            .by(CHEN)
            .refused(404, "meter_route_unknown")
            .await;
        world.pass_ms(HOUR_MS);
    })
    .await;
}
