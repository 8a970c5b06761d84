//! What stands where: balances, statements of an account, the trial balance.

use anyhow::Context as _;
use kernel::{Currency, Money, TenantId, Timestamp, TransactionId};
use store::{Read, Row, Value};

use crate::post::{id_of, read_leg, seq_of};
use crate::{Account, AccountKind, LEGS_MAX, Leg, Side, sql};

/// How an account stands, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// The sum of its debits.
    pub posted_debits: i64,
    /// The sum of its credits.
    pub posted_credits: i64,
    /// What is held to be debited.
    pub held_debits: i64,
    /// What is held to be credited.
    pub held_credits: i64,
    normal: Side,
    currency: Currency,
}

impl Balance {
    /// What is posted, on the account's own side: below zero when it stands on the other one.
    #[must_use]
    pub fn posted(self) -> Money {
        let debits = self.posted_debits.saturating_sub(self.posted_credits);
        let minor = match self.normal {
            Side::Debit => debits,
            Side::Credit => debits.saturating_neg(),
        };
        Money::new(minor, self.currency)
    }

    /// What may still be taken: posted less held.
    #[must_use]
    pub fn available(self) -> Money {
        let held = match self.normal {
            Side::Debit => self.held_credits,
            Side::Credit => self.held_debits,
        };
        Money::new(self.posted().minor().saturating_sub(held), self.currency)
    }
}

/// How the account stands; nothing stands on one that was never used.
///
/// # Errors
/// A failure of the database.
pub async fn balance(
    db: &impl Read,
    tenant: &TenantId,
    account: &Account,
    currency: Currency,
) -> anyhow::Result<Balance> {
    let parameters = [
        tenant.into(),
        account.as_str().into(),
        currency.as_str().into(),
    ];
    let mut balance = Balance {
        posted_debits: 0,
        posted_credits: 0,
        held_debits: 0,
        held_credits: 0,
        normal: account.kind().normal(),
        currency,
    };
    if account.kind().is_guarded() {
        if let Some(row) = db.row(sql::ACCOUNT, &parameters).await? {
            balance.posted_debits = row.integer(0)?;
            balance.posted_credits = row.integer(1)?;
            balance.held_debits = row.integer(2)?;
            balance.held_credits = row.integer(3)?;
        }
        return Ok(balance);
    }
    let (debits, credits) = sums_through(db, tenant, (account, currency), (i64::MAX, 0)).await?;
    balance.posted_debits = debits;
    balance.posted_credits = credits;
    if let Some(row) = db.row(sql::HELD, &parameters).await? {
        balance.held_debits = row.integer(0)?;
        balance.held_credits = row.integer(1)?;
    }
    Ok(balance)
}

/// Whether the account was ever posted to or held on.
///
/// # Errors
/// A failure of the database.
pub async fn is_used(db: &impl Read, tenant: &TenantId, account: &Account) -> anyhow::Result<bool> {
    for currency in Currency::ALL {
        let parameters = [
            tenant.into(),
            account.as_str().into(),
            currency.as_str().into(),
        ];
        if db.row(sql::ACCOUNT, &parameters).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Debits and credits of an account up to a leg, that one included.
async fn sums_through(
    db: &impl Read,
    tenant: &TenantId,
    (account, currency): (&Account, Currency),
    (seq, leg): (i64, i64),
) -> anyhow::Result<(i64, i64)> {
    let parameters = [
        tenant.into(),
        account.as_str().into(),
        currency.as_str().into(),
        seq.into(),
        leg.into(),
    ];
    let (mut debits, mut credits) = (0, 0);
    for row in db.rows(sql::SUMS_THROUGH, &parameters).await? {
        match side(&row, 0)? {
            Side::Debit => debits = row.integer(1)?,
            Side::Credit => credits = row.integer(1)?,
        }
    }
    Ok((debits, credits))
}

/// A line of an account's statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its place: the transaction's, and the leg's in it. The cursor of the next page.
    pub place: (i64, i64),
    /// The transaction.
    pub transaction: TransactionId,
    /// What happened.
    pub kind: String,
    /// Which one.
    pub reference: String,
    /// When.
    pub at: Timestamp,
    /// What people read.
    pub memo: String,
    /// The transaction that this one takes back.
    pub reverses: Option<TransactionId>,
    /// Debit or credit.
    pub side: Side,
    /// How much.
    pub amount: Money,
    /// What is posted after this line, on the account's own side.
    pub balance: Money,
}

/// The lines of an account after a place, oldest first, at most `limit`.
///
/// # Errors
/// A failure of the database.
pub async fn statement(
    db: &impl Read,
    tenant: &TenantId,
    (account, currency): (&Account, Currency),
    after: Option<(i64, i64)>,
    limit: i64,
) -> anyhow::Result<Vec<Line>> {
    let (seq, leg) = after.unwrap_or((0, 0));
    let (debits, credits) = sums_through(db, tenant, (account, currency), (seq, leg)).await?;
    let normal = account.kind().normal();
    let signed = |side: Side, minor: i64| if side == normal { minor } else { -minor };
    let mut balance = signed(Side::Debit, debits) + signed(Side::Credit, credits);
    let parameters = [
        tenant.into(),
        account.as_str().into(),
        currency.as_str().into(),
        seq.into(),
        leg.into(),
        limit.into(),
    ];
    let mut lines = Vec::new();
    for row in db.rows(sql::STATEMENT, &parameters).await? {
        let (side, minor) = (side(&row, 2)?, row.integer(3)?);
        balance += signed(side, minor);
        lines.push(Line {
            place: (row.integer(0)?, row.integer(1)?),
            transaction: id_of(row.integer(0)?)?,
            kind: row.text(4)?.to_owned(),
            reference: row.text(5)?.to_owned(),
            at: row.timestamp(6)?,
            memo: row.text(7)?.to_owned(),
            reverses: row.optional_integer(8)?.map(id_of).transpose()?,
            side,
            amount: Money::new(minor, currency),
            balance: Money::new(balance, currency),
        });
    }
    Ok(lines)
}

fn side(row: &Row, position: usize) -> anyhow::Result<Side> {
    Side::parse(row.text(position)?).context("a leg's side is none")
}

/// An account that was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// The account.
    pub account: Account,
    /// The currency.
    pub currency: Currency,
}

