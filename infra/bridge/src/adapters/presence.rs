//! Whether a controller is there: debounced, so that one lost frame is not an alarm.

use std::time::Duration;

use tokio::time::Instant;
use wire::door::OccurrenceKind;

/// A lost controller counts as found after this many answers in a row.
const ANSWERS_TO_BE_FOUND: u8 = 2;

/// What is known about one controller.
#[derive(Debug)]
pub struct Presence {
    state: State,
    last_heard: Instant,
    lost_after: Duration,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Unknown,
    Present,
    Lost { answers: u8 },
}

impl Presence {
    /// Nothing is known yet at `now`.
    #[must_use]
    pub fn new(now: Instant, lost_after: Duration) -> Self {
        Self {
            state: State::Unknown,
            last_heard: now,
            lost_after,
        }
    }

    /// Whether the controller counts as lost.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        matches!(self.state, State::Lost { .. })
    }

    /// Whether the controller counts as there.
    #[must_use]
    pub fn is_present(&self) -> bool {
        self.state == State::Present
    }

    /// The controller answered; something is to be said when it counts as found by that.
    pub fn heard(&mut self, now: Instant) -> Option<OccurrenceKind> {
        self.last_heard = now;
        match &mut self.state {
            State::Present => return None,
            State::Unknown => {}
            State::Lost { answers } => {
                *answers += 1;
                if *answers < ANSWERS_TO_BE_FOUND {
                    return None;
                }
            }
        }
        self.state = State::Present;
        Some(OccurrenceKind::ControllerFound)
    }

    /// Looks whether the controller has been silent for too long, without taking note of a silence.
    pub fn overdue(&mut self, now: Instant, reason: &str) -> Option<OccurrenceKind> {
        let overdue = now.duration_since(self.last_heard) >= self.lost_after;
        overdue.then(|| self.silent(now, reason))?
    }

    /// The controller was silent; something is to be said when it counts as lost by that.
    pub fn silent(&mut self, now: Instant, reason: &str) -> Option<OccurrenceKind> {
        if let State::Lost { answers } = &mut self.state {
            *answers = 0;
            return None;
        }
        if now.duration_since(self.last_heard) < self.lost_after {
            return None;
        }
        self.state = State::Lost { answers: 0 };
        Some(OccurrenceKind::ControllerLost {
            reason: reason.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_silent_moment_is_no_alarm_and_a_long_one_is_exactly_one() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut presence = Presence::new(start, Duration::from_secs(8));
        assert_eq!(presence.heard(at(1)), Some(OccurrenceKind::ControllerFound));
        assert_eq!(presence.heard(at(2)), None);
        assert_eq!(presence.silent(at(9), "no answer"), None);
        assert_eq!(
            presence.silent(at(10), "no answer"),
            Some(OccurrenceKind::ControllerLost {
                reason: "no answer".into()
            })
        );
        assert_eq!(presence.silent(at(20), "no answer"), None);
        assert_eq!(presence.heard(at(21)), None, "one answer is not enough");
        assert_eq!(presence.silent(at(22), "no answer"), None);
        assert_eq!(presence.heard(at(23)), None, "not in a row");
        assert_eq!(
            presence.heard(at(24)),
            Some(OccurrenceKind::ControllerFound)
        );
        assert_eq!(presence.silent(at(25), "no answer"), None);
    }

    #[test]
    fn a_controller_that_never_answered_is_lost_after_the_same_time() {
        let start = Instant::now();
        let mut presence = Presence::new(start, Duration::from_secs(8));
        assert_eq!(presence.silent(start + Duration::from_secs(7), "x"), None);
        assert!(
            presence
                .silent(start + Duration::from_secs(8), "x")
                .is_some()
        );
        assert!(presence.is_lost());
    }
}
