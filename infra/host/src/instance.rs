//! What belongs to one running instance of a component: its WASI contexts, limits and host interfaces.

use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::{
    factors::{self, Factors, Permissions},
    limits::Allowance,
};

/// The data of a store.
pub struct State {
    /// Handles of WASI resources.
    pub table: ResourceTable,
    /// WASI: clocks, randomness, preopened files, standard streams.
    pub wasi: WasiCtx,
    /// Limits of wasi:http.
    pub http: WasiHttpCtx,
    /// The most memory and tables the guest may have.
    pub allowance: Allowance,
    /// How often the running request was interrupted by the epoch.
    pub interruptions: u32,
    /// Where the guest may connect to over HTTP.
    pub outbound_http: factors::outbound_http::Instance,
    /// The guest's key-value stores.
    pub key_value: factors::key_value::Instance,
    /// The guest's MQTT connections.
    pub mqtt: factors::mqtt::Instance,
    /// The guest's PostgreSQL connections.
    pub postgres: factors::postgres::Instance,
    /// The guest's SQLite connections.
    pub sqlite: factors::sqlite::Instance,
    /// The guest's variables.
    pub variables: factors::variables::Instance,
}

impl State {
    /// The state of a new instance with these permissions.
    #[must_use]
    pub fn new(
        factors: &Factors,
        permissions: &Permissions,
        wasi: WasiCtx,
        allowance: Allowance,
    ) -> Self {
        Self {
            table: ResourceTable::new(),
            wasi,
            http: WasiHttpCtx::new(),
            allowance,
            interruptions: 0,
            outbound_http: factors::outbound_http::Instance::new(permissions),
            key_value: factors.key_value.instance(permissions),
            mqtt: factors.mqtt.instance(permissions),
            postgres: factors.postgres.instance(permissions),
            sqlite: factors.sqlite.instance(permissions),
            variables: factors::variables::Instance::new(permissions),
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.outbound_http,
        }
    }
}
