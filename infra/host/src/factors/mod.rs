//! Spin's host interfaces, one file each. Every file has the same three parts: `Factor`, made once for the
//! whole application; `Instance`, made by `Factor::instance` for one running component, with just what the
//! manifest permits it; and `add_to_linker`.

pub mod key_value;
pub mod mqtt;
pub mod outbound_http;
#[allow(
    clippy::result_large_err,
    reason = "the error type is generated from Spin's interface"
)]
pub mod postgres;
pub mod sqlite;
pub mod variables;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use anyhow::Result;
use wasmtime::component::Linker;

use crate::{instance::State, outbound::AllowedHosts};

/// What the manifest permits one component. Cheap to clone: made once per component, handed to every instance.
#[derive(Debug, Clone, Default)]
pub struct Permissions {
    /// The component's name.
    pub component: Arc<str>,
    /// Where it may connect to.
    pub hosts: Arc<AllowedHosts>,
    /// The labels of its key-value stores.
    pub key_value_stores: Arc<[String]>,
    /// The labels of its SQLite databases.
    pub sqlite_databases: Arc<[String]>,
    /// Its variables, templates resolved.
    pub variables: Arc<BTreeMap<String, String>>,
}

/// The host interfaces of one application.
pub struct Factors {
    /// Key-value stores.
    pub key_value: key_value::Factor,
    /// Outgoing MQTT.
    pub mqtt: mqtt::Factor,
    /// Outgoing PostgreSQL.
    pub postgres: postgres::Factor,
    /// SQLite databases.
    pub sqlite: sqlite::Factor,
}

impl Factors {
    /// Opens what the application needs in its data folder.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn new(data: &Path) -> Result<Self> {
        Ok(Self {
            key_value: key_value::Factor::new(data)?,
            mqtt: mqtt::Factor::new(data)?,
            postgres: postgres::Factor::new(data)?,
            sqlite: sqlite::Factor::new(data)?,
        })
    }
}

/// Adds all of them.
///
/// # Errors
/// When a name is defined twice.
pub fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    key_value::add_to_linker(linker)?;
    mqtt::add_to_linker(linker)?;
    postgres::add_to_linker(linker)?;
    sqlite::add_to_linker(linker)?;
    variables::add_to_linker(linker)
}
