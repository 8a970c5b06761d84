//! Between the broker's messages and what is kept of them.
//!
//! The row number of a stored message travels with it through the broker in the field `target_clientid`, which
//! the broker reads only before a message is routed: so the acknowledgement of a subscriber, which shows the
//! same message again, names the row to delete.

use bytes::Bytes;
use rmqtt::{
    codec::{types::Publish as Packet, v5::PublishProperties},
    types::{ClientId, From as Publisher, Id, NodeId, Publish, QoS, TopicName},
};

use super::journal::StoredMessage;

/// The listener that every session belongs to.
pub(super) const LISTENER: u16 = 1;

/// What is kept of a message.
pub(super) fn stored(from: &Id, publish: &Publish, now: i64) -> StoredMessage {
    StoredMessage {
        publisher: from.client_id.to_string(),
        publisher_username: from.username.as_ref().map(ToString::to_string),
        topic: publish.topic.to_string(),
        payload: publish.payload.to_vec(),
        qos: publish.qos.value(),
        retain: publish.retain,
        properties: publish.properties.as_ref().and_then(properties_text),
        created_at: publish.create_time.unwrap_or(now),
    }
}

fn properties_text(properties: &PublishProperties) -> Option<String> {
    if *properties == PublishProperties::default() {
        return None;
    }
    serde_json::to_string(properties)
        .inspect_err(|error| tracing::warn!(%error, "the properties of a message are not kept"))
        .ok()
}

/// A kept message as the broker delivers it.
pub(super) fn publish(message: &StoredMessage) -> Publish {
    let properties = message.properties.as_deref().and_then(|text| {
        serde_json::from_str(text)
            .inspect_err(
                |error| tracing::warn!(%error, "the properties of a kept message are lost"),
            )
            .ok()
    });
    let packet = Packet {
        dup: false,
        retain: message.retain,
        qos: quality(message.qos),
        topic: TopicName::from(message.topic.as_str()),
        packet_id: None,
        payload: Bytes::from(message.payload.clone()),
        properties: Some(properties.unwrap_or_default()),
    };
    Publish::from(packet).create_time(message.created_at)
}

/// The publisher of a kept message.
pub(super) fn publisher(node: NodeId, message: &StoredMessage) -> Id {
    let username = message.publisher_username.as_deref().map(Into::into);
    Id::new(
        node,
        LISTENER,
        None,
        None,
        ClientId::from(message.publisher.as_str()),
        username,
    )
}

/// The publisher in the form that accompanies a message.
pub(super) fn from(node: NodeId, message: &StoredMessage) -> Publisher {
    Publisher::from_custom(publisher(node, message))
}

/// Ties a message to its row.
pub(super) fn with_row(publish: Publish, row: u64) -> Publish {
    publish.target_clientid(ClientId::from(row.to_string()))
}

/// The row that a message is tied to.
pub(super) fn row(publish: &Publish) -> Option<u64> {
    publish.target_clientid.as_ref()?.parse().ok()
}

fn quality(qos: u8) -> QoS {
    match qos {
        0 => QoS::AtMostOnce,
        1 => QoS::AtLeastOnce,
        _ => QoS::ExactlyOnce,
    }
}

/// Epoch milliseconds.
pub(super) fn now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}
