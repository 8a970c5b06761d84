//! The thread that owns the spool's file: it takes what waits, commits it together, and only then tells.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use kernel::{DeviceId, MessageId, OpeningId, Timestamp};
use rusqlite::{Connection, Transaction};
use tokio::sync::{Notify, mpsc, oneshot};

use wire::audit::Line;

use super::{
    Kind, Maker, Operation, Outgoing, REMEMBERED_MIN, REMEMBERED_MS, Recorded, Stored, Taken, Trace,
};
use crate::clock::Clock;
use crate::config::SpoolLimits;
use crate::counters::Counters;
use crate::store::{self, decisions};

/// The most operations in one commit.
const BATCH_MAX: usize = 256;
/// How often the memory of commands is cleared of what is older.
const FORGET_EVERY: Duration = Duration::from_secs(60);
/// What one acknowledgement takes at most, in bytes: room for it is looked for before a door moves.
const ANSWER_BYTES: u64 = 2_048;

/// The thread's side of the spool.
pub struct Keeper {
    pub(super) limits: SpoolLimits,
    pub(super) run: String,
    pub(super) clock: Clock,
    pub(super) counters: Arc<Counters>,
    pub(super) messages: u64,
    pub(super) bytes: u64,
    pub(super) forgot_at: Instant,
    pub(super) changed: Arc<Notify>,
}

/// What is told after the commit, never before.
type Told = Box<dyn FnOnce()>;

impl Keeper {
    /// Works until every handle is gone.
    pub fn keep(mut self, mut db: Connection, mut waiting: mpsc::Receiver<Operation>) {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        while let Some(first) = waiting.blocking_recv() {
            batch.push(first);
            while batch.len() < BATCH_MAX {
                let Ok(next) = waiting.try_recv() else { break };
                batch.push(next);
            }
            let before = (self.messages, self.bytes);
            if let Err(error) = self.commit(&mut db, batch.drain(..)) {
                // Nothing of the batch is kept: whoever asked sees a closed channel and does not go on.
                tracing::error!(error = format!("{error:#}"), "the spool cannot be written");
                (self.messages, self.bytes) = before;
            }
            batch.clear();
        }
    }

    fn commit(
        &mut self,
        db: &mut Connection,
        batch: impl Iterator<Item = Operation>,
    ) -> Result<()> {
        let before = self.messages;
        let tx = db.transaction()?;
        let mut told: Vec<Told> = Vec::new();
        let mut added = false;
        for operation in batch {
            added |= matches!(
                operation,
                Operation::Answer(..)
                    | Operation::Say(..)
                    | Operation::Take(..)
                    | Operation::Record(..)
            );
            told.push(self.apply(&tx, operation)?);
        }
        if self.forgot_at.elapsed() >= FORGET_EVERY {
            store::forget_executed(
                &tx,
                self.clock.now().plus_millis(-REMEMBERED_MS),
                REMEMBERED_MIN,
            )?;
            decisions::forget_decided(&tx, self.clock.now())?;
            self.forgot_at = Instant::now();
        }
        tx.commit()?;
        told.into_iter().for_each(|tell| tell());
        if added || self.messages > before {
            self.changed.notify_one();
        }
        Ok(())
    }

    fn apply(&mut self, tx: &Transaction<'_>, operation: Operation) -> Result<Told> {
        Ok(match operation {
            Operation::Take(door, opening, expires_at, done) => {
                tell(done, self.take(tx, &door, &opening, expires_at)?)
            }
            Operation::Answer(door, opening, answer, done) => {
                store::update_answer(tx, &door, &opening, &answer)?;
                self.insert(tx, &answer)?;
                tell(done, ())
            }
            Operation::Say(message, done) => {
                self.insert(tx, &message)?;
                tell(done, ())
            }
            Operation::Forget(ids, done) => tell(done, self.forget(tx, &ids)?),
            Operation::Fetch(wants, done) => {
                let mut found = Vec::new();
                for want in wants {
                    found.extend(store::messages_after(
                        tx,
                        &want.topic,
                        want.after,
                        want.room,
                    )?);
                }
                found.sort_unstable_by_key(|stored: &Stored| stored.seq);
                tell(done, found)
            }
            Operation::Again(places, done) => {
                let found: Vec<_> = places
                    .into_iter()
                    .map(|seq| store::message(tx, seq))
                    .collect::<Result<_>>()?;
                tell(done, found.into_iter().flatten().collect())
            }
            Operation::Topics(done) => tell(done, store::topics(tx)?),
            Operation::Unanswered(done) => tell(done, store::unanswered(tx, &self.run)?),
            Operation::Size(done) => tell(done, (self.messages, self.bytes)),
            Operation::Past(asked, done) => {
                let hour_ago = self.clock.now().plus_millis(-3_600_000);
                tell(done, decisions::past(tx, &asked, hour_ago)?)
            }
            Operation::Record(decided, maker, done) => {
                let (trace, line) = *decided;
                tell(done, self.record(tx, &trace, line, maker)?)
            }
            Operation::Hold(door, held, done) => {
                decisions::set_held(tx, &door, held)?;
                tell(done, ())
            }
            Operation::Held(done) => tell(done, decisions::held(tx)?),
        })
    }

