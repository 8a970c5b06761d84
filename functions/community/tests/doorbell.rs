//! The doorbell: heard at once, rung when that makes new facts that others await, and then still.

use community::mqtt::receive;
use kernel::{ActorId, EventId, TenantId};
use serde_json::json;
use trigger::Outcome;
use wire::event::PersonAliased;

use crate::support::{CHEN, World, on_each_engine};

fn demo() -> TenantId {
    TenantId::parse("demo").unwrap()
}

/// Identity says that the entry and the account are one person.
async fn aliased(world: &World, alias: &str, person: &str) {
    let context = &world.context;
    let fact = PersonAliased {
        alias: ActorId::parse(alias).unwrap(),
        person: ActorId::parse(person).unwrap(),
    };
    store::tx(&context.db, &demo(), async |tx| {
        let id: EventId = context.new_id()?;
        store::events::append(tx, &id, context.now, &fact).await
    })
    .await
    .unwrap();
    let _ = context.db.take_news();
}

#[tokio::test]
async fn who_is_bound_rings_and_who_is_renamed_rings_on_and_then_it_is_still() {
    on_each_engine(async |world| {
        let outbox = &world.context.outbox;
        let house = world.house().await;
        let li = world.resident("李雷", "13800138000").await;
        let _ = outbox.take_rung();
        world.bound(&li, &house.room, "owner").await;
        assert_eq!(outbox.take_rung(), [demo()], "others wait for bindings");
        aliased(&world, &li, "account-of-li").await;
        assert_eq!(
            receive(&world.context, "linli/demo/event").await,
            Outcome::Done
        );
        assert_eq!(outbox.take_rung(), [demo()], "the binding is another's now");
        for _ in 0..3 {
            assert_eq!(
                receive(&world.context, "linli/demo/event").await,
                Outcome::Done
            );
            assert!(outbox.take_rung().is_empty());
        }
    })
    .await;
}

#[tokio::test]
async fn what_nobody_waits_for_does_not_ring() {
    on_each_engine(async |world| {
        let _ = world.context.outbox.take_rung();
        world
            .post("/api/communities/garden/buildings")
            .by(CHEN)
            .json(&json!({"name": "9栋"}))
            .content()
            .await;
        assert!(world.context.outbox.take_rung().is_empty());
        let outcome = receive(&world.context, "linli/demo/door/d1/event").await;
        assert!(matches!(outcome, Outcome::Reject(_)));
    })
    .await;
}
