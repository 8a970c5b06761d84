//! From the text of `spin.toml` to [`Manifest`]: one function a table.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use anyhow::{Context, Result, bail, ensure};
use toml::Value;

use super::{
    Component, CronTrigger, Dependency, FileMount, HttpTarget, HttpTrigger, LinliSettings,
    Manifest, MqttSettings, MqttTrigger, StaticResponse, Variable, section::Section,
};
use crate::{
    outbound::AllowedHosts,
    template::{Template, is_variable_name, is_words},
};

pub(super) fn manifest(text: &str, folder: &Path) -> Result<Manifest> {
    // The error of the parser names line and column and shows the line.
    let mut root = Section::root(toml::from_str(text)?);
    match root.take("spin_manifest_version") {
        Some(Value::Integer(2)) => {}
        Some(other) => bail!("spin_manifest_version is {other}; linli supports version 2"),
        None => bail!("spin_manifest_version is missing; linli supports version 2"),
    }
    let mut application = root.section("application")?;
    let mut manifest = Manifest {
        folder: folder.to_owned(),
        name: application.required_text("name")?,
        variables: variables(root.section("variables")?)?,
        ..Manifest::default()
    };
    manifest.linli = linli(&mut application, folder)?;
    manifest.mqtt = application_triggers(&mut application)?;
    for ignored in ["version", "description", "authors", "targets"] {
        application.take(ignored);
    }
    application.finish()?;
    triggers(root.section("trigger")?, &mut manifest)?;
    for (path, name, value) in root.section("component")?.rest() {
        ensure!(
            is_words(&name, '-'),
            "{path}: a component's name is lower-case words joined by '-'"
        );
        let component = component(Section::of(path, value)?, folder)?;
        manifest.components.insert(name, component);
    }
    root.finish()?;
    check(&manifest)?;
    Ok(manifest)
}

fn variables(mut section: Section) -> Result<BTreeMap<String, Variable>> {
    let mut variables = BTreeMap::new();
    for (path, name, value) in section.rest() {
        ensure!(
            is_variable_name(&name),
            "{path}: a variable's name is lower-case words joined by '_'"
        );
        let mut section = Section::of(path, value)?;
        let default = section.text("default")?;
        let required = section.flag("required")?.unwrap_or(false);
        ensure!(
            default.is_some() || required,
            "{} needs a default, or required = true",
            section.path()
        );
        ensure!(
            default.is_none() || !required,
            "{} is required and has a default: choose one",
            section.path()
        );
        let secret = section.flag("secret")?.unwrap_or(false);
        section.take("description");
        section.finish()?;
        variables.insert(name, Variable { default, secret });
    }
    Ok(variables)
}

fn linli(application: &mut Section, folder: &Path) -> Result<LinliSettings> {
    // The tables of other tools are none of ours.
    let mut section = application.section("tool")?.section("linli")?;
    let mut settings = LinliSettings {
        migrations: section
            .texts("migrations")?
            .into_iter()
            .map(|path| folder.join(path))
            .collect(),
        broker_authentication: section.text("broker_authentication")?,
        broker_authorization: section.text("broker_authorization")?,
        ..LinliSettings::default()
    };
    let mut limits = section.section("limits")?;
    for (name, limit) in settings.limits.fields() {
        if let Some(number) = limits.whole(name)? {
            ensure!(
                number > 0 || name == "requests_waiting",
                "{} must be above 0",
                limits.name(name)
            );
            *limit = number;
        }
    }
    limits.finish()?;
    section.finish()?;
    Ok(settings)
}

fn application_triggers(application: &mut Section) -> Result<Option<MqttSettings>> {
    let mut triggers = application.section("trigger")?;
    let mut http = triggers.section("http")?;
    if let Some(base) = http.text("base")? {
        ensure!(
            base == "/",
            "{} other than \"/\" is not supported by linli",
            http.name("base")
        );
    }
    http.finish()?;
    let mqtt = match triggers.take("mqtt") {
        None => None,
        Some(value) => {
            let mut section = Section::of(triggers.name("mqtt"), value)?;
            let keep_alive = section.required_text("keep_alive_interval")?;
            let settings = MqttSettings {
                address: template(&mut section, "address")?,
                username: template(&mut section, "username")?,
                password: template(&mut section, "password")?,
                keep_alive_seconds: keep_alive.parse().with_context(|| {
                    format!(
                        "{} is {keep_alive:?}, not a number of seconds",
                        section.name("keep_alive_interval")
                    )
                })?,
            };
            section.finish()?;
            Some(settings)
        }
    };
    triggers.finish()?;
    Ok(mqtt)
}

