//! The contracts between devices, the bridge and the functions: MQTT topics, their payloads, and the events.
//!
//! Topics are built and parsed here and nowhere else. Types only: nothing is sent, stored or decided.

pub mod advertising;
pub mod audit;
pub mod door;
pub mod event;
pub mod gateway;
pub mod mall;
mod message;
pub mod meter;
pub mod pass;
mod short;
mod signing;
pub mod snapshot;
mod topic;

pub use message::{Message, PAYLOAD_BYTES_MAX, PayloadError};
pub use topic::{Channel, DeviceKind, DeviceTopic, Topic, TopicError};
