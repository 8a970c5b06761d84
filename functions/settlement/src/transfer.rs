//! The seam to channels of transfers: send under a number, ask for a number. What a channel does not answer is unknown,
//! never failed: it is asked again under the same number, ever more rarely, and the money stays held.
//!
//! One channel stands behind it, the simulated one. What it does with a transfer is in the last four digits of the
//! account: `0001` is refused, `0002` succeeds without an answer, `0003` is worked on until it is asked the second time.

use kernel::{TenantId, WithdrawalId};
use store::tx;

use crate::context::Context;
use crate::domain::{Withdrawal, WithdrawalState};
use crate::facts::alarm;
use crate::store::simulated::{self, Transfer};
use crate::store::withdrawals;
use crate::withdrawing::{let_go, paid, tell};

/// After so many questions without an answer somebody has to look.
const TRIES_ALARM: i64 = 5;
/// The longest time between two questions, in milliseconds: an hour.
const WAIT_MS_MAX: i64 = 60 * 60 * 1_000;
/// The first time between two questions, in milliseconds.
const WAIT_MS: i64 = 10_000;

/// How a transfer stands at the channel.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stands {
    /// It was never heard of there.
    Absent,
    /// It is worked on.
    Working,
    /// The money is out, under this reference.
    Done(String),
    /// It will not be done.
    Refused,
}

/// Looks after a transfer: tells the channel, or asks it. Nothing is sent inside of a transaction, and that it is sent
/// is stored before.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn look_after(
    context: &Context,
    tenant: &TenantId,
    id: &WithdrawalId,
) -> anyhow::Result<bool> {
    let Some((withdrawal, number, is_new)) = begin(context, tenant, id).await? else {
        return Ok(false);
    };
    let answer = if is_new {
        send(context, tenant, (&number, &withdrawal)).await
    } else {
        match ask(context, tenant, &number).await {
            // It never arrived: the same number again is the same transfer.
            Ok(Stands::Absent) => send(context, tenant, (&number, &withdrawal)).await,
            other => other,
        }
    };
    tx(&context.db, tenant, async |tx| {
        let found = withdrawals::withdrawal(tx, tx.tenant(), id).await?;
        let Some(before) = found.filter(|found| found.state == WithdrawalState::Sending) else {
            return Ok(());
        };
        match &answer {
            Ok(Stands::Done(reference)) => {
                paid(context, tx, before, (reference, None)).await?;
            }
            Ok(Stands::Refused) => {
                let_go(context, tx, before, (WithdrawalState::Failed, None)).await?;
            }
            Ok(Stands::Absent | Stands::Working) | Err(_) => {
                if before.tries >= TRIES_ALARM {
                    let subject = ("transfer_unknown", id.as_str());
                    alarm(context, tx, subject, Some(&before.merchant)).await?;
                }
            }
        }
        Ok(())
    })
    .await?;
    Ok(true)
}

/// Stores that the channel is told or asked now, and when it is asked next.
async fn begin(
    context: &Context,
    tenant: &TenantId,
    id: &WithdrawalId,
) -> anyhow::Result<Option<(Withdrawal, String, bool)>> {
    tx(&context.db, tenant, async |tx| {
        let found = withdrawals::withdrawal(tx, tx.tenant(), id).await?;
        let Some(before) = found.filter(|found| found.due_at.is_some_and(|due| due <= context.now))
        else {
            return Ok(None);
        };
        let Some(number) = before.number.clone() else {
            return Ok(None);
        };
        let is_new = before.state == WithdrawalState::Approved;
        let doublings = u32::try_from(before.tries.clamp(0, 12))?;
        let wait = (WAIT_MS << doublings).min(WAIT_MS_MAX);
        let after = Withdrawal {
            state: WithdrawalState::Sending,
            tries: before.tries + 1,
            due_at: Some(context.now.plus_millis(wait)),
            ..before
        };
        withdrawals::update(tx, &after).await?;
        if is_new {
            tell(context, tx, &after, None).await?;
        }
        Ok(Some((after, number, is_new)))
    })
    .await
}

async fn send(
    context: &Context,
    tenant: &TenantId,
    (number, withdrawal): (&str, &Withdrawal),
) -> anyhow::Result<Stands> {
    let account = withdrawal.account.as_str();
    let state = if account.ends_with("0001") {
        "fail"
    } else if account.ends_with("0003") {
        "processing"
    } else {
        "success"
    };
    let transfer = Transfer {
        amount_minor: withdrawal.amount_minor,
        account: account.to_owned(),
        state: state.to_owned(),
        reference: format!("sim-{number}"),
    };
    tx(&context.db, tenant, async |tx| {
        simulated::insert(tx, number, (&transfer, context.now)).await
    })
    .await?;
    anyhow::ensure!(!account.ends_with("0002"), "the channel did not answer");
    stands(&transfer)
}

async fn ask(context: &Context, tenant: &TenantId, number: &str) -> anyhow::Result<Stands> {
    tx(&context.db, tenant, async |tx| {
        let Some(transfer) = simulated::transfer(tx, number).await? else {
            return Ok(Stands::Absent);
        };
        if transfer.state == "processing" {
            simulated::update(tx, number, "success").await?;
        }
        stands(&transfer)
    })
    .await
}

fn stands(transfer: &Transfer) -> anyhow::Result<Stands> {
    Ok(match transfer.state.as_str() {
        "processing" => Stands::Working,
        "success" => Stands::Done(transfer.reference.clone()),
        "fail" => Stands::Refused,
        other => anyhow::bail!("a simulated transfer is {other:?}"),
    })
}
