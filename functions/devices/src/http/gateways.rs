//! `/api/gateways`: the register of gateways, whether they are there, and what they should run with.

use kernel::{Actor, CommunityId, DeviceId, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Read, tx};
use web::{IfMatch, Query, Reply, Request};

use super::form::{ShownDevice, Text};
use super::{caller, path_id};
use crate::context::Context;
use crate::domain::{
    self, Action, Configuration, Description, Device, Gateway, Name, Presence, Profile, knows,
    operator_only, overseers_only, unknown_gateway,
};
use crate::inbox;
use crate::store::register;
use crate::{facts, send};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedGateway {
    profile: Option<AskedProfile>,
    community: CommunityId,
    name: Text<Name>,
    model: Option<Text<Name>>,
    location: Option<Text<Name>>,
    gateway: Option<DeviceId>,
}

impl From<AskedGateway> for Description {
    fn from(asked: AskedGateway) -> Self {
        Self {
            community: asked.community,
            name: asked.name.0,
            model: asked.model.map(|model| model.0),
            location: asked.location.map(|location| location.0),
            gateway: asked.gateway,
        }
    }
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum AskedProfile {
    Wired,
    Cellular,
    Battery,
}

impl From<AskedProfile> for Profile {
    fn from(asked: AskedProfile) -> Self {
        match asked {
            AskedProfile::Wired => Self::Wired,
            AskedProfile::Cellular => Self::Cellular,
            AskedProfile::Battery => Self::Battery,
        }
    }
}

#[derive(Serialize)]
struct ShownGateway {
    #[serde(flatten)]
    device: ShownDevice,
    profile: &'static str,
    /// `online`, `offline`, or `unknown` for one that was never heard.
    presence: &'static str,
    since: Option<Timestamp>,
    cause: Option<&'static str>,
    last_seen: Option<Timestamp>,
    software: Option<String>,
    started_at: Option<Timestamp>,
    configuration_version: i64,
    configuration_applied: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    children: Option<Vec<ShownDevice>>,
}

#[derive(Serialize)]
struct ShownConfiguration {
    gateway: DeviceId,
    version: i64,
    applied: Option<i64>,
    configuration: serde_json::Map<String, serde_json::Value>,
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    overseers_only(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(DeviceId::parse)?;
    query.finish()?;
    inbox::catch_up(context, &actor.tenant).await?;
    let found = register::gateways(&context.db, &actor, &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |gateway| gateway.device.id.to_string(),
        |gateway| shown(gateway, None),
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    gateway: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(gateway, unknown_gateway)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let gateway = known(&context.db, &actor, &id).await?;
    let children = register::children(&context.db, &actor.tenant, &id).await?;
    let version = gateway.device.version;
    let children = children.into_iter().map(ShownDevice::from).collect();
    // No conditional answer: presence changes without the version.
    Ok(Reply::ok(&shown(gateway, Some(children))).with_etag(version))
}

pub(super) async fn describe(
    context: &Context,
    request: &Request,
    gateway: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    operator_only(&actor)?;
    let id: DeviceId = path_id(gateway, unknown_gateway)?;
    let expected = web::if_match(request);
    let asked: AskedGateway = web::body(request)?;
    let profile = asked.profile.map(Profile::from);
    let said = Description::from(asked);
    inbox::catch_up(context, &actor.tenant).await?;
    let gateway = tx(&context.db, &actor.tenant, async |tx| {
        let stored = known(tx, &actor, &id).await?;
        check(expected.as_ref(), stored.device.version)?;
        let profile = profile.unwrap_or(stored.profile);
        let described = domain::describe(&actor, &stored.device, said.clone())?;
        // Another profile is another description.
        let described = described.or_else(|| {
            (profile != stored.profile).then(|| Device {
                version: stored.device.version + 1,
                ..stored.device.clone()
            })
        });
        let Some(device) = described else {
            return Ok(stored);
        };
        register::put_device(tx, &device).await?;
        facts::described(context, tx, &actor, &device).await?;
        let gateway = Gateway {
            device,
            profile,
            ..stored
        };
        register::put_gateway(tx, &gateway).await?;
        Ok(gateway)
    })
    .await?;
    let version = gateway.device.version;
    Ok(Reply::ok(&shown(gateway, None)).with_etag(version))
}

pub(super) async fn configuration(
    context: &Context,
    request: &Request,
    gateway: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(gateway, unknown_gateway)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let gateway = known(&context.db, &actor, &id).await?;
    shown_configuration(id, &gateway.configuration)
}

pub(super) async fn configure(
    context: &Context,
    request: &Request,
    gateway: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    operator_only(&actor)?;
    let id: DeviceId = path_id(gateway, unknown_gateway)?;
    let expected = web::required_if_match(request)?;
    let asked: serde_json::Map<String, serde_json::Value> = web::body(request)?;
    let text = serde_json::to_string(&asked)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let configuration = tx(&context.db, &actor.tenant, async |tx| {
        let gateway = known(tx, &actor, &id).await?;
        let changed = domain::configure(&actor, &gateway.configuration, text.clone())?;
        expected.check(gateway.configuration.version)?;
        let Some(configuration) = changed else {
            return Ok(gateway.configuration);
        };
        let version = configuration.version;
        let gateway = Gateway {
            configuration: configuration.clone(),
            ..gateway
        };
        register::put_gateway(tx, &gateway).await?;
        facts::configured(context, tx, &actor, (&id, version)).await?;
        let whom = (&id, Action::Configure { version });
        send::queue(context, tx, whom, Some(actor.id.clone())).await?;
        Ok(configuration)
    })
    .await?;
    send::deliver(context, &actor.tenant, &id).await?;
    shown_configuration(id, &configuration)
}

/// The gateway, for a caller who may know it.
pub(super) async fn known(db: &impl Read, actor: &Actor, id: &DeviceId) -> anyhow::Result<Gateway> {
    let gateway = register::gateway(db, &actor.tenant, id).await?;
    let gateway = gateway.filter(|gateway| knows(actor, &gateway.device));
    Ok(gateway.ok_or_else(unknown_gateway)?)
}

/// Holds the caller's condition, if there is one, against the present version.
pub(super) fn check(expected: Option<&IfMatch>, version: i64) -> Result<(), kernel::Refusal> {
    expected.map_or(Ok(()), |expected| expected.check(version))
}

fn shown_configuration(gateway: DeviceId, configuration: &Configuration) -> anyhow::Result<Reply> {
    let shown = ShownConfiguration {
        gateway,
        version: configuration.version,
        applied: configuration.applied,
        configuration: serde_json::from_str(&configuration.text)?,
    };
    Ok(Reply::ok(&shown).with_etag(configuration.version))
}

fn shown(gateway: Gateway, children: Option<Vec<ShownDevice>>) -> ShownGateway {
    let (presence, since, cause) = match gateway.presence {
        Presence::Unknown => ("unknown", None, None),
        Presence::Online { since, .. } => ("online", Some(since), None),
        Presence::Offline { since, cause, .. } => ("offline", Some(since), Some(cause.as_str())),
    };
    ShownGateway {
        device: gateway.device.into(),
        profile: gateway.profile.as_str(),
        presence,
        since,
        cause,
        last_seen: gateway.presence.last_seen(),
        software: gateway.vitals.software,
        started_at: gateway.vitals.started_at,
        configuration_version: gateway.configuration.version,
        configuration_applied: gateway.configuration.applied,
        children,
    }
}
