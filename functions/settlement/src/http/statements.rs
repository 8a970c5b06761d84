//! `/api/statements`: what a merchant owes for a month, line by line, and whether it agrees.

use kernel::{Actor, Currency, MerchantId, Refusal, StatementId, Timestamp};
use serde::{Deserialize, Serialize};
use store::Read;
use web::{Query, Reply, Request};

use super::{answer, caller, form, path_id, private, replied, write};
use crate::context::Context;
use crate::domain::{
    Item, KindSums, LineKey, Month, Reason, Statement, sees_all, settlers_only, unknown_statement,
};
use crate::exporting::{Format, export as made};
use crate::inbox;
use crate::objecting::{self, Decision, unknown_line};
use crate::store::objections::{self as disputed, Objection};
use crate::store::{Whose, items, statements as sql};

#[derive(Serialize)]
pub(super) struct ShownStatement {
    id: StatementId,
    merchant: MerchantId,
    month: String,
    state: &'static str,
    review: &'static str,
    collection: &'static str,
    contract_version: i64,
    lines: i64,
    sale_minor: i64,
    revenue_minor: i64,
    settled_minor: i64,
    debt_minor: i64,
    total_minor: i64,
    owed_minor: i64,
    netted_minor: i64,
    paid_minor: i64,
    deducted_minor: i64,
    unpaid_minor: i64,
    currency: Currency,
    issued_at: Timestamp,
    late_ms: i64,
    object_until: Timestamp,
    confirm_at: Timestamp,
    due_at: Timestamp,
    overdue_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kinds: Option<Vec<ShownKind>>,
}

#[derive(Serialize)]
struct ShownKind {
    kind: &'static str,
    revenue: &'static str,
    lines: i64,
    sale_minor: i64,
    revenue_minor: i64,
    settled_minor: i64,
    debt_minor: i64,
}

#[derive(Serialize)]
struct ShownLine {
    line: String,
    kind: &'static str,
    at: Timestamp,
    revenue: &'static str,
    reference: String,
    sale_minor: i64,
    revenue_minor: i64,
    settled_minor: i64,
    debt_minor: i64,
    owed_minor: i64,
    memo: String,
}

#[derive(Serialize)]
struct ShownObjection {
    line: String,
    state: String,
    reason: String,
    raised_by: kernel::ActorId,
    raised_at: Timestamp,
    adjustment_minor: i64,
    note: Option<String>,
    decided_by: Option<kernel::ActorId>,
    decided_at: Option<Timestamp>,
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(StatementId::parse)?;
    let month = query.take("month", Month::parse)?;
    let whose = Whose::of(&actor, query.take("merchant", MerchantId::parse)?)?;
    query.finish()?;
    inbox::catch_up(context, &actor.tenant).await?;
    let found = sql::statements(&context.db, (&actor.tenant, &whose), month, &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |statement| statement.id.to_string(),
        |statement| shown(&statement, context.now),
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    statement: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let statement = seen(&context.db, &actor, statement).await?;
    let kinds = sql::sums_of(&context.db, &actor.tenant, &statement.id).await?;
    Ok(Reply::ok(&ShownStatement {
        kinds: Some(kinds.iter().map(shown_kind).collect()),
        ..shown(&statement, context.now)
    }))
}

pub(super) async fn lines(
    context: &Context,
    request: &Request,
    statement: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(LineKey::parse)?;
    query.finish()?;
    let statement = seen(&context.db, &actor, statement).await?;
    let place = (&actor.tenant, &statement.id);
    let found = items::lines(&context.db, place, (page.after.as_ref(), page.rows())).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |item| item.key.to_string(),
        shown_line,
    )))
}

/// The statement as a file, the same bytes each time.
pub(super) async fn export(
    context: &Context,
    request: &Request,
    statement: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let format = query.take("format", Format::parse)?.unwrap_or(Format::Csv);
    query.finish()?;
    let statement = seen(&context.db, &actor, statement).await?;
    let bytes = made(&context.db, &actor.tenant, &statement, format).await?;
    let (content_type, extension) = format.names();
    let reply = Reply::with_body(::http::StatusCode::OK, content_type, bytes.into());
    let name = format!(
        "statement-{}-{}.{extension}",
        statement.merchant, statement.month
    );
    Ok(private(reply).with_header(
        ::http::header::CONTENT_DISPOSITION,
        &format!("attachment; filename=\"{name}\""),
    ))
}

pub(super) async fn confirm(
    context: &Context,
    request: &Request,
    statement: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let confirmed = write(context, request, &actor, async |tx| {
        let statement = acted(tx, &actor, statement).await?;
        statement.confirmable()?;
        objecting::confirm(context, tx, (&actor, &statement)).await?;
        let after = seen(tx, &actor, statement.id.as_str()).await?;
        answer(200, &shown(&after, context.now))
    })
    .await?;
    replied(&confirmed)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewObjections {
    lines: Vec<String>,
    reason: Reason,
}

/// Disputes lines: the merchant's own people do.
pub(super) async fn object(
    context: &Context,
    request: &Request,
    statement: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: NewObjections = web::body(request)?;
    let lines = new.lines.iter().map(|line| LineKey::parse(line));
    let lines = lines
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| unknown_line());
    let disputed = write(context, request, &actor, async |tx| {
        let statement = acted(tx, &actor, statement).await?;
        let what = (lines.as_deref().map_err(Refusal::clone)?, &new.reason);
        objecting::object(context, tx, (&actor, &statement), what).await?;
        let after = seen(tx, &actor, statement.id.as_str()).await?;
        answer(201, &shown(&after, context.now))
    })
    .await?;
    replied(&disputed)
}

