//! Bill runs, step by step: a rule and a page of rooms with each, so that a run goes on where it stopped, and a second
//! run of a month finds that everything is billed. A dry run takes the same steps and rolls each back.

use std::fmt;

use chrono::Days;
use kernel::{BillRunId, FeeRuleId, Message, Refusal, RoomId, TenantId};
use store::{Tx, tx};
use wire::event::BillRunFinished;

use crate::charging::{Outcome, charge, charge_shared};
use crate::context::Context;
use crate::domain::{
    Bill, BillState, Charge, Household, Late, Rule, Span, community_unknown, next_version,
};
use crate::facts;
use crate::store::known::Known;
use crate::store::runs::{Run, RunState, Sample};
use crate::store::{bills, known, rules, runs};

/// The rooms of one step, and the bills of one step of publishing.
const STEP_ROOMS: i64 = 500;
/// The most steps of one request or tick; the next goes on.
pub(crate) const STEPS_MAX: usize = 60;
/// The most rooms of a community that share a cost.
const SHARING_ROOMS_MAX: usize = 20_000;
/// The samples that are kept of each reason to skip.
const SAMPLES_MAX: usize = 5;

/// Takes steps until the run is through, or [`STEPS_MAX`] of them.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn advance(
    context: &Context,
    tenant: &TenantId,
    id: &BillRunId,
) -> anyhow::Result<Run> {
    let mut run = runs::run(&context.db, tenant, id).await?;
    for _ in 0..STEPS_MAX {
        run = Some(match run.ok_or_else(unknown_run)? {
            run if run.state == RunState::Running && run.dry_run => {
                dry_step(context, tenant, run).await?
            }
            run if run.state == RunState::Running => {
                tx(&context.db, tenant, async |tx| {
                    wet_step(context, tx, id).await
                })
                .await?
            }
            run if run.state == RunState::Publishing => {
                tx(&context.db, tenant, async |tx| {
                    publish_step(context, tx, id).await
                })
                .await?
            }
            run => return Ok(run),
        });
    }
    Ok(run.ok_or_else(unknown_run)?)
}

/// A run that was taken a step further, and everything it wrote rolled back.
#[derive(Debug)]
struct RolledBack(Run);

impl fmt::Display for RolledBack {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a step of a dry run is rolled back")
    }
}

impl std::error::Error for RolledBack {}

async fn dry_step(context: &Context, tenant: &TenantId, before: Run) -> anyhow::Result<Run> {
    let stepped = tx(&context.db, tenant, async |tx| {
        let mut run = before.clone();
        step(context, tx, &mut run).await?;
        Err::<(), _>(RolledBack(run).into())
    })
    .await;
    let run = match stepped {
        Ok(()) => before.clone(),
        Err(error) => error.downcast::<RolledBack>()?.0,
    };
    tx(&context.db, tenant, async |tx| {
        let stored = runs::run(tx, tenant, &run.id)
            .await?
            .ok_or_else(unknown_run)?;
        if (&stored.after_rule, &stored.after_room) != (&before.after_rule, &before.after_room)
            || stored.state != RunState::Running
        {
            // Somebody else took this step.
            return Ok(stored);
        }
        stored_step(context, tx, &run).await?;
        Ok(run.clone())
    })
    .await
}

async fn wet_step(context: &Context, tx: &Tx, id: &BillRunId) -> anyhow::Result<Run> {
    let mut run = runs::run(tx, tx.tenant(), id)
        .await?
        .ok_or_else(unknown_run)?;
    if run.state == RunState::Running {
        step(context, tx, &mut run).await?;
        stored_step(context, tx, &run).await?;
    }
    Ok(run)
}

async fn stored_step(context: &Context, tx: &Tx, run: &Run) -> anyhow::Result<()> {
    runs::update_run(tx, run, context.now).await?;
    if run.state != RunState::Done {
        return Ok(());
    }
    let fact = BillRunFinished {
        run: run.id.clone(),
        community: run.community.clone(),
        period: run.period.to_string(),
        dry_run: run.dry_run,
        bills: run.bills,
        amount_minor: run.amount_minor,
        skipped: run.skipped.values().map(|skipped| skipped.count).sum(),
    };
    facts::append(context, tx, &fact).await
}

