//! Who may connect, publish and subscribe: asked of an HTTP service (the identity function) in the convention of
//! EMQX's HTTP authentication, and remembered for a short while.
//!
//! The broker has no opinion of its own, except that wildcards over everything are denied before asking.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

/// The longest wait for an answer; none is a denial.
pub const ANSWER_TIME_MAX: Duration = Duration::from_secs(2);
/// The largest answer in bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// How long a permission is remembered.
pub const ALLOWED_KEPT: Duration = Duration::from_secs(30);
/// How long a denial is remembered.
pub const DENIED_KEPT: Duration = Duration::from_secs(2);
/// The most questions at the same time: checking passwords is made to be slow, and strangers may ask for it.
const QUESTIONS_AT_ONCE_MAX: usize = 32;
/// The most answers remembered.
const ANSWERS_MAX: usize = 20_000;

/// Where to ask.
#[derive(Clone, Debug)]
pub struct Questions {
    /// `http://` address of the authentication question.
    pub authentication: String,
    /// `http://` address of the authorization question.
    pub authorization: String,
    /// Presented as a bearer token.
    pub internal_token: String,
}

/// The answer to one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whether it is allowed.
    pub allowed: bool,
    /// Whether nothing more need be asked for this client.
    pub superuser: bool,
}

/// A client that wants to connect.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// Its client id.
    pub client_id: &'a str,
    /// Its user name, empty when it gave none.
    pub username: &'a str,
    /// Its password.
    pub password: &'a [u8],
    /// Its network address without the port.
    pub host: &'a str,
}

/// What a client wants to do.
#[derive(Clone, Copy, Debug)]
pub struct Action<'a> {
    /// Its client id.
    pub client_id: &'a str,
    /// Its user name.
    pub username: &'a str,
    /// `publish` or `subscribe`.
    pub action: &'static str,
    /// Topic name or filter.
    pub topic: &'a str,
    /// 0, 1 or 2.
    pub qos: u8,
    /// Whether it publishes with the retain flag.
    pub retain: bool,
}

type Key = [u8; 32];

/// Asks and remembers.
pub struct Access {
    questions: Questions,
    client: Client<HttpConnector, Full<Bytes>>,
    remembered: Mutex<HashMap<Key, (Instant, Answer)>>,
    at_once: Semaphore,
    asked: AtomicU64,
    failed: AtomicU64,
}

#[derive(Deserialize)]
struct Reply {
    result: String,
    #[serde(default)]
    is_superuser: bool,
}

impl Access {
    /// Asks there.
    #[must_use]
    pub fn new(questions: Questions) -> Self {
        Self {
            questions,
            client: Client::builder(TokioExecutor::new()).build(HttpConnector::new()),
            remembered: Mutex::default(),
            at_once: Semaphore::new(QUESTIONS_AT_ONCE_MAX),
            asked: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        }
    }

