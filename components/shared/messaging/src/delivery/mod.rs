//! One message on its way to one device: its states, when it is tried again, and which services are left in peace.

mod breaker;
mod schedule;
mod state;

pub use breaker::{Breaker, OPEN_MS_MAX, OPEN_MS_MIN, PROBE_MS};
pub use schedule::{BACKOFF_MS, BACKOFF_MS_MAX, Schedule, TRIES_MAX};
pub use state::{Attempt, Death, Delivery, Lease, NotAllowed, Outcome, Proof, State};
