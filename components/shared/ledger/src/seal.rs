//! Daily seals: a digest over a day's transactions and the seal before, so that no row changes unseen.

use anyhow::Context as _;
use chrono::NaiveDate;
use kernel::{TenantId, Timestamp, Zone};
use sha2::{Digest as _, Sha256};
use store::{Read, Row, Tx};

use crate::draft::hex;
use crate::sql;

/// The most transactions of one seal; a longer day has several.
pub const SEAL_TRANSACTIONS_MAX: i64 = 20_000;

/// The most tenants that one call of [`tenants_to_seal`] names.
const TENANTS_MAX: i64 = 100;

/// How many transactions are read at once.
pub(crate) const READ_TRANSACTIONS: i64 = 500;

/// The zone whose days are sealed.
const ZONE: Zone = Zone::SHANGHAI;

/// What the first seal follows.
pub(crate) const FIRST: &str = "linli ledger 1";

/// Who has transactions of a day that is over and not sealed.
///
/// # Errors
/// A failure of the database.
pub async fn tenants_to_seal(db: &impl Read, now: Timestamp) -> anyhow::Result<Vec<TenantId>> {
    let today = ZONE.moment(ZONE.local(now).date, 0);
    let rows = db
        .rows(sql::TENANTS_TO_SEAL, &[today.into(), TENANTS_MAX.into()])
        .await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// Seals the tenant's oldest day that is over and not sealed, or the first [`SEAL_TRANSACTIONS_MAX`] transactions of it.
/// Whether there was something to seal. What is recorded late for a sealed day stands in the next seal.
///
/// # Errors
/// A failure of the database.
pub async fn seal(tx: &Tx, now: Timestamp) -> anyhow::Result<bool> {
    let tenant = tx.tenant();
    let Some(head) = tx.row(sql::HEAD, &[tenant.into()]).await? else {
        return Ok(false);
    };
    let (last, sealed) = (head.integer(0)?, head.integer(1)?);
    let from = sealed + 1;
    let Some(first) = tx
        .row(sql::TRANSACTION, &[tenant.into(), from.into()])
        .await?
    else {
        return Ok(false);
    };
    let previous = tx.row(sql::LAST_SEAL, &[tenant.into()]).await?;
    let (number, digest, day_before) = match &previous {
        None => (1, FIRST.to_owned(), None),
        Some(row) => (
            row.integer(0)? + 1,
            row.text(3)?.to_owned(),
            Some(day(row.text(1)?)?),
        ),
    };
    let recorded = ZONE.local(first.timestamp(3)?).date;
    let sealed_day = day_before.map_or(recorded, |before| before.max(recorded));
    let day_end = ZONE.moment(sealed_day, 1_440);
    if day_end > now {
        return Ok(false);
    }
    let parameters = [tenant.into(), from.into(), last.into(), day_end.into()];
    let next_day = tx.row(sql::FIRST_SINCE, &parameters).await?;
    let until = next_day.map_or(Ok(last), |row| row.integer(0).map(|seq| seq - 1))?;
    let until = until.min(from + SEAL_TRANSACTIONS_MAX - 1);
    let mut seal = Seal::after(&digest);
    let mut next = from;
    while next <= until {
        let parameters = [
            tenant.into(),
            next.into(),
            until.into(),
            READ_TRANSACTIONS.into(),
        ];
        let rows = tx.rows(sql::TRANSACTIONS, &parameters).await?;
        for row in &rows {
            seal.add(row)?;
            next = row.integer(0)? + 1;
        }
        anyhow::ensure!(
            !rows.is_empty(),
            "the ledger lacks the transactions from {next} to {until}"
        );
    }
    let parameters = [
        tenant.into(),
        i64::into(number),
        sealed_day.to_string().into(),
        from.into(),
        until.into(),
        seal.digest().into(),
        now.into(),
    ];
    tx.execute(sql::INSERT_SEAL, &parameters).await?;
    tx.execute(sql::SET_SEALED, &[tenant.into(), until.into()])
        .await?;
    Ok(true)
}

/// A seal in the making.
pub(crate) struct Seal(Sha256);

impl Seal {
    /// The seal that follows this one.
    pub(crate) fn after(previous: &str) -> Self {
        Self(Sha256::new_with_prefix(format!("{previous}\n")))
    }

    /// Adds a transaction from the columns of `TRANSACTIONS`, in its canonical form; its legs stand in its content.
    pub(crate) fn add(&mut self, row: &Row) -> anyhow::Result<()> {
        let [kind, reference, memo, content] =
            [row.text(1)?, row.text(2)?, row.text(4)?, row.text(6)?];
        let (seq, at) = (row.integer(0)?, row.integer(3)?);
        let reverses = row.optional_integer(5)?.unwrap_or_default();
        self.0.update(format!(
            "{seq}\n{kind}\n{reference}\n{at}\n{memo}\n{reverses}\n{content}\n"
        ));
        Ok(())
    }

    /// The digest.
    pub(crate) fn digest(self) -> String {
        hex(&self.0.finalize())
    }
}

fn day(text: &str) -> anyhow::Result<NaiveDate> {
    text.parse().context("a seal's day is none")
}
