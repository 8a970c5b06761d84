//! Fire releases: which doors should stand open, and which say that they do.

use kernel::{ActorId, CommunityId, DeviceId, TenantId, Timestamp};
use store::{Read, Tx};
use web::Page;

statements! {
    RELEASE = "select released, reason, changed_by, changed_at from doors_release where tenant = $1 and community = $2";

    PUT_RELEASE = "insert into doors_release (tenant, community, released, reason, changed_by, changed_at)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (tenant, community) do update set released = excluded.released, reason = excluded.reason,
            changed_by = excluded.changed_by, changed_at = excluded.changed_at";

    RELEASE_DOORS = "update doors_door set released = $3, released_told_at = null where tenant = $1 and community = $2";

    STATES = "select id, released, released_said from doors_door
        where tenant = $1 and community = $2 and (cast($3 as text) is null or id > $3) order by id limit $4";

    SAID = "update doors_door set released_said = $3 where tenant = $1 and id = $2";

    // Doors that have not said what they should, and were not told for a while.
    OWED = "select tenant, id, released from doors_door
        where released <> released_said and (released_told_at is null or released_told_at <= $1)
        order by tenant, id limit $2";

    TOLD = "update doors_door set released_told_at = $3 where tenant = $1 and id = $2";
}

/// The last word about releasing a community's doors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Release {
    /// Whether they should stand open.
    pub released: bool,
    /// Why.
    pub reason: String,
    /// By whom.
    pub by: ActorId,
    /// Since when.
    pub at: Timestamp,
}

/// Whether a door should stand open, and whether it said that it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DoorState {
    /// The door.
    pub door: DeviceId,
    /// Whether it should.
    pub released: bool,
    /// What it said.
    pub said: bool,
}

/// The last word about the community.
pub(crate) async fn release(
    db: &impl Read,
    tenant: &TenantId,
    community: &CommunityId,
) -> anyhow::Result<Option<Release>> {
    let row = db.row(RELEASE, &[tenant.into(), community.into()]).await?;
    row.map(|row| {
        Ok(Release {
            released: row.boolean(0)?,
            reason: row.text(1)?.to_owned(),
            by: row.id(2)?,
            at: row.timestamp(3)?,
        })
    })
    .transpose()
}

/// Stores the word, and what the doors should do.
pub(crate) async fn put_release(
    tx: &Tx,
    community: &CommunityId,
    release: &Release,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        community.into(),
        release.released.into(),
        release.reason.as_str().into(),
        (&release.by).into(),
        release.at.into(),
    ];
    tx.execute(PUT_RELEASE, &parameters).await?;
    let parameters = [
        tx.tenant().into(),
        community.into(),
        release.released.into(),
    ];
    tx.execute(RELEASE_DOORS, &parameters).await
}

/// How the community's doors stand, by id.
pub(crate) async fn states(
    db: &impl Read,
    tenant: &TenantId,
    community: &CommunityId,
    page: &Page<DeviceId>,
) -> anyhow::Result<Vec<DoorState>> {
    let parameters = [
        tenant.into(),
        community.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(STATES, &parameters).await?;
    rows.iter()
        .map(|row| {
            Ok(DoorState {
                door: row.id(0)?,
                released: row.boolean(1)?,
                said: row.boolean(2)?,
            })
        })
        .collect()
}

/// A door said whether it stands open.
pub(crate) async fn said(tx: &Tx, door: &DeviceId, released: bool) -> anyhow::Result<()> {
    tx.execute(SAID, &[tx.tenant().into(), door.into(), released.into()])
        .await
}

/// The doors that have to be told (again), and what.
pub(crate) async fn owed(
    db: &impl Read,
    told_before: Timestamp,
    limit: i64,
) -> anyhow::Result<Vec<(TenantId, DeviceId, bool)>> {
    let rows = db.rows(OWED, &[told_before.into(), limit.into()]).await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.id(1)?, row.boolean(2)?)))
        .collect()
}

/// A door was told.
pub(crate) async fn told(tx: &Tx, door: &DeviceId, now: Timestamp) -> anyhow::Result<()> {
    tx.execute(TOLD, &[tx.tenant().into(), door.into(), now.into()])
        .await
}
