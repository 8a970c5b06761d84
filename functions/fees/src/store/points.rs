//! Points: what somebody has in a community, and every gain and loss.

use kernel::{ActorId, CommunityId, PointsEntryId, TenantId, Timestamp};
use store::{Read, Row, Tx};
use web::Page;

statements! {
    BALANCE = "select balance from fees_points where tenant = $1 and community = $2 and person = $3";

    ADD = "insert into fees_points (tenant, community, person, balance) values ($1, $2, $3, $4)
        on conflict (tenant, community, person) do update set balance = fees_points.balance + excluded.balance
        returning balance";

    TAKE = "update fees_points set balance = balance - $4
        where tenant = $1 and community = $2 and person = $3 and balance >= $4
        returning balance";

    INSERT_ENTRY = "insert into fees_points_entry (tenant, id, community, person, kind, points, reference, note, actor, at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        on conflict (tenant, kind, reference) do nothing
        returning id";

    ENTRIES = "select id, kind, points, reference, note, actor, at from fees_points_entry
        where tenant = $1 and community = $2 and person = $3 and (cast($4 as text) is null or id < $4)
        order by id desc limit $5";
}

/// A gain, or below zero a loss.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) id: PointsEntryId,
    /// `granted`, `earned`, `spent`, `given_back` or `revoked`.
    pub(crate) kind: String,
    pub(crate) points: i64,
    /// The payment or the refund; of a grant the entry itself. Once for each kind.
    pub(crate) reference: String,
    pub(crate) note: String,
    /// Who gave them; absent when a payment did.
    pub(crate) actor: Option<ActorId>,
    pub(crate) at: Timestamp,
}

/// What somebody has there.
pub(crate) async fn balance(
    db: &impl Read,
    (tenant, community): (&TenantId, &CommunityId),
    person: &ActorId,
) -> anyhow::Result<i64> {
    let parameters = [tenant.into(), community.into(), person.into()];
    let row = db.row(BALANCE, &parameters).await?;
    row.map_or(Ok(0), |row| row.integer(0))
}

/// Adds points, or takes as many: what somebody has then; nothing when they have too few.
pub(crate) async fn change(
    tx: &Tx,
    (community, person): (&CommunityId, &ActorId),
    points: i64,
) -> anyhow::Result<Option<i64>> {
    let statement = if points < 0 { TAKE } else { ADD };
    let parameters = [
        tx.tenant().into(),
        community.into(),
        person.into(),
        points.saturating_abs().into(),
    ];
    let row = tx.row(statement, &parameters).await?;
    row.map(|row| row.integer(0)).transpose()
}

/// Adds to the log; whether it was not there yet.
pub(crate) async fn insert_entry(
    tx: &Tx,
    (community, person): (&CommunityId, &ActorId),
    entry: &Entry,
) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        (&entry.id).into(),
        community.into(),
        person.into(),
        (&entry.kind).into(),
        entry.points.into(),
        (&entry.reference).into(),
        (&entry.note).into(),
        entry.actor.as_ref().into(),
        entry.at.into(),
    ];
    Ok(tx.row(INSERT_ENTRY, &parameters).await?.is_some())
}

/// The log of a person in a community, the latest first.
pub(crate) async fn entries(
    db: &impl Read,
    (tenant, community): (&TenantId, &CommunityId),
    person: &ActorId,
    page: &Page<PointsEntryId>,
) -> anyhow::Result<Vec<Entry>> {
    let parameters = [
        tenant.into(),
        community.into(),
        person.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(ENTRIES, &parameters).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> anyhow::Result<Entry> {
    Ok(Entry {
        id: row.id(0)?,
        kind: row.text(1)?.to_owned(),
        points: row.integer(2)?,
        reference: row.text(3)?.to_owned(),
        note: row.text(4)?.to_owned(),
        actor: row.optional_id(5)?,
        at: row.timestamp(6)?,
    })
}
