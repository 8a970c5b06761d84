//! What is held of people: joined when two ids were one person all along, gone when they asked to be forgotten.

use serde_json::json;
use wire::event::{PersonAliased, PersonErased};

use crate::events::{bill, consented, id};
use crate::support::{LI, MIN, WANG, on_each_engine};

#[tokio::test]
async fn two_ids_of_one_person_are_told_once_and_a_withdrawal_stays_one() {
    on_each_engine(async |mut world| {
        world.record(&consented("li", "marketing", true)).await;
        world.tick().await;
        world.later(1_000);
        world.record(&consented("min", "marketing", false)).await;
        world.browser(MIN, "b").await;
        let aliased = PersonAliased {
            alias: id("min"),
            person: id("li"),
        };
        world.record(&aliased).await;
        world.tick().await;
        world.record(&bill("r1")).await;
        world.tick().await;
        assert_eq!(world.inbox(LI).await.len(), 1);
        assert_eq!(world.context.courier.take().len(), 1);
        let devices = world.get("/api/push/devices").by(LI).content().await;
        assert_eq!(devices["items"].as_array().unwrap().len(), 1);
        let list = world.get("/api/push/consents").by(LI).content().await;
        assert_eq!(list["items"][2]["channels"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn a_forgotten_person_is_told_nothing_and_nothing_is_known_of_them() {
    on_each_engine(async |world| {
        world.browser(LI, "a").await;
        world.record(&bill("r1")).await;
        world.tick().await;
        let _ = world.context.courier.take();
        let erased = PersonErased {
            person: id("li"),
            actor: id("wang"),
        };
        world.record(&erased).await;
        world.tick().await;
        world
            .get("/api/push/people/li")
            .by(WANG)
            .refused(404, "push_person_unknown")
            .await;
        world.record(&bill("r1")).await;
        world.tick().await;
        assert!(world.context.courier.take().is_empty());
        assert!(world.inbox(LI).await.is_empty());
        assert_eq!(world.inbox(MIN).await.len(), 2);
    })
    .await;
}
