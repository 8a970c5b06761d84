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

#[cfg(test)]
mod tests {
    use wasmtime::component::{Component, Linker};
    use wasmtime::{Engine, Store};

    use super::*;

    const PARENT: &[u8] = include_bytes!("../tests/fixtures/parent.wasm");
    const PLUGIN: &[u8] = include_bytes!("../tests/fixtures/plugin.wasm");
    const NOSY: &[u8] = include_bytes!("../tests/fixtures/nosy.wasm");
    const OTHER: &[u8] = include_bytes!("../tests/fixtures/other.wasm");
    const IMPORT: &str = "linli:test/number@1.0.0";

    fn composed(import: &str, plugin: &[u8]) -> Result<Vec<u8>> {
        let plugin = Plugin {
            component: "plugin".to_owned(),
            wasm: plugin.to_vec(),
            export: None,
        };
        compose(
            "parent",
            PARENT.to_vec(),
            BTreeMap::from([(import.to_owned(), plugin)]),
        )
    }

    #[test]
    fn a_dependency_answers_what_its_parent_imports() {
        let engine = Engine::default();
        let component =
            Component::from_binary(&engine, &composed(IMPORT, PLUGIN).unwrap()).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine)
            .instantiate(&mut store, &component)
            .unwrap();
        let run = instance
            .get_typed_func::<(), (u32,)>(&mut store, "run")
            .unwrap();
        assert_eq!(run.call(&mut store, ()).unwrap(), (42,));
    }

    #[test]
    fn a_dependency_that_does_not_fit_is_refused_by_name() {
        let check = |import: &str, plugin: &[u8], named: &str| {
            let error = format!("{:#}", composed(import, plugin).unwrap_err());
            assert!(
                error.contains(named) && error.contains("component.parent"),
                "{error}"
            );
        };
        check("linli:test/number@2.0.0", PLUGIN, "has no import");
        check(IMPORT, PARENT, "may not");
        check(IMPORT, NOSY, "spin:variables/variables@3.0.0");
        check(IMPORT, OTHER, "other types");
        check(IMPORT, b"no wasm", "is not a component");
    }
}
