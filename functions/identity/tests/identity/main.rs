//! The identity function over its routes, on SQLite and PostgreSQL.

mod broker;
mod devices;
mod people;
mod sessions;
mod support;