fn template(section: &mut Section, key: &str) -> Result<Template> {
    let text = section.required_text(key)?;
    Template::parse(&text).with_context(|| section.name(key))
}

fn triggers(mut section: Section, manifest: &mut Manifest) -> Result<()> {
    for mut trigger in section.sections("http")? {
        trigger.take("id");
        manifest.http.push(http_trigger(trigger)?);
    }
    for mut trigger in section.sections("mqtt")? {
        trigger.take("id");
        let component = component_name(&mut trigger)?;
        let topic = template(&mut trigger, "topic")?;
        let qos = trigger.required_text("qos")?;
        let qos = match qos.as_str() {
            "0" => 0,
            "1" => 1,
            "2" => 2,
            _ => bail!(
                "{} is {qos:?}, not \"0\", \"1\" or \"2\"",
                trigger.name("qos")
            ),
        };
        trigger.finish()?;
        manifest.mqtt_triggers.push(MqttTrigger {
            component,
            topic,
            qos,
        });
    }
    for mut trigger in section.sections("cron")? {
        trigger.take("id");
        let component = component_name(&mut trigger)?;
        let expression = trigger.required_text("cron_expression")?;
        let fields = expression.split_whitespace().count();
        let name = trigger.name("cron_expression");
        ensure!(
            fields == 6,
            "{name} has {fields} fields; it needs 6: second minute hour day month weekday"
        );
        trigger.finish()?;
        manifest.cron_triggers.push(CronTrigger {
            component,
            expression,
        });
    }
    section.finish()
}

fn component_name(trigger: &mut Section) -> Result<String> {
    match trigger.take("component") {
        Some(Value::String(name)) => Ok(name),
        Some(_) => bail!(
            "{}: a component inside a trigger is not supported by linli",
            trigger.name("component")
        ),
        None => bail!("{} is missing", trigger.name("component")),
    }
}

fn http_trigger(mut trigger: Section) -> Result<HttpTrigger> {
    let route = match trigger.take("route") {
        Some(Value::String(route)) => Some(if route.starts_with('/') {
            route
        } else {
            format!("/{route}")
        }),
        Some(Value::Table(table))
            if table.get("private") == Some(&Value::Boolean(true)) && table.len() == 1 =>
        {
            None
        }
        Some(_) => bail!(
            "{} must be a text or {{ private = true }}",
            trigger.name("route")
        ),
        None => bail!("{} is missing", trigger.name("route")),
    };
    if let Some(executor) = trigger.take("executor") {
        let mut executor = Section::of(trigger.name("executor"), executor)?;
        let kind = executor.required_text("type")?;
        ensure!(
            matches!(kind.as_str(), "http" | "spin"),
            "{} = {kind:?} is not supported by linli",
            executor.name("type")
        );
        executor.finish()?;
    }
    let target = match trigger.take("static_response") {
        None => HttpTarget::Component(component_name(&mut trigger)?),
        Some(value) => HttpTarget::Static(static_response(Section::of(
            trigger.name("static_response"),
            value,
        )?)?),
    };
    if let Some(key) = trigger.take("component").map(|_| "component") {
        bail!(
            "{} and static_response exclude each other",
            trigger.name(key)
        );
    }
    trigger.finish()?;
    Ok(HttpTrigger { route, target })
}

fn static_response(mut section: Section) -> Result<StaticResponse> {
    let status = section.whole("status_code")?.unwrap_or(200);
    let status = u16::try_from(status)
        .ok()
        .and_then(|status| http::StatusCode::from_u16(status).ok());
    let status =
        status.with_context(|| format!("{} is not an HTTP status", section.name("status_code")))?;
    let mut headers = http::HeaderMap::new();
    for (path, name, value) in section.section("headers")?.rest() {
        let Value::String(value) = value else {
            bail!("{path} must be a text")
        };
        let name: http::HeaderName = name
            .parse()
            .with_context(|| format!("{path} is not a header"))?;
        headers.append(
            name,
            value
                .parse()
                .with_context(|| format!("{path} is not a header's value"))?,
        );
    }
    let body = section.text("body")?.unwrap_or_default();
    section.finish()?;
    Ok(StaticResponse {
        status,
        headers,
        body,
    })
}

fn component(mut section: Section, folder: &Path) -> Result<Component> {
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

/// What spans tables: names that are used must exist.
fn check(manifest: &Manifest) -> Result<()> {
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
