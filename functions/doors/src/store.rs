//! Every SQL statement of the capability: a function a statement, named after the question it answers.
//!
//! The tenant is the first parameter everywhere. Rows are read by position, in the order of the columns named.

use kernel::{
    Actor, ActorId, ActorKind, DeviceId, GrantId, MessageId, OpeningId, TenantId, Timestamp,
};
use store::{Read, Tx};
use web::Page;

use crate::domain::{Door, Grant, Occurrence, Opening};
use crate::rows::{
    asked_values, door_values, grant_values, occurrence_values, read_door, read_grant,
    read_occurrence, read_opening, settled_values,
};

/// Defines constants of SQL and lists them all.
macro_rules! statements {
    ($($name:ident = $sql:literal;)*) => {
        $(const $name: &str = $sql;)*

        /// Every statement with its name, so that a test can prepare all of them on both engines.
        pub(crate) const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $sql)),*];
    };
}

pub(crate) mod audit;
pub(crate) mod cards;
pub(crate) mod consume;
pub(crate) mod decide;
pub(crate) mod gateways;
pub(crate) mod groups;
pub(crate) mod log;
pub(crate) mod people;
pub(crate) mod releases;
pub(crate) mod short;
pub(crate) mod snapshot;

/// Every statement of the capability with its name.
#[must_use]
pub fn all_statements() -> Vec<(&'static str, &'static str)> {
    [
        STATEMENTS,
        audit::STATEMENTS,
        cards::STATEMENTS,
        consume::STATEMENTS,
        decide::STATEMENTS,
        gateways::STATEMENTS,
        groups::STATEMENTS,
        log::STATEMENTS,
        people::STATEMENTS,
        releases::STATEMENTS,
        short::STATEMENTS,
        snapshot::STATEMENTS,
    ]
    .concat()
}

statements! {
    DOOR = "select id, community, name, gateway, unlock_ms, direction, released, version from doors_door where tenant = $1 and id = $2";

    // The communities come as ',a,b,': a list that both engines can search exactly.
    DOORS = "select id, community, name, gateway, unlock_ms, direction, released, version from doors_door
        where tenant = $1 and (cast($2 as text) is null or replace($2, ',' || community || ',', '') <> $2)
          and (cast($3 as text) is null or id > $3)
        order by id limit $4";

    INSERT_DOOR = "insert into doors_door (tenant, id, community, name, gateway, unlock_ms, direction, released, version)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

    UPDATE_DOOR = "update doors_door set community = $3, name = $4, gateway = $5, unlock_ms = $6, direction = $7,
            released = $8, version = $9
        where tenant = $1 and id = $2";

    DOOR_HELD = "select id from doors_grant where tenant = $1 and door = $2 and person = $3 and state <> 'revoked'";

    GRANT = "select g.id, g.door, d.community, g.person, g.valid_from, g.valid_until,
            g.state, g.state_reason, g.state_by, g.state_at, g.version
        from doors_grant g join doors_door d on d.tenant = g.tenant and d.id = g.door
        where g.tenant = $1 and g.id = $2";

    GRANTS = "select g.id, g.door, d.community, g.person, g.valid_from, g.valid_until,
            g.state, g.state_reason, g.state_by, g.state_at, g.version
        from doors_grant g join doors_door d on d.tenant = g.tenant and d.id = g.door
        where g.tenant = $1 and g.door = $2 and (cast($3 as text) is null or g.person = $3)
          and (cast($4 as text) is null or g.id > $4)
        order by g.id limit $5";

    INSERT_GRANT = "insert into doors_grant (tenant, id, door, person, valid_from, valid_until,
            state, state_reason, state_by, state_at, version)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

    UPDATE_GRANT = "update doors_grant set door = $3, person = $4, valid_from = $5, valid_until = $6,
            state = $7, state_reason = $8, state_by = $9, state_at = $10, version = $11
        where tenant = $1 and id = $2";

    OPENING = "select o.id, o.door, d.community, o.person, o.ground, o.ground_detail, o.requested_at, o.expires_at,
            o.state, o.settled_at, o.latency_ms, o.state_reason, o.late_outcome, o.late_at, d.gateway
        from doors_opening o join doors_door d on d.tenant = o.tenant and d.id = o.door
        where o.tenant = $1 and o.door = $2 and o.id = $3";

    // An unanswered opening past its deadline has timed out, stored or not.
    OPENINGS = "select o.id, o.door, d.community, o.person, o.ground, o.ground_detail, o.requested_at, o.expires_at,
            o.state, o.settled_at, o.latency_ms, o.state_reason, o.late_outcome, o.late_at
        from doors_opening o join doors_door d on d.tenant = o.tenant and d.id = o.door
        where o.tenant = $1 and o.door = $2 and (cast($3 as text) is null or o.person = $3)
          and (cast($4 as bigint) is null or o.requested_at >= $4)
          and (cast($5 as bigint) is null or o.requested_at < $5)
          and (cast($6 as text) is null
            or $6 = case when o.state = 'requested' and o.expires_at <= $7 then 'timed_out' else o.state end)
          and (cast($8 as text) is null or o.id < $8)
        order by o.id desc limit $9";

    INSERT_OPENING = "insert into doors_opening (tenant, id, door, person, ground, ground_detail, requested_at,
            expires_at, state, state_reason)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

    UPDATE_OPENING = "update doors_opening set state = $3, settled_at = $4, latency_ms = $5, state_reason = $6,
            late_outcome = $7, late_at = $8
        where tenant = $1 and id = $2";

    TENANTS_WITH_OVERDUE = "select distinct tenant from doors_opening
        where state = 'requested' and expires_at <= $1 order by tenant limit $2";

    OVERDUE = "select o.id, o.door, d.community, o.person, o.ground, o.ground_detail, o.requested_at, o.expires_at,
            o.state, o.settled_at, o.latency_ms, o.state_reason, o.late_outcome, o.late_at
        from doors_opening o join doors_door d on d.tenant = o.tenant and d.id = o.door
        where o.tenant = $1 and o.state = 'requested' and o.expires_at <= $2
        order by o.expires_at limit $3";

    INSERT_OCCURRENCE = "insert into doors_occurrence
            (tenant, id, door, gateway, occurrence, happened_at, clock_believed, reported_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (tenant, id) do nothing returning id";

    OCCURRENCES = "select id, door, gateway, occurrence, happened_at, clock_believed, reported_at
        from doors_occurrence
        where tenant = $1 and door = $2 and (cast($3 as text) is null or (reported_at, id) <
            (select a.reported_at, a.id from doors_occurrence a where a.tenant = $1 and a.door = $2 and a.id = $3))
        order by reported_at desc, id desc limit $4";
}

