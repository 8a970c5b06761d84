//! The bridge from outside: MQTT on one side, the simulated hardware on the other.
#![allow(missing_docs)]

mod adapters;
mod broker;
mod doors;
mod estate;
mod faults;
mod lines;
mod spool;
mod uplink;
