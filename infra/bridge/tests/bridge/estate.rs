//! A gateway, its data folder, its doors and its broker, for one test.

use std::path::Path;
use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, Instant};

use kernel::{OpeningId, Timestamp};
use linli_bridge::bridge::Bridge;
use linli_bridge::clock::Clock;
use linli_bridge::config::Config;
use linli_bridge::simulator::{Behaviour, Controller};
use tempfile::TempDir;
use wire::Message;
use wire::door::{Acknowledgement, Command, Occurrence, OccurrenceKind, Outcome};

use crate::broker::Broker;

pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct Estate {
    pub broker: Broker,
    pub folder: TempDir,
}

impl Estate {
    pub async fn new() -> Self {
        let broker = Broker::start().await;
        broker.receipts(true);
        Self {
            broker,
            folder: TempDir::new().unwrap(),
        }
    }

    /// The configuration's text: door `d5` at address 5, `d6` at address 6, and so on.
    pub fn text(&self, port: &str, addresses: &[u8]) -> String {
        let doors = addresses.iter().map(|at| {
            format!("[[doors]]\nid = \"d{at}\"\nline = \"l1\"\naddress = {at}\noutput = 0\n")
        });
        format!(
            "tenant = \"demo\"\ngateway = \"gate-1\"\nbroker = \"127.0.0.1:{}\"\npassword = \"secret\"\ndata = {:?}\n\
             [[lines]]\nid = \"l1\"\nport = {port:?}\npoll_ms = 20\nlost_after_ms = 600\n{}",
            self.broker.port,
            self.folder.path().join("data"),
            doors.collect::<String>()
        )
    }

    pub fn config(&self, port: &str, addresses: &[u8]) -> Config {
        Config::parse(&self.text(port, addresses), None).unwrap()
    }

    /// Starts a bridge in this process and waits for its subscriptions.
    pub async fn bridge(&self, controller: &Controller, addresses: &[u8]) -> Bridge {
        started(self.config(&controller.port().to_string(), addresses)).await
    }

    /// Starts a bridge as a process of its own; its ready line is waited for.
    pub async fn process(&self, controller: &Controller, addresses: &[u8]) -> Running {
        let path = self.folder.path().join("bridge.toml");
        std::fs::write(&path, self.text(&controller.port().to_string(), addresses)).unwrap();
        Running::start(&path).await
    }

    pub fn order(&self, address: u8, opening: &str, for_the_next: Duration) {
        let expires_at = Clock::System
            .now()
            .plus_millis(for_the_next.as_millis() as i64);
        self.broker.publish(
            &format!("linli/demo/door/d{address}/cmd"),
            order(opening, expires_at),
        );
    }

    /// Every answer to the opening that was published so far, with its message.
    pub fn answers(&self, opening: &str) -> Vec<Message<Acknowledgement>> {
        let seen = self
            .broker
            .seen()
            .into_iter()
            .filter(|seen| seen.topic.contains("/door/") && seen.topic.ends_with("/ack"));
        let messages =
            seen.map(|seen| Message::<Acknowledgement>::from_payload(&seen.payload).unwrap());
        messages
            .filter(|message| message.body.opening.as_str() == opening)
            .collect()
    }

    pub async fn outcome(&self, opening: &str) -> Outcome {
        eventually(&format!("{opening} is answered"), || {
            self.answers(opening).pop()
        })
        .await
        .body
        .outcome
    }

    pub fn occurrences(&self, address: u8) -> Vec<OccurrenceKind> {
        let topic = format!("linli/demo/door/d{address}/event");
        let seen = self
            .broker
            .seen()
            .into_iter()
            .filter(|seen| seen.topic == topic);
        seen.map(|seen| {
            Message::<Occurrence>::from_payload(&seen.payload)
                .unwrap()
                .body
                .kind
        })
        .collect()
    }
}

pub async fn started(config: Config) -> Bridge {
    // An earlier bridge of the same test may still be closing its file.
    let deadline = Instant::now() + PATIENCE;
    let mut bridge = loop {
        match Bridge::start(config.clone(), Clock::System).await {
            Ok(bridge) => break bridge,
            Err(error) if Instant::now() > deadline => panic!("{error:#}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    };
    tokio::time::timeout(PATIENCE, bridge.ready())
        .await
        .expect("the bridge is subscribed");
    bridge
}

pub async fn controller(addresses: &[u8], behaviour: Behaviour) -> Controller {
    Controller::listen(&"tcp:127.0.0.1:0".parse().unwrap(), addresses, behaviour)
        .await
        .unwrap()
}

pub fn order(opening: &str, expires_at: Timestamp) -> Vec<u8> {
    let id = kernel::MessageId::parse(opening).unwrap();
    let body = Command::Open {
        opening: OpeningId::parse(opening).unwrap(),
        expires_at,
        unlock_ms: 3_000,
    };
    Message {
        id,
        at: Clock::System.now(),
        body,
    }
    .to_payload()
    .unwrap()
}

/// Asks again and again until there is something, or patience ends.
pub async fn eventually<Found>(what: &str, mut look: impl FnMut() -> Option<Found>) -> Found {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A bridge in a process of its own; killed when dropped.
pub struct Running(Child);

impl Running {
    pub async fn start(config: &Path) -> Self {
        let mut child = Process::new(env!("CARGO_BIN_EXE_linli-bridge"))
            .args(["run", "--config"])
            .arg(config)
            .env("LINLI_LOG", "error")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = child.stdout.take().unwrap();
        let first = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).unwrap();
            line
        });
        let line = tokio::time::timeout(PATIENCE, first)
            .await
            .expect("a ready line in time")
            .unwrap();
        assert!(
            line.starts_with("linli-bridge is ready: demo/gate-1"),
            "{line:?}"
        );
        Self(child)
    }

    pub fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    pub async fn terminate(mut self) -> std::process::ExitStatus {
        assert!(
            Process::new("kill")
                .args(["-TERM", &self.0.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
        eventually("the process ends", || self.0.try_wait().unwrap()).await
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
