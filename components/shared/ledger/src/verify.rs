//! The books against themselves: every law is recomputed from the rows, and what is broken is named.

mod seals;

use std::collections::BTreeMap;

use kernel::{Currency, TenantId};
use store::{Db, Read, Row, tx};

use crate::draft::{content, leg_line};
use crate::post::read_leg;
use crate::seal::READ_TRANSACTIONS;
use crate::{Account, Leg, Side, sql};
use seals::Seals;

/// The most findings that are listed; all are counted.
pub const FINDINGS_MAX: usize = 100;

/// How many rows are read at once.
const PAGE_ROWS: i64 = 900;

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// The stable name of the law that is broken.
    pub code: &'static str,
    /// Where: a transaction, an account, a seal.
    pub subject: String,
    /// What was found, and what should stand there.
    pub detail: String,
}

/// What was looked at, and what is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Report {
    /// Transactions looked at.
    pub transactions: i64,
    /// Legs looked at.
    pub legs: i64,
    /// Accounts whose kept balance was recomputed.
    pub accounts: i64,
    /// Seals recomputed.
    pub seals: i64,
    /// How much is wrong.
    pub wrong: i64,
    /// The first [`FINDINGS_MAX`] of it.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.wrong == 0
    }

    fn add(&mut self, code: &'static str, subject: impl ToString, detail: impl Into<String>) {
        self.wrong += 1;
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding {
                code,
                subject: subject.to_string(),
                detail: detail.into(),
            });
        }
    }
}

/// Who has books, after a tenant, in the order of their names, at most `limit`.
///
/// # Errors
/// A failure of the database.
pub async fn tenants(
    db: &Db,
    after: Option<&TenantId>,
    limit: i64,
) -> anyhow::Result<Vec<TenantId>> {
    let rows = db.rows(sql::TENANTS, &[after.into(), limit.into()]).await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// What the legs say that guarded accounts hold: debits and credits.
type Sums = BTreeMap<(String, Currency), (i128, i128)>;

/// Recomputes the tenant's books. Most is read while others post; the end of it, and the balances that are kept inline,
/// under the tenant's lock. Seals that are made meanwhile are left for the next time.
///
/// # Errors
/// A failure of the database; broken books are findings and no errors.
pub async fn verify(db: &Db, tenant: &TenantId) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let mut sums = Sums::new();
    let (last, sealed) = head(db, tenant).await?;
    let mut seals = Seals::read(db, tenant, sealed).await?;
    let mut next = 1;
    while next <= last {
        let until = last.min(next + READ_TRANSACTIONS - 1);
        page(db, tenant, (next, until), (&mut report, &mut sums)).await?;
        seals.pass(db, tenant, (next, until), &mut report).await?;
        next = until + 1;
    }
    seals.finish(sealed, &mut report);
    tx(db, tenant, async |tx| {
        // The work may be run again, hence on copies.
        let (mut report, mut sums) = (report.clone(), sums.clone());
        let (now_last, _) = head(&*tx, tenant).await?;
        let mut next = last + 1;
        while next <= now_last {
            let until = now_last.min(next + READ_TRANSACTIONS - 1);
            page(&*tx, tenant, (next, until), (&mut report, &mut sums)).await?;
            next = until + 1;
        }
        orphans(&*tx, tenant, &mut report).await?;
        kept_balances(&*tx, tenant, &sums, &mut report).await?;
        Ok(report)
    })
    .await
}

/// The last transaction, and the last that is sealed.
async fn head(db: &impl Read, tenant: &TenantId) -> anyhow::Result<(i64, i64)> {
    let head = db.row(sql::HEAD, &[tenant.into()]).await?;
    head.map_or(Ok((0, 0)), |row| Ok((row.integer(0)?, row.integer(1)?)))
}

/// The transactions of one page with their legs.
async fn page(
    db: &impl Read,
    tenant: &TenantId,
    (from, until): (i64, i64),
    (report, sums): (&mut Report, &mut Sums),
) -> anyhow::Result<()> {
    let rows = transactions(db, tenant, (from, until)).await?;
    let mut legs = legs(db, tenant, (from, until)).await?;
    let mut expected = from;
    for row in &rows {
        let seq = row.integer(0)?;
        if seq != expected {
            let gap = format!("no transaction from {expected} to {}", seq - 1);
            report.add("gap", expected, gap);
        }
        expected = seq + 1;
        report.transactions += 1;
        let legs = legs.remove(&seq).unwrap_or_default();
        report.legs += i64::try_from(legs.len())?;
        check_transaction(row, &legs, report)?;
        for leg in legs.iter().filter(|leg| leg.account.kind().is_guarded()) {
            let key = (leg.account.as_str().to_owned(), leg.amount.currency());
            let sum = sums.entry(key).or_default();
            match leg.side {
                Side::Debit => sum.0 += i128::from(leg.amount.minor()),
                Side::Credit => sum.1 += i128::from(leg.amount.minor()),
            }
        }
    }
    if expected <= until {
        let gap = format!("no transaction from {expected} to {until}");
        report.add("gap", expected, gap);
    }
    Ok(())
}

/// The transactions of one page.
async fn transactions(
    db: &impl Read,
    tenant: &TenantId,
    (from, until): (i64, i64),
) -> anyhow::Result<Vec<Row>> {
    let parameters = [
        tenant.into(),
        from.into(),
        until.into(),
        READ_TRANSACTIONS.into(),
    ];
    db.rows(sql::TRANSACTIONS, &parameters).await
}

