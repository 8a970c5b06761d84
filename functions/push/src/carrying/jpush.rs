//! JPush (极光推送), REST API v3: `POST /v3/push` with the app's key and secret, one registration a request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::Timestamp;
use messaging::delivery::{Death, Outcome};
use messaging::retry_after;
use messaging::webpush::Urgency;
use serde_json::{Value, json};

use super::{Carrier, Health, Parcel, Verdict};
use crate::courier::{Answered, Call};
use crate::domain::{body, title};

/// The code for a registration that does not exist.
const NO_SUCH_TARGET: i64 = 1011;
/// The code for a message that is too large.
const TOO_LARGE: i64 = 2004;
/// What JPush takes as a time to live at most, in seconds: 15 days.
const TTL_SECONDS_MAX: u32 = 15 * 86_400;

/// An account.
#[derive(Debug, Clone)]
pub struct Jpush {
    url: String,
    authorization: String,
}

impl Jpush {
    /// The account of an app, where one is set.
    #[must_use]
    pub fn of(url: &str, app: &str, secret: &str) -> Option<Self> {
        if app.is_empty() {
            return None;
        }
        Some(Self {
            url: format!("{}/v3/push", url.trim_end_matches('/')),
            authorization: format!("Basic {}", STANDARD.encode(format!("{app}:{secret}"))),
        })
    }

    /// Whose breaker its registrations share.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.url.trim_end_matches("/v3/push")
    }
}

/// The carrier.
pub(super) struct Carries<'a>(pub(super) &'a Jpush);

impl Carrier for Carries<'_> {
    fn call(&mut self, parcel: &Parcel, now: Timestamp) -> anyhow::Result<Call> {
        let content = &parcel.content;
        let (title, alert) = (
            title(content, parcel.language),
            body(content, parcel.language),
        );
        let extras = json!({
            "id": parcel.marked.id, "url": content.url, "receipt": parcel.marked.receipt, "stop": parcel.marked.stop,
        });
        let mut android = json!({"alert": alert, "title": title, "extras": extras});
        if content.urgency == Urgency::High
            && let Some(fields) = android.as_object_mut()
        {
            fields.insert("priority".to_owned(), json!(2));
        }
        let mut options = json!({
            "time_to_live": parcel.ttl_seconds(now).min(TTL_SECONDS_MAX),
            "apns_production": true,
        });
        if let (Some(key), Some(fields)) = (&content.collapse_key, options.as_object_mut()) {
            fields.insert("apns_collapse_id".to_owned(), json!(key));
        }
        let body = json!({
            // A request that is repeated with the same cid is not pushed again.
            "cid": format!("{}-{}", parcel.delivery, parcel.number),
            "platform": "all",
            "audience": {"registration_id": [parcel.to.address]},
            "notification": {
                "android": android,
                "ios": {"alert": {"title": title, "body": alert}, "extras": extras},
            },
            "options": options,
        });
        Ok(Call {
            url: self.0.url.clone(),
            headers: vec![
                ("authorization", self.0.authorization.clone()),
                ("content-type", "application/json".to_owned()),
            ],
            body: body.to_string().into_bytes(),
        })
    }

    fn verdict(&self, answered: &Answered, now: Timestamp) -> Verdict {
        let named = answered
            .retry_after
            .as_deref()
            .and_then(|text| retry_after::moment(text, now));
        let code = serde_json::from_slice::<Value>(&answered.body)
            .ok()
            .and_then(|answer| answer.get("error")?.get("code")?.as_i64());
        let outcome = match (answered.status, code) {
            (200..=299, _) => Outcome::Accepted,
            (_, Some(NO_SUCH_TARGET)) => Outcome::Gone,
            (_, Some(TOO_LARGE)) => Outcome::Hopeless(Death::TooLarge),
            (401 | 403 | 408 | 429 | 500.., _) => Outcome::Again(named),
            _ => Outcome::Hopeless(Death::Refused),
        };
        let health = match (answered.status, named) {
            (429 | 503, Some(until)) => Health::Busy(until),
            (429 | 500.., _) => Health::Ill,
            _ => Health::Well,
        };
        Verdict {
            outcome,
            health,
            alarms: matches!(answered.status, 401 | 403),
        }
    }
}
