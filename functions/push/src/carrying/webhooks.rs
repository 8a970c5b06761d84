//! Webhooks by Standard Webhooks: the message in both languages as JSON, signed by each secret that holds.

use kernel::Timestamp;
use messaging::delivery::Outcome;
use messaging::endpoint::{Endpoint, Reach};
use messaging::webhook::{Answer, Signed, headers};
use serde_json::json;

use super::{Carrier, Health, Parcel, Verdict};
use crate::courier::{Answered, Call};
use crate::domain::{Tongue, purpose_name, title};
use crate::keys::Keys;

/// The carrier.
pub(super) struct Webhooks<'a> {
    pub(super) keys: &'a Keys,
    pub(super) reach: Reach,
}

impl Carrier for Webhooks<'_> {
    fn call(&mut self, parcel: &Parcel, now: Timestamp) -> anyhow::Result<Call> {
        let endpoint = Endpoint::parse(&parcel.to.address, self.reach)?;
        let content = &parcel.content;
        let body = json!({
            "type": "push.message",
            "timestamp": now.to_string(),
            "data": {
                "id": parcel.delivery,
                "message": parcel.message,
                "purpose": purpose_name(content.purpose),
                "sender": content.sender,
                "title": {"zh": title(content, Tongue::Chinese), "en": title(content, Tongue::English)},
                "body": {"zh": content.body.zh, "en": content.body.en},
                "url": content.url,
                "receipt": parcel.marked.receipt,
            },
        })
        .to_string();
        let mut numbers = vec![parcel.to.secret_number];
        if parcel.to.previous_until.is_some_and(|until| now < until) {
            numbers.push(parcel.to.secret_number - 1);
        }
        let secrets = numbers
            .into_iter()
            .map(|number| {
                self.keys
                    .webhook_secret(&parcel.tenant, &parcel.device, number)
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        let signed = Signed {
            id: parcel.delivery.as_str(),
            timestamp_seconds: now.millis().div_euclid(1_000),
            body: body.as_bytes(),
        };
        let mut all = vec![("content-type", "application/json".to_owned())];
        all.extend(headers(&signed, &secrets)?);
        Ok(Call {
            url: endpoint.as_str().to_owned(),
            headers: all,
            body: body.into_bytes(),
        })
    }

    fn verdict(&self, answered: &Answered, now: Timestamp) -> Verdict {
        let answer = Answer::of(answered.status, answered.retry_after.as_deref(), now);
        let outcome = match answer {
            Answer::Delivered => Outcome::Accepted,
            Answer::Disabled => Outcome::Gone,
            Answer::Failed(named) => Outcome::Again(named),
        };
        Verdict {
            outcome,
            health: match answered.status {
                500.. => Health::Ill,
                _ => Health::Well,
            },
            alarms: false,
        }
    }
}
