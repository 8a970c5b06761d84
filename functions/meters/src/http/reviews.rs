//! `/api/meter-reviews`: the readings that wait for a decision, and deciding about any reading.

use kernel::{CommunityId, Message, ReadingId, Refusal};
use serde::Deserialize;
use store::Tx;
use web::{Query, Reply, Request};

use super::readings::ShownReading;
use super::{Text, answer, caller, path_id, replied, write};
use crate::context::Context;
use crate::domain::caller::{
    is_manager, managers_only, managing_kinds, overseeing_kinds, overseers_only, unknown_reading,
};
use crate::domain::{Decision, HoldReason, Reason, Source, Verdict};
use crate::store::batch;
use crate::store::readings::{self as sql, Stands};
use crate::{facts, intake};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewDecision {
    decision: Asked,
    register_milli: Option<i64>,
    reason: Text<Reason>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Asked {
    Accept,
    Reject,
    Edit,
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    overseeing_kinds(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(ReadingId::parse)?;
    let community = query.take("community", CommunityId::parse)?;
    query.finish()?;
    if let Some(community) = &community {
        overseers_only(&actor, community)?;
    }
    let found = sql::held(&context.db, &actor, community.as_ref(), &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |stands| stands.id.to_string(),
        ShownReading::from,
    )))
}

pub(super) async fn decide(
    context: &Context,
    request: &Request,
    reading: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds(&actor)?;
    let id = path_id(reading, unknown_reading)?;
    let new: NewDecision = web::body(request)?;
    let decision = match (new.decision, new.register_milli) {
        (Asked::Accept, None) => (Decision::Accepted, None),
        (Asked::Reject, None) => (Decision::Rejected, None),
        (Asked::Edit, Some(register_milli)) => (Decision::Edited, Some(register_milli)),
        _ => return Err(value_with_edit().into()),
    };
    let reason = new.reason.0;
    let decided = write(context, request, &actor, async |tx| {
        let stands = sql::reading(tx, &actor.tenant, &id).await?;
        let stands = stands.ok_or_else(unknown_reading)?;
        if !is_manager(&actor, &stands.community) && !actor.reaches(&stands.community) {
            return Err(unknown_reading().into());
        }
        managers_only(&actor, &stands.community)?;
        store_decision(context, tx, &actor, (&stands, decision, reason.as_str())).await?;
        let stands = sql::reading(tx, &actor.tenant, &id).await?;
        let stands = stands.ok_or_else(unknown_reading)?;
        answer(200, &ShownReading::from(stands))
    })
    .await?;
    replied(&decided)
}

async fn store_decision(
    context: &Context,
    tx: &Tx,
    actor: &kernel::Actor,
    (stands, (decision, register_milli), reason): (&Stands, (Decision, Option<i64>), &str),
) -> anyhow::Result<()> {
    if matches!(stands.source, Source::Opening | Source::Closing) {
        return Err(register_fixed().into());
    }
    sql::put_review(
        tx,
        &stands.id,
        (decision, register_milli, reason),
        (actor, context.now),
    )
    .await?;
    let known = batch::known(tx, tx.tenant(), &[&stands.meter]).await?;
    let mut known = known.into_iter().next().ok_or_else(unknown_reading)?;
    let judged = intake::judge_again(context, tx, &mut known, stands.at).await?;
    // A count is never set back: what went backwards is edited, or its register replaced.
    let verdict = judged
        .into_iter()
        .find(|judged| judged.item.id == stands.id)
        .map(|judged| judged.verdict);
    if let Some(Verdict::Held(reason)) = verdict {
        return Err(still_held(reason).into());
    }
    let taken = match decision {
        Decision::Rejected => None,
        _ => register_milli.or(Some(stands.register_milli)),
    };
    let told = (decision, taken, reason);
    facts::reviewed(context, tx, actor, (&stands.id, &known.meter), told).await
}

fn value_with_edit() -> Refusal {
    Refusal::invalid(
        "value_with_edit",
        Message::new(
            "An edit comes with `register_milli`; accepting and rejecting come without.",
            "修改读数时请填写 register_milli；接受或拒绝时不填。",
        ),
    )
}

fn register_fixed() -> Refusal {
    Refusal::conflict(
        "register_fixed",
        Message::new(
            "This is the first or last value of a register. Record a replacement instead.",
            "这是表计的起码或止码，请通过换表处理。",
        ),
    )
}

fn still_held(reason: HoldReason) -> Refusal {
    let (english, chinese) = match reason {
        HoldReason::Backwards => (
            "The register would go back. Edit the reading, correct the ones before it, or record a replacement.",
            "读数会倒走，请修改该读数、更正之前的读数或登记换表。",
        ),
        HoldReason::BeyondDigits => (
            "The register has not so many digits. Edit the reading.",
            "读数超过表计位数，请修改。",
        ),
        HoldReason::BeforeOpening => (
            "The meter was put up later than this reading. Reject it.",
            "该读数早于表计安装时间，请拒绝。",
        ),
        HoldReason::ClockInvalid => (
            "Nobody knows when it was read. Edit or reject the reading.",
            "抄读时间无法确认，请修改或拒绝该读数。",
        ),
        HoldReason::Spike => (
            "The value is too large to be counted. Edit the reading.",
            "读数过大无法计量，请修改。",
        ),
    };
    Refusal::conflict("reading_still_held", Message::new(english, chinese))
}
