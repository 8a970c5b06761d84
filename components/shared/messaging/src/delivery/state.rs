//! The states of a delivery. Each function returns the delivery that is to be stored; none changes what was stored.

use kernel::Timestamp;

use super::Schedule;
use crate::timing::Suppression;
use crate::{webhook, webpush};

/// A delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Where it stands.
    pub state: State,
    /// How often it was leased; the number of the last try.
    pub tries: u32,
    /// Until when it may be tried: its message's time to live.
    pub expires_at: Timestamp,
    /// How tries follow each other.
    pub schedule: Schedule,
}

/// Where a delivery stands.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// It waits for a try.
    Queued {
        /// Not before.
        due_at: Timestamp,
    },
    /// It was decided against it.
    Suppressed {
        /// Why.
        reason: Suppression,
    },
    /// Somebody tries it.
    Leased {
        /// After that, somebody else may.
        until: Timestamp,
    },
    /// The service took it: that is not delivered yet.
    Sent,
    /// The device has it.
    Delivered,
    /// The person could see it.
    Displayed,
    /// The person followed it.
    Clicked,
    /// It is not tried any more.
    Dead {
        /// Why.
        why: Death,
    },
    /// The device does not exist any more.
    Gone,
}

impl State {
    /// The stable name, in snake_case.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Queued { .. } => "queued",
            Self::Suppressed { .. } => "suppressed",
            Self::Leased { .. } => "leased",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Displayed => "displayed",
            Self::Clicked => "clicked",
            Self::Dead { .. } => "dead",
            Self::Gone => "gone",
        }
    }

    /// How far it came.
    fn progress(&self) -> u8 {
        match self {
            Self::Sent => 1,
            Self::Delivered => 2,
            Self::Displayed => 3,
            Self::Clicked => 4,
            _ => 0,
        }
    }
}

/// Why a delivery is not tried any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Death {
    /// Its time to live is over, or would be before the next try.
    Expired,
    /// All tries failed.
    Exhausted,
    /// The service takes no message of that size.
    TooLarge,
    /// The service refused it.
    Refused,
}

/// What became of asking for a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lease {
    /// Try it now, once; the number of the try is its `tries`.
    Taken(Delivery),
    /// Not before.
    NotYet(Timestamp),
    /// It has ended: store that.
    Ended(Delivery),
    /// There is nothing to try.
    Settled,
}

/// What became of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The service took it.
    Accepted,
    /// The device does not exist any more.
    Gone,
    /// Never again.
    Hopeless(Death),
    /// Again, not before the moment that the service named.
    Again(Option<Timestamp>),
}

impl From<webpush::Answer> for Outcome {
    /// An answer that alarms is repeated as a failure: the operator may mend the key in time.
    fn from(answer: webpush::Answer) -> Self {
        match answer {
            webpush::Answer::Accepted => Self::Accepted,
            webpush::Answer::Gone => Self::Gone,
            webpush::Answer::TooLarge => Self::Hopeless(Death::TooLarge),
            webpush::Answer::Refused => Self::Hopeless(Death::Refused),
            webpush::Answer::Busy(named) => Self::Again(named),
            webpush::Answer::Alarm | webpush::Answer::Failed => Self::Again(None),
        }
    }
}

impl From<webhook::Answer> for Outcome {
    fn from(answer: webhook::Answer) -> Self {
        match answer {
            webhook::Answer::Delivered => Self::Accepted,
            webhook::Answer::Disabled => Self::Gone,
            webhook::Answer::Failed(named) => Self::Again(named),
        }
    }
}

/// A try that was made.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    /// Its number: `tries` of the lease.
    pub number: u32,
    /// What became of it.
    pub outcome: Outcome,
    /// When.
    pub at: Timestamp,
    /// A random number, for the wait.
    pub random: u64,
}

/// What a device told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// It has the message.
    Delivered,
    /// It showed it.
    Displayed,
    /// It was followed.
    Clicked,
}

/// The state does not allow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAllowed {
    /// The name of the state it has.
    pub state: &'static str,
}

impl Delivery {
    /// A new delivery.
    #[must_use]
    pub fn queued(due_at: Timestamp, expires_at: Timestamp, schedule: Schedule) -> Self {
        Self {
            state: State::Queued { due_at },
            tries: 0,
            expires_at,
            schedule,
        }
    }

