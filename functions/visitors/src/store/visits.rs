//! Visits.

use chrono::NaiveDate;
use kernel::{Actor, CommunityId, PassId, RoomId, TenantId, Timestamp, VisitId};
use store::{Read, Tx};
use web::Page;

use super::reach;
use crate::domain::{Mark, Visit};
use crate::rows::{changed_values, read_visit, visit_values};

statements! {
    VISIT = "select id, community, building, unit, room, room_text, kind, name, phone, phone_digest, plate, purpose,
            recurring, requested_by, requested_at, state, answer_by, host, host_reason, pass, valid_from, valid_until,
            uses_max, uses, arrived_at, ended_by, ended_at, ended_reason
        from visitors_visit where tenant = $1 and id = $2";

    // The communities come as ',a,b,': a list that both engines can search exactly. What time has ended has ended,
    // stored or not.
    VISITS = "select v.id, v.community, v.building, v.unit, v.room, v.room_text, v.kind, v.name, v.phone,
            v.phone_digest, v.plate, v.purpose, v.recurring, v.requested_by, v.requested_at, v.state, v.answer_by,
            v.host, v.host_reason, v.pass, v.valid_from, v.valid_until, v.uses_max, v.uses, v.arrived_at, v.ended_by,
            v.ended_at, v.ended_reason
        from visitors_visit v
        where v.tenant = $1
          and (cast($2 as text) is null or replace($2, ',' || v.community || ',', '') <> $2
            or exists (select 1 from visitors_household h
                where h.tenant = v.tenant and h.community = v.community and h.room = v.room and h.person = $3
                  and h.valid_from <= $4 and (h.valid_until is null or h.valid_until > $4)))
          and (cast($5 as text) is null or v.community = $5)
          and (cast($6 as text) is null or v.room = $6)
          and (cast($7 as text) is null or $7 = case
            when v.due_at <= $4 and v.state = 'arrived' then 'left'
            when v.due_at <= $4 then 'expired'
            else v.state end)
          and (cast($8 as text) is null or v.id < $8)
        order by v.id desc limit $9";

    INSERT_VISIT = "insert into visitors_visit (tenant, id, community, building, unit, room, room_text, kind, name,
            phone, phone_digest, plate, purpose, recurring, requested_by, requested_at, state, answer_by, host,
            host_reason, pass, valid_from, valid_until, uses_max, uses, arrived_at, ended_by, ended_at, ended_reason,
            due_at, day)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
            $23, $24, $25, $26, $27, $28, $29, $30, $31)";

    UPDATE_VISIT = "update visitors_visit set building = $3, unit = $4, room = $5, room_text = $6, state = $7,
            answer_by = $8, host = $9, host_reason = $10, pass = $11, valid_from = $12, valid_until = $13,
            uses_max = $14, uses = $15, arrived_at = $16, ended_by = $17, ended_at = $18, ended_reason = $19,
            due_at = $20
        where tenant = $1 and id = $2";

    VISIT_OF_PASS = "select id from visitors_visit where tenant = $1 and pass = $2";

    // The current or next visit of a pass that comes again.
    NEXT_OF_RECURRING = "select id from visitors_visit
        where tenant = $1 and recurring = $2 and valid_until > $3 order by valid_from limit 1";

    OPEN_OF_RECURRING = "select id from visitors_visit
        where tenant = $1 and recurring = $2 and due_at is not null order by id limit 100";

    OPEN_OF_MARK = "select id from visitors_visit
        where tenant = $1 and community = $2 and due_at is not null
          and ((cast($3 as text) = 'phone' and phone_digest = $4) or (cast($3 as text) = 'plate' and plate = $4))
        order by id limit 500";

    REQUESTS_OF_PHONE = "select count(id) from visitors_visit
        where tenant = $1 and phone_digest = $2 and requested_by is null and requested_at > $3";

    REQUESTS_OF_COMMUNITY = "select count(id) from visitors_visit
        where tenant = $1 and community = $2 and requested_by is null and requested_at > $3";

    TENANTS_WITH_DUE = "select distinct tenant from visitors_visit where due_at <= $1 order by tenant limit $2";

    DUE = "select id from visitors_visit where tenant = $1 and due_at <= $2 order by due_at, id limit $3";
}

/// Which visits a list shows; what is absent does not filter.
#[derive(Debug, Clone, Default)]
pub(crate) struct VisitFilter {
    /// In this community.
    pub community: Option<CommunityId>,
    /// To this room.
    pub room: Option<RoomId>,
    /// In this state as it stands now.
    pub state: Option<&'static str>,
}