/// Which openings of a door a list shows; what is absent does not filter.
#[derive(Debug, Clone, Default)]
pub(crate) struct OpeningFilter {
    /// Whose.
    pub person: Option<ActorId>,
    /// Requested at this moment or later.
    pub from: Option<Timestamp>,
    /// Requested before this moment.
    pub to: Option<Timestamp>,
    /// In this state as it stands now.
    pub state: Option<&'static str>,
}

/// The door.
pub(crate) async fn door(
    db: &impl Read,
    tenant: &TenantId,
    id: &DeviceId,
) -> anyhow::Result<Option<Door>> {
    let row = db.row(DOOR, &[tenant.into(), id.into()]).await?;
    row.map(|row| read_door(&row)).transpose()
}

/// The doors that the caller reaches, by id.
pub(crate) async fn doors(
    db: &impl Read,
    actor: &Actor,
    page: &Page<DeviceId>,
) -> anyhow::Result<Vec<Door>> {
    let after = page.after.as_ref();
    let parameters = [
        (&actor.tenant).into(),
        reach(actor).into(),
        after.into(),
        page.rows().into(),
    ];
    db.rows(DOORS, &parameters)
        .await?
        .iter()
        .map(read_door)
        .collect()
}

/// Adds a door.
pub(crate) async fn insert_door(tx: &Tx, door: &Door) -> anyhow::Result<()> {
    tx.execute(INSERT_DOOR, &door_values(tx.tenant(), door))
        .await
}

/// Stores the changes of a door.
pub(crate) async fn update_door(tx: &Tx, door: &Door) -> anyhow::Result<()> {
    tx.execute(UPDATE_DOOR, &door_values(tx.tenant(), door))
        .await
}

/// The grant that the person holds for the door.
pub(crate) async fn held_grant(
    tx: &Tx,
    door: &DeviceId,
    person: &ActorId,
) -> anyhow::Result<Option<Grant>> {
    let parameters = [tx.tenant().into(), door.into(), person.into()];
    let Some(row) = tx.row(DOOR_HELD, &parameters).await? else {
        return Ok(None);
    };
    grant(tx, tx.tenant(), &row.id(0)?).await
}

/// The grant.
pub(crate) async fn grant(
    db: &impl Read,
    tenant: &TenantId,
    id: &GrantId,
) -> anyhow::Result<Option<Grant>> {
    let row = db.row(GRANT, &[tenant.into(), id.into()]).await?;
    row.map(|row| read_grant(&row, 0)).transpose()
}

