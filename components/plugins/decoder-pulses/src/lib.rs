//! A pulse counter on a water, gas or electricity meter: the plugin `linli:metering/decoder`, and the example to copy
//! for a vendor's own format.
//!
//! A message is `A5 S P0 P1 P2 P3 CS`: the status (bit 0 the battery is low, bit 1 the cable is cut), the pulses since
//! the counter was fitted, low byte first, and the sum of all bytes before.

mod message;
#[cfg(target_family = "wasm")]
mod plugin;

pub use message::{Wrong, total_milli};
