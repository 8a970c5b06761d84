//! What the tests share: migrated databases, moments, money and postings.

use std::future::Future;

use kernel::{ActorId, CommunityId, Currency, Money, Refusal, RoomId, TenantId, Timestamp};
use ledger::{Account, Posted, Posting, Report};
use store::testing::Database;
use store::{Db, Value};

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
    store::testing::databases(&[("ledger", concat!(env!("CARGO_MANIFEST_DIR"), "/migrations"))])
        .await
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

pub fn tenant() -> TenantId {
    TenantId::parse("demo").unwrap()
}

/// 2027-01-15, 16:00 in Shanghai, and so many days later.
pub fn day(days: i64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + days * 86_400_000).unwrap()
}

pub fn fen(minor: i64) -> Money {
    Money::new(minor, Currency::Cny)
}

pub fn wallet(person: &str) -> Account {
    Account::resident_wallet(&ActorId::parse(person).unwrap())
}

pub fn receivable(room: &str) -> Account {
    Account::fee_receivable(&RoomId::parse(room).unwrap())
}

pub fn income() -> Account {
    Account::fee_income(&CommunityId::parse("garden").unwrap())
}

/// From one account to another.
pub fn moving(reference: &str, debit: Account, credit: Account, minor: i64) -> Posting {
    Posting::new("test", reference, day(0))
        .debit(debit, fen(minor))
        .credit(credit, fen(minor))
}

pub async fn post(db: &Db, posting: &Posting) -> anyhow::Result<Posted> {
    store::tx(db, &tenant(), async |tx| ledger::post(tx, posting).await).await
}

pub async fn post_many(db: &Db, postings: &[Posting]) -> anyhow::Result<Vec<Posted>> {
    store::tx(db, &tenant(), async |tx| {
        ledger::post_many(tx, postings).await
    })
    .await
}

/// What is posted on an account.
pub async fn posted(db: &Db, account: &Account) -> i64 {
    let balance = ledger::balance(db, &tenant(), account, Currency::Cny)
        .await
        .unwrap();
    balance.posted().minor()
}

/// What may be taken from an account.
pub async fn available(db: &Db, account: &Account) -> i64 {
    let balance = ledger::balance(db, &tenant(), account, Currency::Cny)
        .await
        .unwrap();
    balance.available().minor()
}

pub async fn verify(db: &Db) -> Report {
    ledger::verify(db, &tenant()).await.unwrap()
}

/// The code of the refusal that this ended with.
pub fn refused<T: std::fmt::Debug>(result: anyhow::Result<T>) -> &'static str {
    let error = result.unwrap_err();
    match error.downcast_ref::<Refusal>() {
        Some(refusal) => refusal.code,
        None => panic!("no refusal: {error:#}"),
    }
}

/// Changes a row behind the ledger's back.
pub async fn tamper(db: &Db, sql: &str) {
    db.rows(sql, &[] as &[Value]).await.unwrap();
}
