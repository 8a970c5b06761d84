//! What a decision about one person at one door has to know: index look-ups only, however many people there are.

use access::{Belongs, Group, Held, History, Place, Subject};
use anyhow::Context as _;
use kernel::{ActorId, DeviceId, GrantId, PassId, TenantId, Timestamp, Zone};
use store::{Read, Row, Tx};
use wire::pass::{Holder, Target};
use wire::snapshot::{Direction, Window};

use crate::domain::{Door, Known, windows};
use crate::rows::{read_door, read_schedule_parts};

/// How far back the history of a person at a door counts, in milliseconds.
const HOUR_MS: i64 = 60 * 60 * 1_000;

statements! {
    // The door, whether its gateway is there, and its community's zone.
    DOOR_NOW = "select d.id, d.community, d.name, d.gateway, d.unlock_ms, d.direction, d.released, d.version,
            coalesce(w.online, 1), coalesce(c.zone, 'Asia/Shanghai')
        from doors_door d
        left join doors_gateway w on w.tenant = d.tenant and w.id = d.gateway
        left join doors_community c on c.tenant = d.tenant and c.id = d.community
        where d.tenant = $1 and d.id = $2";

    GROUPS_OF_DOOR = "select g.id, g.admits, g.visitors, s.id, s.community, s.name, s.weekly, s.exceptions, s.version
        from doors_group_door m
        join doors_group g on g.tenant = m.tenant and g.id = m.group_id
        left join doors_schedule s on s.tenant = g.tenant and s.id = g.schedule
        where m.tenant = $1 and m.door = $2 order by g.id limit 500";

    BELONGS = "select role, building, unit, null, starts_at, ends_at from doors_member
            where tenant = $1 and person = $2 and community = $3
        union all
        select 'explicit', null, null, m.group_id, m.starts_at, m.ends_at from doors_group_member m
            join doors_group g on g.tenant = m.tenant and g.id = m.group_id
            where m.tenant = $1 and m.person = $2 and g.community = $3
        limit 500";

    // The suspension, what happened before, and the single grant: one row whatever there is, at most a hundred openings
    // looked at.
    ABOUT = "with doors_hour as (select a.id from doors_access a
            where a.tenant = $1 and a.person = $2 and a.door = $4 and a.decided_at > $5 and a.allowed = 1 limit 100)
        select
            (select count(s.person) from doors_suspension s where s.tenant = $1 and s.community = $3 and s.person = $2),
            (select a.decided_at from doors_access a
                where a.tenant = $1 and a.person = $2 and a.door = $4 and a.decided_at > $5 and a.allowed = 1
                order by a.decided_at desc limit 1),
            (select count(h.id) from doors_hour h),
            (select a.direction from doors_access a where a.tenant = $1 and a.person = $2 and a.community = $3
                and a.allowed = 1 and a.direction <> 'both' order by a.decided_at desc limit 1),
            g.id, g.valid_from, g.valid_until, g.state
        from doors_door d left join doors_grant g
            on g.tenant = d.tenant and g.door = d.id and g.person = $2 and g.state <> 'revoked'
        where d.tenant = $1 and d.id = $4";

    HOLDS_GRANT = "select id from doors_grant where tenant = $1 and person = $2 and state = 'active' limit 1";

    USES = "select uses from doors_pass_use where tenant = $1 and pass = $2 and step = $3 and door = $4";
}

/// The door as it stands now, without anybody who asks.
pub(crate) async fn place(
    db: &impl Read,
    tenant: &TenantId,
    door: &DeviceId,
    now: Timestamp,
) -> anyhow::Result<Option<(Door, Place)>> {
    let Some(row) = db.row(DOOR_NOW, &[tenant.into(), door.into()]).await? else {
        return Ok(None);
    };
    let (door, online) = (read_door(&row)?, row.boolean(8)?);
    let zone = Zone::parse(row.text(9)?)?;
    let rows = db
        .rows(GROUPS_OF_DOOR, &[tenant.into(), (&door.id).into()])
        .await?;
    let groups = rows.iter().map(|row| read_group(row, zone, now));
    let place = Place {
        tenant: tenant.clone(),
        community: door.community.clone(),
        direction: door.direction,
        released: door.released,
        online,
        groups: groups.collect::<anyhow::Result<_>>()?,
    };
    Ok(Some((door, place)))
}

/// The door and everything that a decision about this person has to know.
pub(crate) async fn known(
    tx: &Tx,
    door: &DeviceId,
    person: Option<&ActorId>,
    now: Timestamp,
) -> anyhow::Result<Option<Known>> {
    let Some((door, place)) = place(tx, tx.tenant(), door, now).await? else {
        return Ok(None);
    };
    let mut known = Known {
        door,
        place,
        subject: Subject::default(),
        grant: None,
        history: History::default(),
    };
    if let Some(person) = person {
        about(tx, &mut known, person, now).await?;
    }
    Ok(Some(known))
}

