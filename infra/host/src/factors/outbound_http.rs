//! Outgoing HTTP, to the hosts that the manifest allows.

use std::sync::Arc;

use wasmtime_wasi_http::WasiHttpHooks;

use super::Permissions;
use crate::outbound::AllowedHosts;

/// Where one instance may connect to.
pub struct Instance {
    #[expect(dead_code, reason = "read by send_request")]
    hosts: Arc<AllowedHosts>,
}

impl Instance {
    /// The hosts that these permissions hold.
    #[must_use]
    pub fn new(permissions: &Permissions) -> Self {
        Self {
            hosts: permissions.hosts.clone(),
        }
    }
}

impl WasiHttpHooks for Instance {}
