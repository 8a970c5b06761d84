//! Which command topics are still to be subscribed in this session.

use std::time::Duration;

use rumqttc::SubscribeReasonCode;
use tokio::time::{Instant, sleep_until};

/// A subscription that the broker refused is asked for again after this time: the door may be registered later.
const SUBSCRIBE_AGAIN: Duration = Duration::from_secs(5);
/// The most topics of one SUBSCRIBE.
const SUBSCRIPTIONS_AT_ONCE_MAX: usize = 64;
/// What is still to be subscribed: one SUBSCRIBE at a time, because the broker answers by position.
#[derive(Default)]
pub struct Subscribing {
    wanted: Vec<String>,
    asked: Vec<String>,
    not_before: Option<Instant>,
}

impl Subscribing {
    /// Everything is still to be asked for.
    pub fn to(wanted: Vec<String>) -> Self {
        Self {
            wanted,
            ..Self::default()
        }
    }

    /// The next topics to ask for, when it is time.
    pub async fn next(&mut self) -> Vec<String> {
        if self.wanted.is_empty() || !self.asked.is_empty() {
            std::future::pending::<()>().await;
        }
        if let Some(at) = self.not_before {
            sleep_until(at).await;
        }
        let count = self.wanted.len().min(SUBSCRIPTIONS_AT_ONCE_MAX);
        self.asked = self.wanted.drain(..count).collect();
        self.asked.clone()
    }

    /// Keeps what was refused, to ask for it again.
    pub fn answered(&mut self, codes: &[SubscribeReasonCode]) {
        let codes = codes.iter().map(Some).chain(std::iter::repeat(None));
        let refused = |(_, code): &(String, Option<&SubscribeReasonCode>)| {
            !matches!(code, Some(SubscribeReasonCode::Success(_)))
        };
        let refused: Vec<String> = self
            .asked
            .drain(..)
            .zip(codes)
            .filter(refused)
            .map(|(topic, _)| topic)
            .collect();
        if !refused.is_empty() {
            tracing::error!(topics = ?refused, "the broker refused subscriptions; asking again. Are the devices registered?");
            self.not_before = Some(Instant::now() + SUBSCRIBE_AGAIN);
            self.wanted.extend(refused);
        }
    }

    /// Whether everything was granted.
    pub fn is_done(&self) -> bool {
        self.asked.is_empty() && self.wanted.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rumqttc::QoS;

    #[tokio::test]
    async fn only_the_refused_subscriptions_are_asked_for_again() {
        let mut subscribing = Subscribing::to(["a", "b", "c"].map(str::to_owned).to_vec());
        assert_eq!(subscribing.next().await, ["a", "b", "c"]);
        let success = SubscribeReasonCode::Success(QoS::AtLeastOnce);
        subscribing.answered(&[success, SubscribeReasonCode::Failure]);
        assert_eq!(
            subscribing.wanted,
            ["b", "c"],
            "refused, and not answered at all"
        );
        assert!(!subscribing.is_done());
        subscribing.not_before = None;
        assert_eq!(subscribing.next().await, ["b", "c"]);
        subscribing.answered(&[success, success]);
        assert!(subscribing.is_done());
    }
}
