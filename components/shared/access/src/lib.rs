//! Whether a door opens: one decision for the server, which knows everything, and for the gate, which knows a snapshot
//! while its uplink is cut.
//!
//! Pure: no clock, no randomness, no I/O. [`decide`] is the decision; [`Gate`] prepares it from a snapshot;
//! [`wiegand`] reads the numbers of cards. Deliberately nothing here about money: arrears never close the way home.

mod decision;
mod gate;
mod reason;
pub mod wiegand;

pub use decision::{
    Ask, Belongs, Decision, Group, HOUR_MAX, Held, History, INTERVAL_MS_MIN, Place, Shown, Subject,
    decide,
};
pub use gate::{Gate, Presented, Recognised};
pub use reason::Reason;
