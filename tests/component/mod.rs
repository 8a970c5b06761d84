//! One component in wasmtime, with a clock that the test moves.

/// Openings against their deadlines, to the millisecond, without waiting for any of them.
mod doors;
