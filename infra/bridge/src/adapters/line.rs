//! One line: one transaction at a time, every controller polled in turn, releases first, and a dead controller
//! never keeps the others waiting for longer than one time-out.

use std::collections::VecDeque;
use std::time::Duration;

use osdp::Sqn;
use osdp::reply::{NakErrorCode, Reply};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use wire::door::OccurrenceKind;

use super::exchange::{Exchange, Silence};
use super::osdp::{Verdict, poll_order, release_order, verdict};
use super::presence::Presence;
use super::{Failure, LineHandle, RELEASES_WAITING_MAX, Release, Report, port};
use crate::clock::Clock;
use crate::config::{DoorConfig, LineConfig};

/// How often one release is tried while no answer comes.
const ATTEMPTS_MAX: u8 = 3;
/// How often one release is tried again while the controller says that it is busy.
const BUSY_MAX: u8 = 20;
/// The pause after a controller said that it is busy.
const BUSY_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause between two polls of a silent controller.
const SILENT_POLL_MAX: Duration = Duration::from_secs(5);
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

/// One controller on the line, with every door that hangs on it.
struct Controller {
    address: u8,
    doors: Vec<kernel::DeviceId>,
    sequence: Sqn,
    presence: Presence,
    poll_at: Instant,
    misses: u32,
    work: VecDeque<Work>,
}

/// A release under way.
struct Work {
    release: Release,
    /// The number it went out with and has no answer to yet: only with that number it may go out again, because
    /// then a controller that did get it repeats its answer and does not act twice.
    sent_with: Option<Sqn>,
    attempts: u8,
    busy: u8,
    not_before: Instant,
}

enum Step {
    Done(Result<(), Failure>),
    Again,
}

