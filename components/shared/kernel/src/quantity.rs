//! Measured amounts as whole thousandths of their unit: 1.234 kWh is 1234. Never a float.

/// Whole thousandths of a unit (kWh, m3, m2 ...); the unit is the column's or field's own.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct Quantity(i64);

impl Quantity {
    /// That many thousandths.
    #[must_use]
    pub fn from_thousandths(thousandths: i64) -> Self {
        Self(thousandths)
    }

    /// The thousandths.
    #[must_use]
    pub fn thousandths(self) -> i64 {
        self.0
    }

    /// The sum, or nothing beyond 2^63 thousandths.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, or nothing beyond 2^63 thousandths.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_beyond_the_range_is_nothing_not_a_wrong_number() {
        let most = Quantity::from_thousandths(i64::MAX);
        assert_eq!(most.plus(Quantity::from_thousandths(1)), None);
        assert_eq!(most.minus(most), Some(Quantity::from_thousandths(0)));
    }
}
