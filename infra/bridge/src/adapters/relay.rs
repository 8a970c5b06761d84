//! A relay that is switched over HTTP: the RPC of Shelly's second generation. Every release carries the relay's own
//! timer, so that a lost "off" cannot hold a door open; one request at a time.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::Full;
use kernel::DeviceId;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;
use wire::door::OccurrenceKind;

use super::digest::{Asked, Challenge};
use super::presence::Presence;
use super::{Adapter, Failure, LockHandle, Movement, Noticed, Release, Report};
use crate::clock::Clock;
use crate::config::{DoorConfig, RelayConfig};
use crate::http::{Answer, HttpError, Limits, ask};

/// The user of every such relay.
const USER: &str = "admin";
/// The longest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// One relay with the doors that hang on it.
pub struct Relay {
    config: RelayConfig,
    doors: Vec<DoorConfig>,
    clock: Clock,
    releases: mpsc::Receiver<Release>,
    reports: mpsc::UnboundedSender<Report>,
    presence: Presence,
    challenge: Option<(Challenge, u32)>,
}

impl Relay {
    /// A relay with the doors that hang on it, and the handle that gives it work.
    #[must_use]
    pub fn new(
        config: RelayConfig,
        doors: &[DoorConfig],
        clock: Clock,
        reports: mpsc::UnboundedSender<Report>,
    ) -> (Self, LockHandle) {
        let (handle, releases) = LockHandle::new();
        let hung = doors.iter().filter(|door| door.adapter == config.id);
        let relay = Self {
            doors: hung.cloned().collect(),
            presence: Presence::new(Instant::now(), config.lost_after),
            config,
            clock,
            releases,
            reports,
            challenge: None,
        };
        (relay, handle)
    }

    async fn serve(mut self) {
        let mut look_at = Instant::now();
        loop {
            tokio::select! {
                biased;
                release = self.releases.recv() => {
                    let Some(release) = release else { return };
                    let result = self.carry_out(&release).await;
                    release.finish(result);
                }
                () = sleep_until(look_at) => {
                    let status = format!("/rpc/Switch.GetStatus?id={}", self.doors.first().map_or(0, |door| door.output));
                    // What it says does not matter, only that it speaks; `asked` keeps that.
                    let _ = self.asked(&status, self.config.reply_timeout).await;
                    look_at = Instant::now() + self.config.poll;
                }
            }
        }
    }

    async fn carry_out(&mut self, release: &Release) -> Result<(), Failure> {
        let left = release.expires_at.millis_since(self.clock.now());
        let Ok(left @ 1..) = u64::try_from(left) else {
            return Err(Failure::Expired);
        };
        let time = self.config.reply_timeout.min(Duration::from_millis(left));
        let answer = match self
            .asked(&order(release.output, release.movement), time)
            .await
        {
            Ok(answer) => answer,
            Err(HttpError::Unreached(reason)) => return Err(Failure::Unreached(reason)),
            Err(HttpError::Unanswered(reason)) => return Err(Failure::Unanswered(reason)),
        };
        verdict(&answer)
    }

    /// Asks once, and once more with the password when the relay wants it: who is not let in moves nothing.
    async fn asked(&mut self, path: &str, time: Duration) -> Result<Answer, HttpError> {
        let until = Instant::now() + time;
        let mut answer = self.ask_once(path, time).await;
        let challenge = answer.as_ref().ok().and_then(challenge);
        if let (Some(challenge), true) = (challenge, self.config.password.is_some()) {
            self.challenge = Some((challenge, 0));
            let left = until.saturating_duration_since(Instant::now());
            answer = self.ask_once(path, left).await;
        }
        let now = Instant::now();
        let occurrence = match &answer {
            Ok(_) => self.presence.heard(now),
            Err(error) => self.presence.silent(now, &error.to_string()),
        };
        self.report(occurrence);
        answer
    }

