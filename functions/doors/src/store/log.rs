//! The log of who went through which door, and how often passes were used.

use kernel::{ActorId, CommunityId, DeviceId, EventId, OpeningId, PassId, TenantId, Timestamp};
use store::{Batch, Read, Row, Tx};
use web::Page;
use wire::snapshot::Direction;

statements! {
    INSERT_ACCESS = "insert into doors_access (tenant, id, community, door, person, pass, credential, allowed, reason,
            passback, direction, offline, opening, decided_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";

    // A resident ($3) sees the own entries, those of people bound to the same room at that time, and those of the
    // visitors of a room that the resident was bound to at that time.
    ACCESS = "select a.id, a.community, a.door, a.person, a.pass, a.credential, a.allowed, a.reason, a.passback,
            a.direction, a.offline, a.opening, a.decided_at
        from doors_access a
        where a.tenant = $1 and a.community = $2
          and (cast($3 as text) is null or a.person = $3
            or exists (select 1 from doors_member m join doors_member o on o.tenant = m.tenant and o.room = m.room
                where m.tenant = $1 and m.person = $3 and o.person = a.person and m.community = $2
                  and m.starts_at <= a.decided_at and (m.ends_at is null or m.ends_at > a.decided_at)
                  and o.starts_at <= a.decided_at and (o.ends_at is null or o.ends_at > a.decided_at))
            or exists (select 1 from doors_pass p join doors_member m on m.tenant = p.tenant and m.room = p.room
                where p.tenant = $1 and p.id = a.pass and m.person = $3 and p.community = $2
                  and m.starts_at <= a.decided_at and (m.ends_at is null or m.ends_at > a.decided_at)))
          and (cast($4 as text) is null or a.door = $4) and (cast($5 as text) is null or a.person = $5)
          and (cast($6 as bigint) is null or a.decided_at >= $6) and (cast($7 as bigint) is null or a.decided_at < $7)
          and (cast($8 as text) is null or a.id < $8)
        order by a.id desc limit $9";

    COUNT_USE = "insert into doors_pass_use (tenant, pass, step, door, uses, used_at) values ($1, $2, $3, $4, 1, $5)
        on conflict (tenant, pass, step, door) do update set uses = doors_pass_use.uses + 1, used_at = excluded.used_at";

    FORGET_ACCESS = "delete from doors_access where (tenant, id) in
        (select tenant, id from doors_access where decided_at < $1 order by decided_at limit $2) returning id";

    FORGET_AUDIT = "delete from doors_audit where (tenant, gateway, sequence) in
        (select tenant, gateway, sequence from doors_audit where received_at < $1 order by received_at limit $2)
        returning sequence";

    FORGET_USES = "delete from doors_pass_use where (tenant, pass, step, door) in
        (select tenant, pass, step, door from doors_pass_use where used_at < $1 order by used_at limit $2) returning step";

    FORGET_PASSES = "delete from doors_pass where (tenant, id) in
        (select tenant, id from doors_pass where ends_at < $1 order by ends_at limit $2) returning id";
}

/// One decision about a person or a pass at a door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Access {
    /// The entry.
    pub id: EventId,
    /// Where.
    pub community: CommunityId,
    /// Which door.
    pub door: DeviceId,
    /// Who, when the credential told.
    pub person: Option<ActorId>,
    /// The pass, when it was one.
    pub pass: Option<PassId>,
    /// `remote`, or what was shown.
    pub credential: String,
    /// Whether the door opens.
    pub allowed: bool,
    /// The stable code of the reason.
    pub reason: String,
    /// Whether the person goes the same way twice.
    pub passback: bool,
    /// Which way the door leads.
    pub direction: Direction,
    /// Whether the gate decided without its uplink.
    pub offline: bool,
    /// The opening, of a remote one.
    pub opening: Option<OpeningId>,
    /// When.
    pub decided_at: Timestamp,
}

/// Which entries a list shows; what is absent does not filter.
#[derive(Debug, Clone)]
pub(crate) struct AccessFilter {
    /// Where.
    pub community: CommunityId,
    /// Only what this person may see.
    pub seen_by: Option<ActorId>,
    /// At this door.
    pub door: Option<DeviceId>,
    /// Of this person.
    pub person: Option<ActorId>,
    /// At this moment or later.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
}

/// Adds an entry.
pub(crate) async fn insert(tx: &Tx, access: &Access) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&access.id).into(),
        (&access.community).into(),
        (&access.door).into(),
        access.person.as_ref().into(),
        access.pass.as_ref().into(),
        access.credential.as_str().into(),
        access.allowed.into(),
        access.reason.as_str().into(),
        access.passback.into(),
        access.direction.as_str().into(),
        access.offline.into(),
        access.opening.as_ref().into(),
        access.decided_at.into(),
    ];
    tx.execute(INSERT_ACCESS, &parameters).await
}

/// The entries, the latest recorded first.
pub(crate) async fn list(
    db: &impl Read,
    tenant: &TenantId,
    filter: &AccessFilter,
    page: &Page<EventId>,
) -> anyhow::Result<Vec<Access>> {
    let parameters = [
        tenant.into(),
        (&filter.community).into(),
        filter.seen_by.as_ref().into(),
        filter.door.as_ref().into(),
        filter.person.as_ref().into(),
        filter.from.into(),
        filter.to.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(ACCESS, &parameters).await?;
    rows.iter().map(read).collect()
}

/// Counts a use of a pass at a door.
pub(crate) async fn count_use(
    tx: &Tx,
    (pass, step): (&PassId, u64),
    door: &DeviceId,
    now: Timestamp,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        pass.into(),
        i64::try_from(step)?.into(),
        door.into(),
        now.into(),
    ];
    tx.execute(COUNT_USE, &parameters).await
}

/// Deletes what is older than that moment, at most `limit` of each; how much it was.
pub(crate) async fn forget(batch: &Batch, before: Timestamp, limit: i64) -> anyhow::Result<usize> {
    let mut forgotten = 0;
    for statement in [FORGET_ACCESS, FORGET_AUDIT, FORGET_USES, FORGET_PASSES] {
        let rows = batch
            .rows(statement, &[before.into(), limit.into()])
            .await?;
        forgotten += rows.len();
    }
    Ok(forgotten)
}

fn read(row: &Row) -> anyhow::Result<Access> {
    Ok(Access {
        id: row.id(0)?,
        community: row.id(1)?,
        door: row.id(2)?,
        person: row.optional_id(3)?,
        pass: row.optional_id(4)?,
        credential: row.text(5)?.to_owned(),
        allowed: row.boolean(6)?,
        reason: row.text(7)?.to_owned(),
        passback: row.boolean(8)?,
        direction: Direction::parse(row.text(9)?).unwrap_or_default(),
        offline: row.boolean(10)?,
        opening: row.optional_id(11)?,
        decided_at: row.timestamp(12)?,
    })
}
