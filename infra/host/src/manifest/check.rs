//! What spans the tables of a manifest: names that are used must exist.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};

use super::{Component, HttpTarget, Manifest};
use crate::template::Template;

pub(super) fn check(manifest: &Manifest) -> Result<()> {
    check_triggers(manifest)?;
    check_mqtt(manifest)?;
    for (name, component) in &manifest.components {
        check_component(manifest, name, component)?;
    }
    Ok(())
}

fn check_triggers(manifest: &Manifest) -> Result<()> {
    let mut routes = BTreeSet::new();
    for (index, trigger) in manifest.http.iter().enumerate() {
        if let HttpTarget::Component(name) = &trigger.target {
            known(manifest, &format!("trigger.http[{index}]"), name)?;
        }
        if let Some(route) = &trigger.route {
            ensure!(
                routes.insert(route),
                "trigger.http[{index}].route: {route:?} is taken by an earlier trigger"
            );
        }
    }
    for (index, trigger) in manifest.mqtt_triggers.iter().enumerate() {
        let place = format!("trigger.mqtt[{index}]");
        known(manifest, &place, &trigger.component)?;
        declared(manifest, &format!("{place}.topic"), &trigger.topic)?;
    }
    for (index, trigger) in manifest.cron_triggers.iter().enumerate() {
        known(
            manifest,
            &format!("trigger.cron[{index}]"),
            &trigger.component,
        )?;
    }
    Ok(())
}

fn check_mqtt(manifest: &Manifest) -> Result<()> {
    let Some(settings) = &manifest.mqtt else {
        ensure!(
            manifest.mqtt_triggers.is_empty(),
            "trigger.mqtt needs the table [application.trigger.mqtt]"
        );
        return Ok(());
    };
    for (key, template) in [
        ("address", &settings.address),
        ("username", &settings.username),
        ("password", &settings.password),
    ] {
        declared(
            manifest,
            &format!("application.trigger.mqtt.{key}"),
            template,
        )?;
    }
    Ok(())
}

fn check_component(manifest: &Manifest, name: &str, component: &Component) -> Result<()> {
    for (variable, template) in &component.variables {
        let place = format!("component.{name}.variables.{variable}");
        declared(manifest, &place, template)?;
    }
    for template in &component.allowed_outbound_hosts {
        let place = format!("component.{name}.allowed_outbound_hosts");
        declared(manifest, &place, template)?;
    }
    // Spin shields a dependency from its parent's environment and files; composed here, it would see them.
    ensure!(
        component.dependencies.is_empty()
            || (component.files.is_empty() && component.environment.is_empty()),
        "component.{name}: a component with dependencies may have neither files nor an environment here, \
         because its dependencies would see them; move them into a component without dependencies"
    );
    for (import, dependency) in &component.dependencies {
        let place = format!("component.{name}.dependencies.{import:?}");
        let plugin = known(manifest, &place, &dependency.component)?;
        ensure!(
            is_pure(plugin),
            "component.{}: a dependency of {name} may have no variables, hosts, stores, files or dependencies of its own",
            dependency.component
        );
    }
    Ok(())
}

fn is_pure(plugin: &Component) -> bool {
    plugin.variables.is_empty()
        && plugin.allowed_outbound_hosts.is_empty()
        && plugin.key_value_stores.is_empty()
        && plugin.sqlite_databases.is_empty()
        && plugin.files.is_empty()
        && plugin.dependencies.is_empty()
}

fn known<'a>(manifest: &'a Manifest, place: &str, name: &str) -> Result<&'a Component> {
    manifest.components.get(name).with_context(|| {
        format!("{place} names the component {name:?}, which the manifest does not have")
    })
}

fn declared(manifest: &Manifest, place: &str, template: &Template) -> Result<()> {
    let mut names = template.names();
    match names.find(|name| !manifest.variables.contains_key(*name)) {
        Some(name) => bail!("{place} uses the variable {name:?}, which [variables] does not have"),
        None => Ok(()),
    }
}
