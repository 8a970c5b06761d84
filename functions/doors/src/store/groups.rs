//! Door groups, their doors and explicit members, and schedules.

use kernel::{Actor, ActorId, CommunityId, DeviceId, DoorGroupId, ScheduleId, TenantId, Timestamp};
use store::{Read, Row, Tx};
use web::Page;

use super::decide::read_targets;
use super::reach;
use crate::domain::{Door, Group, Name, Schedule};
use crate::rows::{read_door, read_schedule_parts};

statements! {
    GROUP = "select g.id, g.community, g.name, g.admits, g.visitors, g.schedule, g.version,
            (select string_agg(m.door, ' ') from doors_group_door m where m.tenant = g.tenant and m.group_id = g.id)
        from doors_group g where g.tenant = $1 and g.id = $2";

    GROUPS = "select g.id, g.community, g.name, g.admits, g.visitors, g.schedule, g.version,
            (select string_agg(m.door, ' ') from doors_group_door m where m.tenant = g.tenant and m.group_id = g.id)
        from doors_group g
        where g.tenant = $1 and (cast($2 as text) is null or replace($2, ',' || g.community || ',', '') <> $2)
          and (cast($3 as text) is null or g.community = $3) and (cast($4 as text) is null or g.id > $4)
        order by g.id limit $5";

    INSERT_GROUP = "insert into doors_group (tenant, id, community, name, admits, visitors, schedule, version)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (tenant, id) do update set name = excluded.name, admits = excluded.admits, visitors = excluded.visitors,
            schedule = excluded.schedule, version = excluded.version";

    DELETE_GROUP = "delete from doors_group where tenant = $1 and id = $2";

    CLEAR_DOORS = "delete from doors_group_door where tenant = $1 and group_id = $2";

    CLEAR_MEMBERS = "delete from doors_group_member where tenant = $1 and group_id = $2";

    // The doors come as words with blanks between, cut apart by comparing with those of the community.
    FILL_DOORS = "insert into doors_group_door (tenant, door, group_id)
        select tenant, id, $2 from doors_door
        where tenant = $1 and community = $3 and replace($4, ' ' || id || ' ', '') <> $4";

    DOORS_NAMED = "select id, community, name, gateway, unlock_ms, direction, released, version from doors_door
        where tenant = $1 and community = $2 and replace($3, ' ' || id || ' ', '') <> $3 limit 500";

    COMMUNITY_KNOWN = "select id from doors_door where tenant = $1 and community = $2
        union all select id from doors_community where tenant = $1 and id = $2 limit 1";

    SET_MEMBER = "insert into doors_group_member (tenant, group_id, person, starts_at, ends_at) values ($1, $2, $3, $4, $5)
        on conflict (tenant, group_id, person) do update set starts_at = excluded.starts_at, ends_at = excluded.ends_at";

    REMOVE_MEMBER = "delete from doors_group_member where tenant = $1 and group_id = $2 and person = $3 returning person";

    MEMBERS = "select person, starts_at, ends_at from doors_group_member
        where tenant = $1 and group_id = $2 and (cast($3 as text) is null or person > $3) order by person limit $4";

    SCHEDULE = "select id, community, name, weekly, exceptions, version from doors_schedule where tenant = $1 and id = $2";

    SCHEDULES = "select id, community, name, weekly, exceptions, version from doors_schedule
        where tenant = $1 and (cast($2 as text) is null or replace($2, ',' || community || ',', '') <> $2)
          and (cast($3 as text) is null or community = $3) and (cast($4 as text) is null or id > $4)
        order by id limit $5";

    PUT_SCHEDULE = "insert into doors_schedule (tenant, id, community, name, weekly, exceptions, version)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (tenant, id) do update set name = excluded.name, weekly = excluded.weekly,
            exceptions = excluded.exceptions, version = excluded.version";

    SCHEDULE_USED = "select id from doors_group where tenant = $1 and schedule = $2 limit 1";

    DELETE_SCHEDULE = "delete from doors_schedule where tenant = $1 and id = $2";
}

/// An explicit member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    /// Who.
    pub person: ActorId,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Option<Timestamp>,
}

/// The group with its doors.
pub(crate) async fn group(
    db: &impl Read,
    tenant: &TenantId,
    id: &DoorGroupId,
) -> anyhow::Result<Option<Group>> {
    let row = db.row(GROUP, &[tenant.into(), id.into()]).await?;
    row.map(|row| read_group(&row)).transpose()
}

