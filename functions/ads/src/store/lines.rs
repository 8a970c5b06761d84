//! Lines, with the creatives that each shows.

use advertising::Micros;
use chrono::NaiveDate;
use kernel::{AdLineId, AdOrderId, BarterId, CreativeId, MerchantId, TenantId, Timestamp};
use serde_json::to_string;
use store::{Read, Row, Tx, Value};
use web::Page;

use super::{caps, day, on, optional_day, word};
use crate::domain::line::LineKind;
use crate::domain::placement::Pricing;
use crate::domain::wish::{Pacing, Wish};
use crate::domain::{Line, LineState};
use crate::rows::{caps_of, targeting_of, targeting_text, written_caps};

statements! {
    INSERT_LINE = "insert into ads_line (tenant, id, order_id, merchant, placement, class, kind, state, starts_on, ends_on,
            pricing, price_minor, total_minor, goal_views, pacing, weight, caps, targeting, reserved_until, live, barter,
            make_good_of, made_good, paused_from, booked_at, deal_minor, charge_month, stopped_on, created_by, created_at,
            version)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
            $24, $25, $26, $27, $28, $29, $30, $31)";

    UPDATE_LINE = "update ads_line set state = $3, price_minor = $4, total_minor = $5, reserved_until = $6, live = $7,
            made_good = $8, paused_from = $9, booked_at = $10, stopped_on = $11, version = $12
        where tenant = $1 and id = $2";

    SET_DEAL = "update ads_line set deal_minor = $3, charge_month = $4 where tenant = $1 and id = $2";

    LINE = "select id, order_id, merchant, placement, class, kind, state, starts_on, ends_on, pricing, price_minor,
            total_minor, goal_views, pacing, weight, caps, targeting, reserved_until, barter, make_good_of, made_good,
            paused_from, booked_at, stopped_on, created_by, created_at, version
        from ads_line where tenant = $1 and id = $2";

    LINES_OF_ORDER = "select id, order_id, merchant, placement, class, kind, state, starts_on, ends_on, pricing, price_minor,
            total_minor, goal_views, pacing, weight, caps, targeting, reserved_until, barter, make_good_of, made_good,
            paused_from, booked_at, stopped_on, created_by, created_at, version
        from ads_line where tenant = $1 and order_id = $2 order by id limit 200";

    LINES = "select id, order_id, merchant, placement, class, kind, state, starts_on, ends_on, pricing, price_minor,
            total_minor, goal_views, pacing, weight, caps, targeting, reserved_until, barter, make_good_of, made_good,
            paused_from, booked_at, stopped_on, created_by, created_at, version
        from ads_line where tenant = $1 and merchant = $2 and id > $3 order by id limit $4";

    ALL_LINES = "select id, order_id, merchant, placement, class, kind, state, starts_on, ends_on, pricing, price_minor,
            total_minor, goal_views, pacing, weight, caps, targeting, reserved_until, barter, make_good_of, made_good,
            paused_from, booked_at, stopped_on, created_by, created_at, version
        from ads_line where tenant = $1 and id > $2 order by id limit $3";

    LINES_OF_BARTER = "select id, order_id, merchant, placement, class, kind, state, starts_on, ends_on, pricing, price_minor,
            total_minor, goal_views, pacing, weight, caps, targeting, reserved_until, barter, make_good_of, made_good,
            paused_from, booked_at, stopped_on, created_by, created_at, version
        from ads_line where tenant = $1 and barter = $2 order by id limit 50";

    FORGET_CREATIVES = "delete from ads_line_creative where tenant = $1 and line = $2";

    INSERT_CREATIVE = "insert into ads_line_creative (tenant, line, creative) values ($1, $2, $3)";

    CREATIVES = "select creative from ads_line_creative where tenant = $1 and line = $2 order by creative";

    INSERT_BUDGET = "insert into ads_budget (tenant, line, limit_micros, bid_micros, reserved_micros, spent_micros, day,
            day_micros, paced)
        values ($1, $2, $3, $4, 0, 0, '', 0, $5)";

    DUE_RESERVED = "select tenant, id from ads_line
        where reserved_until is not null and reserved_until <= $1 order by reserved_until limit $2";

    DUE_STARTING = "select tenant, id from ads_line where state = 'booked' and starts_on <= $1 order by starts_on limit $2";

    DUE_ENDING = "select tenant, id from ads_line where state = 'in_flight' and ends_on <= $1 order by ends_on limit $2";

    DEALS = "select deal_minor from ads_line
        where tenant = $1 and class = $2 and deal_minor is not null and booked_at >= $3 and merchant <> $4
        order by deal_minor limit 1000";

    DELIVERED = "select cast(coalesce(sum(views), 0) as bigint) from ads_tally where tenant = $1 and line = $2";

    HOLD_BACK = "update ads_line set live = 0, paused_from = $3 where tenant = $1 and barter = $2 and live = 1
            and state in ('booked', 'in_flight')";

    OTHERWISE_SHOWN = "update ads_placement set shown_version = shown_version + 1 where tenant = $1 and id =
            (select l.placement from ads_line l where l.tenant = $1 and l.id = $2)";

    BARTER_OTHERWISE_SHOWN = "update ads_placement set shown_version = shown_version + 1 where tenant = $1 and id in
            (select l.placement from ads_line l where l.tenant = $1 and l.barter = $2)";

    LET_GO_ON = "update ads_line set live = 1, paused_from = null where tenant = $1 and barter = $2
            and paused_from is not null and state in ('booked', 'in_flight')";
}

