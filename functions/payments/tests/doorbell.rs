//! The doorbell: heard at once, rung when money comes that others wait for, and then still.

use kernel::TenantId;
use payments::mqtt::receive;
use trigger::Outcome;

use crate::support::on_each_engine;

#[tokio::test]
async fn a_ring_takes_up_what_was_asked_and_money_rings_on() {
    on_each_engine(async |world| {
        let context = &world.context;
        world.asked("p1", 100).await;
        let _ = context.db.take_news();
        assert_eq!(receive(context, "linli/demo/event").await, Outcome::Done);
        assert!(context.outbox.take_rung().is_empty());
        world.started("p1").await;
        assert!(context.outbox.take_rung().is_empty());
        world.pays("p1").await;
        assert_eq!(
            context.outbox.take_rung(),
            [TenantId::parse("demo").unwrap()]
        );
        let outcome = receive(context, "linli/demo/door/d1/event").await;
        assert!(matches!(outcome, Outcome::Reject(_)));
    })
    .await;
}