/// The objections to a statement, at most 200.
pub(super) async fn objections(
    context: &Context,
    request: &Request,
    statement: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(LineKey::parse)?;
    query.finish()?;
    let statement = seen(&context.db, &actor, statement).await?;
    let found = disputed::of_statement(&context.db, &actor.tenant, &statement.id).await?;
    let after = page.after.as_ref().map(LineKey::to_string);
    let rest = found
        .into_iter()
        .filter(|objection| after.as_ref().is_none_or(|after| objection.line > *after));
    Ok(Reply::ok(&page.listing(
        rest.collect(),
        |objection| objection.line.clone(),
        shown_objection,
    )))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewDecision {
    /// The correction when the merchant was right; absent when it was not.
    adjustment_minor: Option<i64>,
    note: Reason,
}

pub(super) async fn decide(
    context: &Context,
    request: &Request,
    (statement, line): (&str, &str),
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: NewDecision = web::body(request)?;
    let line = LineKey::parse(line).map_err(|_| unknown_line());
    let decision = Decision {
        adjustment_minor: new.adjustment_minor,
        note: new.note,
    };
    let decided = super::write_once(context, request, &actor, async |tx| {
        let statement = seen(tx, &actor, statement).await?;
        settlers_only(&actor)?;
        let line = line.as_ref().map_err(Refusal::clone)?;
        let of = (&actor, &statement, line);
        let objection = objecting::decide(context, tx, of, &decision).await?;
        answer(200, &shown_objection(objection))
    })
    .await?;
    replied(&decided)
}

/// Lets a statement pass that the caller may see.
async fn seen(db: &impl Read, actor: &Actor, text: &str) -> anyhow::Result<Statement> {
    let id: StatementId = path_id(text, unknown_statement)?;
    let found = sql::statement(db, &actor.tenant, &id).await?;
    let found = found.ok_or_else(unknown_statement)?;
    if sees_all(actor) || form::acts_for(db, actor, &found.merchant).await? {
        return Ok(found);
    }
    Err(unknown_statement().into())
}

/// Lets a statement pass on which the caller may act: for its merchant, or for the platform.
async fn acted(db: &impl Read, actor: &Actor, text: &str) -> anyhow::Result<Statement> {
    let found = seen(db, actor, text).await?;
    form::acted(db, actor, &found.merchant).await?;
    Ok(found)
}

pub(super) fn shown(statement: &Statement, now: Timestamp) -> ShownStatement {
    ShownStatement {
        id: statement.id.clone(),
        merchant: statement.merchant.clone(),
        month: statement.month.to_string(),
        state: statement.state(now),
        review: statement.review.as_str(),
        collection: statement.collection.as_str(),
        contract_version: statement.contract_version,
        lines: statement.sums.lines,
        sale_minor: statement.sums.sale_minor,
        revenue_minor: statement.sums.amount_minor,
        settled_minor: statement.sums.settled_minor,
        debt_minor: statement.sums.debt_minor,
        total_minor: statement.sums.total_minor(),
        owed_minor: statement.owed_minor,
        netted_minor: statement.netted_minor,
        paid_minor: statement.paid_minor,
        deducted_minor: statement.deducted_minor,
        unpaid_minor: statement.unpaid_minor(),
        currency: Currency::Cny,
        issued_at: statement.issued_at,
        late_ms: statement.late_ms,
        object_until: statement.object_until,
        confirm_at: statement.confirm_at,
        due_at: statement.due_at,
        overdue_at: statement.overdue_at,
        kinds: None,
    }
}

fn shown_kind(of: &KindSums) -> ShownKind {
    ShownKind {
        kind: of.kind.as_str(),
        revenue: of.revenue.as_str(),
        lines: of.sums.lines,
        sale_minor: of.sums.sale_minor,
        revenue_minor: of.sums.amount_minor,
        settled_minor: of.sums.settled_minor,
        debt_minor: of.sums.debt_minor,
    }
}

fn shown_line(item: Item) -> ShownLine {
    ShownLine {
        line: item.key.to_string(),
        kind: item.key.kind.as_str(),
        at: item.at,
        revenue: item.revenue.as_str(),
        reference: item.reference,
        sale_minor: item.sale_minor,
        revenue_minor: item.amount_minor,
        settled_minor: item.settled_minor,
        debt_minor: item.debt_minor,
        owed_minor: item.amount_minor - item.settled_minor + item.debt_minor,
        memo: item.memo,
    }
}

fn shown_objection(objection: Objection) -> ShownObjection {
    ShownObjection {
        line: objection.line,
        state: objection.state,
        reason: objection.reason,
        raised_by: objection.raised_by,
        raised_at: objection.raised_at,
        adjustment_minor: objection.adjustment_minor,
        note: objection.note,
        decided_by: objection.decided_by,
        decided_at: objection.decided_at,
    }
}
