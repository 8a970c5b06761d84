//! Simulated meters on one bus, in every protocol the bridge speaks: real bytes over TCP or a pseudo-terminal.
//!
//! Registers advance with the clock, by a quarter of a unit every quarter of an hour, and are what they were at every
//! midnight, so that freezes need no memory.

mod cjt188;
mod dlt645;
mod mbus;
mod modbus;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use chrono::{Datelike, Timelike};
use kernel::{Timestamp, Zone};
use meter_protocols::LocalTime;
use tokio::task::JoinHandle;

use super::{Listen, port};
use crate::clock::Clock;
use crate::config::{Port, Protocol};

/// The level and the digits of the password of every simulated relay.
pub const RELAY_PASSWORD: &str = "02123456";
/// The register of the first meter on 1 January 2026, UTC; the next one has twice as much, and so on.
const FIRST_MILLI: i64 = 100_000;
const SINCE_MS: i64 = 1_767_225_600_000;
const STEP_MILLI: i64 = 250;
const STEP_MS: i64 = 15 * 60_000;

/// What is wrong with a simulated meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Failure {
    /// Nothing.
    #[default]
    None,
    /// It neither hears nor answers.
    Dead,
    /// This many of its answers have a wrong checksum.
    WrongChecksum(u32),
    /// This many of its answers end before they are over.
    CutShort(u32),
    /// Its answers take this long.
    Late(Duration),
}

/// A running simulation of one bus; it ends when this is dropped.
pub struct Meters {
    port: Port,
    link: Option<std::path::PathBuf>,
    bus: Arc<Mutex<Bus>>,
    task: JoinHandle<()>,
}

/// What every connection shares.
struct Bus {
    protocol: Protocol,
    clock: Clock,
    meters: Vec<Meter>,
    /// The M-Bus slave that was selected by its number.
    selected: Option<usize>,
    connections: u64,
}

struct Meter {
    address: String,
    failure: Failure,
    questions: u64,
    /// Whether its relay or valve lets nothing through.
    cut: bool,
    /// Every purchase it took: the number, and the fen.
    purchases: Vec<(u8, i64)>,
}

/// Bytes that a meter says, with the place of the checksum's byte counted from the end.
struct Said {
    meter: usize,
    bytes: Vec<u8>,
    checksum_from_end: usize,
}

/// The first whole question among the bytes: how many of them it takes up, and what is answered.
type Heard = (usize, Option<Said>);

impl Meters {
    /// Starts to listen with a meter at each of the addresses, written as in the bridge's configuration.
    ///
    /// # Errors
    /// When an address is none of the protocol, the port is in use, or the link cannot be made.
    pub async fn listen(
        listen: &Listen,
        protocol: Protocol,
        addresses: &[&str],
        clock: Clock,
    ) -> Result<Self> {
        for address in addresses {
            let good = match protocol {
                Protocol::Dlt645 => dlt645::is_address(address),
                Protocol::Cjt188 => cjt188::is_address(address),
                Protocol::ModbusRtu | Protocol::ModbusTcp => address.parse::<u8>().is_ok(),
                Protocol::Mbus => mbus::is_address(address),
            };
            ensure!(good, "{address:?} is no address of {protocol:?}");
        }
        let meter = |address: &&str| Meter {
            address: (*address).to_owned(),
            failure: Failure::None,
            questions: 0,
            cut: false,
            purchases: Vec::new(),
        };
        let bus = Arc::new(Mutex::new(Bus {
            protocol,
            clock,
            meters: addresses.iter().map(meter).collect(),
            selected: None,
            connections: 0,
        }));
        let (heard, connected) = (bus.clone(), bus.clone());
        let line = port::Heard {
            next: Box::new(move |bytes| lock(&heard).next_answer(bytes)),
            connected: Box::new(move || lock(&connected).connections += 1),
        };
        let (port, link, task) = match listen {
            Listen::Tcp(address) => {
                let (port, task) = port::tcp(address, line).await?;
                (port, None, task)
            }
            Listen::Pty(path) => {
                let (port, task) = port::pty(path, line)?;
                (port, Some(path.clone()), task)
            }
        };
        Ok(Self {
            port,
            link,
            bus,
            task,
        })
    }

    /// Where the bridge finds this bus.
    #[must_use]
    pub fn port(&self) -> &Port {
        &self.port
    }

    /// Changes what is wrong with a meter from now on.
    ///
    /// # Errors
    /// When no meter has that address.
    pub fn fail(&self, address: &str, failure: Failure) -> Result<()> {
        let mut bus = lock(&self.bus);
        let mut meters = bus.meters.iter_mut();
        let meter = meters.find(|meter| meter.address == address);
        meter
            .with_context(|| format!("no meter has the address {address}"))?
            .failure = failure;
        Ok(())
    }

    /// How many questions the meter was asked, heard or not.
    #[must_use]
    pub fn questions(&self, address: &str) -> u64 {
        let bus = lock(&self.bus);
        let mut meters = bus.meters.iter();
        let meter = meters.find(|meter| meter.address == address);
        meter.map_or(0, |meter| meter.questions)
    }

    /// Whether the relay or valve of the meter lets nothing through.
    #[must_use]
    pub fn is_cut(&self, address: &str) -> bool {
        let bus = lock(&self.bus);
        let mut meters = bus.meters.iter();
        meters.any(|meter| meter.address == address && meter.cut)
    }

