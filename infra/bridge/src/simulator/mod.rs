//! Simulated controllers that speak the hardware's own bytes over TCP or a pseudo-terminal, and count what moved.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use linli_bridge::simulator::{Behaviour, Controller};
//! let controller = Controller::listen(&"tcp:127.0.0.1:0".parse()?, &[5], Behaviour::default()).await?;
//! println!("[[lines]] port = {:?}", controller.port().to_string());
//! assert_eq!(controller.releases(5, 0), 0);
//! # Ok(()) }
//! ```

pub mod control;
pub mod meters;
mod panel;
mod peripheral;
mod port;
mod relay;
mod switch;

use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use osdp::{MAX_BUS_PACKET, ParsedPacket, SOM};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

pub use control::Shown;
pub use panel::Panel;
pub use peripheral::{OUTPUTS, Peripheral};
pub use relay::Relay;
pub use switch::{Switch, SwitchSettings};

use crate::config::Port;

/// Where a simulated line listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// A TCP address; port 0 takes a free one.
    Tcp(String),
    /// A pseudo-terminal; a link to it is made at this path.
    Pty(std::path::PathBuf),
}

impl FromStr for Listen {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once(':') {
            Some(("tcp", address)) if address.contains(':') => Ok(Self::Tcp(address.to_owned())),
            Some(("pty", path)) if !path.is_empty() => Ok(Self::Pty(path.into())),
            _ => bail!("{text:?} is neither tcp:127.0.0.1:PORT nor pty:PATH"),
        }
    }
}

/// What is wrong with a simulated controller; nothing by default.
#[derive(Debug, Clone, Default)]
pub struct Behaviour {
    /// How long every answer takes.
    pub answer_delay: Duration,
    /// Refuse every release with a NAK.
    pub refuse: bool,
    /// Run the orders, but lose this many answers to releases.
    pub drop_answers: u32,
    /// Send this many answers to releases with a wrong CRC.
    pub corrupt_answers: u32,
    /// Answer this many releases with BUSY, and do nothing.
    pub busy_answers: u32,
    /// Neither hear nor answer what is meant for these addresses: the controller is dead.
    pub dead: Vec<u8>,
}

/// An output was switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Released {
    /// The controller.
    pub address: u8,
    /// Its output.
    pub output: u8,
    /// For how long, in milliseconds.
    pub for_ms: u64,
}

/// A running simulation of one line with one or more controllers; it ends when this is dropped.
pub struct Controller {
    port: Port,
    link: Option<std::path::PathBuf>,
    line: Arc<Mutex<SimulatedLine>>,
    releases: mpsc::UnboundedReceiver<Released>,
    task: JoinHandle<()>,
}

/// The state that every connection shares: a lost connection does not restart a controller.
#[derive(Debug)]
struct SimulatedLine {
    peripherals: Vec<(u8, Peripheral)>,
    behaviour: Behaviour,
    told: mpsc::UnboundedSender<Released>,
    connections: u64,
}

impl Controller {
    /// Starts to listen with a controller at each of the addresses.
    ///
    /// # Errors
    /// When the address is in use, or the link cannot be made.
    pub async fn listen(listen: &Listen, addresses: &[u8], behaviour: Behaviour) -> Result<Self> {
        let (told, releases) = mpsc::unbounded_channel();
        let peripherals = addresses
            .iter()
            .map(|address| (*address, Peripheral::new(*address)))
            .collect();
        let line = Arc::new(Mutex::new(SimulatedLine {
            peripherals,
            behaviour,
            told,
            connections: 0,
        }));
        let (heard, connected) = (line.clone(), line.clone());
        let served = port::Heard {
            next: Box::new(move |bytes| next_frame(bytes, &heard)),
            connected: Box::new(move || lock(&connected).connections += 1),
        };
        let (port, link, task) = match listen {
            Listen::Tcp(address) => {
                let (port, task) = port::tcp(address, served).await?;
                (port, None, task)
            }
            Listen::Pty(path) => {
                let (port, task) = port::pty(path, served)?;
                (port, Some(path.clone()), task)
            }
        };
        Ok(Self {
            port,
            link,
            line,
            releases,
            task,
        })
    }

    /// Where the bridge finds this line.
    #[must_use]
    pub fn port(&self) -> &Port {
        &self.port
    }

    /// How often the output of the controller was switched on since the start.
    #[must_use]
    pub fn releases(&self, address: u8, output: u8) -> u64 {
        lock(&self.line)
            .peripheral(address)
            .map_or(0, |peripheral| peripheral.releases(output))
    }

    /// Whether the output of the controller is on now.
    #[must_use]
    pub fn is_on(&self, address: u8, output: u8) -> bool {
        lock(&self.line)
            .peripheral(address)
            .is_some_and(|peripheral| peripheral.is_on(output, Instant::now()))
    }

