//! Requests to channels outside. In a native build they are kept and answered as a test says.

use anyhow::Context as _;

/// How long a channel may take to answer, in milliseconds.
pub const ANSWER_MS_MAX: u64 = 8_000;

/// The largest answer that is read, in bytes.
pub const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The method.
    pub method: &'static str,
    /// The whole address.
    pub url: String,
    /// Its headers.
    pub headers: Vec<(&'static str, String)>,
    /// Its body.
    pub body: String,
}

/// An answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answered {
    /// The HTTP status.
    pub status: u16,
    /// Its headers, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answered {
    /// Its body as text.
    ///
    /// # Errors
    /// When it is none.
    pub fn text(&self) -> anyhow::Result<&str> {
        std::str::from_utf8(&self.body).context("reading an answer as text")
    }

    /// The value of a header; empty when it is absent.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }
}

#[cfg(target_family = "wasm")]
pub use guest::Exchange;
#[cfg(not(target_family = "wasm"))]
pub use native::Exchange;

#[cfg(target_family = "wasm")]
mod guest {
    //! Spin's outgoing HTTP.

    use std::future::{Future, poll_fn};
    use std::pin::pin;
    use std::task::Poll;
    use std::time::Duration;

    use http_body_util::BodyExt as _;
    use spin_sdk::http::FullBody;

    use super::{ANSWER_BYTES_MAX, ANSWER_MS_MAX, Answered, Sent};

    /// The way out.
    #[derive(Default)]
    pub struct Exchange {}

    impl Exchange {
        /// Sends the request and reads the answer.
        pub(crate) async fn send(&self, sent: Sent) -> anyhow::Result<Answered> {
            let limit = spin_sdk::time::sleep(Duration::from_millis(ANSWER_MS_MAX));
            match first(exchange(sent), limit).await {
                Some(answered) => answered,
                None => anyhow::bail!("no answer within {ANSWER_MS_MAX} ms"),
            }
        }
    }

    async fn exchange(sent: Sent) -> anyhow::Result<Answered> {
        let mut builder = ::http::Request::builder()
            .method(sent.method)
            .uri(&sent.url);
        for (name, value) in &sent.headers {
            builder = builder.header(*name, value);
        }
        if !sent.body.is_empty() {
            // Without its length a body goes out in chunks, which not every server reads.
            builder = builder.header(::http::header::CONTENT_LENGTH, sent.body.len());
        }
        let request = builder.body(FullBody::new(bytes::Bytes::from(sent.body)))?;
        let response = spin_sdk::http::send(request)
            .await
            .map_err(|error| anyhow::anyhow!("the channel cannot be reached: {error:?}"))?;
        let (parts, mut incoming) = response.into_parts();
        let mut body = Vec::new();
        while let Some(frame) = incoming.frame().await {
            let frame =
                frame.map_err(|error| anyhow::anyhow!("the answer broke off: {error:?}"))?;
            if let Ok(bytes) = frame.into_data() {
                anyhow::ensure!(
                    body.len() + bytes.len() <= ANSWER_BYTES_MAX,
                    "the answer is too large"
                );
                body.extend_from_slice(&bytes);
            }
        }
        let headers = parts.headers.iter();
        Ok(Answered {
            status: parts.status.as_u16(),
            headers: headers
                .filter_map(|(name, value)| {
                    Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
                })
                .collect(),
            body,
        })
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
    //! What would have been sent, and what a test has prepared as answers.

    use std::collections::VecDeque;
    use std::sync::{Mutex, PoisonError};

    use super::{Answered, Sent};

    /// The way out.
    #[derive(Default)]
    pub struct Exchange {
        sent: Mutex<Vec<Sent>>,
        answers: Mutex<VecDeque<Answered>>,
    }

    impl Exchange {
        /// Has the next request answered like this; without one, nobody answers.
        pub fn answer(&self, answered: Answered) {
            self.answers
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push_back(answered);
        }

        /// Takes what was sent so far.
        #[must_use]
        pub fn take(&self) -> Vec<Sent> {
            std::mem::take(&mut self.sent.lock().unwrap_or_else(PoisonError::into_inner))
        }

        pub(crate) async fn send(&self, sent: Sent) -> anyhow::Result<Answered> {
            self.sent
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(sent);
            let answer = self
                .answers
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop_front();
            answer.ok_or_else(|| anyhow::anyhow!("nobody answers"))
        }
    }
}
