//! Web Push and UnifiedPush.

use std::collections::BTreeMap;

use anyhow::Context as _;
use kernel::Timestamp;
use messaging::endpoint::Reach;
use messaging::webpush::{Answer, Once, Push, Sender, Subscription, TOKEN_MS_MAX, Topic};

use super::{Carrier, Health, Parcel, Verdict};
use crate::context::random;
use crate::courier::{Answered, Call};
use crate::domain::payload;

/// The carrier of one tick.
pub(super) struct WebPush<'a> {
    pub(super) sender: &'a Sender,
    pub(super) reach: Reach,
    /// The header that each origin is shown; it can be shown again.
    pub(super) tokens: BTreeMap<String, String>,
}

impl Carrier for WebPush<'_> {
    fn call(&mut self, parcel: &Parcel, now: Timestamp) -> anyhow::Result<Call> {
        let (Some(p256dh), Some(auth)) = (&parcel.to.p256dh, &parcel.to.auth) else {
            anyhow::bail!("a subscription has no keys");
        };
        let subscription = Subscription::parse(&parcel.to.address, p256dh, auth, self.reach)?;
        let origin = subscription.endpoint.origin();
        let token = match self.tokens.get(origin) {
            Some(token) => token.clone(),
            None => {
                let ends = now.plus_millis(TOKEN_MS_MAX / 2);
                let token = self
                    .sender
                    .authorization(&subscription.endpoint, ends, now)?;
                self.tokens.insert(origin.to_owned(), token.clone());
                token
            }
        };
        let plaintext = payload(&parcel.content, parcel.language, &parcel.marked);
        let push = Push {
            plaintext: plaintext.as_bytes(),
            ttl_seconds: parcel.ttl_seconds(now),
            urgency: parcel.content.urgency,
            topic: parcel.content.collapse_key.as_deref().map(Topic::of),
        };
        let once = Once {
            ephemeral: random()?,
            salt: random()?,
        };
        let request = push
            .request(&subscription, &token, &once)
            .context("encrypting")?;
        Ok(Call {
            url: request.url,
            headers: request.headers,
            body: request.body,
        })
    }

    fn verdict(&self, answered: &Answered, now: Timestamp) -> Verdict {
        let answer = Answer::of(answered.status, answered.retry_after.as_deref(), now);
        Verdict {
            outcome: answer.into(),
            health: match answer {
                Answer::Failed => Health::Ill,
                Answer::Busy(named) => named.map_or(Health::Ill, Health::Busy),
                _ => Health::Well,
            },
            alarms: answer == Answer::Alarm,
        }
    }
}
