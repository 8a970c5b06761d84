//! Devices, and the lives of gateways.

use kernel::{Actor, ActorKind, DeviceId, TenantId, Timestamp};
use store::{Read, Tx};
use web::Page;
use wire::DeviceKind;

use crate::domain::{Device, Gateway};
use crate::rows::{device_values, gateway_values, read_device, read_gateway};

statements! {
    DEVICE = "select id, kind, community, name, model, location, gateway, reachable, version
        from devices_device where tenant = $1 and id = $2";

    // The communities come as ',a,b,': a list that both engines can search exactly.
    TERMINALS = "select id, kind, community, name, model, location, gateway, reachable, version
        from devices_device
        where tenant = $1 and kind <> 'gateway'
          and (cast($2 as text) is null or replace($2, ',' || community || ',', '') <> $2)
          and (cast($3 as text) is null or gateway = $3) and (cast($4 as text) is null or id > $4)
        order by id limit $5";

    CHILDREN = "select id, kind, community, name, model, location, gateway, reachable, version
        from devices_device where tenant = $1 and gateway = $2 order by id limit 500";

    GATEWAY = "select d.id, d.kind, d.community, d.name, d.model, d.location, d.gateway, d.reachable, d.version,
            g.profile, g.online, g.since, g.cause, g.last_seen, g.software, g.started_at, g.configuration,
            g.configuration_version, g.applied_version
        from devices_device d join devices_gateway g on g.tenant = d.tenant and g.id = d.id
        where d.tenant = $1 and d.id = $2";

    GATEWAYS = "select d.id, d.kind, d.community, d.name, d.model, d.location, d.gateway, d.reachable, d.version,
            g.profile, g.online, g.since, g.cause, g.last_seen, g.software, g.started_at, g.configuration,
            g.configuration_version, g.applied_version
        from devices_device d join devices_gateway g on g.tenant = d.tenant and g.id = d.id
        where d.tenant = $1 and (cast($2 as text) is null or replace($2, ',' || d.community || ',', '') <> $2)
          and (cast($3 as text) is null or d.id > $3)
        order by d.id limit $4";

    PUT_DEVICE = "insert into devices_device
            (tenant, id, kind, community, name, model, location, gateway, reachable, version)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        on conflict (tenant, id) do update set community = excluded.community, name = excluded.name,
            model = excluded.model, location = excluded.location, gateway = excluded.gateway,
            reachable = excluded.reachable, version = excluded.version";

    PUT_GATEWAY = "insert into devices_gateway (tenant, id, profile, online, since, cause, last_seen, silent_at,
            software, started_at, configuration, configuration_version, applied_version)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        on conflict (tenant, id) do update set profile = excluded.profile, online = excluded.online,
            since = excluded.since, cause = excluded.cause, last_seen = excluded.last_seen,
            silent_at = excluded.silent_at, software = excluded.software, started_at = excluded.started_at,
            configuration = excluded.configuration, configuration_version = excluded.configuration_version,
            applied_version = excluded.applied_version";

    REACHED = "update devices_device set reachable = $4
        where tenant = $1 and gateway = $2 and id = $3 and (reachable is null or reachable <> $4)";

    ASSIGNED = "update devices_device set gateway = $3, version = version + 1
        where tenant = $1 and id = $2 and (gateway is null or gateway <> $3)";

    TENANTS_WITH_SILENT = "select distinct tenant from devices_gateway where silent_at <= $1 order by tenant limit $2";

    SILENT = "select id from devices_gateway where tenant = $1 and silent_at <= $2 order by silent_at, id limit $3";
}

/// The device.
pub(crate) async fn device(
    db: &impl Read,
    tenant: &TenantId,
    id: &DeviceId,
) -> anyhow::Result<Option<Device>> {
    let row = db.row(DEVICE, &[tenant.into(), id.into()]).await?;
    row.map(|row| read_device(&row)).transpose()
}

/// The terminal: any device but a gateway.
pub(crate) async fn terminal(
    db: &impl Read,
    tenant: &TenantId,
    id: &DeviceId,
) -> anyhow::Result<Option<Device>> {
    let device = device(db, tenant, id).await?;
    Ok(device.filter(|device| device.kind != DeviceKind::Gateway))
}

