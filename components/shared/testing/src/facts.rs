//! What is recorded in the log of the tenant `demo`.

use kernel::{EventId, TenantId, Timestamp};
use serde_json::Value;
use store::Db;
use store::events::Recorded;
use wire::event::Event;

/// How many facts are read at once.
const PAGE_EVENTS: usize = 200;

fn demo() -> TenantId {
    TenantId::parse("demo").unwrap()
}

/// Appends what another capability recorded.
///
/// # Panics
/// When it cannot be.
pub async fn record<Fact: Event>(db: &Db, now: Timestamp, fact: &Fact) {
    let id = web::new_id(now).unwrap();
    store::tx(db, &demo(), async |tx| {
        store::events::append(tx, &EventId::parse(&id)?, now, fact).await
    })
    .await
    .unwrap();
}

/// The kinds of all facts, in order.
pub async fn kinds(db: &Db) -> Vec<String> {
    all(db).await.into_iter().map(|fact| fact.kind).collect()
}

/// The data of all facts of a kind, in order.
pub async fn data_of(db: &Db, kind: &str) -> Vec<Value> {
    let facts = all(db).await.into_iter();
    facts
        .filter(|fact| fact.kind == kind)
        .map(|fact| fact.data)
        .collect()
}

/// The data of the latest fact of a kind.
///
/// # Panics
/// When there is none.
pub async fn last(db: &Db, kind: &str) -> Value {
    let found = data_of(db, kind).await.pop();
    found.unwrap_or_else(|| panic!("no {kind}"))
}

async fn all(db: &Db) -> Vec<Recorded> {
    let mut facts: Vec<Recorded> = Vec::new();
    loop {
        let seen = facts.last().map_or(0, |fact| fact.seq);
        let page = store::events::page(db, &demo(), seen, PAGE_EVENTS).await;
        let page = page.unwrap();
        if page.is_empty() {
            return facts;
        }
        facts.extend(page);
    }
}