    fn take(
        &mut self,
        tx: &Transaction<'_>,
        door: &DeviceId,
        opening: &OpeningId,
        expires_at: Timestamp,
    ) -> Result<Taken> {
        match store::remembered(tx, door, opening)? {
            Some(known) => match known.answer {
                Some(answer) => {
                    self.insert(tx, &answer)?;
                    Ok(Taken::Answered)
                }
                None if known.run == self.run => Ok(Taken::Running),
                None => Ok(Taken::Interrupted),
            },
            None if self.is_full(1, ANSWER_BYTES) && !store::has_occurrence(tx)? => {
                Ok(Taken::NoRoom)
            }
            None => {
                store::insert_intention(tx, door, opening, expires_at, &self.run)?;
                Ok(Taken::First)
            }
        }
    }

    /// Gives a decision its place in the chain and writes it down, with its message: in one commit, and before the
    /// door moves. None when there is no room for it.
    fn record(
        &mut self,
        tx: &Transaction<'_>,
        trace: &Trace,
        line: Line,
        maker: Maker,
    ) -> Result<Option<Recorded>> {
        if self.is_full(1, ANSWER_BYTES) && !store::has_occurrence(tx)? {
            return Ok(None);
        }
        let (sequence, previous_hash) = decisions::audit_head(tx)?;
        let Line {
            gateway,
            door,
            mut entry,
        } = line;
        entry.sequence = sequence + 1;
        entry.previous_hash = previous_hash;
        entry.hash = entry.hash_at(&gateway, &door)?;
        decisions::update_audit_head(tx, entry.sequence, &entry.hash)?;
        decisions::insert_decided(tx, entry.sequence, trace, (entry.allowed, entry.decided_at))?;
        let recorded = Recorded {
            sequence: entry.sequence,
            hash: entry.hash.clone(),
        };
        self.insert(tx, &(maker.0)(entry)?)?;
        Ok(Some(recorded))
    }

    fn insert(&mut self, tx: &Transaction<'_>, message: &Outgoing) -> Result<()> {
        let length = message.payload.len() as u64;
        while self.is_full(1, length) {
            let Some(dropped) = store::delete_oldest_occurrence(tx)? else {
                if message.kind == Kind::Occurrence {
                    self.counters.occurrences_dropped.add(1);
                    tracing::error!(id = %message.id, topic = message.topic, "the spool is full of answers: an occurrence was dropped");
                    return Ok(());
                }
                break;
            };
            self.messages -= 1;
            self.bytes -= dropped;
            self.counters.occurrences_dropped.add(1);
            tracing::error!("the spool is full: its oldest occurrence was dropped");
        }
        if store::insert_message(tx, message)? {
            self.messages += 1;
            self.bytes += length;
        }
        Ok(())
    }

    fn forget(&mut self, tx: &Transaction<'_>, ids: &[MessageId]) -> Result<u64> {
        let mut count = 0;
        for id in ids {
            if let Some(length) = store::delete_message(tx, id)? {
                self.messages -= 1;
                self.bytes -= length;
                count += 1;
            }
        }
        self.counters.messages_receipted.add(count);
        Ok(count)
    }

    fn is_full(&self, messages: u64, bytes: u64) -> bool {
        self.messages + messages > self.limits.messages_max
            || self.bytes + bytes > self.limits.bytes_max
    }
}

fn tell<Answer: Send + 'static>(done: oneshot::Sender<Result<Answer>>, answer: Answer) -> Told {
    Box::new(move || {
        // Whoever asked may have been cancelled; what was written stays written.
        let _ = done.send(Ok(answer));
    })
}
