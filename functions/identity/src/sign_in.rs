//! Checking passwords and one-time codes: the same message and the same work whether or not there is such a person.

use ::http::StatusCode;
use kernel::{Message, Refusal, TenantId};
use store::{Tx, tx};
use web::Problem;

use crate::context::Context;
use crate::domain::{Code, Locked, Purpose, Username, admit, code_wrong};
use crate::store::Account;
use crate::{secrets, store as sql};

/// Why a password or code was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Denied {
    /// No such tenant, no such name, or another password: nobody learns which.
    Wrong,
    /// No such tenant, no such code, or one that holds no longer: nobody learns which.
    WrongCode,
    /// The proof is right and the person is disabled.
    Disabled,
    /// Too many wrong ones; not even looked at.
    Locked(Locked),
    /// The proof is right, and something else is in the way; only who gave the proof learns of it.
    Refused(Refusal),
}

/// The account behind the name and password. Each attempt counts as failed until it has succeeded, so that attempts
/// at the same moment do not slip through together; the caller forgets the failures with what it stores.
pub(crate) async fn check(
    context: &Context,
    tenant: &TenantId,
    username: &Username,
    password: &str,
) -> anyhow::Result<Result<Account, Denied>> {
    if !sql::is_tenant(&context.db, tenant).await? {
        secrets::spend(password)?;
        return Ok(Err(Denied::Wrong));
    }
    let attempt: String = context.new_id()?;
    let admitted = tx(&context.db, tenant, async |tx| {
        if let Err(locked) = attempt_as(tx, (username.as_str(), &attempt), context).await? {
            return Ok(Err(locked));
        }
        Ok(Ok(sql::account(tx, tenant, username, context.now).await?))
    })
    .await?;
    match admitted {
        Err(locked) => Ok(Err(Denied::Locked(locked))),
        Ok(Some(account)) if !account.password_hash.is_empty() => Ok(
            match secrets::is_password(&account.password_hash, password)? {
                false => Err(Denied::Wrong),
                true if account.person.disabled => Err(Denied::Disabled),
                true => Ok(account),
            },
        ),
        Ok(_) => {
            secrets::spend(password)?;
            Ok(Err(Denied::Wrong))
        }
    }
}

/// Counts an attempt under that subject as failed, unless there were too many already.
pub(crate) async fn attempt_as(
    tx: &Tx,
    (subject, attempt): (&str, &str),
    context: &Context,
) -> anyhow::Result<Result<(), Locked>> {
    let failures = sql::failures(tx, subject, context.now).await?;
    if let Err(locked) = admit(&failures, context.now) {
        return Ok(Err(locked));
    }
    sql::insert_failure(tx, subject, attempt, context.now).await?;
    Ok(Ok(()))
}

/// Uses up the code that was sent to the number for that purpose. A wrong one counts against the code and against the
/// number; the transaction has to be committed for that, so the denial comes out as a value.
pub(crate) async fn use_code(
    context: &Context,
    tx: &Tx,
    (phone_digest, purpose): (&str, Purpose),
    code: &Code,
) -> anyhow::Result<Result<(), Denied>> {
    let subject = format!("phone/{phone_digest}");
    let attempt: String = context.new_id()?;
    if let Err(locked) = attempt_as(tx, (&subject, &attempt), context).await? {
        return Ok(Err(Denied::Locked(locked)));
    }
    let Some(sent) = sql::code(tx, phone_digest, purpose).await? else {
        return Ok(Err(Denied::WrongCode));
    };
    let is_right = secrets::is_same(&sent.hash, &context.key.code_hash(&sent.id, code)?);
    if !(is_right && sent.holds(context.now)) {
        sql::count_code_try(tx, phone_digest, purpose).await?;
        return Ok(Err(Denied::WrongCode));
    }
    sql::delete_code(tx, phone_digest, purpose).await?;
    sql::delete_failures(tx, &subject).await?;
    Ok(Ok(()))
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
            Denied::WrongCode => code_wrong().into(),
            Denied::Refused(refusal) => refusal.into(),
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
                    format!("Too many wrong attempts. Try again in {retry_after_seconds} seconds."),
                    format!("错误次数过多，请在 {retry_after_seconds} 秒后重试。"),
                ),
            )
            .retry_after(retry_after_seconds),
        }
    }
}