async fn legs(
    db: &impl Read,
    tenant: &TenantId,
    (from, until): (i64, i64),
) -> anyhow::Result<BTreeMap<i64, Vec<Leg>>> {
    let mut found: BTreeMap<i64, Vec<Leg>> = BTreeMap::new();
    let mut after = (from - 1, i64::MAX);
    loop {
        let parameters = [
            tenant.into(),
            after.0.into(),
            after.1.into(),
            until.into(),
            PAGE_ROWS.into(),
        ];
        let rows = db.rows(sql::LEGS, &parameters).await?;
        for row in &rows {
            after = (row.integer(0)?, row.integer(1)?);
            found.entry(after.0).or_default().push(read_leg(row)?);
        }
        if i64::try_from(rows.len())? < PAGE_ROWS {
            return Ok(found);
        }
    }
}

fn check_transaction(row: &Row, legs: &[Leg], report: &mut Report) -> anyhow::Result<()> {
    let seq = row.integer(0)?;
    if legs.len() < 2 {
        report.add("legs_missing", seq, format!("{} legs", legs.len()));
    }
    let mut balance: BTreeMap<Currency, i128> = BTreeMap::new();
    for leg in legs {
        let amount = i128::from(leg.amount.minor());
        let signed = if leg.side == Side::Debit {
            amount
        } else {
            -amount
        };
        *balance.entry(leg.amount.currency()).or_default() += signed;
    }
    for (currency, difference) in balance.iter().filter(|(_, sum)| **sum != 0) {
        let currency = currency.as_str();
        report.add(
            "unbalanced",
            seq,
            format!("debits less credits are {difference} {currency}"),
        );
    }
    let lines = legs.iter().map(|leg| {
        let currency = leg.amount.currency().as_str();
        leg_line(leg.account.as_str(), currency, leg.side, leg.amount.minor())
    });
    let key = (row.text(1)?, row.text(2)?);
    let recomputed = content(key, row.optional_integer(5)?, lines.collect());
    if recomputed != row.text(6)? {
        report.add(
            "content_changed",
            seq,
            "its legs or its key are not those that were posted",
        );
    }
    Ok(())
}

async fn orphans(db: &impl Read, tenant: &TenantId, report: &mut Report) -> anyhow::Result<()> {
    let row = db.row(sql::ORPHANED_LEGS, &[tenant.into()]).await?;
    let count = row.map_or(Ok(0), |row| row.integer(0))?;
    if count > 0 {
        report.add(
            "legs_orphaned",
            "legs",
            format!("{count} legs belong to no transaction"),
        );
    }
    Ok(())
}

/// Holds the balances that are kept inline against the legs and the holds.
async fn kept_balances(
    db: &impl Read,
    tenant: &TenantId,
    sums: &Sums,
    report: &mut Report,
) -> anyhow::Result<()> {
    for currency in Currency::ALL {
        let held = paged(db, tenant, (sql::HELD_BY_ACCOUNT, currency)).await?;
        let kept = paged(db, tenant, (sql::GUARDED_ACCOUNTS, currency)).await?;
        for (name, row) in &kept {
            report.accounts += 1;
            let posted = sums
                .get(&(name.clone(), currency))
                .copied()
                .unwrap_or_default();
            let stands = (i128::from(row.integer(1)?), i128::from(row.integer(2)?));
            if posted != stands {
                report.add(
                    "balance_wrong",
                    name,
                    format!("{stands:?} is kept, the legs sum to {posted:?}"),
                );
            }
            let holds = match held.get(name) {
                Some(row) => (row.integer(1)?, row.integer(2)?),
                None => (0, 0),
            };
            let stands = (row.integer(3)?, row.integer(4)?);
            if holds != stands {
                report.add(
                    "held_wrong",
                    name,
                    format!("{stands:?} is kept, the holds sum to {holds:?}"),
                );
            }
        }
        for (name, _) in sums
            .keys()
            .filter(|(name, of)| *of == currency && !kept.contains_key(name))
        {
            report.add("account_missing", name, "it has legs and no row");
        }
        let is_guarded =
            |name: &String| Account::parse(name).is_ok_and(|account| account.kind().is_guarded());
        for name in held
            .keys()
            .filter(|name| is_guarded(name) && !kept.contains_key(*name))
        {
            report.add("account_missing", name, "it has holds and no row");
        }
    }
    Ok(())
}

/// All rows of a statement that pages by a name in its first column.
async fn paged(
    db: &impl Read,
    tenant: &TenantId,
    (statement, currency): (&str, Currency),
) -> anyhow::Result<BTreeMap<String, Row>> {
    let mut found = BTreeMap::new();
    let mut after = String::new();
    loop {
        let parameters = [
            tenant.into(),
            currency.as_str().into(),
            (&after).into(),
            PAGE_ROWS.into(),
        ];
        let rows = db.rows(statement, &parameters).await?;
        let count = i64::try_from(rows.len())?;
        for row in rows {
            row.text(0)?.clone_into(&mut after);
            found.insert(after.clone(), row);
        }
        if count < PAGE_ROWS {
            return Ok(found);
        }
    }
}
