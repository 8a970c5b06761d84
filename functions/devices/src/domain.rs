//! What is decided about devices, pure: time, ids and the caller come in as arguments, a refusal comes out as a
//! value.
//!
//! One file a noun: [`Device`] and [`Gateway`], [`Presence`], [`Command`].

mod command;
mod device;
mod presence;
mod text;

pub use command::{Action, Command, CommandState, answered, cancel, expire, sent, unknown_command};
pub use device::{
    CONFIGURATION_BYTES_MAX, Configuration, Description, Device, Gateway, configure, describe,
    knows, operator_only, overseers_only, unknown_gateway, unknown_terminal,
};
pub use presence::{Cause, LAST_SEEN_MS, Presence, Profile, Signal, Vitals, fall_silent, hear};
pub use text::{Line, Name, TextError};

#[cfg(test)]
mod tests;
