//! Devices, their children and their credentials.

use kernel::{DeviceId, TenantId, Timestamp};
use store::{Read, Tx, Value};
use web::Page;

use crate::domain::{Child, Credential, Device};
use crate::rows::{read_credential, read_device};

const DEVICE: &str = "select d.id, d.kind, d.name,
        (select string_agg(c.kind || '/' || c.child, ',') from identity_child c
         where c.tenant = d.tenant and c.gateway = d.id),
        d.version
    from identity_device d where d.tenant = $1 and d.id = $2";

const DEVICES: &str = "select d.id, d.kind, d.name,
        (select string_agg(c.kind || '/' || c.child, ',') from identity_child c
         where c.tenant = d.tenant and c.gateway = d.id),
        d.version
    from identity_device d
    where d.tenant = $1 and (cast($2 as text) is null or d.id > $2)
    order by d.id limit $3";

const DEVICE_NAME_TAKEN: &str =
    "select 1 from identity_device where (tenant = $1 and lower(id) = $2) or client_id = $3
    union all select 1 from identity_person where tenant = $1 and username = $2
    union all select 1 from identity_application where tenant = $1 and lower(id) = $2
    limit 1";

const CLIENT_ID_OWNER: &str = "select tenant, id from identity_device where client_id = $1";

const INSERT_DEVICE: &str =
    "insert into identity_device (tenant, id, kind, name, client_id, version, created_at)
    values ($1, $2, $3, $4, $5, $6, $7)";

const COUNT_DEVICE_CHANGE: &str =
    "update identity_device set version = version + 1 where tenant = $1 and id = $2";

const GATEWAY_OF: &str =
    "select gateway from identity_child where tenant = $1 and kind = $2 and child = $3";

const ASSIGN_CHILD: &str =
    "insert into identity_child (tenant, kind, child, gateway) values ($1, $2, $3, $4)
    on conflict (tenant, kind, child) do update set gateway = excluded.gateway";

const CREDENTIALS: &str = "select id, hash, created_at, expires_at from identity_credential
    where tenant = $1 and device = $2 and (expires_at is null or expires_at > $3)
    order by created_at, id limit 100";

const INSERT_CREDENTIAL: &str =
    "insert into identity_credential (tenant, device, id, hash, created_at, expires_at)
    values ($1, $2, $3, $4, $5, $6)";

const END_CREDENTIAL: &str =
    "update identity_credential set expires_at = $4 where tenant = $1 and device = $2 and id = $3";

const FORGET_CREDENTIALS: &str =
    "delete from identity_credential where tenant = $1 and device = $2 and expires_at <= $3";

/// The device with its children.
pub(crate) async fn device(
    db: &impl Read,
    tenant: &TenantId,
    id: &DeviceId,
) -> anyhow::Result<Option<Device>> {
    let row = db.row(DEVICE, &[tenant.into(), id.into()]).await?;
    row.map(|row| read_device(&row)).transpose()
}

/// The devices, by id.
pub(crate) async fn devices(
    db: &impl Read,
    tenant: &TenantId,
    page: &Page<DeviceId>,
) -> anyhow::Result<Vec<Device>> {
    let parameters = [
        tenant.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    db.rows(DEVICES, &parameters)
        .await?
        .iter()
        .map(read_device)
        .collect()
}

/// Whether the id is a device's or a person's name, or reads like another tenant's device to the broker.
pub(crate) async fn is_device_name_taken(tx: &Tx, device: &Device) -> anyhow::Result<bool> {
    let name = device.id.as_str().to_ascii_lowercase();
    let parameters = [
        tx.tenant().into(),
        name.into(),
        device.client_id(tx.tenant()).into(),
    ];
    Ok(tx.row(DEVICE_NAME_TAKEN, &parameters).await?.is_some())
}

/// Whose device this MQTT client id belongs to.
pub(crate) async fn client_id_owner(
    db: &impl Read,
    client_id: &str,
) -> anyhow::Result<Option<(TenantId, DeviceId)>> {
    let row = db.row(CLIENT_ID_OWNER, &[client_id.into()]).await?;
    row.map(|row| Ok((row.id(0)?, row.id(1)?))).transpose()
}

/// Adds a device with its children.
pub(crate) async fn insert_device(tx: &Tx, device: &Device, now: Timestamp) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&device.id).into(),
        device.kind.as_str().into(),
        device.name.as_str().into(),
        device.client_id(tx.tenant()).into(),
        device.version.into(),
        now.into(),
    ];
    tx.execute(INSERT_DEVICE, &parameters).await?;
    for child in &device.children {
        assign_child(tx, &device.id, child).await?;
    }
    Ok(())
}

/// Counts a change of the device.
pub(crate) async fn count_device_change(tx: &Tx, device: &DeviceId) -> anyhow::Result<()> {
    tx.execute(COUNT_DEVICE_CHANGE, &[tx.tenant().into(), device.into()])
        .await
}

/// Puts the child under this gateway; the gateway that had it before, if it was another, has changed too.
pub(crate) async fn assign_child(tx: &Tx, gateway: &DeviceId, child: &Child) -> anyhow::Result<()> {
    let (kind, id): (Value, Value) = (child.kind.as_str().into(), (&child.id).into());
    if let Some(row) = tx
        .row(GATEWAY_OF, &[tx.tenant().into(), kind.clone(), id.clone()])
        .await?
    {
        let before: DeviceId = row.id(0)?;
        if before != *gateway {
            count_device_change(tx, &before).await?;
        }
    }
    tx.execute(
        ASSIGN_CHILD,
        &[tx.tenant().into(), kind, id, gateway.into()],
    )
    .await
}

/// The credentials of the device that hold now, the oldest first.
pub(crate) async fn credentials(
    db: &impl Read,
    tenant: &TenantId,
    device: &DeviceId,
    now: Timestamp,
) -> anyhow::Result<Vec<Credential>> {
    let rows = db
        .rows(CREDENTIALS, &[tenant.into(), device.into(), now.into()])
        .await?;
    rows.iter().map(read_credential).collect()
}

/// Adds a credential.
pub(crate) async fn insert_credential(
    tx: &Tx,
    device: &DeviceId,
    credential: &Credential,
) -> anyhow::Result<()> {
    let Credential {
        id,
        hash,
        created_at,
        expires_at,
    } = credential;
    let parameters = [
        tx.tenant().into(),
        device.into(),
        id.into(),
        hash.into(),
        (*created_at).into(),
        (*expires_at).into(),
    ];
    tx.execute(INSERT_CREDENTIAL, &parameters).await
}

/// Stores when the credential ends.
pub(crate) async fn end_credential(
    tx: &Tx,
    device: &DeviceId,
    credential: &Credential,
) -> anyhow::Result<()> {
    let Credential { id, expires_at, .. } = credential;
    tx.execute(
        END_CREDENTIAL,
        &[
            tx.tenant().into(),
            device.into(),
            id.into(),
            (*expires_at).into(),
        ],
    )
    .await
}

/// Forgets the device's credentials that no longer hold.
pub(crate) async fn forget_credentials(
    tx: &Tx,
    device: &DeviceId,
    now: Timestamp,
) -> anyhow::Result<()> {
    tx.execute(
        FORGET_CREDENTIALS,
        &[tx.tenant().into(), device.into(), now.into()],
    )
    .await
}
