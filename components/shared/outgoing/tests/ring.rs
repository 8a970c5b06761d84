//! The doorbell: rung after the commit, once for each tenant, and not owed.

use kernel::{ActorId, EventId, TenantId, Timestamp};
use outgoing::{Outbox, ring};
use store::{Db, events, tx};
use wire::event::PersonErased;

async fn record(db: &Db, tenant: &str, id: &str) {
    let tenant = TenantId::parse(tenant).unwrap();
    tx(db, &tenant, async |tx| {
        let fact = PersonErased {
            person: ActorId::parse("li").unwrap(),
            actor: ActorId::parse("li").unwrap(),
        };
        events::append(tx, &EventId::parse(id)?, Timestamp::EPOCH, &fact).await
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn the_doorbell_rings_once_at_each_tenants_and_is_then_still() {
    for database in store::testing::databases(&[]).await {
        let outbox = Outbox::default();
        for (tenant, id) in [("demo", "a"), ("other", "b"), ("demo", "c")] {
            record(&database.db, tenant, id).await;
        }
        ring(&database.db, &outbox).await;
        let rung: Vec<String> = outbox.take_rung().iter().map(ToString::to_string).collect();
        assert_eq!(rung, ["demo", "other"]);
        ring(&database.db, &outbox).await;
        assert!(outbox.take_rung().is_empty());
    }
}

#[tokio::test]
async fn without_a_broker_nothing_fails_and_nothing_is_rung_later() {
    for database in store::testing::databases(&[]).await {
        let mut outbox = Outbox::default();
        outbox.broken = true;
        record(&database.db, "demo", "a").await;
        ring(&database.db, &outbox).await;
        outbox.broken = false;
        ring(&database.db, &outbox).await;
        assert!(outbox.take_rung().is_empty());
    }
}
