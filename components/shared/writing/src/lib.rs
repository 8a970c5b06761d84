//! Writing over HTTP: a request has its effect in one transaction with its answer, once under the caller's
//! Idempotency-Key, and sent again it is answered as the first time.
//!
//! ```text
//! let made = write(context, request, &actor, async |tx| {
//!     ..                                       // nothing but SQL; it may run again, and then what it did before is undone
//!     answer(201, &shown)
//! })
//! .await?;
//! stored(&made, "/api/tariffs")                // 201, and where it stands from now on
//! ```
//!
//! What is sent out after the commit belongs to the answer that was given: a repeated request runs `work` as well before
//! it is taken back, so what `work` left behind counts only where [`id_of`] the answer is the id that it made.

use std::borrow::Cow;

use http::StatusCode;
use http::header::LOCATION;
use kernel::{Actor, Message, Refusal, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Answer, Ask, Db, Tx, once};
use web::{Reply, Request};

/// Where something is written, and when.
#[derive(Clone, Copy)]
pub struct At<'a> {
    /// The database.
    pub db: &'a Db,
    /// The present moment.
    pub now: Timestamp,
}

/// Who asks for it.
#[derive(Debug, Clone)]
pub struct Who<'a> {
    tenant: &'a TenantId,
    name: Cow<'a, str>,
}

impl<'a> From<&'a Actor> for Who<'a> {
    fn from(actor: &'a Actor) -> Self {
        Self {
            tenant: &actor.tenant,
            name: web::name_of(actor).into(),
        }
    }
}

impl<'a> From<(&'a TenantId, &'a str)> for Who<'a> {
    /// Somebody without an account, under a name that nobody else has.
    fn from((tenant, name): (&'a TenantId, &'a str)) -> Self {
        Self {
            tenant,
            name: name.into(),
        }
    }
}

/// Runs `work` in a transaction of the tenant; under the caller's Idempotency-Key it has its effect once, and its first
/// answer is given again.
///
/// # Errors
/// A key that is none, or that came with another content; the error of `work`; or a failure of the database.
pub async fn write<'a>(
    at: impl Into<At<'a>>,
    request: &Request,
    who: impl Into<Who<'a>>,
    work: impl AsyncFn(&mut Tx) -> anyhow::Result<Answer>,
) -> anyhow::Result<Answer> {
    let (At { db, now }, who) = (at.into(), who.into());
    let asked = web::idempotency(request)?;
    let asked = asked
        .map(|asked| Ask::new(&who.name, asked.key, &asked.content))
        .transpose()?;
    once(db, who.tenant, (asked.as_ref(), now), work).await
}

/// As [`write`], where money moves or people are told: only under an Idempotency-Key.
///
/// # Errors
/// As [`write`]; a refusal `idempotency_key_required`.
pub async fn write_once<'a>(
    at: impl Into<At<'a>>,
    request: &Request,
    who: impl Into<Who<'a>>,
    work: impl AsyncFn(&mut Tx) -> anyhow::Result<Answer>,
) -> anyhow::Result<Answer> {
    if web::idempotency(request)?.is_none() {
        return Err(Refusal::invalid(
            "idempotency_key_required",
            Message::new(
                "Send an Idempotency-Key with this, so that a repeated request does nothing twice.",
                "请附带 Idempotency-Key，以免重复执行。",
            ),
        )
        .into());
    }
    write(at, request, who, work).await
}

/// An answer that can be given again: this JSON.
///
/// # Errors
/// When it is no JSON.
pub fn answer(status: u16, shown: &impl Serialize) -> anyhow::Result<Answer> {
    Ok(Answer {
        status,
        body: serde_json::to_string(shown)?,
    })
}

/// The reply of an answer.
///
/// # Errors
/// When its status is none.
pub fn replied(answer: &Answer) -> anyhow::Result<Reply> {
    let status = StatusCode::from_u16(answer.status)?;
    let body = answer.body.clone().into();
    Ok(Reply::with_body(status, "application/json", body))
}

/// The reply of an answer that made something, which from now on stands under `folder`.
///
/// # Errors
/// As [`replied`] and [`id_of`].
pub fn stored(answer: &Answer, folder: &str) -> anyhow::Result<Reply> {
    let place = format!("{folder}/{}", id_of(answer)?);
    Ok(replied(answer)?.with_header(LOCATION, &place))
}

/// The id of what an answer shows.
///
/// # Errors
/// When it shows none.
pub fn id_of(answer: &Answer) -> anyhow::Result<String> {
    #[derive(Deserialize)]
    struct Shown {
        id: String,
    }
    Ok(serde_json::from_str::<Shown>(&answer.body)?.id)
}
