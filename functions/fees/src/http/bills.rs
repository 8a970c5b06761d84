//! `/api/bills`: what rooms owe.

use chrono::{Days, NaiveDate};
use kernel::{Actor, BillId, BillRunId, CommunityId, Message, Refusal, RoomId};
use serde::Deserialize;
use serde_json::json;
use store::Tx;
use web::{Query, Reply, Request};

use super::form::{AmountBecause, Because, Communities, seen};
use super::{answer, caller, path_id, replied, stored, write_once};
use crate::context::Context;
use crate::domain::{
    Bill, BillState, Late, Month, Name, Reason, check_manager, community_unknown, discount as less,
    late_of, unknown_bill, void as voided, waive as let_go,
};
use crate::store::bills::{self as sql, Wanted};
use crate::store::known;
use crate::{facts, inbox};

/// The most of a bill made by hand, in fen: a million yuan.
const AMOUNT_MINOR_MAX: i64 = 100_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewBill {
    room: RoomId,
    title: Name,
    amount_minor: i64,
    period: Option<Month>,
    due_on: Option<NaiveDate>,
    reason: Reason,
}

/// A bill made by hand: published at once.
pub(super) async fn add(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: NewBill = web::body(request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    if !(1..=AMOUNT_MINOR_MAX).contains(&new.amount_minor) {
        return Err(wrong_amount().into());
    }
    let id: BillId = context.new_id()?;
    let made = write_once(context, request, &actor, async |tx| {
        let bill = by_hand(context, tx, (&actor, &id), &new).await?;
        sql::insert_bills(tx, std::slice::from_ref(&bill)).await?;
        facts::published(context, tx, std::slice::from_ref(&bill)).await?;
        let shown = Communities::new(context, &actor.tenant)
            .shown(tx, bill)
            .await?;
        answer(201, &shown)
    })
    .await?;
    stored(&made, "/api/bills")
}

async fn by_hand(
    context: &Context,
    tx: &Tx,
    (actor, id): (&Actor, &BillId),
    new: &NewBill,
) -> anyhow::Result<Bill> {
    let room = known::room(tx, &actor.tenant, &new.room).await?;
    let (community, _) = room.ok_or_else(unknown_room)?;
    check_manager(actor, &community)?;
    let place = known::community(tx, &actor.tenant, &community).await?;
    let place = place.ok_or_else(community_unknown)?;
    let today = place.today(context.now);
    let due_days = Days::new(u64::from(place.terms.due_days));
    Ok(Bill {
        id: id.clone(),
        community,
        room: new.room.clone(),
        rule: id.to_string(),
        rule_version: 1,
        title: new.title.as_str().to_owned(),
        period: new.period.unwrap_or_else(|| Month::of(today)),
        months: 1,
        version: 1,
        run: None,
        state: BillState::Published,
        amount_fen: new.amount_minor,
        discount_fen: 0,
        paid_fen: 0,
        late: Late::default(),
        due_on: new.due_on.or_else(|| today.checked_add_days(due_days)),
        published_at: Some(context.now),
        basis: json!({"kind": "manual", "reason": new.reason.as_str(), "by": actor.id}),
        mark: String::new(),
    })
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    crate::domain::sees(&actor)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let mut query = Query::of(request)?;
    let page = query.page(BillId::parse)?;
    let state = query.take("state", |text| {
        BillState::parse(text).ok_or("it is draft, published, paid or voided")
    })?;
    let wanted = Wanted {
        community: query.take("community", CommunityId::parse)?,
        room: query.take("room", RoomId::parse)?,
        state: state.map(BillState::as_str),
        period: query.take("period", Month::parse)?,
        run: query.take("run", BillRunId::parse)?,
    };
    query.finish()?;
    let found = sql::bills(context, &actor, &wanted, &page).await?;
    let mut communities = Communities::new(context, &actor.tenant);
    let mut shown = Vec::with_capacity(found.len());
    for bill in found {
        let id = bill.id.to_string();
        shown.push((id, communities.shown(&context.db, bill).await?));
    }
    Ok(Reply::ok(&page.listing(
        shown,
        |(id, _)| id.clone(),
        |(_, bill)| bill,
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    bill: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let id: BillId = path_id(bill, unknown_bill)?;
    let found = sql::bill(&context.db, &actor.tenant, &id).await?;
    let bill = seen(context, &context.db, &actor, found).await?;
    let shown = Communities::new(context, &actor.tenant)
        .shown(&context.db, bill)
        .await?;
    Ok(Reply::ok(&shown))
}

pub(super) async fn void(
    context: &Context,
    request: &Request,
    bill: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let because: Because = web::body(request)?;
    change(context, request, (&actor, bill), async |tx, before| {
        let after = voided(before)?;
        sql::update_bill(tx, &after).await?;
        facts::voided(context, tx, (&actor, &because.reason), before).await?;
        Ok(after)
    })
    .await
}

pub(super) async fn discount(
    context: &Context,
    request: &Request,
    bill: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let ask: AmountBecause = web::body(request)?;
    change(context, request, (&actor, bill), async |tx, before| {
        let after = less(before, ask.amount_minor)?;
        sql::update_bill(tx, &after).await?;
        facts::discounted(context, tx, (&actor, &ask.reason), (before, &after)).await?;
        Ok(after)
    })
    .await
}

pub(super) async fn waive(
    context: &Context,
    request: &Request,
    bill: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let ask: AmountBecause = web::body(request)?;
    change(context, request, (&actor, bill), async |tx, before| {
        let place = known::community(tx, tx.tenant(), &before.community).await?;
        let place = place.ok_or_else(community_unknown)?;
        let owed = late_of(before, place.terms, place.today(context.now));
        let after = let_go(before, owed, ask.amount_minor)?;
        sql::update_bill(tx, &after).await?;
        facts::waived(
            context,
            tx,
            (&actor, &ask.reason),
            (&after, ask.amount_minor),
        )
        .await?;
        Ok(after)
    })
    .await
}

/// A change of one bill by those who bill its community.
async fn change(
    context: &Context,
    request: &Request,
    (actor, bill): (&Actor, &str),
    work: impl AsyncFn(&Tx, &Bill) -> anyhow::Result<Bill>,
) -> anyhow::Result<Reply> {
    let id: BillId = path_id(bill, unknown_bill)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let changed = write_once(context, request, actor, async |tx| {
        let found = sql::bill(tx, &actor.tenant, &id).await?;
        let before = seen(context, &*tx, actor, found).await?;
        check_manager(actor, &before.community)?;
        let after = work(tx, &before).await?;
        let shown = Communities::new(context, &actor.tenant)
            .shown(tx, after)
            .await?;
        answer(200, &shown)
    })
    .await?;
    replied(&changed)
}

/// No such room, or none that has been heard of.
pub(super) fn unknown_room() -> Refusal {
    Refusal::not_found(
        "room_unknown",
        Message::new(
            "There is no such room. Check its id.",
            "未找到该房屋，请检查编号。",
        ),
    )
}

fn wrong_amount() -> Refusal {
    Refusal::invalid(
        "bill_amount",
        Message::new(
            format!("A bill made by hand is from 1 to {AMOUNT_MINOR_MAX} fen."),
            format!("手工账单金额应为 1 到 {AMOUNT_MINOR_MAX} 分。"),
        ),
    )
}
