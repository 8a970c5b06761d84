//! `cargo xtask openapi`: the contracts of all functions as one document, checked while it is merged.

mod operation;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use serde_yaml_ng::{Mapping, Value};

pub use operation::{Access, Operation, example, resolve};
use operation::{check, operations_of, pointer};

/// All functions' documents as one.
pub struct Merged {
    /// The document.
    pub document: Value,
    /// Its operations, in the order of the functions' names and of their documents.
    pub operations: Vec<Operation>,
}

impl Merged {
    /// How much it holds, in one line.
    #[must_use]
    pub fn summary(&self) -> String {
        let functions: BTreeSet<&str> = self
            .operations
            .iter()
            .map(|operation| operation.function.as_str())
            .collect();
        format!(
            "{} operations of {} functions",
            self.operations.len(),
            functions.len()
        )
    }
}

/// Merges and checks every `functions/*/openapi.yaml`.
///
/// # Errors
/// With every fault found, named by document and operation.
pub fn merge(root: &Path) -> Result<Merged> {
    let mut merged = Mapping::new();
    merged.insert("openapi".into(), "3.1.0".into());
    let info = Mapping::from_iter([
        ("title".into(), "Linli".into()),
        ("version".into(), env!("CARGO_PKG_VERSION").into()),
    ]);
    merged.insert("info".into(), info.into());
    let (mut paths, mut components) = (Mapping::new(), Mapping::new());
    let (mut operations, mut faults) = (Vec::new(), Vec::new());
    for (function, file) in documents(root)? {
        let text =
            fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        let document: Value = serde_yaml_ng::from_str(&text)
            .with_context(|| format!("reading {}", file.display()))?;
        let mut name_fault =
            |fault: String| faults.push(format!("functions/{function}/openapi.yaml: {fault}"));
        references(&document, &document, &mut name_fault);
        for operation in operations_of(&function, &document, &mut name_fault) {
            check(&operation, &mut name_fault);
            operations.push(operation);
        }
        union(&mut paths, document.get("paths"), &mut name_fault);
        for (kind, entries) in document
            .get("components")
            .and_then(Value::as_mapping)
            .into_iter()
            .flatten()
        {
            let kept = components
                .entry(kind.clone())
                .or_insert_with(|| Mapping::new().into());
            if let Some(kept) = kept.as_mapping_mut() {
                union(kept, Some(entries), &mut name_fault);
            }
        }
    }
    let mut seen = BTreeSet::new();
    faults.extend(
        operations
            .iter()
            .filter(|operation| !seen.insert(&operation.id))
            .map(|twice| format!("operationId {} stands twice", twice.id)),
    );
    if !faults.is_empty() {
        bail!("{} faults\n{}", faults.len(), faults.join("\n"));
    }
    merged.insert("paths".into(), paths.into());
    merged.insert("components".into(), components.into());
    Ok(Merged {
        document: merged.into(),
        operations,
    })
}

/// Writes the merged document to a file, as YAML.
///
/// # Errors
/// When a document is at fault, or the file cannot be written.
pub fn write(root: &Path, file: &Path) -> Result<Merged> {
    let merged = merge(root)?;
    let text = serde_yaml_ng::to_string(&merged.document).context("writing the document")?;
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    fs::write(file, text).with_context(|| format!("writing {}", file.display()))?;
    Ok(merged)
}

fn documents(root: &Path) -> Result<Vec<(String, PathBuf)>> {
    let folder = root.join("functions");
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
        let entry = entry?;
        let file = entry.path().join("openapi.yaml");
        if file.exists() {
            found.push((entry.file_name().to_string_lossy().into_owned(), file));
        }
    }
    found.sort();
    ensure!(!found.is_empty(), "no functions/*/openapi.yaml");
    Ok(found)
}

fn references(document: &Value, value: &Value, fault: &mut impl FnMut(String)) {
    match value {
        Value::Mapping(mapping) => {
            if let Some(reference) = value.get("$ref").and_then(Value::as_str)
                && pointer(document, reference).is_none()
            {
                fault(format!("{reference} leads nowhere"));
            }
            mapping
                .values()
                .for_each(|inner| references(document, inner, fault));
        }
        Value::Sequence(sequence) => sequence
            .iter()
            .for_each(|inner| references(document, inner, fault)),
        _ => {}
    }
}

fn union(kept: &mut Mapping, further: Option<&Value>, fault: &mut impl FnMut(String)) {
    for (name, value) in further.and_then(Value::as_mapping).into_iter().flatten() {
        match kept.get(name) {
            Some(existing) if existing != value => {
                fault(format!(
                    "{} is defined otherwise in another document",
                    name.as_str().unwrap_or_default()
                ));
            }
            Some(_) => {}
            None => {
                kept.insert(name.clone(), value.clone());
            }
        }
    }
}
