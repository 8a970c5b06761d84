//! From the wasm files that the manifest names to compiled components: read, joined with their dependencies,
//! compiled once, and kept for the next start.

use std::{
    collections::BTreeMap,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::{BufRead, BufReader, Read, Write},
    os::unix::fs::DirBuilderExt,
    path::Path,
};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use wasmtime::{Engine, component::Component};

use crate::{
    compose::{Plugin, compose},
    manifest::{self, Manifest},
};

/// The folder of compiled components in the data folder.
pub const CACHE_FOLDER: &str = "cache";

/// How much of a file is read at once.
const PIECE_BYTES: usize = 64 * 1024;

/// A component of the manifest with its dependencies joined in: from the folder of the cache, or compiled into it.
///
/// # Errors
/// When a file is missing (the error says how to build it), does not fit its dependencies or does not compile, or the
/// cache cannot be written.
pub fn compiled(
    engine: &Engine,
    manifest: &Manifest,
    name: &str,
    folder: &Path,
) -> Result<Component> {
    // What lies here is run as it is: nobody else may write it.
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let path = folder.join(format!("{}.cwasm", fingerprint(engine, manifest, name)?));
    if path.exists() {
        // A file that another version or a broken disk left is compiled anew.
        if let Ok(component) = load(engine, &path) {
            return Ok(component);
        }
    }
    let compiled = engine
        .precompile_component(&wasm(manifest, name)?)
        .map_err(anyhow::Error::from)
        .context("compiling")?;
    store(&path, &compiled).with_context(|| format!("cannot write {}", path.display()))?;
    load(engine, &path)
}

/// The wasm of a component with its dependencies joined in.
fn wasm(manifest: &Manifest, name: &str) -> Result<Vec<u8>> {
    let mut dependencies = BTreeMap::new();
    for (import, dependency) in &named(manifest, name)?.dependencies {
        let mut wasm = Vec::new();
        open(manifest, &dependency.component)?.read_to_end(&mut wasm)?;
        let plugin = Plugin {
            component: dependency.component.clone(),
            wasm,
            export: dependency.export.clone(),
        };
        dependencies.insert(import.clone(), plugin);
    }
    let mut wasm = Vec::new();
    open(manifest, name)?.read_to_end(&mut wasm)?;
    compose(name, wasm, dependencies)
}

fn named<'a>(manifest: &'a Manifest, name: &str) -> Result<&'a manifest::Component> {
    let component = manifest.components.get(name);
    component.with_context(|| format!("no component {name:?}"))
}

fn open(manifest: &Manifest, name: &str) -> Result<fs::File> {
    let component = named(manifest, name)?;
    let path = &component.source;
    match fs::File::open(path) {
        Ok(file) => Ok(file),
        Err(error) if component.build.is_empty() => Err(error)
            .with_context(|| format!("cannot read the component {name} from {}", path.display())),
        Err(error) => bail!(
            "cannot read the component {name} from {} ({error}); build it with: {}",
            path.display(),
            component.build.join(" && ")
        ),
    }
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

/// Names what a component is made of, and everything of the engine that changes what that compiles to. The files are
/// read piece by piece: held whole, they would be the largest part of a start.
fn fingerprint(engine: &Engine, manifest: &Manifest, name: &str) -> Result<String> {
    let mut compatibility = DefaultHasher::new();
    engine
        .precompile_compatibility_hash()
        .hash(&mut compatibility);
    let mut digest = Sha256::new();
    digest.update(compatibility.finish().to_le_bytes());
    absorb(&mut digest, manifest, name)?;
    for (import, dependency) in &named(manifest, name)?.dependencies {
        let export = dependency.export.as_deref().unwrap_or_default();
        digest.update(format!("\n{import}\n{export}\n"));
        absorb(&mut digest, manifest, &dependency.component)?;
    }
    let digest = digest.finalize();
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn absorb(digest: &mut Sha256, manifest: &Manifest, name: &str) -> Result<()> {
    let mut pieces = BufReader::with_capacity(PIECE_BYTES, open(manifest, name)?);
    let mut whole = Sha256::new();
    loop {
        let piece = pieces.fill_buf()?;
        if piece.is_empty() {
            digest.update(whole.finalize());
            return Ok(());
        }
        whole.update(piece);
        let length = piece.len();
        pieces.consume(length);
    }
}

fn store(path: &Path, compiled: &[u8]) -> Result<()> {
    let new = path.with_extension(format!("new-{}", std::process::id()));
    let mut file = fs::File::create(&new)?;
    file.write_all(compiled)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    Ok(())
}
