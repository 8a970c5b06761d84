//! What is owed: arrears by room, statements, and whom to remind.

use chrono::NaiveDate;
use kernel::{BillId, CommunityId, RoomId, TenantId};
use store::{Read, Tx};
use web::Page;

use crate::domain::{Bill, Month};
use crate::rows::read_bill;

/// The most bills of one statement.
const STATEMENT_BILLS_MAX: i64 = 500;

statements! {
    ARREARS = "select b.room, r.name, count(*), cast(sum(b.amount_minor - b.discount_minor - b.paid_minor) as bigint),
            min(b.due_on)
        from fees_bill b left join fees_room r on r.tenant = b.tenant and r.id = b.room
        where b.tenant = $1 and b.community = $2 and b.state = 'published' and b.due_on < $3
          and (cast($4 as text) is null or b.room > $4)
        group by b.room, r.name order by b.room limit $5";

    STATEMENT = "select id, community, room, rule, rule_version, title, period, version, run, state, amount_minor, basis,
            mark, discount_minor, paid_minor, late_fixed_minor, late_paid_minor, late_waived_minor, late_since, due_on,
            published_at, months
        from fees_bill
        where tenant = $1 and room = $2 and state in ('published', 'paid') and period >= $3 and period <= $4
        order by period, title, version limit $5";

    BILLS_OWED = "select id, community, room, rule, rule_version, title, period, version, run, state, amount_minor, basis,
            mark, discount_minor, paid_minor, late_fixed_minor, late_paid_minor, late_waived_minor, late_since, due_on,
            published_at, months
        from fees_bill where tenant = $1 and community = $2 and room = $3 and state = 'published' and amount_minor < 0
        order by id limit 200";

    COMMUNITIES_TO_REMIND = "select distinct tenant, community from fees_bill
        where state = 'published' and due_on <= $1 and (reminded_on is null or reminded_on <= $2)
          and (tenant > $3 or (tenant = $3 and community > $4))
        order by tenant, community limit $5";

    TO_REMIND = "select community, room, count(*),
            cast(sum(amount_minor - discount_minor - paid_minor) as bigint), min(due_on)
        from fees_bill
        where tenant = $1 and community = $5 and state = 'published' and due_on <= $2
          and (reminded_on is null or reminded_on <= $3)
        group by community, room order by community, room limit $4";

    REMINDED = "update fees_bill set reminded_on = $4
        where tenant = $1 and community = $2 and room = $3 and state = 'published' and due_on <= $5";
}

/// What a room owes.
#[derive(Debug)]
pub(crate) struct Arrears {
    pub(crate) room: RoomId,
    pub(crate) name: Option<String>,
    pub(crate) bills: i64,
    pub(crate) outstanding_minor: i64,
    pub(crate) oldest_due_on: String,
}

/// The rooms of a community with bills that were due before a day, by room.
pub(crate) async fn arrears(
    db: &impl Read,
    (tenant, community): (&TenantId, &CommunityId),
    before: NaiveDate,
    page: &Page<RoomId>,
) -> anyhow::Result<Vec<Arrears>> {
    let parameters = [
        tenant.into(),
        community.into(),
        before.to_string().into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(ARREARS, &parameters).await?;
    rows.iter()
        .map(|row| {
            Ok(Arrears {
                room: row.id(0)?,
                name: row.optional_text(1)?.map(str::to_owned),
                bills: row.integer(2)?,
                outstanding_minor: row.integer(3)?,
                oldest_due_on: row.text(4)?.to_owned(),
            })
        })
        .collect()
}

/// The published bills of a room, from a month to another.
pub(crate) async fn statement(
    db: &impl Read,
    (tenant, room): (&TenantId, &RoomId),
    (from, to): (Month, Month),
) -> anyhow::Result<Vec<Bill>> {
    let parameters = [
        tenant.into(),
        room.into(),
        from.to_string().into(),
        to.to_string().into(),
        STATEMENT_BILLS_MAX.into(),
    ];
    let rows = db.rows(STATEMENT, &parameters).await?;
    rows.iter().map(read_bill).collect()
}

/// The bills of a room that give back.
pub(crate) async fn giving_back(
    tx: &Tx,
    (community, room): (&CommunityId, &RoomId),
) -> anyhow::Result<Vec<Bill>> {
    let parameters = [tx.tenant().into(), community.into(), room.into()];
    let rows = tx.rows(BILLS_OWED, &parameters).await?;
    rows.iter().map(read_bill).collect()
}

/// A room to be reminded.
#[derive(Debug)]
pub(crate) struct Reminder {
    pub(crate) community: CommunityId,
    pub(crate) room: RoomId,
    pub(crate) bills: i64,
    pub(crate) outstanding_minor: i64,
    pub(crate) due_on: String,
}

/// The communities with rooms to remind, after one of them.
pub(crate) async fn communities_to_remind(
    db: &impl Read,
    (due_by, reminded_by): (NaiveDate, NaiveDate),
    after: Option<&(TenantId, CommunityId)>,
    limit: i64,
) -> anyhow::Result<Vec<(TenantId, CommunityId)>> {
    let (tenant, community) = after.map_or(("", ""), |(tenant, community)| {
        (tenant.as_str(), community.as_str())
    });
    let parameters = [
        due_by.to_string().into(),
        reminded_by.to_string().into(),
        tenant.into(),
        community.into(),
        limit.into(),
    ];
    let rows = db.rows(COMMUNITIES_TO_REMIND, &parameters).await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.id(1)?)))
        .collect()
}

/// The rooms of a community with bills due by a day that were not reminded since another.
pub(crate) async fn to_remind(
    tx: &Tx,
    community: &CommunityId,
    (due_by, reminded_by): (NaiveDate, NaiveDate),
    limit: i64,
) -> anyhow::Result<Vec<Reminder>> {
    let parameters = [
        tx.tenant().into(),
        due_by.to_string().into(),
        reminded_by.to_string().into(),
        limit.into(),
        community.into(),
    ];
    let rows = tx.rows(TO_REMIND, &parameters).await?;
    rows.iter()
        .map(|row| {
            Ok(Reminder {
                community: row.id(0)?,
                room: row.id(1)?,
                bills: row.integer(2)?,
                outstanding_minor: row.integer(3)?,
                due_on: row.text(4)?.to_owned(),
            })
        })
        .collect()
}

/// Stores that a room was reminded of its bills due by a day.
pub(crate) async fn reminded(
    tx: &Tx,
    reminder: &Reminder,
    (today, due_by): (NaiveDate, NaiveDate),
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&reminder.community).into(),
        (&reminder.room).into(),
        today.to_string().into(),
        due_by.to_string().into(),
    ];
    tx.execute(REMINDED, &parameters).await
}

/// The bills of those ids that exist.
pub(crate) async fn of_ids(tx: &Tx, ids: &[BillId]) -> anyhow::Result<Vec<Bill>> {
    let mut found = Vec::new();
    for id in ids {
        found.extend(super::bills::bill(tx, tx.tenant(), id).await?);
    }
    Ok(found)
}