/// The accounts after a name, at most `limit`, in the order of their names.
///
/// # Errors
/// A failure of the database.
pub async fn accounts(
    db: &impl Read,
    tenant: &TenantId,
    kind: Option<AccountKind>,
    after: Option<&Account>,
    limit: i64,
) -> anyhow::Result<Vec<AccountRow>> {
    let parameters = [
        tenant.into(),
        kind.map(AccountKind::as_str).into(),
        after.map(Account::as_str).into(),
        limit.into(),
    ];
    let rows = db.rows(sql::ACCOUNTS, &parameters).await?;
    rows.iter()
        .map(|row| {
            Ok(AccountRow {
                account: row.id(0)?,
                currency: currency(row, 1)?,
            })
        })
        .collect()
}

/// The sums of all accounts of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindBalance {
    /// The kind.
    pub kind: AccountKind,
    /// The currency.
    pub currency: Currency,
    /// The sum of the debits.
    pub debits: i64,
    /// The sum of the credits.
    pub credits: i64,
}

/// The sums of each kind of account. Per currency, debits are credits.
///
/// # Errors
/// A failure of the database.
pub async fn trial_balance(db: &impl Read, tenant: &TenantId) -> anyhow::Result<Vec<KindBalance>> {
    let rows = db.rows(sql::TRIAL_BALANCE, &[tenant.into()]).await?;
    rows.iter()
        .map(|row| {
            Ok(KindBalance {
                kind: AccountKind::parse(row.text(0)?).context("an account's kind is none")?,
                currency: currency(row, 1)?,
                debits: row.integer(2)?,
                credits: row.integer(3)?,
            })
        })
        .collect()
}

/// A transaction as it stands in the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its id.
    pub id: TransactionId,
    /// What happened.
    pub kind: String,
    /// Which one.
    pub reference: String,
    /// When.
    pub at: Timestamp,
    /// What people read.
    pub memo: String,
    /// The transaction that this one takes back.
    pub reverses: Option<TransactionId>,
    /// The transaction that takes this one back.
    pub reversed_by: Option<TransactionId>,
    /// Its legs.
    pub legs: Vec<Leg>,
}

/// The transaction, if there is one of that id.
///
/// # Errors
/// A failure of the database.
pub async fn transaction(
    db: &impl Read,
    tenant: &TenantId,
    id: &TransactionId,
) -> anyhow::Result<Option<Shown>> {
    let Some(seq) = seq_of(id) else {
        return Ok(None);
    };
    let key = [tenant.into(), seq.into()];
    let Some(row) = db.row(sql::TRANSACTION, &key).await? else {
        return Ok(None);
    };
    let reversed_by = db.row(sql::REVERSAL_OF, &key).await?;
    let limit = i64::try_from(LEGS_MAX)?;
    let parameters = [
        tenant.into(),
        seq.into(),
        Value::from(-1),
        seq.into(),
        limit.into(),
    ];
    let legs = db.rows(sql::LEGS, &parameters).await?;
    Ok(Some(Shown {
        id: id.clone(),
        kind: row.text(1)?.to_owned(),
        reference: row.text(2)?.to_owned(),
        at: row.timestamp(3)?,
        memo: row.text(4)?.to_owned(),
        reverses: row.optional_integer(5)?.map(id_of).transpose()?,
        reversed_by: reversed_by.map(|row| id_of(row.integer(0)?)).transpose()?,
        legs: legs.iter().map(read_leg).collect::<anyhow::Result<_>>()?,
    }))
}

fn currency(row: &Row, position: usize) -> anyhow::Result<Currency> {
    Currency::parse(row.text(position)?).context("a currency is none")
}
