//! The manifest holds nothing that Spin would refuse, and names nothing that is missing. The keys are those of
//! Spin's manifest version 2 and of its HTTP, MQTT and cron triggers; Spin refuses every other one.

use std::{fs, process::Command};

use linli_tests::place;
use toml::{Table, Value};

const ROOT: &[&str] = &[
    "spin_manifest_version",
    "application",
    "variables",
    "trigger",
    "component",
];
const APPLICATION: &[&str] = &[
    "name",
    "version",
    "description",
    "authors",
    "targets",
    "trigger",
    "tool",
];
const MQTT_SETTINGS: &[&str] = &["address", "username", "password", "keep_alive_interval"];
const HTTP_SETTINGS: &[&str] = &["base"];
const VARIABLE: &[&str] = &["default", "required", "secret", "description"];
const HTTP_TRIGGER: &[&str] = &[
    "id",
    "component",
    "components",
    "dependencies",
    "route",
    "static_response",
    "executor",
];
const MQTT_TRIGGER: &[&str] = &["id", "component", "topic", "qos"];
const CRON_TRIGGER: &[&str] = &["id", "component", "cron_expression"];
const COMPONENT: &[&str] = &[
    "source",
    "description",
    "variables",
    "environment",
    "files",
    "exclude_files",
    "allowed_outbound_hosts",
    "key_value_stores",
    "sqlite_databases",
    "ai_models",
    "targets",
    "build",
    "tool",
    "dependencies_inherit_configuration",
    "dependencies",
    "profile",
];
const BUILD: &[&str] = &["command", "workdir", "watch"];
/// Which of Spin's open tables is for other tools; the embedded host's settings stand there and nowhere else.
const TOOL: &str = "linli";

fn manifest() -> Table {
    fs::read_to_string(place::root().join("spin.toml"))
        .unwrap()
        .parse()
        .unwrap()
}

fn table<'a>(value: Option<&'a Value>, place: &str) -> &'a Table {
    value
        .and_then(Value::as_table)
        .unwrap_or_else(|| panic!("{place} is no table"))
}

fn tables(value: Option<&Value>) -> impl Iterator<Item = (&String, &Table)> {
    value
        .and_then(Value::as_table)
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name, value.as_table()?)))
}

fn unknown(table: &Table, known: &[&str], place: &str) -> Vec<String> {
    table
        .keys()
        .filter(|key| !known.contains(&key.as_str()))
        .map(|key| format!("{place}.{key}"))
        .collect()
}

#[test]
fn spin_knows_every_key() {
    let manifest = manifest();
    let mut found = unknown(&manifest, ROOT, "");
    let application = table(manifest.get("application"), "application");
    found.extend(unknown(application, APPLICATION, "application"));
    for (kind, settings) in tables(application.get("trigger")) {
        let known = match kind.as_str() {
            "mqtt" => MQTT_SETTINGS,
            "http" => HTTP_SETTINGS,
            _ => &[],
        };
        found.extend(unknown(
            settings,
            known,
            &format!("application.trigger.{kind}"),
        ));
        found.extend(
            settings
                .iter()
                .filter(|(_, value)| !value.is_str())
                .map(|(key, _)| format!("application.trigger.{kind}.{key} is no text")),
        );
    }
    for (name, variable) in tables(manifest.get("variables")) {
        found.extend(unknown(variable, VARIABLE, &format!("variables.{name}")));
        let required = variable
            .get("required")
            .and_then(Value::as_bool)
            .unwrap_or_default();
        if required == variable.contains_key("default") {
            found.push(format!(
                "variables.{name} is neither required nor has a default, or both"
            ));
        }
    }
    for (kind, triggers) in table(manifest.get("trigger"), "trigger") {
        let known = match kind.as_str() {
            "http" => HTTP_TRIGGER,
            "mqtt" => MQTT_TRIGGER,
            "cron" => CRON_TRIGGER,
            _ => panic!("no trigger {kind} is known"),
        };
        for (index, trigger) in triggers.as_array().into_iter().flatten().enumerate() {
            found.extend(unknown(
                table(Some(trigger), kind),
                known,
                &format!("trigger.{kind}[{index}]"),
            ));
            if trigger.get("qos").is_some_and(|qos| !qos.is_str()) {
                found.push(format!("trigger.{kind}[{index}].qos is no text"));
            }
        }
    }
    for (name, component) in tables(manifest.get("component")) {
        found.extend(unknown(component, COMPONENT, &format!("component.{name}")));
        found.extend(
            component
                .get("build")
                .and_then(Value::as_table)
                .into_iter()
                .flat_map(|build| unknown(build, BUILD, &format!("component.{name}.build"))),
        );
    }
    assert!(found.is_empty(), "Spin would refuse: {found:?}");
}

#[test]
fn only_linli_is_told_something_that_spin_does_not_read() {
    let manifest = manifest();
    let application = manifest
        .get("application")
        .and_then(|application| application.get("tool"));
    let components =
        tables(manifest.get("component")).filter_map(|(_, component)| component.get("tool"));
    let tools: Vec<&String> = application
        .into_iter()
        .chain(components)
        .filter_map(Value::as_table)
        .flat_map(Table::keys)
        .collect();
    assert!(
        !tools.is_empty() && tools.iter().all(|tool| *tool == TOOL),
        "{tools:?}"
    );
}

#[test]
fn what_the_manifest_names_is_there() {
    let manifest = manifest();
    let variables = table(manifest.get("variables"), "variables");
    let components = table(manifest.get("component"), "component");
    for (name, component) in tables(manifest.get("component")) {
        let source = component["source"]
            .as_str()
            .unwrap_or_else(|| panic!("{name} has no source file"));
        assert!(
            place::root().join(source).is_file(),
            "{name}: {source} is not built: `cargo xtask test` builds everything first"
        );
        assert!(
            component["build"].get("command").is_some_and(Value::is_str),
            "{name} says not how it is built"
        );
        if let Some(folder) = component
            .get("tool")
            .and_then(|tool| tool.get(TOOL)?.get("migrations")?.as_str())
        {
            assert!(
                place::root().join(folder).is_dir(),
                "{name}: there is no folder {folder}"
            );
        }
        // A plugin has none.
        let given = component.get("variables").and_then(Value::as_table);
        for (variable, template) in given.into_iter().flatten() {
            let named = template
                .as_str()
                .unwrap_or_default()
                .trim_matches(['{', '}', ' ']);
            assert!(
                variables.contains_key(named),
                "component.{name}.variables.{variable} names no variable of the application"
            );
        }
    }
    for (kind, triggers) in table(manifest.get("trigger"), "trigger") {
        for trigger in triggers.as_array().into_iter().flatten() {
            let component = trigger["component"].as_str().unwrap_or_default();
            assert!(
                components.contains_key(component),
                "a {kind} trigger starts {component:?}, which is no component"
            );
        }
    }
}

#[test]
fn linli_check_accepts_the_manifest() {
    let checked = Command::new(place::binary("linli"))
        .arg("check")
        .current_dir(place::root())
        .output()
        .unwrap();
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stderr)
    );
}
