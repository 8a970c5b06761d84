//! What would have been sent.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kernel::TenantId;
use wire::Topic;

/// A topic and a payload.
type Sent = (String, Vec<u8>);

/// Topics and payloads in the order of sending.
#[derive(Debug, Default)]
pub struct Outbox {
    sent: Mutex<Vec<Sent>>,
    /// A broker that cannot be reached.
    pub broken: bool,
}

impl Outbox {
    /// Takes what was sent so far; doorbells stay.
    #[must_use]
    pub fn take(&self) -> Vec<Sent> {
        self.extract(|(topic, _)| !is_doorbell(topic))
    }

    /// Takes the tenants whose doorbells were rung so far.
    #[must_use]
    pub fn take_rung(&self) -> Vec<TenantId> {
        let rung = self.extract(|(topic, _)| is_doorbell(topic));
        let tenants = rung
            .iter()
            .filter_map(|(topic, _)| match Topic::parse(topic) {
                Ok(Topic::Doorbell(tenant)) => Some(tenant),
                _ => None,
            });
        tenants.collect()
    }

    /// Keeps the message.
    ///
    /// # Errors
    /// When the broker is said to be broken.
    pub async fn send(
        &self,
        topic: String,
        payload: Vec<u8>,
        _within: Duration,
    ) -> anyhow::Result<()> {
        anyhow::ensure!(!self.broken, "the broker cannot be reached");
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.push((topic, payload));
        Ok(())
    }

    fn extract(&self, takes: impl Fn(&Sent) -> bool) -> Vec<Sent> {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let (taken, kept) = std::mem::take(&mut *sent)
            .into_iter()
            .partition(|message| takes(message));
        *sent = kept;
        taken
    }
}

fn is_doorbell(topic: &str) -> bool {
    matches!(Topic::parse(topic), Ok(Topic::Doorbell(_)))
}