    /// Every purchase that the meter took: the number, and the fen.
    #[must_use]
    pub fn purchases(&self, address: &str) -> Vec<(u8, i64)> {
        let bus = lock(&self.bus);
        let mut meters = bus.meters.iter();
        let meter = meters.find(|meter| meter.address == address);
        meter.map_or_else(Vec::new, |meter| meter.purchases.clone())
    }

    /// Has the meter take a purchase from a card.
    ///
    /// # Errors
    /// When no meter has that address.
    pub fn buy(&self, address: &str, number: u8, amount_fen: i64) -> Result<()> {
        let mut bus = lock(&self.bus);
        let mut meters = bus.meters.iter_mut();
        let meter = meters.find(|meter| meter.address == address);
        meter
            .with_context(|| format!("no meter has the address {address}"))?
            .purchases
            .push((number, amount_fen));
        Ok(())
    }

    /// How many TCP connections the bus has had.
    #[must_use]
    pub fn connections(&self) -> u64 {
        lock(&self.bus).connections
    }
}

impl Drop for Meters {
    fn drop(&mut self) {
        self.task.abort();
        if let Some(link) = &self.link {
            // A link that somebody else has removed already is no matter.
            let _ = std::fs::remove_file(link);
        }
    }
}

/// What the register of a meter shows at a moment, in thousandths; meters count from 0 on their bus.
#[must_use]
pub fn shows(meter: usize, at: Timestamp) -> i64 {
    let steps = (at.millis() - SINCE_MS).max(0) / STEP_MS;
    let first = FIRST_MILLI.saturating_mul(i64::try_from(meter).unwrap_or(0) + 1);
    first + steps * STEP_MILLI
}

impl Bus {
    /// Takes one whole question off the front, if there is one.
    fn next_answer(&mut self, bytes: &mut Vec<u8>) -> Option<port::Answered> {
        let (used, said) = match self.protocol {
            Protocol::Dlt645 => dlt645::hear(self, bytes),
            Protocol::Cjt188 => cjt188::hear(self, bytes),
            Protocol::ModbusRtu => modbus::hear_rtu(self, bytes),
            Protocol::ModbusTcp => modbus::hear_tcp(self, bytes),
            Protocol::Mbus => mbus::hear(self, bytes),
        }?;
        bytes.drain(..used.min(bytes.len()));
        let silence = (None, Duration::ZERO);
        let Some(mut said) = said else {
            return Some(silence);
        };
        let Some(meter) = self.meters.get_mut(said.meter) else {
            return Some(silence);
        };
        meter.questions += 1;
        let delay = match &mut meter.failure {
            Failure::Dead => return Some(silence),
            Failure::Late(delay) => *delay,
            Failure::WrongChecksum(left @ 1..) => {
                *left -= 1;
                let place = said.bytes.len().checked_sub(said.checksum_from_end);
                let byte = place.and_then(|place| said.bytes.get_mut(place));
                byte.into_iter().for_each(|byte| *byte ^= 0xFF);
                Duration::ZERO
            }
            Failure::CutShort(left @ 1..) => {
                *left -= 1;
                said.bytes.truncate(said.bytes.len() / 2);
                Duration::ZERO
            }
            Failure::None | Failure::WrongChecksum(0) | Failure::CutShort(0) => Duration::ZERO,
        };
        Some((Some(said.bytes), delay))
    }

    fn find(&self, is_meant: impl Fn(&str) -> bool) -> Option<usize> {
        let mut meters = self.meters.iter();
        meters.position(|meter| is_meant(&meter.address))
    }

    /// The meter, unless it is dead and does nothing.
    fn obeying(&mut self, meter: usize) -> Option<&mut Meter> {
        let meter = self.meters.get_mut(meter)?;
        (meter.failure != Failure::Dead).then_some(meter)
    }

    fn is_cut(&self, meter: usize) -> bool {
        self.meters.get(meter).is_some_and(|meter| meter.cut)
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Steps of a hundredth that a register shows.
    fn hundredths(meter: usize, at: Timestamp) -> i64 {
        shows(meter, at) / 10
    }

    /// The present moment as the meters' clocks show it.
    fn local_time(&self) -> Option<LocalTime> {
        let now = self.now();
        let local = Zone::SHANGHAI.local(now);
        let second = chrono::DateTime::from_timestamp_millis(now.millis())?.second();
        let part = |number: u32| u8::try_from(number).ok();
        let date = local.date;
        let (hour, minute) = (local.minute / 60, local.minute % 60);
        LocalTime::new(
            (
                u16::try_from(date.year()).ok()?,
                part(date.month())?,
                part(date.day())?,
            ),
            (part(hour.into())?, part(minute.into())?, part(second)?),
        )
    }
}

/// A number in so many bytes of digits, low byte first; what is too much falls off.
fn digits(number: i64, bytes: usize) -> Vec<u8> {
    let mut rest = number.max(0);
    let pair = |rest: i64| u8::try_from(rest % 10 + rest / 10 % 10 * 16).unwrap_or_default();
    (0..bytes)
        .map(|_| {
            let byte = pair(rest);
            rest /= 100;
            byte
        })
        .collect()
}

fn lock(bus: &Mutex<Bus>) -> MutexGuard<'_, Bus> {
    // A panic elsewhere leaves counters, not broken invariants.
    bus.lock().unwrap_or_else(PoisonError::into_inner)
}
