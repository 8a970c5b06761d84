//! The commands of a developer, as `cargo xtask NAME`. Thin: each one calls cargo, the programs of this
//! workspace, or a check that the tests share.

pub mod bench;
pub mod building;
pub mod children;
pub mod cli;
pub mod client;
pub mod demo;
pub mod fuzzing;
pub mod openapi;
pub mod postgres;
pub mod testing;
pub mod tidy;
pub mod up;
pub mod workspace;