    /// How many frames reached the controller since the start.
    #[must_use]
    pub fn orders(&self, address: u8) -> u64 {
        lock(&self.line)
            .peripheral(address)
            .map_or(0, |peripheral| peripheral.orders())
    }

    /// How many TCP connections the line has had.
    #[must_use]
    pub fn connections(&self) -> u64 {
        lock(&self.line).connections
    }

    /// Changes what is wrong from now on.
    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut lock(&self.line).behaviour);
    }

    /// Switches a controller off and on again.
    pub fn restart(&self, address: u8) {
        if let Some(peripheral) = lock(&self.line).peripheral(address) {
            peripheral.restart();
        }
    }

    /// Shows something at a reader of the line; false when no controller has that address.
    pub fn show(&self, shown: &Shown) -> bool {
        self.shower()(shown)
    }

    /// What shows something at the readers while this handle is used otherwise.
    pub fn shower(&self) -> impl Fn(&Shown) -> bool + Send + Sync + Clone + 'static {
        let line = self.line.clone();
        move |shown| {
            let mut line = lock(&line);
            let found = line.peripheral(shown.address);
            found
                .map(|peripheral| peripheral.show(shown.reply()))
                .is_some()
        }
    }

    /// Waits for the next release.
    pub async fn next_release(&mut self) -> Released {
        match self.releases.recv().await {
            Some(released) => released,
            // The line lives as long as this handle, so there is always a sender.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        self.task.abort();
        if let Some(link) = &self.link {
            // A link that somebody else has removed already is no matter.
            let _ = std::fs::remove_file(link);
        }
    }
}

impl SimulatedLine {
    fn peripheral(&mut self, address: u8) -> Option<&mut Peripheral> {
        self.peripherals
            .iter_mut()
            .find(|(known, _)| *known == address)
            .map(|(_, peripheral)| peripheral)
    }

    /// The answer to one frame and how long it takes; none when nobody is meant or the answer is lost.
    fn take(&mut self, packet: &ParsedPacket<'_>) -> Option<(Vec<u8>, Duration)> {
        let (address, behaviour) = (packet.addr.pd_addr(), self.behaviour.clone());
        if packet.addr.is_reply() || behaviour.dead.contains(&address) {
            return None;
        }
        let is_release = packet.code == osdp::command::CommandCode::Out.as_byte();
        if is_release && self.behaviour.busy_answers > 0 {
            self.behaviour.busy_answers -= 1;
            let busy = self.peripheral(address)?.busy(packet.ctrl.use_crc()).ok()?;
            return Some((busy, behaviour.answer_delay));
        }
        let mut released = Vec::new();
        let mut answer = self
            .peripheral(address)?
            .take(packet, &behaviour, Instant::now(), &mut released)
            .ok()?;
        for release in released {
            // Nobody has to listen.
            let _ = self.told.send(release);
        }
        if is_release && self.behaviour.drop_answers > 0 {
            self.behaviour.drop_answers -= 1;
            return None;
        }
        if is_release && self.behaviour.corrupt_answers > 0 {
            self.behaviour.corrupt_answers -= 1;
            answer.last_mut().into_iter().for_each(|byte| *byte ^= 0xFF);
        }
        Some((answer, behaviour.answer_delay))
    }
}

/// Takes one whole frame off the front, if there is one.
fn next_frame(bytes: &mut Vec<u8>, line: &Mutex<SimulatedLine>) -> Option<port::Answered> {
    loop {
        let start = bytes.iter().position(|byte| *byte == SOM)?;
        bytes.drain(..start);
        match ParsedPacket::parse(bytes) {
            Ok((packet, length)) => {
                let answer = lock(line).take(&packet);
                bytes.drain(..length);
                let (answer, delay) = answer.map_or((None, Duration::ZERO), |(answer, delay)| {
                    (Some(answer), delay)
                });
                return Some((answer, delay));
            }
            Err(osdp::Error::Truncated { need, .. }) if need <= MAX_BUS_PACKET => return None,
            Err(_) => {
                bytes.drain(..1);
            }
        }
    }
}

fn lock(line: &Mutex<SimulatedLine>) -> MutexGuard<'_, SimulatedLine> {
    // A panic elsewhere leaves counters, not broken invariants.
    line.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_to_listen_is_read_or_refused_with_what_it_should_be() {
        assert_eq!(
            "tcp:127.0.0.1:0".parse::<Listen>().unwrap(),
            Listen::Tcp("127.0.0.1:0".into())
        );
        assert_eq!(
            "pty:/tmp/x".parse::<Listen>().unwrap(),
            Listen::Pty("/tmp/x".into())
        );
        for text in ["", "tcp", "tcp:4001", "pty:", "serial:/dev/ttyUSB0"] {
            assert!(
                text.parse::<Listen>()
                    .unwrap_err()
                    .to_string()
                    .contains("tcp:127.0.0.1:PORT"),
                "{text:?}"
            );
        }
    }
}
