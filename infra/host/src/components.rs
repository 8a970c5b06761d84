//! From the wasm files that the manifest names to compiled components: read, joined with their dependencies,
//! compiled once, and kept for the next start.

use std::{
    collections::BTreeMap,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::Write,
    os::unix::fs::DirBuilderExt,
    path::Path,
};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use wasmtime::{Engine, component::Component};

use crate::{
    compose::{Plugin, compose},
    manifest::Manifest,
};

/// The folder of compiled components in the data folder.
pub const CACHE_FOLDER: &str = "cache";

/// The wasm of a component of the manifest, with its dependencies joined in.
///
/// # Errors
/// When a file is missing (the error says how to build it), or does not fit its dependencies.
pub fn wasm(manifest: &Manifest, name: &str) -> Result<Vec<u8>> {
    let component = manifest
        .components
        .get(name)
        .with_context(|| format!("no component {name:?}"))?;
    let mut dependencies = BTreeMap::new();
    for (import, dependency) in &component.dependencies {
        let plugin = Plugin {
            component: dependency.component.clone(),
            wasm: read(manifest, &dependency.component)?,
            export: dependency.export.clone(),
        };
        dependencies.insert(import.clone(), plugin);
    }
    compose(name, read(manifest, name)?, dependencies)
}

fn read(manifest: &Manifest, name: &str) -> Result<Vec<u8>> {
    let component = manifest
        .components
        .get(name)
        .with_context(|| format!("no component {name:?}"))?;
    let path = &component.source;
    match fs::read(path) {
        Ok(bytes) => Ok(bytes),
        Err(error) if component.build.is_empty() => Err(error)
            .with_context(|| format!("cannot read the component {name} from {}", path.display())),
        Err(error) => bail!(
            "cannot read the component {name} from {} ({error}); build it with: {}",
            path.display(),
            component.build.join(" && ")
        ),
    }
}

/// Compiles a component, or takes it compiled from the folder of the cache.
///
/// # Errors
/// When it does not compile, or the cache cannot be written.
pub fn compile(engine: &Engine, wasm: &[u8], folder: &Path) -> Result<Component> {
    // What lies here is run as it is: nobody else may write it.
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let path = folder.join(format!("{}.cwasm", fingerprint(engine, wasm)));
    if path.exists() {
        // A file that another version or a broken disk left is compiled anew.
        if let Ok(component) = load(engine, &path) {
            return Ok(component);
        }
    }
    let compiled = engine
        .precompile_component(wasm)
        .map_err(anyhow::Error::from)
        .context("compiling")?;
    store(&path, &compiled).with_context(|| format!("cannot write {}", path.display()))?;
    load(engine, &path)
}

#[expect(
    unsafe_code,
    reason = "running machine code from a file cannot be checked by the compiler"
)]
fn load(engine: &Engine, path: &Path) -> Result<Component> {
    // SAFETY: the file was written by `compile` below its final name only when whole, into a folder that only
    // this user may write; wasmtime checks that it fits this engine.
    let component = unsafe { Component::deserialize_file(engine, path) };
    component.map_err(anyhow::Error::from)
}

/// Names the bytes and everything of the engine that changes what they compile to.
fn fingerprint(engine: &Engine, wasm: &[u8]) -> String {
    let mut compatibility = DefaultHasher::new();
    engine
        .precompile_compatibility_hash()
        .hash(&mut compatibility);
    let mut digest = Sha256::new();
    digest.update(wasm);
    digest.update(compatibility.finish().to_le_bytes());
    digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn store(path: &Path, compiled: &[u8]) -> Result<()> {
    let new = path.with_extension(format!("new-{}", std::process::id()));
    let mut file = fs::File::create(&new)?;
    file.write_all(compiled)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    Ok(())
}
