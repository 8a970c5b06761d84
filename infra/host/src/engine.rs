//! The one constructor of a wasmtime engine, shared with the tests, and the clock that interrupts guests.

use std::time::Duration;

use anyhow::{Context, Result};
use wasmtime::{Config, Engine, component::Linker};

use crate::{factors, instance::State};

/// How often a running guest looks at its deadline.
pub const EPOCH_TICK: Duration = Duration::from_millis(10);

/// An engine with everything our components need: the async component model, and epochs to stop a guest that
/// does not stop by itself. A background thread advances the epoch for as long as the engine lives.
///
/// # Errors
/// When this machine cannot run wasmtime, or no thread can be started.
pub fn engine() -> Result<Engine> {
    let mut config = Config::new();
    config.wasm_component_model(true);
    config.wasm_component_model_async(true);
    config.epoch_interruption(true);
    let engine = Engine::new(&config).map_err(anyhow::Error::from).context("starting wasmtime")?;
    let weak = engine.weak();
    std::thread::Builder::new()
        .name("epoch".to_owned())
        .spawn(move || advance_epochs(&weak))
        .context("starting the thread that interrupts guests")?;
    Ok(engine)
}

fn advance_epochs(engine: &wasmtime::EngineWeak) {
    while let Some(engine) = engine.upgrade() {
        engine.increment_epoch();
        drop(engine);
        std::thread::sleep(EPOCH_TICK);
    }
}

/// A linker with WASI 0.2 (for the standard library), WASI 0.3 (for the SDK) and Spin's interfaces.
///
/// # Errors
/// When two of them define the same name.
pub fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    factors::add_to_linker(&mut linker)?;
    Ok(linker)
}
