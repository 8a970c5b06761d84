//! Retained messages: in memory for reading, on disk before they are acknowledged.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use rmqtt::{
    Result,
    retain::{DefaultRetainStorage, RetainStorage},
    types::{NodeId, Retain, TopicFilter, TopicName},
};

use super::{
    Shelf,
    journal::{Change, StoredMessage},
    messages,
};

/// The most retained messages; further topics are refused and counted.
pub const RETAINED_MAX: isize = 100_000;

/// The store that the broker asks.
pub(super) struct Retained {
    memory: DefaultRetainStorage,
    shelf: Arc<Shelf>,
    /// So that memory and disk see the changes of a topic in the same order.
    order: tokio::sync::Mutex<()>,
}

impl Retained {
    /// With what was on disk.
    pub(super) async fn restore(
        shelf: Arc<Shelf>,
        node: NodeId,
        found: &[(StoredMessage, Option<i64>)],
    ) -> Result<Self> {
        let memory = DefaultRetainStorage::new();
        let now = messages::now();
        for (message, expires_at) in found {
            let left = expires_at.map(|at| u64::try_from(at - now).unwrap_or(0));
            if left == Some(0) {
                shelf.journal.later(Change::Forget(message.topic.clone()));
                continue;
            }
            let publish = messages::publish(message);
            let retain = Retain {
                msg_id: None,
                from: messages::from(node, message),
                publish,
            };
            let topic = TopicName::from(message.topic.as_str());
            memory
                .set_with_timeout(&topic, retain, left.map(Duration::from_millis))
                .await?;
        }
        Ok(Self {
            memory,
            shelf,
            order: tokio::sync::Mutex::default(),
        })
    }
}

#[async_trait]
impl RetainStorage for Retained {
    fn enable(&self) -> bool {
        true
    }

    async fn set(&self, topic: &TopicName, retain: Retain, _: Option<Duration>) -> Result<()> {
        // The given expiry is the listener's, for queued messages; a retained message lives until it is replaced,
        // unless its publisher says otherwise.
        let properties = retain.publish.properties.as_ref();
        let expiry = properties.and_then(|properties| properties.message_expiry_interval);
        let expiry = expiry.map(|seconds| Duration::from_secs(seconds.get().into()));
        let change = if retain.publish.payload.is_empty() {
            Change::Forget(topic.to_string())
        } else if self.memory.count().await >= RETAINED_MAX
            && self.memory.get_message(topic).await?.is_empty()
        {
            self.memory.remove_expired_messages().await;
            self.shelf
                .counts
                .messages_dropped
                .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            tracing::error!(%topic, limit = RETAINED_MAX, "MQTT: too many retained messages, this one is not kept");
            return Ok(());
        } else {
            let message = messages::stored(&retain.from.id, &retain.publish, messages::now());
            let expires_at = expiry.map(|expiry| {
                messages::now()
                    .saturating_add(i64::try_from(expiry.as_millis()).unwrap_or(i64::MAX))
            });
            Change::Retain(message, expires_at)
        };
        let committed = {
            let _in_order = self.order.lock().await;
            self.memory.set_with_timeout(topic, retain, expiry).await?;
            self.shelf.journal.commit(change)
        };
        committed.await;
        Ok(())
    }

    async fn get(&self, filter: &TopicFilter) -> Result<Vec<(TopicName, Retain)>> {
        self.memory.get_message(filter).await
    }

    async fn count(&self) -> isize {
        self.memory.count().await
    }

    async fn max(&self) -> isize {
        RETAINED_MAX
    }
}
