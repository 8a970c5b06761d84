//! What a starting broker finds on disk becomes sessions again: their subscriptions, their messages, and the last
//! wills of clients that were connected when the process ended.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use rmqtt::{
    codec::{types::Protocol, v3, v5},
    context::ServerContext,
    session::{Session, SessionState},
    types::{
        ClientId, ConnectInfo, DisconnectInfo, From, Id, ListenerConfig, SessionSubs,
        SubscriptionOptions, TopicFilter,
    },
};

use super::{
    SESSION_EXPIRY, Shelf,
    journal::{Change, QueuedMessage, Snapshot, StoredMessage, StoredSession},
    messages,
};

const MQTT_5: u8 = 5;

/// Rebuilds everything. Afterwards the broker may accept connections.
pub(super) async fn restore(
    context: &ServerContext,
    shelf: &Shelf,
    mut snapshot: Snapshot,
) -> Result<()> {
    for session in std::mem::take(&mut snapshot.sessions) {
        let client_id = session.client_id.clone();
        let left = time_left(&session);
        if left.is_zero() {
            shelf.journal.later(Change::End(client_id));
            continue;
        }
        let subscriptions = snapshot
            .subscriptions
            .remove(&client_id)
            .unwrap_or_default();
        let queued = snapshot.queued.remove(&client_id).unwrap_or_default();
        restore_session(
            context,
            shelf,
            Found {
                session,
                left,
                subscriptions,
                queued,
            },
        )
        .await
        .with_context(|| format!("restoring the session of MQTT client {client_id:?}"))?;
    }
    for will in snapshot.wills {
        publish_will(context, &will).await;
        shelf.journal.later(Change::Unwill(will.publisher));
    }
    Ok(())
}

struct Found {
    session: StoredSession,
    left: Duration,
    subscriptions: Vec<(String, String)>,
    queued: Vec<QueuedMessage>,
}

fn time_left(session: &StoredSession) -> Duration {
    let lifetime = if session.protocol == MQTT_5 {
        Duration::from_secs(session.expiry_s.into())
    } else {
        SESSION_EXPIRY
    };
    let away = session
        .disconnected_at
        .map_or(0, |at| messages::now().saturating_sub(at));
    lifetime
        .min(SESSION_EXPIRY)
        .saturating_sub(Duration::from_millis(u64::try_from(away).unwrap_or(0)))
}

async fn restore_session(context: &ServerContext, shelf: &Shelf, found: Found) -> Result<()> {
    let Found {
        session: stored,
        left,
        subscriptions,
        queued,
    } = found;
    let node = context.node.id();
    let username = stored.username.as_deref().map(Into::into);
    let id = Id::new(
        node,
        messages::LISTENER,
        None,
        None,
        ClientId::from(stored.client_id.as_str()),
        username,
    );
    let listener = context
        .listen_cfgs
        .get(&messages::LISTENER)
        .map(|entry| entry.value().clone());
    let listener = listener.context("the broker has no listener")?;
    let mut filters = Vec::new();
    for (filter, options) in &subscriptions {
        let options: SubscriptionOptions =
            serde_json::from_str(options).context("reading a subscription")?;
        filters.push((TopicFilter::from(filter.as_str()), options));
    }
    let session = offline_session(context, &id, listener, &stored, &filters).await?;
    for message in queued {
        let publish = messages::with_row(messages::publish(&message.message), message.row);
        if session
            .deliver_queue()
            .push((messages::from(node, &message.message), publish))
            .is_err()
        {
            tracing::error!(
                client_id = stored.client_id,
                "MQTT: more messages on disk than the queue holds"
            );
            break;
        }
    }
    shelf.live.restore(&id, &subscriptions);
    let tx = SessionState::offline_restart(session.clone(), left).await?;
    context
        .extends
        .shared()
        .await
        .entry(id.clone())
        .set(session, tx)
        .await?;
    for (filter, options) in filters {
        context
            .extends
            .router()
            .await
            .add(&filter, id.clone(), options)
            .await?;
    }
    Ok(())
}

async fn offline_session(
    context: &ServerContext,
    id: &Id,
    listener: ListenerConfig,
    stored: &StoredSession,
    filters: &[(TopicFilter, SubscriptionOptions)],
) -> Result<Session> {
    let connect = Arc::new(connect_info(id, stored));
    let fitter =
        context
            .extends
            .fitter_mgr()
            .await
            .create(connect.clone(), id.clone(), listener.clone());
    let max_inflight = fitter.max_inflight();
    let queue_max = fitter.max_mqueue_len();
    let away_since = stored.disconnected_at.unwrap_or_else(messages::now);
    Session::new(
        id.clone(),
        context.clone(),
        queue_max,
        listener,
        fitter,
        None,
        max_inflight,
        stored.created_at,
        connect,
        false,
        false,
        false,
        stored.created_at,
        SessionSubs::from(filters.iter().cloned().collect()),
        Some(DisconnectInfo::new(away_since)),
        None,
    )
    .await
}

/// As if it had connected, without its last will: that is published by `publish_will`.
fn connect_info(id: &Id, stored: &StoredSession) -> ConnectInfo {
    if stored.protocol == MQTT_5 {
        let connect = v5::Connect {
            client_id: id.client_id.clone(),
            username: id.username.clone(),
            session_expiry_interval_secs: stored.expiry_s,
            ..v5::Connect::default()
        };
        return ConnectInfo::V5(id.clone(), Box::new(connect));
    }
    let connect = v3::Connect {
        protocol: Protocol(stored.protocol),
        clean_session: false,
        client_id: id.client_id.clone(),
        username: id.username.clone(),
        ..v3::Connect::default()
    };
    ConnectInfo::V3(id.clone(), Box::new(connect))
}

async fn publish_will(context: &ServerContext, will: &StoredMessage) {
    let from = From::from_lastwill(messages::publisher(context.node.id(), will));
    let publish = messages::publish(will).create_time(messages::now());
    if let Err(error) = SessionState::forwards(context, from, publish, false, None).await {
        tracing::error!(%error, client_id = will.publisher, "MQTT: a last will cannot be published");
    }
}
