//! The heartbeat: hears what others recorded, takes runs further, reminds rooms that owe, and gives back recharges that
//! no meter has confirmed.
//!
//! A tick run twice, or on two replicas, changes nothing more: each change is made in its tenant's transaction.

use chrono::{Days, NaiveDate};
use kernel::{CommunityId, RechargeId, TenantId};
use store::tx;
use wire::event::BillReminderDue;

use crate::context::Context;
use crate::store::recharges::RechargeState;
use crate::store::{known, owed, recharges, runs};
use crate::{facts, inbox, recharging, running};

/// The most runs that one tick takes further; the next tick goes on.
pub const TICK_RUNS_MAX: i64 = 3;
/// The most rooms that one tick reminds, and recharges that it gives back.
pub const TICK_UNITS_MAX: i64 = 200;
/// Rooms are reminded from so many days before a bill is due.
const REMIND_DAYS_BEFORE: u64 = 3;
/// And again after so many days.
const REMIND_EVERY_DAYS: u64 = 7;
/// How much earlier than in Shanghai a day begins anywhere, in milliseconds: UTC+14 against UTC+8.
const AHEAD_MS: i64 = 6 * 60 * 60 * 1_000;

/// What a tick did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Done {
    /// Events of other capabilities handled.
    pub heard: usize,
    /// Events set aside because they could not be handled.
    pub parked: usize,
    /// Runs taken further.
    pub runs: usize,
    /// Rooms reminded.
    pub reminded: i64,
    /// Recharges that go back.
    pub given_back: i64,
    /// Idempotency records forgotten.
    pub forgotten: usize,
    /// Whether the tick stopped at a limit and more may be owed.
    pub more: bool,
}

/// The cron trigger.
///
/// # Errors
/// When the variables or the database fail; the next tick makes up for it.
#[cfg(target_family = "wasm")]
pub async fn on_tick(_at_seconds: i64) -> anyhow::Result<()> {
    let context = Context::open().await?;
    let done = tick(&context).await;
    outgoing::ring(&context.db, &context.outbox).await;
    done.map(|_| ())
}

/// Does what is owed at the context's moment.
///
/// # Errors
/// A failure of the database.
pub async fn tick(context: &Context) -> anyhow::Result<Done> {
    let drained = inbox::take_all(context).await?;
    let open = runs::open_runs(&context.db, TICK_RUNS_MAX).await?;
    for (tenant, run) in &open {
        if let Err(error) = running::advance(context, tenant, run).await {
            // One community's run does not hold up the others; the next tick tries it again.
            web::log(
                "error",
                "-",
                &format!("the bill run {run} of {tenant}: {error:#}"),
            );
        }
    }
    let reminded = remind_all(context).await?;
    let by = context.now.plus_millis(-recharging::CONFIRM_MS);
    let mut given_back = 0;
    for (tenant, id) in recharges::unconfirmed(&context.db, by, TICK_UNITS_MAX).await? {
        given_back += give_back(context, &tenant, &id).await?;
    }
    let forgotten = store::sweep(&context.db, context.now).await?;
    Ok(Done {
        heard: drained.handled,
        parked: drained.parked,
        runs: open.len(),
        reminded,
        given_back,
        forgotten,
        more: drained.is_full()
            || !open.is_empty()
            || [reminded, given_back]
                .into_iter()
                .any(|count| count >= TICK_UNITS_MAX),
    })
}

/// Bills due by the first day are reminded of, unless they were after the second.
fn remind_days(today: NaiveDate) -> (NaiveDate, NaiveDate) {
    let due_by = today.checked_add_days(Days::new(REMIND_DAYS_BEFORE));
    let reminded_by = today.checked_sub_days(Days::new(REMIND_EVERY_DAYS));
    (due_by.unwrap_or(today), reminded_by.unwrap_or(today))
}

/// Reminds rooms that owe, each by the day of its own community.
async fn remind_all(context: &Context) -> anyhow::Result<i64> {
    // Where the day begins first; whose day has not come yet is left out below.
    let latest = kernel::Zone::SHANGHAI.local(context.now.plus_millis(AHEAD_MS));
    let days = remind_days(latest.date);
    let (mut reminded, mut after) = (0, None);
    while reminded < TICK_UNITS_MAX {
        let page =
            owed::communities_to_remind(&context.db, days, after.as_ref(), TICK_UNITS_MAX).await?;
        for (tenant, community) in &page {
            let place = (tenant, community);
            reminded += remind(context, place, TICK_UNITS_MAX - reminded).await?;
        }
        match page.into_iter().next_back() {
            Some(last) => after = Some(last),
            None => break,
        }
    }
    Ok(reminded)
}

async fn remind(
    context: &Context,
    (tenant, community): (&TenantId, &CommunityId),
    limit: i64,
) -> anyhow::Result<i64> {
    if limit <= 0 {
        return Ok(0);
    }
    let known = known::community(&context.db, tenant, community).await?;
    let zone = known.map_or(kernel::Zone::SHANGHAI, |known| known.zone);
    let today = zone.local(context.now).date;
    let days = remind_days(today);
    tx(&context.db, tenant, async |tx| {
        let rooms = owed::to_remind(tx, community, days, limit).await?;
        for reminder in &rooms {
            owed::reminded(tx, reminder, (today, days.0)).await?;
            if reminder.outstanding_minor <= 0 {
                continue;
            }
            let fact = BillReminderDue {
                community: reminder.community.clone(),
                room: reminder.room.clone(),
                people: known::payers(tx, &reminder.room, context.now).await?,
                bills: reminder.bills,
                outstanding_minor: reminder.outstanding_minor,
                due_on: reminder.due_on.clone(),
            };
            facts::append(context, tx, &fact).await?;
        }
        Ok(i64::try_from(rooms.len())?)
    })
    .await
}

async fn give_back(context: &Context, tenant: &TenantId, id: &RechargeId) -> anyhow::Result<i64> {
    tx(&context.db, tenant, async |tx| {
        let found = recharges::recharge(tx, tenant, id).await?;
        let Some(recharge) = found.filter(|found| found.state == RechargeState::Commanded) else {
            return Ok(0);
        };
        let note = "表计未在 24 小时内确认 / not confirmed by the meter within 24 hours";
        recharging::give_back(context, tx, (recharge, None), note).await?;
        Ok(1)
    })
    .await
}
