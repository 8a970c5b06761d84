//! The broker with real clients: who gets in, what arrives, and what is left after a restart and a kill.

mod access;
mod persistence;
mod sessions;
pub(crate) mod support;
