//! Disputing lines of a statement, deciding that, and confirming. What is corrected is a line of the open period; the
//! statement stays as it was sent.

use kernel::{Actor, Message, Refusal};
use store::Tx;
use wire::event::{
    SettlementAdjusted, StatementConfirmed, StatementDisputed, StatementObjectionDecided,
};

use crate::context::Context;
use crate::domain::{LineKey, Reason, Revenue, Review, Statement, own_request};
use crate::facts::append;
use crate::making::adjust;
use crate::store::objections::{self, OBJECTIONS_MAX, Objection};
use crate::store::{items, statements};

/// The most of a correction, in fen.
const ADJUSTMENT_MAX: i64 = 1_000_000_000;

/// Disputes lines.
///
/// # Errors
/// 409 after the window or for a line that was disputed before, 404 for a line that is not of the statement; a failure of
/// the database.
pub(crate) async fn object(
    context: &Context,
    tx: &Tx,
    (actor, statement): (&Actor, &Statement),
    (lines, reason): (&[LineKey], &Reason),
) -> anyhow::Result<()> {
    statement.disputable(context.now)?;
    let (count, _) = objections::count(tx, tx.tenant(), &statement.id).await?;
    let more = i64::try_from(lines.len())?;
    if lines.is_empty() || count + more > OBJECTIONS_MAX {
        return Err(too_many().into());
    }
    for line in lines {
        let place = (tx.tenant(), &statement.id);
        if items::line(tx, place, line).await?.is_none() {
            return Err(unknown_line().into());
        }
        let new = objections::insert(
            tx,
            (&statement.id, line),
            reason.as_str(),
            (&actor.id, context.now),
        )
        .await?;
        if !new {
            return Err(disputed_before(line).into());
        }
    }
    let by = (Some(&actor.id), context.now);
    statements::review(tx, (&statement.id, Review::Disputed), by).await?;
    let fact = StatementDisputed {
        statement: statement.id.clone(),
        merchant: statement.merchant.clone(),
        lines: lines.iter().map(LineKey::to_string).collect(),
        actor: actor.id.clone(),
    };
    append(context, tx, &fact).await
}

/// What is decided about an objection.
pub(crate) struct Decision {
    /// What the merchant owes more; below zero less; nothing when it was not right.
    pub(crate) adjustment_minor: Option<i64>,
    pub(crate) note: Reason,
}

/// Decides an objection. When it was the last open one, the statement is confirmed.
///
/// # Errors
/// 404 for a line that is not disputed, 409 for one that is decided, 422 for a correction that is none; a failure of
/// the database.
pub(crate) async fn decide(
    context: &Context,
    tx: &Tx,
    (actor, statement, line): (&Actor, &Statement, &LineKey),
    decision: &Decision,
) -> anyhow::Result<Objection> {
    let found = objections::objection(tx, tx.tenant(), (&statement.id, line)).await?;
    let before = found.ok_or_else(unknown_line)?;
    if before.state != "open" {
        return Err(decided(&before.state).into());
    }
    if before.raised_by == actor.id {
        return Err(own_request().into());
    }
    if let Some(minor) = decision.adjustment_minor {
        correct(
            context,
            tx,
            (actor, statement, line),
            (minor, &decision.note),
        )
        .await?;
    }
    let accepted = decision.adjustment_minor.is_some();
    let after = Objection {
        state: if accepted { "accepted" } else { "rejected" }.to_owned(),
        adjustment_minor: decision.adjustment_minor.unwrap_or_default(),
        note: Some(decision.note.as_str().to_owned()),
        decided_by: Some(actor.id.clone()),
        decided_at: Some(context.now),
        ..before
    };
    objections::decide(tx, &statement.id, &after).await?;
    let fact = StatementObjectionDecided {
        statement: statement.id.clone(),
        merchant: statement.merchant.clone(),
        line: line.to_string(),
        accepted,
        adjustment_minor: after.adjustment_minor,
        actor: actor.id.clone(),
    };
    append(context, tx, &fact).await?;
    let (_, open) = objections::count(tx, tx.tenant(), &statement.id).await?;
    if open == 0 {
        confirm(context, tx, (actor, statement)).await?;
    }
    Ok(after)
}

