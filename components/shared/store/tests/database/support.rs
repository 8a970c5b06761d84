//! What the tests share: databases with a table for effects, and moments.

use std::future::Future;

use kernel::{ActorId, CommunityId, DeviceId, EventId, TenantId, Timestamp};
use proptest::test_runner::{Config, TestRunner};
use store::testing::Database;
use store::{Db, Read, Tx, events};
use wire::event::DoorRegistered;

/// Runs a test on one thread; its tasks may hold what is not `Send`.
pub fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, test)
}

/// A migrated database on each engine there is.
pub async fn databases() -> Vec<Database> {
    store::testing::databases(&[(
        "probe",
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/migrations"),
    )])
    .await
}

pub fn tenant(name: &str) -> TenantId {
    TenantId::parse(name).unwrap()
}

pub fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap()
}

/// Waits for all of them, on one thread, in parallel.
pub async fn join<T: 'static>(
    tasks: impl IntoIterator<Item = impl Future<Output = T> + 'static>,
) -> Vec<T> {
    let handles: Vec<_> = tasks.into_iter().map(tokio::task::spawn_local).collect();
    let mut results = Vec::new();
    for handle in handles {
        results.push(handle.await.unwrap());
    }
    results
}

/// Appends an event named after its door.
pub async fn append(tx: &Tx, door: &str) -> anyhow::Result<i64> {
    let fact = DoorRegistered {
        door: DeviceId::parse(door)?,
        community: CommunityId::parse("garden")?,
        actor: ActorId::parse("li")?,
    };
    events::append(tx, &EventId::parse(door)?, at(0), &fact).await
}

/// Leaves an effect; a second one of that name is refused by the database.
pub async fn effect(tx: &Tx, name: &str) -> anyhow::Result<()> {
    let insert = "insert into probe_effect (tenant, name) values ($1, $2)";
    tx.execute(insert, &[tx.tenant().into(), name.into()]).await
}

/// The names of the effects of a tenant, in order.
pub async fn effects(db: &Db, tenant: &TenantId) -> Vec<String> {
    let select = "select name from probe_effect where tenant = $1 order by name";
    let rows = Read::rows(db, select, &[tenant.into()]).await.unwrap();
    rows.iter()
        .map(|row| row.text(0).unwrap().to_owned())
        .collect()
}

/// Each case makes databases of its own, which costs more than what is tried in it.
const CASES: u32 = 6;

pub fn runner() -> TestRunner {
    TestRunner::new(Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    })
}
