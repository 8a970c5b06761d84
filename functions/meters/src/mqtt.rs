//! What gateways read and answer, and the doorbell of other capabilities. Every message may come twice, late and out of
//! order; a gateway sends it again until it has a receipt.

use std::collections::BTreeSet;

use kernel::{DeviceId, Message as Text, MessageId, MeterId, Refusal, TenantId};
use serde::{Deserialize, Serialize};
use store::tx;
use trigger::Outcome;
use wire::meter::{
    Acknowledgement, Flag, READINGS_MAX, RawReading, RawReadings, Reading, Readings, Register,
    Source as Read, Unit,
};
use wire::{Channel, DeviceKind, DeviceTopic, Message, Topic};

use crate::context::Context;
use crate::domain::caller::unknown_meter;
use crate::domain::switching::own_gateway;
use crate::domain::{Source, believed};
use crate::http::decodings::{no_bytes, undecoded};
use crate::intake::{self, Incoming, Taken};
use crate::outbox::publish_receipt;
use crate::rows::{Known, reading_id};
use crate::store::batch;
use crate::{consume, decoding, recharging, switching};

/// The MQTT trigger.
#[cfg(target_family = "wasm")]
pub async fn on_message(topic: &str, payload: Vec<u8>) -> Outcome {
    match Context::open().await {
        Ok(context) => receive(&context, topic, &payload).await,
        Err(error) => Outcome::Retry(format!("{error:#}")),
    }
}

/// Takes one message: done when what it says is stored and its receipt sent, rejected when nothing of it will ever
/// be right.
pub async fn receive(context: &Context, topic: &str, payload: &[u8]) -> Outcome {
    let outcome = take(context, topic, payload).await;
    outgoing::ring(&context.db, &context.outbox).await;
    outcome
}

async fn take(context: &Context, topic: &str, payload: &[u8]) -> Outcome {
    let topic = match Topic::parse(topic) {
        Ok(Topic::Doorbell(tenant)) => {
            let outcome = outgoing::woken(consume::catch_up(context, &tenant).await);
            recharging::send_soon(context, &tenant).await;
            return outcome;
        }
        Ok(Topic::Device(topic))
            if topic.channel == Channel::Acknowledgement && topic.kind == DeviceKind::Meter =>
        {
            return on_answer(context, &topic, payload).await;
        }
        Ok(Topic::Device(topic)) if topic.channel == Channel::Reading => topic,
        _ => return Outcome::Reject(format!("meters say nothing on the topic {topic:?}")),
    };
    match Message::<Readings>::from_payload(payload) {
        Ok(message) => {
            let stored = store(context, &topic, &message).await;
            let (gateway, id) = (&message.body.gateway, &message.id);
            settle(context, &topic.tenant, (gateway, id), stored).await
        }
        Err(error) => {
            if let Ok(message) = Message::<RawReadings>::from_payload(payload) {
                let stored = store_raw(context, &topic, &message).await;
                let (gateway, id) = (&message.body.gateway, &message.id);
                return settle(context, &topic.tenant, (gateway, id), stored).await;
            }
            let why = error.to_string();
            if let Ok(Message { id, body, .. }) = Message::<Sender>::from_payload(payload) {
                let refusal = refused("message_unreadable", &why);
                let told = (&body.gateway, &id);
                return settle(context, &topic.tenant, told, Err(refusal.into())).await;
            }
            Outcome::Reject(why)
        }
    }
}

/// What is still read of a message that says something unknown, as of a newer gateway: whom to send its receipt.
#[derive(Serialize, Deserialize)]
struct Sender {
    gateway: DeviceId,
}

/// The answer of a gateway to an order.
async fn on_answer(context: &Context, topic: &DeviceTopic, payload: &[u8]) -> Outcome {
    let message = match Message::<Acknowledgement>::from_payload(payload) {
        Ok(message) => message,
        Err(error) => return Outcome::Reject(error.to_string()),
    };
    let stored = tx(&context.db, &topic.tenant, async |tx| {
        let meter = MeterId::parse(topic.device.as_str())?;
        let answer = (&meter, &message.body);
        if switching::take_answer(context, tx, answer).await? {
            return Ok(());
        }
        recharging::answered(context, tx, answer).await
    })
    .await;
    let outcome = settle(
        context,
        &topic.tenant,
        (&message.body.gateway, &message.id),
        stored,
    )
    .await;
    recharging::send_soon(context, &topic.tenant).await;
    outcome
}

