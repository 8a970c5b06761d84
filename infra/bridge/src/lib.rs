//! The device bridge: commands come in over MQTT and go out as bytes of the hardware; what the hardware says
//! goes to MQTT through a spool on disk. It translates; it never decides.

pub mod adapters;
pub mod bridge;
pub mod clock;
pub mod commands;
pub mod config;
pub mod counters;
pub mod http;
pub mod mqtt;
pub mod names;
pub mod simulator;
pub mod spool;
mod store;
pub mod window;
