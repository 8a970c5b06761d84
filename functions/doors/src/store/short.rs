//! What may stand behind a 64-bit number: people who asked for one, and visitors' passes.

use kernel::{ActorId, CommunityId, PassId, TenantId};
use store::{Read, Tx};
use wire::pass::Target;
use wire::snapshot::Window;

use super::decide::home;

statements! {
    IS_KNOWN = "select person from doors_short where tenant = $1 and handle = $2 and person = $3";

    REMEMBER = "insert into doors_short (tenant, handle, person) values ($1, $2, $3)
        on conflict (tenant, handle, person) do nothing";

    PEOPLE = "select person from doors_short where tenant = $1 and handle = $2 order by person limit 100";

    VISITORS = "select id, community, building, unit, starts_at, ends_at, uses_max, ended from doors_pass
        where tenant = $1 and handle = $2 order by id limit 100";
}

/// A visitor's pass that a number may stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VisitorPass {
    /// The pass.
    pub id: PassId,
    /// Where it holds.
    pub community: CommunityId,
    /// Where the visitor is expected.
    pub target: Target,
    /// When it holds.
    pub window: Window,
    /// How often it opens each door.
    pub uses_max: u16,
    /// Whether the visit is over.
    pub ended: bool,
}

/// Whether the person is found by numbers of that handle already.
pub(crate) async fn is_known(
    db: &impl Read,
    tenant: &TenantId,
    handle: i64,
    person: &ActorId,
) -> anyhow::Result<bool> {
    let parameters = [tenant.into(), handle.into(), person.into()];
    Ok(db.row(IS_KNOWN, &parameters).await?.is_some())
}

/// Makes the person found by numbers of that handle.
pub(crate) async fn remember(tx: &Tx, handle: i64, person: &ActorId) -> anyhow::Result<()> {
    tx.execute(
        REMEMBER,
        &[tx.tenant().into(), handle.into(), person.into()],
    )
    .await
}

/// The people whom a number of that handle may stand for.
pub(crate) async fn people(tx: &Tx, handle: i64) -> anyhow::Result<Vec<ActorId>> {
    let rows = tx
        .rows(PEOPLE, &[tx.tenant().into(), handle.into()])
        .await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// The visitors' passes that a number of that handle may stand for.
pub(crate) async fn visitors(tx: &Tx, handle: i64) -> anyhow::Result<Vec<VisitorPass>> {
    let rows = tx
        .rows(VISITORS, &[tx.tenant().into(), handle.into()])
        .await?;
    let read = |row: &store::Row| {
        Ok(VisitorPass {
            id: row.id(0)?,
            community: row.id(1)?,
            target: home(Some(row.text(2)?), Some(row.text(3)?))?,
            window: Window {
                from: row.integer(4)?,
                until: row.integer(5)?,
            },
            uses_max: u16::try_from(row.integer(6)?)?,
            ended: row.boolean(7)?,
        })
    };
    rows.iter().map(read).collect()
}
