//! `/internal/mqtt`: what a broker asks. Always 200 with yes or no, so that brokers of several makes understand it.

use kernel::{DeviceId, TenantId};
use serde::{Deserialize, Serialize};
use store::tx;
use web::{Reply, Request};

use super::form::question;
use crate::context::Context;
use crate::domain::{Action, Principal, Question, Username, may, may_connect_as_person};
use crate::{secrets, sign_in, store as sql};

/// The MQTT user name of the functions of this deployment.
const FUNCTIONS: &str = "functions";

#[derive(Deserialize)]
struct Connection {
    #[serde(default)]
    clientid: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
}

#[derive(Deserialize)]
struct Access {
    #[serde(default)]
    username: String,
    action: String,
    topic: String,
    /// A truth in JSON, a text in a form.
    #[serde(default)]
    retain: serde_json::Value,
}

#[derive(Serialize)]
struct Verdict {
    result: &'static str,
    is_superuser: bool,
    ok: bool,
}

pub(super) async fn authentication(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    web::internal(request, &context.internal_token)?;
    let connection: Connection = question(request)?;
    Ok(verdict(may_connect(context, &connection).await?))
}

pub(super) async fn authorization(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    web::internal(request, &context.internal_token)?;
    let access: Access = question(request)?;
    let action = match access.action.as_str() {
        "publish" => Action::Publish,
        "subscribe" => Action::Subscribe,
        _ => return Ok(verdict(false)),
    };
    let Some(principal) = principal(context, &access.username).await? else {
        return Ok(verdict(false));
    };
    let retain = matches!(&access.retain, serde_json::Value::Bool(true))
        || access.retain == "true"
        || access.retain == "1";
    Ok(verdict(may(
        &principal,
        Question {
            action,
            topic: &access.topic,
            retain,
        },
    )))
}

fn verdict(ok: bool) -> Reply {
    Reply::ok(&Verdict {
        result: if ok { "allow" } else { "deny" },
        is_superuser: false,
        ok,
    })
}

/// A client id that belongs to a device is that device's alone: whoever took it over would take over its session.
async fn may_connect(context: &Context, connection: &Connection) -> anyhow::Result<bool> {
    let Connection {
        clientid,
        username,
        password,
    } = connection;
    let owner = sql::client_id_owner(&context.db, clientid).await?;
    if username == FUNCTIONS {
        return Ok(owner.is_none() && secrets::is_same(password, &context.mqtt_password));
    }
    let Some((tenant, name)) = names(username) else {
        return Ok(false);
    };
    if let Ok(id) = DeviceId::parse(name)
        && sql::device(&context.db, &tenant, &id).await?.is_some()
    {
        let own = owner.is_none_or(|owner| owner == (tenant.clone(), id.clone()));
        return Ok(own && is_device_password(context, (&tenant, &id), password).await?);
    }
    let Ok(username) = Username::parse(name) else {
        return Ok(false);
    };
    if owner.is_some() {
        return Ok(false);
    }
    match sign_in::check(context, &tenant, &username, password).await? {
        Ok(account) => {
            tx(&context.db, &tenant, async |tx| {
                sql::delete_failures(tx, username.as_str()).await
            })
            .await?;
            Ok(may_connect_as_person(account.person.kind))
        }
        Err(_) => Ok(false),
    }
}

async fn is_device_password(
    context: &Context,
    (tenant, device): (&TenantId, &DeviceId),
    password: &str,
) -> anyhow::Result<bool> {
    for credential in sql::credentials(&context.db, tenant, device, context.now).await? {
        if secrets::is_secret(&credential.hash, password)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Who the user name is, as it stands now: a child taken from a gateway is no longer heard by it.
async fn principal(context: &Context, username: &str) -> anyhow::Result<Option<Principal>> {
    if username == FUNCTIONS {
        return Ok(Some(Principal::Functions));
    }
    let Some((tenant, name)) = names(username) else {
        return Ok(None);
    };
    if let Ok(id) = DeviceId::parse(name)
        && let Some(device) = sql::device(&context.db, &tenant, &id).await?
    {
        return Ok(Some(Principal::Device {
            tenant,
            id,
            kind: device.kind,
            children: device.children,
        }));
    }
    let Ok(username) = Username::parse(name) else {
        return Ok(None);
    };
    let account = sql::account(&context.db, &tenant, &username, context.now).await?;
    let watches = account.is_some_and(|account| {
        !account.person.disabled && may_connect_as_person(account.person.kind)
    });
    Ok(watches.then_some(Principal::Person { tenant }))
}

fn names(username: &str) -> Option<(TenantId, &str)> {
    let (tenant, name) = username.split_once('/')?;
    Some((TenantId::parse(tenant).ok()?, name))
}
