//! The balance of a person: in the ledger it is their wallet. Two ids that turn out to be one person's make one wallet.

use kernel::{ActorId, Currency, EventId};
use ledger::{Account, Hold, Posting};
use store::Tx;

use crate::context::Context;
use crate::facts::fen;
use crate::store::payments::{self, Payment};

/// How much longer than it may take the credit of a payment is held: a notice may come late.
const HOLD_MS: i64 = 7 * 24 * 60 * 60 * 1_000;

/// Sets aside what the payer's credit bears of a payment.
pub(crate) async fn hold(tx: &Tx, payment: &Payment) -> anyhow::Result<kernel::HoldId> {
    held(tx, payment, (&payment.payer, payment.id.to_string())).await
}

async fn held(
    tx: &Tx,
    payment: &Payment,
    (person, reference): (&ActorId, String),
) -> anyhow::Result<kernel::HoldId> {
    let hold = Hold {
        kind: "bill_payment.credit".to_owned(),
        reference,
        debit: Account::resident_wallet(person),
        credit: Account::suspense(),
        amount: fen(payment.credit_minor),
        at: payment.requested_at,
        expires_at: payment.expires_at.plus_millis(HOLD_MS),
        memo: String::new(),
    };
    Ok(ledger::hold(tx, &hold).await?.id)
}

/// Money in suspense becomes credit of a person.
pub(crate) async fn to_wallet(
    context: &Context,
    tx: &Tx,
    (kind, reference): (&str, &str),
    (person, amount_minor): (&ActorId, i64),
) -> anyhow::Result<()> {
    let posting = Posting::new(kind, reference, context.now)
        .debit(Account::suspense(), fen(amount_minor))
        .credit(Account::resident_wallet(person), fen(amount_minor));
    ledger::post(tx, &posting).await?;
    Ok(())
}

/// What stands in the alias's wallet goes to the person's, and what of it payments under way hold is held there.
pub(crate) async fn move_wallet(
    context: &Context,
    tx: &Tx,
    (alias, person): (&ActorId, &ActorId),
    event: &EventId,
) -> anyhow::Result<()> {
    let waiting = payments::held_by(tx, alias).await?;
    for payment in &waiting {
        if let Some(hold) = &payment.credit_hold {
            ledger::void(tx, hold, context.now).await?;
        }
    }
    let wallet = Account::resident_wallet(alias);
    let balance = ledger::balance(tx, tx.tenant(), &wallet, Currency::Cny).await?;
    let amount = balance.available();
    if amount.minor() > 0 {
        let posting = Posting::new("wallet.alias", event.as_str(), context.now)
            .debit(wallet, amount)
            .credit(Account::resident_wallet(person), amount);
        ledger::post(tx, &posting).await?;
    }
    for payment in &waiting {
        // Its first key is spent.
        let key = format!("{}/{event}", payment.id);
        let hold = held(tx, payment, (person, key)).await?;
        payments::move_hold(tx, &payment.id, &hold).await?;
    }
    Ok(())
}
