//! `/api/sessions`: signing in, and who one is.

use ::http::StatusCode;
use kernel::{TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use store::{events, tx};
use web::{Problem, Reply, Request};
use wire::event::SessionOpened;

use super::people::ShownPerson;
use super::{Text, caller};
use crate::context::Context;
use crate::domain::{Username, known_person};
use crate::{sign_in, store as sql};

/// How long a person's token holds, in seconds: an hour.
const TOKEN_SECONDS: u32 = 60 * 60;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    tenant: TenantId,
    username: Text<Username>,
    password: String,
}

#[derive(Serialize)]
struct Session {
    token: String,
    token_type: &'static str,
    expires_at: Timestamp,
    person: ShownPerson,
}

pub(super) async fn open(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let Credentials {
        tenant,
        username: Text(username),
        password,
    } = web::body(request)?;
    let person = sign_in::check(context, &tenant, &username, &password)
        .await?
        .map_err(Problem::from)?;
    tx(&context.db, &tenant, async |tx| {
        sql::delete_failures(tx, &username).await?;
        let fact = SessionOpened {
            person: person.id.clone(),
        };
        events::append(tx, &context.new_id()?, context.now, &fact).await?;
        Ok(())
    })
    .await?;
    let session = Session {
        token: web::token::issue(
            &context.token_secret,
            &person.actor(&tenant),
            context.now,
            TOKEN_SECONDS,
        )?,
        token_type: "Bearer",
        expires_at: context.now.plus_millis(i64::from(TOKEN_SECONDS) * 1_000),
        person: person.into(),
    };
    let reply = Reply::json(StatusCode::CREATED, "application/json", &session);
    Ok(reply
        .with_header(::http::header::LOCATION, "/api/sessions/current")
        .with_header(::http::header::CACHE_CONTROL, "no-store"))
}

pub(super) async fn current(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    let person = known_person(
        &actor,
        sql::person(&context.db, &actor.tenant, &actor.id).await?,
    )?;
    let version = person.version;
    Ok(Reply::ok(&ShownPerson::from(person)).with_etag(version))
}
