//! What is known of gateways: whether they are there, and whether their snapshot is owed.

use kernel::{CommunityId, DeviceId, TenantId, Timestamp};
use store::{Read, Tx};

statements! {
    MARK = "insert into doors_gateway (tenant, id, changes, built, version, content, made_at) values ($1, $2, 1, 0, 0, '', 0)
        on conflict (tenant, id) do update set changes = doors_gateway.changes + 1";

    MARK_DOOR = "update doors_gateway set changes = changes + 1
        where tenant = $1 and id = (select gateway from doors_door where tenant = $1 and id = $2)";

    MARK_COMMUNITY = "update doors_gateway set changes = changes + 1
        where tenant = $1 and id in (select gateway from doors_door where tenant = $1 and community = $2)";

    AVAILABILITY = "update doors_gateway set online = $3 where tenant = $1 and id = $2";

    GATEWAY = "select changes, built, version, content, made_at, keys from doors_gateway where tenant = $1 and id = $2";

    COMMUNITIES = "select distinct community from doors_door where tenant = $1 and gateway = $2 order by community limit 500";

    // Changed since the last build, built too long ago, or signed with other keys than those of now.
    OWED = "select tenant, id from doors_gateway where changes <> built or made_at < $1 or keys <> $3
        order by made_at, tenant, id limit $2";

    SET_BUILT = "update doors_gateway set built = $3, version = $4, content = $5, made_at = $6, keys = $7 where tenant = $1 and id = $2";

    KEEP = "insert into doors_snapshot (tenant, gateway, version, sha256, body) values ($1, $2, $3, $4, $5)
        on conflict (tenant, gateway) do update set version = excluded.version, sha256 = excluded.sha256, body = excluded.body";

    KEPT = "select version, sha256, body from doors_snapshot where tenant = $1 and gateway = $2";
}

/// How a gateway's snapshot stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gateway {
    /// Counts the changes.
    pub changes: i64,
    /// For which of them the snapshot was built.
    pub built: i64,
    /// The snapshot's version, 0 when there is none.
    pub version: i64,
    /// What its content hashes to.
    pub content: String,
    /// When it was built.
    pub made_at: Timestamp,
    /// The ids of the keys that it is signed with.
    pub keys: String,
}

impl Gateway {
    /// Whether there is a snapshot that holds every change and is signed with these keys.
    pub(crate) fn is_built(&self, keys: &str) -> bool {
        self.changes == self.built && self.keys == keys && self.version > 0
    }
}

/// A snapshot that was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Its version.
    pub version: i64,
    /// The SHA-256 of its bytes.
    pub sha256: String,
    /// Its bytes.
    pub body: String,
}

/// Notes that the gateway's permissions changed.
pub(crate) async fn mark(tx: &Tx, gateway: &DeviceId) -> anyhow::Result<()> {
    tx.execute(MARK, &[tx.tenant().into(), gateway.into()])
        .await
}

/// Notes that permissions for the door changed.
pub(crate) async fn mark_door(tx: &Tx, door: &DeviceId) -> anyhow::Result<()> {
    tx.execute(MARK_DOOR, &[tx.tenant().into(), door.into()])
        .await
}

/// Notes that permissions in the community changed.
pub(crate) async fn mark_community(tx: &Tx, community: &CommunityId) -> anyhow::Result<()> {
    tx.execute(MARK_COMMUNITY, &[tx.tenant().into(), community.into()])
        .await
}

/// Stores whether the gateway is there; one without doors is nobody here.
pub(crate) async fn set_online(tx: &Tx, gateway: &DeviceId, online: bool) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), gateway.into(), online.into()];
    tx.execute(AVAILABILITY, &parameters).await
}

/// How the gateway's snapshot stands.
pub(crate) async fn gateway(
    db: &impl Read,
    tenant: &TenantId,
    id: &DeviceId,
) -> anyhow::Result<Option<Gateway>> {
    let row = db.row(GATEWAY, &[tenant.into(), id.into()]).await?;
    row.map(|row| {
        Ok(Gateway {
            changes: row.integer(0)?,
            built: row.integer(1)?,
            version: row.integer(2)?,
            content: row.text(3)?.to_owned(),
            made_at: row.timestamp(4)?,
            keys: row.text(5)?.to_owned(),
        })
    })
    .transpose()
}

/// The gateways whose snapshot changed, was built before that moment, or is not signed with these keys; the oldest first.
pub(crate) async fn owed(
    db: &impl Read,
    (built_before, keys): (Timestamp, &str),
    limit: i64,
) -> anyhow::Result<Vec<(TenantId, DeviceId)>> {
    let rows = db
        .rows(OWED, &[built_before.into(), limit.into(), keys.into()])
        .await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.id(1)?)))
        .collect()
}

/// The communities in which the gateway has doors.
pub(crate) async fn communities(
    db: &impl Read,
    tenant: &TenantId,
    gateway: &DeviceId,
) -> anyhow::Result<Vec<CommunityId>> {
    let rows = db
        .rows(COMMUNITIES, &[tenant.into(), gateway.into()])
        .await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// Stores how the snapshot stands after it was built.
pub(crate) async fn set_built(tx: &Tx, id: &DeviceId, gateway: &Gateway) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        id.into(),
        gateway.built.into(),
        gateway.version.into(),
        gateway.content.as_str().into(),
        gateway.made_at.into(),
        gateway.keys.as_str().into(),
    ];
    tx.execute(SET_BUILT, &parameters).await
}

/// Stores a snapshot in place of the one before.
pub(crate) async fn keep(tx: &Tx, gateway: &DeviceId, kept: Kept) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        gateway.into(),
        kept.version.into(),
        kept.sha256.into(),
        kept.body.into(),
    ];
    tx.execute(KEEP, &parameters).await
}

/// The gateway's snapshot.
pub(crate) async fn kept(
    db: &impl Read,
    tenant: &TenantId,
    gateway: &DeviceId,
) -> anyhow::Result<Option<Kept>> {
    let row = db.row(KEPT, &[tenant.into(), gateway.into()]).await?;
    row.map(|row| {
        Ok(Kept {
            version: row.integer(0)?,
            sha256: row.text(1)?.to_owned(),
            body: row.text(2)?.to_owned(),
        })
    })
    .transpose()
}