/// The terminals that the caller may know, of one gateway or of all, by id.
pub(crate) async fn terminals(
    db: &impl Read,
    actor: &Actor,
    gateway: Option<&DeviceId>,
    page: &Page<DeviceId>,
) -> anyhow::Result<Vec<Device>> {
    let parameters = [
        (&actor.tenant).into(),
        reach(actor).into(),
        gateway.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(TERMINALS, &parameters).await?;
    rows.iter().map(read_device).collect()
}

/// What a gateway speaks for, by id.
pub(crate) async fn children(
    db: &impl Read,
    tenant: &TenantId,
    gateway: &DeviceId,
) -> anyhow::Result<Vec<Device>> {
    let rows = db.rows(CHILDREN, &[tenant.into(), gateway.into()]).await?;
    rows.iter().map(read_device).collect()
}

/// The gateway.
pub(crate) async fn gateway(
    db: &impl Read,
    tenant: &TenantId,
    id: &DeviceId,
) -> anyhow::Result<Option<Gateway>> {
    let row = db.row(GATEWAY, &[tenant.into(), id.into()]).await?;
    row.map(|row| read_gateway(&row)).transpose()
}

/// The gateways that the caller may know, by id.
pub(crate) async fn gateways(
    db: &impl Read,
    actor: &Actor,
    page: &Page<DeviceId>,
) -> anyhow::Result<Vec<Gateway>> {
    let parameters = [
        (&actor.tenant).into(),
        reach(actor).into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(GATEWAYS, &parameters).await?;
    rows.iter().map(read_gateway).collect()
}

/// Adds a device, or stores what is known of it now; its kind stays.
pub(crate) async fn put_device(tx: &Tx, device: &Device) -> anyhow::Result<()> {
    tx.execute(PUT_DEVICE, &device_values(tx.tenant(), device))
        .await
}

/// Adds the life of a gateway, or stores what is known of it now.
pub(crate) async fn put_gateway(tx: &Tx, gateway: &Gateway) -> anyhow::Result<()> {
    tx.execute(PUT_GATEWAY, &gateway_values(tx.tenant(), gateway))
        .await
}

/// Stores whether a gateway reaches its child; what is stored already is not written again.
pub(crate) async fn reached(
    tx: &Tx,
    gateway: &DeviceId,
    child: &DeviceId,
    reachable: bool,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        gateway.into(),
        child.into(),
        reachable.into(),
    ];
    tx.execute(REACHED, &parameters).await
}

/// Stores which gateway speaks for a device.
pub(crate) async fn assigned(tx: &Tx, child: &DeviceId, gateway: &DeviceId) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), child.into(), gateway.into()];
    tx.execute(ASSIGNED, &parameters).await
}

/// The tenants with gateways that have been silent for too long, at most `limit`.
pub(crate) async fn tenants_with_silent(
    db: &impl Read,
    now: Timestamp,
    limit: i64,
) -> anyhow::Result<Vec<TenantId>> {
    let rows = db
        .rows(TENANTS_WITH_SILENT, &[now.into(), limit.into()])
        .await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// The gateways of the tenant that have been silent for too long, at most `limit`.
pub(crate) async fn silent(tx: &Tx, now: Timestamp, limit: i64) -> anyhow::Result<Vec<DeviceId>> {
    let parameters = [tx.tenant().into(), now.into(), limit.into()];
    let rows = tx.rows(SILENT, &parameters).await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// The communities that the caller looks after, as `,a,b,`; nothing when that is all of the tenant's.
fn reach(actor: &Actor) -> Option<String> {
    // An application that comes here has the permission, and works for the whole tenant.
    if matches!(
        actor.kind,
        ActorKind::Operator | ActorKind::Auditor | ActorKind::Application
    ) {
        return None;
    }
    let names = actor.communities.iter();
    let names: String = names.map(|community| format!("{community},")).collect();
    Some(format!(",{names}"))
}
