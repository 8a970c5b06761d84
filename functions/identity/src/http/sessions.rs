//! `/api/sessions`: signing in, going on, signing out, and who one is.

use ::http::StatusCode;
use kernel::{ActorId, Message, Phone, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Tx, events, tx};
use web::{Problem, Query, Reply, Request};
use wire::event::{PersonPasswordChanged, PersonSignedOut, SessionRevoked};

use super::people::ShownPerson;
use super::tokens::{self, RefreshToken, ShownTokens};
use super::{Text, caller, caller_in_session, path_id};
use crate::context::Context;
use crate::domain::{
    Code, Password, Purpose, Refreshed, Session, Username, known_person, known_session,
    may_end_sessions, not_registered, refresh as refreshed, refresh_refused, refresh_reused,
    unknown_person, unknown_session,
};
use crate::sign_in::{self, Denied};
use crate::{secrets, store as sql};

/// A name with a password, or a phone with a code.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    tenant: TenantId,
    username: Option<Text<Username>>,
    password: Option<String>,
    /// Takes the place of the password, where that has to be replaced.
    new_password: Option<Text<Password>>,
    phone: Option<Phone>,
    code: Option<Text<Code>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedRefresh {
    refresh_token: String,
}

#[derive(Serialize)]
struct ShownSession {
    id: String,
    person: ActorId,
    started_at: Timestamp,
    used_at: Timestamp,
    expires_at: Timestamp,
}

pub(super) async fn open(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let asked: Credentials = web::body(request)?;
    let tenant = asked.tenant;
    let tokens = match (asked.username, asked.password, asked.phone, asked.code) {
        (Some(Text(username)), Some(password), None, None) => {
            let new = asked.new_password.map(|new| new.0);
            with_password(context, &tenant, (&username, &password), new).await?
        }
        (None, None, Some(phone), Some(Text(code))) if asked.new_password.is_none() => {
            with_code(context, &tenant, &phone, &code).await?
        }
        _ => return Err(credentials_missing().into()),
    };
    Ok(tokens::reply(StatusCode::CREATED, &tokens))
}

async fn with_password(
    context: &Context,
    tenant: &TenantId,
    (username, password): (&Username, &str),
    new: Option<Password>,
) -> anyhow::Result<ShownTokens> {
    let account = sign_in::check(context, tenant, username, password)
        .await?
        .map_err(Problem::from)?;
    if account.password_temporary && new.is_none() {
        tx(&context.db, tenant, async |tx| {
            sql::delete_failures(tx, username.as_str()).await
        })
        .await?;
        return Err(password_change_required().into());
    }
    if new.as_ref().is_some_and(|new| new.expose() == password) {
        return Err(password_unchanged().into());
    }
    let new_hash = match &new {
        Some(new) => Some(secrets::hash_password(new.expose())?),
        None => None,
    };
    let person = account.person;
    tx(&context.db, tenant, async |tx| {
        sql::delete_failures(tx, username.as_str()).await?;
        if let Some(hash) = &new_hash {
            sql::update_password(tx, &person.id, hash, false).await?;
            sql::end_sessions(tx, &person.id, ("password_changed", ""), context.now).await?;
            let fact = PersonPasswordChanged {
                person: person.id.clone(),
                actor: person.id.clone(),
            };
            events::append(tx, &context.new_id()?, context.now, &fact).await?;
        }
        tokens::start(context, tx, person.clone()).await
    })
    .await
}

async fn with_code(
    context: &Context,
    tenant: &TenantId,
    phone: &Phone,
    code: &Code,
) -> anyhow::Result<ShownTokens> {
    if !sql::is_tenant(&context.db, tenant).await? {
        return Err(Problem::from(Denied::WrongCode).into());
    }
    let digest = web::phone_digest(&context.token_secret, tenant, phone)?;
    let opened = tx(&context.db, tenant, async |tx| {
        let proof = (digest.as_str(), Purpose::SignIn);
        if let Err(denied) = sign_in::use_code(context, tx, proof, code).await? {
            return Ok(Err(denied));
        }
        let Some(person) = sql::person_by_phone(tx, &digest, context.now).await? else {
            return Ok(Err(Denied::Refused(not_registered())));
        };
        if person.disabled {
            return Ok(Err(Denied::Disabled));
        }
        if person.phone.is_none() {
            sql::claim_person(tx, &person.id, phone, &person.name).await?;
        }
        let person = sql::person(tx, tenant, &person.id, context.now).await?;
        let person = person.ok_or_else(unknown_person)?;
        Ok(Ok(tokens::start(context, tx, person).await?))
    })
    .await?;
    Ok(opened.map_err(Problem::from)?)
}

pub(super) async fn refresh(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let asked: AskedRefresh = web::body(request)?;
    let used = RefreshToken::parse(&asked.refresh_token).ok_or_else(refresh_refused)?;
    if !sql::is_tenant(&context.db, &used.tenant).await? {
        return Err(refresh_refused().into());
    }
    let outcome = tx(&context.db, &used.tenant, async |tx| {
        go_on(context, tx, &used).await
    })
    .await?;
    let tokens = outcome.map_err(Problem::from)?;
    Ok(tokens::reply(StatusCode::CREATED, &tokens))
}

