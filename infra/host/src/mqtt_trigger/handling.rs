//! What happens to one message: each function that wants it, tries, and quarantine.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use tokio::sync::Semaphore;

use super::{Counts, Invoke, PAYLOAD_BYTES_MAX, REJECT_PREFIX, TRIES_MAX, Trigger};
use crate::quarantine::{Quarantine, Rejected};

/// How often the quarantine is asked again when its disk fails.
const QUARANTINE_RETRY: Duration = Duration::from_secs(1);

/// Everything needed to handle messages.
pub(super) struct Handling {
    pub(super) triggers: Arc<[Trigger]>,
    pub(super) invoke: Invoke,
    pub(super) quarantine: Arc<Quarantine>,
    pub(super) counts: Arc<Counts>,
    pub(super) pauses: (Duration, Duration),
    pub(super) slots: Arc<Semaphore>,
}

impl Handling {
    /// Returns when the message is with every function that wants it, or in quarantine: it may be acknowledged.
    pub(super) async fn handle(&self, topic: &str, payload: &Bytes) {
        let components = self.components(topic);
        if components.is_empty() {
            // The broker still has a subscription of an earlier manifest.
            tracing::warn!(
                topic,
                "MQTT trigger: no function wants this message any more"
            );
        }
        for component in components {
            if payload.len() > PAYLOAD_BYTES_MAX {
                let reason = format!("larger than {PAYLOAD_BYTES_MAX} bytes, kept without its end");
                self.put_aside(
                    component,
                    topic,
                    payload.slice(..PAYLOAD_BYTES_MAX),
                    reason,
                    0,
                )
                .await;
            } else if let Err((reason, tries)) = self.call(&component, topic, payload).await {
                self.put_aside(component, topic, payload.clone(), reason, tries)
                    .await;
            }
        }
    }

    /// The components whose filters match, each once, in the manifest's order.
    pub(super) fn components(&self, topic: &str) -> Vec<Arc<str>> {
        let mut found: Vec<Arc<str>> = Vec::new();
        for trigger in self.triggers.iter() {
            let matches = rumqttc::mqttbytes::matches(topic, plain_filter(&trigger.filter));
            if matches && !found.contains(&trigger.component) {
                found.push(trigger.component.clone());
            }
        }
        found
    }

    /// Tries until it succeeds, is rejected, or has failed too often. A slot is held only while a function runs.
    async fn call(
        &self,
        component: &Arc<str>,
        topic: &str,
        payload: &Bytes,
    ) -> Result<(), (String, u32)> {
        let mut pause = self.pauses.0;
        let mut tries = 0;
        loop {
            tries += 1;
            let outcome = {
                let _slot = self.slots.acquire().await;
                (self.invoke)(component.clone(), topic.to_owned(), payload.clone()).await
            };
            let reason = match outcome {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(reason)) if reason.trim_start().starts_with(REJECT_PREFIX) => {
                    return Err((reason, tries));
                }
                Ok(Err(reason)) => reason,
                Err(error) => format!("{error:#}"),
            };
            if tries >= TRIES_MAX {
                return Err((reason, tries));
            }
            tracing::warn!(%component, topic, tries, reason, "a message failed and is tried again");
            self.counts.retried.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(self.pauses.1);
        }
    }

    /// Does not return before the quarantine has it on disk.
    async fn put_aside(
        &self,
        component: Arc<str>,
        topic: &str,
        payload: Bytes,
        reason: String,
        tries: u32,
    ) {
        tracing::error!(%component, topic, tries, reason, "a message goes to quarantine");
        let rejected = Rejected {
            component,
            topic: topic.to_owned(),
            payload,
            reason,
            tries,
        };
        while let Err(error) = self.quarantine.put(rejected.clone()).await {
            tracing::error!(
                error = format!("{error:#}"),
                topic,
                "the quarantine cannot be written; waiting"
            );
            tokio::time::sleep(QUARANTINE_RETRY).await;
        }
        self.counts.quarantined.fetch_add(1, Ordering::Relaxed);
    }
}

/// The filter without `$share/{group}/`.
pub(super) fn plain_filter(filter: &str) -> &str {
    filter
        .strip_prefix("$share/")
        .and_then(|shared| shared.split_once('/'))
        .map_or(filter, |(_, plain)| plain)
}