/// What devices said in formats of their own becomes readings, by the plugged decoder.
async fn store_raw(
    context: &Context,
    topic: &DeviceTopic,
    message: &Message<RawReadings>,
) -> anyhow::Result<()> {
    let raw = &message.body.messages;
    if raw.is_empty() || raw.len() > READINGS_MAX {
        return Err(refused("readings_count", "a message has 1 to 50 readings").into());
    }
    let ids: Vec<MeterId> = raw
        .iter()
        .filter_map(|raw| MeterId::parse(raw.meter.as_str()).ok())
        .collect();
    let ids: BTreeSet<&MeterId> = ids.iter().collect();
    let ids: Vec<&MeterId> = ids.into_iter().collect();
    let known = batch::known(&context.db, &topic.tenant, &ids).await?;
    let mut readings = Vec::with_capacity(raw.len());
    let mut first_refusal = None;
    for raw in raw {
        match decoded(&known, raw) {
            Ok(reading) => readings.push(reading),
            Err(refusal) => first_refusal = first_refusal.or(Some(refusal)),
        }
    }
    match first_refusal {
        Some(refusal) if readings.is_empty() => return Err(refusal.into()),
        Some(refusal) => {
            let (id, count) = (&message.id, raw.len() - readings.len());
            let text = format!("{count} of the devices' messages in {id} refused: {refusal}");
            web::log("warn", "-", &text);
        }
        None => {}
    }
    let read = Message {
        id: message.id.clone(),
        at: message.at,
        body: Readings {
            gateway: message.body.gateway.clone(),
            readings,
        },
    };
    store(context, topic, &read).await
}

/// A reading of what a device said.
fn decoded(known: &[Known], raw: &RawReading) -> Result<Reading, Refusal> {
    let known = known
        .iter()
        .find(|known| known.meter.id.as_str() == raw.meter.as_str());
    let meter = &known.ok_or_else(unknown_meter)?.meter;
    let hints = meter
        .decoding
        .ok_or_else(|| refused("decoding_missing", "the meter's messages are not decoded"))?;
    let bytes = decoding::bytes(&raw.bytes).ok_or_else(no_bytes)?;
    let registers = decoding::decode(&bytes, hints, meter.commodity).map_err(undecoded)?;
    Ok(Reading {
        meter: raw.meter.clone(),
        source: Read::Interval,
        read_at: raw.read_at,
        registers,
        flags: vec![Flag::GatewayClock],
        raw: Some(raw.bytes.clone()),
    })
}

async fn store(
    context: &Context,
    topic: &DeviceTopic,
    message: &Message<Readings>,
) -> anyhow::Result<()> {
    let body = &message.body;
    if body.readings.is_empty() || body.readings.len() > READINGS_MAX {
        return Err(refused("readings_count", "a message has 1 to 50 readings").into());
    }
    let mut first_refusal = None;
    let mut incoming = Vec::with_capacity(body.readings.len());
    for reading in &body.readings {
        match translate(context, topic, message, reading)? {
            Ok(reading) => incoming.push(reading),
            Err(refusal) => first_refusal = first_refusal.or(Some(refusal)),
        }
    }
    let taken = tx(&context.db, &topic.tenant, async |tx| {
        intake::take(context, tx, &incoming, |known, reading| {
            speaks_for(&body.gateway, known, reading, body)
        })
        .await
    })
    .await?;
    let mut stored = 0;
    for taken in taken {
        match taken {
            Taken::Refused(refusal) => first_refusal = first_refusal.or(Some(refusal)),
            _ => stored += 1,
        }
    }
    match first_refusal {
        // Nothing of it is stored: the whole message goes to quarantine, from where it can be replayed.
        Some(refusal) if stored == 0 => Err(refusal.into()),
        Some(refusal) => {
            // What is right of a message is stored; what never will be is counted here and not sent again.
            let (id, count) = (&message.id, body.readings.len());
            let refused = count - stored;
            let text = format!("{refused} of {count} readings of message {id} refused: {refusal}");
            web::log("warn", "-", &text);
            Ok(())
        }
        None => Ok(()),
    }
}

