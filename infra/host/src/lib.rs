//! The embedded host: runs the functions of `spin.toml` on a bare machine, with one process and one folder.
//!
//! It knows Spin's interfaces and no capability of ours: what runs, when and with which permissions stands
//! in the manifest. One file a host interface in `factors`; what starts a function is in `http`, `mqtt`, `cron`.

pub mod bindings;
pub mod engine;
pub mod factors;
pub mod instance;
pub mod outbound;
