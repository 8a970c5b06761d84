//! A gateway's part in orders: what it is told, and what it answers.

use kernel::{DeviceId, MessageId};
use serde_json::Value;
use trigger::Outcome;
use wire::meter::Acknowledgement;

use crate::support::World;

impl World {
    /// What a gateway answers to an order.
    pub async fn answer(
        &self,
        (gateway, meter): (&str, &str),
        (message, command): (&str, &str),
        outcome: wire::meter::Outcome,
    ) -> Outcome {
        let message = wire::Message {
            id: MessageId::parse(message).unwrap(),
            at: self.context.now,
            body: Acknowledgement {
                command: MessageId::parse(command).unwrap(),
                gateway: DeviceId::parse(gateway).unwrap(),
                outcome,
            },
        };
        let topic = format!("linli/demo/meter/{meter}/ack");
        meters::mqtt::receive(&self.context, &topic, &message.to_payload().unwrap()).await
    }

    /// What meters were told since the last look: meter and body.
    pub fn told(&self) -> Vec<(String, Value)> {
        let published = self.published().into_iter();
        let told = published.filter_map(|(topic, message)| {
            let meter = topic.strip_prefix("linli/demo/meter/")?;
            let meter = meter.strip_suffix("/cmd")?.to_owned();
            Some((meter, message["body"].clone()))
        });
        told.collect()
    }
}
