//! `linli ledger`: the books, looked at without anything running.

use ::ledger as books;
use anyhow::{Result, ensure};
use clap::Subcommand;
use kernel::TenantId;
use store::Db;

use crate::commands::DatabaseOptions;

/// How many tenants are looked up at once.
const TENANTS: i64 = 100;

/// What can be done with the books.
#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Recomputes balances, sums, gaps and seals of every tenant, or of one; fails when something is not as it must be.
    Verify {
        /// Where the books are.
        #[command(flatten)]
        database: DatabaseOptions,
        /// Only this tenant's books.
        #[arg(long)]
        tenant: Option<String>,
    },
}

/// Runs it to its end.
///
/// # Errors
/// When the database is not reached, or the books are not in order.
pub async fn run(command: LedgerCommand) -> Result<()> {
    let LedgerCommand::Verify { database, tenant } = command;
    let db = Db::open(&database.url()?)?;
    let mut broken = 0;
    for tenant in tenants(&db, tenant).await? {
        let report = books::verify(&db, &tenant).await?;
        println!(
            "{tenant}: {} transactions, {} legs, {} seals, {} wrong",
            report.transactions, report.legs, report.seals, report.wrong
        );
        for finding in &report.findings {
            let (code, subject, detail) = (finding.code, &finding.subject, &finding.detail);
            println!("  {code}: {subject}: {detail}");
        }
        broken += report.wrong;
    }
    ensure!(broken == 0, "the books are not in order");
    Ok(())
}

async fn tenants(db: &Db, one: Option<String>) -> Result<Vec<TenantId>> {
    if let Some(tenant) = one {
        return Ok(vec![TenantId::parse(&tenant)?]);
    }
    let mut all: Vec<TenantId> = Vec::new();
    loop {
        let page = books::tenants(db, all.last(), TENANTS).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}
