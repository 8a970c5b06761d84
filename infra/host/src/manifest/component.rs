//! One `[component.NAME]` of a manifest.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result, bail, ensure};
use toml::Value;

use super::{Component, Dependency, FileMount, section::Section};
use crate::{
    outbound::AllowedHosts,
    template::{Template, is_variable_name, is_words},
};

pub(super) fn component(mut section: Section, folder: &Path) -> Result<Component> {
    let source = match section.take("source") {
        Some(Value::String(source)) => folder.join(source),
        Some(_) => bail!(
            "{}: sources other than a file are not supported by linli",
            section.name("source")
        ),
        None => bail!("{} is missing", section.name("source")),
    };
    let mut component = Component {
        source,
        files: files(&mut section, folder)?,
        key_value_stores: labels(&mut section, "key_value_stores")?,
        sqlite_databases: labels(&mut section, "sqlite_databases")?,
        dependencies: dependencies(section.section("dependencies")?)?,
        build: build(section.section("build")?)?,
        ..Component::default()
    };
    for host in section.texts("allowed_outbound_hosts")? {
        let name = section.name("allowed_outbound_hosts");
        let host = Template::parse(&host).context(name.clone())?;
        if host.names().next().is_none() {
            AllowedHosts::parse(&[host.to_string()]).context(name)?;
        }
        component.allowed_outbound_hosts.push(host);
    }
    for (path, name, value) in section.section("variables")?.rest() {
        ensure!(
            is_variable_name(&name),
            "{path}: a variable's name is lower-case words joined by '_'"
        );
        let Value::String(value) = value else {
            bail!("{path} must be a text")
        };
        component
            .variables
            .insert(name, Template::parse(&value).context(path)?);
    }
    for (path, name, value) in section.section("environment")?.rest() {
        let Value::String(value) = value else {
            bail!("{path} must be a text")
        };
        component.environment.insert(name, value);
    }
    if section.flag("dependencies_inherit_configuration")? == Some(true) {
        bail!(
            "{} is not supported by linli",
            section.name("dependencies_inherit_configuration")
        );
    }
    let mut linli = section.section("tool")?.section("linli")?;
    component.migrations = linli.text("migrations")?.map(|path| folder.join(path));
    linli.finish()?;
    for ignored in ["description", "targets"] {
        section.take(ignored);
    }
    section.finish()?;
    Ok(component)
}

fn labels(section: &mut Section, key: &str) -> Result<Vec<String>> {
    let labels = section.texts(key)?;
    for label in &labels {
        let valid = is_words(label, '-') || is_words(label, '_');
        ensure!(
            valid,
            "{}: {label:?} is not words joined by '-' or '_'",
            section.name(key)
        );
    }
    Ok(labels)
}

fn build(mut section: Section) -> Result<Vec<String>> {
    let commands = match section.take("command") {
        None => Vec::new(),
        Some(Value::String(command)) => vec![command],
        Some(Value::Array(commands)) => commands
            .iter()
            .filter_map(|command| command.as_str())
            .map(str::to_owned)
            .collect(),
        Some(_) => bail!(
            "{} must be a text or a list of texts",
            section.name("command")
        ),
    };
    for ignored in ["workdir", "watch"] {
        section.take(ignored);
    }
    section.finish()?;
    Ok(commands)
}

fn files(section: &mut Section, folder: &Path) -> Result<Vec<FileMount>> {
    let name = section.name("files");
    let mut mounts = Vec::new();
    for value in section.list("files")? {
        if let Value::String(pattern) = value {
            ensure!(
                !pattern.starts_with('/') && !pattern.contains(".."),
                "{name}: {pattern:?} leaves the application's folder"
            );
            mounts.push(FileMount::Pattern(pattern));
            continue;
        }
        let mut placement = Section::of(name.clone(), value)?;
        let source = folder.join(placement.required_text("source")?);
        let destination = placement.required_text("destination")?;
        ensure!(
            destination.starts_with('/'),
            "{name}: the destination {destination:?} must start with '/'"
        );
        placement.finish()?;
        mounts.push(FileMount::Placement {
            source,
            destination,
        });
    }
    Ok(mounts)
}

fn dependencies(mut section: Section) -> Result<BTreeMap<String, Dependency>> {
    let mut dependencies = BTreeMap::new();
    for (path, name, value) in section.rest() {
        let Value::Table(table) = value else {
            bail!(
                "{path}: a dependency from a registry is not supported by linli; use {{ component = \"...\" }}"
            );
        };
        for (key, kind) in [
            ("version", "a registry"),
            ("package", "a registry"),
            ("path", "a file"),
            ("url", "the network"),
        ] {
            ensure!(
                !table.contains_key(key),
                "{path}.{key}: a dependency from {kind} is not supported by linli; use {{ component = \"...\" }}"
            );
        }
        ensure!(
            name.contains('/') && name.contains('@'),
            "{path}: linli needs the interface's exact name, \"package:name/interface@version\""
        );
        let mut section = Section::of(path, Value::Table(table))?;
        let dependency = Dependency {
            component: section.required_text("component")?,
            export: section.text("export")?,
        };
        if section
            .take("inherit_configuration")
            .is_some_and(|value| value != Value::Boolean(false))
        {
            bail!(
                "{} is not supported by linli",
                section.name("inherit_configuration")
            );
        }
        section.finish()?;
        dependencies.insert(name, dependency);
    }
    Ok(dependencies)
}