/// One rule and one page of rooms.
async fn step(context: &Context, tx: &Tx, run: &mut Run) -> anyhow::Result<()> {
    let community = known::community(tx, tx.tenant(), &run.community).await?;
    let community = community.ok_or_else(community_unknown)?;
    let found = rules::rules_from(tx, &run.community, run.period, run.after_rule.as_ref()).await?;
    let Some(rule) = found.first() else {
        run.state = RunState::Done;
        return Ok(());
    };
    if run.after_rule.as_ref() != Some(&rule.id) {
        run.after_room = None;
    }
    let next = found.get(1).map(|rule| &rule.id);
    let span = rule.billing.span(run.period);
    let span = span.unwrap_or_else(|| run.period.into());
    let last = if matches!(rule.charge, Charge::Shared { .. }) {
        match all_rooms(tx, &community, (run, span)).await? {
            Some(rooms) => {
                let outcomes = charge_shared(tx, (rule, run.period), &rooms).await?;
                keep(context, tx, run, (rule, span, &rooms, outcomes)).await?;
            }
            None => skip_one(run, "too_many_rooms", (rule, None)),
        }
        None
    } else {
        let rooms = page(tx, &community, (run, span), run.after_room.as_ref()).await?;
        let outcomes = charge(tx, (rule, span), &rooms).await?;
        let more = i64::try_from(rooms.len())? == STEP_ROOMS;
        keep(context, tx, run, (rule, span, &rooms, outcomes)).await?;
        rooms.last().filter(|_| more).map(|room| room.room.clone())
    };
    go_on(run, (&rule.id, next), last);
    Ok(())
}

fn go_on(run: &mut Run, (rule, next): (&FeeRuleId, Option<&FeeRuleId>), last: Option<RoomId>) {
    if last.is_some() {
        (run.after_rule, run.after_room) = (Some(rule.clone()), last);
    } else if let Some(next) = next {
        (run.after_rule, run.after_room) = (Some(next.clone()), None);
    } else {
        run.state = RunState::Done;
    }
}

async fn page(
    tx: &Tx,
    community: &Known,
    (run, span): (&Run, Span),
    after: Option<&RoomId>,
) -> anyhow::Result<Vec<Household>> {
    let span = (
        community.zone.moment(span.first.first(), 0),
        community.zone.moment(span.until(), 0),
    );
    let place = (&run.community, community.zone);
    known::rooms_after(tx, place, span, after, STEP_ROOMS).await
}

/// Every room of the community; none when they are too many to share a cost.
async fn all_rooms(
    tx: &Tx,
    community: &Known,
    (run, span): (&Run, Span),
) -> anyhow::Result<Option<Vec<Household>>> {
    let mut rooms: Vec<Household> = Vec::new();
    loop {
        let after = rooms.last().map(|room| room.room.clone());
        let further = page(tx, community, (run, span), after.as_ref()).await?;
        let more = i64::try_from(further.len())? == STEP_ROOMS;
        rooms.extend(further);
        if rooms.len() > SHARING_ROOMS_MAX {
            return Ok(None);
        }
        if !more {
            return Ok(Some(rooms));
        }
    }
}

