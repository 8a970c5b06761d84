//! The doorbell: another capability has recorded something that people are to be told of, or push itself has a message.

use trigger::Outcome;
use wire::Topic;

use crate::context::Context;
use crate::{cron, inbox};

/// The MQTT trigger.
#[cfg(target_family = "wasm")]
pub async fn on_message(topic: &str, _payload: Vec<u8>) -> Outcome {
    match Context::open().await {
        Ok(context) => receive(&context, topic).await,
        Err(error) => Outcome::Retry(format!("{error:#}")),
    }
}

/// Hears what waits for the tenant whose doorbell rang, and tells at once what is to be told.
pub async fn receive(context: &Context, topic: &str) -> Outcome {
    let Ok(Topic::Doorbell(tenant)) = Topic::parse(topic) else {
        return Outcome::Reject(format!("{topic:?} is no doorbell"));
    };
    let outcome = outgoing::woken(woken(context, &tenant).await);
    outgoing::ring(&context.db, &context.outbox).await;
    outcome
}

async fn woken(context: &Context, tenant: &kernel::TenantId) -> anyhow::Result<()> {
    if inbox::catch_up(context, tenant).await? {
        cron::tell(context).await?;
    }
    Ok(())
}
