//! What happens when clients connect, subscribe, publish, acknowledge and leave: the questions of access, and the
//! changes on disk that go with them.

use std::sync::{Arc, atomic::Ordering};

use async_trait::async_trait;
use rmqtt::{
    codec::v5::SubscribeAckReason,
    context::ServerContext,
    hook::{Handler, HookResult, Parameter, Register, ReturnType, Type},
    session::Session,
    types::{
        AuthResult, ConnectInfo, Publish, PublishAclResult, Reason, Subscribe, SubscribeAclResult,
        Unsubscribe,
    },
};

use super::{
    CONNECTIONS_MAX, Shelf,
    access::{Action, Claim},
    journal::{Change, StoredSession},
    messages,
};

const HANDLED: [Type; 13] = [
    Type::ClientAuthenticate,
    Type::ClientSubscribeCheckAcl,
    Type::MessagePublishCheckAcl,
    Type::SessionCreated,
    Type::SessionTerminated,
    Type::SessionSubscribed,
    Type::SessionUnsubscribed,
    Type::ClientConnected,
    Type::ClientDisconnected,
    Type::MessagePublish,
    Type::MessageDelivered,
    Type::MessageAcked,
    Type::MessageDropped,
];

/// Registers all of them.
pub(super) async fn register(context: &ServerContext, shelf: &Arc<Shelf>) -> Box<dyn Register> {
    let register = context.extends.hook_mgr().register();
    for kind in HANDLED {
        let hooks = Hooks {
            shelf: shelf.clone(),
            context: context.clone(),
        };
        register.add(kind, Box::new(hooks)).await;
    }
    register.start().await;
    register
}

struct Hooks {
    shelf: Arc<Shelf>,
    context: ServerContext,
}

#[async_trait]
impl Handler for Hooks {
    async fn hook(&self, parameter: &Parameter, result: Option<HookResult>) -> ReturnType {
        match parameter {
            Parameter::ClientAuthenticate(connect) => {
                return (
                    false,
                    Some(HookResult::AuthResult(self.authenticate(connect).await)),
                );
            }
            Parameter::ClientSubscribeCheckAcl(session, subscribe) => {
                let result = self.may_subscribe(session, subscribe).await;
                return (false, Some(HookResult::SubscribeAclResult(result)));
            }
            Parameter::MessagePublishCheckAcl(session, publish) => {
                let result = self.may_publish(session, publish).await;
                return (false, Some(HookResult::PublishAclResult(result)));
            }
            Parameter::SessionCreated(session) => self.created(session).await,
            Parameter::ClientConnected(session) => self.connected(session).await,
            Parameter::ClientDisconnected(session, _) => self.disconnected(session),
            Parameter::SessionTerminated(session, _) => self.terminated(session),
            Parameter::SessionSubscribed(session, subscribe) => {
                self.subscribed(session, subscribe).await
            }
            Parameter::SessionUnsubscribed(session, unsubscribe) => {
                self.unsubscribed(session, unsubscribe).await;
            }
            Parameter::MessagePublish(..) => count(&self.shelf.counts.messages_in),
            Parameter::MessageDelivered(..) => count(&self.shelf.counts.messages_out),
            Parameter::MessageAcked(_, _, publish) => self.forget(publish),
            Parameter::MessageDropped(to, _, publish, reason) => {
                count(&self.shelf.counts.messages_dropped);
                if let Some(to) = to {
                    self.log_dropped(&to.client_id, &publish.topic, reason);
                }
                self.forget(publish);
            }
            _ => {}
        }
        (true, result)
    }
}

