//! What functions send over MQTT, each attempt bounded in time, and the doorbell that wakes the consumers of events.
//!
//! A function sends after its commit and never inside of a transaction. Natively nothing is sent: what would have been
//! is kept for the tests to look at.

#[cfg(target_family = "wasm")]
mod guest;
#[cfg(not(target_family = "wasm"))]
mod native;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

#[cfg(target_family = "wasm")]
pub use guest::Outbox;
use kernel::{TenantId, Timestamp};
#[cfg(not(target_family = "wasm"))]
pub use native::Outbox;
use store::Db;
use trigger::Outcome;
use wire::Topic;

/// How long one publication may take, in milliseconds.
pub const PUBLISH_MS_MAX: u64 = 3_000;

/// How long ringing at one tenant's may take, in milliseconds: whoever asked for something waits for it.
pub const RING_MS_MAX: u64 = 500;

/// How long an instance pauses between rings at one tenant's for facts that nobody needs to hear of at once, in
/// milliseconds.
pub const RING_PAUSE_MS: i64 = 500;

/// The most tenants of which an instance knows when it rang; it forgets them all rather than to know of more.
const RUNG_TENANTS_MAX: usize = 256;

thread_local! {
    /// When this instance rang last at each tenant's.
    static RUNG: RefCell<BTreeMap<TenantId, Timestamp>> = const { RefCell::new(BTreeMap::new()) };
}

/// Rings at every tenant's in whose log this call has committed facts that other capabilities wait for: an empty
/// message on `linli/{tenant}/event`. For facts that nobody needs to hear of at once it is rung at most once in
/// [`RING_PAUSE_MS`]. Called once, when the work is done and nothing holds a lock. Ringing is not owed: without a
/// broker the consumers hear of the facts at their next heartbeat, or at the next ring.
pub async fn ring(db: &Db, outbox: &Outbox) {
    // A clock that cannot be read pauses nothing.
    ring_at(db, outbox, web::now().unwrap_or(Timestamp::EPOCH)).await;
}

async fn ring_at(db: &Db, outbox: &Outbox, now: Timestamp) {
    let mut due = db.take_news();
    let soon = db.take_soon_news();
    if due.is_empty() && soon.is_empty() {
        return;
    }
    due.extend(soon.into_iter().filter(|tenant| has_paused(tenant, now)));
    for tenant in due {
        let topic = Topic::Doorbell(tenant.clone()).to_string();
        let within = Duration::from_millis(RING_MS_MAX);
        has_rung(tenant, now);
        if let Err(error) = outbox.send(topic.clone(), Vec::new(), within).await {
            web::log("debug", "-", &format!("nobody heard {topic}: {error:#}"));
            // The broker is away: for the others it is no nearer.
            return;
        }
    }
}

/// Whether this instance has not rung there for a while. A clock that was set back ends the pause.
fn has_paused(tenant: &TenantId, now: Timestamp) -> bool {
    RUNG.with_borrow(|rung| {
        rung.get(tenant)
            .is_none_or(|at| !(0..RING_PAUSE_MS).contains(&(now.millis() - at.millis())))
    })
}

fn has_rung(tenant: TenantId, now: Timestamp) {
    RUNG.with_borrow_mut(|rung| {
        if rung.len() >= RUNG_TENANTS_MAX {
            rung.clear();
        }
        rung.insert(tenant, now);
    });
}

/// What a function says of a doorbell after it has looked what waits for it: always done. A ring is not owed, and one
/// tried again would hold up those that follow; what could not be handled is left to the heartbeat.
#[must_use]
pub fn woken(looked: anyhow::Result<()>) -> Outcome {
    if let Err(error) = looked {
        web::log(
            "warn",
            "-",
            &format!("the doorbell rang in vain: {error:#}"),
        );
    }
    Outcome::Done
}

#[cfg(test)]
mod tests {
    use kernel::{ActorId, EventId};
    use store::{events, tx};
    use wire::event::PersonErased;

    use super::*;

    #[tokio::test]
    async fn what_nobody_needs_at_once_rings_now_and_then() {
        let start = Timestamp::parse("2026-11-23T02:00:00Z").unwrap();
        for database in store::testing::databases(&[]).await {
            let (db, outbox) = (&database.db, Outbox::default());
            let tenant = TenantId::parse("demo").unwrap();
            RUNG.with_borrow_mut(BTreeMap::clear);
            for (after_ms, is_rung) in [
                (0, true),
                (1, false),
                (RING_PAUSE_MS - 1, false),
                (RING_PAUSE_MS, true),
                (2 * RING_PAUSE_MS - 1, false),
                // The clock was set back.
                (RING_PAUSE_MS - 1, true),
            ] {
                tx(db, &tenant, async |tx| {
                    let li = ActorId::parse("li")?;
                    let fact = PersonErased {
                        person: li.clone(),
                        actor: li,
                    };
                    let id = EventId::parse(&web::new_id(start)?)?;
                    let draft = events::Draft::of(id, &fact)?.soon();
                    events::append_drafts(tx, start, vec![draft]).await
                })
                .await
                .unwrap();
                ring_at(db, &outbox, start.plus_millis(after_ms)).await;
                let rung = !outbox.take_rung().is_empty();
                assert_eq!(rung, is_rung, "after {after_ms} ms");
            }
        }
    }
}
