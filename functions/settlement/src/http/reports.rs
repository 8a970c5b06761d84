//! `/api/settlements/...`: terms, alarms, the platform's revenue, and how a merchant's money stands.

use std::collections::BTreeMap;

use kernel::{Currency, MerchantId, StatementId, Timestamp, WithdrawalId, Zone};
use ledger::Account;
use serde::{Deserialize, Serialize};
use web::{Page, Query, Reply, Request};
use wire::mall::Standing;

use super::{answer, caller, form, private, replied, statements, withdrawals, write};
use crate::context::Context;
use crate::domain::{Month, Revenue, Terms, readers_only, settlers_only, total, unknown_merchant};
use crate::inbox;
use crate::standing::deposited;
use crate::store::{Whose, alarms as raised, items, merchants, reports as sql};
use crate::store::{statements as made, withdrawals as asked};

/// The statements and withdrawals that the view of a merchant's money shows.
const RECENT: i64 = 12;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TermsForm {
    time_zone: Zone,
    issue_day: u8,
    withdrawal_min_minor: i64,
    withdrawal_max_minor: i64,
    withdrawals_per_day: i64,
}

#[derive(Serialize)]
struct ShownTerms {
    #[serde(flatten)]
    terms: TermsForm,
    version: i64,
}

pub(super) async fn show_terms(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    readers_only(&actor)?;
    let (terms, version) = merchants::terms(&context.db, &actor.tenant).await?;
    Ok(Reply::ok(&shown_terms(&terms, version)).with_etag(version))
}

pub(super) async fn change_terms(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    settlers_only(&actor)?;
    let if_match = web::required_if_match(request)?;
    let new: TermsForm = web::body(request)?;
    let terms = Terms {
        zone: new.time_zone,
        issue_day: new.issue_day,
        withdrawal_min_minor: new.withdrawal_min_minor,
        withdrawal_max_minor: new.withdrawal_max_minor,
        withdrawals_per_day: new.withdrawals_per_day,
    }
    .checked()?;
    let changed = write(context, request, &actor, async |tx| {
        let (_, version) = merchants::terms(tx, tx.tenant()).await?;
        if_match.check(version)?;
        merchants::put_terms(tx, &terms, (&actor.id, context.now)).await?;
        answer(200, &shown_terms(&terms, version + 1))
    })
    .await?;
    replied(&changed)
}

fn shown_terms(terms: &Terms, version: i64) -> ShownTerms {
    ShownTerms {
        terms: TermsForm {
            time_zone: terms.zone,
            issue_day: terms.issue_day,
            withdrawal_min_minor: terms.withdrawal_min_minor,
            withdrawal_max_minor: terms.withdrawal_max_minor,
            withdrawals_per_day: terms.withdrawals_per_day,
        },
        version,
    }
}

#[derive(Serialize)]
struct ShownAlarm {
    kind: String,
    subject: String,
    merchant: Option<MerchantId>,
    at: Timestamp,
}

pub(super) async fn alarms(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    readers_only(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(Timestamp::parse)?;
    query.finish()?;
    let found = raised::alarms(&context.db, &actor.tenant, &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |alarm| alarm.at.to_string(),
        |alarm| ShownAlarm {
            kind: alarm.kind,
            subject: alarm.subject,
            merchant: alarm.merchant,
            at: alarm.at,
        },
    )))
}

#[derive(Serialize)]
struct ShownRevenue {
    from: String,
    to: String,
    currency: Currency,
    months: Vec<ShownMonth>,
    total_minor: i64,
}

#[derive(Serialize)]
struct ShownMonth {
    month: String,
    /// By kind: commission, hosting, maintenance, platform, advertising.
    kinds: BTreeMap<&'static str, ShownEarned>,
    total_minor: i64,
}

#[derive(Serialize, Default)]
struct ShownEarned {
    lines: i64,
    amount_minor: i64,
}

