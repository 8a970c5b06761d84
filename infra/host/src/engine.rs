//! The one constructor of a wasmtime engine, shared with the tests, and the clock that interrupts guests.

use std::time::Duration;

use anyhow::{Context, Result};
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store, StoreContextMut,
    UpdateDeadline, component::Linker,
};

use crate::{factors, instance::State};

/// How often a running guest looks at its deadline.
pub const EPOCH_TICK: Duration = Duration::from_millis(10);

/// So many interruptions of one request are short; after them the guest pauses at each.
pub const INTERRUPTIONS_FREE: u32 = 3;

/// The pause of a guest that keeps a processor busy, so that its neighbours are served in the meantime.
pub const INTERRUPTION_PAUSE: Duration = Duration::from_millis(1);

/// The most memories, tables and stacks of all instances together. Room is reserved in the address space only.
const POOL_INSTANCES_MAX: u32 = 1_000;

/// The most core modules of all instances together: a component holds its module and a few shims.
const POOL_MODULES_MAX: u32 = 4_000;

/// An engine with everything our components need: the async component model, and epochs to stop a guest that
/// does not stop by itself. A background thread advances the epoch for as long as the engine lives.
///
/// # Errors
/// When this machine cannot run wasmtime, or no thread can be started.
pub fn engine() -> Result<Engine> {
    // Without room in the address space for a pool, instances are made one by one.
    let engine = Engine::new(&pooled()).or_else(|_| Engine::new(&config()));
    let engine = engine
        .map_err(anyhow::Error::from)
        .context("starting wasmtime")?;
    let weak = engine.weak();
    std::thread::Builder::new()
        .name("epoch".to_owned())
        .spawn(move || advance_epochs(&weak))
        .context("starting the thread that interrupts guests")?;
    Ok(engine)
}

fn config() -> Config {
    let mut config = Config::new();
    config.wasm_component_model(true);
    config.wasm_component_model_async(true);
    config.epoch_interruption(true);
    config
}

fn pooled() -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(POOL_INSTANCES_MAX);
    pool.total_core_instances(POOL_MODULES_MAX);
    pool.total_memories(POOL_INSTANCES_MAX);
    pool.total_tables(POOL_MODULES_MAX);
    pool.total_stacks(POOL_INSTANCES_MAX);
    let mut config = config();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

fn advance_epochs(engine: &wasmtime::EngineWeak) {
    while let Some(engine) = engine.upgrade() {
        engine.increment_epoch();
        drop(engine);
        std::thread::sleep(EPOCH_TICK);
    }
}

/// A store whose guest gives way to others at every tick of the epoch. It does not end the guest: that is done by
/// whoever waits for it, by dropping the store.
#[must_use]
pub fn store(engine: &Engine, state: State) -> Store<State> {
    let mut store = Store::new(engine, state);
    store.limiter(|state| &mut state.allowance);
    store.epoch_deadline_callback(interrupt);
    store.set_epoch_deadline(1);
    store
}

fn interrupt(mut store: StoreContextMut<'_, State>) -> wasmtime::Result<UpdateDeadline> {
    let state = store.data_mut();
    state.interruptions = state.interruptions.saturating_add(1);
    Ok(if state.interruptions <= INTERRUPTIONS_FREE {
        UpdateDeadline::Yield(1)
    } else {
        UpdateDeadline::YieldCustom(1, Box::pin(tokio::time::sleep(INTERRUPTION_PAUSE)))
    })
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
