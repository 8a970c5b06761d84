//! Passes that come again.

use chrono::NaiveDate;
use kernel::{Actor, TenantId, Timestamp, VisitId};
use store::{Read, Tx};
use web::Page;

use super::reach;
use crate::domain::{Reason, Recurring, RecurringState};
use crate::rows::{read_recurring, recurring_values};

statements! {
    RECURRING = "select id, community, building, unit, room, name, phone, phone_digest, plate, purpose, host,
            host_reason, days, minute_from, minute_until, first_day, last_day, uses_max, created_at, state, ended_by,
            ended_at, ended_reason, planned_through
        from visitors_recurring where tenant = $1 and id = $2";

    RECURRINGS = "select r.id, r.community, r.building, r.unit, r.room, r.name, r.phone, r.phone_digest, r.plate,
            r.purpose, r.host, r.host_reason, r.days, r.minute_from, r.minute_until, r.first_day, r.last_day,
            r.uses_max, r.created_at, r.state, r.ended_by, r.ended_at, r.ended_reason, r.planned_through
        from visitors_recurring r
        where r.tenant = $1
          and (cast($2 as text) is null or replace($2, ',' || r.community || ',', '') <> $2
            or exists (select 1 from visitors_household h
                where h.tenant = r.tenant and h.community = r.community and h.room = r.room and h.person = $3
                  and h.valid_from <= $4 and (h.valid_until is null or h.valid_until > $4)))
          and (cast($5 as text) is null or r.id < $5)
        order by r.id desc limit $6";

    INSERT_RECURRING = "insert into visitors_recurring (tenant, id, community, building, unit, room, name, phone,
            phone_digest, plate, purpose, host, host_reason, days, minute_from, minute_until, first_day, last_day,
            uses_max, created_at, planned_through, state)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
            'active')";

    REVOKE_RECURRING = "update visitors_recurring
        set state = 'revoked', ended_by = $3, ended_at = $4, ended_reason = $5
        where tenant = $1 and id = $2";

    PLANNED = "update visitors_recurring set planned_through = $3 where tenant = $1 and id = $2";

    TENANTS_TO_PLAN = "select distinct tenant from visitors_recurring
        where state = 'active' and planned_through < $1 and planned_through < last_day order by tenant limit $2";

    TO_PLAN = "select id from visitors_recurring
        where tenant = $1 and state = 'active' and planned_through < $2 and planned_through < last_day
        order by planned_through, id limit $3";
}

/// The pass.
pub(crate) async fn recurring(
    db: &impl Read,
    tenant: &TenantId,
    id: &VisitId,
) -> anyhow::Result<Option<Recurring>> {
    let row = db.row(RECURRING, &[tenant.into(), id.into()]).await?;
    row.map(|row| read_recurring(&row)).transpose()
}

/// The passes that the caller may know, the latest first.
pub(crate) async fn recurrings(
    db: &impl Read,
    actor: &Actor,
    (page, now): (&Page<VisitId>, Timestamp),
) -> anyhow::Result<Vec<Recurring>> {
    let parameters = [
        (&actor.tenant).into(),
        reach(actor).into(),
        (&actor.id).into(),
        now.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    db.rows(RECURRINGS, &parameters)
        .await?
        .iter()
        .map(read_recurring)
        .collect()
}

/// Adds a pass.
pub(crate) async fn insert_recurring(tx: &Tx, recurring: &Recurring) -> anyhow::Result<()> {
    tx.execute(INSERT_RECURRING, &recurring_values(tx.tenant(), recurring))
        .await
}

/// Stores that a pass was taken back; an active one is left alone.
pub(crate) async fn update_revoked(tx: &Tx, recurring: &Recurring) -> anyhow::Result<()> {
    let RecurringState::Revoked(end) = &recurring.state else {
        return Ok(());
    };
    let parameters = [
        tx.tenant().into(),
        (&recurring.id).into(),
        end.by.as_ref().into(),
        end.at.into(),
        end.reason.as_ref().map(Reason::as_str).into(),
    ];
    tx.execute(REVOKE_RECURRING, &parameters).await
}

/// Stores through which day the visits of a pass are made.
pub(crate) async fn update_planned(
    tx: &Tx,
    id: &VisitId,
    through: NaiveDate,
) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), id.into(), through.to_string().into()];
    tx.execute(PLANNED, &parameters).await
}

/// The tenants with passes whose visits are not made through that day, at most `limit`.
pub(crate) async fn tenants_to_plan(
    db: &impl Read,
    through: NaiveDate,
    limit: i64,
) -> anyhow::Result<Vec<TenantId>> {
    let parameters = [through.to_string().into(), limit.into()];
    let rows = db.rows(TENANTS_TO_PLAN, &parameters).await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// The passes whose visits are not made through that day, at most `limit`.
pub(crate) async fn to_plan(
    tx: &Tx,
    through: NaiveDate,
    limit: i64,
) -> anyhow::Result<Vec<VisitId>> {
    let parameters = [tx.tenant().into(), through.to_string().into(), limit.into()];
    let rows = tx.rows(TO_PLAN, &parameters).await?;
    rows.iter().map(|row| row.id(0)).collect()
}
