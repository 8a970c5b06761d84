//! A hundred thousand grants in one community: decisions stay look-ups, and a snapshot stays quick to build.

use std::time::Instant;

use kernel::TenantId;
use serde_json::json;
use store::Value;

use crate::access::gates;
use crate::support::{CHEN, DEVICE, World, ZHAO, on_each_engine};

const PEOPLE: usize = 100_000;
const AT_ONCE: usize = 500;

/// People with a grant for the north gate and a home in the garden, put into the tables at once.
async fn fill(world: &World) {
    let tenant = TenantId::parse("demo").unwrap();
    let people: Vec<usize> = (0..PEOPLE).collect();
    store::tx(&world.context.db, &tenant, async |tx| {
        for some in people.chunks(AT_ONCE) {
            let rows = |row: &dyn Fn(usize) -> String| {
                some.iter().map(|n| row(*n)).collect::<Vec<_>>().join(", ")
            };
            let grants = rows(&|n| {
                format!("('demo', 'g{n}', 'north', 'p{n}', 1, null, 'active', null, null, null, 1)")
            });
            tx.execute(&format!("insert into doors_grant (tenant, id, door, person, valid_from, valid_until, state, state_reason, state_by, state_at, version) values {grants}"), &[]).await?;
            let members = rows(&|n| {
                let (building, unit) = (n / 1_000, n % 4);
                format!("('demo', 'm{n}', 'p{n}', 'garden', 'b{building}', 'u{unit}', 'r{}', 'owner', 1, null)", n / 3)
            });
            tx.execute(&format!("insert into doors_member (tenant, binding, person, community, building, unit, room, role, starts_at, ends_at) values {members}"), &[]).await?;
        }
        tx.execute("update doors_gateway set changes = changes + 1", &[] as &[Value]).await
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_hundred_thousand_grants_neither_slow_a_decision_nor_break_the_snapshot() {
    // Both engines build the same; one is enough to measure.
    let measured = std::cell::Cell::new(false);
    on_each_engine(async |mut world| {
        if measured.replace(true) {
            return;
        }
        gates(&world, json!({})).await;
        fill(&world).await;
        let mut took = Vec::new();
        for n in 0..100 {
            let id: &'static str = Box::leak(format!("p{}", n * 997).into_boxed_str());
            let person =
                crate::support::Person(kernel::ActorKind::Resident, id, "demo", &["garden"], &[]);
            let start = Instant::now();
            let reply = world
                .post("/api/doors/north/openings")
                .by(person)
                .reply()
                .await;
            took.push(start.elapsed());
            assert_eq!(reply.status, 202);
        }
        took.sort();
        println!(
            "measured: a decision about a door among {PEOPLE} grants: p50 {:?}, p99 {:?}",
            took[50], took[98]
        );
        world
            .post("/api/doors/north/openings")
            .by(ZHAO)
            .refused(403, "no_grant")
            .await;
        world
            .post("/api/doors/north/openings")
            .by(CHEN)
            .refused(422, "reason_required")
            .await;

        world.pass_ms(1_000);
        let start = Instant::now();
        let reply = world
            .get("/api/gateways/gateway-1/snapshot")
            .by(DEVICE)
            .reply()
            .await;
        println!(
            "measured: a snapshot of {PEOPLE} people: {:?}, {} bytes",
            start.elapsed(),
            reply.body.len()
        );
        assert_eq!(reply.status, 200);
        let keys = [wire::pass::PassKey::of_seed(&world.context.pass_seed)];
        let snapshot = wire::snapshot::verify(&reply.body, &keys).unwrap();
        // Li, who has a grant and no home, is there as well.
        assert_eq!(snapshot.members.len(), PEOPLE + 1);
        let members = snapshot.members.iter();
        let at_home =
            members.filter(|member| member.belongs.len() == 1 && member.grants.len() == 1);
        assert_eq!(at_home.count(), PEOPLE);
    })
    .await;
}
