//! Connected applications and their keys.

use kernel::{ActorId, TenantId, Timestamp};
use store::{Read, Tx};
use web::Page;

use super::roles::joined;
use crate::domain::{Application, Credential, Uses};
use crate::rows::{read_application, read_credential};

const APPLICATION: &str = "select id, name, scopes, sessions_per_minute, disabled, version
    from identity_application where tenant = $1 and id = $2";

const APPLICATIONS: &str = "select id, name, scopes, sessions_per_minute, disabled, version
    from identity_application
    where tenant = $1 and (cast($2 as text) is null or id > $2)
    order by id limit $3";

const APPLICATION_NAME_TAKEN: &str =
    "select 1 from identity_application where tenant = $1 and id = $2
    union all select 1 from identity_person where tenant = $1 and (id = $2 or username = $3)
    union all select 1 from identity_device where tenant = $1 and lower(id) = $3
    limit 1";

const INSERT_APPLICATION: &str = "insert into identity_application
        (tenant, id, name, scopes, sessions_per_minute, disabled, version, created_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8)";

const UPDATE_APPLICATION: &str = "update identity_application
    set scopes = $3, sessions_per_minute = $4, disabled = $5, version = $6
    where tenant = $1 and id = $2";

const KEYS: &str = "select id, hash, created_at, expires_at from identity_application_key
    where tenant = $1 and application = $2 and (expires_at is null or expires_at > $3)
    order by created_at, id limit 100";

const KEY: &str = "select tenant, application, hash, expires_at, window_at, window_uses
    from identity_application_key where id = $1";

const INSERT_KEY: &str = "insert into identity_application_key
        (id, tenant, application, hash, created_at, expires_at, window_at, window_uses)
    values ($1, $2, $3, $4, $5, $6, $5, 0)";

const END_KEY: &str = "update identity_application_key set expires_at = $4
    where tenant = $1 and application = $2 and id = $3";

const COUNT_USE: &str = "update identity_application_key set window_at = $3, window_uses = $4
    where tenant = $1 and id = $2";

/// A key with what it belongs to.
pub(crate) struct ApplicationKey {
    /// Whose.
    pub tenant: TenantId,
    /// Of which application.
    pub application: ActorId,
    /// What its secret is compared with.
    pub hash: String,
    /// From when on it is nothing.
    pub expires_at: Option<Timestamp>,
    /// How often it was used lately.
    pub uses: Uses,
}

/// The application.
pub(crate) async fn application(
    db: &impl Read,
    tenant: &TenantId,
    id: &ActorId,
) -> anyhow::Result<Option<Application>> {
    let row = db.row(APPLICATION, &[tenant.into(), id.into()]).await?;
    row.map(|row| read_application(&row)).transpose()
}

/// The applications, by id.
pub(crate) async fn applications(
    db: &impl Read,
    tenant: &TenantId,
    page: &Page<ActorId>,
) -> anyhow::Result<Vec<Application>> {
    let parameters = [
        tenant.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    db.rows(APPLICATIONS, &parameters)
        .await?
        .iter()
        .map(read_application)
        .collect()
}

/// Whether the id is somebody's already.
pub(crate) async fn is_application_name_taken(tx: &Tx, id: &ActorId) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        id.into(),
        id.as_str().to_ascii_lowercase().into(),
    ];
    Ok(tx.row(APPLICATION_NAME_TAKEN, &parameters).await?.is_some())
}

/// Adds an application.
pub(crate) async fn insert_application(
    tx: &Tx,
    application: &Application,
    now: Timestamp,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&application.id).into(),
        application.name.as_str().into(),
        joined(&application.scopes).into(),
        application.sessions_per_minute.into(),
        application.disabled.into(),
        application.version.into(),
        now.into(),
    ];
    tx.execute(INSERT_APPLICATION, &parameters).await
}

/// Stores the changes of an application.
pub(crate) async fn update_application(tx: &Tx, application: &Application) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&application.id).into(),
        joined(&application.scopes).into(),
        application.sessions_per_minute.into(),
        application.disabled.into(),
        application.version.into(),
    ];
    tx.execute(UPDATE_APPLICATION, &parameters).await
}

/// The application's keys that hold.
pub(crate) async fn keys(
    db: &impl Read,
    tenant: &TenantId,
    application: &ActorId,
    now: Timestamp,
) -> anyhow::Result<Vec<Credential>> {
    let rows = db
        .rows(KEYS, &[tenant.into(), application.into(), now.into()])
        .await?;
    rows.iter().map(read_credential).collect()
}

/// The key of that id, of whatever tenant.
pub(crate) async fn key(db: &impl Read, id: &str) -> anyhow::Result<Option<ApplicationKey>> {
    let row = db.row(KEY, &[id.into()]).await?;
    row.map(|row| {
        Ok(ApplicationKey {
            tenant: row.id(0)?,
            application: row.id(1)?,
            hash: row.text(2)?.to_owned(),
            expires_at: row.optional_timestamp(3)?,
            uses: Uses {
                window_at: row.timestamp(4)?,
                count: u32::try_from(row.integer(5)?)?,
            },
        })
    })
    .transpose()
}

/// Adds a key.
pub(crate) async fn insert_key(
    tx: &Tx,
    application: &ActorId,
    key: &Credential,
) -> anyhow::Result<()> {
    let parameters = [
        (&key.id).into(),
        tx.tenant().into(),
        application.into(),
        (&key.hash).into(),
        key.created_at.into(),
        key.expires_at.into(),
    ];
    tx.execute(INSERT_KEY, &parameters).await
}

/// Stores when the key ends.
pub(crate) async fn end_key(
    tx: &Tx,
    application: &ActorId,
    id: &str,
    at: Timestamp,
) -> anyhow::Result<()> {
    tx.execute(
        END_KEY,
        &[tx.tenant().into(), application.into(), id.into(), at.into()],
    )
    .await
}

/// Stores how often the key was used.
pub(crate) async fn count_key_use(tx: &Tx, id: &str, uses: Uses) -> anyhow::Result<()> {
    tx.execute(
        COUNT_USE,
        &[
            tx.tenant().into(),
            id.into(),
            uses.window_at.into(),
            uses.count.into(),
        ],
    )
    .await
}
