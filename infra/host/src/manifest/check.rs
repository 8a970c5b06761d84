//! What spans the tables of a manifest: names that are used must exist.

use std::collections::BTreeSet;

use anyhow::{Result, bail, ensure};

use super::{HttpTarget, Manifest};
use crate::template::Template;

pub(super) fn check(manifest: &Manifest) -> Result<()> {
    let known = |place: &str, name: &str| {
        let exists = manifest.components.contains_key(name);
        ensure!(
            exists,
            "{place} names the component {name:?}, which the manifest does not have"
        );
        Ok(())
    };
    let declared = |place: &str, template: &Template| match template
        .names()
        .find(|name| !manifest.variables.contains_key(*name))
    {
        Some(name) => bail!("{place} uses the variable {name:?}, which [variables] does not have"),
        None => Ok(()),
    };
    let mut routes = BTreeSet::new();
    for (index, trigger) in manifest.http.iter().enumerate() {
        if let HttpTarget::Component(name) = &trigger.target {
            known(&format!("trigger.http[{index}]"), name)?;
        }
        if let Some(route) = &trigger.route {
            ensure!(
                routes.insert(route),
                "trigger.http[{index}].route: {route:?} is taken by an earlier trigger"
            );
        }
    }
    for (index, trigger) in manifest.mqtt_triggers.iter().enumerate() {
        known(&format!("trigger.mqtt[{index}]"), &trigger.component)?;
        declared(&format!("trigger.mqtt[{index}].topic"), &trigger.topic)?;
    }
    for (index, trigger) in manifest.cron_triggers.iter().enumerate() {
        known(&format!("trigger.cron[{index}]"), &trigger.component)?;
    }
    match &manifest.mqtt {
        None => ensure!(
            manifest.mqtt_triggers.is_empty(),
            "trigger.mqtt needs the table [application.trigger.mqtt]"
        ),
        Some(settings) => {
            for (key, template) in [
                ("address", &settings.address),
                ("username", &settings.username),
                ("password", &settings.password),
            ] {
                declared(&format!("application.trigger.mqtt.{key}"), template)?;
            }
        }
    }
    for (name, component) in &manifest.components {
        for (variable, template) in &component.variables {
            declared(&format!("component.{name}.variables.{variable}"), template)?;
        }
        for template in &component.allowed_outbound_hosts {
            declared(
                &format!("component.{name}.allowed_outbound_hosts"),
                template,
            )?;
        }
        for (import, dependency) in &component.dependencies {
            known(
                &format!("component.{name}.dependencies.{import:?}"),
                &dependency.component,
            )?;
            let plugin = &manifest.components[&dependency.component];
            let pure = plugin.variables.is_empty()
                && plugin.allowed_outbound_hosts.is_empty()
                && plugin.key_value_stores.is_empty()
                && plugin.sqlite_databases.is_empty()
                && plugin.files.is_empty()
                && plugin.dependencies.is_empty();
            ensure!(
                pure,
                "component.{}: a dependency of {name} may have no variables, hosts, stores, files or dependencies of its own",
                dependency.component
            );
        }
    }
    Ok(())
}
