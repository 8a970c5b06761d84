//! What must hold of the tree, its contracts and its manifest, whatever the functions do.

/// Every operation refuses whom it has to, and then does what its example says.
mod authorization;
/// The routes that `http.rs` answers are the operations that `openapi.yaml` promises.
mod contracts;
/// Every statement of every `store.rs` is understood by both engines.
mod dialect;
/// What consumers hear is what the doorbell rings for, and whoever hears is woken.
mod doorbell;
/// The payloads on the wire stay what devices in the field already speak.
mod golden;
/// The invariants of the tree, each named by its offenders.
mod invariants;
/// The manifest holds nothing that Spin would refuse, and names nothing that is missing.
mod manifest;
/// The README's commands exist.
mod readme;
