//! The site's HTTP interface, as far as a gateway needs it: a token for its password, and its snapshot.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::Full;
use kernel::Timestamp;
use serde::Deserialize;
use wire::snapshot::SNAPSHOT_BYTES_MAX;

use crate::clock::Clock;
use crate::config::Config;
use crate::http::{Answer, Limits, Url, ask};

/// A token is replaced this long before it ends, in milliseconds.
const TOKEN_LEFT_MS_MIN: i64 = 120_000;
/// What a token takes at most.
const SESSION_LIMITS: Limits = Limits {
    time: Duration::from_secs(10),
    body_bytes: 64 * 1024,
};
/// What a snapshot takes at most.
const SNAPSHOT_LIMITS: Limits = Limits {
    time: Duration::from_secs(120),
    body_bytes: SNAPSHOT_BYTES_MAX,
};

/// The site, and the token that lets us in.
pub struct Site {
    url: Url,
    config: Config,
    clock: Clock,
    token: Option<(String, Timestamp)>,
}

#[derive(Deserialize)]
struct Session {
    token: String,
    expires_at: Timestamp,
}

impl Site {
    /// The site of the configuration, when it names one.
    #[must_use]
    pub fn of(config: &Config, clock: &Clock) -> Option<Self> {
        let url = config.site.clone()?;
        Some(Self {
            url,
            config: config.clone(),
            clock: clock.clone(),
            token: None,
        })
    }

    /// The gateway's snapshot, unless it is still the one of that version.
    ///
    /// # Errors
    /// When the site is not reached, does not let us in, or has no snapshot.
    pub async fn snapshot(&mut self, version: i64) -> Result<Option<Bytes>> {
        let answer = match self.ask_for_snapshot(version).await? {
            refused if refused.status == StatusCode::UNAUTHORIZED => {
                // The token was revoked, or the site has another secret now: once more with a new one.
                self.token = None;
                self.ask_for_snapshot(version).await?
            }
            answer => answer,
        };
        match answer.status {
            StatusCode::OK => Ok(Some(answer.body)),
            StatusCode::NOT_MODIFIED => Ok(None),
            _ => bail!(
                "the site answers the question for the snapshot with {}",
                said(&answer)
            ),
        }
    }

    async fn ask_for_snapshot(&mut self, version: i64) -> Result<Answer> {
        let token = self.token().await?;
        let request = Request::get(format!("/api/gateways/{}/snapshot", self.config.gateway))
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::IF_NONE_MATCH, format!("\"{version}\""))
            .body(Full::new(Bytes::new()))?;
        Ok(ask(&self.url, request, SNAPSHOT_LIMITS).await?)
    }

    async fn token(&mut self) -> Result<String> {
        let now = self.clock.now();
        match &self.token {
            Some((token, until)) if until.millis_since(now) > TOKEN_LEFT_MS_MIN => {
                return Ok(token.clone());
            }
            _ => {}
        }
        let body = serde_json::json!({
            "tenant": self.config.tenant,
            "device": self.config.gateway,
            "secret": self.config.password.reveal(),
        });
        let request = Request::post("/api/device-sessions")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body.to_string())))?;
        let answer = ask(&self.url, request, SESSION_LIMITS).await?;
        ensure!(
            answer.status == StatusCode::CREATED || answer.status == StatusCode::OK,
            "the site does not let the gateway in: {}",
            said(&answer)
        );
        let session: Session =
            serde_json::from_slice(&answer.body).context("the site's answer is no session")?;
        self.token = Some((session.token.clone(), session.expires_at));
        Ok(session.token)
    }
}

/// The status, and the problem's stable code when there is one.
fn said(answer: &Answer) -> String {
    let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let code = problem
        .get("code")
        .and_then(serde_json::Value::as_str)
        .unwrap_or("no code");
    format!("HTTP {}, {code}", answer.status.as_u16())
}
