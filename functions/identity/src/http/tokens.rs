//! Starting sessions, and the tokens of a session as they stand on the wire.

use ::http::StatusCode;
use kernel::{TenantId, Timestamp};
use serde::Serialize;
use store::{Tx, events};
use web::Reply;
use wire::event::SessionOpened;

use super::people::ShownPerson;
use crate::context::Context;
use crate::domain::{ACCESS_SECONDS, Person, Session};
use crate::{secrets, store as sql};

/// The tokens of a session.
#[derive(Serialize)]
pub(super) struct ShownTokens {
    /// The session.
    id: String,
    token: String,
    token_type: &'static str,
    expires_at: Timestamp,
    refresh_token: String,
    refresh_expires_at: Timestamp,
    person: ShownPerson,
}

/// A refresh token: `<tenant>.<session>.<secret>`, opaque to whoever holds it.
pub(super) struct RefreshToken {
    /// Whose.
    pub tenant: TenantId,
    /// Of which session.
    pub session: String,
    /// What proves it.
    secret: String,
}

impl RefreshToken {
    /// A new one for the session.
    pub(super) fn draw(tenant: &TenantId, session: &str) -> anyhow::Result<Self> {
        Ok(Self {
            tenant: tenant.clone(),
            session: session.to_owned(),
            secret: secrets::draw_secret()?,
        })
    }

    /// The token that was presented, if it is one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (tenant, rest) = text.split_once('.')?;
        let (session, secret) = rest.split_once('.')?;
        Some(Self {
            tenant: TenantId::parse(tenant).ok()?,
            session: session.to_owned(),
            secret: secret.to_owned(),
        })
    }

    /// What it is kept as.
    pub(super) fn hash(&self) -> String {
        secrets::hash_secret(&self.secret)
    }

    fn write(&self) -> String {
        format!("{}.{}.{}", self.tenant, self.session, self.secret)
    }
}

/// Starts a session of the person and answers its tokens.
pub(super) async fn start(
    context: &Context,
    tx: &Tx,
    person: Person,
) -> anyhow::Result<ShownTokens> {
    let session = Session::start(context.new_id()?, person.id.clone(), context.now);
    let refresh = RefreshToken::draw(tx.tenant(), &session.id)?;
    sql::insert_session(tx, &session, &refresh.hash()).await?;
    let fact = SessionOpened {
        person: person.id.clone(),
        session: Some(session.id.clone()),
    };
    events::append(tx, &context.new_id()?, context.now, &fact).await?;
    shown(context, tx, (&session, &refresh), person).await
}

/// The tokens of the session as it stands now.
pub(super) async fn shown(
    context: &Context,
    tx: &Tx,
    (session, refresh): (&Session, &RefreshToken),
    person: Person,
) -> anyhow::Result<ShownTokens> {
    let permissions = sql::permissions_of(tx, tx.tenant(), &person.id).await?;
    let actor = person.actor(tx.tenant(), &permissions);
    let lifetime = (context.now, ACCESS_SECONDS);
    Ok(ShownTokens {
        id: session.id.clone(),
        token: web::token::issue_in_session(
            &context.token_secret,
            &actor,
            Some(&session.id),
            lifetime,
        )?,
        token_type: "Bearer",
        expires_at: context.now.plus_millis(i64::from(ACCESS_SECONDS) * 1_000),
        refresh_token: refresh.write(),
        refresh_expires_at: session.expires_at,
        person: person.into(),
    })
}

/// The reply with tokens; it is nobody's to keep.
pub(super) fn reply(status: StatusCode, tokens: &ShownTokens) -> Reply {
    Reply::json(status, "application/json", tokens)
        .with_header(::http::header::LOCATION, "/api/sessions/current")
        .with_header(::http::header::CACHE_CONTROL, "no-store")
}