/// The next tokens of the session. What ends the session has to be committed, so it comes out as a value.
async fn go_on(
    context: &Context,
    tx: &Tx,
    used: &RefreshToken,
) -> anyhow::Result<Result<ShownTokens, Denied>> {
    let session = sql::session(tx, &used.tenant, &used.session).await?;
    let presented = sql::presented(tx, &used.session, &used.hash()).await?;
    match refreshed(session, presented, context.now) {
        Refreshed::Refused => Ok(Err(Denied::Refused(refresh_refused()))),
        Refreshed::Reused(session) => {
            end(
                context,
                tx,
                &session,
                (&session.person, "refresh_token_reused"),
            )
            .await?;
            Ok(Err(Denied::Refused(refresh_reused())))
        }
        Refreshed::On(session) => {
            let person = sql::person(tx, &used.tenant, &session.person, context.now).await?;
            let Some(person) = person.filter(|person| !person.disabled) else {
                end(context, tx, &session, (&session.person, "person_disabled")).await?;
                return Ok(Err(Denied::Disabled));
            };
            let next = RefreshToken::draw(&used.tenant, &session.id)?;
            sql::rotate_refresh(tx, &session, (&used.hash(), &next.hash())).await?;
            Ok(Ok(
                tokens::shown(context, tx, (&session, &next), person).await?
            ))
        }
    }
}

pub(super) async fn current(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    let person = known_person(
        &actor,
        sql::person(&context.db, &actor.tenant, &actor.id, context.now).await?,
    )?;
    let version = person.version;
    Ok(Reply::ok(&ShownPerson::from(person)).with_etag(version))
}

pub(super) async fn sign_out(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let (actor, session) = caller_in_session(context, request).await?;
    let id = session.ok_or_else(unknown_session)?;
    tx(&context.db, &actor.tenant, async |tx| {
        let session = known_session(&actor, sql::session(tx, &actor.tenant, &id).await?)?;
        end(context, tx, &session, (&actor.id, "signed_out")).await
    })
    .await?;
    Ok(Reply::no_content())
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    let mut query = Query::of(request)?;
    let person = query.take("person", ActorId::parse)?;
    let page = query.page(|text| ActorId::parse(text).map(String::from))?;
    query.finish()?;
    let person = person.unwrap_or_else(|| actor.id.clone());
    may_end_sessions(&actor, &person)?;
    let sessions = sql::sessions(&context.db, &actor.tenant, &person, &page, context.now).await?;
    Ok(Reply::ok(&page.listing(
        sessions,
        |session| session.id.clone(),
        ShownSession::from,
    )))
}

pub(super) async fn revoke(
    context: &Context,
    request: &Request,
    session: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    tx(&context.db, &actor.tenant, async |tx| {
        let session = known_session(&actor, sql::session(tx, &actor.tenant, session).await?)?;
        if session.lasts(context.now) {
            end(context, tx, &session, (&actor.id, "revoked")).await?;
        }
        Ok(())
    })
    .await?;
    Ok(Reply::no_content())
}

pub(super) async fn revoke_all(
    context: &Context,
    request: &Request,
    person: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    let id: ActorId = path_id(person, unknown_person)?;
    may_end_sessions(&actor, &id)?;
    tx(&context.db, &actor.tenant, async |tx| {
        let person = sql::person(tx, &actor.tenant, &id, context.now).await?;
        let person = known_person(&actor, person)?;
        sql::end_sessions(tx, &person.id, ("revoked", ""), context.now).await?;
        let fact = PersonSignedOut {
            person: person.id,
            actor: actor.id.clone(),
        };
        events::append(tx, &context.new_id()?, context.now, &fact).await?;
        Ok(())
    })
    .await?;
    Ok(Reply::no_content())
}

async fn end(
    context: &Context,
    tx: &Tx,
    session: &Session,
    (actor, reason): (&ActorId, &str),
) -> anyhow::Result<()> {
    sql::end_session(tx, &session.id, reason, context.now).await?;
    let fact = SessionRevoked {
        person: session.person.clone(),
        session: session.id.clone(),
        actor: actor.clone(),
        reason: reason.to_owned(),
    };
    events::append(tx, &context.new_id()?, context.now, &fact).await?;
    Ok(())
}

fn credentials_missing() -> Problem {
    let message = Message::new(
        "Send username and password, or phone and code.",
        "请提供用户名和密码，或手机号和验证码。",
    );
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "credentials_missing",
        message,
    )
}

fn password_change_required() -> Problem {
    let message = Message::new(
        "This password was given to you by somebody else. Choose your own and send it as new_password.",
        "该密码为临时密码，请设置新密码并以 new_password 提交。",
    );
    Problem::new(StatusCode::FORBIDDEN, "password_change_required", message)
        .at_field("new_password")
}

fn password_unchanged() -> Problem {
    let message = Message::new(
        "The new password is the old one. Choose another.",
        "新密码不能与原密码相同，请更换。",
    );
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "password_unchanged",
        message,
    )
    .at_field("new_password")
}

impl From<Session> for ShownSession {
    fn from(session: Session) -> Self {
        let Session {
            id,
            person,
            started_at,
            used_at,
            expires_at,
            ..
        } = session;
        Self {
            id,
            person,
            started_at,
            used_at,
            expires_at,
        }
    }
}
