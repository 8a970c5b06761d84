//! Buses of meters: a file a protocol, the plan of what is owed when, and what tells the readings.
//!
//! A bus does one transaction at a time. It is not behind `Adapter`'s lock handles: what moves here is in no hurry.

mod cjt188;
mod dlt645;
mod mbus;
mod modbus;
pub mod orders;
pub mod plan;
mod sample;
mod telling;
mod wire;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use chrono::{Datelike, Timelike};
use kernel::{Timestamp, Zone};
use meter_protocols::cjt188::Topic;
use meter_protocols::{Error, LocalTime};
use tokio::sync::mpsc;
use tokio::time::sleep;
use uuid::Uuid;

pub use orders::MeterHandle;
pub use telling::{FILE_NAME, Settled, Telling, Visited, kept};

use self::orders::{Wish, unreached};
use self::plan::{Standing, Task, Terms};
use self::sample::Sample;
use self::wire::{Silence, Wire};
use super::port;
use crate::clock::Clock;
use crate::config::{Asked, MeterBusConfig, MeterConfig};
use crate::counters::Counters;
use crate::remote::Remote;

/// How often a meter that usually answers is asked before it counts as silent.
const TRIES: u32 = 3;
/// The pause before a question is repeated, at least; jitter doubles it at most.
const TRY_PAUSE: Duration = Duration::from_millis(50);
/// The longest that a bus rests without looking at the clock.
const REST_MAX: Duration = Duration::from_secs(1);
/// The pauses between two tries to open the bus.
const REOPEN_MIN: Duration = Duration::from_millis(100);
const REOPEN_MAX: Duration = Duration::from_secs(10);

/// What a bus needs beside its meters.
#[derive(Clone)]
pub struct Around {
    /// The clock.
    pub clock: Clock,
    /// What is counted.
    pub counters: Arc<Counters>,
    /// Where it is known which meters are reached.
    pub remote: Remote,
    /// Where readings go.
    pub visits: mpsc::Sender<Visited>,
}

/// A bus with its meters; [`MeterBus::run`] serves it.
pub struct MeterBus {
    config: MeterBusConfig,
    around: Around,
    terms: Terms,
    standings: Vec<Standing>,
    transaction: u16,
    wishes: mpsc::Receiver<Wish>,
}

/// What came of a visit, once the bus is known to be there.
enum Outcome {
    /// There is a sample.
    Sample(Sample),
    /// There is none, and never will be.
    Nothing(String),
    /// Perhaps the next time.
    Failed(String),
}

impl MeterBus {
    /// A bus, by which freezes of its meters an earlier run has, and what hands it orders.
    #[must_use]
    pub fn new(config: MeterBusConfig, around: Around, settled: &Settled) -> (Self, MeterHandle) {
        let now = around.clock.now();
        let standings = config.meters.iter().map(|meter| {
            let settled = settled.get(&meter.id).cloned().unwrap_or_default();
            Standing::new(meter.asked.freeze_days(), settled, now)
        });
        let (handle, wishes) = MeterHandle::new();
        let bus = Self {
            terms: Terms {
                interval_ms: i64::try_from(config.interval.as_millis()).unwrap_or(i64::MAX),
                zone: config.zone,
            },
            standings: standings.collect(),
            config,
            around,
            transaction: 0,
            wishes,
        };
        (bus, handle)
    }

    /// Serves the meters until nobody takes their readings any more.
    pub async fn run(mut self) {
        let mut pause = REOPEN_MIN;
        loop {
            let reason = match port::open(&self.config.port).await {
                Ok(stream) => {
                    pause = REOPEN_MIN;
                    let served = self
                        .serve(Wire::new(stream, self.config.reply_timeout))
                        .await;
                    let Some(broken) = served else { return };
                    broken.to_string()
                }
                Err(error) => {
                    for index in 0..self.standings.len() {
                        self.reached(index, false);
                    }
                    let reason = format!("{error:#}");
                    while let Ok(wish) = self.wishes.try_recv() {
                        wish.finish(unreached(&reason));
                    }
                    reason
                }
            };
            tracing::warn!(bus = self.config.id, reason, "the meter bus is down");
            tokio::select! {
                () = sleep(pause) => {}
                () = self.around.visits.closed() => return,
            }
            pause = (pause * 2).min(REOPEN_MAX);
        }
    }

