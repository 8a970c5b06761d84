//! Platform fees: taken on the charge day when the balance bears all of it; else the account is suspended until a
//! recharge does, which takes the fee and resumes in its own transaction.

use anyhow::Context as _;
use kernel::{ActorId, Currency, TenantId};
use ledger::{Account, Posting};
use store::{Read, Tx, tx};
use wire::event::{PlatformAccountChanged, PlatformFeeCharged};

use crate::context::Context;
use crate::domain::{Fee, PlatformAccount, Use};
use crate::facts::{append, fen};
use crate::store::{merchants, platform};

/// What was paid ahead, in fen.
pub(crate) async fn prepaid(
    db: &impl Read,
    tenant: &TenantId,
    account: &ActorId,
) -> anyhow::Result<i64> {
    let account = Account::platform_prepaid(account);
    let balance = ledger::balance(db, tenant, &account, Currency::Cny).await?;
    Ok(balance.available().minor())
}

/// Takes the fee of an account whose charge day has come; whether it had.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn charge(
    context: &Context,
    tenant: &TenantId,
    id: &ActorId,
) -> anyhow::Result<bool> {
    tx(&context.db, tenant, async |tx| {
        let found = platform::account(tx, tx.tenant(), id).await?;
        let before = found.context("an account that is due is none")?;
        if before.state != Use::Active || before.charge_at > context.now {
            return Ok(false);
        }
        let (terms, _) = merchants::terms(tx, tx.tenant()).await?;
        let balance = prepaid(tx, tx.tenant(), id).await?;
        let (after, fee) = before.clone().charge(terms.zone, balance);
        keep(context, tx, (&before, after), fee).await?;
        Ok(true)
    })
    .await
}

/// After a recharge: takes what is owed and resumes, if the balance bears it.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn resume(context: &Context, tx: &Tx, id: &ActorId) -> anyhow::Result<()> {
    let found = platform::account(tx, tx.tenant(), id).await?;
    let before = found.context("an account that was recharged is none")?;
    let (terms, _) = merchants::terms(tx, tx.tenant()).await?;
    let balance = prepaid(tx, tx.tenant(), id).await?;
    let (after, fee) = before.clone().resume(terms.zone, (balance, context.now));
    if after == before {
        return Ok(());
    }
    keep(context, tx, (&before, after), fee).await
}

/// Stores what became of an account, with the fee that was taken.
async fn keep(
    context: &Context,
    tx: &Tx,
    (before, mut after): (&PlatformAccount, PlatformAccount),
    fee: Option<Fee>,
) -> anyhow::Result<()> {
    if let Some(fee) = fee {
        take(context, tx, &after.id, fee).await?;
    } else if let Use::Suspended { period, owed_minor } = &after.state {
        let fact = PlatformFeeCharged {
            account: after.id.clone(),
            period: period.to_string(),
            amount_minor: *owed_minor,
            taken: false,
            at: context.now,
        };
        append(context, tx, &fact).await?;
    }
    let turned = before.state != after.state;
    if turned {
        after.version += 1;
    }
    platform::put(tx, &after, context.now).await?;
    if turned {
        let holders = platform::holders(tx, tx.tenant(), &after.id).await?;
        tell(context, tx, (&after, holders)).await?;
    }
    Ok(())
}

/// One fee an account and month: in the table, in the books, and told.
async fn take(context: &Context, tx: &Tx, account: &ActorId, fee: Fee) -> anyhow::Result<()> {
    if !platform::insert_charge(tx, account, (fee, context.now)).await? {
        return Ok(());
    }
    if fee.amount_minor > 0 {
        let reference = format!("{account}/{}", fee.period);
        let posting = Posting::new("platform_fee.charged", &reference, context.now)
            .debit(Account::platform_prepaid(account), fen(fee.amount_minor))
            .credit(Account::platform_fee_income(), fen(fee.amount_minor));
        ledger::post(tx, &posting).await?;
    }
    let fact = PlatformFeeCharged {
        account: account.clone(),
        period: fee.period.to_string(),
        amount_minor: fee.amount_minor,
        taken: true,
        at: context.now,
    };
    append(context, tx, &fact).await
}

/// Tells how an account stands: what others judge by when they are asked.
pub(crate) async fn tell(
    context: &Context,
    tx: &Tx,
    (account, holders): (&PlatformAccount, Vec<ActorId>),
) -> anyhow::Result<()> {
    let fact = PlatformAccountChanged {
        account: account.id.clone(),
        kind: account.party.as_str().to_owned(),
        holders,
        suspended: matches!(account.state, Use::Suspended { .. }),
        version: account.version,
        at: context.now,
    };
    append(context, tx, &fact).await
}
