//! Making a statement: every unclaimed line from before the end of the month is stamped with its id, the sums become
//! what is owed, and the books hear of it. One transaction, once for each merchant and month.

use anyhow::Context as _;
use kernel::{Currency, MerchantId, StatementId, Zone};
use ledger::{Account, Posting};
use store::Tx;
use wire::event::{StatementIssued, StatementPaid};
use wire::mall::Collection;

use crate::context::Context;
use crate::domain::{
    Contract, Item, Kind, KindSums, LineKey, Moments, Money, Month, Revenue, Review, Statement,
    Terms, total,
};
use crate::facts::{alarm, append, fen};
use crate::store::merchants::{self, Merchant};
use crate::store::{deposits, items, statements};

/// What became of a merchant in a run.
pub(crate) enum Made {
    /// Its statement.
    Statement(Box<Statement>),
    /// None, for this reason.
    Skipped(&'static str),
}

/// Makes the merchant's statement of the month, unless there is one.
pub(crate) async fn make(
    context: &Context,
    tx: &Tx,
    merchant: &Merchant,
    (month, terms): (Month, &Terms),
) -> anyhow::Result<Made> {
    let id = &merchant.id;
    if statements::is_made(tx, tx.tenant(), (id, month)).await? {
        return Ok(Made::Skipped("already_made"));
    }
    let contract = merchants::contract(tx, tx.tenant(), (id, month)).await?;
    let Some(contract) = contract else {
        return Ok(Made::Skipped("no_contract"));
    };
    if !has_ended(tx, merchant, month).await? {
        for fee in fees(id, &contract, (month, terms)) {
            items::insert_item(tx, &fee).await?;
        }
    }
    let statement: StatementId = context.new_id()?;
    items::claim(tx, (id, month.end(terms.zone)), &statement).await?;
    let kinds = items::sums(tx, tx.tenant(), &statement).await?;
    if kinds.is_empty() {
        return Ok(Made::Skipped("nothing_to_settle"));
    }
    let moments = contract.moments(terms, month, context.now);
    let statement = drafted(
        context,
        (statement, id, month),
        (&contract, moments, terms.zone),
        &kinds,
    );
    let statement = issue(context, tx, statement, &kinds).await?;
    if moments.late_ms.is_some() {
        alarm(
            context,
            tx,
            ("statement_late", statement.id.as_str()),
            Some(id),
        )
        .await?;
    }
    Ok(Made::Statement(Box::new(statement)))
}

/// Whether the merchant has left: its contract has ended before the month, or its shop is closed and its deposit was
/// given back. No fees are charged any more.
async fn has_ended(tx: &Tx, merchant: &Merchant, month: Month) -> anyhow::Result<bool> {
    if merchants::has_contract_ended(tx, (&merchant.id, month)).await? {
        return Ok(true);
    }
    if merchant.open {
        return Ok(false);
    }
    let refund = deposits::last_refund(tx, tx.tenant(), &merchant.id).await?;
    Ok(refund.is_some_and(|refund| refund.state == "refunded"))
}

/// The fees of the month, as items of its last moment.
fn fees(merchant: &MerchantId, contract: &Contract, (month, terms): (Month, &Terms)) -> Vec<Item> {
    let all = [
        (Kind::Hosting, Revenue::Hosting, contract.hosting_minor),
        (
            Kind::Maintenance,
            Revenue::Maintenance,
            contract.maintenance_minor,
        ),
        (Kind::Platform, Revenue::Platform, contract.platform_minor),
    ];
    let due = all.into_iter().filter(|(_, _, amount)| *amount > 0);
    due.map(|(kind, revenue, amount_minor)| Item {
        key: LineKey {
            kind,
            source: format!("{merchant}-{month}"),
        },
        merchant: merchant.clone(),
        at: month.end(terms.zone).plus_millis(-1),
        revenue,
        sale_minor: 0,
        amount_minor,
        settled_minor: 0,
        debt_minor: 0,
        reference: format!("contract-{}", contract.version),
        memo: String::new(),
    })
    .collect()
}

fn drafted(
    context: &Context,
    (id, merchant, month): (StatementId, &MerchantId, Month),
    (contract, moments, zone): (&Contract, Moments, Zone),
    kinds: &[KindSums],
) -> Statement {
    let sums = total(kinds);
    let owed_minor = sums.total_minor().max(0);
    Statement {
        id,
        merchant: merchant.clone(),
        month,
        collection: contract.collection,
        contract_version: contract.version,
        zone,
        sums,
        owed_minor,
        netted_minor: 0,
        paid_minor: 0,
        deducted_minor: 0,
        review: Review::Sent,
        money: if owed_minor == 0 {
            Money::Paid
        } else {
            Money::Owed
        },
        issued_at: context.now,
        late_ms: moments.late_ms.unwrap_or_default(),
        object_until: moments.object_until,
        confirm_at: moments.confirm_at,
        due_at: moments.due_at,
        overdue_at: None,
    }
}

async fn issue(
    context: &Context,
    tx: &Tx,
    mut statement: Statement,
    kinds: &[KindSums],
) -> anyhow::Result<Statement> {
    book(context, tx, &statement, kinds).await?;
    if statement.collection == Collection::Platform {
        statement.netted_minor = net(context, tx, &statement).await?;
    }
    if statement.unpaid_minor() == 0 {
        statement.money = Money::Paid;
    }
    statements::insert(tx, &statement, kinds).await?;
    carry(tx, context, &statement).await?;
    let fact = StatementIssued {
        statement: statement.id.clone(),
        merchant: statement.merchant.clone(),
        month: statement.month.to_string(),
        lines: statement.sums.lines,
        total_minor: statement.sums.total_minor(),
        netted_minor: statement.netted_minor,
        owed_minor: statement.unpaid_minor(),
        currency: Currency::Cny,
        due_at: statement.due_at,
        late_ms: statement.late_ms,
    };
    append(context, tx, &fact).await?;
    if statement.money == Money::Paid {
        let by = if statement.owed_minor == 0 {
            "nothing_owed"
        } else {
            "netted"
        };
        let fact = StatementPaid {
            statement: statement.id.clone(),
            merchant: statement.merchant.clone(),
            by: by.to_owned(),
            at: context.now,
        };
        append(context, tx, &fact).await?;
    }
    Ok(statement)
}

/// The account of a kind of revenue.
fn income(revenue: Revenue) -> Account {
    match revenue {
        Revenue::Commission => Account::platform_commission(),
        Revenue::Hosting | Revenue::Maintenance | Revenue::Platform => {
            Account::platform_fee_income()
        }
        Revenue::Advertising => Account::ad_income(),
    }
}

/// What the books have not taken yet is owed by the merchant from now on, and income of each kind.
async fn book(
    context: &Context,
    tx: &Tx,
    statement: &Statement,
    kinds: &[KindSums],
) -> anyhow::Result<()> {
    let mut posting = Posting::new("statement.issued", statement.id.as_str(), context.now)
        .memo(&format!("{} {}", statement.merchant, statement.month));
    let mut owed = 0_i64;
    for revenue in Revenue::ALL {
        let of = kinds.iter().filter(|of| of.revenue == *revenue);
        let minor: i64 = of
            .map(|of| of.sums.amount_minor - of.sums.settled_minor)
            .sum();
        owed += minor;
        posting = match minor {
            0 => posting,
            1.. => posting.credit(income(*revenue), fen(minor)),
            _ => posting.debit(income(*revenue), fen(-minor)),
        };
    }
    let receivable = Account::merchant_receivable(&statement.merchant);
    posting = match owed {
        0 => posting,
        1.. => posting.debit(receivable, fen(owed)),
        _ => posting.credit(receivable, fen(-owed)),
    };
    if !posting.legs.is_empty() {
        ledger::post(tx, &posting).await?;
    }
    Ok(())
}

/// Takes what is owed from what the merchant may draw, as far as that goes; how much, in fen.
async fn net(context: &Context, tx: &Tx, statement: &Statement) -> anyhow::Result<i64> {
    let payable = Account::merchant_payable(&statement.merchant);
    let balance = ledger::balance(tx, tx.tenant(), &payable, Currency::Cny).await?;
    let netted = statement.owed_minor.min(balance.available().minor()).max(0);
    if netted > 0 {
        let receivable = Account::merchant_receivable(&statement.merchant);
        let posting = Posting::new("statement.netted", statement.id.as_str(), context.now)
            .debit(payable, fen(netted))
            .credit(receivable, fen(netted));
        ledger::post(tx, &posting).await?;
    }
    Ok(netted)
}

/// A total below zero is a line of the next statement; it stands in the books already.
async fn carry(tx: &Tx, context: &Context, statement: &Statement) -> anyhow::Result<()> {
    let total = statement.sums.total_minor();
    if total >= 0 {
        return Ok(());
    }
    let item = Item {
        key: LineKey {
            kind: Kind::Carry,
            source: statement.id.to_string(),
        },
        merchant: statement.merchant.clone(),
        at: context.now,
        revenue: Revenue::Commission,
        sale_minor: 0,
        amount_minor: 0,
        settled_minor: 0,
        debt_minor: total,
        reference: statement.id.to_string(),
        memo: statement.month.to_string(),
    };
    items::insert_item(tx, &item).await
}

/// Adds a correction to the open period; the name of its line.
pub(crate) async fn adjust(
    context: &Context,
    tx: &Tx,
    (merchant, revenue): (&MerchantId, Revenue),
    (amount_minor, reference, memo): (i64, &str, &str),
) -> anyhow::Result<LineKey> {
    let source: StatementId = context.new_id()?;
    let key = LineKey::parse(&format!("{}.{source}", Kind::Adjustment.as_str()));
    let key = key.context("naming an adjustment")?;
    let item = Item {
        key: key.clone(),
        merchant: merchant.clone(),
        at: context.now,
        revenue,
        sale_minor: 0,
        amount_minor,
        settled_minor: 0,
        debt_minor: 0,
        reference: reference.to_owned(),
        memo: memo.to_owned(),
    };
    items::insert_item(tx, &item).await?;
    Ok(key)
}
