//! Consent: nothing is advertised without it, and a withdrawal counts before the next delivery is leased.

use serde_json::{Value, json};

use crate::events::consented;
use crate::support::{LI, MIN, WANG, World, ZHAO, on_each_engine, read_push};

pub fn advertisement(audience: &Value) -> Value {
    json!({
        "audience": audience,
        "notification": {
            "purpose": "marketing", "sender": "梅的小店",
            "title": {"zh": "秋季优惠", "en": "Autumn sale"}, "body": {"zh": "全场八折", "en": "20 % off"},
        },
    })
}

fn states(deliveries: &[Value]) -> Vec<(String, String)> {
    let mut all: Vec<_> = deliveries
        .iter()
        .map(|one| {
            let reason = one["reason"].as_str().unwrap_or("-");
            let state = one["state"].as_str().unwrap();
            (
                one["person"].as_str().unwrap().to_owned(),
                format!("{state} {reason}"),
            )
        })
        .collect();
    all.sort();
    all
}

async fn stop_link(world: &World) -> String {
    let calls = world.context.courier.take();
    let told = read_push(calls.last().unwrap());
    assert_eq!(told["sender"], "梅的小店");
    assert_eq!(told["title"], "【广告】秋季优惠");
    let link = told["stop"].as_str().unwrap();
    link.strip_prefix("https://linli.cn").unwrap().to_owned()
}

#[tokio::test]
async fn advertising_goes_to_those_who_agreed_says_that_it_is_and_stops_with_one_tap() {
    on_each_engine(async |mut world| {
        world.browser(LI, "a").await;
        world.browser(MIN, "b").await;
        world.agree(LI, true).await;
        let id = world.tell("k", &advertisement(&json!({"all": true}))).await;
        world.tick().await;
        let people = states(&world.deliveries(&id).await);
        assert!(
            people.iter().all(|(person, _)| person == "li"),
            "{people:?}"
        );
        assert_eq!(people.len(), 2);
        let link = stop_link(&world).await;
        world.later(1_000);
        let page = world.get(&link).header("accept", "text/html").reply().await;
        assert!(String::from_utf8_lossy(&page.body).contains("<button>"));
        assert_eq!(world.get(&link).content().await["stopped"], false);
        assert_eq!(world.post(&link).content().await["stopped"], true);
        assert_eq!(world.post(&link).content().await["stopped"], true);
        assert_eq!(world.get(&link).content().await["stopped"], true);
        world
            .get(&format!("{link}x"))
            .refused(404, "stop_link_invalid")
            .await;
        world.later(86_400_000);
        let id = world
            .tell("k2", &advertisement(&json!({"all": true})))
            .await;
        world.tick().await;
        assert!(world.deliveries(&id).await.is_empty());
        let history = world
            .get("/api/push/consents/history")
            .by(LI)
            .content()
            .await;
        let via: Vec<&str> = history["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|said| said["via"].as_str().unwrap())
            .collect();
        assert_eq!(via, ["stop_link", "app"]);
        let statistics = world.get("/api/push/statistics").by(WANG).content().await;
        assert_eq!(statistics["unsubscribed"], 1);
    })
    .await;
}

#[tokio::test]
async fn unsubscribing_during_a_fan_out_stops_every_later_lease() {
    on_each_engine(async |mut world| {
        for (person, name) in [(LI, "a"), (MIN, "b"), (ZHAO, "c")] {
            world.browser(person, name).await;
            world.agree(person, true).await;
        }
        let mut body = advertisement(&json!({"all": true}));
        body["options"] = json!({"per_minute": 1});
        let id = world.tell("k", &body).await;
        world.tick().await;
        assert_eq!(world.context.courier.take().len(), 1);
        world.agree(MIN, false).await;
        world.record(&consented("zhao", "marketing", false)).await;
        world.later(600_000);
        world.tick().await;
        assert!(world.context.courier.take().is_empty());
        let people = states(&world.deliveries(&id).await);
        let min: Vec<_> = people
            .iter()
            .filter(|(person, _)| person == "min")
            .collect();
        assert!(
            min.iter()
                .all(|(_, state)| state == "suppressed no_consent"),
            "{people:?}"
        );
        assert!(world.inbox(ZHAO).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_second_advertisement_of_a_day_and_one_at_night_are_not_told() {
    on_each_engine(async |mut world| {
        world.browser(LI, "a").await;
        world.agree(LI, true).await;
        // 23:30 in Shanghai: it waits for the morning.
        world.at("2026-11-23T15:30:00Z");
        let mut body = advertisement(&json!({"all": true}));
        body["options"] = json!({"ttl_seconds": 86_400});
        let id = world.tell("night", &body).await;
        world.tick().await;
        assert!(world.context.courier.take().is_empty());
        world.at("2026-11-23T22:59:00Z");
        world.tick().await;
        assert!(world.context.courier.take().is_empty());
        world.at("2026-11-23T23:00:00Z");
        world.tick().await;
        assert_eq!(world.context.courier.take().len(), 1);
        let second = world.tell("second", &body).await;
        world.tick().await;
        assert!(world.context.courier.take().is_empty());
        let why = states(&world.deliveries(&second).await);
        assert!(
            why.iter().all(|(_, state)| state == "suppressed day_cap"),
            "{why:?}"
        );
        assert_eq!(world.inbox(LI).await.len(), 1);
        world.later(30_000);
        world.tick().await;
        assert_eq!(world.message(&id).await["state"], "finished");
    })
    .await;
}

#[tokio::test]
async fn minors_get_no_advertising_and_what_people_do_is_used_only_if_they_agreed() {
    on_each_engine(async |world| {
        let describe =
            |minor: bool| json!({"minor": minor, "tags": ["车主"], "segments": [], "rfm": null});
        for (person, minor) in [("li", false), ("min", true)] {
            world.record(&consented(person, "marketing", true)).await;
            world
                .put(&format!("/api/push/people/{person}"))
                .by(WANG)
                .json(&describe(minor))
                .content()
                .await;
        }
        let id = world
            .tell("all", &advertisement(&json!({"all": true})))
            .await;
        let tagged = world
            .tell("tag", &advertisement(&json!({"tag": "车主"})))
            .await;
        world.tick().await;
        assert_eq!(
            states(&world.deliveries(&id).await),
            [("li".to_owned(), "delivered -".to_owned())]
        );
        assert!(world.deliveries(&tagged).await.is_empty());
        world
            .post("/api/push/consents")
            .by(MIN)
            .json(&json!({"purpose": "marketing", "given": true, "adult": true}))
            .refused(422, "adults_only")
            .await;
        world
            .post("/api/push/consents")
            .by(LI)
            .json(&json!({"purpose": "personalised_ads", "given": true}))
            .refused(422, "adults_only")
            .await;
        let list = world.get("/api/push/consents").by(LI).content().await;
        assert_eq!(list["items"][2]["purpose"], "marketing");
        assert_eq!(list["items"][2]["channels"].as_array().unwrap().len(), 6);
        let ask = json!({"audience": {"tag": "车主"}, "purpose": "marketing"});
        let counted = world
            .post("/api/push/audiences")
            .by(WANG)
            .json(&ask)
            .content()
            .await;
        assert_eq!(counted["people"], 0);
    })
    .await;
}
