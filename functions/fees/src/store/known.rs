//! What others recorded: communities, rooms and who is bound to them.

use chrono::NaiveDate;
use kernel::{Actor, ActorId, BindingId, CommunityId, RoomId, TenantId, Timestamp, Zone};
use store::{Read, Tx};
use wire::event::{BindingStarted, CommunityChanged, RoomChanged};

use super::reach;
use crate::context::Context;
use crate::domain::{Household, LateTerms};
use crate::rows::{moved_in, read_terms};

statements! {
    COMMUNITY = "select name, time_zone, late_rate, grace_days, late_cap_percent, due_days, terms_version, point_minor,
            earn_minor
        from fees_community where tenant = $1 and id = $2";

    PUT_COMMUNITY = "insert into fees_community (tenant, id, name, time_zone, late_rate, grace_days, late_cap_percent,
            due_days, terms_version)
        values ($1, $2, $3, $4, 0, 0, 100, 30, 0)
        on conflict (tenant, id) do update set name = excluded.name, time_zone = excluded.time_zone";

    PUT_TERMS = "update fees_community set late_rate = $3, grace_days = $4, late_cap_percent = $5, due_days = $6,
            point_minor = $7, earn_minor = $8, terms_version = terms_version + 1
        where tenant = $1 and id = $2";

    PUT_ROOM = "insert into fees_room (tenant, id, community, name, area_dm2, usage) values ($1, $2, $3, $4, $5, $6)
        on conflict (tenant, id) do update set community = excluded.community, name = excluded.name,
            area_dm2 = excluded.area_dm2, usage = excluded.usage";

    ROOM = "select community, name from fees_room where tenant = $1 and id = $2";

    PUT_BINDING = "insert into fees_household (tenant, binding, person, role, community, room, valid_from, valid_until)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (tenant, binding) do update set person = excluded.person, role = excluded.role,
            community = excluded.community, room = excluded.room, valid_from = excluded.valid_from,
            valid_until = excluded.valid_until";

    END_BINDING = "update fees_household set valid_until = $3 where tenant = $1 and binding = $2";

    IS_BOUND = "select 1 from fees_household
        where tenant = $1 and person = $2 and room = $3
          and valid_from <= $4 and (valid_until is null or valid_until > $4)
        limit 1";

    PAYERS = "select distinct person from fees_household
        where tenant = $1 and room = $2 and role in ('owner', 'tenant')
          and valid_from <= $3 and (valid_until is null or valid_until > $3)
        order by person limit 50";

    ROOMS_AFTER = "select r.id, r.area_dm2, r.usage, count(distinct h.person), min(h.valid_from)
        from fees_room r
        left join fees_household h on h.tenant = r.tenant and h.community = r.community and h.room = r.id
            and h.valid_from < $4 and (h.valid_until is null or h.valid_until > $3)
        where r.tenant = $1 and r.community = $2 and (cast($5 as text) is null or r.id > $5)
        group by r.id, r.area_dm2, r.usage order by r.id limit $6";

    ROOMS_SEEN = "select r.id, r.name from fees_room r
        where r.tenant = $1 and r.id = $2
          and (cast($3 as text) is null or replace($3, ',' || r.community || ',', '') <> $3
            or exists (select 1 from fees_household h
                where h.tenant = r.tenant and h.room = r.id and h.person = $4
                  and h.valid_from <= $5 and (h.valid_until is null or h.valid_until > $5)))";
}

/// A community as fees know it.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) name: String,
    pub(crate) zone: Zone,
    pub(crate) terms: LateTerms,
    pub(crate) points: PointTerms,
    pub(crate) terms_version: i64,
}

/// What points are worth, and how they are earned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PointTerms {
    /// What one is worth, in fen; 0 where they are not taken.
    pub(crate) point_minor: i64,
    /// How much paid in time earns one, in fen; 0 where none is earned.
    pub(crate) earn_minor: i64,
}

impl Known {
    /// The date by its clocks.
    pub(crate) fn today(&self, now: Timestamp) -> NaiveDate {
        self.zone.local(now).date
    }
}

/// The community, once it has been heard of.
pub(crate) async fn community(
    db: &impl Read,
    tenant: &TenantId,
    id: &CommunityId,
) -> anyhow::Result<Option<Known>> {
    let row = db.row(COMMUNITY, &[tenant.into(), id.into()]).await?;
    row.map(|row| {
        Ok(Known {
            name: row.text(0)?.to_owned(),
            zone: Zone::parse(row.text(1)?)?,
            terms: read_terms(&row, 2)?,
            points: PointTerms {
                point_minor: row.integer(7)?,
                earn_minor: row.integer(8)?,
            },
            terms_version: row.integer(6)?,
        })
    })
    .transpose()
}

