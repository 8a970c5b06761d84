//! The way out to devices: commands and receipts over MQTT, each attempt bounded in time.

use std::time::Duration;

use anyhow::Context as _;
use kernel::{DeviceId, MessageId, TenantId, Timestamp};
use outgoing::{Outbox, PUBLISH_MS_MAX};
use store::tx;
use wire::{Channel, DeviceKind, DeviceTopic, door, gateway};

use crate::context::Context;
use crate::domain::{Door, Opening, OpeningState};
use crate::store::releases;

/// Sends an allowed opening to its door, once. A failure is logged: the command is not sent again, because a door
/// that opens late is worse than one that stays shut, and the opening times out and says so.
pub(crate) async fn publish_command(
    outbox: &Outbox,
    tenant: &TenantId,
    door: &Door,
    opening: &Opening,
) {
    let OpeningState::Requested { expires_at } = opening.state else {
        return;
    };
    let unlock_ms = door.unlock.millis();
    let body = door::Command::Open {
        opening: opening.id.clone(),
        expires_at,
        unlock_ms,
    };
    let topic = command_topic(tenant, DeviceKind::Door, &door.id);
    let sent = match MessageId::parse(opening.id.as_str()) {
        Ok(id) => publish(outbox, &topic, id, opening.requested_at, body).await,
        Err(error) => Err(error.into()),
    };
    if let Err(error) = sent {
        web::log(
            "error",
            "-",
            &format!(
                "the command of opening {} was not sent: {error:#}",
                opening.id
            ),
        );
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
    let topic = command_topic(tenant, DeviceKind::Gateway, gateway);
    publish(outbox, &topic, id, now, body).await
}

/// How long a word about a release holds, in milliseconds; a gateway that is away longer is told again.
const RELEASE_EXPIRES_MS: i64 = 60_000;
/// After how long a door that did not say that it obeys is told again, in milliseconds.
const RELEASE_AGAIN_MS: i64 = 10_000;
/// The most doors that are told at a time; the next heartbeat goes on.
const RELEASE_DOORS_MAX: i64 = 500;

/// Tells doors to stand open for a fire, or to shut again, until they say that they do. How many were told.
///
/// # Errors
/// A failure of the database; a broker that is away is tried again.
pub(crate) async fn tell_releases(context: &Context) -> anyhow::Result<usize> {
    let told_before = context.now.plus_millis(-RELEASE_AGAIN_MS);
    let owed = releases::owed(&context.db, told_before, RELEASE_DOORS_MAX).await?;
    let mut told = 0;
    for (tenant, door, released) in owed {
        let expires_at = context.now.plus_millis(RELEASE_EXPIRES_MS);
        let body = if released {
            door::Command::Release { expires_at }
        } else {
            door::Command::Restore { expires_at }
        };
        let topic = command_topic(&tenant, DeviceKind::Door, &door);
        let sent = publish(
            &context.outbox,
            &topic,
            context.new_id()?,
            context.now,
            body,
        )
        .await;
        if let Err(error) = sent {
            web::log(
                "error",
                "-",
                &format!("door {door} was not told: {error:#}"),
            );
            continue;
        }
        tx(&context.db, &tenant, async |tx| {
            releases::told(tx, &door, context.now).await
        })
        .await?;
        told += 1;
    }
    Ok(told)
}

/// Tells a gateway that there is a newer snapshot.
///
/// # Errors
/// When the broker does not take it: the gateway asks by itself before its snapshot ends.
pub(crate) async fn publish_snapshot(
    context: &Context,
    tenant: &TenantId,
    gateway: &DeviceId,
    (version, sha256, bytes): (i64, String, u64),
) -> anyhow::Result<()> {
    let body = gateway::Command::SnapshotReady {
        version,
        sha256,
        bytes,
    };
    let topic = command_topic(tenant, DeviceKind::Gateway, gateway);
    publish(
        &context.outbox,
        &topic,
        context.new_id()?,
        context.now,
        body,
    )
    .await
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

fn command_topic(tenant: &TenantId, kind: DeviceKind, device: &DeviceId) -> DeviceTopic {
    DeviceTopic {
        tenant: tenant.clone(),
        kind,
        device: device.clone(),
        channel: Channel::Command,
    }
}