fn count(counter: &std::sync::atomic::AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Hooks {
    async fn authenticate(&self, connect: &ConnectInfo) -> AuthResult {
        let id = connect.id();
        if self.context.connections.count() >= CONNECTIONS_MAX {
            tracing::error!(limit = CONNECTIONS_MAX, client_id = %id.client_id, "MQTT: too many connections");
            return AuthResult::NotAuthorized;
        }
        let username = connect.username().map(ToString::to_string);
        if self
            .shelf
            .live
            .is_of_another(&id.client_id, username.as_deref())
        {
            // Otherwise whoever knows a client id could take over its queue of messages.
            tracing::warn!(client_id = %id.client_id, username, "MQTT: refused, the client id is another user's");
            return AuthResult::NotAuthorized;
        }
        let username = username.unwrap_or_default();
        let host = id
            .remote_addr
            .map(|address| address.ip().to_string())
            .unwrap_or_default();
        let password = connect.password().map(AsRef::as_ref).unwrap_or_default();
        let claim = Claim {
            client_id: &id.client_id,
            username: &username,
            password,
            host: &host,
        };
        let answer = self.shelf.access.authenticate(claim).await;
        if !answer.allowed {
            return AuthResult::BadUsernameOrPassword;
        }
        if !answer.superuser && !self.may_leave_will(connect, &username).await {
            tracing::warn!(client_id = %id.client_id, username, "MQTT: refused, its last will is not permitted");
            return AuthResult::NotAuthorized;
        }
        AuthResult::Allow(answer.superuser, None)
    }

    /// The broker itself publishes last wills without asking, so they are checked when they are made.
    async fn may_leave_will(&self, connect: &ConnectInfo, username: &str) -> bool {
        let Some(will) = connect.last_will() else {
            return true;
        };
        let Ok(publish) = Publish::try_from(will) else {
            return false;
        };
        self.authorize_publish(connect.client_id(), username, &publish)
            .await
    }

    async fn authorize_publish(&self, client_id: &str, username: &str, publish: &Publish) -> bool {
        let action = Action {
            client_id,
            username,
            action: "publish",
            topic: &publish.topic,
            qos: publish.qos.value(),
            retain: publish.retain,
        };
        self.shelf.access.authorize(action).await.allowed
    }

    async fn may_publish(&self, session: &Session, publish: &Publish) -> PublishAclResult {
        let id = &session.id;
        let username = id.username.as_deref().unwrap_or_default();
        if self
            .authorize_publish(&id.client_id, username, publish)
            .await
        {
            return PublishAclResult::allow();
        }
        PublishAclResult::rejected(false, None)
    }

    async fn may_subscribe(&self, session: &Session, subscribe: &Subscribe) -> SubscribeAclResult {
        let id = &session.id;
        let action = Action {
            client_id: &id.client_id,
            username: id.username.as_deref().unwrap_or_default(),
            action: "subscribe",
            topic: &subscribe.topic_filter,
            qos: subscribe.opts.qos().value(),
            retain: false,
        };
        if self.shelf.access.authorize(action).await.allowed {
            return SubscribeAclResult::new_success(subscribe.opts.qos(), None);
        }
        SubscribeAclResult::new_failure(SubscribeAckReason::NotAuthorized)
    }

    async fn created(&self, session: &Session) {
        let was_persistent = self.shelf.live.is_persistent(&session.id.client_id);
        self.shelf.live.begin(&session.id);
        if was_persistent {
            self.shelf
                .journal
                .commit(Change::End(session.id.client_id.to_string()))
                .await;
        }
    }

    async fn connected(&self, session: &Session) {
        let id = &session.id;
        let Ok(connect) = session.connect_info().await else {
            return;
        };
        let expiry = session.fitter.session_expiry_interval(None);
        let persistent = match connect.as_ref() {
            ConnectInfo::V3(_, connect) => !connect.clean_session,
            ConnectInfo::V5(..) => !expiry.is_zero(),
        };
        let (was, subscriptions) = self.shelf.live.connect(id, persistent);
        if let Some(will) = connect
            .last_will()
            .and_then(|will| Publish::try_from(will).ok())
        {
            self.shelf
                .journal
                .commit(Change::Will(messages::stored(id, &will, messages::now())))
                .await;
        } else {
            // A connection that this one replaced may have left one.
            self.shelf
                .journal
                .later(Change::Unwill(id.client_id.to_string()));
        }
        if !persistent && !was {
            return;
        }
        let stored = StoredSession {
            client_id: id.client_id.to_string(),
            username: id.username.as_ref().map(ToString::to_string),
            protocol: connect.proto_ver(),
            expiry_s: u32::try_from(expiry.as_secs()).unwrap_or(u32::MAX),
            created_at: session.created_at().await.unwrap_or_default(),
            disconnected_at: None,
        };
        if !was {
            // A session that was not persistent until now may bring subscriptions along.
            for (filter, options) in subscriptions {
                self.shelf.journal.later(Change::Subscribe(
                    stored.client_id.clone(),
                    filter,
                    options,
                ));
            }
        }
        self.shelf.journal.commit(Change::Session(stored)).await;
    }

    /// Late news of a connection that another one has replaced is ignored.
    fn disconnected(&self, session: &Session) {
        if !self.shelf.live.owns(&session.id) {
            return;
        }
        let client_id = session.id.client_id.to_string();
        self.shelf.journal.later(Change::Unwill(client_id.clone()));
        if self.shelf.live.is_persistent(&client_id) {
            self.shelf
                .journal
                .later(Change::Disconnected(client_id, messages::now()));
        }
    }

    fn terminated(&self, session: &Session) {
        let was_persistent = self.shelf.live.is_persistent(&session.id.client_id);
        if self.shelf.live.end(&session.id) && was_persistent {
            self.shelf
                .journal
                .later(Change::End(session.id.client_id.to_string()));
        }
    }

    async fn subscribed(&self, session: &Session, subscribe: &Subscribe) {
        let options = match serde_json::to_string(&subscribe.opts) {
            Ok(options) => options,
            Err(error) => {
                tracing::error!(%error, "MQTT: a subscription is not kept");
                return;
            }
        };
        let (client_id, filter) = (
            session.id.client_id.to_string(),
            subscribe.topic_filter.to_string(),
        );
        if self.shelf.live.subscribe(&client_id, &filter, &options) {
            self.shelf
                .journal
                .commit(Change::Subscribe(client_id, filter, options))
                .await;
        }
    }

    async fn unsubscribed(&self, session: &Session, unsubscribe: &Unsubscribe) {
        let client_id = session.id.client_id.to_string();
        let filter = unsubscribe.topic_filter.to_string();
        if self.shelf.live.unsubscribe(&client_id, &filter) {
            let change = Change::Unsubscribe(client_id, filter);
            self.shelf.journal.commit(change).await;
        }
    }

    /// Once a second at most: a full queue drops thousands.
    fn log_dropped(&self, client_id: &str, topic: &str, reason: &Reason) {
        let counts = &self.shelf.counts;
        let now_s = messages::now() / 1000;
        if counts.drop_logged_at_s.swap(now_s, Ordering::Relaxed) != now_s {
            let total = counts.messages_dropped.load(Ordering::Relaxed);
            tracing::warn!(client_id, topic, %reason, total, "MQTT: messages dropped");
        }
    }

    fn forget(&self, publish: &Publish) {
        if let Some(row) = messages::row(publish) {
            self.shelf.journal.later(Change::Remove(row));
        }
    }
}
