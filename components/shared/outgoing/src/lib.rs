//! What functions send over MQTT, each attempt bounded in time, and the doorbell that wakes the consumers of events.
//!
//! A function sends after its commit and never inside of a transaction. Natively nothing is sent: what would have been
//! is kept for the tests to look at.

#[cfg(target_family = "wasm")]
mod guest;
#[cfg(not(target_family = "wasm"))]
mod native;

use std::time::Duration;

#[cfg(target_family = "wasm")]
pub use guest::Outbox;
#[cfg(not(target_family = "wasm"))]
pub use native::Outbox;
use store::Db;
use trigger::Outcome;
use wire::Topic;

/// How long one publication may take, in milliseconds.
pub const PUBLISH_MS_MAX: u64 = 3_000;

/// How long ringing at one tenant's may take, in milliseconds: whoever asked for something waits for it.
pub const RING_MS_MAX: u64 = 500;

/// Rings at every tenant's in whose log this call has committed facts that other capabilities wait for: an empty
/// message on `linli/{tenant}/event`. Called once, when the work is done and nothing holds a lock. Ringing is not
/// owed: without a broker the consumers hear of the facts at their next heartbeat.
pub async fn ring(db: &Db, outbox: &Outbox) {
    for tenant in db.take_news() {
        let topic = Topic::Doorbell(tenant).to_string();
        let within = Duration::from_millis(RING_MS_MAX);
        if let Err(error) = outbox.send(topic.clone(), Vec::new(), within).await {
            web::log("debug", "-", &format!("nobody heard {topic}: {error:#}"));
            // The broker is away: for the others it is no nearer.
            return;
        }
    }
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
