//! Messages to people and their devices: what the protocols put on the wire, and when, to whom and how often a
//! message is tried.
//!
//! Pure on purpose: no clock, no randomness, no I/O. Times, salts, ephemeral keys and random numbers come in as
//! arguments; who calls must make each of them anew for each message.

pub mod audience;
pub mod delivery;
pub mod endpoint;
pub mod ntfy;
pub mod retry_after;
pub mod timing;
pub mod webhook;
pub mod webpush;

#[cfg(test)]
mod audience_tests;
#[cfg(test)]
mod delivery_tests;
#[cfg(test)]
mod ntfy_tests;
#[cfg(test)]
mod timing_tests;
#[cfg(test)]
mod webhook_tests;
#[cfg(test)]
mod webpush_tests;

use kernel::{Message, Refusal};

/// Content that cannot be accepted, in both languages.
pub(crate) fn invalid(
    code: &'static str,
    english: impl Into<String>,
    chinese: impl Into<String>,
) -> Refusal {
    Refusal::invalid(code, Message::new(english, chinese))
}
