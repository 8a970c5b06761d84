//! The whole bridge: lines, commands, spool and uplink, started and stopped together.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use kernel::DeviceId;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{interval, timeout};
use uuid::Uuid;

use crate::adapters::meters::{self, MeterBus, MeterHandle, Telling};
use crate::adapters::{Adapter, Line, LockHandle, Noticed, Panels, Relay, Report, Switch};
use crate::clock::Clock;
use crate::commands::{Around, Commands};
use crate::config::Config;
use crate::counters::Counters;
use crate::gate::Gatekeeper;
use crate::mqtt::{Told, Uplink};
use crate::names::Names;
use crate::remote::Remote;
use crate::site::Site;
use crate::snapshots::Snapshots;
use crate::spool::Spool;

/// How long commands under way may take when the bridge is stopped.
const DRAIN_MAX: Duration = Duration::from_secs(10);
/// How long the uplink may take to say goodbye.
const LEAVE_MAX: Duration = Duration::from_secs(5);
/// How often the counters are logged.
const COUNTERS_EVERY: Duration = Duration::from_secs(60);

/// Where the bridge stands in being stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// At work.
    Working,
    /// No new commands are taken; what is under way is finished.
    Draining,
    /// Everything under way is finished: say what is left, and goodbye.
    Leaving,
}

/// A running bridge.
pub struct Bridge {
    commands: Commands,
    spool: Spool,
    snapshots: Snapshots,
    counters: Arc<Counters>,
    phase: watch::Sender<Phase>,
    ready: watch::Receiver<bool>,
    online: watch::Receiver<bool>,
    uplink: JoinHandle<()>,
    others: Vec<JoinHandle<()>>,
}

impl Bridge {
    /// Starts everything; answers first what an earlier run left unanswered.
    ///
    /// # Errors
    /// When the data folder cannot be written, or another bridge uses it.
    pub async fn start(config: Config, clock: Clock) -> Result<Self> {
        let counters = Arc::new(Counters::default());
        let run = Uuid::now_v7().to_string();
        let spool = Spool::open(
            &config.data,
            config.spool,
            run,
            clock.clone(),
            counters.clone(),
        )?;
        let (reports, reported) = mpsc::unbounded_channel();
        let (adapters, locks) = adapters(&config, &clock, &reports).await?;
        drop(reports);
        let mut others: Vec<_> = adapters
            .into_iter()
            .map(|adapter| tokio::spawn(adapter.run()))
            .collect();
        let snapshots = Snapshots::open(&config);
        let remote = Remote::open(&config, clock.now());
        let (buses, meters) = meters(&config, &clock, &counters, &remote, &spool);
        others.extend(buses);
        let around = || Around {
            spool: spool.clone(),
            clock: clock.clone(),
            counters: counters.clone(),
            snapshots: snapshots.clone(),
            remote: remote.clone(),
        };
        let commands = Commands::new(&config, (&locks, meters), around());
        commands
            .answer_interrupted()
            .await
            .context("answering what an earlier run left")?;
        commands.hold_on().await.context("holding on")?;
        let site = Site::of(&config, &clock);
        let (phase, seen) = watch::channel(Phase::Working);
        let (uplink, Told { ready, online }) = Uplink::new(config, commands.clone(), around());
        let gatekeeper = commands.gatekeeper(online.clone());
        others.push(tokio::spawn(pass_on(
            reported,
            commands.clone(),
            gatekeeper,
        )));
        others.push(tokio::spawn(log_counters(counters.clone())));
        if let Some(site) = site {
            others.push(tokio::spawn(snapshots.clone().run(site, online.clone())));
        }
        let uplink = tokio::spawn(uplink.run(seen));
        Ok(Self {
            commands,
            spool,
            snapshots,
            counters,
            phase,
            ready,
            online,
            uplink,
            others,
        })
    }

    /// Waits until the broker has granted every subscription for the first time.
    pub async fn ready(&mut self) {
        // The uplink outlives this wait: it ends only in `stop`.
        let _ = self.ready.wait_for(|ready| *ready).await;
    }

    /// What the bridge counted.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The spool.
    #[must_use]
    pub fn spool(&self) -> &Spool {
        &self.spool
    }

    /// The permissions.
    #[must_use]
    pub fn snapshots(&self) -> &Snapshots {
        &self.snapshots
    }

