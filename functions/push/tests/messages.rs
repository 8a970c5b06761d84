//! Messages: to whom they go, once, and what becomes of them.

use serde_json::{Value, json};

use crate::support::{
    APP_WRITER, ENDPOINT, LI, MIN, WANG, ZHAO, content_of, header, on_each_engine, read_push,
};

fn notice(audience: &Value) -> Value {
    json!({
        "audience": audience,
        "notification": {
            "purpose": "notice", "sender": "花园物业",
            "title": {"zh": "停水通知", "en": "No water"}, "body": {"zh": "明早停水", "en": "No water tomorrow"},
            "url": "/notices/1",
        },
    })
}

fn people(deliveries: &[Value]) -> Vec<(&str, &str, &str)> {
    let mut all: Vec<_> = deliveries
        .iter()
        .map(|one| {
            let text = |name: &str| one[name].as_str().unwrap();
            (text("person"), text("channel"), text("state"))
        })
        .collect();
    all.sort_unstable();
    all
}

#[tokio::test]
async fn a_message_reaches_its_audience_on_every_way_once() {
    on_each_engine(async |world| {
        world.browser(LI, "a").await;
        let id = world.tell("k1", &notice(&json!({"building": "b1"}))).await;
        world.tick().await;
        let deliveries = world.deliveries(&id).await;
        assert_eq!(
            people(&deliveries),
            [
                ("li", "inbox", "delivered"),
                ("li", "web_push", "sent"),
                ("min", "inbox", "delivered"),
                ("zhao", "inbox", "delivered"),
            ]
        );
        let calls = world.context.courier.take();
        assert_eq!(calls.len(), 1);
        assert_eq!(calls[0].url, format!("{ENDPOINT}a"));
        assert_eq!(header(&calls[0], "urgency"), "low");
        let told = read_push(&calls[0]);
        assert_eq!(
            (&told["title"], &told["sender"], &told["url"]),
            (&json!("停水通知"), &json!("花园物业"), &json!("/notices/1"))
        );
        assert!(told.get("stop").is_none());
        world.tick().await;
        assert!(world.context.courier.take().is_empty());
        let shown = world.message(&id).await;
        assert_eq!(shown["state"], "finished", "{shown}");
        assert_eq!(shown["funnel"]["sent"], 4);
        assert_eq!(world.count("push.message_finished").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_request_that_is_repeated_tells_once_and_says_what_is_left() {
    on_each_engine(async |world| {
        let body = notice(&json!({"all": true}));
        let ask = || {
            world
                .post("/api/push/messages")
                .by(APP_WRITER)
                .key("same")
                .json(&body)
        };
        let first = ask().reply().await;
        assert_eq!(first.status, 202);
        let left = |reply: &web::Reply, name: &str| {
            reply.headers[name]
                .to_str()
                .unwrap()
                .parse::<i64>()
                .unwrap()
        };
        assert_eq!(left(&first, "x-rate-limit-remaining"), 599);
        assert_eq!(left(&first, "x-quota-remaining"), 9_999);
        let again = ask().reply().await;
        assert_eq!(content_of(&again), content_of(&first));
        world.tick().await;
        assert_eq!(world.inbox(ZHAO).await.len(), 1);
        world
            .post("/api/push/messages")
            .by(APP_WRITER)
            .json(&body)
            .refused(422, "idempotency_key_required")
            .await;
    })
    .await;
}

#[tokio::test]
async fn who_sends_too_much_is_told_which_limit_and_until_when() {
    on_each_engine(async |mut world| {
        let mut terms = world.get("/api/push/terms").by(WANG).content().await;
        terms["calls_per_minute"] = json!(2);
        terms.as_object_mut().unwrap().remove("version");
        world
            .put("/api/push/terms")
            .by(WANG)
            .header("if-match", "\"0\"")
            .json(&terms)
            .content()
            .await;
        let body = notice(&json!({"all": true}));
        world.tell("1", &body).await;
        world.tell("2", &body).await;
        let ask = world
            .post("/api/push/messages")
            .by(WANG)
            .key("3")
            .json(&body);
        let reply = ask.reply().await;
        assert_eq!(reply.status, 429);
        assert_eq!(reply.headers["retry-after"], "60");
        let problem = content_of(&reply);
        assert_eq!(problem["code"], "calls_per_minute_reached");
        assert!(
            problem["detail"]
                .as_str()
                .unwrap()
                .contains("2026-11-23T02:01:00")
        );
        world.later(60_000);
        world.tell("3", &body).await;
    })
    .await;
}

#[tokio::test]
async fn a_scheduled_message_waits_and_a_cancelled_one_is_never_told() {
    on_each_engine(async |mut world| {
        let mut body = notice(&json!({"all": true}));
        body["options"] = json!({"send_at": "2026-11-23T03:00:00Z"});
        let id = world.tell("k", &body).await;
        let other = world.tell("other", &body).await;
        world.tick().await;
        assert!(world.inbox(LI).await.is_empty());
        world
            .post(&format!("/api/push/messages/{other}/cancellation"))
            .by(WANG)
            .content()
            .await;
        world.at("2026-11-23T03:00:00Z");
        world.tick().await;
        assert_eq!(world.inbox(LI).await.len(), 1);
        assert!(world.deliveries(&other).await.is_empty());
        world
            .post(&format!("/api/push/messages/{id}/cancellation"))
            .by(WANG)
            .refused(409, "push_message_state")
            .await;
    })
    .await;
}

#[tokio::test]
async fn the_inbox_counts_what_was_not_read_and_tells_the_sender_what_was() {
    on_each_engine(async |world| {
        let id = world.tell("k", &notice(&json!({"all": true}))).await;
        world.tell("k2", &notice(&json!({"all": true}))).await;
        world.tick().await;
        let unread = async |person| {
            let shown = world.get("/api/inbox/unread").by(person).content().await;
            shown["unread"].as_i64().unwrap()
        };
        assert_eq!(unread(LI).await, 2);
        let items = world.inbox(LI).await;
        let oldest = items[1]["id"].as_str().unwrap();
        world
            .post(&format!("/api/inbox/{oldest}/read"))
            .by(LI)
            .reply()
            .await;
        assert_eq!(unread(LI).await, 1);
        world
            .post(&format!("/api/inbox/{oldest}/read"))
            .by(MIN)
            .refused(404, "push_message_unknown")
            .await;
        world
            .get(&format!("/api/inbox/{oldest}"))
            .by(MIN)
            .refused(404, "push_message_unknown")
            .await;
        let up_to = json!({"up_to": items[0]["id"]});
        let rest = world
            .post("/api/inbox/reads")
            .by(LI)
            .json(&up_to)
            .content()
            .await;
        assert_eq!(rest["unread"], 0);
        assert_eq!(unread(MIN).await, 2);
        let shown = world.message(&id).await;
        assert_eq!(shown["funnel"]["displayed"], 1);
        let english = world
            .get("/api/inbox")
            .by(LI)
            .header("accept-language", "en");
        assert_eq!(english.content().await["items"][0]["title"], "No water");
    })
    .await;
}

#[tokio::test]
async fn a_device_proves_what_it_got_by_what_the_message_carried() {
    on_each_engine(async |world| {
        world.browser(LI, "a").await;
        let id = world.tell("k", &notice(&json!({"all": true}))).await;
        world.tick().await;
        let told = read_push(&world.context.courier.take()[0]);
        let receipt = told["receipt"].as_str().unwrap();
        for event in ["clicked", "delivered"] {
            let reply = world
                .post("/api/push/receipts")
                .json(&json!({"receipt": receipt, "event": event}))
                .reply()
                .await;
            assert_eq!(reply.status, 204);
        }
        world
            .post("/api/push/receipts")
            .json(&json!({"receipt": format!("{receipt}x"), "event": "clicked"}))
            .refused(404, "receipt_invalid")
            .await;
        let deliveries = world.deliveries(&id).await;
        assert!(people(&deliveries).contains(&("li", "web_push", "clicked")));
        let conversion = json!({"person": "li"});
        let path = format!("/api/push/messages/{id}/conversions");
        let ask = || world.post(&path).by(WANG).json(&conversion);
        assert_eq!(ask().content().await["counted"], true);
        assert_eq!(ask().content().await["counted"], false);
        let statistics = world.get("/api/push/statistics").by(WANG).content().await;
        let notice = &statistics["purposes"][0];
        assert_eq!(
            (&notice["clicked"], &notice["converted"], &notice["people"]),
            (&json!(1), &json!(2), &json!(3)),
            "{statistics}"
        );
    })
    .await;
}

#[tokio::test]
async fn two_replicas_and_a_kill_in_between_lease_each_delivery_once() {
    on_each_engine(async |mut world| {
        for (person, name) in [(LI, "a"), (MIN, "b"), (ZHAO, "c")] {
            world.browser(person, name).await;
        }
        let id = world.tell("k", &notice(&json!({"all": true}))).await;
        let other = world.replica();
        let (one, two) = tokio::join!(push::cron::tick(&world.context), push::cron::tick(&other));
        assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
        let mut calls = world.context.courier.take();
        calls.extend(other.courier.take());
        let mut urls: Vec<&str> = calls.iter().map(|call| call.url.as_str()).collect();
        urls.sort_unstable();
        let expected = ["a", "b", "c"].map(|name| format!("{ENDPOINT}{name}"));
        assert_eq!(urls, expected);
        world.later(200_000);
        world.tick().await;
        assert!(world.context.courier.take().is_empty());
        assert_eq!(world.message(&id).await["funnel"]["sent"], 6);
        assert_eq!(world.inbox(LI).await.len(), 1);
    })
    .await;
}
