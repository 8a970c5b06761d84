//! `/api/ledger`: the books, for the operator and auditors.

use kernel::{Currency, Money, Refusal, Timestamp, TransactionId};
use ledger::{Account, AccountKind, KindBalance, Line, Shown};
use serde::Serialize;
use web::{Query, Reply, Request};

use super::{caller, path_id};
use crate::context::Context;
use crate::domain::{auditors_only, unknown_account};

#[derive(Serialize)]
struct ShownTrial {
    kinds: Vec<ShownKind>,
    totals: Vec<ShownTotal>,
}

#[derive(Serialize)]
struct ShownKind {
    kind: &'static str,
    currency: Currency,
    debits_minor: i64,
    credits_minor: i64,
    balance_minor: i64,
    normal: &'static str,
}

#[derive(Serialize)]
struct ShownTotal {
    currency: Currency,
    debits_minor: i64,
    credits_minor: i64,
    balanced: bool,
}

#[derive(Serialize)]
struct ShownAccount {
    account: String,
    kind: &'static str,
    currency: Currency,
    posted: Money,
    available: Money,
    guarded: bool,
}

#[derive(Serialize)]
struct ShownLine {
    transaction: TransactionId,
    kind: String,
    reference: String,
    at: Timestamp,
    memo: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reverses: Option<TransactionId>,
    side: &'static str,
    amount: Money,
    balance: Money,
}

#[derive(Serialize)]
struct ShownTransaction {
    id: TransactionId,
    kind: String,
    reference: String,
    at: Timestamp,
    memo: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reverses: Option<TransactionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reversed_by: Option<TransactionId>,
    legs: Vec<ShownLeg>,
}

#[derive(Serialize)]
struct ShownLeg {
    account: String,
    side: &'static str,
    amount: Money,
}

pub(super) async fn trial_balance(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    auditors_only(&actor)?;
    Query::of(request)?.finish()?;
    let sums = ledger::trial_balance(&context.db, &actor.tenant).await?;
    let totals = Currency::ALL
        .into_iter()
        .map(|currency| total(currency, &sums));
    Ok(Reply::ok(&ShownTrial {
        totals: totals.collect(),
        kinds: sums.iter().map(show_kind).collect(),
    }))
}

fn total(currency: Currency, sums: &[KindBalance]) -> ShownTotal {
    let own = || sums.iter().filter(|sum| sum.currency == currency);
    let debits_minor = own().map(|sum| sum.debits).sum();
    let credits_minor = own().map(|sum| sum.credits).sum();
    ShownTotal {
        currency,
        debits_minor,
        credits_minor,
        balanced: debits_minor == credits_minor,
    }
}

fn show_kind(sum: &KindBalance) -> ShownKind {
    let normal = sum.kind.normal();
    let difference = sum.debits - sum.credits;
    ShownKind {
        kind: sum.kind.as_str(),
        currency: sum.currency,
        debits_minor: sum.debits,
        credits_minor: sum.credits,
        balance_minor: if normal == ledger::Side::Debit {
            difference
        } else {
            -difference
        },
        normal: normal.as_str(),
    }
}

pub(super) async fn accounts(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    auditors_only(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(Account::parse)?;
    let kind = query.take("kind", |text| {
        AccountKind::parse(text).ok_or("it is no kind of account")
    })?;
    query.finish()?;
    let found = ledger::accounts(
        &context.db,
        &actor.tenant,
        kind,
        page.after.as_ref(),
        page.rows(),
    )
    .await?;
    let mut shown = Vec::with_capacity(found.len());
    for row in found {
        let balance =
            ledger::balance(&context.db, &actor.tenant, &row.account, row.currency).await?;
        shown.push(ShownAccount {
            account: row.account.to_string(),
            kind: row.account.kind().as_str(),
            currency: row.currency,
            posted: balance.posted(),
            available: balance.available(),
            guarded: row.account.kind().is_guarded(),
        });
    }
    Ok(Reply::ok(&page.listing(
        shown,
        |shown| shown.account.clone(),
        |shown| shown,
    )))
}

pub(super) async fn statement(
    context: &Context,
    request: &Request,
    account: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    auditors_only(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(|text| place(text).ok_or("send what `next` said"))?;
    query.finish()?;
    let account: Account = path_id(account, unknown_account)?;
    let is_used = ledger::is_used(&context.db, &actor.tenant, &account).await?;
    if !is_used {
        return Err(unknown_account().into());
    }
    let lines = ledger::statement(
        &context.db,
        &actor.tenant,
        (&account, Currency::Cny),
        page.after,
        page.rows(),
    )
    .await?;
    let cursor = |line: &Line| format!("{}-{}", line.place.0, line.place.1);
    Ok(Reply::ok(&page.listing(lines, cursor, show_line)))
}

/// The cursor of statements: a transaction and a leg of it.
fn place(text: &str) -> Option<(i64, i64)> {
    let (seq, leg) = text.split_once('-')?;
    Some((seq.parse().ok()?, leg.parse().ok()?))
}

fn show_line(line: Line) -> ShownLine {
    ShownLine {
        transaction: line.transaction,
        kind: line.kind,
        reference: line.reference,
        at: line.at,
        memo: line.memo,
        reverses: line.reverses,
        side: line.side.as_str(),
        amount: line.amount,
        balance: line.balance,
    }
}

pub(super) async fn transaction(
    context: &Context,
    request: &Request,
    id: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    auditors_only(&actor)?;
    let id: TransactionId = path_id(id, unknown_transaction)?;
    let found = ledger::transaction(&context.db, &actor.tenant, &id).await?;
    Ok(Reply::ok(&show_transaction(
        found.ok_or_else(unknown_transaction)?,
    )))
}

fn show_transaction(shown: Shown) -> ShownTransaction {
    let leg = |leg: ledger::Leg| ShownLeg {
        account: leg.account.to_string(),
        side: leg.side.as_str(),
        amount: leg.amount,
    };
    ShownTransaction {
        id: shown.id,
        kind: shown.kind,
        reference: shown.reference,
        at: shown.at,
        memo: shown.memo,
        reverses: shown.reverses,
        reversed_by: shown.reversed_by,
        legs: shown.legs.into_iter().map(leg).collect(),
    }
}

fn unknown_transaction() -> Refusal {
    Refusal::not_found(
        "transaction_unknown",
        kernel::Message::new(
            "There is no such transaction in the ledger.",
            "账本中没有该笔交易。",
        ),
    )
}

/// Recomputes the whole of the tenant's books.
pub(super) async fn verification(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    auditors_only(&actor)?;
    Query::of(request)?.finish()?;
    Ok(Reply::ok(
        &ledger::verify(&context.db, &actor.tenant).await?,
    ))
}
