//! The platform's revenue by month and kind.

use anyhow::Context as _;
use kernel::TenantId;
use store::Read;

use crate::domain::{Month, Revenue};

statements! {
    REVENUE = "select t.month, s.revenue, cast(sum(s.lines) as bigint), cast(sum(s.amount_minor) as bigint)
        from settlement_statement t
            join settlement_sum s on s.tenant = t.tenant and s.statement = t.id
        where t.tenant = $1 and t.month >= $2 and t.month <= $3
        group by t.month, s.revenue order by t.month, s.revenue";

    PLATFORM_FEES = "select period, count(*), cast(sum(amount_minor) as bigint) from settlement_charge
        where tenant = $1 and period >= $2 and period <= $3 group by period order by period";
}

/// Revenue of one kind in one month.
#[derive(Debug, Clone)]
pub(crate) struct Earned {
    pub(crate) month: Month,
    pub(crate) revenue: Revenue,
    pub(crate) lines: i64,
    pub(crate) amount_minor: i64,
}

/// What merchants' statements brought, by month and kind.
pub(crate) async fn revenue(
    db: &impl Read,
    tenant: &TenantId,
    (from, to): (Month, Month),
) -> anyhow::Result<Vec<Earned>> {
    let parameters = [
        tenant.into(),
        from.to_string().into(),
        to.to_string().into(),
    ];
    let rows = db.rows(REVENUE, &parameters).await?;
    rows.iter()
        .map(|row| {
            Ok(Earned {
                month: Month::parse(row.text(0)?)?,
                revenue: Revenue::parse(row.text(1)?).context("a revenue is none")?,
                lines: row.integer(2)?,
                amount_minor: row.integer(3)?,
            })
        })
        .collect()
}

/// What property companies and owners paid for the platform, by month.
pub(crate) async fn platform_fees(
    db: &impl Read,
    tenant: &TenantId,
    (from, to): (Month, Month),
) -> anyhow::Result<Vec<Earned>> {
    let parameters = [
        tenant.into(),
        from.to_string().into(),
        to.to_string().into(),
    ];
    let rows = db.rows(PLATFORM_FEES, &parameters).await?;
    rows.iter()
        .map(|row| {
            Ok(Earned {
                month: Month::parse(row.text(0)?)?,
                revenue: Revenue::Platform,
                lines: row.integer(1)?,
                amount_minor: row.integer(2)?,
            })
        })
        .collect()
}
