//! One line: one transaction at a time, every controller polled in turn, releases first, and a dead controller
//! never keeps the others waiting for longer than one time-out.

use std::pin::Pin;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use wire::door::OccurrenceKind;

use super::controller::Controller;
use super::exchange::{Exchange, Silence};
use super::{Adapter, Failure, LockHandle, Noticed, Release, Report, port};
use crate::clock::Clock;
use crate::config::{DoorConfig, LineConfig};

/// The longest the line rests without looking around.
const REST_MAX: Duration = Duration::from_secs(5);
/// The pauses between two tries to open the line.
const REOPEN_MIN: Duration = Duration::from_millis(100);
const REOPEN_MAX: Duration = Duration::from_secs(10);

/// A line with its controllers; [`Line::run`] serves it.
pub struct Line {
    config: LineConfig,
    clock: Clock,
    controllers: Vec<Controller>,
    releases: mpsc::Receiver<Release>,
    reports: mpsc::UnboundedSender<Report>,
    next: usize,
}

impl Line {
    /// A line with the doors that hang on it, and the handle that gives it work.
    #[must_use]
    pub fn new(
        config: LineConfig,
        doors: &[DoorConfig],
        clock: Clock,
        reports: mpsc::UnboundedSender<Report>,
    ) -> (Self, LockHandle) {
        let (handle, releases) = LockHandle::new();
        let now = Instant::now();
        let mut controllers: Vec<Controller> = Vec::new();
        for door in doors.iter().filter(|door| door.adapter == config.id) {
            match controllers
                .iter_mut()
                .find(|known| known.address == door.address)
            {
                Some(known) => known.hang(door),
                None => controllers.push(Controller::new(door, now, config.lost_after)),
            }
        }
        (
            Self {
                config,
                clock,
                controllers,
                releases,
                reports,
                next: 0,
            },
            handle,
        )
    }

    async fn keep_up(mut self) {
        let mut pause = REOPEN_MIN;
        loop {
            let reason = match port::open(&self.config.port).await {
                Ok(stream) => {
                    pause = REOPEN_MIN;
                    tracing::info!(line = self.config.id, port = %self.config.port, "the line is open");
                    match self
                        .serve(Exchange::new(stream, self.config.reply_timeout))
                        .await
                    {
                        Some(broken) => format!("the line broke: {broken}"),
                        None => return,
                    }
                }
                Err(error) => format!("the line cannot be opened: {error:#}"),
            };
            tracing::warn!(line = self.config.id, reason, "the line is down");
            if !self.wait_while_down(&reason, Instant::now() + pause).await {
                return;
            }
            pause = (pause * 2).min(REOPEN_MAX);
        }
    }

    /// Works on the open line; `None` when nobody needs it any more, else what broke.
    async fn serve(&mut self, mut exchange: Exchange) -> Option<std::io::Error> {
        let opened = Instant::now();
        self.controllers
            .iter_mut()
            .for_each(|controller| controller.line_opened(opened));
        let mut released_last = false;
        loop {
            while let Ok(release) = self.releases.try_recv() {
                self.enqueue(release);
            }
            let now = Instant::now();
            let (release, poll) = (self.release_due(now), self.poll_due(now));
            // Releases come first, but when a poll is due as well they take turns.
            let done = match (release, poll) {
                (Some(index), poll) if poll.is_none() || !released_last => {
                    released_last = true;
                    self.try_release(index, &mut exchange).await
                }
                (_, Some(index)) => {
                    released_last = false;
                    self.poll(index, &mut exchange).await
                }
                (_, None) => {
                    tokio::select! {
                        () = sleep_until(self.next_moment(now)) => Ok(()),
                        silence = exchange.idle() => Err(silence),
                        release = self.releases.recv() => match release {
                            Some(release) => { self.enqueue(release); Ok(()) }
                            None => return None,
                        },
                    }
                }
            };
            if let Err(Silence::Broken(error)) = done {
                return Some(error);
            }
        }
    }

    /// Refuses releases while the line is down; false when nobody needs the line any more.
    async fn wait_while_down(&mut self, reason: &str, until: Instant) -> bool {
        for index in 0..self.controllers.len() {
            let silent = self.controllers.get_mut(index);
            let occurrence = silent.and_then(|silent| silent.line_down(Instant::now(), reason));
            self.report(index, occurrence);
        }
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

    fn enqueue(&mut self, release: Release) {
        let meant = self
            .controllers
            .iter_mut()
            .find(|controller| controller.address == release.address);
        match meant {
            Some(controller) => controller.enqueue(release, Instant::now()),
            None => release.finish(Err(Failure::Unreached(
                "no controller has that address".into(),
            ))),
        }
    }

    /// The next controller in turn that has a release to try now.
    fn release_due(&mut self, now: Instant) -> Option<usize> {
        let count = self.controllers.len();
        let due = |index: &usize| {
            let at = self
                .controllers
                .get(*index)
                .and_then(Controller::release_at);
            at.is_some_and(|at| at <= now)
        };
        let found = (0..count)
            .map(|offset| (self.next + offset) % count)
            .find(due)?;
        self.next = (found + 1) % count;
        Some(found)
    }

    /// The controller whose poll has been due for longest.
    fn poll_due(&self, now: Instant) -> Option<usize> {
        let all = self.controllers.iter().enumerate();
        let due = all.filter_map(|(index, controller)| Some((controller.poll_at()?, index)));
        due.filter(|(at, _)| *at <= now)
            .min()
            .map(|(_, index)| index)
    }

    fn next_moment(&self, now: Instant) -> Instant {
        let moments = self
            .controllers
            .iter()
            .flat_map(|controller| [controller.release_at(), controller.poll_at()]);
        moments.flatten().min().unwrap_or(now + REST_MAX)
    }

    async fn poll(&mut self, index: usize, exchange: &mut Exchange) -> Result<(), Silence> {
        let Some(controller) = self.controllers.get_mut(index) else {
            return Ok(());
        };
        let (occurrence, heard) = controller.poll(exchange, &self.config).await;
        self.report(index, occurrence);
        self.pass_on_scans(index);
        heard
    }

    async fn try_release(&mut self, index: usize, exchange: &mut Exchange) -> Result<(), Silence> {
        let Some(controller) = self.controllers.get_mut(index) else {
            return Ok(());
        };
        let (occurrence, heard) = controller
            .try_release(exchange, &self.clock, &self.config)
            .await;
        self.report(index, occurrence);
        self.pass_on_scans(index);
        heard
    }

    fn pass_on_scans(&mut self, index: usize) {
        let scans = self
            .controllers
            .get_mut(index)
            .map_or_else(Vec::new, Controller::take_scans);
        for (door, scan) in scans {
            // Nobody listens any more only when the bridge is being shut down.
            let _ = self.reports.send(Report {
                door,
                noticed: Noticed::Scan(scan),
            });
        }
    }

    fn report(&self, index: usize, occurrence: Option<OccurrenceKind>) {
        let (Some(kind), Some(controller)) = (occurrence, self.controllers.get(index)) else {
            return;
        };
        tracing::info!(
            line = self.config.id,
            address = controller.address,
            ?kind,
            "a controller's presence changed"
        );
        for (door, _) in &controller.doors {
            // Nobody listens any more only when the bridge is being shut down.
            let _ = self.reports.send(Report {
                door: door.clone(),
                noticed: Noticed::Occurrence(kind.clone()),
            });
        }
    }
}

impl Adapter for Line {
    fn run(self: Box<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(self.keep_up())
    }
}