/// Stores a line that is new.
pub async fn insert_line(tx: &Tx, line: &Line) -> anyhow::Result<()> {
    let wish = &line.wish;
    let row: [Value; 31] = [
        tx.tenant().into(),
        (&line.id).into(),
        (&line.order).into(),
        (&line.merchant).into(),
        (&line.placement).into(),
        (&line.class).into(),
        line.kind.as_str().into(),
        line.state.as_str().into(),
        on(wish.starts_on),
        on(wish.ends_on),
        wish.pricing.as_str().into(),
        line.price_minor.into(),
        line.total_minor.into(),
        wish.goal_views.into(),
        wish.pacing.as_str().into(),
        wish.weight.into(),
        to_string(&written_caps(&wish.caps))?.into(),
        targeting_text(&wish.targeting)?.into(),
        line.reserved_until.into(),
        is_live(line).into(),
        line.barter.as_ref().into(),
        line.make_good_of.as_ref().into(),
        line.made_good.into(),
        line.paused_from.map(|day| day.to_string()).into(),
        line.booked_at.into(),
        Value::Null,
        Value::Null,
        line.stopped_on.map(|day| day.to_string()).into(),
        (&line.created_by).into(),
        line.created_at.into(),
        line.version.into(),
    ];
    tx.execute(INSERT_LINE, &row).await?;
    caps::count(tx, line, &[]).await?;
    otherwise_shown(tx, &line.id).await
}

/// What the placement of a line shows may be otherwise from now on: what is remembered of it holds no longer.
async fn otherwise_shown(tx: &Tx, line: &AdLineId) -> anyhow::Result<()> {
    tx.execute(OTHERWISE_SHOWN, &[tx.tenant().into(), line.into()])
        .await
}

fn is_live(line: &Line) -> bool {
    matches!(line.state, LineState::Booked | LineState::InFlight) && line.paused_from.is_none()
}

