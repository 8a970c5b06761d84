//! Sessions and their refresh tokens.

use kernel::{ActorId, TenantId, Timestamp};
use store::{Read, Tx};
use web::Page;

use crate::domain::{Presented, Session};
use crate::rows::read_session;

const INSERT_SESSION: &str =
    "insert into identity_session (tenant, id, person, started_at, used_at, expires_at)
    values ($1, $2, $3, $4, $5, $6)";

const SESSION: &str = "select id, person, started_at, used_at, expires_at, ended_at
    from identity_session where tenant = $1 and id = $2";

const SESSIONS: &str = "select id, person, started_at, used_at, expires_at, ended_at
    from identity_session
    where tenant = $1 and person = $2 and ended_at is null and expires_at > $3
      and (cast($4 as text) is null or id > $4)
    order by id limit $5";

const UPDATE_SESSION: &str = "update identity_session set used_at = $3, expires_at = $4
    where tenant = $1 and id = $2";

const END_SESSION: &str = "update identity_session set ended_at = $3, end_reason = $4
    where tenant = $1 and id = $2 and ended_at is null";

const END_SESSIONS: &str = "update identity_session set ended_at = $3, end_reason = $4
    where tenant = $1 and person = $2 and ended_at is null and id <> $5";

const INSERT_REFRESH: &str =
    "insert into identity_refresh (tenant, session, hash, issued_at) values ($1, $2, $3, $4)";

const REFRESH: &str = "select used_at from identity_refresh
    where tenant = $1 and session = $2 and hash = $3";

const USE_REFRESH: &str = "update identity_refresh set used_at = $4
    where tenant = $1 and session = $2 and hash = $3 and used_at is null";

/// Adds a session with its first refresh token.
pub(crate) async fn insert_session(
    tx: &Tx,
    session: &Session,
    refresh_hash: &str,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&session.id).into(),
        (&session.person).into(),
        session.started_at.into(),
        session.used_at.into(),
        session.expires_at.into(),
    ];
    tx.execute(INSERT_SESSION, &parameters).await?;
    insert_refresh(tx, &session.id, refresh_hash, session.used_at).await
}

/// The session.
pub(crate) async fn session(
    db: &impl Read,
    tenant: &TenantId,
    id: &str,
) -> anyhow::Result<Option<Session>> {
    let row = db.row(SESSION, &[tenant.into(), id.into()]).await?;
    row.map(|row| read_session(&row)).transpose()
}

/// The sessions of the person that still last, oldest first.
pub(crate) async fn sessions(
    db: &impl Read,
    tenant: &TenantId,
    person: &ActorId,
    page: &Page<String>,
    now: Timestamp,
) -> anyhow::Result<Vec<Session>> {
    let parameters = [
        tenant.into(),
        person.into(),
        now.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    db.rows(SESSIONS, &parameters)
        .await?
        .iter()
        .map(read_session)
        .collect()
}

/// What the refresh token of that hash is to the session.
pub(crate) async fn presented(
    tx: &Tx,
    session: &str,
    refresh_hash: &str,
) -> anyhow::Result<Presented> {
    let key = [tx.tenant().into(), session.into(), refresh_hash.into()];
    Ok(match tx.row(REFRESH, &key).await? {
        None => Presented::Unknown,
        Some(row) if row.optional_integer(0)?.is_some() => Presented::Used,
        Some(_) => Presented::Live,
    })
}

/// Puts a new refresh token in the place of the one that was used.
pub(crate) async fn rotate_refresh(
    tx: &Tx,
    session: &Session,
    (used_hash, next_hash): (&str, &str),
) -> anyhow::Result<()> {
    let key = [
        tx.tenant().into(),
        (&session.id).into(),
        used_hash.into(),
        session.used_at.into(),
    ];
    tx.execute(USE_REFRESH, &key).await?;
    insert_refresh(tx, &session.id, next_hash, session.used_at).await?;
    let parameters = [
        tx.tenant().into(),
        (&session.id).into(),
        session.used_at.into(),
        session.expires_at.into(),
    ];
    tx.execute(UPDATE_SESSION, &parameters).await
}

async fn insert_refresh(tx: &Tx, session: &str, hash: &str, now: Timestamp) -> anyhow::Result<()> {
    tx.execute(
        INSERT_REFRESH,
        &[tx.tenant().into(), session.into(), hash.into(), now.into()],
    )
    .await
}

/// Ends a session before its time.
pub(crate) async fn end_session(
    tx: &Tx,
    session: &str,
    reason: &str,
    now: Timestamp,
) -> anyhow::Result<()> {
    tx.execute(
        END_SESSION,
        &[
            tx.tenant().into(),
            session.into(),
            now.into(),
            reason.into(),
        ],
    )
    .await
}

/// Ends every session of the person but one (none, where that is empty).
pub(crate) async fn end_sessions(
    tx: &Tx,
    person: &ActorId,
    (reason, but): (&str, &str),
    now: Timestamp,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        person.into(),
        now.into(),
        reason.into(),
        but.into(),
    ];
    tx.execute(END_SESSIONS, &parameters).await
}