/// The groups that the caller reaches, by id.
pub(crate) async fn groups(
    db: &impl Read,
    actor: &Actor,
    community: Option<&CommunityId>,
    page: &Page<DoorGroupId>,
) -> anyhow::Result<Vec<Group>> {
    let parameters = [
        (&actor.tenant).into(),
        reach(actor).into(),
        community.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(GROUPS, &parameters).await?;
    rows.iter().map(read_group).collect()
}

/// Whether the tenant has this community, as far as doors know.
pub(crate) async fn community_known(
    db: &impl Read,
    tenant: &TenantId,
    community: &CommunityId,
) -> anyhow::Result<bool> {
    let parameters = [tenant.into(), community.into()];
    Ok(db.row(COMMUNITY_KNOWN, &parameters).await?.is_some())
}

/// The doors of the community with these ids.
pub(crate) async fn doors_named(
    tx: &Tx,
    community: &CommunityId,
    ids: &[DeviceId],
) -> anyhow::Result<Vec<Door>> {
    let parameters = [tx.tenant().into(), community.into(), words(ids).into()];
    let rows = tx.rows(DOORS_NAMED, &parameters).await?;
    rows.iter().map(read_door).collect()
}

/// Stores a group, new or changed, with its doors.
pub(crate) async fn put_group(tx: &Tx, group: &Group) -> anyhow::Result<()> {
    let admits: Vec<String> = group.admits.iter().map(wire::pass::Target::pack).collect();
    let parameters = [
        tx.tenant().into(),
        (&group.id).into(),
        (&group.community).into(),
        group.name.as_str().into(),
        admits.join(" ").into(),
        group.visitors.into(),
        group.schedule.as_ref().into(),
        group.version.into(),
    ];
    tx.execute(INSERT_GROUP, &parameters).await?;
    let key = [tx.tenant().into(), (&group.id).into()];
    tx.execute(CLEAR_DOORS, &key).await?;
    let doors = [
        tx.tenant().into(),
        (&group.id).into(),
        (&group.community).into(),
        words(&group.doors).into(),
    ];
    tx.execute(FILL_DOORS, &doors).await
}

/// Deletes a group with its members.
pub(crate) async fn delete_group(tx: &Tx, id: &DoorGroupId) -> anyhow::Result<()> {
    for statement in [CLEAR_DOORS, CLEAR_MEMBERS, DELETE_GROUP] {
        tx.execute(statement, &[tx.tenant().into(), id.into()])
            .await?;
    }
    Ok(())
}

/// Makes a person an explicit member, or changes for how long.
pub(crate) async fn set_member(
    tx: &Tx,
    group: &DoorGroupId,
    member: &Member,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        group.into(),
        (&member.person).into(),
        member.from.into(),
        member.until.into(),
    ];
    tx.execute(SET_MEMBER, &parameters).await
}

/// Takes an explicit member out; whether there was one.
pub(crate) async fn remove_member(
    tx: &Tx,
    group: &DoorGroupId,
    person: &ActorId,
) -> anyhow::Result<bool> {
    let parameters = [tx.tenant().into(), group.into(), person.into()];
    Ok(tx.row(REMOVE_MEMBER, &parameters).await?.is_some())
}

/// The explicit members of a group, by person.
pub(crate) async fn members(
    db: &impl Read,
    tenant: &TenantId,
    group: &DoorGroupId,
    page: &Page<ActorId>,
) -> anyhow::Result<Vec<Member>> {
    let parameters = [
        tenant.into(),
        group.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(MEMBERS, &parameters).await?;
    rows.iter()
        .map(|row| {
            Ok(Member {
                person: row.id(0)?,
                from: row.timestamp(1)?,
                until: row.optional_timestamp(2)?,
            })
        })
        .collect()
}

/// The schedule.
pub(crate) async fn schedule(
    db: &impl Read,
    tenant: &TenantId,
    id: &ScheduleId,
) -> anyhow::Result<Option<Schedule>> {
    let row = db.row(SCHEDULE, &[tenant.into(), id.into()]).await?;
    row.map(|row| read_schedule_parts(&row, 0)).transpose()
}

/// The schedules that the caller reaches, by id.
pub(crate) async fn schedules(
    db: &impl Read,
    actor: &Actor,
    community: Option<&CommunityId>,
    page: &Page<ScheduleId>,
) -> anyhow::Result<Vec<Schedule>> {
    let parameters = [
        (&actor.tenant).into(),
        reach(actor).into(),
        community.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(SCHEDULES, &parameters).await?;
    rows.iter().map(|row| read_schedule_parts(row, 0)).collect()
}

/// Stores a schedule, new or changed.
pub(crate) async fn put_schedule(tx: &Tx, schedule: &Schedule) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&schedule.id).into(),
        (&schedule.community).into(),
        schedule.name.as_str().into(),
        serde_json::to_string(&schedule.weekly)?.into(),
        serde_json::to_string(&schedule.exceptions)?.into(),
        schedule.version.into(),
    ];
    tx.execute(PUT_SCHEDULE, &parameters).await
}

/// Deletes a schedule; a group that still has it, if one does.
pub(crate) async fn delete_schedule(
    tx: &Tx,
    id: &ScheduleId,
) -> anyhow::Result<Option<DoorGroupId>> {
    let key = [tx.tenant().into(), id.into()];
    if let Some(row) = tx.row(SCHEDULE_USED, &key).await? {
        return Ok(Some(row.id(0)?));
    }
    tx.execute(DELETE_SCHEDULE, &key).await?;
    Ok(None)
}

fn read_group(row: &Row) -> anyhow::Result<Group> {
    let doors = row.optional_text(7)?.unwrap_or_default();
    let mut doors: Vec<DeviceId> = doors
        .split_whitespace()
        .map(DeviceId::parse)
        .collect::<Result<_, _>>()?;
    doors.sort();
    Ok(Group {
        id: row.id(0)?,
        community: row.id(1)?,
        name: Name::parse(row.text(2)?)?,
        admits: read_targets(row.text(3)?)?,
        visitors: row.boolean(4)?,
        schedule: row.optional_id(5)?,
        doors,
        version: row.integer(6)?,
    })
}

fn words(ids: &[DeviceId]) -> String {
    let words: String = ids.iter().map(|id| format!(" {id} ")).collect();
    format!(" {words} ")
}
