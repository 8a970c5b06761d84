//! What the tests of the whole share: a system of real processes on free ports in a temporary folder, and
//! clients that see it from outside, over HTTP and MQTT. Nothing sleeps to wait: it polls with a deadline.

pub mod estate;
pub mod guest;
pub mod http;
pub mod mqtt;
pub mod place;
pub mod poll;
pub mod postgres;
pub mod process;
pub mod system;
pub mod tokens;
