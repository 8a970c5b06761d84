//! What every way to sell an advertisement counts by: budgets in micros, single-use offers, what of the traffic counts,
//! frequency caps, pacing, and the one rounding at the invoice; and what an instance may remember between requests.
//!
//! Pure: no clock, no randomness, no database. Who stores it does so with guarded statements that decide the same.
//!
//! ```text
//! let offered = budget.reserve(bid)?;            // at the offer: spent + reserved never passes the limit
//! let token = key.seal(&tenant, &promise)?;      // what the viewer sends back: once for the view, once for the click
//! offer.view(now, &traffic)?;                    // or the reason why it does not count
//! let spent = offered.capture(bid, price);       // at the billable event; the rest is free again
//! let owed = invoiced(accrued, charged_before);  // at the invoice: one rounding over all that was ever accrued
//! ```

mod budget;
mod cap;
mod memory;
mod micros;
mod offer;
mod pacing;
mod token;

pub use budget::Budget;
pub use cap::{CAPS_MAX, Cap, CapScope, Subject, Window, allowed};
pub use memory::Memory;
pub use micros::{MICROS_PER_MINOR, Micros, invoiced};
pub use offer::{Invalid, OFFER_MS, Offer, Traffic, is_crawler};
pub use pacing::{BUCKETS_A_DAY, even_share_bps, passes};
pub use token::{OfferKey, Promise};
