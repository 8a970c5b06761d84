//! A session's hand-over to a new connection of the same client: it gets exactly what is stored for it, in order.
//!
//! A client may come back while its last connection is still taking its leave. Left alone, the broker would refuse
//! it ("service unavailable"); here the new connection waits for that moment to pass.

use std::{collections::HashSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use rmqtt::{
    Result,
    session::Session,
    shared::Entry,
    types::{
        From, Id, IsAdmin, OfflineSession, Publish, Reason, SubsSearchResult, Subscribe,
        SubscribeReturn, Tx, Unsubscribe,
    },
};

use super::{Shelf, messages};

/// How long a new connection waits for the client's last one to take its leave.
const FAREWELL_TIME_MAX: Duration = Duration::from_secs(5);
/// The wait between two looks at it.
const FAREWELL_PAUSE: Duration = Duration::from_millis(5);

/// One session, with the hand-over to a new connection completed from disk.
pub(super) struct DurableEntry {
    inner: Box<dyn Entry>,
    shelf: Arc<Shelf>,
}

impl DurableEntry {
    pub(super) fn new(inner: Box<dyn Entry>, shelf: Arc<Shelf>) -> Self {
        Self { inner, shelf }
    }
}

#[async_trait]
impl Entry for DurableEntry {
    async fn try_lock(&self) -> Result<Box<dyn Entry>> {
        let begin = tokio::time::Instant::now();
        loop {
            match self.inner.try_lock().await {
                Ok(inner) => {
                    let shelf = self.shelf.clone();
                    return Ok(Box::new(DurableEntry { inner, shelf }));
                }
                Err(_) if begin.elapsed() < FAREWELL_TIME_MAX => {
                    tokio::time::sleep(FAREWELL_PAUSE).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn id(&self) -> Id {
        self.inner.id()
    }

    fn id_same(&self) -> Option<bool> {
        self.inner.id_same()
    }

    async fn set(&mut self, session: Session, tx: Tx) -> Result<()> {
        self.inner.set(session, tx).await
    }

    async fn remove(&mut self) -> Result<Option<(Session, Tx)>> {
        self.inner.remove().await
    }

    async fn remove_with(&mut self, id: &Id) -> Result<Option<(Session, Tx)>> {
        self.inner.remove_with(id).await
    }

    async fn kick(
        &mut self,
        clean_start: bool,
        clear: bool,
        is_admin: IsAdmin,
    ) -> Result<OfflineSession> {
        let node = self.inner.id().node_id;
        let client_id = self.inner.id().client_id.clone();
        let begin = tokio::time::Instant::now();
        let kicked = loop {
            match self.inner.kick(clean_start, clear, is_admin).await {
                Err(_) if begin.elapsed() < FAREWELL_TIME_MAX => {
                    tokio::time::sleep(FAREWELL_PAUSE).await;
                }
                kicked => break kicked?,
            }
        };
        let OfflineSession::Exist(Some(mut offline)) = kicked else {
            return Ok(kicked);
        };
        // The broker takes them from the end, and they must be sent again in their first order.
        offline.inflight_messages.reverse();
        if self.shelf.live.is_persistent(&client_id) {
            let pending = self.shelf.journal.pending(&client_id).await;
            self.shelf.live.take_over(
                &client_id,
                pending.iter().map(|queued| queued.row).collect(),
            );
            let in_flight = offline.inflight_messages.iter().map(|sent| &sent.publish);
            let waiting = offline.offline_messages.iter().map(|(_, publish)| publish);
            let known: HashSet<u64> = in_flight.chain(waiting).filter_map(messages::row).collect();
            for queued in pending {
                if !known.contains(&queued.row) {
                    let publish =
                        messages::with_row(messages::publish(&queued.message), queued.row);
                    offline
                        .offline_messages
                        .push_back((messages::from(node, &queued.message), publish));
                }
            }
            offline
                .offline_messages
                .make_contiguous()
                .sort_by_key(|(_, publish)| messages::row(publish).unwrap_or(0));
        }
        Ok(OfflineSession::Exist(Some(offline)))
    }

    async fn online(&self) -> bool {
        self.inner.online().await
    }

    async fn is_connected(&self) -> bool {
        self.inner.is_connected().await
    }

    fn session(&self) -> Option<Session> {
        self.inner.session()
    }

    fn exist(&self) -> bool {
        self.inner.exist()
    }

    fn tx(&self) -> Option<Tx> {
        self.inner.tx()
    }

    async fn subscribe(&self, subscribe: &Subscribe) -> Result<SubscribeReturn> {
        self.inner.subscribe(subscribe).await
    }

    async fn unsubscribe(&self, unsubscribe: &Unsubscribe) -> Result<bool> {
        self.inner.unsubscribe(unsubscribe).await
    }

    async fn publish(
        &self,
        from: From,
        publish: Publish,
    ) -> std::result::Result<(), (From, Publish, Reason)> {
        self.inner.publish(from, publish).await
    }

    async fn subscriptions(&self) -> Option<Vec<SubsSearchResult>> {
        self.inner.subscriptions().await
    }
}
