//! One controller on a line: its sequence numbers, its presence, and the releases that wait for it.

use std::collections::VecDeque;
use std::time::Duration;

use kernel::DeviceId;
use osdp::Sqn;
use osdp::reply::{NakErrorCode, Reply};
use tokio::time::Instant;
use wire::door::OccurrenceKind;

use super::exchange::{Exchange, Silence};
use super::osdp::{Verdict, movement_order, poll_order, verdict};
use super::presence::Presence;
use super::scan::{Keypads, Scan};
use super::{Failure, Release};
use crate::clock::Clock;
use crate::config::{DoorConfig, LineConfig};

/// How often one release is tried while no answer comes.
const ATTEMPTS_MAX: u8 = 5;
/// How often one release is tried again while the controller says that it is busy.
const BUSY_MAX: u8 = 20;
/// The pause after a controller said that it is busy.
const BUSY_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause between two polls of a silent controller that is not yet lost, and of a lost one.
const SILENT_POLL_MAX: Duration = Duration::from_secs(1);
const LOST_POLL_MAX: Duration = Duration::from_secs(5);

/// One controller, with every door that hangs on it.
pub struct Controller {
    /// Its address on the line.
    pub address: u8,
    /// The doors that hang on it, each with the number of its reader.
    pub doors: Vec<(DeviceId, u8)>,
    sequence: Sqn,
    presence: Presence,
    poll_at: Instant,
    misses: u32,
    work: VecDeque<Work>,
    keypads: Keypads,
    scans: Vec<(DeviceId, Scan)>,
}

/// A release under way.
struct Work {
    release: Release,
    /// The number it went out with and has no last word to yet: only with that number it may go out again, because
    /// then a controller that did get it repeats its answer and does not act twice.
    sent_with: Option<Sqn>,
    attempts: u8,
    busy: u8,
    not_before: Instant,
}

/// What one try led to.
enum Step {
    /// The controller gave its last word.
    Answered(Result<(), Failure>),
    /// It is given up without a word.
    GivenUp(Failure),
    /// It is tried again.
    Again,
}

/// What was heard in one transaction, and what is to be said about the controller's presence.
pub type Noted = (Option<OccurrenceKind>, Result<(), Silence>);

impl Controller {
    /// The controller of a door; nothing is known of it at `now`.
    pub fn new(door: &DoorConfig, now: Instant, lost_after: Duration) -> Self {
        Self {
            address: door.address,
            doors: vec![(door.id.clone(), door.reader)],
            sequence: Sqn::ZERO,
            presence: Presence::new(now, lost_after),
            poll_at: now,
            misses: 0,
            work: VecDeque::new(),
            keypads: Keypads::default(),
            scans: Vec::new(),
        }
    }

    /// Another door hangs on the controller.
    pub fn hang(&mut self, door: &DoorConfig) {
        self.doors.push((door.id.clone(), door.reader));
    }

    /// What was shown at the readers since the last call.
    pub fn take_scans(&mut self) -> Vec<(DeviceId, Scan)> {
        std::mem::take(&mut self.scans)
    }

    /// The line was opened: the numbers start anew.
    pub fn line_opened(&mut self, now: Instant) {
        self.sequence = Sqn::ZERO;
        self.poll_at = now;
    }

    /// The line is down: the controller is silent, whatever waits is not reached.
    pub fn line_down(&mut self, now: Instant, reason: &str) -> Option<OccurrenceKind> {
        for work in self.work.drain(..) {
            let failure = match work.sent_with {
                None => Failure::Unreached(reason.to_owned()),
                Some(_) => Failure::Unanswered(reason.to_owned()),
            };
            work.release.finish(Err(failure));
        }
        self.presence.silent(now, reason)
    }

    /// Takes a release; its turn comes.
    pub fn enqueue(&mut self, release: Release, now: Instant) {
        self.work.push_back(Work {
            release,
            sent_with: None,
            attempts: 0,
            busy: 0,
            not_before: now,
        });
    }

    /// When the next try of a release is due, if one waits.
    pub fn release_at(&self) -> Option<Instant> {
        self.work.front().map(|work| work.not_before)
    }

    /// When the next poll is due. An order without an answer holds its sequence number: a poll in between would use
    /// it up, and the controller would take the repeated order for a repeated poll and not run it.
    pub fn poll_at(&self) -> Option<Instant> {
        let held = self
            .work
            .front()
            .is_some_and(|work| work.sent_with.is_some());
        (!held).then_some(self.poll_at)
    }

    /// Asks whether the controller is there.
    pub async fn poll(&mut self, exchange: &mut Exchange, config: &LineConfig) -> Noted {
        let heard = self.ask_presence(exchange).await;
        self.note(heard, config)
    }