    /// Works on the open bus; `None` when nobody takes readings any more, else what broke.
    async fn serve(&mut self, mut wire: Wire) -> Option<io::Error> {
        tracing::info!(bus = self.config.id, port = %self.config.port, "the meter bus is open");
        loop {
            if let Ok(wish) = self.wishes.try_recv() {
                match self.obey(wish, &mut wire).await {
                    Ok(()) => continue,
                    Err(error) => return Some(error),
                }
            }
            let now = self.around.clock.now();
            let Some((index, task)) = plan::due(&self.standings, &self.terms, now) else {
                let next = plan::next_due(&self.standings, &self.terms, now).millis_since(now);
                let rest = Duration::from_millis(u64::try_from(next).unwrap_or_default());
                let wish = tokio::select! {
                    () = sleep(rest.min(REST_MAX)) => continue,
                    silence = wire.idle() => match silence {
                        Silence::Broken(error) => return Some(error),
                        _ => continue,
                    },
                    () = self.around.visits.closed() => return None,
                    Some(wish) = self.wishes.recv() => wish,
                };
                match self.obey(wish, &mut wire).await {
                    Ok(()) => continue,
                    Err(error) => return Some(error),
                }
            };
            match self.visit(index, task, &mut wire).await {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(error),
            }
        }
    }

    /// Asks one meter for one thing; false when nobody takes readings any more.
    async fn visit(&mut self, index: usize, task: Task, wire: &mut Wire) -> io::Result<bool> {
        let Some(meter) = self.config.meters.get(index).cloned() else {
            return Ok(true);
        };
        let silent = self.standings.get(index).is_none_or(Standing::is_silent);
        // A late answer would be taken for the next one: Modbus has little to tell answers apart by.
        let reopens = matches!(meter.asked, Asked::Modbus { .. });
        let tries = if silent || reopens { 1 } else { TRIES };
        let mut reason = String::new();
        for tried in 0..tries {
            if tried > 0 {
                self.around.counters.meters_asked_again.add(1);
                sleep(TRY_PAUSE + TRY_PAUSE * u32::from(jitter()) / u32::from(u8::MAX)).await;
            }
            let outcome = match self.ask(&meter, task, wire).await {
                Ok(Some(sample)) if sample.has_total() => Outcome::Sample(sample),
                Ok(Some(_)) => {
                    Outcome::Failed("the meter does not tell the register that is billed".into())
                }
                Ok(None) => Outcome::Nothing("it has no such freeze".into()),
                Err(Silence::Answered(error @ Error::Refused { .. })) if task == Task::Now => {
                    Outcome::Nothing(error.to_string())
                }
                Err(Silence::Answered(error)) => Outcome::Failed(error.to_string()),
                Err(Silence::TimedOut(wrong)) => {
                    reason = wrong.map_or("no answer".to_owned(), |error| error.to_string());
                    continue;
                }
                Err(Silence::Broken(error)) => {
                    self.failed(index, task, "the bus broke");
                    return Err(error);
                }
            };
            return Ok(self.came(index, task, outcome).await);
        }
        self.failed(index, task, &reason);
        self.around.counters.meters_silent.add(1);
        if reopens {
            let why = format!("{reason} from {}", meter.id);
            return Err(io::Error::new(io::ErrorKind::TimedOut, why));
        }
        Ok(true)
    }