/// A reading of the wire as it is taken in; its id is made of what makes it that reading.
fn translate(
    context: &Context,
    topic: &DeviceTopic,
    message: &Message<Readings>,
    reading: &Reading,
) -> anyhow::Result<Result<Incoming, Refusal>> {
    let speaker = match topic.kind {
        DeviceKind::Meter => &reading.meter,
        DeviceKind::Gateway => &message.body.gateway,
        DeviceKind::Door => return Ok(Err(refused("not_a_meter", "doors have no readings"))),
    };
    if *speaker != topic.device {
        let text = "the topic is another device's than the message says";
        return Ok(Err(refused("topic_foreign", text)));
    }
    let Ok(meter) = MeterId::parse(reading.meter.as_str()) else {
        return Ok(Err(unknown_meter()));
    };
    let shows = |wanted: Register| {
        let mut registers = reading.registers.iter();
        registers.find(|value| value.register == wanted)
    };
    let Some(total) = shows(Register::Total) else {
        return Ok(Err(refused(
            "total_missing",
            "a reading has the register total",
        )));
    };
    let bands = [
        Register::Sharp,
        Register::Peak,
        Register::Flat,
        Register::Valley,
    ]
    .map(shows);
    let tells_bands = bands.iter().any(Option::is_some);
    let bands = bands.map(|value| value.map_or(0, |value| value.value_milli));
    let millis = reading.read_at.millis().to_string();
    let value = total.value_milli.to_string();
    let source = reading.source.as_str();
    // A clock that is not believed names no moment: then the message makes it that reading.
    let id = if believed(reading.read_at, context.now).believed {
        reading_id(&[meter.as_str(), source, &millis])?
    } else {
        reading_id(&[meter.as_str(), source, &millis, message.id.as_str(), &value])?
    };
    let flags: Vec<&str> = reading
        .flags
        .iter()
        .map(|flag: &Flag| flag.as_str())
        .collect();
    Ok(Ok(Incoming {
        id,
        meter,
        device_at: reading.read_at,
        register_milli: total.value_milli,
        bands: tells_bands.then_some(bands),
        source: match reading.source {
            Read::Interval => Source::Interval,
            Read::Freeze => Source::Freeze,
            Read::Manual => Source::Site,
        },
        gateway: Some(message.body.gateway.clone()),
        actor: None,
        flags: (!flags.is_empty()).then(|| flags.join(",")),
    }))
}

/// Only the gateway that reads a meter is believed about it, in the unit that the meter counts in.
fn speaks_for(
    gateway: &DeviceId,
    known: &Known,
    reading: &Incoming,
    body: &Readings,
) -> Result<(), Refusal> {
    own_gateway(&known.meter, gateway)?;
    let counted = match known.meter.commodity.unit() {
        kernel::MeterUnit::Kwh => Unit::KilowattHour,
        kernel::MeterUnit::M3 => Unit::CubicMetre,
    };
    let is_other = body
        .readings
        .iter()
        .filter(|other| other.meter.as_str() == reading.meter.as_str())
        .flat_map(|other| &other.registers)
        .any(|value| value.register == Register::Total && value.unit != counted);
    if is_other {
        return Err(refused("unit_foreign", "the meter counts in another unit"));
    }
    Ok(())
}

fn refused(code: &'static str, english: &str) -> Refusal {
    Refusal::invalid(code, Text::new(english, "读数消息不正确。"))
}

/// Ends a message. What is stored and what is refused both get a receipt, or the gateway would send it for ever;
/// what failed gets none, so that it comes again.
async fn settle(
    context: &Context,
    tenant: &TenantId,
    (gateway, message): (&DeviceId, &MessageId),
    stored: anyhow::Result<()>,
) -> Outcome {
    let outcome = match stored {
        Ok(()) => Outcome::Done,
        Err(error) => match error.downcast_ref::<Refusal>() {
            Some(refusal) => Outcome::Reject(refusal.to_string()),
            None => return Outcome::Retry(format!("{error:#}")),
        },
    };
    if let Err(error) = receipt(context, tenant, gateway, message).await {
        // What was read is stored: the gateway repeats the message, and its repetition is receipted.
        let text = format!("no receipt for message {message}: {error:#}");
        web::log("warn", "-", &text);
    }
    outcome
}

async fn receipt(
    context: &Context,
    tenant: &TenantId,
    gateway: &DeviceId,
    message: &MessageId,
) -> anyhow::Result<()> {
    let receipt = (context.new_id()?, message.clone(), context.now);
    publish_receipt(&context.outbox, tenant, gateway, receipt).await
}
