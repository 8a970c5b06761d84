//! `/api/applications`: connected applications and their keys.

use ::http::header::{CACHE_CONTROL, LOCATION};
use kernel::{Actor, ActorId, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Answer, Tx, events, tx};
use web::{Query, Reply, Request};
use wire::event::{ApplicationChanged, ApplicationKeyChanged};

use super::{Text, answer, caller, name_of, path_id, replied, write};
use crate::context::Context;
use crate::domain::{
    Application, ApplicationChange, Credential, KeyText, Name, NewApplication,
    OVERLAP_SECONDS_DEFAULT, Permission, change_application, name_taken, operators_only,
    register_application, role_overseers_only, rotate as rotated, unknown_application, unknown_key,
};
use crate::{secrets, store as sql};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedApplication {
    id: ActorId,
    name: Text<Name>,
    scopes: Vec<Text<Permission>>,
    sessions_per_minute: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedChange {
    scopes: Option<Vec<Text<Permission>>>,
    sessions_per_minute: Option<u32>,
    disabled: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedRotation {
    overlap_seconds: Option<u32>,
}

#[derive(Serialize)]
struct ShownApplication {
    id: ActorId,
    name: String,
    scopes: Vec<&'static str>,
    sessions_per_minute: u32,
    disabled: bool,
    version: i64,
}

#[derive(Serialize)]
struct ShownWithKeys {
    #[serde(flatten)]
    application: ShownApplication,
    keys: Vec<ShownHeldKey>,
}

#[derive(Serialize)]
struct ShownHeldKey {
    id: String,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
}

/// A new key; in stored answers without its text, which is made again from its id.
#[derive(Serialize, Deserialize)]
struct ShownKey {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_expires_at: Option<Timestamp>,
}

pub(super) async fn register(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    operators_only(&actor)?;
    let asked: AskedApplication = web::body(request)?;
    let application = register_application(
        &actor,
        NewApplication {
            id: asked.id,
            name: asked.name.0,
            scopes: asked.scopes.into_iter().map(|scope| scope.0).collect(),
            sessions_per_minute: asked.sessions_per_minute,
        },
    )?;
    let registered = write(
        context,
        request,
        (&actor.tenant, &name_of(&actor)),
        async |tx| {
            if sql::is_application_name_taken(tx, &application.id).await? {
                return Err(name_taken().into());
            }
            sql::insert_application(tx, &application, context.now).await?;
            changed(context, tx, &actor, &application).await?;
            answer(201, &ShownApplication::from(application.clone()))
        },
    )
    .await?;
    Ok(replied(&registered)?
        .with_header(LOCATION, &format!("/api/applications/{}", application.id)))
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    role_overseers_only(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(ActorId::parse)?;
    query.finish()?;
    let applications = sql::applications(&context.db, &actor.tenant, &page).await?;
    Ok(Reply::ok(&page.listing(
        applications,
        |application| application.id.to_string(),
        ShownApplication::from,
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    application: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    role_overseers_only(&actor)?;
    let id: ActorId = path_id(application, unknown_application)?;
    let application = sql::application(&context.db, &actor.tenant, &id).await?;
    let application = application.ok_or_else(unknown_application)?;
    let keys = sql::keys(&context.db, &actor.tenant, &id, context.now).await?;
    let version = application.version;
    let shown = ShownWithKeys {
        application: application.into(),
        keys: keys.into_iter().map(ShownHeldKey::from).collect(),
    };
    Ok(Reply::ok(&shown).with_etag(version))
}

pub(super) async fn change(
    context: &Context,
    request: &Request,
    application: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    operators_only(&actor)?;
    let id: ActorId = path_id(application, unknown_application)?;
    let expected = web::required_if_match(request)?;
    let asked: AskedChange = web::body(request)?;
    let change = ApplicationChange {
        scopes: asked
            .scopes
            .map(|scopes| scopes.into_iter().map(|scope| scope.0).collect()),
        sessions_per_minute: asked.sessions_per_minute,
        disabled: asked.disabled,
    };
    let application = tx(&context.db, &actor.tenant, async |tx| {
        let present = sql::application(tx, &actor.tenant, &id).await?;
        let present = present.ok_or_else(unknown_application)?;
        expected.check(present.version)?;
        let next = change_application(&actor, &present, change.clone())?;
        sql::update_application(tx, &next).await?;
        changed(context, tx, &actor, &next).await?;
        Ok(next)
    })
    .await?;
    let version = application.version;
    Ok(Reply::ok(&ShownApplication::from(application)).with_etag(version))
}

pub(super) async fn issue_key(
    context: &Context,
    request: &Request,
    application: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    operators_only(&actor)?;
    let id: ActorId = path_id(application, unknown_application)?;
    let asked: AskedRotation = if request.body().is_empty() {
        AskedRotation::default()
    } else {
        web::body(request)?
    };
    let overlap_seconds = asked.overlap_seconds.unwrap_or(OVERLAP_SECONDS_DEFAULT);
    let key_id: String = context.new_id()?;
    let secret = context
        .key
        .application_secret(&actor.tenant, &id, &key_id)?;
    let key = Credential {
        id: key_id,
        hash: secrets::hash_secret(&secret),
        created_at: context.now,
        expires_at: None,
    };
    let issued = write(
        context,
        request,
        (&actor.tenant, &name_of(&actor)),
        async |tx| {
            let application = sql::application(tx, &actor.tenant, &id).await?;
            application.ok_or_else(unknown_application)?;
            let present = sql::keys(tx, &actor.tenant, &id, context.now).await?;
            let ending = rotated(&actor, &present, overlap_seconds, context.now)?;
            let mut previous_expires_at = None;
            for old in &ending {
                let at = old.expires_at.unwrap_or(context.now);
                sql::end_key(tx, &id, &old.id, at).await?;
                previous_expires_at = previous_expires_at.max(Some(at));
            }
            sql::insert_key(tx, &id, &key).await?;
            key_changed(context, tx, (&actor, &id), (&key.id, false)).await?;
            let shown = ShownKey {
                id: key.id.clone(),
                key: None,
                previous_expires_at,
            };
            answer(201, &shown)
        },
    )
    .await?;
    let shown = with_key(context, (&actor.tenant, &id), issued)?;
    Ok(replied(&shown)?.with_header(CACHE_CONTROL, "no-store"))
}

pub(super) async fn end_key(
    context: &Context,
    request: &Request,
    (application, key): (&str, &str),
) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    operators_only(&actor)?;
    let id: ActorId = path_id(application, unknown_application)?;
    tx(&context.db, &actor.tenant, async |tx| {
        let held = sql::keys(tx, &actor.tenant, &id, context.now).await?;
        if !held.iter().any(|held| held.id == key) {
            return Err(unknown_key().into());
        }
        sql::end_key(tx, &id, key, context.now).await?;
        key_changed(context, tx, (&actor, &id), (key, true)).await
    })
    .await?;
    Ok(Reply::no_content())
}

async fn changed(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    application: &Application,
) -> anyhow::Result<()> {
    let fact = ApplicationChanged {
        application: application.id.clone(),
        scopes: application
            .scopes
            .iter()
            .map(|scope| scope.as_str().to_owned())
            .collect(),
        disabled: application.disabled,
        actor: actor.id.clone(),
    };
    events::append(tx, &context.new_id()?, context.now, &fact).await?;
    Ok(())
}

async fn key_changed(
    context: &Context,
    tx: &Tx,
    (actor, application): (&Actor, &ActorId),
    (key, revoked): (&str, bool),
) -> anyhow::Result<()> {
    let fact = ApplicationKeyChanged {
        application: application.clone(),
        key: key.to_owned(),
        revoked,
        actor: actor.id.clone(),
    };
    events::append(tx, &context.new_id()?, context.now, &fact).await?;
    Ok(())
}

/// The answer with the text of the key in it: it is in no stored answer.
fn with_key(
    context: &Context,
    (tenant, application): (&TenantId, &ActorId),
    issued: Answer,
) -> anyhow::Result<Answer> {
    let mut shown: ShownKey = serde_json::from_str(&issued.body)?;
    let text = KeyText {
        secret: context
            .key
            .application_secret(tenant, application, &shown.id)?,
        id: shown.id.clone(),
    };
    shown.key = Some(text.write());
    Ok(Answer {
        body: serde_json::to_string(&shown)?,
        ..issued
    })
}

impl From<Application> for ShownApplication {
    fn from(application: Application) -> Self {
        let scopes = application.scopes.iter().copied();
        Self {
            scopes: scopes.map(Permission::as_str).collect(),
            id: application.id,
            name: application.name.as_str().to_owned(),
            sessions_per_minute: application.sessions_per_minute,
            disabled: application.disabled,
            version: application.version,
        }
    }
}

impl From<Credential> for ShownHeldKey {
    fn from(key: Credential) -> Self {
        Self {
            id: key.id,
            created_at: key.created_at,
            expires_at: key.expires_at,
        }
    }
}
