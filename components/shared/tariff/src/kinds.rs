//! Which kinds of schedules a plugin rates.

use crate::Prices;

/// The kinds of schedules that a plugin rates; others it refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kinds {
    /// One price.
    Flat,
    /// Prices by how much was used in a cycle (阶梯).
    Tiered,
    /// Prices by the time of day (峰谷).
    TimeOfUse,
    /// All of them.
    All,
}

impl Kinds {
    /// Whether prices of that form are of these kinds.
    #[must_use]
    pub fn has(self, prices: &Prices) -> bool {
        match self {
            Self::All => true,
            Self::Flat => matches!(prices, Prices::Flat(_)),
            Self::Tiered => matches!(prices, Prices::Tiered(_)),
            Self::TimeOfUse => matches!(prices, Prices::TimeOfUse(_)),
        }
    }
}
