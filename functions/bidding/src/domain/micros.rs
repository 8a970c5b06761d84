//! What accrued becomes whole fen at the invoice; only here.

use advertising::MICROS_PER_MINOR;

/// What is invoiced now: the whole fen of all that accrued, less what was invoiced before. Rounded down, once; the rest
/// of a fen waits for the next invoice, so that all invoices together are the sum rounded down. Below zero where more was
/// given back than charged since the last one.
#[must_use]
pub fn whole_fen(accrued_micros: i64, invoiced_minor: i64) -> i64 {
    accrued_micros.div_euclid(MICROS_PER_MINOR) - invoiced_minor
}
