//! The way out to gateways: receipts over MQTT, each attempt bounded in time.

use std::time::Duration;

use anyhow::Context as _;
use kernel::{DeviceId, MessageId, TenantId, Timestamp};
use outgoing::{Outbox, PUBLISH_MS_MAX};
use wire::{Channel, DeviceKind, DeviceTopic, gateway};

/// Tells a gateway that a message is settled for good, so that it stops sending it.
///
/// # Errors
/// When the broker does not take it in time: the gateway sends again, and gets its receipt then.
pub(crate) async fn publish_receipt(
    outbox: &Outbox,
    tenant: &TenantId,
    gateway: &DeviceId,
    (id, message, now): (MessageId, MessageId, Timestamp),
) -> anyhow::Result<()> {
    let body = gateway::Command::Receipt {
        messages: vec![message],
    };
    let topic = DeviceTopic {
        tenant: tenant.clone(),
        kind: DeviceKind::Gateway,
        device: gateway.clone(),
        channel: Channel::Command,
    };
    let payload = wire::Message { id, at: now, body }.to_payload()?;
    let within = Duration::from_millis(PUBLISH_MS_MAX);
    outbox
        .send(topic.to_string(), payload, within)
        .await
        .with_context(|| format!("publishing on {topic}"))
}
