//! The doorbell: heard at once, rung when that makes new facts that others await, and then still.

use kernel::TenantId;
use serde_json::json;
use trigger::Outcome;
use visitors::mqtt::receive;

use crate::support::{LI, on_each_engine};

#[tokio::test]
async fn a_ring_is_handled_at_once_and_rings_on_only_while_there_is_something_new() {
    on_each_engine(async |world| {
        let context = &world.context;
        let _ = context.outbox.take_rung();
        let ask = json!({"room": "r101", "visitor": {"name": "周", "phone": "13800138000"}, "uses_max": 1});
        let visit = world.post("/api/visits").by(LI).json(&ask).content().await;
        assert_eq!(context.outbox.take_rung(), [TenantId::parse("demo").unwrap()], "gates wait for passes");
        let fact = world.last_fact("visit.approved").await;
        world.use_pass(fact["pass"].as_str().unwrap(), context.now).await;
        let _ = context.db.take_news();
        assert_eq!(receive(context, "linli/demo/event").await, Outcome::Done);
        let visit = world.visit(visit["id"].as_str().unwrap()).await;
        assert_eq!((&visit["approval"]["uses"], context.outbox.take_rung().len()), (&json!(1), 1), "the household is told");
        world.record(&wire::event::BindingEnded {
            binding: kernel::BindingId::parse("zhao-r102").unwrap(),
            person: kernel::ActorId::parse("zhao").unwrap(),
            community: kernel::CommunityId::parse("garden").unwrap(),
            until: Some(context.now),
            actor: kernel::ActorId::parse("wang").unwrap(),
        })
        .await;
        let _ = context.db.take_news();
        for _ in 0..3 {
            assert_eq!(receive(context, "linli/demo/event").await, Outcome::Done);
            assert!(context.outbox.take_rung().is_empty());
        }
        let outcome = receive(context, "linli/demo/door/d1/event").await;
        assert!(matches!(outcome, Outcome::Reject(_)));
    })
    .await;
}
