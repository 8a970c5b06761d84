//! Generated bindings: Spin's host interfaces (from the spin-sdk crate) and our trigger worlds.

#[allow(missing_docs, clippy::all, clippy::pedantic)]
mod spin_generated {
    include!(concat!(env!("OUT_DIR"), "/spin_bindings.rs"));
}

pub use spin_generated::spin::{
    key_value::key_value, mqtt::mqtt, postgres::postgres, sqlite::sqlite, variables::variables,
};

/// The world of a component with an MQTT trigger.
#[allow(missing_docs, clippy::all, clippy::pedantic)]
pub mod mqtt_function {
    wasmtime::component::bindgen!({
        path: "../../wit/trigger",
        world: "mqtt-function",
        exports: { default: async | store },
    });
}

/// The world of a component with a cron trigger.
#[allow(missing_docs, clippy::all, clippy::pedantic)]
pub mod cron_function {
    wasmtime::component::bindgen!({
        path: "../../wit/trigger",
        world: "cron-function",
        exports: { default: async | store },
    });
}
