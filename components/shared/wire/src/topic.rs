//! MQTT topics: `linli/{tenant}/{kind}/{device}/{event|reading|state|ack|cmd}` for devices, and the doorbell
//! `linli/{tenant}/event` that wakes the consumers of events.

use std::fmt;

use kernel::{DeviceId, TenantId};

/// What sort of device a topic belongs to.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    /// A door, gate or barrier.
    Door,
    /// A bridge at the gate or in the meter room; it speaks for its children.
    Gateway,
    /// A meter of electricity, water, heat or gas.
    Meter,
}

impl DeviceKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Door, Self::Gateway, Self::Meter];

    /// The topic level, and the name in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Door => "door",
            Self::Gateway => "gateway",
            Self::Meter => "meter",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// The last level of a device's topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// Something happened at the device; from the device.
    Event,
    /// A measured value; from the device.
    Reading,
    /// The present state, the only retained channel; from the device.
    State,
    /// The answer to a command; from the device.
    Acknowledgement,
    /// A command; to the device, never retained.
    Command,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 5] = [
        Self::Event,
        Self::Reading,
        Self::State,
        Self::Acknowledgement,
        Self::Command,
    ];

    /// The topic level.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Reading => "reading",
            Self::State => "state",
            Self::Acknowledgement => "ack",
            Self::Command => "cmd",
        }
    }

    /// Whether the device is the sender.
    #[must_use]
    pub fn is_from_device(self) -> bool {
        self != Self::Command
    }
}

/// A topic of one device.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceTopic {
    /// The tenant that owns the device.
    pub tenant: TenantId,
    /// The sort of device.
    pub kind: DeviceKind,
    /// The device.
    pub device: DeviceId,
    /// What is said there.
    pub channel: Channel,
}

/// Any topic of ours.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// A device's.
    Device(DeviceTopic),
    /// The doorbell of a tenant's events.
    Doorbell(TenantId),
}

/// Why a text is no topic of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicError(String);

impl fmt::Display for TopicError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{:?} is neither linli/{{tenant}}/{{kind}}/{{device}}/{{event|reading|state|ack|cmd}} nor linli/{{tenant}}/event",
            self.0
        )
    }
}

impl std::error::Error for TopicError {}

impl Topic {
    /// Parses a topic name (no wildcards).
    ///
    /// # Errors
    /// When it is not one of ours.
    pub fn parse(text: &str) -> Result<Self, TopicError> {
        Self::parse_levels(text).ok_or_else(|| TopicError(text.to_owned()))
    }

    fn parse_levels(text: &str) -> Option<Self> {
        let mut levels = text.split('/');
        if levels.next()? != "linli" {
            return None;
        }
        let tenant = TenantId::parse(levels.next()?).ok()?;
        let kind = levels.next()?;
        let Some(device) = levels.next() else {
            return (kind == "event").then_some(Self::Doorbell(tenant));
        };
        let channel = levels.next()?;
        let topic = DeviceTopic {
            tenant,
            kind: DeviceKind::parse(kind)?,
            device: DeviceId::parse(device).ok()?,
            channel: Channel::ALL
                .into_iter()
                .find(|known| known.as_str() == channel)?,
        };
        levels.next().is_none().then_some(Self::Device(topic))
    }
}

impl fmt::Display for DeviceTopic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            tenant,
            kind,
            device,
            channel,
        } = self;
        write!(
            formatter,
            "linli/{tenant}/{}/{device}/{}",
            kind.as_str(),
            channel.as_str()
        )
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(topic) => topic.fmt(formatter),
            Self::Doorbell(tenant) => write!(formatter, "linli/{tenant}/event"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn foreign_and_malformed_topics_are_refused() {
        for text in [
            "",
            "linli",
            "linli/demo",
            "linli/demo/door/d1",
            "linli/demo/door/d1/cmd/x",
            "linli/demo/lamp/d1/cmd",
            "linli/demo/door//cmd",
            "linli/+/door/d1/cmd",
            "linli/demo/door/#",
            "other/demo/event",
            "/linli/demo/event",
            "linli/demo/event/",
        ] {
            assert!(Topic::parse(text).is_err(), "{text:?}");
        }
        assert_eq!(
            Topic::parse("linli/demo/event").unwrap().to_string(),
            "linli/demo/event"
        );
    }

    proptest! {
        #[test]
        fn a_topic_written_is_the_topic_read(
            tenant in "[A-Za-z0-9_-]{1,64}",
            device in "[A-Za-z0-9_-]{1,64}",
            kind in 0..DeviceKind::ALL.len(),
            channel in 0..Channel::ALL.len(),
        ) {
            let topic = Topic::Device(DeviceTopic {
                tenant: TenantId::parse(&tenant).unwrap(),
                kind: DeviceKind::ALL[kind],
                device: DeviceId::parse(&device).unwrap(),
                channel: Channel::ALL[channel],
            });
            prop_assert_eq!(Topic::parse(&topic.to_string()).unwrap(), topic);
        }

        #[test]
        fn any_text_is_a_topic_or_an_error(text in ".*") {
            if let Ok(topic) = Topic::parse(&text) {
                prop_assert_eq!(topic.to_string(), text);
            }
        }
    }
}
