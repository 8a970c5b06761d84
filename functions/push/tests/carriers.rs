//! What services answer, and what is made of it.

use serde_json::{Value, json};

use crate::support::{ENDPOINT, LI, MIN, WANG, World, header, on_each_engine};

async fn told(world: &World, key: &str) -> String {
    let body = json!({
        "people": ["li"],
        "notification": {"purpose": "service", "title": {"zh": "a"}, "body": {"zh": "b"}},
        "options": {"ttl_seconds": 86_400, "collapse_key": "water"},
    });
    world.tell(key, &body).await
}

async fn of_channel(world: &World, id: &str, channel: &str) -> Value {
    let all = world.deliveries(id).await;
    let found = all.into_iter().find(|one| one["channel"] == channel);
    found.unwrap()
}

#[tokio::test]
async fn only_404_and_410_delete_a_subscription() {
    on_each_engine(async |world| {
        for (name, status, state) in [("a", 410, "gone"), ("b", 404, "gone")] {
            let device = world.browser(LI, name).await;
            world
                .context
                .courier
                .say(&format!("{ENDPOINT}{name}"), Some(status), None);
            let id = told(&world, name).await;
            world.tick().await;
            let delivery = of_channel(&world, &id, "web_push").await;
            assert_eq!(delivery["state"], state);
            let shown = world.get(&format!("/api/push/devices/{device}")).by(LI);
            assert_eq!(shown.content().await["state"], "gone");
        }
        assert_eq!(
            world.last_fact("push_device.changed").await["state"],
            "gone"
        );
        let device = world.browser(LI, "c").await;
        world
            .context
            .courier
            .say(&format!("{ENDPOINT}c"), Some(403), None);
        let id = told(&world, "c").await;
        world.tick().await;
        assert_eq!(of_channel(&world, &id, "web_push").await["state"], "queued");
        let shown = world.get(&format!("/api/push/devices/{device}")).by(LI);
        assert_eq!(shown.content().await["state"], "active");
        assert_eq!(world.count("push_alarm.raised").await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_fails_is_tried_again_at_most_six_times_and_never_past_its_time() {
    on_each_engine(async |mut world| {
        world.browser(LI, "a").await;
        world.context.courier.say(ENDPOINT, Some(400), None);
        let refused = told(&world, "refused").await;
        world.tick().await;
        let delivery = of_channel(&world, &refused, "web_push").await;
        assert_eq!(
            (&delivery["state"], &delivery["reason"]),
            (&json!("dead"), &json!("refused"))
        );
        world.context.courier.say(ENDPOINT, None, None);
        let id = told(&world, "silent").await;
        for _ in 0..60 {
            world.tick().await;
            world.later(900_000);
        }
        let delivery = of_channel(&world, &id, "web_push").await;
        assert_eq!(delivery["state"], "dead", "{delivery}");
        assert_eq!(delivery["reason"], "exhausted");
        assert_eq!(delivery["tries"], 6);
    })
    .await;
}

#[tokio::test]
async fn a_service_that_asks_for_peace_gets_it_for_all_of_its_devices() {
    on_each_engine(async |mut world| {
        world.browser(LI, "a").await;
        world.browser(MIN, "b").await;
        world.context.courier.say(ENDPOINT, Some(429), Some("120"));
        told(&world, "first").await;
        world.tick().await;
        assert_eq!(world.context.courier.take().len(), 1);
        world.context.courier.say(ENDPOINT, Some(201), None);
        let body = json!({
            "people": ["min"],
            "notification": {"purpose": "service", "title": {"zh": "a"}, "body": {"zh": "b"}},
        });
        world.tell("second", &body).await;
        world.tick().await;
        assert!(world.context.courier.take().is_empty());
        // One request asks whether it is well again, and then the others go.
        world.later(121_000);
        world.tick().await;
        assert_eq!(world.context.courier.take().len(), 1);
        world.later(60_000);
        world.tick().await;
        assert_eq!(world.context.courier.take().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn web_push_carries_its_time_its_topic_and_a_token_for_its_origin() {
    on_each_engine(async |world| {
        world.browser(LI, "a").await;
        told(&world, "k").await;
        world.tick().await;
        let calls = world.context.courier.take();
        let call = &calls[0];
        assert_eq!(header(call, "ttl"), "86400");
        assert_eq!(header(call, "content-encoding"), "aes128gcm");
        assert_eq!(header(call, "topic").len(), 32);
        let claims =
            messaging::webpush::verify(header(call, "authorization"), world.context.now).unwrap();
        assert_eq!(claims.aud, "https://push.example.net");
        assert_eq!(claims.sub.as_deref(), Some("mailto:push@linli.cn"));
        let keys = world.get("/api/push/keys").by(LI).content().await;
        let key = keys["web_push"].as_str().unwrap();
        assert!(header(call, "authorization").ends_with(&format!("k={key}")));
    })
    .await;
}

#[tokio::test]
async fn jpush_gets_its_documented_shape_and_says_who_is_gone() {
    on_each_engine(async |world| {
        let body =
            json!({"channel": "jpush", "registration": "171976fa8a8620a14a4", "tags": ["车主"]});
        world
            .post("/api/push/devices")
            .by(LI)
            .json(&body)
            .content()
            .await;
        let id = told(&world, "k").await;
        world.tick().await;
        let calls = world.context.courier.take();
        assert_eq!(calls[0].url, "https://api.jpush.cn/v3/push");
        assert_eq!(header(&calls[0], "authorization"), "Basic YXBwOnNlY3JldA==");
        let asked: Value = serde_json::from_slice(&calls[0].body).unwrap();
        assert_eq!(asked["platform"], "all");
        assert_eq!(
            asked["audience"]["registration_id"],
            json!(["171976fa8a8620a14a4"])
        );
        assert_eq!(asked["notification"]["android"]["title"], "a");
        assert_eq!(asked["notification"]["ios"]["alert"]["body"], "b");
        assert_eq!(asked["options"]["time_to_live"], 86_400);
        assert_eq!(of_channel(&world, &id, "jpush").await["state"], "sent");
        let gone = r#"{"error": {"code": 1011, "message": "cannot find user by this audience"}}"#;
        world
            .context
            .courier
            .say_body("https://api.jpush.cn", 400, gone);
        let id = told(&world, "k2").await;
        world.tick().await;
        assert_eq!(of_channel(&world, &id, "jpush").await["state"], "gone");
        let page = world.get("/api/push/devices").by(LI).content().await;
        assert_eq!(page["items"][0]["state"], "gone");
    })
    .await;
}

#[tokio::test]
async fn a_browser_that_somebody_else_signs_in_on_shows_no_messages_of_the_one_before() {
    on_each_engine(async |world| {
        let first = world.browser(LI, "a").await;
        let same = world.browser(LI, "a").await;
        assert_eq!(first, same);
        let other = world.browser(MIN, "a").await;
        assert_ne!(first, other);
        told(&world, "k").await;
        world.tick().await;
        assert!(world.context.courier.take().is_empty());
        let reply = world
            .ask(http::Method::DELETE, &format!("/api/push/devices/{other}"))
            .by(MIN)
            .reply()
            .await;
        assert_eq!(reply.status, 204);
        let all = world.get("/api/push/people/li").by(WANG).content().await;
        assert_eq!(all["tags"], json!([]));
    })
    .await;
}
