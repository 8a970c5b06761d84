//! The device bridge: commands come in over MQTT and go out as bytes of the hardware; what the hardware says
//! goes to MQTT through a spool on disk. It translates; what is decided at a door is decided by `access`.

#![forbid(unsafe_code)]

pub mod adapters;
pub mod audit;
pub mod bridge;
pub mod clock;
pub mod commands;
pub mod config;
pub mod counters;
mod files;
pub mod gate;
pub mod http;
pub mod mqtt;
pub mod names;
pub mod remote;
pub mod simulator;
pub mod site;
pub mod snapshots;
pub mod spool;
mod store;
pub mod window;
