//! The doorbell: what identity registers is known at once.

use kernel::{ActorId, DeviceId, TenantId};
use trigger::Outcome;
use wire::DeviceKind;
use wire::event::DeviceRegistered;

use crate::support::{WANG, on_each_engine};

#[tokio::test]
async fn a_ring_makes_a_registered_gateway_known_and_does_not_ring_on() {
    on_each_engine(async |world| {
        world
            .record(&DeviceRegistered {
                device: DeviceId::parse("gateway-9").unwrap(),
                kind: DeviceKind::Gateway,
                actor: ActorId::parse("wang").unwrap(),
            })
            .await;
        let _ = world.context.db.take_news();
        let _ = world.context.outbox.take_rung();
        assert_eq!(world.receive("linli/demo/event", b"").await, Outcome::Done);
        let (db, demo) = (&world.context.db, TenantId::parse("demo").unwrap());
        assert!(
            !store::events::is_waiting(db, &demo, "devices")
                .await
                .unwrap()
        );
        world
            .get("/api/gateways/gateway-9")
            .by(WANG)
            .content()
            .await;
        assert!(world.context.outbox.take_rung().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_gateway_that_goes_rings_for_the_doors() {
    on_each_engine(async |world| {
        world.state(true).await;
        let _ = world.context.outbox.take_rung();
        world.state(false).await;
        assert_eq!(
            world.context.outbox.take_rung(),
            [TenantId::parse("demo").unwrap()]
        );
        world.health(0, true).await;
        let _ = world.context.outbox.take_rung();
        world.health(0, true).await;
        assert!(
            world.context.outbox.take_rung().is_empty(),
            "a heartbeat is no news"
        );
    })
    .await;
}