impl Line {
    /// A line with the doors that hang on it, and the handle that gives it work.
    #[must_use]
    pub fn new(
        config: LineConfig,
        doors: &[DoorConfig],
        clock: Clock,
        reports: mpsc::UnboundedSender<Report>,
    ) -> (Self, LineHandle) {
        let (sender, releases) = mpsc::channel(RELEASES_WAITING_MAX);
        let now = Instant::now();
        let mut controllers: Vec<Controller> = Vec::new();
        for door in doors.iter().filter(|door| door.line == config.id) {
            match controllers
                .iter_mut()
                .find(|known| known.address == door.address)
            {
                Some(known) => known.doors.push(door.id.clone()),
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
            LineHandle(sender),
        )
    }

    /// Serves the line until every handle is gone.
    pub async fn run(mut self) {
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
        for controller in &mut self.controllers {
            controller.sequence = Sqn::ZERO;
            controller.poll_at = Instant::now();
        }
        let mut releases_last = false;
        loop {
            while let Ok(release) = self.releases.try_recv() {
                self.enqueue(release);
            }
            let now = Instant::now();
            let release = self.release_due(now);
            let poll = self.poll_due(now);
            let done = match (release, poll) {
                (Some(index), poll) if poll.is_none() || !releases_last => {
                    releases_last = true;
                    self.work_on(index, &mut exchange).await
                }
                (_, Some(index)) => {
                    releases_last = false;
                    self.poll(index, &mut exchange).await
                }
                _ => {
                    let until = self.next_moment(now);
                    tokio::select! {
                        () = sleep_until(until) => Ok(()),
                        silence = exchange.idle() => Err(silence),
                        release = self.releases.recv() => match release {
                            Some(release) => { self.enqueue(release); Ok(()) }
                            None => return None,
                        },
                    }
                }
            };
            if let Err(Silence::Broken(error)) = done {
                self.fail_all(&format!("the line broke: {error}"));
                return Some(error);
            }
        }
    }

    /// Refuses releases while the line is down; false when nobody needs the line any more.
    async fn wait_while_down(&mut self, reason: &str, until: Instant) -> bool {
        for index in 0..self.controllers.len() {
            let occurrence = self
                .controllers
                .get_mut(index)
                .and_then(|silent| silent.presence.silent(Instant::now(), reason));
            self.report(index, occurrence);
        }
        loop {
            tokio::select! {
                () = sleep_until(until) => return true,
                release = self.releases.recv() => match release {
                    Some(release) => finish(release, Err(Failure::Unreached(reason.to_owned()))),
                    None => return false,
                },
            }
        }
    }

    fn enqueue(&mut self, release: Release) {
        let now = Instant::now();
        match self
            .controllers
            .iter_mut()
            .find(|controller| controller.address == release.address)
        {
            Some(controller) => controller.work.push_back(Work {
                release,
                sent_with: None,
                attempts: 0,
                busy: 0,
                not_before: now,
            }),
            None => finish(
                release,
                Err(Failure::Unreached(
                    "no controller with that address is configured".into(),
                )),
            ),
        }
    }

    /// The next controller in turn that has a release to try now.
    fn release_due(&mut self, now: Instant) -> Option<usize> {
        let count = self.controllers.len();
        let due = |index: &usize| {
            let first = self
                .controllers
                .get(*index)
                .and_then(|controller| controller.work.front());
            first.is_some_and(|work| work.not_before <= now)
        };
        let found = (0..count)
            .map(|offset| (self.next + offset) % count)
            .find(due)?;
        self.next = (found + 1) % count;
        Some(found)
    }

    fn poll_due(&self, now: Instant) -> Option<usize> {
        let due = self
            .controllers
            .iter()
            .enumerate()
            .filter(|(_, controller)| controller.may_be_polled() && controller.poll_at <= now);
        due.min_by_key(|(_, controller)| controller.poll_at)
            .map(|(index, _)| index)
    }

    fn next_moment(&self, now: Instant) -> Instant {
        let moments = self.controllers.iter().flat_map(|controller| {
            let work = controller.work.front().map(|work| work.not_before);
            work.into_iter()
                .chain(controller.may_be_polled().then_some(controller.poll_at))
        });
        moments.min().unwrap_or(now + SILENT_POLL_MAX)
    }

    async fn poll(&mut self, index: usize, exchange: &mut Exchange) -> Result<(), Silence> {
        let Some(controller) = self.controllers.get_mut(index) else {
            return Ok(());
        };
        let result = controller.poll(exchange).await;
        let (occurrence, result) = controller.note(result, &self.config);
        self.report(index, occurrence);
        result
    }

    async fn work_on(&mut self, index: usize, exchange: &mut Exchange) -> Result<(), Silence> {
        let Some(controller) = self.controllers.get_mut(index) else {
            return Ok(());
        };
        let Some(mut work) = controller.work.pop_front() else {
            return Ok(());
        };
        let (step, heard) = controller.attempt(&mut work, exchange, &self.clock).await;
        match step {
            Step::Done(result) => finish(work.release, result),
            Step::Again => controller.work.push_front(work),
        }
        let (occurrence, result) = controller.note(heard, &self.config);
        self.report(index, occurrence);
        result
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
        for door in &controller.doors {
            // Nobody listens any more only when the bridge is being shut down.
            let _ = self.reports.send(Report {
                door: door.clone(),
                kind: kind.clone(),
            });
        }
    }

    fn fail_all(&mut self, reason: &str) {
        for controller in &mut self.controllers {
            for work in controller.work.drain(..) {
                finish(
                    work.release,
                    Err(work.sent_with.map_or_else(
                        || Failure::Unreached(reason.to_owned()),
                        |_| Failure::Unanswered(reason.to_owned()),
                    )),
                );
            }
        }
    }
}

impl Controller {
    fn new(door: &DoorConfig, now: Instant, lost_after: Duration) -> Self {
        Self {
            address: door.address,
            doors: vec![door.id.clone()],
            sequence: Sqn::ZERO,
            presence: Presence::new(now, lost_after),
            poll_at: now,
            misses: 0,
            work: VecDeque::new(),
        }
    }

    /// An order without an answer holds its sequence number: a poll in between would use it up, and the controller
    /// would take the repeated order for a repeated poll and not run it.
    fn may_be_polled(&self) -> bool {
        self.work
            .front()
            .is_none_or(|work| work.sent_with.is_none())
    }

    /// Asks whether the controller is there. A silence starts the numbers anew: the number of an order without an
    /// answer must not be given to another order.
    async fn poll(&mut self, exchange: &mut Exchange) -> Result<(), Silence> {
        let answered = exchange
            .ask(self.address, self.sequence, &poll_order())
            .await;
        match &answered {
            Ok(Ok(Reply::Busy(_))) => {}
            Ok(Ok(Reply::Nak(nak))) if nak.error == NakErrorCode::UnexpectedSequenceNumber => {
                self.sequence = Sqn::ZERO
            }
            Ok(reply) => {
                self.sequence = self.sequence.next();
                if !matches!(reply, Ok(Reply::Ack(_))) {
                    tracing::debug!(
                        address = self.address,
                        ?reply,
                        "a controller answered a poll with more than an ACK"
                    );
                }
            }
            Err(_) => self.sequence = Sqn::ZERO,
        }
        answered.map(drop)
    }

