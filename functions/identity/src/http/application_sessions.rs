//! `/api/application-sessions`: an application's key for a token with which it asks other capabilities.

use ::http::StatusCode;
use ::http::header::CACHE_CONTROL;
use kernel::{ActorId, Message, Refusal, RefusalKind, Timestamp};
use serde::{Deserialize, Serialize};
use store::tx;
use web::{Problem, Reply, Request};

use crate::context::Context;
use crate::domain::{APPLICATION_SECONDS, KeyText, Permission, count_use};
use crate::{secrets, store as sql};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedToken {
    key: String,
}

#[derive(Serialize)]
struct ApplicationSession {
    token: String,
    token_type: &'static str,
    expires_at: Timestamp,
    application: ActorId,
    scopes: Vec<&'static str>,
}

/// A key for a token. The key comes as a bearer, or in the body.
pub(super) async fn open(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let text = match web::bearer(request) {
        Some(key) => key.to_owned(),
        None => web::body::<AskedToken>(request)?.key,
    };
    let presented = KeyText::parse(&text).map_err(|_| key_invalid())?;
    let key = sql::key(&context.db, &presented.id).await?;
    let key = key.ok_or_else(key_invalid)?;
    let holds = key
        .expires_at
        .is_none_or(|expires_at| context.now < expires_at);
    if !(holds && secrets::is_secret(&key.hash, &presented.secret)?) {
        return Err(key_invalid().into());
    }
    let counted = tx(&context.db, &key.tenant, async |tx| {
        let application = sql::application(tx, &key.tenant, &key.application).await?;
        let application = application
            .filter(|application| !application.disabled)
            .ok_or_else(key_invalid)?;
        let present = sql::key(tx, &presented.id).await?;
        let uses = present.ok_or_else(key_invalid)?.uses;
        match count_use(uses, application.sessions_per_minute, context.now) {
            Err(seconds) => Ok(Err(seconds)),
            Ok(uses) => {
                sql::count_key_use(tx, &presented.id, uses).await?;
                Ok(Ok(application))
            }
        }
    })
    .await?;
    let application = counted.map_err(too_often)?;
    let actor = application.actor(&key.tenant);
    let session = ApplicationSession {
        token: web::token::issue(
            &context.token_secret,
            &actor,
            context.now,
            APPLICATION_SECONDS,
        )?,
        token_type: "Bearer",
        expires_at: context
            .now
            .plus_millis(i64::from(APPLICATION_SECONDS) * 1_000),
        scopes: application
            .scopes
            .iter()
            .copied()
            .map(Permission::as_str)
            .collect(),
        application: application.id,
    };
    let reply = Reply::json(StatusCode::CREATED, "application/json", &session);
    Ok(reply.with_header(CACHE_CONTROL, "no-store"))
}

fn key_invalid() -> Refusal {
    Refusal::new(
        RefusalKind::Unauthenticated,
        "key_invalid",
        Message::new(
            "This key is not valid, or no longer. Ask the operator for a new one.",
            "密钥无效或已失效，请联系运营人员获取新密钥。",
        ),
    )
}

fn too_often(seconds: u32) -> Problem {
    let message = Message::new(
        format!(
            "This key was used too often. Keep its token for its lifetime; ask again in {seconds} seconds."
        ),
        format!("密钥使用过于频繁，请在令牌有效期内重复使用；{seconds} 秒后重试。"),
    );
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "key_used_too_often", message).retry_after(seconds)
}
