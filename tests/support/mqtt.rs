//! An MQTT client that waits for what the broker says.

use std::time::Duration;

use rumqttc::{
    AsyncClient, Event, EventLoop, MqttOptions, Packet, Publish, QoS, SubscribeReasonCode,
};
use tokio::{sync::mpsc, time};

use crate::poll::PATIENCE;

const REQUESTS_QUEUED_MAX: usize = 64;

/// What the broker said of a request.
enum Said {
    Subscribed(bool),
    Published,
}

/// A connected client.
pub struct Mqtt {
    client: AsyncClient,
    messages: mpsc::UnboundedReceiver<Publish>,
    said: mpsc::UnboundedReceiver<Said>,
    lost: tokio::task::JoinHandle<String>,
}

impl Mqtt {
    /// Connects.
    ///
    /// # Errors
    /// When the broker refuses, or is not there.
    pub async fn connect(
        address: &str,
        client_id: &str,
        user: &str,
        password: &str,
    ) -> Result<Self, String> {
        let (host, port) = address
            .trim_start_matches("mqtt://")
            .split_once(':')
            .ok_or("no port in the address")?;
        let port = port
            .parse()
            .map_err(|error| format!("{address}: {error}"))?;
        let mut options = MqttOptions::new(client_id, host, port);
        options
            .set_credentials(user, password)
            .set_keep_alive(Duration::from_secs(30))
            .set_clean_session(true);
        let (client, mut events) = AsyncClient::new(options, REQUESTS_QUEUED_MAX);
        let first = time::timeout(PATIENCE, connected(&mut events))
            .await
            .map_err(|_| "the broker does not answer")?;
        first?;
        let (message_sender, messages) = mpsc::unbounded_channel();
        let (said_sender, said) = mpsc::unbounded_channel();
        let lost = tokio::spawn(run(events, message_sender, said_sender));
        Ok(Self {
            client,
            messages,
            said,
            lost,
        })
    }

    /// Subscribes with QoS 1; whether the broker grants it. A broker that ends the session refuses, too.
    ///
    /// # Panics
    /// When the broker says nothing.
    pub async fn subscribe(&mut self, filter: &str) -> bool {
        let asked = self.client.subscribe(filter, QoS::AtLeastOnce).await;
        asked.is_ok() && matches!(self.answer().await, Some(Said::Subscribed(true)))
    }

    /// Publishes with QoS 1, not retained; whether the broker took it. A broker that ends the session did not.
    ///
    /// # Panics
    /// When the broker says nothing.
    pub async fn publish(&mut self, topic: &str, payload: &[u8]) -> bool {
        self.publish_as(topic, payload, false).await
    }

    /// Publishes with QoS 1 and the retain flag; whether the broker took it.
    ///
    /// # Panics
    /// When the broker says nothing.
    pub async fn publish_retained(&mut self, topic: &str, payload: &[u8]) -> bool {
        self.publish_as(topic, payload, true).await
    }

    async fn publish_as(&mut self, topic: &str, payload: &[u8], retain: bool) -> bool {
        let asked = self
            .client
            .publish(topic, QoS::AtLeastOnce, retain, payload)
            .await;
        asked.is_ok() && matches!(self.answer().await, Some(Said::Published))
    }

    async fn answer(&mut self) -> Option<Said> {
        let answer = time::timeout(PATIENCE, self.said.recv()).await;
        answer.unwrap_or_else(|_| panic!("the broker says nothing"))
    }

    /// The next message.
    ///
    /// # Panics
    /// When none comes in time.
    pub async fn message(&mut self) -> Publish {
        match time::timeout(PATIENCE, self.messages.recv()).await {
            Ok(Some(message)) => message,
            Ok(None) => panic!("the session ended while a message was awaited"),
            Err(_) => panic!("no message in {} s", PATIENCE.as_secs()),
        }
    }

    /// The messages that have come so far.
    pub fn received(&mut self) -> Vec<Publish> {
        std::iter::from_fn(|| self.messages.try_recv().ok()).collect()
    }
}

impl Drop for Mqtt {
    fn drop(&mut self) {
        self.lost.abort();
    }
}

async fn connected(events: &mut EventLoop) -> Result<(), String> {
    loop {
        match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => return Ok(()),
            Ok(_) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
}

async fn run(
    mut events: EventLoop,
    messages: mpsc::UnboundedSender<Publish>,
    said: mpsc::UnboundedSender<Said>,
) -> String {
    loop {
        let told = match events.poll().await {
            Ok(Event::Incoming(Packet::Publish(message))) => messages.send(message).is_ok(),
            Ok(Event::Incoming(Packet::PubAck(_))) => said.send(Said::Published).is_ok(),
            Ok(Event::Incoming(Packet::SubAck(answer))) => {
                let granted = answer
                    .return_codes
                    .iter()
                    .all(|code| *code != SubscribeReasonCode::Failure);
                said.send(Said::Subscribed(granted)).is_ok()
            }
            Ok(_) => true,
            Err(error) => return error.to_string(),
        };
        if !told {
            return "the test ended".to_owned();
        }
    }
}
