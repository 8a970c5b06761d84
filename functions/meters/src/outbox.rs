//! The way out to gateways: receipts over MQTT, each attempt bounded in time.
//!
//! Natively nothing is sent: what would have been is kept for the tests to look at.

use std::time::Duration;

use anyhow::Context as _;
use kernel::{DeviceId, MessageId, TenantId, Timestamp};
use wire::{Channel, DeviceKind, DeviceTopic, gateway};

/// How long one publication may take, in milliseconds; then the gateway sends again.
pub const PUBLISH_MS_MAX: u64 = 3_000;

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
    let topic = DeviceTopic {
        tenant: tenant.clone(),
        kind: DeviceKind::Gateway,
        device: gateway.clone(),
        channel: Channel::Command,
    };
    let payload = wire::Message { id, at: now, body }.to_payload()?;
    let within = Duration::from_millis(PUBLISH_MS_MAX);
    outbox
        .send(topic.to_string(), payload, within)
        .await
        .with_context(|| format!("publishing on {topic}"))
}

#[cfg(target_family = "wasm")]
pub use guest::Outbox;
#[cfg(not(target_family = "wasm"))]
pub use native::Outbox;

#[cfg(target_family = "wasm")]
mod guest {
    //! Spin's outgoing MQTT.

    use std::future::{Future, poll_fn};
    use std::pin::pin;
    use std::task::Poll;
    use std::time::Duration;

    use spin_sdk::mqtt::{Connection, Qos};

    /// The user name of functions at the broker.
    const USER: &str = "functions";
    /// Longer than any publication lasts, in seconds: a connection is made for one message and then closed.
    const KEEP_ALIVE_S: u64 = 30;

    /// The broker.
    pub struct Outbox {
        address: String,
        password: String,
    }

    impl Outbox {
        /// The broker at that address (`mqtt://host:port`).
        #[must_use]
        pub fn new(address: &str, password: String) -> Self {
            Self {
                address: address.to_owned(),
                password,
            }
        }

        /// Publishes with QoS 1, not retained, and waits for the broker's word.
        pub(super) async fn send(
            &self,
            topic: String,
            payload: Vec<u8>,
            within: Duration,
        ) -> anyhow::Result<()> {
            // Two connections of one client id throw each other out, hence an id of its own for each.
            let client = web::new_id(web::now()?)?;
            let address = format!("{}?client_id=meters-{client}", self.address);
            let sending = async {
                let connection =
                    Connection::open(&address, USER, &self.password, KEEP_ALIVE_S).await?;
                connection.publish(&topic, payload, Qos::AtLeastOnce).await
            };
            match first(sending, spin_sdk::time::sleep(within)).await {
                Some(sent) => sent.map_err(Into::into),
                None => anyhow::bail!("the broker did not answer within {} ms", within.as_millis()),
            }
        }
    }

    /// What `work` gives, unless `limit` ends before it.
    async fn first<T>(work: impl Future<Output = T>, limit: impl Future<Output = ()>) -> Option<T> {
        let (mut work, mut limit) = (pin!(work), pin!(limit));
        poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending => limit.as_mut().poll(context).map(|()| None),
        })
        .await
    }
}

#[cfg(not(target_family = "wasm"))]
mod native {
    //! What would have been sent.

    use std::sync::Mutex;
    use std::time::Duration;

    /// Topics and payloads in the order of sending.
    #[derive(Debug, Default)]
    pub struct Outbox {
        sent: Mutex<Vec<(String, Vec<u8>)>>,
        /// A broker that cannot be reached.
        pub broken: bool,
    }

    impl Outbox {
        /// Takes what was sent so far.
        #[must_use]
        pub fn take(&self) -> Vec<(String, Vec<u8>)> {
            let mut sent = self
                .sent
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            std::mem::take(&mut sent)
        }

        pub(super) async fn send(
            &self,
            topic: String,
            payload: Vec<u8>,
            _within: Duration,
        ) -> anyhow::Result<()> {
            anyhow::ensure!(!self.broken, "the broker cannot be reached");
            let mut sent = self
                .sent
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            sent.push((topic, payload));
            Ok(())
        }
    }
}
