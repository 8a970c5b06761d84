//! The bridge from outside: MQTT on one side, the simulated hardware on the other.
#![allow(missing_docs)]

mod adapters;
mod audit;
mod broker;
mod doors;
mod estate;
mod faults;
mod gate;
mod lines;
mod meters;
mod orders;
mod panels;
mod readings;
mod relays;
mod remote;
mod site;
mod snapshots;
mod spool;
mod switches;
mod uplink;
