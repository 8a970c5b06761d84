//! Joins a component with the components that satisfy its imports, by `[component.NAME.dependencies]`. Every
//! parent gets an instance of its own. Imports that nothing satisfies stay imports of the whole.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use wac_graph::{
    CompositionGraph, EncodeOptions, NodeId,
    types::{Package, SubtypeChecker, WorldId},
};

/// A component that satisfies one import.
pub struct Plugin {
    /// The component's name in the manifest.
    pub component: String,
    /// Its wasm.
    pub wasm: Vec<u8>,
    /// The export that satisfies the import, where it is not named like it.
    pub export: Option<String>,
}

/// What a plugin may import: what the standard library drags in, nothing that reaches outside.
const PLUGIN_IMPORTS: [&str; 5] = [
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:io/",
    "wasi:random/",
];

/// The wasm of a component with its imports satisfied; `dependencies` has the name of each import.
///
/// # Errors
/// When an import does not exist, a plugin does not export it or exports another type, or a plugin imports more
/// than it may.
pub fn compose(
    name: &str,
    wasm: Vec<u8>,
    dependencies: BTreeMap<String, Plugin>,
) -> Result<Vec<u8>> {
    if dependencies.is_empty() {
        return Ok(wasm);
    }
    let mut graph = CompositionGraph::new();
    let (world, instance) = add(&mut graph, name, wasm)?;
    for (import, plugin) in dependencies {
        let place = format!("component.{name}.dependencies.{import:?}");
        satisfy(&mut graph, (world, instance), &import, plugin).context(place)?;
    }
    let exports: Vec<String> = graph.types()[world].exports.keys().cloned().collect();
    for export in exports {
        let node = graph.alias_instance_export(instance, &export)?;
        graph.export(node, &export)?;
    }
    graph
        .encode(EncodeOptions::default())
        .with_context(|| format!("joining {name} with its dependencies"))
}

fn add(graph: &mut CompositionGraph, name: &str, wasm: Vec<u8>) -> Result<(WorldId, NodeId)> {
    let package = Package::from_bytes(name, None, wasm, graph.types_mut());
    let package = package.with_context(|| format!("{name} is not a component"))?;
    let world = package.ty();
    let package = graph.register_package(package)?;
    Ok((world, graph.instantiate(package)))
}

fn satisfy(
    graph: &mut CompositionGraph,
    parent: (WorldId, NodeId),
    import: &str,
    plugin: Plugin,
) -> Result<()> {
    let wanted = graph.types()[parent.0].imports.get(import).copied();
    let wanted = wanted.with_context(|| format!("the component has no import {import:?}"))?;
    // One plugin may satisfy several imports and be registered for each: the name of a package is unique.
    let (world, instance) = add(
        graph,
        &format!("{}-for-{}", plugin.component, package_name(import)),
        plugin.wasm,
    )?;
    for name in graph.types()[world].imports.keys() {
        let allowed = PLUGIN_IMPORTS.iter().any(|prefix| name.starts_with(prefix));
        ensure!(
            allowed,
            "{} imports {name}, which a dependency may not",
            plugin.component
        );
    }
    let export = plugin.export.as_deref().unwrap_or(import);
    let offered = graph.types()[world].exports.get(export).copied();
    let offered =
        offered.with_context(|| format!("{} does not export {export:?}", plugin.component))?;
    let mut cache = Default::default();
    SubtypeChecker::new(&mut cache)
        .is_subtype(offered, graph.types(), wanted, graph.types())
        .with_context(|| format!("{} exports {export:?} with other types", plugin.component))?;
    let node = graph.alias_instance_export(instance, export)?;
    graph.set_instantiation_argument(parent.1, import, node)?;
    Ok(())
}

/// A text that may stand in the name of a package.
fn package_name(import: &str) -> String {
    import
        .chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() {
                character.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect()
}