    /// Whether there is a session with the broker.
    #[must_use]
    pub fn is_online(&self) -> bool {
        *self.online.borrow()
    }

    /// Waits until the site asks for a restart.
    pub async fn asked_to_restart(&self) {
        // The commands outlive this wait.
        let _ = self.commands.restarting().wait_for(|asked| *asked).await;
    }

    /// Finishes what is under way, says goodbye, and stops. What got no receipt stays in the spool.
    pub async fn stop(self) {
        self.phase.send_replace(Phase::Draining);
        if timeout(DRAIN_MAX, self.commands.drained()).await.is_err() {
            tracing::error!(
                "commands were still under way when the bridge had to stop; the next run answers them as interrupted"
            );
        }
        self.phase.send_replace(Phase::Leaving);
        let mut uplink = self.uplink;
        if timeout(LEAVE_MAX, &mut uplink).await.is_err() {
            tracing::warn!("the broker did not take the goodbye in time");
            uplink.abort();
        }
        self.others.iter().for_each(JoinHandle::abort);
    }
}

type Running = (Vec<Box<dyn Adapter>>, BTreeMap<String, LockHandle>);

/// Every adapter of the configuration, and what gives each of them work.
async fn adapters(
    config: &Config,
    clock: &Clock,
    reports: &mpsc::UnboundedSender<Report>,
) -> Result<Running> {
    let (doors, mut locks) = (&config.doors, BTreeMap::new());
    let mut adapters: Vec<Box<dyn Adapter>> = Vec::new();
    for line in &config.lines {
        let (running, lock) = Line::new(line.clone(), doors, clock.clone(), reports.clone());
        adapters.push(Box::new(running));
        locks.insert(line.id.clone(), lock);
    }
    for relay in &config.relays {
        let (running, lock) = Relay::new(relay.clone(), doors, clock.clone(), reports.clone());
        adapters.push(Box::new(running));
        locks.insert(relay.id.clone(), lock);
    }
    for switch in &config.switches {
        let (running, lock) = Switch::new(switch.clone(), doors, clock.clone(), reports.clone());
        adapters.push(Box::new(running));
        locks.insert(switch.id.clone(), lock);
    }
    if let Some(panels) = &config.panels {
        let (running, handles) = Panels::listen(panels, doors, clock, reports).await?;
        adapters.push(Box::new(running));
        locks.extend(handles);
    }
    Ok((adapters, locks))
}

/// Every bus of meters, what tells what they read, and what hands each meter its orders.
fn meters(
    config: &Config,
    clock: &Clock,
    counters: &Arc<Counters>,
    remote: &Remote,
    spool: &Spool,
) -> (Vec<JoinHandle<()>>, BTreeMap<DeviceId, MeterHandle>) {
    let settled = meters::kept(&config.data);
    let (names, spool) = (Names::of(config), spool.clone());
    let (visits, telling) =
        Telling::new(names, spool, clock.clone(), &config.data, settled.clone());
    let around = meters::Around {
        clock: clock.clone(),
        counters: counters.clone(),
        remote: remote.clone(),
        visits,
    };
    let mut handles = BTreeMap::new();
    let mut running = vec![tokio::spawn(telling.run())];
    for bus in &config.meter_buses {
        let (serving, handle) = MeterBus::new(bus.clone(), around.clone(), &settled);
        running.push(tokio::spawn(serving.run()));
        let meters = bus.meters.iter().map(|meter| &meter.id);
        handles.extend(meters.map(|meter| (meter.clone(), handle.clone())));
    }
    (running, handles)
}

async fn pass_on(
    mut reported: mpsc::UnboundedReceiver<Report>,
    commands: Commands,
    gatekeeper: Gatekeeper,
) {
    while let Some(Report { door, noticed }) = reported.recv().await {
        match noticed {
            Noticed::Occurrence(kind) => commands.occurred(&door, kind).await,
            Noticed::Scan(scan) => gatekeeper.shown(&door, &scan).await,
        }
    }
}

async fn log_counters(counters: Arc<Counters>) {
    let mut ticks = interval(COUNTERS_EVERY);
    let mut last = counters.list();
    loop {
        ticks.tick().await;
        let now = counters.list();
        if now != last {
            tracing::info!(counters = ?now, "counted so far");
            last = now;
        }
    }
}