    /// How long a service may keep it, in whole seconds.
    #[must_use]
    pub fn ttl_seconds(&self, now: Timestamp) -> u32 {
        let left = self.expires_at.millis_since(now).max(0) / 1_000;
        u32::try_from(left)
            .unwrap_or(u32::MAX)
            .min(webpush::TTL_SECONDS_MAX)
    }

    /// Asks for the next try. A lease that ran out without a word can be taken again.
    #[must_use]
    pub fn lease(&self, now: Timestamp, lease_ms: i64) -> Lease {
        let due_at = match self.state {
            State::Queued { due_at } => due_at,
            State::Leased { until } => until,
            _ => return Lease::Settled,
        };
        if now >= self.expires_at {
            return Lease::Ended(self.with(State::Dead {
                why: Death::Expired,
            }));
        }
        if now < due_at {
            return Lease::NotYet(due_at);
        }
        if self.tries >= self.schedule.tries_max() {
            return Lease::Ended(self.with(State::Dead {
                why: Death::Exhausted,
            }));
        }
        let mut taken = self.with(State::Leased {
            until: now.plus_millis(lease_ms.max(1)),
        });
        taken.tries = self.tries.saturating_add(1);
        Lease::Taken(taken)
    }

    /// Decides against it, before anybody tries it.
    ///
    /// # Errors
    /// When somebody tries it, or it has ended.
    pub fn suppress(&self, reason: Suppression) -> Result<Self, NotAllowed> {
        match self.state {
            State::Queued { .. } => Ok(self.with(State::Suppressed { reason })),
            _ => Err(self.not_allowed()),
        }
    }

    /// Puts it off, for quiet hours or a service that is left in peace. That is no try.
    ///
    /// # Errors
    /// When it does not wait.
    pub fn defer(&self, until: Timestamp) -> Result<Self, NotAllowed> {
        match self.state {
            State::Queued { .. } if until >= self.expires_at => Ok(self.with(State::Dead {
                why: Death::Expired,
            })),
            State::Queued { .. } => Ok(self.with(State::Queued { due_at: until })),
            _ => Err(self.not_allowed()),
        }
    }

    /// Takes what became of a try. What comes late counts only when it is final: another try may be running.
    #[must_use]
    pub fn attempted(&self, attempt: &Attempt) -> Self {
        if !(1..=self.tries).contains(&attempt.number) {
            return self.clone();
        }
        let waits = matches!(self.state, State::Queued { .. } | State::Leased { .. });
        let mine = matches!(self.state, State::Leased { .. }) && attempt.number == self.tries;
        match attempt.outcome {
            Outcome::Accepted if waits || matches!(self.state, State::Dead { .. }) => {
                self.with(State::Sent)
            }
            Outcome::Gone if waits => self.with(State::Gone),
            Outcome::Hopeless(why) if mine => self.with(State::Dead { why }),
            Outcome::Again(named) if mine => self.again(attempt, named),
            _ => self.clone(),
        }
    }

    /// Takes what a device told; it may come twice, late, and in any order.
    ///
    /// # Errors
    /// When it was never tried.
    pub fn proved(&self, proof: Proof) -> Result<Self, NotAllowed> {
        if self.tries == 0 || matches!(self.state, State::Suppressed { .. }) {
            return Err(self.not_allowed());
        }
        let next = match proof {
            Proof::Delivered => State::Delivered,
            Proof::Displayed => State::Displayed,
            Proof::Clicked => State::Clicked,
        };
        if next.progress() > self.state.progress() {
            return Ok(self.with(next));
        }
        Ok(self.clone())
    }

    fn again(&self, attempt: &Attempt, named: Option<Timestamp>) -> Self {
        let Some(wait_ms) = self.schedule.wait_ms(self.tries, attempt.random) else {
            return self.with(State::Dead {
                why: Death::Exhausted,
            });
        };
        let drawn = attempt.at.plus_millis(wait_ms);
        let due_at = named.map_or(drawn, |named| named.max(drawn));
        if due_at >= self.expires_at {
            return self.with(State::Dead {
                why: Death::Expired,
            });
        }
        self.with(State::Queued { due_at })
    }

    fn with(&self, state: State) -> Self {
        Self {
            state,
            ..self.clone()
        }
    }

    fn not_allowed(&self) -> NotAllowed {
        NotAllowed {
            state: self.state.as_str(),
        }
    }
}