/// Stores a community; its terms stay.
pub(crate) async fn put_community(tx: &Tx, changed: &CommunityChanged) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&changed.community).into(),
        (&changed.name).into(),
        (&changed.time_zone).into(),
    ];
    tx.execute(PUT_COMMUNITY, &parameters).await
}

/// Stores a community's terms.
pub(crate) async fn put_terms(
    tx: &Tx,
    community: &CommunityId,
    (terms, points): (LateTerms, PointTerms),
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        community.into(),
        terms.rate_per_100k.into(),
        terms.grace_days.into(),
        terms.cap_percent.into(),
        terms.due_days.into(),
        points.point_minor.into(),
        points.earn_minor.into(),
    ];
    tx.execute(PUT_TERMS, &parameters).await
}

/// Stores a room.
pub(crate) async fn put_room(tx: &Tx, changed: &RoomChanged) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&changed.room).into(),
        (&changed.community).into(),
        (&changed.name).into(),
        changed.area_dm2.into(),
        (&changed.usage).into(),
    ];
    tx.execute(PUT_ROOM, &parameters).await
}

/// The community and the name of a room.
pub(crate) async fn room(
    db: &impl Read,
    tenant: &TenantId,
    room: &RoomId,
) -> anyhow::Result<Option<(CommunityId, String)>> {
    let row = db.row(ROOM, &[tenant.into(), room.into()]).await?;
    row.map(|row| Ok((row.id(0)?, row.text(1)?.to_owned())))
        .transpose()
}

/// The name of a room whose bills the caller sees.
pub(crate) async fn room_seen(
    context: &Context,
    actor: &Actor,
    room: &RoomId,
) -> anyhow::Result<Option<String>> {
    let parameters = [
        (&actor.tenant).into(),
        room.into(),
        reach(actor)?.into(),
        (&actor.id).into(),
        context.now.into(),
    ];
    let row = context.db.row(ROOMS_SEEN, &parameters).await?;
    row.map(|row| Ok(row.text(1)?.to_owned())).transpose()
}

/// Stores that a person is bound to a room.
pub(crate) async fn put_binding(
    tx: &Tx,
    started: &BindingStarted,
    room: &RoomId,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&started.binding).into(),
        (&started.person).into(),
        started.role.as_str().into(),
        (&started.community).into(),
        room.into(),
        started.from.into(),
        started.until.into(),
    ];
    tx.execute(PUT_BINDING, &parameters).await
}

/// Stores until when a binding holds.
pub(crate) async fn end_binding(
    tx: &Tx,
    binding: &BindingId,
    until: Option<Timestamp>,
) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), binding.into(), until.into()];
    tx.execute(END_BINDING, &parameters).await
}

/// Whether the person is bound to the room now.
pub(crate) async fn is_bound(
    db: &impl Read,
    tenant: &TenantId,
    (person, room): (&ActorId, &RoomId),
    now: Timestamp,
) -> anyhow::Result<bool> {
    let parameters = [tenant.into(), person.into(), room.into(), now.into()];
    Ok(db.row(IS_BOUND, &parameters).await?.is_some())
}

/// The owners and tenants of a room now.
pub(crate) async fn payers(tx: &Tx, room: &RoomId, now: Timestamp) -> anyhow::Result<Vec<ActorId>> {
    let parameters = [tx.tenant().into(), room.into(), now.into()];
    let rows = tx.rows(PAYERS, &parameters).await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// The rooms of a community after that one, at most `limit`, and who was bound to them in a span of time.
pub(crate) async fn rooms_after(
    tx: &Tx,
    (community, zone): (&CommunityId, Zone),
    (from, until): (Timestamp, Timestamp),
    after: Option<&RoomId>,
    limit: i64,
) -> anyhow::Result<Vec<Household>> {
    let parameters = [
        tx.tenant().into(),
        community.into(),
        from.into(),
        until.into(),
        after.into(),
        limit.into(),
    ];
    let rows = tx.rows(ROOMS_AFTER, &parameters).await?;
    rows.iter()
        .map(|row| {
            Ok(Household {
                room: row.id(0)?,
                area_dm2: row.integer(1)?,
                usage: row.text(2)?.to_owned(),
                persons: u32::try_from(row.integer(3)?)?,
                moved_in: moved_in(row.optional_integer(4)?, zone),
            })
        })
        .collect()
}