    /// Tries the first release once.
    pub async fn try_release(
        &mut self,
        exchange: &mut Exchange,
        clock: &Clock,
        config: &LineConfig,
    ) -> Noted {
        let Some(mut work) = self.work.pop_front() else {
            return (None, Ok(()));
        };
        let (step, heard) = self.attempt(&mut work, exchange, clock).await;
        match step {
            Step::Answered(result) => {
                self.sequence = work.sent_with.unwrap_or(self.sequence).next();
                work.release.finish(result);
            }
            Step::GivenUp(failure) => {
                // The number of an order without a last word must not be given to another order.
                self.sequence = Sqn::ZERO;
                work.release.finish(Err(failure));
            }
            Step::Again => self.work.push_front(work),
        }
        self.note(heard, config)
    }

    /// A silence starts the numbers anew: the number of an order without an answer must not be given to another.
    async fn ask_presence(&mut self, exchange: &mut Exchange) -> Result<(), Silence> {
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
                self.read(reply.as_ref().ok());
            }
            Err(_) => self.sequence = Sqn::ZERO,
        }
        answered.map(drop)
    }

    /// Keeps what was shown at a reader. What waited in a controller that was not there is not acted on: whoever
    /// showed it has gone.
    fn read(&mut self, reply: Option<&Reply>) {
        let Some((reader, scan)) = reply.and_then(|reply| self.keypads.read(reply, Instant::now()))
        else {
            return;
        };
        let door = self.doors.iter().find(|(_, number)| *number == reader);
        match door {
            _ if !self.presence.is_present() => {
                tracing::warn!(
                    address = self.address,
                    reader,
                    "what waited at a reader was left alone"
                );
            }
            Some((door, _)) => self.scans.push((door.clone(), scan)),
            None => tracing::warn!(address = self.address, reader, "no door has this reader"),
        }
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
            if let Err(silence) = self.ask_presence(exchange).await {
                return (work.after_unsent(&silence), Err(silence));
            }
            if self.sequence == Sqn::ZERO {
                return (work.after_unsent(&Silence::TimedOut), Ok(()));
            }
        }
        if clock.now() >= work.release.expires_at {
            return (Step::GivenUp(work.too_late()), Ok(()));
        }
        let first = work.sent_with.is_none();
        let sequence = *work.sent_with.get_or_insert(self.sequence);
        let order = movement_order(work.release.output, work.release.movement);
        let reply = match exchange.ask(self.address, sequence, &order).await {
            Ok(reply) => reply,
            Err(silence) => return (work.after_silence(&silence), Err(silence)),
        };
        let step = match verdict(work.release.output, work.release.movement, &reply) {
            Verdict::Released => Step::Answered(Ok(())),
            Verdict::Refused(reason) => Step::Answered(Err(Failure::Refused(reason))),
            Verdict::Unclear(reason) => Step::GivenUp(Failure::Unanswered(reason)),
            Verdict::Busy => work.after_busy(),
            Verdict::Garbled => work.after_silence(&Silence::TimedOut),
            Verdict::OutOfSequence => {
                self.sequence = Sqn::ZERO;
                work.after_out_of_sequence(first)
            }
        };
        (step, Ok(()))
    }

    /// Keeps presence and the next poll; passes on only what ends the line.
    fn note(&mut self, heard: Result<(), Silence>, config: &LineConfig) -> Noted {
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
                    LOST_POLL_MAX
                } else {
                    SILENT_POLL_MAX
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
                Step::GivenUp(Failure::Unreached(format!("the line broke: {error}")))
            }
            Silence::TimedOut if self.attempts < ATTEMPTS_MAX => Step::Again,
            Silence::TimedOut => {
                Step::GivenUp(Failure::Unreached("the controller does not answer".into()))
            }
        }
    }

    fn after_silence(&mut self, silence: &Silence) -> Step {
        self.attempts += 1;
        match silence {
            Silence::Broken(error) => {
                Step::GivenUp(Failure::Unanswered(format!("the line broke: {error}")))
            }
            Silence::TimedOut if self.attempts < ATTEMPTS_MAX => Step::Again,
            Silence::TimedOut => Step::GivenUp(Failure::Unanswered(
                "the controller did not answer the order".into(),
            )),
        }
    }

    /// A controller that refuses the number of a first try did nothing: it may be tried anew. After a try without
    /// an answer it may have acted and restarted since, so that is the end.
    fn after_out_of_sequence(&mut self, first: bool) -> Step {
        self.attempts += 1;
        if !first {
            return Step::GivenUp(Failure::Unanswered("the controller lost the thread".into()));
        }
        self.sent_with = None;
        if self.attempts < ATTEMPTS_MAX {
            return Step::Again;
        }
        Step::GivenUp(Failure::Refused(
            "the controller refuses every sequence number".into(),
        ))
    }

    fn after_busy(&mut self) -> Step {
        self.busy += 1;
        self.not_before = Instant::now() + BUSY_PAUSE;
        if self.busy < BUSY_MAX {
            return Step::Again;
        }
        Step::GivenUp(Failure::Unanswered("the controller stays busy".into()))
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