    async fn ask_once(&mut self, path: &str, time: Duration) -> Result<Answer, HttpError> {
        let mut request = Request::get(path);
        if let (Some((challenge, count)), Some(password)) =
            (&mut self.challenge, &self.config.password)
        {
            *count += 1;
            let cnonce = Uuid::now_v7().simple().to_string();
            let asked = Asked {
                method: "GET",
                uri: path,
                count: *count,
                cnonce: &cnonce,
            };
            request = request.header(
                header::AUTHORIZATION,
                challenge.answer(USER, password.reveal(), &asked),
            );
        }
        let request = request
            .body(Full::new(Bytes::new()))
            .map_err(|error| HttpError::Unreached(error.to_string()))?;
        let limits = Limits {
            time,
            body_bytes: ANSWER_BYTES_MAX,
        };
        ask(&self.config.url, request, limits).await
    }

    fn report(&self, occurrence: Option<OccurrenceKind>) {
        let Some(kind) = occurrence else { return };
        tracing::info!(relay = self.config.id, ?kind, "a relay's presence changed");
        let doors = self.doors.iter().map(|door| door.id.clone());
        doors.for_each(|door: DeviceId| {
            // Nobody listens any more only when the bridge is being shut down.
            let _ = self.reports.send(Report {
                door,
                noticed: Noticed::Occurrence(kind.clone()),
            });
        });
    }
}

impl Adapter for Relay {
    fn run(self: Box<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(self.serve())
    }
}

/// Path and query of a movement. A release always carries the relay's own timer.
fn order(output: u8, movement: Movement) -> String {
    match movement {
        Movement::Release { for_ms } => {
            let for_ms = for_ms.max(100);
            let (seconds, rest) = (for_ms / 1_000, for_ms % 1_000);
            let fraction = if rest == 0 {
                String::new()
            } else {
                format!(".{rest:03}")
            };
            format!("/rpc/Switch.Set?id={output}&on=true&toggle_after={seconds}{fraction}")
        }
        Movement::Hold => format!("/rpc/Switch.Set?id={output}&on=true"),
        Movement::Restore => format!("/rpc/Switch.Set?id={output}&on=false"),
    }
}

fn challenge(answer: &Answer) -> Option<Challenge> {
    let asked = answer
        .headers
        .get(header::WWW_AUTHENTICATE)?
        .to_str()
        .ok()?;
    (answer.status == StatusCode::UNAUTHORIZED).then(|| Challenge::parse(asked))?
}

/// Only the relay's own word that it switched counts.
fn verdict(answer: &Answer) -> Result<(), Failure> {
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match answer.status {
        StatusCode::OK
            if body
                .get("was_on")
                .is_some_and(serde_json::Value::is_boolean) =>
        {
            Ok(())
        }
        StatusCode::OK => Err(Failure::Unanswered(
            "the relay's answer does not say that it switched".into(),
        )),
        StatusCode::UNAUTHORIZED => Err(Failure::Refused(
            "the relay does not accept the password".into(),
        )),
        status => {
            let message = body
                .get("message")
                .and_then(serde_json::Value::as_str)
                .unwrap_or("without a reason");
            let message: String = message.chars().take(200).collect();
            Err(Failure::Refused(format!(
                "HTTP {}, {message}",
                status.as_u16()
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_always_carries_the_relay_s_own_timer() {
        for (for_ms, query) in [
            (3_000, "id=0&on=true&toggle_after=3"),
            (2_500, "id=0&on=true&toggle_after=2.500"),
            (0, "id=0&on=true&toggle_after=0.100"),
        ] {
            let path = order(0, Movement::Release { for_ms });
            assert_eq!(path, format!("/rpc/Switch.Set?{query}"));
        }
        assert_eq!(order(1, Movement::Restore), "/rpc/Switch.Set?id=1&on=false");
    }

    #[test]
    fn only_the_relay_s_own_word_counts_as_released() {
        let check = |status: u16, body: &'static str| {
            verdict(&Answer {
                status: StatusCode::from_u16(status).unwrap(),
                headers: http::HeaderMap::new(),
                body: Bytes::from_static(body.as_bytes()),
            })
        };
        assert_eq!(check(200, "{\"was_on\":false}"), Ok(()));
        assert!(matches!(check(200, "<html>"), Err(Failure::Unanswered(_))));
        assert!(matches!(check(401, ""), Err(Failure::Refused(_))));
        let refused = check(500, "{\"code\":-105,\"message\":\"no such switch\"}");
        assert_eq!(
            refused,
            Err(Failure::Refused("HTTP 500, no such switch".into()))
        );
    }
}
