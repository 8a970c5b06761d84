//! What gateways say of themselves: whether they are there, what became of commands, and how they are; and the
//! doorbell of other capabilities. Every message may come twice, late and out of order.

use kernel::{DeviceId, MessageId, Refusal, TenantId};
use store::{Tx, tx};
use trigger::Outcome;
use wire::gateway::{Availability, Health, Report};
use wire::{Channel, DeviceKind, DeviceTopic, Message, Topic};

use crate::context::Context;
use crate::domain::{
    Action, CommandState, Gateway, Signal, answered, hear, unknown_command, unknown_gateway,
};
use crate::outbox::publish_receipt;
use crate::store::{commands, register};
use crate::{facts, inbox, send};

/// The longest name of software that is kept, in characters.
const SOFTWARE_CHARACTERS_MAX: usize = 100;

/// The MQTT trigger.
#[cfg(target_family = "wasm")]
pub async fn on_message(topic: &str, payload: Vec<u8>) -> Outcome {
    match Context::open().await {
        Ok(context) => receive(&context, topic, &payload).await,
        Err(error) => Outcome::Retry(format!("{error:#}")),
    }
}

/// Takes one message: done when its effect is stored, rejected when it will never be right.
pub async fn receive(context: &Context, topic: &str, payload: &[u8]) -> Outcome {
    let outcome = take(context, topic, payload).await;
    outgoing::ring(&context.db, &context.outbox).await;
    outcome
}

async fn take(context: &Context, topic: &str, payload: &[u8]) -> Outcome {
    let topic = match Topic::parse(topic) {
        Ok(Topic::Device(topic)) if topic.kind == DeviceKind::Gateway => topic,
        Ok(Topic::Doorbell(tenant)) => {
            return outgoing::woken(inbox::catch_up(context, &tenant).await);
        }
        _ => return Outcome::Reject(format!("gateways say nothing on the topic {topic:?}")),
    };
    match topic.channel {
        Channel::State => match Message::<Availability>::from_payload(payload) {
            Ok(message) => outcome(on_state(context, &topic, message.body).await),
            Err(error) => Outcome::Reject(error.to_string()),
        },
        Channel::Acknowledgement => match Message::<Report>::from_payload(payload) {
            Ok(message) => on_report(context, &topic, message).await,
            Err(error) => Outcome::Reject(error.to_string()),
        },
        other => Outcome::Reject(format!("gateways say nothing on the channel {other:?}")),
    }
}

async fn on_state(
    context: &Context,
    topic: &DeviceTopic,
    state: Availability,
) -> anyhow::Result<()> {
    let signal = if state.online {
        Signal::Alive
    } else {
        Signal::Gone
    };
    let came = heard(context, topic, signal, None).await?;
    if came {
        send::deliver(context, &topic.tenant, &topic.device).await?;
    }
    Ok(())
}

async fn on_report(context: &Context, topic: &DeviceTopic, message: Message<Report>) -> Outcome {
    match message.body {
        Report::Health(health) => outcome(on_health(context, topic, health).await),
        Report::Command { command, outcome } => {
            let stored = on_answer(context, topic, (&command, &outcome)).await;
            settle(context, (&topic.tenant, &topic.device), &message.id, stored).await
        }
    }
}

async fn on_health(context: &Context, topic: &DeviceTopic, health: Health) -> anyhow::Result<()> {
    if heard(context, topic, Signal::Alive, Some(&health)).await? {
        send::deliver(context, &topic.tenant, &topic.device).await?;
    }
    Ok(())
}

async fn on_answer(
    context: &Context,
    topic: &DeviceTopic,
    (id, outcome): (&MessageId, &wire::gateway::Outcome),
) -> anyhow::Result<()> {
    tx(&context.db, &topic.tenant, async |tx| {
        let stored = commands::command(tx, &topic.tenant, &topic.device, id).await?;
        let stored = stored.ok_or_else(unknown_command)?;
        let Some(after) = answered(&stored, outcome, context.now) else {
            return Ok(());
        };
        commands::update_command(tx, &after).await?;
        facts::settled(context, tx, &after).await?;
        if let (Action::Configure { version }, CommandState::Done) = (&after.action, &after.state) {
            applied(tx, topic, *version).await?;
        }
        Ok(())
    })
    .await?;
    heard(context, topic, Signal::Alive, None).await.map(|_| ())
}

