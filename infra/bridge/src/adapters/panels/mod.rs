//! Panels that speak ZKTeco's push protocol: they call in over HTTP, fetch one order at a time, and say what became of
//! it. An order that was handed out is never handed out again; one that nobody fetched in time is gone.

pub mod protocol;
mod server;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use kernel::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, timeout};
use wire::door::OccurrenceKind;

use self::protocol::{cards, order, results};
use super::presence::Presence;
use super::{Adapter, Failure, LockHandle, Noticed, Release, Report};
use crate::clock::Clock;
use crate::config::{DoorConfig, PanelConfig, PanelsConfig};

/// All panels that call in at one address.
pub struct Panels {
    listener: TcpListener,
    panels: Vec<(Arc<Panel>, mpsc::Receiver<Release>)>,
}

impl Panels {
    /// Listens; each panel comes with its name and the handle that gives it work.
    ///
    /// # Errors
    /// When the address is in use.
    pub async fn listen(
        config: &PanelsConfig,
        doors: &[DoorConfig],
        clock: &Clock,
        reports: &mpsc::UnboundedSender<Report>,
    ) -> Result<(Self, Vec<(String, LockHandle)>)> {
        let listener = TcpListener::bind(&config.listen)
            .await
            .with_context(|| format!("listening for panels on {}", config.listen))?;
        let (mut panels, mut handles) = (Vec::new(), Vec::new());
        for config in &config.panels {
            let (handle, releases) = LockHandle::new();
            handles.push((config.id.clone(), handle));
            let hung = doors.iter().filter(|door| door.adapter == config.id);
            let panel = Panel {
                doors: hung.cloned().collect(),
                state: Mutex::new(State {
                    presence: Presence::new(Instant::now(), config.lost_after),
                    // Panels keep the numbers of orders: a number of an earlier run must not come again.
                    last_order: clock.now().millis().unsigned_abs(),
                    pending: None,
                }),
                config: config.clone(),
                clock: clock.clone(),
                reports: reports.clone(),
            };
            panels.push((Arc::new(panel), releases));
        }
        Ok((Self { listener, panels }, handles))
    }

    /// Where the panels reach us.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn address(&self) -> Result<std::net::SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    async fn serve(self) {
        let mut working = JoinSet::new();
        let mut by_serial = BTreeMap::new();
        for (panel, releases) in self.panels {
            by_serial.insert(panel.config.serial.clone(), panel.clone());
            working.spawn(panel.clone().look());
            working.spawn(panel.carry_out_all(releases));
        }
        server::serve(self.listener, Arc::new(by_serial)).await;
    }
}

impl Adapter for Panels {
    fn run(self: Box<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(self.serve())
    }
}

/// One panel: what is known of it, and the order that waits for it.
struct Panel {
    config: PanelConfig,
    doors: Vec<DoorConfig>,
    clock: Clock,
    reports: mpsc::UnboundedSender<Report>,
    state: Mutex<State>,
}

struct State {
    presence: Presence,
    last_order: u64,
    pending: Option<Pending>,
}

/// The order under way.
struct Pending {
    id: u64,
    text: String,
    expires_at: Timestamp,
    handed_out: bool,
    answered: oneshot::Sender<i64>,
}

impl Panel {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves a whole state: every change is one assignment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn carry_out_all(self: Arc<Self>, mut releases: mpsc::Receiver<Release>) {
        while let Some(release) = releases.recv().await {
            let result = self.carry_out(&release).await;
            release.finish(result);
        }
    }

    async fn carry_out(&self, release: &Release) -> Result<(), Failure> {
        let left = release.expires_at.millis_since(self.clock.now());
        let Ok(left @ 1..) = u64::try_from(left) else {
            return Err(Failure::Expired);
        };
        let mut answer = self.offer(release)?;
        if let Ok(answered) = timeout(Duration::from_millis(left), &mut answer).await {
            return read(answered.ok());
        }
        // From here on it is not handed out any more.
        if self
            .state()
            .pending
            .take_if(|pending| !pending.handed_out)
            .is_some()
        {
            return Err(Failure::Expired);
        }
        let answered = timeout(self.config.reply_timeout, answer).await;
        self.state().pending = None;
        read(answered.ok().and_then(Result::ok))
    }

    fn offer(&self, release: &Release) -> Result<oneshot::Receiver<i64>, Failure> {
        let mut state = self.state();
        if !state.presence.is_present() {
            return Err(Failure::Unreached("the panel has not called in".into()));
        }
        state.last_order += 1;
        let (answered, answer) = oneshot::channel();
        state.pending = Some(Pending {
            id: state.last_order,
            text: order(state.last_order, release.output, release.movement),
            expires_at: release.expires_at,
            handed_out: false,
            answered,
        });
        Ok(answer)
    }

    /// The order to hand out now, once.
    fn fetch(&self) -> Option<String> {
        let now = self.clock.now();
        let mut state = self.state();
        let pending = state.pending.as_mut()?;
        if pending.handed_out || now >= pending.expires_at {
            return None;
        }
        pending.handed_out = true;
        Some(pending.text.clone())
    }

    fn answered(&self, body: &str) {
        for (id, word) in results(body) {
            let mut state = self.state();
            match state
                .pending
                .take_if(|pending| pending.id == id && pending.handed_out)
            {
                // Whoever asked may have given up just now.
                Some(pending) => drop(pending.answered.send(word)),
                None => tracing::debug!(
                    panel = self.config.id,
                    id,
                    "an answer to no order was skipped"
                ),
            }
        }
    }

    fn uploaded(&self, body: &str) {
        for (number, scan) in cards(body, self.clock.now(), self.config.utc_offset_minutes) {
            match self.doors.iter().find(|door| door.reader == number) {
                Some(door) => self.tell(door, Noticed::Scan(scan)),
                None => tracing::warn!(panel = self.config.id, number, "no door has this reader"),
            }
        }
    }

    fn called(&self) {
        let occurrence = self.state().presence.heard(Instant::now());
        self.tell_all(occurrence);
    }

    async fn look(self: Arc<Self>) {
        let mut ticks = interval(self.config.lost_after / 4);
        loop {
            ticks.tick().await;
            let occurrence = self
                .state()
                .presence
                .overdue(Instant::now(), "the panel does not call in");
            self.tell_all(occurrence);
        }
    }

    fn tell_all(&self, occurrence: Option<OccurrenceKind>) {
        let Some(kind) = occurrence else { return };
        tracing::info!(panel = self.config.id, ?kind, "a panel's presence changed");
        for door in &self.doors {
            self.tell(door, Noticed::Occurrence(kind.clone()));
        }
    }

    fn tell(&self, door: &DoorConfig, noticed: Noticed) {
        // Nobody listens any more only when the bridge is being shut down.
        let _ = self.reports.send(Report {
            door: door.id.clone(),
            noticed,
        });
    }
}

fn read(answered: Option<i64>) -> Result<(), Failure> {
    match answered {
        Some(0..) => Ok(()),
        Some(word) => Err(Failure::Refused(format!("the panel answers {word}"))),
        None => Err(Failure::Unanswered(
            "the panel fetched the order and does not say what became of it".into(),
        )),
    }
}
