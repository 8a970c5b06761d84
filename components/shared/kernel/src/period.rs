//! Half-open spans of time: the start belongs to the period, the end to the next one.

use std::fmt;

use crate::Timestamp;

/// From `start` (included) to `end` (excluded).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
pub struct Period {
    start: Timestamp,
    end: Timestamp,
}

/// Why two moments make no period: the end is not after the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeriodError;

impl fmt::Display for PeriodError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a period must end after it starts")
    }
}

impl std::error::Error for PeriodError {}

impl Period {
    /// The period between two moments.
    ///
    /// # Errors
    /// When `end` is not after `start`.
    pub fn new(start: Timestamp, end: Timestamp) -> Result<Self, PeriodError> {
        if start < end {
            Ok(Self { start, end })
        } else {
            Err(PeriodError)
        }
    }

    /// The first moment inside.
    #[must_use]
    pub fn start(self) -> Timestamp {
        self.start
    }

    /// The first moment after.
    #[must_use]
    pub fn end(self) -> Timestamp {
        self.end
    }

    /// Whether the moment lies inside.
    #[must_use]
    pub fn contains(self, moment: Timestamp) -> bool {
        self.start <= moment && moment < self.end
    }

    /// Whether the two share a moment.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis).unwrap()
    }

    #[test]
    fn neighbours_touch_without_overlapping() {
        let first = Period::new(at(0), at(10)).unwrap();
        let second = Period::new(at(10), at(20)).unwrap();
        assert!(!first.overlaps(second));
        assert!(!first.contains(at(10)) && second.contains(at(10)));
        assert_eq!(Period::new(at(5), at(5)), Err(PeriodError));
    }
}
