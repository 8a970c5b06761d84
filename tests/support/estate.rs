//! The demo estate: a host with its functions and broker, a simulated controller, and the bridge between them.

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};
use xtask::{
    client::Client,
    demo::{CONTROLLER_ADDRESS, Demo},
};

use crate::{
    http::Http,
    poll,
    process::Process,
    system::{Setup, System},
};

/// What the simulated controller prints when a lock is released.
pub const RELEASED: &str = "released address";
const CONTROLLER_READY: &str = "linli-bridge simulate is ready: ";
const CONTROL_READY: &str = "linli-bridge simulate is controlled on ";
const BRIDGE_READY: &str = "linli-bridge is ready: ";

/// A running estate.
pub struct Estate {
    /// The host.
    pub system: System,
    /// Who and what is there.
    pub demo: Demo,
    /// The API as the tenant's operator.
    pub operator: Http,
    /// The API as the resident who may open every door.
    pub resident: Http,
    /// The API as the butler, who opens doors with a reason.
    pub staff: Http,
    /// The simulated controller.
    pub controller: Process,
    /// The bridge, unless the test plays the gateway itself.
    pub bridge: Option<Process>,
    controller_port: String,
    /// Where the controller is told what is shown at its readers.
    control: String,
}

impl Estate {
    /// Starts everything, with the controller as it is by default.
    ///
    /// # Panics
    /// When something does not start.
    pub async fn start() -> Self {
        Self::start_with(Setup::functions(), &[]).await
    }

    /// Starts everything, with further arguments for the controller.
    ///
    /// # Panics
    /// When something does not start.
    pub async fn start_with(setup: Setup, controller: &[&str]) -> Self {
        let mut estate = Self::start_without_bridge(setup, controller).await;
        estate.start_bridge();
        estate
    }

    /// Starts everything but the bridge.
    ///
    /// # Panics
    /// When something does not start.
    pub async fn start_without_bridge(setup: Setup, controller: &[&str]) -> Self {
        let system = System::start(setup);
        let internal = Client::new(&system.http_address, &system.secret("internal_token"));
        let demo = Demo::load(&internal)
            .await
            .unwrap_or_else(|error| panic!("{error:#}"));
        let address = CONTROLLER_ADDRESS.to_string();
        let mut arguments = vec![
            "simulate",
            "--listen",
            "tcp:127.0.0.1:0",
            "--address",
            &address,
            "--control",
            "127.0.0.1:0",
        ];
        arguments.extend(controller);
        let mut controller = Process::start("linli-bridge", &arguments);
        let line = controller.line(CONTROLLER_READY);
        let controller_port = line
            .split_whitespace()
            .find(|word| word.starts_with("tcp:"))
            .unwrap_or_default()
            .to_owned();
        let line = controller.line(CONTROL_READY);
        let control = line.replace(CONTROL_READY, "").trim().to_owned();
        let operator = log_in(&system, &demo, "operator").await;
        let resident = log_in(&system, &demo, "li").await;
        let staff = log_in(&system, &demo, "butler").await;
        Self {
            system,
            demo,
            operator,
            resident,
            staff,
            controller,
            bridge: None,
            controller_port,
            control,
        }
    }

    /// Starts the bridge, again after it was killed: with the same spool.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_bridge(&mut self) {
        let spool = self.system.data().join("bridge");
        let config = self.system.data().join("bridge.toml");
        let http = &self.system.http_address;
        let text = self.demo.bridge_toml(
            http,
            &self.system.mqtt_address,
            &spool,
            &self.controller_port,
        );
        xtask::demo::write_private(&config, &text).unwrap_or_else(|error| panic!("{error:#}"));
        let mut bridge = Process::start(
            "linli-bridge",
            &["run".as_ref(), "--config".as_ref(), config.as_os_str()],
        );
        bridge.line(BRIDGE_READY);
        self.bridge = Some(bridge);
    }

    /// The running bridge.
    ///
    /// # Panics
    /// When there is none.
    pub fn bridge(&mut self) -> &mut Process {
        self.bridge
            .as_mut()
            .unwrap_or_else(|| panic!("there is no bridge"))
    }

    /// The API as a person of the demo.
    ///
    /// # Panics
    /// When the person cannot log in.
    pub async fn person(&self, username: &str) -> Http {
        log_in(&self.system, &self.demo, username).await
    }

    /// Asks for a door to open, as the resident; the id of the opening.
    ///
    /// # Panics
    /// When the answer is not 202.
    pub async fn open(&self, door: &str) -> String {
        let answer = self
            .resident
            .call("POST", &openings(door), None, &[])
            .await
            .expect(202);
        answer.json()["id"].as_str().unwrap_or_default().to_owned()
    }

    /// Asks for a door to open as staff, whom no rate limit holds back.
    ///
    /// # Panics
    /// When the answer is not 202.
    pub async fn open_as_staff(&self, door: &str) -> String {
        let reason = json!({ "reason": "Testing the door" });
        let answer = self.staff.post(&openings(door), &reason).await.expect(202);
        answer.json()["id"].as_str().unwrap_or_default().to_owned()
    }

    /// An opening as it stands now, as the operator sees it.
    ///
    /// # Panics
    /// When it is not there.
    pub async fn opening(&self, door: &str, id: &str) -> Value {
        self.operator
            .get(&format!("{}/{id}", openings(door)))
            .await
            .expect(200)
            .json()
    }

    /// An opening once it is settled.
    ///
    /// # Panics
    /// When it does not settle.
    pub async fn settled(&self, door: &str, id: &str) -> Value {
        poll::until(&format!("the opening {id} settles"), async || {
            let opening = self.opening(door, id).await;
            (opening["state"] != "requested").then_some(opening)
        })
        .await
    }

    /// Shows something at the reader of a door: `text L1...`, or `card BITS HEX`.
    ///
    /// # Panics
    /// When there is no such door, or the controller does not take it.
    pub async fn show(&self, door: &str, shown: &str) {
        let found = self.demo.doors.iter().find(|known| known.id == door);
        let reader = found
            .unwrap_or_else(|| panic!("the demo has no {door}"))
            .output;
        let (kind, what) = shown.split_once(' ').unwrap_or((shown, ""));
        let line = format!("{kind} {CONTROLLER_ADDRESS} {reader} {what}\n");
        let answer = tell(&self.control, &line).await;
        let answer = answer.unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(answer.trim(), "ok", "{line}");
    }

    /// How often the controller has released a lock.
    #[must_use]
    pub fn releases(&self) -> usize {
        self.controller
            .log()
            .iter()
            .filter(|line| line.starts_with(RELEASED))
            .count()
    }
}

async fn tell(address: &str, line: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(line.as_bytes()).await?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).await?;
    Ok(answer)
}

/// The path of a door's openings.
#[must_use]
pub fn openings(door: &str) -> String {
    format!("/api/doors/{door}/openings")
}

async fn log_in(system: &System, demo: &Demo, username: &str) -> Http {
    let person = demo
        .people
        .iter()
        .find(|person| person.username == username);
    let person = person.unwrap_or_else(|| panic!("the demo has no {username}"));
    let api = Client::new(&system.http_address, "")
        .log_in(&demo.tenant, person)
        .await;
    let api = api.unwrap_or_else(|error| panic!("{error:#}"));
    system.http().with_token(api.token())
}