/// Stores a line's next version.
pub async fn update_line(tx: &Tx, line: &Line) -> anyhow::Result<()> {
    let row: [Value; 12] = [
        tx.tenant().into(),
        (&line.id).into(),
        line.state.as_str().into(),
        line.price_minor.into(),
        line.total_minor.into(),
        line.reserved_until.into(),
        is_live(line).into(),
        line.made_good.into(),
        line.paused_from.map(|day| day.to_string()).into(),
        line.booked_at.into(),
        line.stopped_on.map(|day| day.to_string()).into(),
        line.version.into(),
    ];
    tx.execute(UPDATE_LINE, &row).await?;
    otherwise_shown(tx, &line.id).await
}

/// What a deal in money says of a seat and day, and the first month that is charged; none for neither.
pub async fn set_deal(
    tx: &Tx,
    line: &AdLineId,
    (deal_minor, charge_month): (Option<i64>, Option<String>),
) -> anyhow::Result<()> {
    tx.execute(
        SET_DEAL,
        &[
            tx.tenant().into(),
            line.into(),
            deal_minor.into(),
            charge_month.into(),
        ],
    )
    .await
}

fn line_of(row: &Row) -> anyhow::Result<Line> {
    let pricing = word(row.text(9)?, Pricing::parse)?;
    let total_minor = row.integer(11)?;
    Ok(Line {
        id: row.id(0)?,
        order: row.id(1)?,
        merchant: row.id(2)?,
        placement: row.id(3)?,
        class: row.text(4)?.to_owned(),
        kind: word(row.text(5)?, LineKind::parse)?,
        state: word(row.text(6)?, LineState::parse)?,
        wish: Wish {
            starts_on: day(row, 7)?,
            ends_on: day(row, 8)?,
            pricing,
            budget_minor: (pricing != Pricing::Day).then_some(total_minor),
            goal_views: row.optional_integer(12)?,
            pacing: word(row.text(13)?, Pacing::parse)?,
            weight: row.integer(14)?,
            caps: caps_of(row.text(15)?)?,
            targeting: targeting_of(row.text(16)?)?,
        },
        price_minor: row.integer(10)?,
        total_minor,
        reserved_until: row.optional_timestamp(17)?,
        barter: row.optional_id(18)?,
        make_good_of: row.optional_id(19)?,
        made_good: row.boolean(20)?,
        paused_from: optional_day(row, 21)?,
        booked_at: row.optional_timestamp(22)?,
        stopped_on: optional_day(row, 23)?,
        created_by: row.id(24)?,
        created_at: row.timestamp(25)?,
        version: row.integer(26)?,
    })
}

