//! A relay that is switched over MQTT, with topics and payloads of its own (Tasmota, Zigbee2MQTT). Orders go out with
//! QoS 0 and on a connection that is there: a broker must not keep an order for a switch that comes back later.
//! What counts is the state that the switch publishes afterwards.

use std::pin::Pin;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rumqttc::{AsyncClient, ConnectReturnCode, Event, EventLoop, MqttOptions, Packet, QoS};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use wire::door::OccurrenceKind;

use super::presence::Presence;
use super::{Adapter, Failure, LockHandle, Movement, Noticed, Release, Report};
use crate::clock::Clock;
use crate::config::{DoorConfig, SwitchConfig};

/// How long the broker may take to answer.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// The pauses between two tries to connect.
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// An unanswered ping of this age ends the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// A broker that is away for longer makes the switch lost.
const LOST_AFTER: Duration = Duration::from_secs(8);

/// One switch with the doors that hang on it.
pub struct Switch {
    config: SwitchConfig,
    doors: Vec<DoorConfig>,
    clock: Clock,
    releases: mpsc::Receiver<Release>,
    reports: mpsc::UnboundedSender<Report>,
    presence: Presence,
}

/// An order under way.
struct Working {
    release: Release,
    until: Instant,
    last_state: Option<String>,
}

/// A connection with its subscription.
struct Session {
    client: AsyncClient,
    heard: mpsc::UnboundedReceiver<Packet>,
    pump: JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

impl Switch {
    /// A switch with the doors that hang on it, and the handle that gives it work.
    #[must_use]
    pub fn new(
        config: SwitchConfig,
        doors: &[DoorConfig],
        clock: Clock,
        reports: mpsc::UnboundedSender<Report>,
    ) -> (Self, LockHandle) {
        let (handle, releases) = LockHandle::new();
        let hung = doors.iter().filter(|door| door.adapter == config.id);
        let switch = Self {
            doors: hung.cloned().collect(),
            presence: Presence::new(Instant::now(), LOST_AFTER),
            config,
            clock,
            releases,
            reports,
        };
        (switch, handle)
    }

