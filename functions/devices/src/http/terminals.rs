//! `/api/terminals`: the register of what hangs on gateways: doors, meters.

use kernel::{Actor, CommunityId, DeviceId};
use serde::Deserialize;
use store::{Read, tx};
use web::{Query, Reply, Request};

use super::form::{ShownDevice, Text};
use super::gateways::check;
use super::{caller, path_id};
use crate::context::Context;
use crate::domain::{
    self, Description, Device, Name, knows, operator_only, overseers_only, unknown_terminal,
};
use crate::store::register;
use crate::{facts, inbox};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedTerminal {
    community: CommunityId,
    name: Text<Name>,
    model: Option<Text<Name>>,
    location: Option<Text<Name>>,
    gateway: Option<DeviceId>,
}

impl From<AskedTerminal> for Description {
    fn from(asked: AskedTerminal) -> Self {
        Self {
            community: asked.community,
            name: asked.name.0,
            model: asked.model.map(|model| model.0),
            location: asked.location.map(|location| location.0),
            gateway: asked.gateway,
        }
    }
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    overseers_only(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(DeviceId::parse)?;
    let gateway = query.take("gateway", DeviceId::parse)?;
    query.finish()?;
    inbox::catch_up(context, &actor.tenant).await?;
    let found = register::terminals(&context.db, &actor, gateway.as_ref(), &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |device| device.id.to_string(),
        ShownDevice::from,
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    terminal: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(terminal, unknown_terminal)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let device = known(&context.db, &actor, &id).await?;
    let version = device.version;
    Ok(Reply::ok(&ShownDevice::from(device)).with_etag(version))
}

pub(super) async fn describe(
    context: &Context,
    request: &Request,
    terminal: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    operator_only(&actor)?;
    let id: DeviceId = path_id(terminal, unknown_terminal)?;
    let expected = web::if_match(request);
    let asked: AskedTerminal = web::body(request)?;
    let said = Description::from(asked);
    inbox::catch_up(context, &actor.tenant).await?;
    let device = tx(&context.db, &actor.tenant, async |tx| {
        let stored = known(tx, &actor, &id).await?;
        check(expected.as_ref(), stored.version)?;
        let Some(described) = domain::describe(&actor, &stored, said.clone())? else {
            return Ok(stored);
        };
        register::put_device(tx, &described).await?;
        facts::described(context, tx, &actor, &described).await?;
        Ok(described)
    })
    .await?;
    let version = device.version;
    Ok(Reply::ok(&ShownDevice::from(device)).with_etag(version))
}

async fn known(db: &impl Read, actor: &Actor, id: &DeviceId) -> anyhow::Result<Device> {
    let device = register::terminal(db, &actor.tenant, id).await?;
    let device = device.filter(|device| knows(actor, device));
    Ok(device.ok_or_else(unknown_terminal)?)
}
