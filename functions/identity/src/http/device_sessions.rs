//! `/api/device-sessions`: a device's credential for a token with which it asks over HTTP.

use ::http::StatusCode;
use kernel::{Actor, ActorId, ActorKind, DeviceId, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use store::tx;
use web::{Problem, Reply, Request};

use crate::context::Context;
use crate::domain::{Credential, DEVICE_SECONDS};
use crate::sign_in::{Denied, attempt_as};
use crate::{secrets, store as sql};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeviceCredentials {
    tenant: TenantId,
    device: DeviceId,
    secret: String,
}

#[derive(Serialize)]
struct DeviceSession {
    token: String,
    token_type: &'static str,
    expires_at: Timestamp,
    device: DeviceId,
}

/// A secret that was made here cannot be guessed, and whoever tries must not lock a gateway out; one that somebody chose
/// can be, so its tries are counted.
pub(super) async fn open(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let asked: DeviceCredentials = web::body(request)?;
    let (tenant, device) = (&asked.tenant, &asked.device);
    let credentials = sql::credentials(&context.db, tenant, device, context.now).await?;
    let subject = format!("device/{device}");
    let is_counted = credentials.iter().any(is_chosen);
    if is_counted {
        let attempt: String = context.new_id()?;
        let admitted = tx(&context.db, tenant, async |tx| {
            attempt_as(tx, (&subject, &attempt), context).await
        })
        .await?;
        admitted.map_err(|locked| Problem::from(Denied::Locked(locked)))?;
    }
    if !is_right(&credentials, &asked.secret)? {
        return Err(Problem::from(Denied::Wrong).into());
    }
    if is_counted {
        tx(&context.db, tenant, async |tx| {
            sql::delete_failures(tx, &subject).await
        })
        .await?;
    }
    let actor = Actor {
        tenant: asked.tenant,
        kind: ActorKind::Device,
        id: ActorId::parse(asked.device.as_str())?,
        communities: Vec::new(),
        scopes: Vec::new(),
    };
    let session = DeviceSession {
        token: web::token::issue(&context.token_secret, &actor, context.now, DEVICE_SECONDS)?,
        token_type: "Bearer",
        expires_at: context.now.plus_millis(i64::from(DEVICE_SECONDS) * 1_000),
        device: asked.device,
    };
    Ok(
        Reply::json(StatusCode::CREATED, "application/json", &session)
            .with_header(::http::header::CACHE_CONTROL, "no-store"),
    )
}

fn is_right(credentials: &[Credential], secret: &str) -> anyhow::Result<bool> {
    for credential in credentials {
        if secrets::is_secret(&credential.hash, secret)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether somebody chose the secret: then it is kept as Argon2id.
fn is_chosen(credential: &Credential) -> bool {
    credential.hash.starts_with('$')
}
