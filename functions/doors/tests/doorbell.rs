//! The doorbell: who moves in opens doors at once, and asking for a door rings nowhere.

use kernel::{EventId, TenantId};
use serde_json::json;
use trigger::Outcome;

use crate::access::{bound, gates};
use crate::support::{LI, World, ZHAO, on_each_engine};

/// Zhao moves in, in another capability.
async fn zhao_moves_in(world: &World) {
    let (db, now) = (&world.context.db, world.context.now);
    let tenant = TenantId::parse("demo").unwrap();
    store::tx(db, &tenant, async |tx| {
        let id = EventId::parse(&web::new_id(now)?)?;
        store::events::append(tx, &id, now, &bound("zhao", "u1", "101", now)).await
    })
    .await
    .unwrap();
    let _ = (db.take_news(), world.context.outbox.take_rung());
}

#[tokio::test]
async fn a_ring_lets_in_who_moved_in_and_rings_nowhere_else() {
    on_each_engine(async |world| {
        gates(&world, json!({})).await;
        world
            .post("/api/doors/north/openings")
            .by(ZHAO)
            .refused(403, "no_grant")
            .await;
        zhao_moves_in(&world).await;
        assert_eq!(world.receive("linli/demo/event", b"").await, Outcome::Done);
        let opening = world.post("/api/doors/north/openings").by(ZHAO).content();
        assert_eq!(opening.await["state"], "requested");
        assert_eq!(world.receive("linli/demo/event", b"").await, Outcome::Done);
        assert!(world.context.outbox.take_rung().is_empty());
    })
    .await;
}

#[tokio::test]
async fn neither_asking_for_a_door_nor_what_became_of_it_hurries_anybody() {
    on_each_engine(async |world| {
        let opening = world.opening_of_li().await;
        assert!(world.context.outbox.take_rung().is_empty());
        let opened = wire::door::Outcome::Opened;
        assert_eq!(
            world.answer("gateway-1", &opening, opened).await,
            Outcome::Done
        );
        let shown = world
            .get(&format!("/api/doors/north/openings/{opening}"))
            .by(LI);
        assert_eq!(shown.content().await["state"], "opened");
        assert!(world.context.outbox.take_rung().is_empty());
    })
    .await;
}
