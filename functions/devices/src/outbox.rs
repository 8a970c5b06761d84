//! The way out to gateways: commands and receipts over MQTT, each attempt bounded in time.

use std::time::Duration;

use anyhow::Context as _;
use kernel::{DeviceId, MessageId, TenantId, Timestamp};
use outgoing::{Outbox, PUBLISH_MS_MAX};
use wire::{Channel, DeviceKind, DeviceTopic, gateway};

use crate::domain::{Action, Command};

/// Sends a command to its gateway; `configuration` is what a `configure` carries. Sent again after a failure it has
/// the same id, and the gateway acts on it once.
///
/// # Errors
/// When the broker does not take it in time.
pub(crate) async fn publish_command(
    outbox: &Outbox,
    tenant: &TenantId,
    command: &Command,
    configuration: &str,
    now: Timestamp,
) -> anyhow::Result<()> {
    let (id, expires_at) = (command.id.clone(), command.expires_at);
    let body = match command.action {
        Action::Configure { version } => gateway::Command::Configure {
            command: id.clone(),
            version,
            configuration: serde_json::from_str(configuration)?,
            expires_at,
        },
        Action::Restart => gateway::Command::Restart {
            command: id.clone(),
            expires_at,
        },
        Action::Ping => gateway::Command::Ping {
            command: id.clone(),
            expires_at,
        },
    };
    let topic = command_topic(tenant, &command.gateway);
    publish(outbox, &topic, id, now, body).await
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
    let topic = command_topic(tenant, gateway);
    publish(outbox, &topic, id, now, body).await
}

async fn publish<Body>(
    outbox: &Outbox,
    topic: &DeviceTopic,
    id: MessageId,
    at: Timestamp,
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

fn command_topic(tenant: &TenantId, gateway: &DeviceId) -> DeviceTopic {
    DeviceTopic {
        tenant: tenant.clone(),
        kind: DeviceKind::Gateway,
        device: gateway.clone(),
        channel: Channel::Command,
    }
}