    /// Tries the release once. What was heard is told apart from what became of it.
    async fn attempt(
        &mut self,
        work: &mut Work,
        exchange: &mut Exchange,
        clock: &Clock,
    ) -> (Step, Result<(), Silence>) {
        if work.sent_with.is_none() && self.sequence == Sqn::ZERO {
            // An order with the number 0 is run again when it is repeated, so a poll takes the 0.
            if let Err(silence) = self.poll(exchange).await {
                return (work.after_unsent(&silence), Err(silence));
            }
            if self.sequence == Sqn::ZERO {
                return (work.after_unsent(&Silence::TimedOut), Ok(()));
            }
        }
        let sequence = work.sent_with.unwrap_or(self.sequence);
        if clock.now() >= work.release.expires_at {
            return (Step::Done(Err(work.too_late())), Ok(()));
        }
        let order = release_order(work.release.output, work.release.for_ms);
        let answered = exchange.ask(self.address, sequence, &order).await;
        let reply = match answered {
            Ok(reply) => reply,
            Err(silence) => {
                work.sent_with = Some(sequence);
                let step = work.after_silence(&silence);
                if matches!(step, Step::Done(_)) {
                    self.sequence = Sqn::ZERO;
                }
                return (step, Err(silence));
            }
        };
        let step = match verdict(work.release.output, &reply) {
            Verdict::Released => {
                self.sequence = sequence.next();
                Step::Done(Ok(()))
            }
            Verdict::Refused(reason) => {
                self.sequence = sequence.next();
                Step::Done(Err(Failure::Refused(reason)))
            }
            Verdict::OutOfSequence => {
                self.sequence = Sqn::ZERO;
                work.after_out_of_sequence()
            }
            Verdict::Busy => work.after_busy(),
            Verdict::Garbled => {
                work.sent_with = Some(sequence);
                work.after_silence(&Silence::TimedOut)
            }
        };
        (step, Ok(()))
    }

    /// Keeps presence and the next poll; passes on only what ends the line.
    fn note(
        &mut self,
        heard: Result<(), Silence>,
        config: &LineConfig,
    ) -> (Option<OccurrenceKind>, Result<(), Silence>) {
        let now = Instant::now();
        match heard {
            Ok(()) => {
                self.misses = 0;
                self.poll_at = now + config.poll;
                (self.presence.heard(now), Ok(()))
            }
            Err(silence) => {
                self.misses = self.misses.saturating_add(1);
                let slower = config.poll.saturating_mul(1 << self.misses.min(8));
                let ceiling = if self.presence.is_lost() {
                    SILENT_POLL_MAX
                } else {
                    Duration::from_secs(1)
                };
                self.poll_at = now + slower.min(ceiling).max(config.poll);
                (
                    self.presence.silent(now, "the controller does not answer"),
                    Err(silence),
                )
            }
        }
    }
}

impl Work {
    fn after_unsent(&mut self, silence: &Silence) -> Step {
        self.attempts += 1;
        match silence {
            Silence::Broken(error) => {
                Step::Done(Err(Failure::Unreached(format!("the line broke: {error}"))))
            }
            Silence::TimedOut if self.attempts < ATTEMPTS_MAX => Step::Again,
            Silence::TimedOut => Step::Done(Err(Failure::Unreached(
                "the controller does not answer".into(),
            ))),
        }
    }

    fn after_silence(&mut self, silence: &Silence) -> Step {
        self.attempts += 1;
        match silence {
            Silence::Broken(error) => {
                Step::Done(Err(Failure::Unanswered(format!("the line broke: {error}"))))
            }
            Silence::TimedOut if self.attempts < ATTEMPTS_MAX => Step::Again,
            Silence::TimedOut => Step::Done(Err(Failure::Unanswered(
                "the controller did not answer the order".into(),
            ))),
        }
    }

    /// A controller that refuses the number of a first try did nothing: it may be tried anew. After a try without
    /// an answer it may have acted and restarted since, so that is the end.
    fn after_out_of_sequence(&mut self) -> Step {
        self.attempts += 1;
        match self.sent_with {
            Some(_) => Step::Done(Err(Failure::Unanswered(
                "the controller lost the thread".into(),
            ))),
            None if self.attempts < ATTEMPTS_MAX => Step::Again,
            None => Step::Done(Err(Failure::Refused(
                "the controller refuses every sequence number".into(),
            ))),
        }
    }

    fn after_busy(&mut self) -> Step {
        self.busy += 1;
        self.not_before = Instant::now() + BUSY_PAUSE;
        if self.busy < BUSY_MAX {
            Step::Again
        } else {
            Step::Done(Err(Failure::Refused("the controller stays busy".into())))
        }
    }

    fn too_late(&self) -> Failure {
        match self.sent_with {
            None => Failure::Expired,
            Some(_) => Failure::Unanswered(
                "the controller did not answer the order before it expired".into(),
            ),
        }
    }
}

fn finish(release: Release, result: Result<(), Failure>) {
    // Whoever asked may have gone; the lock's movement is in the log either way.
    if let Err(result) = release.done.send(result) {
        tracing::warn!(
            address = release.address,
            output = release.output,
            ?result,
            "nobody waits for this release"
        );
    }
}
