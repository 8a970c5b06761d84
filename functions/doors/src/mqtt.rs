//! What doors say: answers to commands, and what happens by itself; and the doorbell of other capabilities. Every
//! message may come twice, late and out of order; a gateway sends it again until it has a receipt.

use kernel::{DeviceId, MessageId, Refusal, TenantId};
use store::{Tx, tx};
use trigger::Outcome;
use wire::door::OccurrenceKind;
use wire::{Channel, DeviceKind, DeviceTopic, Message, Topic, door};

use crate::context::Context;
use crate::domain::{acknowledge, report, unknown_door, unknown_opening};
use crate::outbox::publish_receipt;
use crate::{consume, facts, store as sql, went};

/// The MQTT trigger.
#[cfg(target_family = "wasm")]
pub async fn on_message(topic: &str, payload: Vec<u8>) -> Outcome {
    match Context::open().await {
        Ok(context) => receive(&context, topic, &payload).await,
        Err(error) => Outcome::Retry(format!("{error:#}")),
    }
}

/// Takes one message: done when its effect is stored and its receipt sent, rejected when it will never be right.
pub async fn receive(context: &Context, topic: &str, payload: &[u8]) -> Outcome {
    let outcome = take(context, topic, payload).await;
    outgoing::ring(&context.db, &context.outbox).await;
    outcome
}

async fn take(context: &Context, topic: &str, payload: &[u8]) -> Outcome {
    let topic = match Topic::parse(topic) {
        Ok(Topic::Device(topic)) if topic.kind == DeviceKind::Door => topic,
        Ok(Topic::Doorbell(tenant)) => {
            return outgoing::woken(consume::catch_up(context, &tenant).await);
        }
        _ => return Outcome::Reject(format!("doors say nothing on the topic {topic:?}")),
    };
    match topic.channel {
        Channel::Acknowledgement => match Message::from_payload(payload) {
            Ok(message) => on_acknowledgement(context, &topic, &message).await,
            Err(error) => Outcome::Reject(error.to_string()),
        },
        Channel::Event => match Message::from_payload(payload) {
            Ok(message) => on_occurrence(context, &topic, &message).await,
            Err(error) => Outcome::Reject(error.to_string()),
        },
        other => Outcome::Reject(format!("doors say nothing on the channel {other:?}")),
    }
}

async fn on_acknowledgement(
    context: &Context,
    topic: &DeviceTopic,
    message: &Message<door::Acknowledgement>,
) -> Outcome {
    let stored = tx(&context.db, &topic.tenant, async |tx| {
        store_answer(context, tx, topic, &message.body).await
    })
    .await;
    settle(
        context,
        &topic.tenant,
        &message.body.gateway,
        &message.id,
        stored,
    )
    .await
}

async fn on_occurrence(
    context: &Context,
    topic: &DeviceTopic,
    message: &Message<door::Occurrence>,
) -> Outcome {
    let stored = tx(&context.db, &topic.tenant, async |tx| {
        store_occurrence(context, tx, topic, message).await
    })
    .await;
    settle(
        context,
        &topic.tenant,
        &message.body.gateway,
        &message.id,
        stored,
    )
    .await
}

async fn store_answer(
    context: &Context,
    tx: &Tx,
    topic: &DeviceTopic,
    answer: &door::Acknowledgement,
) -> anyhow::Result<()> {
    let found = sql::opening(tx, &topic.tenant, &topic.device, &answer.opening).await?;
    let (before, gateway) = found.ok_or_else(unknown_opening)?;
    let Some(after) = acknowledge(&before, &gateway, answer, context.now)? else {
        return Ok(());
    };
    sql::update_opening(tx, &after).await?;
    facts::opening_settled(context, tx, &before, &after).await
}

async fn store_occurrence(
    context: &Context,
    tx: &Tx,
    topic: &DeviceTopic,
    message: &Message<door::Occurrence>,
) -> anyhow::Result<()> {
    let door = sql::door(tx, &topic.tenant, &topic.device).await?;
    let door = door.ok_or_else(unknown_door)?;
    let occurrence = report(&door, message, context.now)?;
    match &message.body.kind {
        OccurrenceKind::AccessDecided(entry) => {
            return went::store_entry(context, tx, &door, entry).await;
        }
        OccurrenceKind::Released => sql::releases::said(tx, &door.id, true).await?,
        OccurrenceKind::Restored => sql::releases::said(tx, &door.id, false).await?,
        _ => {}
    }
    if sql::insert_occurrence(tx, &occurrence).await? {
        facts::occurred(context, tx, &occurrence).await?;
    }
    Ok(())
}

/// Ends a message. What is stored and what is refused both get a receipt, or the gateway would send it for ever;
/// what failed gets none, so that it comes again.
async fn settle(
    context: &Context,
    tenant: &TenantId,
    gateway: &DeviceId,
    message: &MessageId,
    stored: anyhow::Result<()>,
) -> Outcome {
    let outcome = match stored {
        Ok(()) => Outcome::Done,
        Err(error) => match error.downcast_ref::<Refusal>() {
            Some(refusal) => Outcome::Reject(refusal.to_string()),
            None => return Outcome::Retry(format!("{error:#}")),
        },
    };
    let receipt = async {
        let receipt = (context.new_id()?, message.clone(), context.now);
        publish_receipt(&context.outbox, tenant, gateway, receipt).await
    };
    if let Err(error) = receipt.await {
        // The effect is stored: the gateway repeats the message, and its repetition is receipted.
        web::log(
            "warn",
            "-",
            &format!("no receipt for message {message}: {error:#}"),
        );
    }
    outcome
}
