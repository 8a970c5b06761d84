//! Routing with a memory: before a message is handed to its subscribers, it is stored for those whose session
//! outlives their connection. The publisher is acknowledged after that.
//!
//! It wraps the broker's own routing and changes two things in it: messages are stored first; and a message whose
//! subscriber is just being taken over by a new connection waits for that connection (see `handover`).

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use rmqtt::{
    Result,
    context::ServerContext,
    session::Session,
    shared::{DefaultShared, Entry, MessageLoadCallback, RetainLoadCallback, Shared},
    types::{
        ClientId, ForwardedCount, ForwardedRecipients, From, Id, Message, MsgID, NodeId, Publish,
        QoS, Reason, SessionStatus, SharedGroup, SubRelation, SubRelations, SubRelationsMap,
        SubsSearchParams, SubsSearchResult, SubscriptionOptions, To, TopicFilter,
    },
};
use tokio::time::Instant;

use super::{
    Shelf,
    handover::DurableEntry,
    journal::{Change, QueuedMessage},
    messages,
};

/// How long a message waits for the connection that takes its subscriber's session over.
const TAKE_OVER_MAX: Duration = Duration::from_secs(10);
/// How long a publisher waits for a connected subscriber whose queue is nearly full, before the oldest message in
/// that queue is dropped.
const FULL_QUEUE_WAIT: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

type Failed = (To, From, Publish, Reason);

/// The wrapper around all sessions.
pub(super) struct DurableShared {
    inner: DefaultShared,
    context: ServerContext,
    shelf: Arc<Shelf>,
    /// Length of a subscriber's queue at which publishers wait.
    queue_high: usize,
}

impl DurableShared {
    pub(super) fn new(
        context: ServerContext,
        shelf: Arc<Shelf>,
        queue_messages_max: usize,
    ) -> Self {
        let inner = DefaultShared::new(Some(context.clone()));
        Self {
            inner,
            context,
            shelf,
            queue_high: queue_messages_max * 4 / 5,
        }
    }

    /// The messages for each subscriber, stored where they have to be.
    async fn store(
        &self,
        from: &From,
        publish: &Publish,
        relations: SubRelations,
    ) -> Vec<(ClientId, Publish)> {
        let mut rows = Vec::new();
        let mut messages = Vec::with_capacity(relations.len());
        for (_, client_id, options, identifiers, _) in relations {
            let mut copy = for_subscriber(publish, &options, identifiers);
            if copy.qos != QoS::AtMostOnce && self.shelf.live.is_persistent(&client_id) {
                let row = self.shelf.journal.next_row();
                let message = messages::stored(&from.id, &copy, messages::now());
                rows.push(QueuedMessage {
                    row,
                    client_id: client_id.to_string(),
                    message,
                });
                copy = messages::with_row(copy, row);
            }
            messages.push((client_id, copy));
        }
        if !rows.is_empty() {
            self.shelf.journal.commit(Change::Enqueue(rows)).await;
        }
        messages
    }

