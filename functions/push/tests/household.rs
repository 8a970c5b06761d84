//! Household rules: everybody of a household is told of an event exactly once.

use serde_json::json;

use crate::events::{bill, door_opened, door_timed_out};
use crate::support::{LI, MIN, START, WANG, ZHAO, on_each_engine};

#[tokio::test]
async fn who_opened_a_door_reads_it_in_the_inbox_once() {
    on_each_engine(async |world| {
        world.browser(LI, "a").await;
        world.record(&door_opened("li")).await;
        let items = world.inbox(LI).await;
        assert_eq!(items.len(), 1);
        assert_eq!(items[0]["title"], "Door opened");
        assert!(items[0]["body"].as_str().unwrap().contains("north-gate"));
        assert!(world.context.courier.take().is_empty());
        world.tick().await;
        world.tick().await;
        assert_eq!(world.inbox(LI).await.len(), 1);
        assert!(world.inbox(MIN).await.is_empty());
        let person = world.get("/api/push/people/li").by(WANG).content().await;
        assert_eq!(person["last_active_at"], START.replace('Z', ".000Z"));
    })
    .await;
}

#[tokio::test]
async fn a_door_that_does_not_answer_is_told_of_once_in_ten_minutes() {
    const SAME_MS: i64 = 10 * 60 * 1_000;
    on_each_engine(async |mut world| {
        let start = world.context.now;
        for (opening, door) in [("o1", "north-gate"), ("o2", "north-gate"), ("o3", "lift")] {
            world.record(&door_timed_out(opening, door)).await;
        }
        world.tick().await;
        assert_eq!(world.inbox(LI).await.len(), 2, "one for each door");
        for (after_ms, told) in [(SAME_MS - 1, 2), (SAME_MS, 3), (2 * SAME_MS - 1, 3)] {
            world.context.now = start.plus_millis(after_ms);
            world
                .record(&door_timed_out(&format!("o{after_ms}"), "north-gate"))
                .await;
            world.tick().await;
            assert_eq!(world.inbox(LI).await.len(), told, "after {after_ms} ms");
        }
    })
    .await;
}

#[tokio::test]
async fn a_bill_is_told_to_the_household_and_to_no_other_in_its_own_words() {
    on_each_engine(async |world| {
        let template = json!({
            "id": "bill.published", "purpose": "service",
            "title": {"zh": "物业费账单", "en": "Bill"}, "body": {"zh": "{amount} 元", "en": "{amount} yuan"},
        });
        world
            .post("/api/push/templates")
            .by(WANG)
            .json(&template)
            .content()
            .await;
        world.browser(MIN, "b").await;
        world.record(&bill("r1")).await;
        world.tick().await;
        for person in [LI, MIN] {
            let items = world.inbox(person).await;
            assert_eq!(items.len(), 1, "{}", person.1);
            assert_eq!(items[0]["body"], "120.50 yuan");
            assert_eq!(items[0]["url"], "/bills/bill-1");
        }
        assert!(world.inbox(ZHAO).await.is_empty());
        assert_eq!(world.context.courier.take().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_alarm_is_told_to_the_whole_community_through_quiet_hours() {
    on_each_engine(async |mut world| {
        world.browser(ZHAO, "z").await;
        let quiet =
            json!({"language": "en", "quiet": {"from": "00:00", "until": "23:59", "then": "drop"}});
        world
            .put("/api/push/preferences")
            .by(ZHAO)
            .json(&quiet)
            .content()
            .await;
        world.record(&crate::events::door_opened("zhao")).await;
        let alarm = wire::event::DoorsReleased {
            community: crate::events::id("garden"),
            released: true,
            actor: crate::events::id("fire-panel"),
            reason: "2 号楼烟感".to_owned(),
        };
        world.record(&alarm).await;
        world.tick().await;
        let calls = world.context.courier.take();
        assert_eq!(calls.len(), 1);
        assert_eq!(crate::support::header(&calls[0], "urgency"), "high");
        assert_eq!(crate::support::read_push(&calls[0])["purpose"], "safety");
        assert_eq!(world.inbox(LI).await.len(), 1);
        // What is no alarm is dropped in those hours.
        world.record(&bill("r2")).await;
        world.tick().await;
        world.later(60_000);
        world.tick().await;
        assert!(world.context.courier.take().is_empty());
    })
    .await;
}
