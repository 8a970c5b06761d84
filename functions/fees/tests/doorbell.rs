//! The doorbell: what another capability recorded is heard at once, and nothing new rings nobody.

use fees::inbox::CONSUMER;
use fees::mqtt::receive;
use serde_json::json;
use store::events::is_waiting;
use trigger::Outcome;

use crate::support::{LI, demo, on_each_engine};

#[tokio::test]
async fn a_ring_is_heard_at_once_and_nothing_new_rings_nobody() {
    on_each_engine(async |world| {
        let context = &world.context;
        world.room("r104", 4_000).await;
        let waits = async || is_waiting(&context.db, &demo(), CONSUMER.name).await;
        assert!(waits().await.unwrap());
        let _ = (context.db.take_news(), context.outbox.take_rung());
        assert_eq!(receive(context, "linli/demo/event").await, Outcome::Done);
        assert!(!waits().await.unwrap());
        assert!(context.outbox.take_rung().is_empty());
        let outcome = receive(context, "linli/demo/door/d1/event").await;
        assert!(matches!(outcome, Outcome::Reject(_)));
    })
    .await;
}

/// Who has to pay is told with the next heartbeat: a month's bills wake nobody.
#[tokio::test]
async fn a_months_bills_ring_nobody() {
    on_each_engine(async |world| {
        world
            .rule("物业费", json!({"kind": "area", "price": 28_000}))
            .await;
        let _ = world.context.outbox.take_rung();
        world.published("2026-10").await;
        assert!(!world.bills(LI, "?state=published").await.is_empty());
        assert_eq!(world.context.outbox.take_rung(), []);
    })
    .await;
}
