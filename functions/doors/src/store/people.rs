//! Suspensions of people.

use kernel::{ActorId, CommunityId, TenantId};
use store::{Read, Row, Tx};
use web::Page;

use crate::domain::{Reason, Suspension};

statements! {
    SUSPENSION = "select community, person, reason, suspended_by, suspended_at from doors_suspension
        where tenant = $1 and community = $2 and person = $3";

    SUSPENSIONS = "select community, person, reason, suspended_by, suspended_at from doors_suspension
        where tenant = $1 and community = $2 and (cast($3 as text) is null or person > $3) order by person limit $4";

    SUSPEND = "insert into doors_suspension (tenant, community, person, reason, suspended_by, suspended_at)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (tenant, community, person) do update set reason = excluded.reason,
            suspended_by = excluded.suspended_by, suspended_at = excluded.suspended_at";

    RESUME = "delete from doors_suspension where tenant = $1 and community = $2 and person = $3 returning person";
}

/// The person's suspension in the community.
pub(crate) async fn suspension(
    db: &impl Read,
    tenant: &TenantId,
    (community, person): (&CommunityId, &ActorId),
) -> anyhow::Result<Option<Suspension>> {
    let parameters = [tenant.into(), community.into(), person.into()];
    let row = db.row(SUSPENSION, &parameters).await?;
    row.map(|row| read(&row)).transpose()
}

/// The suspensions in the community, by person.
pub(crate) async fn suspensions(
    db: &impl Read,
    tenant: &TenantId,
    community: &CommunityId,
    page: &Page<ActorId>,
) -> anyhow::Result<Vec<Suspension>> {
    let parameters = [
        tenant.into(),
        community.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(SUSPENSIONS, &parameters).await?;
    rows.iter().map(read).collect()
}

/// Stores a suspension.
pub(crate) async fn suspend(tx: &Tx, suspension: &Suspension) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&suspension.community).into(),
        (&suspension.person).into(),
        suspension.reason.as_str().into(),
        (&suspension.by).into(),
        suspension.at.into(),
    ];
    tx.execute(SUSPEND, &parameters).await
}

/// Ends a suspension; whether there was one.
pub(crate) async fn resume(
    tx: &Tx,
    community: &CommunityId,
    person: &ActorId,
) -> anyhow::Result<bool> {
    let parameters = [tx.tenant().into(), community.into(), person.into()];
    Ok(tx.row(RESUME, &parameters).await?.is_some())
}

fn read(row: &Row) -> anyhow::Result<Suspension> {
    Ok(Suspension {
        community: row.id(0)?,
        person: row.id(1)?,
        reason: Reason::parse(row.text(2)?)?,
        by: row.id(3)?,
        at: row.timestamp(4)?,
    })
}