/// The grants for a door, of one person or of all, by id.
pub(crate) async fn grants(
    db: &impl Read,
    tenant: &TenantId,
    door: &DeviceId,
    person: Option<&ActorId>,
    page: &Page<GrantId>,
) -> anyhow::Result<Vec<Grant>> {
    let after = page.after.as_ref();
    let parameters = [
        tenant.into(),
        door.into(),
        person.into(),
        after.into(),
        page.rows().into(),
    ];
    db.rows(GRANTS, &parameters)
        .await?
        .iter()
        .map(|row| read_grant(row, 0))
        .collect()
}

/// Adds a grant.
pub(crate) async fn insert_grant(tx: &Tx, grant: &Grant) -> anyhow::Result<()> {
    tx.execute(INSERT_GRANT, &grant_values(tx.tenant(), grant))
        .await
}

/// Stores the changes of a grant.
pub(crate) async fn update_grant(tx: &Tx, grant: &Grant) -> anyhow::Result<()> {
    tx.execute(UPDATE_GRANT, &grant_values(tx.tenant(), grant))
        .await
}

/// The opening of that door, and the gateway that speaks for the door.
pub(crate) async fn opening(
    db: &impl Read,
    tenant: &TenantId,
    door: &DeviceId,
    id: &OpeningId,
) -> anyhow::Result<Option<(Opening, DeviceId)>> {
    let row = db
        .row(OPENING, &[tenant.into(), door.into(), id.into()])
        .await?;
    row.map(|row| Ok((read_opening(&row)?, row.id(14)?)))
        .transpose()
}

/// The openings of a door, the latest first.
pub(crate) async fn openings(
    db: &impl Read,
    tenant: &TenantId,
    door: &DeviceId,
    filter: &OpeningFilter,
    (page, now): (&Page<OpeningId>, Timestamp),
) -> anyhow::Result<Vec<Opening>> {
    let OpeningFilter {
        person,
        from,
        to,
        state,
    } = filter;
    let parameters = [
        tenant.into(),
        door.into(),
        person.as_ref().into(),
        (*from).into(),
        (*to).into(),
        (*state).into(),
        now.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    db.rows(OPENINGS, &parameters)
        .await?
        .iter()
        .map(read_opening)
        .collect()
}

/// Adds an opening, requested or refused.
pub(crate) async fn insert_opening(tx: &Tx, opening: &Opening) -> anyhow::Result<()> {
    tx.execute(INSERT_OPENING, &asked_values(tx.tenant(), opening))
        .await
}

/// Stores what became of an opening.
pub(crate) async fn update_opening(tx: &Tx, opening: &Opening) -> anyhow::Result<()> {
    tx.execute(UPDATE_OPENING, &settled_values(tx.tenant(), opening)?)
        .await
}

/// The tenants with openings whose deadline has passed unanswered, at most `limit`.
pub(crate) async fn tenants_with_overdue(
    db: &impl Read,
    now: Timestamp,
    limit: i64,
) -> anyhow::Result<Vec<TenantId>> {
    db.rows(TENANTS_WITH_OVERDUE, &[now.into(), limit.into()])
        .await?
        .iter()
        .map(|row| row.id(0))
        .collect()
}

/// The openings of the tenant whose deadline has passed unanswered, oldest first, at most `limit`.
pub(crate) async fn overdue(tx: &Tx, now: Timestamp, limit: i64) -> anyhow::Result<Vec<Opening>> {
    tx.rows(OVERDUE, &[tx.tenant().into(), now.into(), limit.into()])
        .await?
        .iter()
        .map(read_opening)
        .collect()
}

/// Adds an occurrence; whether it is new.
pub(crate) async fn insert_occurrence(tx: &Tx, occurrence: &Occurrence) -> anyhow::Result<bool> {
    let values = occurrence_values(tx.tenant(), occurrence)?;
    Ok(tx.row(INSERT_OCCURRENCE, &values).await?.is_some())
}

/// What happened at a door by itself, the latest report first.
pub(crate) async fn occurrences(
    db: &impl Read,
    tenant: &TenantId,
    door: &DeviceId,
    page: &Page<MessageId>,
) -> anyhow::Result<Vec<Occurrence>> {
    let parameters = [
        tenant.into(),
        door.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    db.rows(OCCURRENCES, &parameters)
        .await?
        .iter()
        .map(read_occurrence)
        .collect()
}

/// The communities that the caller reaches, as `,a,b,`; nothing when that is all of the tenant's.
pub(crate) fn reach(actor: &Actor) -> Option<String> {
    if matches!(actor.kind, ActorKind::Operator | ActorKind::Auditor) {
        return None;
    }
    let names: String = actor
        .communities
        .iter()
        .map(|community| format!("{community},"))
        .collect();
    Some(format!(",{names}"))
}