    async fn deliver(
        &self,
        client_id: &ClientId,
        from: From,
        publish: Publish,
    ) -> std::result::Result<(), Failed> {
        self.wait_for_room(client_id, &publish).await;
        let row = messages::row(&publish);
        let deadline = Instant::now() + TAKE_OVER_MAX;
        let (mut from, mut publish) = (from, publish);
        let mut waited = false;
        loop {
            let found = self.inner.tx(client_id);
            if let Some((tx, to)) = found {
                if waited && row.is_some_and(|row| self.shelf.live.has_taken_over(client_id, row)) {
                    return Ok(());
                }
                let Err(error) = tx.unbounded_send(Message::Forward(from, publish)) else {
                    return Ok(());
                };
                let Message::Forward(back_from, back_publish) = error.into_inner() else {
                    return Ok(());
                };
                (from, publish) = (back_from, back_publish);
                if row.is_none() {
                    return Err((
                        to,
                        from,
                        publish,
                        Reason::from_static("the session is closed"),
                    ));
                }
            } else if row.is_none() || !self.shelf.live.is_persistent(client_id) {
                let to = To::from(0, client_id.clone());
                return Err((
                    to,
                    from,
                    publish,
                    Reason::from_static("the client has disconnected"),
                ));
            }
            if Instant::now() >= deadline {
                // It stays on disk, and the session's next connection finds it there.
                return Ok(());
            }
            waited = true;
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Publishers wait for a subscriber that is connected but slow, rather than let its messages be dropped.
    async fn wait_for_room(&self, client_id: &ClientId, publish: &Publish) {
        if publish.qos == QoS::AtMostOnce {
            return;
        }
        let deadline = Instant::now() + FULL_QUEUE_WAIT;
        while let Some(session) = self
            .inner
            .entry(Id::from(self.context.node.id(), client_id.clone()))
            .session()
        {
            let is_full = session.deliver_queue().len() >= self.queue_high;
            if !is_full || Instant::now() >= deadline || !session.connected().await.unwrap_or(false)
            {
                return;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}

/// A message as this subscription gets it.
fn for_subscriber(
    publish: &Publish,
    options: &SubscriptionOptions,
    identifiers: Option<Vec<std::num::NonZeroU32>>,
) -> Publish {
    let mut copy = publish.clone();
    copy.target_clientid = None;
    copy.dup = false;
    copy.retain = publish.retain && options.retain_as_published().unwrap_or(false);
    copy.qos = copy.qos.less_value(options.qos());
    copy.packet_id = None;
    if let (Some(identifiers), Some(properties)) = (identifiers, &mut copy.properties) {
        properties.subscription_ids = identifiers;
    }
    copy
}

#[async_trait]
impl Shared for DurableShared {
    fn entry(&self, id: Id) -> Box<dyn Entry> {
        Box::new(DurableEntry::new(self.inner.entry(id), self.shelf.clone()))
    }

    fn exist(&self, client_id: &str) -> bool {
        self.inner.exist(client_id)
    }

    async fn forwards(
        &self,
        _: Option<MsgID>,
        from: From,
        publish: Publish,
    ) -> std::result::Result<ForwardedCount, (ForwardedCount, Vec<Failed>)> {
        let found = self
            .context
            .extends
            .router()
            .await
            .matches(from.id.clone(), &publish.topic)
            .await;
        let mut relations = found.unwrap_or_else(|error| {
            tracing::warn!(%error, topic = %publish.topic, "MQTT: a topic cannot be routed");
            SubRelationsMap::default()
        });
        let relations = relations
            .remove(&self.context.node.id())
            .unwrap_or_default();
        match self.forwards_to(from, &publish, relations, None).await {
            Ok(recipients) => Ok(recipients.len()),
            Err((recipients, failed)) => Err((recipients.len(), failed)),
        }
    }

    async fn forwards_and_get_shareds(
        &self,
        from: From,
        publish: Publish,
    ) -> std::result::Result<
        (SubRelationsMap, ForwardedRecipients),
        (ForwardedRecipients, Vec<Failed>),
    > {
        self.inner.forwards_and_get_shareds(from, publish).await
    }

    async fn forwards_to(
        &self,
        from: From,
        publish: &Publish,
        relations: Vec<SubRelation>,
        _: Option<MsgID>,
    ) -> std::result::Result<ForwardedRecipients, (ForwardedRecipients, Vec<Failed>)> {
        let mut recipients = ForwardedRecipients::new();
        let mut failed = Vec::new();
        for (client_id, copy) in self.store(&from, publish, relations).await {
            match self.deliver(&client_id, from.clone(), copy).await {
                Ok(()) => recipients.push((client_id, None)),
                Err(failure) => failed.push(failure),
            }
        }
        if failed.is_empty() {
            Ok(recipients)
        } else {
            Err((recipients, failed))
        }
    }

    fn iter(&self) -> Box<dyn Iterator<Item = Box<dyn Entry>> + Sync + Send + '_> {
        self.inner.iter()
    }

    fn random_session(&self) -> Option<Session> {
        self.inner.random_session()
    }

    async fn session_status(&self, client_id: &str) -> Option<SessionStatus> {
        self.inner.session_status(client_id).await
    }

    async fn client_states_count(&self) -> usize {
        self.inner.client_states_count().await
    }

    fn sessions_count(&self) -> usize {
        self.inner.sessions_count()
    }

    async fn query_subscriptions(&self, query: &SubsSearchParams) -> Vec<SubsSearchResult> {
        self.inner.query_subscriptions(query).await
    }

    async fn subscriptions_count(&self) -> usize {
        self.inner.subscriptions_count().await
    }

    async fn message_load(
        &self,
        client_id: &str,
        filter: &str,
        group: Option<&SharedGroup>,
    ) -> Result<Vec<(MsgID, From, Publish)>> {
        self.inner.message_load(client_id, filter, group).await
    }

    async fn message_load_with(
        &self,
        client_id: &str,
        filter: &str,
        group: Option<&SharedGroup>,
        callback: Arc<dyn MessageLoadCallback>,
    ) -> Result<()> {
        self.inner
            .message_load_with(client_id, filter, group, callback)
            .await
    }

    async fn retain_load_with(
        &self,
        filter: &TopicFilter,
        callback: Arc<dyn RetainLoadCallback>,
    ) -> Result<Vec<(NodeId, MsgID)>> {
        self.inner.retain_load_with(filter, callback).await
    }

    async fn message_mark_forwarded(
        &self,
        node: NodeId,
        message: MsgID,
        recipients: ForwardedRecipients,
    ) -> Result<()> {
        self.inner
            .message_mark_forwarded(node, message, recipients)
            .await
    }
}
