//! The tests of the whole. One sentence a module.

/// One component in wasmtime, with a clock that the test moves.
mod component;
/// What must hold of the tree, its contracts and its manifest, whatever the functions do.
mod conformance;
/// The whole from outside: a host, a broker and a bridge as processes, asked over HTTP and MQTT only.
mod e2e;
/// What happens when something goes wrong, on purpose.
mod faults;
