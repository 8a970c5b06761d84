//! The doorbell: what another capability recorded is heard at once, and nothing new rings nobody.

use bidding::inbox::CONSUMER;
use bidding::mqtt::receive;
use store::events::is_waiting;
use trigger::Outcome;

use crate::events::merchant_changed;
use crate::support::{demo, on_each_engine};

#[tokio::test]
async fn a_ring_is_heard_at_once_and_nothing_new_rings_nobody() {
    on_each_engine(async |world| {
        let context = &world.context;
        world.tick().await;
        world.record(&merchant_changed("m1", "mei", 2)).await;
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
