//! Checking a person's password: the same message and the same work whether or not there is such a person.

use ::http::StatusCode;
use kernel::{Message, TenantId};
use store::tx;
use web::Problem;

use crate::context::Context;
use crate::domain::{Locked, Person, Username, admit};
use crate::{secrets, store as sql};

/// Why a password was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    /// No such tenant, no such name, or another password: nobody learns which.
    Wrong,
    /// The password is right and the person is disabled.
    Disabled,
    /// Too many wrong ones; not even looked at.
    Locked(Locked),
}

/// The person behind the name and password. Each attempt counts as failed until it has succeeded, so that attempts
/// at the same moment do not slip through together; the caller forgets the failures with what it stores.
pub(crate) async fn check(
    context: &Context,
    tenant: &TenantId,
    username: &Username,
    password: &str,
) -> anyhow::Result<Result<Person, Denied>> {
    if !sql::is_tenant(&context.db, tenant).await? {
        secrets::spend(password)?;
        return Ok(Err(Denied::Wrong));
    }
    let attempt: String = context.new_id()?;
    let admitted = tx(&context.db, tenant, async |tx| {
        let failures = sql::failures(tx, username, context.now).await?;
        if let Err(locked) = admit(&failures, context.now) {
            return Ok(Err(locked));
        }
        sql::insert_failure(tx, username, &attempt, context.now).await?;
        Ok(Ok(sql::account(tx, tenant, username).await?))
    })
    .await?;
    match admitted {
        Err(locked) => Ok(Err(Denied::Locked(locked))),
        Ok(None) => {
            secrets::spend(password)?;
            Ok(Err(Denied::Wrong))
        }
        Ok(Some((person, hash))) => Ok(match secrets::is_password(&hash, password)? {
            false => Err(Denied::Wrong),
            true if person.disabled => Err(Denied::Disabled),
            true => Ok(person),
        }),
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Wrong => Self::new(
                StatusCode::UNAUTHORIZED,
                "credentials_wrong",
                Message::new(
                    "The tenant, user name or password is not right. Check them and try again.",
                    "租户、用户名或密码不正确，请检查后重试。",
                ),
            ),
            Denied::Disabled => Self::new(
                StatusCode::FORBIDDEN,
                "person_disabled",
                Message::new(
                    "This account is disabled. Ask your property office.",
                    "该账号已停用，请联系物业。",
                ),
            ),
            Denied::Locked(Locked {
                retry_after_seconds,
            }) => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_attempts",
                Message::new(
                    format!(
                        "Too many wrong passwords. Try again in {retry_after_seconds} seconds."
                    ),
                    format!("密码错误次数过多，请在 {retry_after_seconds} 秒后重试。"),
                ),
            )
            .retry_after(retry_after_seconds),
        }
    }
}