    async fn ask(
        &mut self,
        meter: &MeterConfig,
        task: Task,
        wire: &mut Wire,
    ) -> Result<Option<Sample>, Silence> {
        let today = plan::today(&self.terms, self.around.clock.now());
        let sample = match (&meter.asked, task) {
            (
                Asked::Dlt645 {
                    address, tariffs, ..
                },
                Task::Freeze(midnight),
            ) => return dlt645::freeze(wire, *address, *tariffs, midnight, today).await,
            // No other meter is owed a freeze.
            (_, Task::Freeze(_)) => return Ok(None),
            (
                Asked::Dlt645 {
                    address, tariffs, ..
                },
                Task::Now,
            ) => dlt645::now(wire, *address, *tariffs).await,
            (Asked::Cjt188 { .. }, Task::Now) => match self.question(meter, Topic::Reading) {
                Some(question) => cjt188::now(wire, question).await,
                None => return Ok(None),
            },
            (Asked::Modbus { unit, profile }, Task::Now) => {
                let protocol = self.config.protocol;
                modbus::now(wire, protocol, *unit, profile, &mut self.transaction).await
            }
            (Asked::MbusPrimary(address), Task::Now) => mbus::primary(wire, *address).await,
            (Asked::MbusSecondary(identity), Task::Now) => mbus::secondary(wire, identity).await,
        };
        sample.map(Some)
    }

    /// Settles what was owed, and hands on what was read; false when nobody takes it any more.
    async fn came(&mut self, index: usize, task: Task, outcome: Outcome) -> bool {
        let now = self.around.clock.now();
        let sample = match outcome {
            Outcome::Failed(reason) => {
                self.failed(index, task, &reason);
                return true;
            }
            Outcome::Sample(sample) => Some(sample),
            Outcome::Nothing(reason) => {
                let meter = self.config.meters.get(index).map(|meter| &meter.id);
                tracing::warn!(
                    bus = self.config.id,
                    ?meter,
                    ?task,
                    reason,
                    "nothing is there"
                );
                None
            }
        };
        self.reached(index, true);
        let (Some(standing), Some(meter)) =
            (self.standings.get_mut(index), self.config.meters.get(index))
        else {
            return true;
        };
        standing.answered();
        let (zone, today) = (self.terms.zone, plan::today(&self.terms, now));
        let (reading, settled) = match task {
            Task::Now => {
                standing.was_read(&self.terms, now);
                (
                    sample.map(|sample| sample.interval(&meter.id, now, zone)),
                    None,
                )
            }
            Task::Freeze(midnight) => {
                standing.settle(midnight, today);
                let reading = sample.map(|sample| sample.freeze(&meter.id, midnight, today, zone));
                (reading, Some(midnight))
            }
        };
        self.around
            .counters
            .meters_read
            .add(u64::from(reading.is_some()));
        let visited = Visited {
            meter: meter.id.clone(),
            reading,
            settled,
        };
        self.around.visits.send(visited).await.is_ok()
    }

    fn failed(&mut self, index: usize, task: Task, reason: &str) {
        let now: Timestamp = self.around.clock.now();
        let Some(standing) = self.standings.get_mut(index) else {
            return;
        };
        standing.failed(now, jitter());
        if let Task::Freeze(_) = task {
            standing.gave_no_freeze(now);
        }
        let silent = standing.is_silent();
        let meter = self.config.meters.get(index).map(|meter| &meter.id);
        tracing::warn!(bus = self.config.id, ?meter, reason, "a meter was not read");
        if silent {
            self.reached(index, false);
        }
    }

    fn reached(&self, index: usize, reachable: bool) {
        if let Some(meter) = self.config.meters.get(index) {
            self.around.remote.reached_meter(&meter.id, reachable);
        }
    }
}

/// The moment as meters' clocks in that zone show it.
fn local_time(at: Timestamp, zone: Zone) -> Option<LocalTime> {
    let local = zone.local(at);
    let date = local.date;
    let part = |number: u32| u8::try_from(number).ok();
    let second = chrono::DateTime::from_timestamp_millis(at.millis())?.second();
    let year = u16::try_from(date.year()).ok()?;
    let minute = u32::from(local.minute);
    LocalTime::new(
        (year, part(date.month())?, part(date.day())?),
        (part(minute / 60)?, part(minute % 60)?, part(second)?),
    )
}

/// A number that is hard to guess: meters and gateways of a street should not come back at once.
fn jitter() -> u8 {
    let [.., random] = Uuid::now_v7().into_bytes();
    random
}
