//! `/n/`: what ntfy's clients publish and poll.

use base64::Engine as _;
use serde_json::{Value, json};

use crate::support::{LI, MIN, World, on_each_engine};

async fn topic(world: &World, name: &str) -> String {
    let made = world
        .post("/api/push/topics")
        .by(LI)
        .json(&json!({"topic": name}))
        .content()
        .await;
    assert_eq!(made["url"], format!("https://linli.cn/n/{name}"));
    made["topic_key"].as_str().unwrap().to_owned()
}

async fn poll(world: &World, path: &str, key: &str) -> Vec<Value> {
    let reply = world.get(path).bearer(key).reply().await;
    assert_eq!(reply.status, 200, "{:?}", reply.body);
    let text = String::from_utf8(reply.body.to_vec()).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn a_client_publishes_with_headers_and_as_json_and_polls_what_is_due() {
    on_each_engine(async |mut world| {
        let key = topic(&world, "garden-news").await;
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("any:{key}"));
        let first = world
            .put("/n/garden-news")
            .header("authorization", &format!("Basic {basic}"))
            .header("x-title", "停水")
            .header("x-priority", "high")
            .header("x-tags", "warning,水")
            .header("x-click", "https://linli.cn/notices/1")
            .plain("明早停水")
            .content()
            .await;
        assert_eq!(
            (&first["event"], &first["priority"]),
            (&json!("message"), &json!(4))
        );
        world
            .post("/n/")
            .bearer(&key)
            .plain(r#"{"topic": "garden-news", "message": "later", "delay": "30m"}"#)
            .content()
            .await;
        let lines = poll(&world, "/n/garden-news/json?poll=1", &key).await;
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["message"], "明早停水");
        assert_eq!(lines[0]["tags"], json!(["warning", "水"]));
        world.later(1_800_000);
        let since = format!(
            "/n/garden-news/json?poll=1&since={}",
            first["id"].as_str().unwrap()
        );
        let lines = poll(&world, &since, &key).await;
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["message"], "later");
        assert_eq!(
            poll(&world, "/n/garden-news/json?poll=1&since=latest", &key)
                .await
                .len(),
            1
        );
        assert_eq!(
            poll(&world, "/n/garden-news/json?poll=1&since=none", &key)
                .await
                .len(),
            0
        );
        world.later(12 * 3_600_000);
        world.tick().await;
        assert_eq!(
            poll(&world, "/n/garden-news/json?poll=1", &key).await.len(),
            0
        );
        assert_eq!(world.get("/n/v1/health").content().await["healthy"], true);
    })
    .await;
}

/// As python-ntfy 0.11.4 asks, header by header: a token is the password of nobody, `Tags` may be empty, switches are
/// Python's, a delay is a moment.
#[tokio::test]
async fn what_python_ntfy_sends_is_taken_and_what_it_polls_is_told() {
    on_each_engine(async |mut world| {
        let key = topic(&world, "li-phone").await;
        let basic = base64::engine::general_purpose::STANDARD.encode(format!(":{key}"));
        let basic = format!("Basic {basic}");
        let send = |text: &str| {
            let ask = world.post("/n/li-phone").header("authorization", &basic);
            ask.header("accept", "*/*").header("markdown", "false").plain(text)
        };
        let actions = "action=view, label=Open, url=https://linli.cn/notices/1, clear=True ; \
            action=http, label=Call, url=https://linli.cn/calls, method=POST, clear=False, headers.a=b, body=x";
        let first = send("明早停水")
            .header("title", "Title")
            .header("priority", "4")
            .header("tags", "warning,droplet")
            .header("actions", actions)
            .content()
            .await;
        assert_eq!(
            (&first["title"], &first["priority"], &first["tags"]),
            (&json!("Title"), &json!(4), &json!(["warning", "droplet"])),
        );
        let clears = |number: usize| first["actions"][number]["clear"].as_bool();
        assert_eq!((clears(0), clears(1)), (Some(true), Some(false)), "{first}");
        let in_an_hour = world.context.now.millis() / 1_000 + 3_600;
        let later = send("later")
            .header("priority", "3")
            .header("tags", "")
            .header("delay", &in_an_hour.to_string());
        assert_eq!(later.content().await["time"], json!(in_an_hour));

        let texts = async |world: &World, query: &str| {
            let path = format!("/n/li-phone/json?poll=1{query}");
            let reply = world.get(&path).header("authorization", &basic).reply().await;
            assert_eq!(reply.status, 200, "{:?}", reply.body);
            let text = String::from_utf8(reply.body.to_vec()).unwrap();
            let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
            let texts = lines.map(|line: Value| line["message"].as_str().unwrap().to_owned());
            texts.collect::<Vec<String>>()
        };
        let after = format!("&scheduled=True&since={}", first["id"].as_str().unwrap());
        assert_eq!(texts(&world, "&since=all").await, ["明早停水"]);
        assert_eq!(texts(&world, "&scheduled=False&since=all").await, ["明早停水"]);
        assert_eq!(texts(&world, "&scheduled=True&since=all").await, ["明早停水", "later"]);
        assert_eq!(texts(&world, &after).await, ["later"]);
        world.later(3_600_000);
        assert_eq!(texts(&world, "&since=all").await, ["明早停水", "later"]);
    })
    .await;
}

