//! Outgoing HTTP.

use wasmtime_wasi_http::WasiHttpHooks;

/// Where one instance may connect to.
#[derive(Default)]
pub struct Instance {}

impl WasiHttpHooks for Instance {}
