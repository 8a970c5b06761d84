//! The doorbell: what another capability recorded is told at once, and nothing new rings nobody.

use push::inbox::CONSUMER;
use push::mqtt::receive;
use store::events::concerns;
use trigger::Outcome;

use crate::events::visit_requested;
use crate::support::{LI, demo, on_each_engine};

#[tokio::test]
async fn a_ring_tells_people_at_once() {
    on_each_engine(async |world| {
        let context = &world.context;
        world.browser(LI, "a").await;
        world.record(&visit_requested("li")).await;
        let waits = async || concerns(&context.db, &demo(), CONSUMER).await;
        assert!(waits().await.unwrap());
        assert_eq!(receive(context, "linli/demo/event").await, Outcome::Done);
        assert_eq!(context.courier.take().len(), 1);
        // What push itself recorded by that wakes it once more, and then nothing does.
        assert_eq!(receive(context, "linli/demo/event").await, Outcome::Done);
        assert!(!waits().await.unwrap());
        let _ = (context.db.take_news(), context.outbox.take_rung());
        assert_eq!(receive(context, "linli/demo/event").await, Outcome::Done);
        assert!(context.outbox.take_rung().is_empty());
        assert_eq!(world.inbox(LI).await.len(), 1);
        let outcome = receive(context, "linli/demo/door/d1/event").await;
        assert!(matches!(outcome, Outcome::Reject(_)));
    })
    .await;
}
