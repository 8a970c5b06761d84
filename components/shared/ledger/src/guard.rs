//! Guarded accounts: their balance is kept inline, and is moved by updates that refuse to go below zero.

use std::collections::BTreeMap;

use kernel::Currency;
use store::{INSERT_ROWS_MAX, Tx, Value};

use crate::posting::Leg;
use crate::{Account, Side, refusal, sql};

/// What moves on an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Movement {
    pub(crate) posted_debits: i64,
    pub(crate) posted_credits: i64,
    pub(crate) held_debits: i64,
    pub(crate) held_credits: i64,
}

impl Movement {
    /// This and what a leg adds.
    fn plus(self, side: Side, amount: i64) -> anyhow::Result<Self> {
        let add = |sum: i64| {
            sum.checked_add(amount)
                .ok_or_else(|| anyhow::anyhow!("an account's sum is beyond 2^63"))
        };
        Ok(match side {
            Side::Debit => Self {
                posted_debits: add(self.posted_debits)?,
                ..self
            },
            Side::Credit => Self {
                posted_credits: add(self.posted_credits)?,
                ..self
            },
        })
    }

    /// What may still be taken: posted less held.
    fn available(self, normal: Side) -> i128 {
        let [debits, credits] = [self.posted_debits, self.posted_credits].map(i128::from);
        match normal {
            Side::Debit => debits - credits - i128::from(self.held_credits),
            Side::Credit => credits - debits - i128::from(self.held_debits),
        }
    }
}

/// Moves the guarded accounts among these legs, transaction by transaction: none may be below zero after any of them.
pub(crate) async fn post(tx: &Tx, transactions: &[&[Leg]]) -> anyhow::Result<()> {
    let mut moved: BTreeMap<(&Account, Currency), Movement> = BTreeMap::new();
    for leg in transactions.iter().copied().flatten() {
        if leg.account.kind().is_guarded() {
            moved.insert((&leg.account, leg.amount.currency()), Movement::default());
        }
    }
    if moved.is_empty() {
        return Ok(());
    }
    let mut present = present(tx, moved.keys().map(|(account, _)| *account)).await?;
    for legs in transactions {
        let guarded = |leg: &&Leg| leg.account.kind().is_guarded();
        for leg in legs.iter().filter(guarded) {
            let amount = leg.amount.minor();
            let key = (&leg.account, leg.amount.currency());
            let movement = moved.entry(key).or_default();
            *movement = movement.plus(leg.side, amount)?;
            let name = (leg.account.as_str().to_owned(), leg.amount.currency());
            let balance = present.entry(name).or_default();
            *balance = balance.plus(leg.side, amount)?;
        }
        for leg in legs.iter().filter(guarded) {
            let name = (leg.account.as_str().to_owned(), leg.amount.currency());
            let balance = present.get(&name).copied().unwrap_or_default();
            if balance.available(leg.account.kind().normal()) < 0 {
                return Err(refusal::insufficient(&leg.account).into());
            }
        }
    }
    for ((account, currency), movement) in moved {
        shift(tx, account, currency, movement).await?;
    }
    Ok(())
}

/// How the accounts stand.
async fn present(
    tx: &Tx,
    accounts: impl Iterator<Item = &Account>,
) -> anyhow::Result<BTreeMap<(String, Currency), Movement>> {
    let names: Vec<&str> = accounts.map(Account::as_str).collect();
    let mut found = BTreeMap::new();
    for chunk in names.chunks(INSERT_ROWS_MAX) {
        let mut parameters: Vec<Value> = vec![tx.tenant().into()];
        parameters.extend(chunk.iter().map(|name| Value::from(*name)));
        for row in tx
            .rows(&sql::with_list(sql::GUARDED, 2, chunk.len()), &parameters)
            .await?
        {
            let currency = Currency::parse(row.text(1)?)
                .ok_or_else(|| anyhow::anyhow!("an account's currency is none"))?;
            let movement = Movement {
                posted_debits: row.integer(2)?,
                posted_credits: row.integer(3)?,
                held_debits: row.integer(4)?,
                held_credits: row.integer(5)?,
            };
            found.insert((row.text(0)?.to_owned(), currency), movement);
        }
    }
    Ok(found)
}

/// Moves one guarded account; the database itself refuses to take it below zero. Others keep no balance to move.
pub(crate) async fn shift(
    tx: &Tx,
    account: &Account,
    currency: Currency,
    movement: Movement,
) -> anyhow::Result<()> {
    if !account.kind().is_guarded() {
        return Ok(());
    }
    let parameters = [
        tx.tenant().into(),
        account.as_str().into(),
        currency.as_str().into(),
        movement.posted_debits.into(),
        movement.posted_credits.into(),
        movement.held_debits.into(),
        movement.held_credits.into(),
    ];
    match tx.row(sql::MOVE, &parameters).await? {
        Some(_) => Ok(()),
        None => Err(refusal::insufficient(account).into()),
    }
}
