//! Exports that are kept: one a day, in parts.

use chrono::NaiveDate;
use kernel::{TenantId, Timestamp};
use store::{Read, Row, Tx, Value};
use web::Page;

statements! {
    // Who has orders of the day and no export of it.
    TENANTS_TO_EXPORT = "select distinct c.tenant from orders_community c
        where exists (select 1 from orders_order o where o.tenant = c.tenant and o.placed_at >= $2 and o.placed_at < $3)
          and not exists (select 1 from orders_export e where e.tenant = c.tenant and e.day = $1)
        order by c.tenant limit $4";

    INSERT_EXPORT = "insert into orders_export (tenant, day, rows_count, bytes, digest, made_at)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (tenant, day) do nothing
        returning day";

    INSERT_PART = "insert into orders_export_part (tenant, day, number, content) values ($1, $2, $3, $4)";

    EXPORT_OF_DAY = "select day, rows_count, bytes, digest, made_at from orders_export where tenant = $1 and day = $2";

    EXPORTS = "select day, rows_count, bytes, digest, made_at from orders_export
        where tenant = $1 and (cast($2 as text) is null or day < $2)
        order by day desc limit $3";

    EXPORT_PART = "select content from orders_export_part where tenant = $1 and day = $2 and number = $3";
}

/// An export of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Export {
    /// `2026-11-02`.
    pub(crate) day: String,
    pub(crate) rows: i64,
    pub(crate) bytes: i64,
    /// SHA-256 of its bytes, in hexadecimal.
    pub(crate) digest: String,
    pub(crate) made_at: Timestamp,
}

/// The tenants whose orders of a day are to be exported.
pub(crate) async fn tenants_to_export(
    db: &impl Read,
    (day, from, until): (NaiveDate, Timestamp, Timestamp),
    limit: i64,
) -> anyhow::Result<Vec<TenantId>> {
    let parameters = [
        day.to_string().into(),
        from.into(),
        until.into(),
        limit.into(),
    ];
    let rows = db.rows(TENANTS_TO_EXPORT, &parameters).await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// Keeps an export in these parts, unless there is one of its day; whether it is new.
pub(crate) async fn insert(tx: &Tx, export: &Export, parts: &[&str]) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        (&export.day).into(),
        export.rows.into(),
        export.bytes.into(),
        (&export.digest).into(),
        export.made_at.into(),
    ];
    if tx.row(INSERT_EXPORT, &parameters).await?.is_none() {
        return Ok(false);
    }
    for (number, part) in (1_i64..).zip(parts) {
        let parameters: [Value; 4] = [
            tx.tenant().into(),
            (&export.day).into(),
            number.into(),
            (*part).into(),
        ];
        tx.execute(INSERT_PART, &parameters).await?;
    }
    Ok(true)
}

/// The export of a day.
pub(crate) async fn export(
    db: &impl Read,
    tenant: &TenantId,
    day: NaiveDate,
) -> anyhow::Result<Option<Export>> {
    let parameters = [tenant.into(), day.to_string().into()];
    let row = db.row(EXPORT_OF_DAY, &parameters).await?;
    row.as_ref().map(read).transpose()
}

/// The exports, the latest day first.
pub(crate) async fn exports(
    db: &impl Read,
    tenant: &TenantId,
    page: &Page<NaiveDate>,
) -> anyhow::Result<Vec<Export>> {
    let after = page.after.map(|day| day.to_string());
    let parameters = [tenant.into(), after.into(), page.rows().into()];
    let rows = db.rows(EXPORTS, &parameters).await?;
    rows.iter().map(read).collect()
}

/// All bytes of an export.
pub(crate) async fn content(
    db: &impl Read,
    tenant: &TenantId,
    day: NaiveDate,
) -> anyhow::Result<String> {
    let mut content = String::new();
    for number in 1_i64.. {
        let parameters = [tenant.into(), day.to_string().into(), number.into()];
        let Some(row) = db.row(EXPORT_PART, &parameters).await? else {
            break;
        };
        content.push_str(row.text(0)?);
    }
    Ok(content)
}

fn read(row: &Row) -> anyhow::Result<Export> {
    Ok(Export {
        day: row.text(0)?.to_owned(),
        rows: row.integer(1)?,
        bytes: row.integer(2)?,
        digest: row.text(3)?.to_owned(),
        made_at: row.timestamp(4)?,
    })
}
