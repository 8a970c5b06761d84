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
    function: &'static str,
}

impl Outbox {
    /// The broker at that host and port, for the function of that name.
    #[must_use]
    pub fn new(function: &'static str, (host, port): (&str, &str), password: String) -> Self {
        Self {
            address: format!("mqtt://{host}:{port}"),
            password,
            function,
        }
    }

    /// Publishes with QoS 1, not retained, and waits for the broker's word.
    ///
    /// # Errors
    /// When the broker cannot be reached, refuses, or does not answer in time.
    pub async fn send(
        &self,
        topic: String,
        payload: Vec<u8>,
        within: Duration,
    ) -> anyhow::Result<()> {
        // Two connections of one client id throw each other out, hence an id of its own for each.
        let client = web::new_id(web::now()?)?;
        let address = format!("{}?client_id={}-{client}", self.address, self.function);
        let sending = async {
            let connection = Connection::open(&address, USER, &self.password, KEEP_ALIVE_S).await?;
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