async fn correct(
    context: &Context,
    tx: &Tx,
    (actor, statement, line): (&Actor, &Statement, &LineKey),
    (minor, note): (i64, &Reason),
) -> anyhow::Result<()> {
    let place = (tx.tenant(), &statement.id);
    let item = items::line(tx, place, line).await?;
    let item = item.ok_or_else(unknown_line)?;
    let what = (minor, statement.id.as_str(), note.as_str());
    correction(
        context,
        tx,
        (actor, &statement.merchant, item.revenue),
        what,
    )
    .await?;
    Ok(())
}

/// Adds a correction to the open period, and tells it.
///
/// # Errors
/// 422 for one of nothing, or beyond the limit; a failure of the database.
pub(crate) async fn correction(
    context: &Context,
    tx: &Tx,
    (actor, merchant, revenue): (&Actor, &kernel::MerchantId, Revenue),
    (minor, reference, note): (i64, &str, &str),
) -> anyhow::Result<LineKey> {
    if minor == 0 || minor.unsigned_abs() > ADJUSTMENT_MAX.unsigned_abs() {
        return Err(Refusal::invalid(
            "adjustment_invalid",
            Message::new(
                format!("A correction is not zero, and at most {ADJUSTMENT_MAX} fen either way."),
                format!("调整金额不可为零，且绝对值不超过 {ADJUSTMENT_MAX} 分。"),
            ),
        )
        .into());
    }
    let line = adjust(context, tx, (merchant, revenue), (minor, reference, note)).await?;
    let fact = SettlementAdjusted {
        merchant: merchant.clone(),
        line: line.to_string(),
        amount_minor: minor,
        reason: note.to_owned(),
        actor: actor.id.clone(),
    };
    append(context, tx, &fact).await?;
    Ok(line)
}

/// The statement is right.
pub(crate) async fn confirm(
    context: &Context,
    tx: &Tx,
    (actor, statement): (&Actor, &Statement),
) -> anyhow::Result<()> {
    if statement.review == Review::Confirmed {
        return Ok(());
    }
    let by = (Some(&actor.id), context.now);
    statements::review(tx, (&statement.id, Review::Confirmed), by).await?;
    let fact = StatementConfirmed {
        statement: statement.id.clone(),
        merchant: statement.merchant.clone(),
        actor: Some(actor.id.clone()),
        at: context.now,
    };
    append(context, tx, &fact).await
}

/// No such line of the statement, or none that is disputed.
pub(crate) fn unknown_line() -> Refusal {
    Refusal::not_found(
        "statement_line_unknown",
        Message::new(
            "There is no such line of this statement, or it is not disputed.",
            "该结算单无此明细或该明细无异议。",
        ),
    )
}

fn disputed_before(line: &LineKey) -> Refusal {
    Refusal::conflict(
        "line_disputed_before",
        Message::new(
            format!("The line {line} was disputed before: a line is disputed once."),
            format!("明细 {line} 已提出过异议，每条明细仅可提出一次。"),
        ),
    )
}

fn decided(state: &str) -> Refusal {
    Refusal::conflict(
        "objection_decided",
        Message::new(
            format!("The objection is {state} already. Make an adjustment instead."),
            format!("该异议已处理（{state}），如需更正请新增调整。"),
        ),
    )
}

fn too_many() -> Refusal {
    Refusal::invalid(
        "lines_count",
        Message::new(
            format!("Name 1 to {OBJECTIONS_MAX} lines, all objections to the statement together."),
            format!("请选择 1 到 {OBJECTIONS_MAX} 条明细（含此前的异议）。"),
        ),
    )
}
