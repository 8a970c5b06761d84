//! `/api/devices`: devices, whom they speak for, and their credentials.

use kernel::{Actor, DeviceId, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Answer, Tx, events, tx};
use web::{Query, Reply, Request};
use wire::DeviceKind;
use wire::event::{DeviceChildAssigned, DeviceCredentialIssued, DeviceRegistered};

use super::{Text, answer, caller, name_of, path_id, replied, write};
use crate::context::Context;
use crate::domain::{
    Child, Credential, Device, Name, OVERLAP_SECONDS_DEFAULT, Password, Registration, assign_child,
    device_overseers_only, known_device, name_taken, register_device, rotate as rotated,
    unknown_device,
};
use crate::{secrets, store as sql};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedDevice {
    id: DeviceId,
    kind: DeviceKind,
    name: Option<Text<Name>>,
    #[serde(default)]
    children: Vec<ShownChild>,
    /// Where a device comes with a password; otherwise one is made, which is better.
    password: Option<Text<Password>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedRotation {
    overlap_seconds: Option<u32>,
    password: Option<Text<Password>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ShownChild {
    kind: DeviceKind,
    id: DeviceId,
}

#[derive(Serialize)]
struct ShownDevice {
    id: DeviceId,
    kind: DeviceKind,
    name: String,
    children: Vec<ShownChild>,
    version: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<ShownCredential>,
}

/// A credential as it stands on the wire, and, without its password, in a stored answer.
#[derive(Serialize, Deserialize)]
struct ShownCredential {
    id: String,
    /// Whether the secret was made here: then it is shown with the answer, and only there.
    made: bool,
    username: String,
    client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_expires_at: Option<Timestamp>,
}

pub(super) async fn register(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    let asked: AskedDevice = web::body(request)?;
    let children = asked.children.into_iter().map(|child| Child {
        kind: child.kind,
        id: child.id,
    });
    let device = register_device(
        &actor,
        Registration {
            id: asked.id,
            kind: asked.kind,
            name: asked.name.map(|name| name.0),
            children: children.collect(),
        },
    )?;
    let new = new_credential(context, &actor.tenant, &device.id, asked.password)?;
    let registered = write(
        context,
        request,
        (&actor.tenant, &name_of(&actor)),
        async |tx| {
            if sql::is_device_name_taken(tx, &device).await? {
                return Err(name_taken().into());
            }
            sql::insert_device(tx, &device, context.now).await?;
            let fact = DeviceRegistered {
                device: device.id.clone(),
                kind: device.kind,
                actor: actor.id.clone(),
            };
            events::append(tx, &context.new_id()?, context.now, &fact).await?;
            for child in &device.children {
                child_assigned(context, tx, &actor, (&device.id, child)).await?;
            }
            issue(context, tx, (&actor, &device.id), &new).await?;
            let credential = Some(shown_credential(&actor.tenant, &device, &new));
            answer(
                201,
                &ShownDevice {
                    credential,
                    ..ShownDevice::from(device.clone())
                },
            )
        },
    )
    .await?;
    let shown = with_password(context, (&actor.tenant, &device.id), registered, |body| {
        body.get_mut("credential")
    })?;
    Ok(private(replied(&shown)?).with_header(
        ::http::header::LOCATION,
        &format!("/api/devices/{}", device.id),
    ))
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    device_overseers_only(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(DeviceId::parse)?;
    query.finish()?;
    let devices = sql::devices(&context.db, &actor.tenant, &page).await?;
    Ok(Reply::ok(&page.listing(
        devices,
        |device| device.id.to_string(),
        ShownDevice::from,
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    device: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    device_overseers_only(&actor)?;
    let id = path_id(device, unknown_device)?;
    let device = known_device(sql::device(&context.db, &actor.tenant, &id).await?)?;
    let version = device.version;
    if web::is_fresh(request, version) {
        return Ok(Reply::not_modified(version));
    }
    Ok(Reply::ok(&ShownDevice::from(device)).with_etag(version))
}

pub(super) async fn rotate(
    context: &Context,
    request: &Request,
    device: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    device_overseers_only(&actor)?;
    let id: DeviceId = path_id(device, unknown_device)?;
    let asked: AskedRotation = if request.body().is_empty() {
        AskedRotation::default()
    } else {
        web::body(request)?
    };
    let overlap_seconds = asked.overlap_seconds.unwrap_or(OVERLAP_SECONDS_DEFAULT);
    // Refuses before the work of hashing is done.
    rotated(&actor, &[], overlap_seconds, context.now)?;
    let new = new_credential(context, &actor.tenant, &id, asked.password)?;
    let issued = write(
        context,
        request,
        (&actor.tenant, &name_of(&actor)),
        async |tx| {
            let device = known_device(sql::device(tx, &actor.tenant, &id).await?)?;
            let present = sql::credentials(tx, &actor.tenant, &id, context.now).await?;
            let ending = rotated(&actor, &present, overlap_seconds, context.now)?;
            for credential in &ending {
                sql::end_credential(tx, &id, credential).await?;
            }
            sql::forget_credentials(tx, &id, context.now).await?;
            issue(context, tx, (&actor, &id), &new).await?;
            let previous_expires_at = ending
                .iter()
                .filter_map(|credential| credential.expires_at)
                .max();
            answer(
                201,
                &ShownCredential {
                    previous_expires_at,
                    ..shown_credential(&actor.tenant, &device, &new)
                },
            )
        },
    )
    .await?;
    let shown = with_password(context, (&actor.tenant, &id), issued, |body| Some(body))?;
    Ok(private(replied(&shown)?))
}

pub(super) async fn assign(
    context: &Context,
    request: &Request,
    gateway: &str,
    (kind, child): (&str, &str),
) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    device_overseers_only(&actor)?;
    let id: DeviceId = path_id(gateway, unknown_device)?;
    let kind = DeviceKind::parse(kind).ok_or_else(unknown_device)?;
    let child = Child {
        kind,
        id: path_id(child, unknown_device)?,
    };
    let changed = tx(&context.db, &actor.tenant, async |tx| {
        let gateway = known_device(sql::device(tx, &actor.tenant, &id).await?)?;
        let changed = assign_child(&actor, &gateway, child.clone())?;
        if changed != gateway {
            sql::assign_child(tx, &id, &child).await?;
            sql::count_device_change(tx, &id).await?;
            child_assigned(context, tx, &actor, (&id, &child)).await?;
        }
        Ok(changed)
    })
    .await?;
    let version = changed.version;
    Ok(Reply::ok(&ShownDevice::from(changed)).with_etag(version))
}

/// A credential that is about to be stored.
struct NewCredential {
    credential: Credential,
    made: bool,
}

/// A credential with a secret made here, or with the hash of the one that the caller chose.
fn new_credential(
    context: &Context,
    tenant: &TenantId,
    device: &DeviceId,
    chosen: Option<Text<Password>>,
) -> anyhow::Result<NewCredential> {
    let id: String = context.new_id()?;
    let made = chosen.is_none();
    let hash = match chosen {
        Some(Text(password)) => secrets::hash_password(password.expose())?,
        None => secrets::hash_secret(&context.key.device_secret(tenant, device, &id)?),
    };
    Ok(NewCredential {
        credential: Credential {
            id,
            hash,
            created_at: context.now,
            expires_at: None,
        },
        made,
    })
}

async fn issue(
    context: &Context,
    tx: &Tx,
    (actor, device): (&Actor, &DeviceId),
    new: &NewCredential,
) -> anyhow::Result<()> {
    sql::insert_credential(tx, device, &new.credential).await?;
    let fact = DeviceCredentialIssued {
        device: device.clone(),
        credential: new.credential.id.clone(),
        actor: actor.id.clone(),
    };
    events::append(tx, &context.new_id()?, context.now, &fact).await?;
    Ok(())
}

async fn child_assigned(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    (gateway, child): (&DeviceId, &Child),
) -> anyhow::Result<()> {
    let fact = DeviceChildAssigned {
        gateway: gateway.clone(),
        kind: child.kind,
        child: child.id.clone(),
        actor: actor.id.clone(),
    };
    events::append(tx, &context.new_id()?, context.now, &fact).await?;
    Ok(())
}

fn shown_credential(tenant: &TenantId, device: &Device, new: &NewCredential) -> ShownCredential {
    ShownCredential {
        id: new.credential.id.clone(),
        made: new.made,
        username: format!("{tenant}/{}", device.id),
        client_id: device.client_id(tenant),
        password: None,
        previous_expires_at: None,
    }
}

/// The answer with the password of the credential in it, where it was made here: it is in no stored answer, and is
/// made again from the credential's id.
fn with_password(
    context: &Context,
    (tenant, device): (&TenantId, &DeviceId),
    answer: Answer,
    find: impl FnOnce(&mut serde_json::Value) -> Option<&mut serde_json::Value>,
) -> anyhow::Result<Answer> {
    let mut body: serde_json::Value = serde_json::from_str(&answer.body)?;
    let place = find(&mut body).ok_or_else(|| anyhow::anyhow!("the answer has no credential"))?;
    let mut credential: ShownCredential = serde_json::from_value(place.take())?;
    if credential.made {
        credential.password = Some(context.key.device_secret(tenant, device, &credential.id)?);
    }
    *place = serde_json::to_value(credential)?;
    Ok(Answer {
        body: body.to_string(),
        ..answer
    })
}

/// A reply that holds a secret is nobody's to keep.
fn private(reply: Reply) -> Reply {
    reply.with_header(::http::header::CACHE_CONTROL, "no-store")
}

impl From<Device> for ShownDevice {
    fn from(device: Device) -> Self {
        let Device {
            id,
            kind,
            name,
            children,
            version,
        } = device;
        let children = children.into_iter().map(|child| ShownChild {
            kind: child.kind,
            id: child.id,
        });
        Self {
            id,
            kind,
            name: name.as_str().to_owned(),
            children: children.collect(),
            version,
            credential: None,
        }
    }
}
