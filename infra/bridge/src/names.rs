//! Who the gateway is: its topics, and the messages it says there.

use anyhow::Result;
use kernel::{DeviceId, MessageId, OpeningId, TenantId, Timestamp};
use uuid::Uuid;
use wire::door::{Acknowledgement, Occurrence, OccurrenceKind, Outcome};
use wire::gateway::Report;
use wire::meter::{self, Reading, Readings, Source};
use wire::{Channel, DeviceKind, DeviceTopic, Message, Topic};

use crate::config::Config;
use crate::spool::{Kind, Outgoing};

/// Who we are, and what our messages are called.
pub struct Names {
    tenant: TenantId,
    gateway: DeviceId,
}

impl Names {
    /// The names in a configuration.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self {
            tenant: config.tenant.clone(),
            gateway: config.gateway.clone(),
        }
    }

    /// A topic of one of our doors.
    #[must_use]
    pub fn door_topic(&self, door: &DeviceId, channel: Channel) -> String {
        self.topic(DeviceKind::Door, door, channel)
    }

    /// A topic of one of our meters.
    #[must_use]
    pub fn meter_topic(&self, meter: &DeviceId, channel: Channel) -> String {
        self.topic(DeviceKind::Meter, meter, channel)
    }

    /// A topic of the gateway itself.
    #[must_use]
    pub fn gateway_topic(&self, channel: Channel) -> String {
        self.topic(DeviceKind::Gateway, &self.gateway, channel)
    }

    /// Whom a command topic commands, when it is one of our tenant.
    #[must_use]
    pub fn commanded(&self, topic: &str) -> Option<(DeviceKind, DeviceId)> {
        match Topic::parse(topic) {
            Ok(Topic::Device(DeviceTopic {
                tenant,
                kind,
                device,
                channel: Channel::Command,
            })) if tenant == self.tenant => Some((kind, device)),
            _ => None,
        }
    }

    /// Whether that gateway is us.
    #[must_use]
    pub fn is_us(&self, gateway: &DeviceId) -> bool {
        *gateway == self.gateway
    }

    /// The gateway itself.
    #[must_use]
    pub fn gateway(&self) -> &DeviceId {
        &self.gateway
    }

    /// What the gateway says about itself, as a message.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn report(&self, body: Report, now: Timestamp) -> Result<Outgoing> {
        let topic = self.gateway_topic(Channel::Acknowledgement);
        outgoing(topic, Kind::Acknowledgement, body, now)
    }

    /// What was decided at a door, as a message that is never dropped.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn decision(
        &self,
        door: &DeviceId,
        kind: OccurrenceKind,
        now: Timestamp,
    ) -> Result<Outgoing> {
        let occurrence = self.occurrence(door, kind, now)?;
        Ok(Outgoing {
            kind: Kind::Acknowledgement,
            ..occurrence
        })
    }

    fn topic(&self, kind: DeviceKind, device: &DeviceId, channel: Channel) -> String {
        DeviceTopic {
            tenant: self.tenant.clone(),
            kind,
            device: device.clone(),
            channel,
        }
        .to_string()
    }

    /// What was read: always on our own topic, where the broker never refuses us. On a meter's topic, a meter that
    /// nobody registered would get no receipt for ever. A message with a freeze is never dropped, because the freeze is
    /// not asked for again.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn readings(&self, readings: Vec<Reading>, now: Timestamp) -> Result<Outgoing> {
        let topic = self.gateway_topic(Channel::Reading);
        let freezes = readings
            .iter()
            .any(|reading| reading.source == Source::Freeze);
        let kind = if freezes {
            Kind::Acknowledgement
        } else {
            Kind::Occurrence
        };
        let gateway = self.gateway.clone();
        outgoing(topic, kind, Readings { gateway, readings }, now)
    }

    /// What happened at a door by itself, as a message.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn occurrence(
        &self,
        door: &DeviceId,
        kind: OccurrenceKind,
        now: Timestamp,
    ) -> Result<Outgoing> {
        let body = Occurrence {
            gateway: self.gateway.clone(),
            kind,
        };
        outgoing(
            self.door_topic(door, Channel::Event),
            Kind::Occurrence,
            body,
            now,
        )
    }

    /// What became of an order to a meter, as a message.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn meter_answer(
        &self,
        meter: &DeviceId,
        command: MessageId,
        outcome: meter::Outcome,
        now: Timestamp,
    ) -> Result<Outgoing> {
        let body = meter::Acknowledgement {
            command,
            gateway: self.gateway.clone(),
            outcome,
        };
        let topic = self.meter_topic(meter, Channel::Acknowledgement);
        outgoing(topic, Kind::Acknowledgement, body, now)
    }

    /// What became of a command, as a message.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn answer(
        &self,
        door: &DeviceId,
        opening: &OpeningId,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<Outgoing> {
        let body = Acknowledgement {
            opening: opening.clone(),
            gateway: self.gateway.clone(),
            outcome,
        };
        outgoing(
            self.door_topic(door, Channel::Acknowledgement),
            Kind::Acknowledgement,
            body,
            now,
        )
    }
}

fn outgoing<Body: serde::Serialize + serde::de::DeserializeOwned>(
    topic: String,
    kind: Kind,
    body: Body,
    at: Timestamp,
) -> Result<Outgoing> {
    let id = new_id();
    let payload = Message {
        id: id.clone(),
        at,
        body,
    }
    .to_payload()?;
    Ok(Outgoing {
        id,
        topic,
        kind,
        payload,
    })
}

/// A new message id, a UUID version 7.
#[must_use]
pub fn new_id() -> MessageId {
    MessageId::parse(&Uuid::now_v7().to_string()).expect("a UUID is an id")
}