    async fn keep_up(mut self) {
        let mut pause = PAUSE_MIN;
        loop {
            let reason = match self.connect().await {
                Ok(session) => {
                    pause = PAUSE_MIN;
                    tracing::info!(switch = self.config.id, "the switch's broker is there");
                    // Found needs two signs of life after a loss, and a granted subscription is both.
                    let occurrence = self.presence.heard(Instant::now());
                    self.report(occurrence);
                    let occurrence = self.presence.heard(Instant::now());
                    self.report(occurrence);
                    if !self.serve(session).await {
                        return;
                    }
                    "the connection to the switch's broker broke".to_owned()
                }
                Err(error) => format!("the switch's broker is not reached: {error:#}"),
            };
            tracing::warn!(switch = self.config.id, reason, "the switch is not reached");
            if !self.wait_while_down(&reason, Instant::now() + pause).await {
                return;
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    async fn connect(&self) -> Result<Session> {
        let config = &self.config;
        let mut options = MqttOptions::new(
            format!("linli-{}", config.id),
            &config.broker_host,
            config.broker_port,
        );
        options.set_keep_alive(KEEP_ALIVE).set_clean_session(true);
        if let Some((name, password)) = &config.login {
            options.set_credentials(name, password.reveal());
        }
        let (client, eventloop) = AsyncClient::new(options, 16);
        let (packets, heard) = mpsc::unbounded_channel();
        let mut session = Session {
            client,
            heard,
            pump: tokio::spawn(pump(eventloop, packets)),
        };
        timeout(CONNECT_MAX, async {
            match session.heard.recv().await.context("no connection")? {
                Packet::ConnAck(answer) if answer.code == ConnectReturnCode::Success => {}
                other => bail!("the broker answered {other:?}"),
            }
            session
                .client
                .subscribe(&config.state_topic, QoS::AtMostOnce)
                .await?;
            loop {
                match session.heard.recv().await.context("no subscription")? {
                    Packet::SubAck(answer) => match answer.return_codes.first() {
                        Some(rumqttc::SubscribeReasonCode::Success(_)) => return Ok(()),
                        _ => bail!(
                            "the broker refuses the subscription to {}",
                            config.state_topic
                        ),
                    },
                    _ => continue,
                }
            }
        })
        .await
        .context("no answer in time")??;
        Ok(session)
    }

    /// Works on the open connection; false when nobody needs the switch any more.
    async fn serve(&mut self, mut session: Session) -> bool {
        let mut working: Option<Working> = None;
        loop {
            let until = working.as_ref().map(|working| working.until);
            tokio::select! {
                packet = session.heard.recv() => match packet {
                    Some(Packet::Publish(publish)) if !publish.retain => self.heard(&publish.payload, &mut working),
                    Some(_) => {}
                    None => {
                        if let Some(Working { release, .. }) = working {
                            release.finish(Err(Failure::Unanswered("the connection broke".into())));
                        }
                        return true;
                    }
                },
                () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => {
                    if let Some(Working { release, last_state, .. }) = working.take() {
                        release.finish(Err(silence(last_state)));
                    }
                }
                release = self.releases.recv(), if working.is_none() => match release {
                    Some(release) => working = self.order(&session, release).await,
                    None => return false,
                },
            }
        }
    }

    /// Sends one order, unless it is too late or cannot be.
    async fn order(&self, session: &Session, release: Release) -> Option<Working> {
        if self.clock.now() >= release.expires_at {
            release.finish(Err(Failure::Expired));
            return None;
        }
        let Some(payload) = self.payload(release.movement) else {
            release.finish(Err(Failure::Refused(
                "the switch cannot hold a door open".into(),
            )));
            return None;
        };
        let (topic, payload) = (
            fill(&self.config.command_topic, &release),
            fill(payload, &release),
        );
        if session
            .client
            .publish(topic, QoS::AtMostOnce, false, payload)
            .await
            .is_err()
        {
            release.finish(Err(Failure::Unreached("the connection broke".into())));
            return None;
        }
        Some(Working {
            release,
            until: Instant::now() + self.config.reply_timeout,
            last_state: None,
        })
    }

    fn payload(&self, movement: Movement) -> Option<&str> {
        match movement {
            Movement::Release { .. } => Some(&self.config.release_payload),
            Movement::Hold => self.config.hold_payload.as_deref(),
            Movement::Restore => self.config.restore_payload.as_deref(),
        }
    }

    fn heard(&self, payload: &[u8], working: &mut Option<Working>) {
        let Some(state) = state(payload, self.config.state_pointer.as_deref()) else {
            return;
        };
        let wanted = |release: &Release| match release.movement {
            Movement::Restore => &self.config.shut_value,
            Movement::Release { .. } | Movement::Hold => &self.config.open_value,
        };
        if let Some(done) = working.take_if(|working| state == *wanted(&working.release)) {
            done.release.finish(Ok(()));
        } else if let Some(working) = working {
            working.last_state = Some(state);
        }
    }

    /// Refuses orders while the broker is not reached; false when nobody needs the switch any more.
    async fn wait_while_down(&mut self, reason: &str, until: Instant) -> bool {
        let occurrence = self.presence.silent(Instant::now(), reason);
        self.report(occurrence);
        loop {
            tokio::select! {
                () = sleep_until(until) => return true,
                release = self.releases.recv() => match release {
                    Some(release) => release.finish(Err(Failure::Unreached(reason.to_owned()))),
                    None => return false,
                },
            }
        }
    }

    fn report(&self, occurrence: Option<OccurrenceKind>) {
        let Some(kind) = occurrence else { return };
        for door in &self.doors {
            // Nobody listens any more only when the bridge is being shut down.
            let _ = self.reports.send(Report {
                door: door.id.clone(),
                noticed: Noticed::Occurrence(kind.clone()),
            });
        }
    }
}

impl Adapter for Switch {
    fn run(self: Box<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(self.keep_up())
    }
}

/// Drives the connection until it breaks.
async fn pump(mut eventloop: EventLoop, packets: mpsc::UnboundedSender<Packet>) {
    loop {
        match eventloop.poll().await {
            Ok(Event::Incoming(packet)) => {
                if packets.send(packet).is_err() {
                    return;
                }
            }
            Ok(Event::Outgoing(_)) => {}
            Err(error) => {
                tracing::debug!(%error, "the connection to a switch's broker ended");
                return;
            }
        }
    }
}

/// Replaces the words in braces.
fn fill(template: &str, release: &Release) -> String {
    let for_ms = match release.movement {
        Movement::Release { for_ms } => for_ms,
        Movement::Hold | Movement::Restore => 0,
    };
    template
        .replace("{ms}", &for_ms.to_string())
        .replace("{deciseconds}", &for_ms.div_ceil(100).to_string())
        .replace("{seconds}", &for_ms.div_ceil(1_000).to_string())
        .replace("{output}", &release.output.to_string())
}

/// The state in a payload.
fn state(payload: &[u8], pointer: Option<&str>) -> Option<String> {
    let text = std::str::from_utf8(payload).ok()?;
    let Some(pointer) = pointer else {
        return Some(text.trim().to_owned());
    };
    let json: serde_json::Value = serde_json::from_str(text).ok()?;
    match json.pointer(pointer)? {
        serde_json::Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn silence(last_state: Option<String>) -> Failure {
    match last_state {
        Some(state) => Failure::Refused(format!(
            "the switch says {:?}",
            state.chars().take(80).collect::<String>()
        )),
        None => Failure::Unanswered("the switch does not say what it did".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_the_payload_or_a_place_in_its_json() {
        assert_eq!(state(b" ON\n", None), Some("ON".into()));
        let json = br#"{"StatusSTS":{"POWER":"ON"},"relay":[true]}"#;
        assert_eq!(state(json, Some("/StatusSTS/POWER")), Some("ON".into()));
        assert_eq!(state(json, Some("/relay/0")), Some("true".into()));
        assert_eq!(state(json, Some("/none")), None);
        assert_eq!(state(b"{", Some("/x")), None);
        assert_eq!(state(&[0xFF], None), None);
    }
}