/// As apprise 2.2.0 asks for `ntfy://KEY@host/li-phone?priority=high&xtags=..`: topic, title and text as JSON to the root
/// of the server, and everything else by headers.
#[tokio::test]
async fn what_apprise_sends_to_the_root_is_taken() {
    on_each_engine(async |world| {
        let key = topic(&world, "li-phone").await;
        let send = || {
            world
                .post("/")
                .bearer(&key)
                .header("content-type", "application/json")
                .plain(r#"{"topic": "li-phone", "title": "Water", "message": "\u660e\u65e9\u505c\u6c34"}"#)
        };
        let sent = send()
            .header("x-icon", "https://linli.cn/icon.png")
            .header("x-markdown", "yes")
            .header("x-priority", "high")
            .header("x-click", "https://linli.cn/notices/1")
            .header("x-tags", "warning,droplet")
            .content()
            .await;
        let lines = poll(&world, "/n/li-phone/json?poll=1", &key).await;
        assert_eq!(lines, [sent]);
        let expected = json!({
            "event": "message", "topic": "li-phone", "title": "Water", "message": "明早停水", "priority": 4,
            "tags": ["warning", "droplet"], "click": "https://linli.cn/notices/1",
            "icon": "https://linli.cn/icon.png", "content_type": "text/markdown",
        });
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&lines[0][name], value, "{name}");
        }
        let later = send().header("x-delay", "30m").content().await;
        let in_half_an_hour = world.context.now.millis() / 1_000 + 1_800;
        assert_eq!(later["time"], json!(in_half_an_hour));
        let refused = send().header("x-email", "li@linli.cn").reply().await;
        assert_eq!(refused.status, 400, "{:?}", refused.body);
        assert_eq!(world.get("/").bearer(&key).reply().await.status, 405);
    })
    .await;
}

#[tokio::test]
async fn errors_are_those_that_clients_know() {
    on_each_engine(async |world| {
        let key = topic(&world, "garden-news").await;
        topic(&world, "other").await;
        let check = async |ask: crate::support::Ask<'_>, status: u16, code: i64| {
            let reply = ask.reply().await;
            let error = crate::support::content_of(&reply);
            assert_eq!(
                (reply.status.as_u16(), error["code"].as_i64()),
                (status, Some(code)),
                "{error}"
            );
        };
        let put = |path: &str| world.put(path).plain("x");
        check(put("/n/garden-news"), 401, 40_101).await;
        check(put("/n/garden-news").bearer("tk_nothing"), 401, 40_101).await;
        check(put("/n/other").bearer(&key), 403, 40_301).await;
        check(put("/n/garden-news").bearer(&world.token(MIN)), 403, 40_301).await;
        check(put("/n/docs").bearer(&key), 400, 40_010).await;
        check(
            put("/n/garden-news").bearer(&key).header("x-priority", "9"),
            400,
            40_007,
        )
        .await;
        check(
            put("/n/garden-news").bearer(&key).header("x-delay", "1s"),
            400,
            40_005,
        )
        .await;
        check(
            put("/n/garden-news").bearer(&key).header("email", "a@b.cn"),
            400,
            40_001,
        )
        .await;
        check(world.post("/n/").bearer(&key).plain("{"), 400, 40_017).await;
        check(
            world.get("/n/garden-news/json?since=x").bearer(&key),
            400,
            40_008,
        )
        .await;
        check(world.get("/n/garden-news/ws").bearer(&key), 404, 40_401).await;
        let owner = put("/n/garden-news").bearer(&world.token(LI)).reply().await;
        assert_eq!(owner.status, 200);
        let auth = world
            .get("/n/garden-news/auth")
            .bearer(&key)
            .content()
            .await;
        assert_eq!(auth["success"], true);
    })
    .await;
}

#[tokio::test]
async fn another_key_closes_the_topic_to_the_one_before_and_a_topic_is_one_persons() {
    on_each_engine(async |world| {
        let key = topic(&world, "garden-news").await;
        world
            .post("/api/push/topics")
            .by(MIN)
            .json(&json!({"topic": "garden-news"}))
            .refused(409, "topic_taken")
            .await;
        world
            .post("/api/push/topics/garden-news/key")
            .by(MIN)
            .refused(404, "push_topic_unknown")
            .await;
        let changed = world
            .post("/api/push/topics/garden-news/key")
            .by(LI)
            .content()
            .await;
        let new = changed["topic_key"].as_str().unwrap();
        assert_ne!(new, key);
        assert_eq!(
            world
                .put("/n/garden-news")
                .bearer(&key)
                .plain("x")
                .reply()
                .await
                .status,
            401
        );
        assert_eq!(
            world
                .put("/n/garden-news")
                .bearer(new)
                .plain("x")
                .reply()
                .await
                .status,
            200
        );
        let gone = world
            .ask(http::Method::DELETE, "/api/push/topics/garden-news")
            .by(LI);
        assert_eq!(gone.reply().await.status, 204);
        assert_eq!(
            world
                .put("/n/garden-news")
                .bearer(new)
                .plain("x")
                .reply()
                .await
                .status,
            401
        );
    })
    .await;
}

#[tokio::test]
async fn a_persons_own_topic_gets_what_the_person_is_told() {
    on_each_engine(async |world| {
        let key = topic(&world, "li-phone").await;
        let device = json!({"channel": "ntfy", "topic": "li-phone"});
        world
            .post("/api/push/devices")
            .by(MIN)
            .json(&device)
            .refused(404, "push_topic_unknown")
            .await;
        world
            .post("/api/push/devices")
            .by(LI)
            .json(&device)
            .content()
            .await;
        world.record(&crate::events::bill("r1")).await;
        world.tick().await;
        let lines = poll(&world, "/n/li-phone/json?poll=1", &key).await;
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["title"], "新账单");
    })
    .await;
}
