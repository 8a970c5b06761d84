//! Bills: made in bulk, then one by one.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use kernel::{Actor, BillId, BillRunId, CommunityId, RoomId, TenantId, Timestamp};
use store::{Read, Tx, Value};
use web::Page;

use super::reach;
use crate::context::Context;
use crate::domain::{Bill, Month, Versions};
use crate::rows::{bill_values, read_bill, text};

statements! {
    BILL = "select id, community, room, rule, rule_version, title, period, version, run, state, amount_minor, basis, mark,
            discount_minor, paid_minor, late_fixed_minor, late_paid_minor, late_waived_minor, late_since, due_on,
            published_at, months
        from fees_bill where tenant = $1 and id = $2";

    // A draft is nobody's yet: only those who make it see it.
    BILLS = "select b.id, b.community, b.room, b.rule, b.rule_version, b.title, b.period, b.version, b.run, b.state,
            b.amount_minor, b.basis, b.mark, b.discount_minor, b.paid_minor, b.late_fixed_minor, b.late_paid_minor,
            b.late_waived_minor, b.late_since, b.due_on, b.published_at, months
        from fees_bill b
        where b.tenant = $1
          and (cast($2 as text) is null or replace($2, ',' || b.community || ',', '') <> $2
            or (b.state <> 'draft' and exists (select 1 from fees_household h
                where h.tenant = b.tenant and h.room = b.room and h.person = $3
                  and h.valid_from <= $4 and (h.valid_until is null or h.valid_until > $4))))
          and (cast($5 as text) is null or b.community = $5) and (cast($6 as text) is null or b.room = $6)
          and (cast($7 as text) is null or b.state = $7) and (cast($8 as text) is null or b.period = $8)
          and (cast($9 as text) is null or b.run = $9)
          and (cast($10 as text) is null or b.id < $10)
        order by b.id desc limit $11";

    INSERT_BILL = "insert into fees_bill (tenant, id, community, room, rule, rule_version, title, period, version, run,
            state, amount_minor, basis, mark, discount_minor, paid_minor, late_fixed_minor, late_paid_minor,
            late_waived_minor, due_on, published_at, months)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)";

    UPDATE_BILL = "update fees_bill set state = $3, discount_minor = $4, paid_minor = $5, late_fixed_minor = $6,
            late_paid_minor = $7, late_waived_minor = $8, late_since = $9
        where tenant = $1 and id = $2";

    VERSIONS = "select room, version, state, amount_minor, mark from fees_bill
        where tenant = $1 and community = $2 and rule = $3 and period = $4 and room >= $5 and room <= $6
          and (room > $7 or (room = $7 and version > $8))
        order by room, version limit 900";

    DRAFTS = "select id, community, room, rule, rule_version, title, period, version, run, state, amount_minor, basis,
            mark, discount_minor, paid_minor, late_fixed_minor, late_paid_minor, late_waived_minor, late_since, due_on,
            published_at, months
        from fees_bill where tenant = $1 and run = $2 and state = 'draft' order by id limit $3";

    PUBLISH_THROUGH = "update fees_bill set state = 'published', due_on = $4, published_at = $5
        where tenant = $1 and run = $2 and state = 'draft' and id <= $3";

    DISCARD = "delete from fees_bill where tenant = $1 and run = $2 and state = 'draft'";
}

/// Which bills are asked for.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) community: Option<CommunityId>,
    pub(crate) room: Option<RoomId>,
    pub(crate) state: Option<&'static str>,
    pub(crate) period: Option<Month>,
    pub(crate) run: Option<BillRunId>,
}

/// The bill.
pub(crate) async fn bill(
    db: &impl Read,
    tenant: &TenantId,
    id: &BillId,
) -> anyhow::Result<Option<Bill>> {
    let row = db.row(BILL, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read_bill).transpose()
}

/// The bills that the caller may see, the latest first.
pub(crate) async fn bills(
    context: &Context,
    actor: &Actor,
    wanted: &Wanted,
    page: &Page<BillId>,
) -> anyhow::Result<Vec<Bill>> {
    let parameters = [
        (&actor.tenant).into(),
        reach(actor)?.into(),
        (&actor.id).into(),
        context.now.into(),
        wanted.community.as_ref().into(),
        wanted.room.as_ref().into(),
        wanted.state.into(),
        wanted.period.map(|month| month.to_string()).into(),
        wanted.run.as_ref().into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = context.db.rows(BILLS, &parameters).await?;
    rows.iter().map(read_bill).collect()
}

/// Adds bills, hundreds with each statement.
pub(crate) async fn insert_bills(tx: &Tx, bills: &[Bill]) -> anyhow::Result<()> {
    let rows: Vec<Vec<Value>> = bills
        .iter()
        .map(|bill| bill_values(tx.tenant(), bill))
        .collect();
    tx.insert_many(INSERT_BILL, &rows).await
}

/// Stores what changed about a bill.
pub(crate) async fn update_bill(tx: &Tx, bill: &Bill) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&bill.id).into(),
        bill.state.as_str().into(),
        bill.discount_fen.into(),
        bill.paid_fen.into(),
        bill.late.fixed_fen.into(),
        bill.late.paid_fen.into(),
        bill.late.waived_fen.into(),
        text(bill.late.since).into(),
    ];
    tx.execute(UPDATE_BILL, &parameters).await
}

/// What there is already by one rule for one month, of the rooms from one to another.
pub(crate) async fn versions(
    tx: &Tx,
    (community, rule): (&CommunityId, &str),
    month: Month,
    (first, last): (&RoomId, &RoomId),
) -> anyhow::Result<BTreeMap<RoomId, Versions>> {
    let mut found: BTreeMap<RoomId, Versions> = BTreeMap::new();
    let mut after = (String::new(), 0);
    loop {
        let parameters = [
            tx.tenant().into(),
            community.into(),
            rule.into(),
            month.to_string().into(),
            first.into(),
            last.into(),
            (&after.0).into(),
            after.1.into(),
        ];
        let rows = tx.rows(VERSIONS, &parameters).await?;
        for row in &rows {
            let counts = row.text(2)? != "voided";
            after = (row.text(0)?.to_owned(), row.integer(1)?);
            let known = found.entry(row.id(0)?).or_insert(Versions {
                latest: 0,
                live: false,
                live_fen: 0,
                mark: String::new(),
            });
            known.latest = row.integer(1)?;
            if counts {
                known.live = true;
                known.live_fen += row.integer(3)?;
                known.mark = row.text(4)?.to_owned();
            }
        }
        if rows.len() < 900 {
            return Ok(found);
        }
    }
}

/// The first drafts of a run, at most `limit`.
pub(crate) async fn drafts(tx: &Tx, run: &BillRunId, limit: i64) -> anyhow::Result<Vec<Bill>> {
    let parameters = [tx.tenant().into(), run.into(), limit.into()];
    let rows = tx.rows(DRAFTS, &parameters).await?;
    rows.iter().map(read_bill).collect()
}

/// Publishes the drafts of a run up to that one.
pub(crate) async fn publish_through(
    tx: &Tx,
    (run, last): (&BillRunId, &BillId),
    due_on: NaiveDate,
    now: Timestamp,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        run.into(),
        last.into(),
        due_on.to_string().into(),
        now.into(),
    ];
    tx.execute(PUBLISH_THROUGH, &parameters).await
}

/// Deletes the drafts of a run: nobody has ever owed them.
pub(crate) async fn discard(tx: &Tx, run: &BillRunId) -> anyhow::Result<()> {
    tx.execute(DISCARD, &[tx.tenant().into(), run.into()]).await
}
