//! `/api/reconciliations`: how the days of channels came out, and running one again.

use chrono::NaiveDate;
use kernel::{Message, Refusal, Timestamp, Zone};
use serde::{Deserialize, Serialize};
use web::{Listing, Query, Reply, Request};

use super::caller;
use crate::context::Context;
use crate::domain::{
    Channel, Mistake, attempt_refused, auditors_only, operators_only, unknown_reconciliation,
};
use crate::reconcile;
use crate::store::reconciliations::{self as sql, Day, Reconciliation};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRun {
    channel: String,
    day: NaiveDate,
}

#[derive(Serialize)]
struct ShownRun {
    /// `2026-10-31/simulated`; also the cursor of lists.
    id: String,
    channel: &'static str,
    day: String,
    run: u32,
    run_at: Timestamp,
    theirs: i64,
    ours: i64,
    matched: i64,
    carried: i64,
    mistakes: i64,
    /// What it brought to the bank, and cost.
    bank_minor: i64,
    fees_minor: i64,
}

#[derive(Serialize)]
struct ShownDay {
    #[serde(flatten)]
    run: ShownRun,
    #[serde(flatten)]
    listing: Listing<ShownMistake>,
}

#[derive(Serialize)]
struct ShownMistake {
    kind: &'static str,
    number: String,
    movement: &'static str,
    ours_minor: Option<i64>,
    theirs_minor: Option<i64>,
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    auditors_only(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(|text| Ok::<_, std::convert::Infallible>(text.to_owned()))?;
    query.finish()?;
    let found = sql::reconciliations(
        &context.db,
        &actor.tenant,
        page.after.as_deref(),
        page.rows(),
    )
    .await?;
    Ok(Reply::ok(&page.listing(found, id_of, show_run)))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    (channel, day): (&str, &str),
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    auditors_only(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(|text| Ok::<_, std::convert::Infallible>(text.to_owned()))?;
    query.finish()?;
    let channel = Channel::parse(channel).ok_or_else(unknown_reconciliation)?;
    let day = Day { channel, day };
    let found = sql::reconciliation(&context.db, &actor.tenant, day).await?;
    let found = found.ok_or_else(unknown_reconciliation)?;
    let after = page.after.as_deref().unwrap_or_default();
    let mistakes = sql::mistakes(&context.db, &actor.tenant, day, (after, page.rows())).await?;
    let cursor = |mistake: &Mistake| format!("{}/{}", mistake.number, mistake.kind.as_str());
    Ok(Reply::ok(&ShownDay {
        run: show_run(found),
        listing: page.listing(mistakes, cursor, show_mistake),
    }))
}

/// Runs a day; again it is another run of the same day, and posts only what differs. Today only where the channel's bill of it
/// is there already, and then as far as it has come: cron runs it again when it is over.
pub(super) async fn run(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    operators_only(&actor)?;
    let new: NewRun = web::body(request)?;
    let channel = Channel::parse(&new.channel).filter(|channel| context.offers(*channel));
    let channel = channel.ok_or_else(attempt_refused)?;
    let today = Zone::SHANGHAI.local(context.now).date;
    if new.day > today || (new.day == today && channel != Channel::Simulated) {
        return Err(day_not_over().into());
    }
    let outcome = reconcile::run(context, &actor.tenant, channel, new.day).await?;
    let place = format!(
        "/api/reconciliations/{}/{}",
        outcome.channel.as_str(),
        outcome.day
    );
    Ok(Reply::created(&place, &show_run(outcome)))
}

fn day_not_over() -> Refusal {
    Refusal::invalid(
        "day_not_over",
        Message::new(
            "Channels make the bill of a day when it is over.",
            "渠道在当日结束后才生成账单。",
        ),
    )
}

fn id_of(run: &Reconciliation) -> String {
    format!("{}/{}", run.day, run.channel.as_str())
}

fn show_run(run: Reconciliation) -> ShownRun {
    ShownRun {
        id: id_of(&run),
        channel: run.channel.as_str(),
        day: run.day,
        run: run.run,
        run_at: run.run_at,
        theirs: run.theirs,
        ours: run.ours,
        matched: run.matched,
        carried: run.carried,
        mistakes: run.mistakes,
        bank_minor: run.settled.bank,
        fees_minor: run.settled.fees,
    }
}

fn show_mistake(mistake: Mistake) -> ShownMistake {
    ShownMistake {
        kind: mistake.kind.as_str(),
        number: mistake.number,
        movement: mistake.movement.as_str(),
        ours_minor: mistake.ours,
        theirs_minor: mistake.theirs,
    }
}
