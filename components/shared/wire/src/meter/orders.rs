//! What a meter is told to do, and what became of it.

use kernel::{DeviceId, MessageId, Timestamp};
use serde::{Deserialize, Serialize};

/// The body on `linli/{tenant}/meter/{meter}/cmd`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// What makes it that order: carried out once, whatever the number of deliveries.
    pub command: MessageId,
    /// From this moment on nothing is sent to the meter.
    pub expires_at: Timestamp,
    /// What is to be done.
    #[serde(flatten)]
    pub order: Order,
}

/// What a meter can be told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Order {
    /// Let the supply through, or cut it: the relay, or the valve.
    Switch {
        /// How it is to be afterwards.
        supply: Supply,
    },
    /// Take money that was paid ahead.
    Recharge {
        /// How much, in fen.
        amount_minor: i64,
        /// The number of the purchase, which the meter counts and takes once; absent: only ask which was the last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        number: Option<u8>,
    },
}

/// Whether something flows to the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Supply {
    /// It does.
    On,
    /// It is cut.
    Off,
}

impl Supply {
    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::On, Self::Off]
            .into_iter()
            .find(|known| known.as_str() == text)
    }
}

/// The body on `linli/{tenant}/meter/{meter}/ack`: what became of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// The order.
    pub command: MessageId,
    /// The gateway that answers for the meter; receipts go there.
    pub gateway: DeviceId,
    /// What happened.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What happened to an order at the meter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Outcome {
    /// The meter confirmed it.
    Done,
    /// Nothing was done: the number of the meter's last purchase is this, and the order named none, or another than
    /// the next.
    Counted {
        /// The number of the last purchase.
        number: u8,
    },
    /// The order came too late; nothing was sent to the meter.
    Expired,
    /// The meter, or its protocol or the gateway's configuration, does not do such a thing; nothing was done.
    Unsupported {
        /// What is missing.
        reason: String,
    },
    /// The meter refused; nothing was done.
    Refused {
        /// What it said.
        reason: String,
    },
    /// The meter was not reached; nothing was done.
    Unreached {
        /// What the line said.
        reason: String,
    },
    /// The order went out and no answer came: nobody knows whether it was done.
    Unanswered {
        /// What the line said.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_orders_stay_as_they_are() {
        let id = "01900000-0000-7000-8000-000000000001";
        for (order, text) in [
            (
                Order::Switch {
                    supply: Supply::Off,
                },
                r#""action":"switch","supply":"off""#,
            ),
            (
                Order::Recharge {
                    amount_minor: 5_000,
                    number: Some(3),
                },
                r#""action":"recharge","amount_minor":5000,"number":3"#,
            ),
            (
                Order::Recharge {
                    amount_minor: 5_000,
                    number: None,
                },
                r#""action":"recharge","amount_minor":5000"#,
            ),
        ] {
            let text =
                format!(r#"{{"command":"{id}","expires_at":"2025-11-24T16:05:00.000Z",{text}}}"#);
            let command: Command = serde_json::from_str(&text).unwrap();
            assert_eq!(command.order, order);
            assert_eq!(serde_json::to_string(&command).unwrap(), text);
        }
        let text =
            format!(r#"{{"command":"{id}","gateway":"gate-1","result":"counted","number":7}}"#);
        let answer: Acknowledgement = serde_json::from_str(&text).unwrap();
        assert_eq!(answer.outcome, Outcome::Counted { number: 7 });
        assert_eq!(serde_json::to_string(&answer).unwrap(), text);
    }
}
