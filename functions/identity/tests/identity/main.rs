//! The identity function over its routes, on SQLite and PostgreSQL.

mod applications;
mod audit;
mod broker;
mod codes;
mod consents;
mod device_sessions;
mod devices;
mod doorbell;
mod feedback;
mod handover;
mod people;
mod refresh;
mod refusals;
mod register;
mod rights;
mod roles;
mod sessions;
mod support;