/// The line of that id.
pub async fn line(
    db: &impl Read,
    tenant: &TenantId,
    id: &AdLineId,
) -> anyhow::Result<Option<Line>> {
    let row = db.row(LINE, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(line_of).transpose()
}

/// The lines of an order.
pub async fn lines_of_order(
    db: &impl Read,
    tenant: &TenantId,
    order: &AdOrderId,
) -> anyhow::Result<Vec<Line>> {
    let rows = db
        .rows(LINES_OF_ORDER, &[tenant.into(), order.into()])
        .await?;
    rows.iter().map(line_of).collect()
}

/// The lines of an exchange.
pub async fn lines_of_barter(
    db: &impl Read,
    tenant: &TenantId,
    barter: &BarterId,
) -> anyhow::Result<Vec<Line>> {
    let rows = db
        .rows(LINES_OF_BARTER, &[tenant.into(), barter.into()])
        .await?;
    rows.iter().map(line_of).collect()
}

/// A page of lines, of one merchant or of all.
pub async fn lines(
    db: &impl Read,
    tenant: &TenantId,
    merchant: Option<&MerchantId>,
    page: &Page<AdLineId>,
) -> anyhow::Result<Vec<Line>> {
    let after = page.after.as_ref().map_or("", AdLineId::as_str).into();
    let rows = match merchant {
        Some(merchant) => {
            db.rows(
                LINES,
                &[tenant.into(), merchant.into(), after, page.rows().into()],
            )
            .await?
        }
        None => {
            db.rows(ALL_LINES, &[tenant.into(), after, page.rows().into()])
                .await?
        }
    };
    rows.iter().map(line_of).collect()
}

/// The line shows these creatives, and no others.
pub async fn set_creatives(tx: &Tx, line: &Line, creatives: &[CreativeId]) -> anyhow::Result<()> {
    let id = &line.id;
    tx.execute(FORGET_CREATIVES, &[tx.tenant().into(), id.into()])
        .await?;
    let rows: Vec<_> = creatives
        .iter()
        .map(|creative| vec![tx.tenant().into(), id.into(), creative.into()])
        .collect();
    tx.insert_many(INSERT_CREATIVE, &rows).await?;
    caps::count(tx, line, creatives).await?;
    otherwise_shown(tx, id).await
}

/// Which creatives a line shows.
pub async fn creatives(
    db: &impl Read,
    tenant: &TenantId,
    line: &AdLineId,
) -> anyhow::Result<Vec<CreativeId>> {
    let rows = db.rows(CREATIVES, &[tenant.into(), line.into()]).await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// Opens the budget of a line: what it may spend, and what one offer promises.
pub async fn insert_budget(
    tx: &Tx,
    line: &AdLineId,
    (limit, bid): (Micros, Micros),
    pacing: Pacing,
) -> anyhow::Result<()> {
    tx.execute(
        INSERT_BUDGET,
        &[
            tx.tenant().into(),
            line.into(),
            limit.get().into(),
            bid.get().into(),
            (pacing == Pacing::Even).into(),
        ],
    )
    .await
}

/// What time does to lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// A reservation is over.
    Reserved(Timestamp),
    /// A first day has come.
    Starting(NaiveDate),
    /// A last day is over.
    Ending(NaiveDate),
}

/// The lines to which time does something, at most so many.
pub async fn due(
    db: &impl Read,
    due: Due,
    limit: i64,
) -> anyhow::Result<Vec<(TenantId, AdLineId)>> {
    let rows = match due {
        Due::Reserved(now) => db.rows(DUE_RESERVED, &[now.into(), limit.into()]).await?,
        Due::Starting(today) => db.rows(DUE_STARTING, &[on(today), limit.into()]).await?,
        Due::Ending(today) => db.rows(DUE_ENDING, &[on(today), limit.into()]).await?,
    };
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.id(1)?)))
        .collect()
}

/// What others paid for a seat and day of that class since then, sorted.
pub async fn deals(
    db: &impl Read,
    tenant: &TenantId,
    (class, since): (&str, Timestamp),
    but: &MerchantId,
) -> anyhow::Result<Vec<i64>> {
    let rows = db
        .rows(
            DEALS,
            &[tenant.into(), class.into(), since.into(), but.into()],
        )
        .await?;
    rows.iter().map(|row| row.integer(0)).collect()
}

/// How often a line was seen.
pub async fn delivered(db: &impl Read, tenant: &TenantId, line: &AdLineId) -> anyhow::Result<i64> {
    let row = db.row(DELIVERED, &[tenant.into(), line.into()]).await?;
    row.map_or(Ok(0), |row| row.integer(0))
}

/// Holds back what an exchange shows, from that day on.
pub async fn hold_back(tx: &Tx, barter: &BarterId, from: NaiveDate) -> anyhow::Result<()> {
    let whose = [tx.tenant().into(), barter.into()];
    tx.execute(HOLD_BACK, &[tx.tenant().into(), barter.into(), on(from)])
        .await?;
    tx.execute(BARTER_OTHERWISE_SHOWN, &whose).await
}

/// Lets an exchange show what it holds back.
pub async fn let_go_on(tx: &Tx, barter: &BarterId) -> anyhow::Result<()> {
    let whose = [tx.tenant().into(), barter.into()];
    tx.execute(LET_GO_ON, &whose).await?;
    tx.execute(BARTER_OTHERWISE_SHOWN, &whose).await
}