/// The five kinds of revenue by month, this one and the eleven before unless the caller says otherwise.
pub(super) async fn revenue(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    readers_only(&actor)?;
    let mut query = Query::of(request)?;
    let (from, to) = (
        query.take("from", Month::parse)?,
        query.take("to", Month::parse)?,
    );
    query.finish()?;
    let (terms, _) = merchants::terms(&context.db, &actor.tenant).await?;
    let to = to.unwrap_or_else(|| Month::at(terms.zone, context.now));
    let from = from.unwrap_or_else(|| (0..11).fold(to, |month, _| month.previous()));
    let span = (from, to);
    let mut earned = sql::revenue(&context.db, &actor.tenant, span).await?;
    earned.extend(sql::platform_fees(&context.db, &actor.tenant, span).await?);
    let mut months: BTreeMap<Month, ShownMonth> = BTreeMap::new();
    for of in &earned {
        let month = months.entry(of.month).or_insert_with(|| empty(of.month));
        let kind = month.kinds.entry(of.revenue.as_str()).or_default();
        kind.lines += of.lines;
        kind.amount_minor += of.amount_minor;
        month.total_minor += of.amount_minor;
    }
    Ok(Reply::ok(&ShownRevenue {
        from: from.to_string(),
        to: to.to_string(),
        currency: Currency::Cny,
        total_minor: months.values().map(|month| month.total_minor).sum(),
        months: months.into_values().collect(),
    }))
}

fn empty(month: Month) -> ShownMonth {
    let kinds = Revenue::ALL.iter();
    ShownMonth {
        month: month.to_string(),
        kinds: kinds
            .map(|revenue| (revenue.as_str(), ShownEarned::default()))
            .collect(),
        total_minor: 0,
    }
}

#[derive(Serialize)]
struct ShownFinances {
    merchant: MerchantId,
    standing: Option<&'static str>,
    currency: Currency,
    /// What may be drawn: posted less held.
    available_minor: i64,
    held_minor: i64,
    deposit_minor: i64,
    /// What is owed by statements, and by refunds that are on none yet.
    receivable_minor: i64,
    open_period: ShownOpen,
    statements: Vec<statements::ShownStatement>,
    withdrawals: Vec<withdrawals::ShownWithdrawal>,
}

/// What no statement has claimed yet.
#[derive(Serialize)]
struct ShownOpen {
    lines: i64,
    sale_minor: i64,
    revenue_minor: i64,
    /// What of it stands in the books already.
    debt_minor: i64,
    owed_minor: i64,
}

/// How a merchant's money stands: income, statements, withdrawals.
pub(super) async fn finances(
    context: &Context,
    request: &Request,
    merchant: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let (db, tenant) = (&context.db, &actor.tenant);
    let merchant = form::seen_path(db, &actor, merchant).await?;
    let known = merchants::merchant(db, tenant, &merchant).await?;
    let known = known.ok_or_else(unknown_merchant)?;
    let payable = Account::merchant_payable(&merchant);
    let payable = ledger::balance(db, tenant, &payable, Currency::Cny).await?;
    let receivable = Account::merchant_receivable(&merchant);
    let receivable = ledger::balance(db, tenant, &receivable, Currency::Cny).await?;
    let open = total(&items::unclaimed(db, tenant, &merchant).await?);
    let whose = Whose::of(&actor, Some(merchant.clone()))?;
    let page: Page<StatementId> = Page {
        limit: RECENT - 1,
        after: None,
    };
    let recent = made::statements(db, (tenant, &whose), None, &page).await?;
    let page: Page<WithdrawalId> = Page {
        limit: RECENT - 1,
        after: None,
    };
    let drawn = asked::withdrawals(db, (tenant, &whose), None, &page).await?;
    let finances = ShownFinances {
        standing: known.standing.map(Standing::as_str),
        currency: Currency::Cny,
        available_minor: payable.available().minor(),
        held_minor: payable.posted().minor() - payable.available().minor(),
        deposit_minor: deposited(db, tenant, &merchant).await?,
        receivable_minor: receivable.posted().minor(),
        open_period: ShownOpen {
            lines: open.lines,
            sale_minor: open.sale_minor,
            revenue_minor: open.amount_minor,
            debt_minor: open.debt_minor,
            owed_minor: open.total_minor(),
        },
        statements: recent
            .iter()
            .map(|statement| statements::shown(statement, context.now))
            .collect(),
        withdrawals: drawn
            .into_iter()
            .map(|withdrawal| withdrawals::shown(&actor, withdrawal))
            .collect(),
        merchant,
    };
    Ok(private(Reply::ok(&finances)))
}
