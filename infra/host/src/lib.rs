//! The embedded host: runs the functions of `spin.toml` on a bare machine, with one process and one folder.
//!
//! It knows Spin's interfaces and no capability of ours: what runs, when and with which permissions stands
//! in the manifest. One file a host interface in `factors`; what starts a function is in `http`, `mqtt`, `cron`.

pub mod application;
pub mod bindings;
pub mod broker;
pub mod clock;
pub mod components;
pub mod compose;
pub mod cron;
pub mod engine;
pub mod factors;
pub mod files;
pub mod http;
pub mod instance;
pub mod limits;
pub mod logs;
pub mod manifest;
pub mod metrics;
pub mod migrations;
pub mod mqtt_trigger;
pub mod options;
pub mod outbound;
pub mod quarantine;
pub mod router;
pub mod routes;
pub mod secrets;
pub mod template;
pub mod triggers;
pub mod up;
