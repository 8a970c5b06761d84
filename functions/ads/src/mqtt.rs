//! The doorbell: another capability has recorded something that this one waits for.

use trigger::Outcome;
use wire::Topic;

use crate::context::Context;
use crate::inbox;

/// The MQTT trigger.
#[cfg(target_family = "wasm")]
pub async fn on_message(topic: &str, _payload: Vec<u8>) -> Outcome {
    match Context::open().await {
        Ok(context) => receive(&context, topic).await,
        Err(error) => Outcome::Retry(format!("{error:#}")),
    }
}

/// Hears what waits for the tenant whose doorbell rang.
pub async fn receive(context: &Context, topic: &str) -> Outcome {
    let Ok(Topic::Doorbell(tenant)) = Topic::parse(topic) else {
        return Outcome::Reject(format!("{topic:?} is no doorbell"));
    };
    let outcome = outgoing::woken(inbox::catch_up(context, &tenant).await.map(drop));
    outgoing::ring(&context.db, &context.outbox).await;
    outcome
}
