//! `/api/cash-closes`: a cashier counts the drawer at the end of the day; what is there too much or too little is recorded.

use kernel::{
    Actor, ActorId, ActorKind, CashCloseId, CommunityId, Currency, Message, Refusal, Timestamp,
};
use ledger::{Account, Posting};
use serde::{Deserialize, Serialize};
use store::Tx;
use web::{Query, Reply, Request};
use wire::event::CashClosed;

use super::{answer, caller, community_of, path_id, stored, write_once};
use crate::context::Context;
use crate::domain::{Reason, check_manager, check_reader, community_unknown};
use crate::facts::{append, fen};
use crate::inbox;
use crate::store::cash::{self as sql, Close};
use crate::store::known;

/// The most that a drawer holds, in fen: a hundred million yuan.
const COUNTED_MINOR_MAX: i64 = 10_000_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewClose {
    community: CommunityId,
    counted_minor: i64,
    /// What of it goes to the bank; the rest stays in the drawer.
    #[serde(default)]
    banked_minor: i64,
    note: Option<Reason>,
}

#[derive(Serialize)]
struct ShownClose {
    id: CashCloseId,
    community: CommunityId,
    cashier: ActorId,
    opening_minor: i64,
    taken_minor: i64,
    given_minor: i64,
    expected_minor: i64,
    counted_minor: i64,
    difference_minor: i64,
    banked_minor: i64,
    currency: Currency,
    note: String,
    closed_at: Timestamp,
}

/// The caller counts their own drawer.
pub(super) async fn close(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: NewClose = web::body(request)?;
    check_manager(&actor, &new.community)?;
    if actor.kind == ActorKind::Application {
        return Err(cashiers_only().into());
    }
    inbox::catch_up(context, &actor.tenant).await?;
    let fits = (0..=COUNTED_MINOR_MAX).contains(&new.counted_minor)
        && (0..=new.counted_minor).contains(&new.banked_minor);
    if !fits {
        return Err(wrong_count().into());
    }
    let id: CashCloseId = context.new_id()?;
    let made = write_once(context, request, &actor, async |tx| {
        let close = count(context, tx, (&actor, &id), &new).await?;
        sql::insert_close(tx, &close).await?;
        book(context, tx, &close).await?;
        let fact = CashClosed {
            close: close.id.clone(),
            community: close.community.clone(),
            cashier: close.cashier.clone(),
            expected_minor: close.expected_minor(),
            counted_minor: close.counted_minor,
            banked_minor: close.banked_minor,
        };
        append(context, tx, &fact).await?;
        answer(201, &shown(close))
    })
    .await?;
    stored(&made, "/api/cash-closes")
}

async fn count(
    context: &Context,
    tx: &Tx,
    (actor, id): (&Actor, &CashCloseId),
    new: &NewClose,
) -> anyhow::Result<Close> {
    let community = known::community(tx, tx.tenant(), &new.community).await?;
    community.ok_or_else(community_unknown)?;
    let drawer = (&new.community, &actor.id);
    let (opening_minor, taken_minor, given_minor) = sql::drawer(tx, drawer).await?;
    let note = new.note.as_ref().map_or("", Reason::as_str);
    Ok(Close {
        id: id.clone(),
        community: new.community.clone(),
        cashier: actor.id.clone(),
        opening_minor,
        taken_minor,
        given_minor,
        counted_minor: new.counted_minor,
        banked_minor: new.banked_minor,
        note: note.to_owned(),
        closed_at: context.now,
    })
}

/// The books say what was counted: a difference is money of which it is not known whose it is. What is banked leaves
/// the drawer.
async fn book(context: &Context, tx: &Tx, close: &Close) -> anyhow::Result<()> {
    let cash = Account::cash(&close.community);
    let reference = close.id.as_str();
    let difference = close.difference_minor();
    if difference != 0 {
        let amount = fen(difference.saturating_abs());
        let posting = Posting::new("cash.difference", reference, context.now).memo(&close.note);
        let posting = if difference > 0 {
            posting
                .debit(cash.clone(), amount)
                .credit(Account::suspense(), amount)
        } else {
            posting
                .debit(Account::suspense(), amount)
                .credit(cash.clone(), amount)
        };
        ledger::post(tx, &posting).await?;
    }
    if close.banked_minor > 0 {
        let amount = fen(close.banked_minor);
        let posting = Posting::new("cash.banked", reference, context.now)
            .debit(Account::bank(), amount)
            .credit(cash, amount);
        ledger::post(tx, &posting).await?;
    }
    Ok(())
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(CashCloseId::parse)?;
    let community = community_of(&actor, &mut query)?;
    query.finish()?;
    let found = sql::closes(&context.db, (&actor.tenant, &community), &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |close| close.id.to_string(),
        shown,
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    close: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id: CashCloseId = path_id(close, unknown_close)?;
    let found = sql::close(&context.db, &actor.tenant, &id).await?;
    let found = found.filter(|close| check_reader(&actor, &close.community).is_ok());
    Ok(Reply::ok(&shown(found.ok_or_else(unknown_close)?)))
}

fn shown(close: Close) -> ShownClose {
    ShownClose {
        expected_minor: close.expected_minor(),
        difference_minor: close.difference_minor(),
        id: close.id,
        community: close.community,
        cashier: close.cashier,
        opening_minor: close.opening_minor,
        taken_minor: close.taken_minor,
        given_minor: close.given_minor,
        counted_minor: close.counted_minor,
        banked_minor: close.banked_minor,
        currency: Currency::Cny,
        note: close.note,
        closed_at: close.closed_at,
    }
}

fn unknown_close() -> Refusal {
    Refusal::not_found(
        "cash_close_unknown",
        Message::new(
            "There is no such counting that you can see.",
            "未找到您可查看的该次日结。",
        ),
    )
}

fn cashiers_only() -> Refusal {
    Refusal::forbidden(
        "cashiers_only",
        Message::new(
            "Only people have a drawer to count.",
            "仅收银人员可以日结。",
        ),
    )
}

fn wrong_count() -> Refusal {
    Refusal::invalid(
        "cash_counted",
        Message::new(
            format!(
                "The drawer holds 0 to {COUNTED_MINOR_MAX} fen, and no more than that goes to the bank."
            ),
            format!("清点金额应为 0 到 {COUNTED_MINOR_MAX} 分，存行金额不能超过清点金额。"),
        ),
    )
}
