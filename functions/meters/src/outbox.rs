//! The way out to gateways: orders and receipts over MQTT, each attempt bounded in time.

use std::time::Duration;

use anyhow::Context as _;
use kernel::{DeviceId, MessageId, MeterId, TenantId, Timestamp};
use outgoing::{Outbox, PUBLISH_MS_MAX};
use wire::{Channel, DeviceKind, DeviceTopic, gateway, meter};

use crate::context::Context;

/// Sends an order to a meter, once. A failure is logged: what was ordered times out and says so, or is tried again.
pub(crate) async fn publish_command(
    context: &Context,
    tenant: &TenantId,
    meter: &MeterId,
    command: meter::Command,
) {
    let id = command.command.clone();
    let sent = async {
        let topic = topic(tenant, DeviceKind::Meter, &DeviceId::parse(meter.as_str())?);
        publish(&context.outbox, &topic, (id.clone(), context.now), command).await
    };
    if let Err(error) = sent.await {
        let text = format!("order {id} to meter {meter} was not sent: {error:#}");
        web::log("error", "-", &text);
    }
}

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
    let topic = topic(tenant, DeviceKind::Gateway, gateway);
    publish(outbox, &topic, (id, now), body).await
}

async fn publish<Body>(
    outbox: &Outbox,
    topic: &DeviceTopic,
    (id, at): (MessageId, Timestamp),
    body: Body,
) -> anyhow::Result<()>
where
    Body: serde::Serialize + serde::de::DeserializeOwned,
{
    let payload = wire::Message { id, at, body }.to_payload()?;
    let within = Duration::from_millis(PUBLISH_MS_MAX);
    outbox
        .send(topic.to_string(), payload, within)
        .await
        .with_context(|| format!("publishing on {topic}"))
}

fn topic(tenant: &TenantId, kind: DeviceKind, device: &DeviceId) -> DeviceTopic {
    DeviceTopic {
        tenant: tenant.clone(),
        kind,
        device: device.clone(),
        channel: Channel::Command,
    }
}