/// Makes the bills, and counts what was skipped.
async fn keep(
    context: &Context,
    tx: &Tx,
    run: &mut Run,
    (rule, span, rooms, outcomes): (&Rule, Span, &[Household], Vec<Outcome>),
) -> anyhow::Result<()> {
    let (Some(first), Some(last)) = (rooms.first(), rooms.last()) else {
        return Ok(());
    };
    let place = (&run.community, rule.id.as_str());
    let existing = bills::versions(tx, place, span.first, (&first.room, &last.room)).await?;
    let mut made = Vec::with_capacity(outcomes.len());
    for (room, outcome) in outcomes {
        let decided = outcome.and_then(|charged| {
            let (version, amount_fen) = next_version(existing.get(&room), &charged)?;
            if amount_fen == 0 {
                return Err(crate::domain::skip("nothing_due"));
            }
            Ok((charged, version, amount_fen))
        });
        match decided {
            Ok((charged, version, amount_fen)) => made.push(Bill {
                id: context.new_id()?,
                community: run.community.clone(),
                room,
                rule: rule.id.as_str().to_owned(),
                rule_version: rule.version,
                title: rule.name.clone(),
                period: span.first,
                months: span.months,
                version,
                run: Some(run.id.clone()),
                state: BillState::Draft,
                amount_fen,
                discount_fen: 0,
                paid_fen: 0,
                late: Late::default(),
                due_on: None,
                published_at: None,
                basis: charged.basis,
                mark: charged.mark,
            }),
            Err(reason) => skip_one(run, &reason.0, (rule, Some(room))),
        }
    }
    run.bills += i64::try_from(made.len())?;
    run.amount_minor += made.iter().map(|bill| bill.amount_fen).sum::<i64>();
    bills::insert_bills(tx, &made).await
}

/// Counts what was skipped: a room, or the whole of a rule.
fn skip_one(run: &mut Run, reason: &str, (rule, room): (&Rule, Option<RoomId>)) {
    let skipped = run.skipped.entry(reason.to_owned()).or_default();
    skipped.count += 1;
    if skipped.samples.len() < SAMPLES_MAX {
        let rule = rule.id.clone();
        skipped.samples.push(Sample { rule, room });
    }
}

/// Publishes a page of a run's drafts: owed from now on, in the books, and told.
async fn publish_step(context: &Context, tx: &Tx, id: &BillRunId) -> anyhow::Result<Run> {
    let mut run = runs::run(tx, tx.tenant(), id)
        .await?
        .ok_or_else(unknown_run)?;
    if run.state != RunState::Publishing {
        return Ok(run);
    }
    let community = known::community(tx, tx.tenant(), &run.community).await?;
    let community = community.ok_or_else(community_unknown)?;
    let today = community.today(context.now);
    let due_on = today
        .checked_add_days(Days::new(u64::from(community.terms.due_days)))
        .unwrap_or(today);
    let mut drafts = bills::drafts(tx, &run.id, STEP_ROOMS).await?;
    if let Some(last) = drafts.last().map(|bill| bill.id.clone()) {
        for bill in &mut drafts {
            bill.state = BillState::Published;
            bill.due_on = Some(due_on);
        }
        bills::publish_through(tx, (&run.id, &last), due_on, context.now).await?;
        facts::published(context, tx, &drafts).await?;
    }
    if i64::try_from(drafts.len())? < STEP_ROOMS {
        run.state = RunState::Published;
    }
    runs::update_run(tx, &run, context.now).await?;
    Ok(run)
}

/// A run in another state.
///
/// # Errors
/// 409 unless that can be done to the run as it stands.
pub(crate) fn turn(run: &Run, to: RunState) -> Result<Run, Refusal> {
    let can = match to {
        RunState::Publishing => run.state == RunState::Done && !run.dry_run,
        RunState::Discarded => matches!(run.state, RunState::Running | RunState::Done),
        _ => false,
    };
    if can {
        return Ok(Run {
            state: to,
            ..run.clone()
        });
    }
    let state = if run.dry_run {
        "a dry run"
    } else {
        run.state.as_str()
    };
    Err(Refusal::conflict(
        "bill_run_state",
        Message::new(
            format!(
                "The run is {state}: a finished run that was not dry is published, one that was not published is discarded."
            ),
            format!("该出账批次当前为 {state}：仅已完成的正式批次可发布，未发布的批次可作废。"),
        ),
    ))
}

/// No such run, or none that the caller may know.
pub(crate) fn unknown_run() -> Refusal {
    Refusal::not_found(
        "bill_run_unknown",
        Message::new(
            "There is no such bill run. Check its id.",
            "未找到该出账批次，请检查编号。",
        ),
    )
}
