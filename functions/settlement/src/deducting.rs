//! What the calendar does to statements: silence confirms them, and what is unpaid at the due moment is taken from the
//! deposit, once for each statement.

use anyhow::Context as _;
use kernel::{StatementId, TenantId};
use ledger::{Account, Posting};
use store::{Tx, tx};
use wire::event::{DepositDeducted, StatementConfirmed, StatementOverdue, StatementPaid};

use crate::context::Context;
use crate::domain::{Money, Review, Statement};
use crate::facts::{alarm, append, fen};
use crate::standing::{deposited, restand};
use crate::store::statements;

/// Asks the deposit for what a statement left unpaid, at the first tick after its due moment; whether this did it.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn overdue(
    context: &Context,
    tenant: &TenantId,
    id: &StatementId,
) -> anyhow::Result<bool> {
    tx(&context.db, tenant, async |tx| {
        let statement = load(tx, id).await?;
        let is_due = statement.money == Money::Owed
            && statement.overdue_at.is_none()
            && statement.review != Review::Disputed
            && context.now >= statement.due_at;
        if !is_due {
            return Ok(false);
        }
        deduct(context, tx, statement).await?;
        Ok(true)
    })
    .await
}

async fn deduct(context: &Context, tx: &Tx, before: Statement) -> anyhow::Result<()> {
    let merchant = before.merchant.clone();
    let owed_minor = before.unpaid_minor();
    let deposit = deposited(tx, tx.tenant(), &merchant).await?;
    let (statement, taken) = before.deduct(deposit, context.now);
    if taken > 0 {
        let posting = Posting::new("deposit.deducted", statement.id.as_str(), context.now)
            .memo(&format!("{merchant} {}", statement.month))
            .debit(Account::merchant_deposit(&merchant), fen(taken))
            .credit(Account::merchant_receivable(&merchant), fen(taken));
        let posted = ledger::post(tx, &posting).await?;
        let fact = DepositDeducted {
            merchant: merchant.clone(),
            statement: statement.id.clone(),
            amount_minor: taken,
            balance_minor: deposit - taken,
            transaction: posted.id,
        };
        append(context, tx, &fact).await?;
    }
    statements::update(tx, &statement, context.now).await?;
    let fact = StatementOverdue {
        statement: statement.id.clone(),
        merchant: merchant.clone(),
        owed_minor,
        deducted_minor: taken,
        at: context.now,
    };
    append(context, tx, &fact).await?;
    if statement.money == Money::Shortfall {
        alarm(
            context,
            tx,
            ("shortfall", statement.id.as_str()),
            Some(&merchant),
        )
        .await?;
    } else {
        let fact = StatementPaid {
            statement: statement.id.clone(),
            merchant: merchant.clone(),
            by: "deposit".to_owned(),
            at: context.now,
        };
        append(context, tx, &fact).await?;
    }
    restand(context, tx, &merchant).await
}

/// Confirms a statement to which nothing was said; whether this did it.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn silence(
    context: &Context,
    tenant: &TenantId,
    id: &StatementId,
) -> anyhow::Result<bool> {
    tx(&context.db, tenant, async |tx| {
        let statement = load(tx, id).await?;
        if statement.review != Review::Sent || context.now < statement.confirm_at {
            return Ok(false);
        }
        statements::review(tx, (id, Review::Confirmed), (None, context.now)).await?;
        let fact = StatementConfirmed {
            statement: id.clone(),
            merchant: statement.merchant,
            actor: None,
            at: context.now,
        };
        append(context, tx, &fact).await?;
        Ok(true)
    })
    .await
}

/// Tells that an objection was not decided before the due moment, once.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn undecided(
    context: &Context,
    tenant: &TenantId,
    id: &StatementId,
) -> anyhow::Result<bool> {
    tx(&context.db, tenant, async |tx| {
        let statement = load(tx, id).await?;
        let subject = ("objection_undecided", id.as_str());
        alarm(context, tx, subject, Some(&statement.merchant)).await
    })
    .await
}

async fn load(tx: &Tx, id: &StatementId) -> anyhow::Result<Statement> {
    let found = statements::statement(tx, tx.tenant(), id).await?;
    found.context("a statement that is owed is none")
}
