//! The way out for one-time codes: the developer's inbox, or a webhook of whoever sends short messages.
//!
//! Natively nothing is sent: what would have been is kept for the tests to look at.

use kernel::Message;

/// How long a webhook may take, in milliseconds.
pub const WEBHOOK_MS_MAX: u64 = 5_000;

/// What the variable `code_sender` says when codes stay here.
const INBOX: &str = "inbox";

/// How one-time codes reach people.
pub enum CodeSender {
    /// They are kept for `GET /internal/inbox`: for development, and for nothing else.
    Inbox,
    /// They are posted to a service that sends short messages.
    Webhook(Webhook),
}

impl CodeSender {
    /// What the variable `code_sender` says: `inbox`, or a URL.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        match text {
            INBOX => Ok(Self::Inbox),
            url if url.starts_with("https://") || url.starts_with("http://") => {
                Ok(Self::Webhook(Webhook::new(url)))
            }
            _ => anyhow::bail!("the variable code_sender is neither \"inbox\" nor a URL"),
        }
    }
}

/// What is posted to a webhook.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Sending<'a> {
    /// The message's id: a service that gets it twice sends it once.
    pub id: &'a str,
    /// Whose person it is.
    pub tenant: &'a str,
    /// To which number.
    pub phone: &'a str,
    /// For what: signing in, registering, another phone, another password; `account` for a new account's first password.
    pub purpose: &'a str,
    /// The code, or the password.
    pub code: &'a str,
    /// With what one signs in, where the number alone does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<&'a str>,
    /// How long it holds, in seconds; 0 for a password, which holds until it is replaced.
    pub expires_in_seconds: i64,
}

/// The code could not be handed over to be sent.
#[must_use]
pub fn not_sent() -> web::Problem {
    let message = Message::new(
        "The code could not be sent just now. Try again in a minute.",
        "验证码暂时无法发送，请一分钟后重试。",
    );
    web::Problem::new(::http::StatusCode::BAD_GATEWAY, "code_not_sent", message)
}

#[cfg(target_family = "wasm")]
pub use guest::Webhook;
#[cfg(not(target_family = "wasm"))]
pub use native::Webhook;

#[cfg(target_family = "wasm")]
mod guest {
    //! Spin's outgoing HTTP.

    use std::future::{Future, poll_fn};
    use std::pin::pin;
    use std::task::Poll;
    use std::time::Duration;

    use spin_sdk::http::FullBody;

    use super::{Sending, WEBHOOK_MS_MAX};

    /// A service at a URL.
    pub struct Webhook(String);

    impl Webhook {
        /// The service at that URL.
        #[must_use]
        pub fn new(url: &str) -> Self {
            Self(url.to_owned())
        }

        /// Posts the sending and waits for a word of success.
        pub(crate) async fn post(&self, sending: &Sending<'_>) -> anyhow::Result<()> {
            let body = bytes::Bytes::from(serde_json::to_vec(sending)?);
            let request = ::http::Request::post(&self.0)
                .header(::http::header::CONTENT_TYPE, "application/json")
                .header(::http::header::CONTENT_LENGTH, body.len())
                .body(FullBody::new(body))?;
            let limit = spin_sdk::time::sleep(Duration::from_millis(WEBHOOK_MS_MAX));
            match first(spin_sdk::http::send(request), limit).await {
                Some(Ok(response)) if response.status().is_success() => Ok(()),
                Some(Ok(response)) => {
                    anyhow::bail!("the webhook answered {}", response.status())
                }
                Some(Err(error)) => anyhow::bail!("the webhook cannot be reached: {error:?}"),
                None => anyhow::bail!("the webhook did not answer within {WEBHOOK_MS_MAX} ms"),
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
    //! What would have been posted.

    use std::sync::{Mutex, PoisonError};

    use super::Sending;

    /// A service at a URL.
    #[derive(Debug)]
    pub struct Webhook {
        /// Where.
        pub url: String,
        /// A service that cannot be reached.
        pub broken: bool,
        sent: Mutex<Vec<serde_json::Value>>,
    }

    impl Webhook {
        /// The service at that URL.
        #[must_use]
        pub fn new(url: &str) -> Self {
            Self {
                url: url.to_owned(),
                broken: false,
                sent: Mutex::default(),
            }
        }

        /// Takes what was posted so far.
        #[must_use]
        pub fn take(&self) -> Vec<serde_json::Value> {
            std::mem::take(&mut self.sent.lock().unwrap_or_else(PoisonError::into_inner))
        }

        pub(crate) async fn post(&self, sending: &Sending<'_>) -> anyhow::Result<()> {
            anyhow::ensure!(!self.broken, "the webhook cannot be reached");
            let sending = serde_json::to_value(sending)?;
            self.sent
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(sending);
            Ok(())
        }
    }
}
