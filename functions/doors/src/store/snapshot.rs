//! What a gateway's snapshot is made of: a handful of statements, however many people there are. People come in text
//! aggregates, one row for each building, door or group, because a hundred thousand rows would be a hundred pages.

use kernel::{DeviceId, TenantId, Timestamp};
use store::{Read, Row};

statements! {
    DOORS = "select d.id, d.community, d.direction, d.released, d.unlock_ms, coalesce(c.zone, 'Asia/Shanghai')
        from doors_door d left join doors_community c on c.tenant = d.tenant and c.id = d.community
        where d.tenant = $1 and d.gateway = $2 order by d.id limit 500";

    GROUPS = "select g.id, g.community, g.admits, g.visitors, s.id, s.community, s.name, s.weekly, s.exceptions, s.version,
            (select string_agg(m.door, ' ') from doors_group_door m where m.tenant = g.tenant and m.group_id = g.id)
        from doors_group g left join doors_schedule s on s.tenant = g.tenant and s.id = g.schedule
        where g.tenant = $1 and g.id in (select m.group_id from doors_group_door m
            join doors_door d on d.tenant = m.tenant and d.id = m.door where d.tenant = $1 and d.gateway = $2)
        order by g.id limit 500";

    // Who belongs there until the snapshot ends: role, entrance, person, from, until.
    MEMBERS = "select community, building, string_agg(role || ' ' || coalesce(unit, '-') || ' ' || person || ' '
            || cast(starts_at as text) || ' ' || coalesce(cast(ends_at as text), '-'), ',')
        from doors_member
        where tenant = $1 and community = $2 and building > $3
          and starts_at < $5 and (ends_at is null or ends_at > $4)
        group by community, building order by building limit 900";

    // Staff and others who are bound to no building.
    UNHOUSED = "select community, '', string_agg(role || ' ' || '-' || ' ' || person || ' '
            || cast(starts_at as text) || ' ' || coalesce(cast(ends_at as text), '-'), ',')
        from doors_member
        where tenant = $1 and community = $2 and building is null
          and starts_at < $4 and (ends_at is null or ends_at > $3)
        group by community";

    GROUP_MEMBERS = "select m.group_id, string_agg(m.person || ' ' || cast(m.starts_at as text) || ' '
            || coalesce(cast(m.ends_at as text), '-'), ',')
        from doors_group_member m join doors_group g on g.tenant = m.tenant and g.id = m.group_id
        where m.tenant = $1 and g.community = $2 and m.starts_at < $4 and (m.ends_at is null or m.ends_at > $3)
        group by m.group_id order by m.group_id limit 900";

    GRANTS = "select g.door, g.state, string_agg(g.person || ' ' || cast(g.valid_from as text) || ' '
            || coalesce(cast(g.valid_until as text), '-'), ',')
        from doors_grant g
        where g.tenant = $1 and g.door in (select d.id from doors_door d where d.tenant = $1 and d.gateway = $2)
          and g.state <> 'revoked' and g.valid_from < $4 and (g.valid_until is null or g.valid_until > $3)
        group by g.door, g.state order by g.door, g.state limit 1000";

    SUSPENDED = "select community, string_agg(person, ',') from doors_suspension
        where tenant = $1 and community = $2 group by community";

    // A card opens the doors of the community whose office looks after it, so that no office opens another's doors.
    CARDS = "select state, string_agg(cast(number as text) || ' ' || person, ',') from doors_card
        where tenant = $1 and community = $2 and state <> 'ended' group by state order by state";

    PASSES = "select id, community, building, unit, starts_at, ends_at, uses_max, ended from doors_pass
        where tenant = $1 and community = $2 and ends_at > $3 and starts_at < $4 and id > $5 order by id limit 900";
}

/// The time that a snapshot is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

/// The gateway's doors: id, community, direction, released, `unlock_ms`, zone.
pub(crate) async fn doors(
    db: &impl Read,
    tenant: &TenantId,
    gateway: &DeviceId,
) -> anyhow::Result<Vec<Row>> {
    db.rows(DOORS, &[tenant.into(), gateway.into()]).await
}

/// The groups that hold one of them: id, community, admits, visitors, the six of the schedule, doors.
pub(crate) async fn groups(
    db: &impl Read,
    tenant: &TenantId,
    gateway: &DeviceId,
) -> anyhow::Result<Vec<Row>> {
    db.rows(GROUPS, &[tenant.into(), gateway.into()]).await
}

/// Who is bound in the community: community, building or nothing, people.
pub(crate) async fn members(
    db: &impl Read,
    tenant: &TenantId,
    community: &str,
    span: Span,
) -> anyhow::Result<Vec<Row>> {
    let (from, until) = (span.from.into(), span.until.into());
    let mut found = db
        .rows(UNHOUSED, &[tenant.into(), community.into(), from, until])
        .await?;
    let mut after = String::new();
    loop {
        let parameters = [
            tenant.into(),
            community.into(),
            after.as_str().into(),
            span.from.into(),
            span.until.into(),
        ];
        let page = db.rows(MEMBERS, &parameters).await?;
        let Some(last) = page.last() else {
            return Ok(found);
        };
        after = last.text(1)?.to_owned();
        found.extend(page);
    }
}

/// The explicit members of the community's groups: group, people.
pub(crate) async fn group_members(
    db: &impl Read,
    tenant: &TenantId,
    community: &str,
    span: Span,
) -> anyhow::Result<Vec<Row>> {
    let parameters = [
        tenant.into(),
        community.into(),
        span.from.into(),
        span.until.into(),
    ];
    db.rows(GROUP_MEMBERS, &parameters).await
}

/// The grants for the gateway's doors: door, state, people.
pub(crate) async fn grants(
    db: &impl Read,
    tenant: &TenantId,
    gateway: &DeviceId,
    span: Span,
) -> anyhow::Result<Vec<Row>> {
    let parameters = [
        tenant.into(),
        gateway.into(),
        span.from.into(),
        span.until.into(),
    ];
    db.rows(GRANTS, &parameters).await
}

/// Who is suspended in the community: community, people.
pub(crate) async fn suspended(
    db: &impl Read,
    tenant: &TenantId,
    community: &str,
) -> anyhow::Result<Vec<Row>> {
    db.rows(SUSPENDED, &[tenant.into(), community.into()]).await
}

/// The community's cards: state, numbers and people.
pub(crate) async fn cards(
    db: &impl Read,
    tenant: &TenantId,
    community: &str,
) -> anyhow::Result<Vec<Row>> {
    db.rows(CARDS, &[tenant.into(), community.into()]).await
}

/// The passes of the community's visits: id, community, building, unit, from, until, uses, ended.
pub(crate) async fn passes(
    db: &impl Read,
    tenant: &TenantId,
    community: &str,
    span: Span,
) -> anyhow::Result<Vec<Row>> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let parameters = [
            tenant.into(),
            community.into(),
            span.from.into(),
            span.until.into(),
            after.as_str().into(),
        ];
        let page = db.rows(PASSES, &parameters).await?;
        let Some(last) = page.last() else {
            return Ok(found);
        };
        after = last.text(0)?.to_owned();
        found.extend(page);
    }
}