async fn applied(tx: &Tx, topic: &DeviceTopic, version: i64) -> anyhow::Result<()> {
    let gateway = register::gateway(tx, &topic.tenant, &topic.device).await?;
    let mut gateway = gateway.ok_or_else(unknown_gateway)?;
    gateway.configuration.applied = Some(version);
    register::put_gateway(tx, &gateway).await
}

/// Takes a sign of life or of its end; whether something may wait to be sent now. Most signs change nothing: then
/// there is no transaction.
async fn heard(
    context: &Context,
    topic: &DeviceTopic,
    signal: Signal,
    health: Option<&Health>,
) -> anyhow::Result<bool> {
    let mut known = register::gateway(&context.db, &topic.tenant, &topic.device).await?;
    if known.is_none() {
        inbox::catch_up(context, &topic.tenant).await?;
        known = register::gateway(&context.db, &topic.tenant, &topic.device).await?;
    }
    let known = known.ok_or_else(unknown_gateway)?;
    let told = health.is_some_and(|health| is_news(&known, health));
    let unreached = match health {
        Some(health) if !told => children_changed(context, topic, health).await?,
        _ => false,
    };
    if hear(known.presence, signal, context.now).is_none() && !told && !unreached {
        return Ok(false);
    }
    tx(&context.db, &topic.tenant, async |tx| {
        let stored = register::gateway(tx, &topic.tenant, &topic.device).await?;
        let before = stored.ok_or_else(unknown_gateway)?;
        let mut after = match health {
            Some(health) => told_by(before.clone(), health),
            None => before.clone(),
        };
        after.presence = hear(before.presence, signal, context.now).unwrap_or(before.presence);
        register::put_gateway(tx, &after).await?;
        let presences = (&before.presence, &after.presence);
        facts::presence_changed(context, tx, &topic.device, presences).await?;
        for child in health.iter().flat_map(|health| &health.children) {
            register::reached(tx, &topic.device, &child.device, child.reachable).await?;
        }
        let came = before.presence.is_online() != Some(true) && signal == Signal::Alive;
        let owed = signal == Signal::Alive && send::owe_configuration(context, tx, &after).await?;
        Ok(came || owed)
    })
    .await
}

/// Whether a heartbeat tells more than that the gateway is there.
fn is_news(known: &Gateway, health: &Health) -> bool {
    told_by(known.clone(), health) != *known
}

async fn children_changed(
    context: &Context,
    topic: &DeviceTopic,
    health: &Health,
) -> anyhow::Result<bool> {
    if health.children.is_empty() {
        return Ok(false);
    }
    let stored = register::children(&context.db, &topic.tenant, &topic.device).await?;
    Ok(health.children.iter().any(|told| {
        stored
            .iter()
            .any(|child| child.id == told.device && child.reachable != Some(told.reachable))
    }))
}

/// The gateway with what it tells of itself; texts of devices are cleaned and shortened.
fn told_by(mut gateway: Gateway, health: &Health) -> Gateway {
    let software = health.software.chars().filter(|char| !char.is_control());
    gateway.vitals.software = Some(software.take(SOFTWARE_CHARACTERS_MAX).collect());
    gateway.vitals.started_at = Some(health.started_at);
    gateway.configuration.applied = Some(health.configuration);
    gateway
}

fn outcome(stored: anyhow::Result<()>) -> Outcome {
    match stored {
        Ok(()) => Outcome::Done,
        Err(error) => match error.downcast_ref::<Refusal>() {
            Some(refusal) => Outcome::Reject(refusal.to_string()),
            None => Outcome::Retry(format!("{error:#}")),
        },
    }
}

/// Ends an answer. What is stored and what is refused both get a receipt, or the gateway would send it for ever;
/// what failed gets none, so that it comes again.
async fn settle(
    context: &Context,
    (tenant, gateway): (&TenantId, &DeviceId),
    message: &MessageId,
    stored: anyhow::Result<()>,
) -> Outcome {
    let outcome = outcome(stored);
    if matches!(outcome, Outcome::Retry(_)) {
        return outcome;
    }
    let receipt = async {
        let receipt = (context.new_id()?, message.clone(), context.now);
        publish_receipt(&context.outbox, tenant, gateway, receipt).await
    };
    if let Err(error) = receipt.await {
        // The effect is stored: the gateway repeats the message, and its repetition is receipted.
        let line = format!("no receipt for message {message}: {error:#}");
        web::log("warn", "-", &line);
    }
    outcome
}
