//! From the text of `spin.toml` to [`Manifest`]: one function a table.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result, bail, ensure};
use toml::Value;

use super::{
    CronTrigger, HttpTarget, HttpTrigger, LinliSettings, Manifest, MqttSettings, MqttTrigger,
    StaticResponse, Variable, section::Section,
};
use crate::template::{Template, is_variable_name, is_words};

pub(super) fn manifest(text: &str, folder: &Path) -> Result<Manifest> {
    let mut root = Section::root(toml::from_str(text).map_err(|error| misspelt(text, &error))?);
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
        let component = super::component::component(Section::of(path, value)?, folder)?;
        manifest.components.insert(name, component);
    }
    root.finish()?;
    super::check::check(&manifest)?;
    Ok(manifest)
}

/// The error of the parser in one line.
fn misspelt(text: &str, error: &toml::de::Error) -> anyhow::Error {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or(0, |before| before.matches('\n').count()) + 1;
    anyhow::anyhow!("line {line}: {}", error.message())
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
        route_headers: section.flag("route_headers")?.unwrap_or(true),
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
