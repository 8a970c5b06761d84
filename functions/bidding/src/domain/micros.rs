//! The unit that advertising accrues in: micros, 1/1,000,000 yuan. Only here fen become micros and micros fen.

/// How many micros are a fen.
pub const MICROS_PER_FEN: i64 = 10_000;
/// A bid is for a thousand views.
const VIEWS_OF_A_BID: i64 = 1_000;

/// An amount of fen in micros.
///
/// # Errors
/// Nothing where it does not fit.
#[must_use]
pub fn of_fen(minor: i64) -> Option<i64> {
    minor.checked_mul(MICROS_PER_FEN)
}

/// What one view costs at a price for a thousand; exact, as a thousand divides what a fen has of micros.
#[must_use]
pub fn per_view(mille_minor: i64) -> Option<i64> {
    mille_minor.checked_mul(MICROS_PER_FEN / VIEWS_OF_A_BID)
}

/// What is invoiced now: the whole fen of all that accrued, less what was invoiced before. Rounded down, once; the rest
/// of a fen waits for the next invoice, so that all invoices together are the sum rounded down.
#[must_use]
pub fn whole_fen(accrued_micros: i64, invoiced_minor: i64) -> i64 {
    (accrued_micros / MICROS_PER_FEN - invoiced_minor).max(0)
}