/// Where a person belongs in a community.
pub(crate) async fn belongs(
    db: &impl Read,
    tenant: &TenantId,
    person: &ActorId,
    community: &kernel::CommunityId,
) -> anyhow::Result<Vec<Belongs>> {
    let rows = db
        .rows(BELONGS, &[tenant.into(), person.into(), community.into()])
        .await?;
    rows.iter().map(read_belongs).collect()
}

/// Whether the person holds any single grant.
pub(crate) async fn holds_grant(
    db: &impl Read,
    tenant: &TenantId,
    person: &ActorId,
) -> anyhow::Result<bool> {
    let row = db.row(HOLDS_GRANT, &[tenant.into(), person.into()]).await?;
    Ok(row.is_some())
}

/// How often the pass opened the door in that step.
pub(crate) async fn uses(
    tx: &Tx,
    pass: &PassId,
    step: u64,
    door: &DeviceId,
) -> anyhow::Result<u32> {
    let step = i64::try_from(step)?;
    let parameters = [tx.tenant().into(), pass.into(), step.into(), door.into()];
    let row = tx.row(USES, &parameters).await?;
    row.map_or(Ok(0), |row| Ok(u32::try_from(row.integer(0)?)?))
}

async fn about(tx: &Tx, known: &mut Known, person: &ActorId, now: Timestamp) -> anyhow::Result<()> {
    let (tenant, door) = (tx.tenant(), &known.door);
    known.subject.belongs = belongs(tx, tenant, person, &door.community).await?;
    let parameters = [
        tenant.into(),
        person.into(),
        (&door.community).into(),
        (&door.id).into(),
        now.plus_millis(-HOUR_MS).into(),
    ];
    let row = tx.row(ABOUT, &parameters).await?;
    let row = row.context("a row about the person")?;
    known.subject.suspended = row.integer(0)? > 0;
    known.history = History {
        last_at: row.optional_timestamp(1)?,
        in_hour: u32::try_from(row.integer(2)?)?,
        uses: 0,
        last_direction: row.optional_text(3)?.and_then(Direction::parse),
    };
    if let Some(grant) = row.optional_id::<GrantId>(4)? {
        known.grant = Some(grant);
        known.subject.grant = Some(Held {
            window: window(&row, 5)?,
            suspended: row.text(7)? == "suspended",
        });
    }
    Ok(())
}

fn read_group(row: &Row, zone: Zone, now: Timestamp) -> anyhow::Result<Group> {
    let schedule = match row.optional_text(3)? {
        None => None,
        Some(_) => Some(read_schedule_parts(row, 3)?),
    };
    Ok(Group {
        id: row.id(0)?,
        admits: read_targets(row.text(1)?)?,
        visitors: row.boolean(2)?,
        windows: schedule.map(|schedule| windows(&schedule, zone, now, now.plus_millis(1))),
    })
}

/// Targets from words with blanks between.
pub(crate) fn read_targets(words: &str) -> anyhow::Result<Vec<Target>> {
    words
        .split_whitespace()
        .map(|word| Target::unpack(word).with_context(|| format!("{word:?} is no target")))
        .collect()
}

fn read_belongs(row: &Row) -> anyhow::Result<Belongs> {
    let holder = holder_of(row.text(0)?);
    let target = match row.optional_id(3)? {
        Some(group) => Target::Group(group),
        None => home(row.optional_text(1)?, row.optional_text(2)?)?,
    };
    Ok(Belongs {
        target,
        holder,
        window: Some(window(row, 4)?),
    })
}

/// What somebody of that role is.
pub(crate) fn holder_of(role: &str) -> Holder {
    if role == "staff" {
        Holder::Staff
    } else {
        Holder::Resident
    }
}

/// Where a binding to this building and entrance belongs.
pub(crate) fn home(building: Option<&str>, unit: Option<&str>) -> anyhow::Result<Target> {
    Ok(match (building, unit) {
        (Some(building), Some(unit)) => Target::Unit(
            kernel::BuildingId::parse(building)?,
            kernel::UnitId::parse(unit)?,
        ),
        (Some(building), None) => Target::Building(kernel::BuildingId::parse(building)?),
        (None, _) => Target::Community,
    })
}

fn window(row: &Row, first: usize) -> anyhow::Result<Window> {
    Ok(Window {
        from: row.integer(first)?,
        until: row.optional_integer(first + 1)?.unwrap_or(i64::MAX),
    })
}