/// The visit.
pub(crate) async fn visit(
    db: &impl Read,
    tenant: &TenantId,
    id: &VisitId,
) -> anyhow::Result<Option<Visit>> {
    let row = db.row(VISIT, &[tenant.into(), id.into()]).await?;
    row.map(|row| read_visit(&row)).transpose()
}

/// The visits that the caller may know, the latest first.
pub(crate) async fn visits(
    db: &impl Read,
    actor: &Actor,
    filter: &VisitFilter,
    (page, now): (&Page<VisitId>, Timestamp),
) -> anyhow::Result<Vec<Visit>> {
    let parameters = [
        (&actor.tenant).into(),
        reach(actor).into(),
        (&actor.id).into(),
        now.into(),
        filter.community.as_ref().into(),
        filter.room.as_ref().into(),
        filter.state.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    db.rows(VISITS, &parameters)
        .await?
        .iter()
        .map(read_visit)
        .collect()
}

/// Adds a visit; `day` is that of a recurring pass.
pub(crate) async fn insert_visit(
    tx: &Tx,
    visit: &Visit,
    day: Option<NaiveDate>,
) -> anyhow::Result<()> {
    tx.execute(INSERT_VISIT, &visit_values(tx.tenant(), visit, day))
        .await
}

/// Stores what became of a visit.
pub(crate) async fn update_visit(tx: &Tx, visit: &Visit) -> anyhow::Result<()> {
    tx.execute(UPDATE_VISIT, &changed_values(tx.tenant(), visit))
        .await
}

/// The visit that is let in with this pass.
pub(crate) async fn visit_of_pass(tx: &Tx, pass: &PassId) -> anyhow::Result<Option<VisitId>> {
    let row = tx
        .row(VISIT_OF_PASS, &[tx.tenant().into(), pass.into()])
        .await?;
    row.map(|row| row.id(0)).transpose()
}

/// The current or next visit of a pass that comes again.
pub(crate) async fn next_of_recurring(
    db: &impl Read,
    tenant: &TenantId,
    recurring: &VisitId,
    now: Timestamp,
) -> anyhow::Result<Option<VisitId>> {
    let parameters = [tenant.into(), recurring.into(), now.into()];
    let row = db.row(NEXT_OF_RECURRING, &parameters).await?;
    row.map(|row| row.id(0)).transpose()
}

/// The visits of a pass that comes again which have not ended.
pub(crate) async fn open_of_recurring(
    tx: &Tx,
    recurring: &VisitId,
) -> anyhow::Result<Vec<VisitId>> {
    let parameters = [tx.tenant().into(), recurring.into()];
    let rows = tx.rows(OPEN_OF_RECURRING, &parameters).await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// The visits of somebody in a community which have not ended.
pub(crate) async fn open_of_mark(
    tx: &Tx,
    community: &CommunityId,
    mark: &Mark,
) -> anyhow::Result<Vec<VisitId>> {
    let parameters = [
        tx.tenant().into(),
        community.into(),
        mark.kind().into(),
        mark.key().into(),
    ];
    let rows = tx.rows(OPEN_OF_MARK, &parameters).await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// How often this number, and this community, asked at the gate since then.
pub(crate) async fn requests_since(
    tx: &Tx,
    community: &CommunityId,
    phone_digest: &str,
    since: Timestamp,
) -> anyhow::Result<(i64, i64)> {
    let of_phone = [tx.tenant().into(), phone_digest.into(), since.into()];
    let of_community = [tx.tenant().into(), community.into(), since.into()];
    let phone = tx.row(REQUESTS_OF_PHONE, &of_phone).await?;
    let community = tx.row(REQUESTS_OF_COMMUNITY, &of_community).await?;
    let count = |row: Option<store::Row>| row.map_or(Ok(0), |row| row.integer(0));
    Ok((count(phone)?, count(community)?))
}

/// The tenants with visits that time has ended, at most `limit`.
pub(crate) async fn tenants_with_due(
    db: &impl Read,
    now: Timestamp,
    limit: i64,
) -> anyhow::Result<Vec<TenantId>> {
    let rows = db
        .rows(TENANTS_WITH_DUE, &[now.into(), limit.into()])
        .await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// The visits of the tenant that time has ended, oldest first, at most `limit`.
pub(crate) async fn due(tx: &Tx, now: Timestamp, limit: i64) -> anyhow::Result<Vec<VisitId>> {
    let parameters = [tx.tenant().into(), now.into(), limit.into()];
    let rows = tx.rows(DUE, &parameters).await?;
    rows.iter().map(|row| row.id(0)).collect()
}