    /// Questions asked, and how many of them failed.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (
            self.asked.load(Ordering::Relaxed),
            self.failed.load(Ordering::Relaxed),
        )
    }

    /// Whether this client may connect.
    pub async fn authenticate(&self, claim: Claim<'_>) -> Answer {
        let Claim {
            client_id,
            username,
            password,
            host,
        } = claim;
        let key = key(&[
            b"connect",
            client_id.as_bytes(),
            username.as_bytes(),
            password,
            host.as_bytes(),
        ]);
        let Ok(password) = std::str::from_utf8(password) else {
            return DENIED;
        };
        let body = json!({ "clientid": client_id, "username": username, "password": password, "peerhost": host });
        let (answer, is_new) = self
            .answer(key, &self.questions.authentication, &body)
            .await;
        if is_new && !answer.allowed {
            tracing::warn!(client_id, username, host, "MQTT: connection refused");
        }
        answer
    }

    /// Whether this client may publish to or subscribe to this topic.
    pub async fn authorize(&self, question: Action<'_>) -> Answer {
        let Action {
            client_id,
            username,
            action,
            topic,
            qos,
            retain,
        } = question;
        let flags = [qos, u8::from(retain)];
        let key = key(&[
            action.as_bytes(),
            client_id.as_bytes(),
            username.as_bytes(),
            topic.as_bytes(),
            &flags,
        ]);
        let body = json!({
            "clientid": client_id, "username": username, "action": action, "topic": topic, "qos": qos,
            "retain": retain,
        });
        let url = if spans_everything(topic) {
            None
        } else {
            Some(&*self.questions.authorization)
        };
        let (answer, is_new) = match url {
            Some(url) => self.answer(key, url, &body).await,
            None => (DENIED, self.remembered(&key).is_none()),
        };
        if is_new && !answer.allowed {
            // Once in a while only: a device that is wrong is wrong with every message.
            self.remember(key, DENIED);
            tracing::warn!(client_id, username, action, topic, "MQTT: denied");
        }
        answer
    }

    /// The answer, and whether it was asked for now.
    async fn answer(&self, key: Key, url: &str, body: &Value) -> (Answer, bool) {
        if let Some(answer) = self.remembered(&key) {
            return (answer, false);
        }
        self.asked.fetch_add(1, Ordering::Relaxed);
        let asked = async {
            let _place = self.at_once.acquire().await;
            self.ask(url, body).await
        };
        let asked = tokio::time::timeout(ANSWER_TIME_MAX, asked).await;
        match asked.context("no answer in time").and_then(|answer| answer) {
            Ok(answer) => {
                self.remember(key, answer);
                (answer, true)
            }
            Err(error) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                tracing::error!(
                    error = format!("{error:#}"),
                    url,
                    "MQTT: denied, because nobody could say"
                );
                (DENIED, false)
            }
        }
    }

    async fn ask(&self, url: &str, body: &Value) -> Result<Answer> {
        let request = Request::post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json")
            .header(
                header::AUTHORIZATION,
                format!("Bearer {}", self.questions.internal_token),
            )
            .body(Full::new(Bytes::from(body.to_string())))?;
        let response = self.client.request(request).await.context("asking")?;
        let status = response.status();
        ensure!(status == StatusCode::OK, "the answer is {status}");
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX)
            .collect()
            .await
            .map_err(|error| anyhow::anyhow!("reading the answer: {error}"))?
            .to_bytes();
        let reply: Reply = serde_json::from_slice(&body).context("reading the answer")?;
        let allowed = reply.result == "allow";
        Ok(Answer {
            allowed,
            superuser: allowed && reply.is_superuser,
        })
    }

    fn remembered(&self, key: &Key) -> Option<Answer> {
        let remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        remembered
            .get(key)
            .filter(|(until, _)| *until > Instant::now())
            .map(|(_, answer)| *answer)
    }

    fn remember(&self, key: Key, answer: Answer) {
        let now = Instant::now();
        let kept = if answer.allowed {
            ALLOWED_KEPT
        } else {
            DENIED_KEPT
        };
        let mut remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= ANSWERS_MAX {
            remembered.retain(|_, (until, _)| *until > now);
        }
        if remembered.len() >= ANSWERS_MAX {
            remembered.clear();
        }
        remembered.insert(key, (now + kept, answer));
    }
}

const DENIED: Answer = Answer {
    allowed: false,
    superuser: false,
};

/// A digest of all parts, so that no password lies in memory for longer than its question.
fn key(parts: &[&[u8]]) -> Key {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

/// Whether a topic or filter (without `$share/...`) spans every tenant and every application, or is the broker's
/// own. Wildcards further down are for the service to judge: it knows who may see all tenants.
fn spans_everything(topic: &str) -> bool {
    let first = topic.split('/').next().unwrap_or_default();
    matches!(first, "" | "#" | "+") || first.starts_with('$')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_over_everything_and_the_brokers_own_topics_are_denied_without_asking() {
        for topic in ["#", "+", "+/+/door/#", "$SYS/#", "$SYS/broker", "", "/a"] {
            assert!(spans_everything(topic), "{topic}");
        }
        for topic in ["linli/garden/#", "linli/+/door/+/ack", "linli"] {
            assert!(!spans_everything(topic), "{topic}");
        }
    }

    #[test]
    fn questions_that_differ_only_in_where_their_parts_end_have_different_keys() {
        assert_ne!(key(&[b"ab", b"c"]), key(&[b"a", b"bc"]));
    }
}
