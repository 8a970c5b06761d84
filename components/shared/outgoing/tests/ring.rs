//! The doorbell: rung after the commit, once for each tenant, and not owed.

use kernel::{ActorId, EventId, TenantId, Timestamp};
use outgoing::{Outbox, RING_PAUSE_MS, ring};
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

#[tokio::test]
async fn what_nobody_needs_at_once_rings_now_and_then() {
    for database in store::testing::databases(&[]).await {
        let (db, outbox) = (&database.db, Outbox::default());
        let tenant = TenantId::parse(&format!("soon-{}", std::process::id())).unwrap();
        let record = async |id: &str| {
            tx(db, &tenant, async |tx| {
                let fact = PersonErased {
                    person: ActorId::parse("li").unwrap(),
                    actor: ActorId::parse("li").unwrap(),
                };
                let draft = events::Draft::of(EventId::parse(id)?, &fact)?.unhurried();
                events::append_drafts(tx, Timestamp::EPOCH, vec![draft]).await
            })
            .await
            .unwrap();
            ring(db, &outbox).await;
            outbox.take_rung().len()
        };
        let pause = std::time::Duration::from_millis(u64::try_from(RING_PAUSE_MS).unwrap() + 50);
        tokio::time::sleep(pause).await;
        assert_eq!(record("a").await, 1);
        assert_eq!(record("b").await, 0);
        tokio::time::sleep(pause).await;
        assert_eq!(record("c").await, 1);
    }
}
