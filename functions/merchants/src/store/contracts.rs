//! Contracts, in all their versions.

use kernel::{Currency, MerchantId, TenantId};
use store::{Read, Row, Tx, Value};
use web::Page;
use wire::mall::Collection;

use super::word;
use crate::domain::{Contract, Month, Note, Terms};

statements! {
    VERSIONS = "select merchant, version, from_month, collection, due_day, objection_days, confirm_days, deposit_minor,
            reopening_percent, hosting_fee_minor, maintenance_fee_minor, platform_fee_minor, currency, note, made_by,
            made_at
        from merchants_contract
        where tenant = $1 and merchant = $2 and (cast($3 as bigint) is null or version < $3)
        order by version desc limit $4";

    COUNTING = "select merchant, version, from_month, collection, due_day, objection_days, confirm_days, deposit_minor,
            reopening_percent, hosting_fee_minor, maintenance_fee_minor, platform_fee_minor, currency, note, made_by,
            made_at
        from merchants_contract where tenant = $1 and merchant = $2 and from_month <= $3
        order by version desc limit 1";

    LATEST_OF_ALL = "select c.merchant, c.version, c.from_month, c.collection, c.due_day, c.objection_days, c.confirm_days,
            c.deposit_minor, c.reopening_percent, c.hosting_fee_minor, c.maintenance_fee_minor, c.platform_fee_minor,
            c.currency, c.note, c.made_by, c.made_at
        from merchants_contract c
        where c.tenant = $1 and (cast($2 as text) is null or c.merchant > $2)
          and not exists (select 1 from merchants_contract n
                where n.tenant = c.tenant and n.merchant = c.merchant and n.version > c.version)
        order by c.merchant limit $3";

    INSERT_CONTRACT = "insert into merchants_contract (tenant, merchant, version, from_month, collection, due_day,
            objection_days, confirm_days, deposit_minor, reopening_percent, hosting_fee_minor, maintenance_fee_minor,
            platform_fee_minor, currency, note, made_by, made_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
}

/// The versions of a merchant's contract, the latest first.
pub(crate) async fn versions(
    db: &impl Read,
    (tenant, merchant): (&TenantId, &MerchantId),
    page: &Page<i64>,
) -> anyhow::Result<Vec<Contract>> {
    let parameters = [
        tenant.into(),
        merchant.into(),
        page.after.into(),
        page.rows().into(),
    ];
    let rows = db.rows(VERSIONS, &parameters).await?;
    rows.iter().map(read_contract).collect()
}

/// The last version of a merchant's contract.
pub(crate) async fn last(
    db: &impl Read,
    tenant: &TenantId,
    merchant: &MerchantId,
) -> anyhow::Result<Option<Contract>> {
    let page = Page {
        limit: 1,
        after: None,
    };
    let found = versions(db, (tenant, merchant), &page).await?;
    Ok(found.into_iter().next())
}

/// The version that counts in a month: the last that begins by then.
pub(crate) async fn counting(
    db: &impl Read,
    (tenant, merchant): (&TenantId, &MerchantId),
    month: Month,
) -> anyhow::Result<Option<Contract>> {
    let parameters = [tenant.into(), merchant.into(), month.to_string().into()];
    let row = db.row(COUNTING, &parameters).await?;
    row.as_ref().map(read_contract).transpose()
}

/// The last version with each merchant, in the order of their ids.
pub(crate) async fn latest_of_all(
    db: &impl Read,
    tenant: &TenantId,
    page: &Page<MerchantId>,
) -> anyhow::Result<Vec<Contract>> {
    let parameters = [
        tenant.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(LATEST_OF_ALL, &parameters).await?;
    rows.iter().map(read_contract).collect()
}

fn read_contract(row: &Row) -> anyhow::Result<Contract> {
    let terms = Terms {
        collection: word(row.text(3)?, Collection::parse)?,
        due_day: u8::try_from(row.integer(4)?)?,
        objection_days: u8::try_from(row.integer(5)?)?,
        confirm_days: u8::try_from(row.integer(6)?)?,
        deposit_minor: row.integer(7)?,
        reopening_percent: u32::try_from(row.integer(8)?)?,
        hosting_fee_minor: row.integer(9)?,
        maintenance_fee_minor: row.integer(10)?,
        platform_fee_minor: row.integer(11)?,
        currency: word(row.text(12)?, Currency::parse)?,
    };
    let from = Month::try_from(row.text(2)?.to_owned());
    Ok(Contract {
        merchant: row.id(0)?,
        version: row.integer(1)?,
        from: from.map_err(|error| anyhow::anyhow!("a contract's month: {error}"))?,
        terms,
        note: row.optional_text(13)?.map(Note::parse).transpose()?,
        made_by: row.id(14)?,
        made_at: row.timestamp(15)?,
    })
}

/// Adds a version.
pub(crate) async fn insert_contract(tx: &Tx, contract: &Contract) -> anyhow::Result<()> {
    let terms = contract.terms;
    let parameters: [Value; 17] = [
        tx.tenant().into(),
        (&contract.merchant).into(),
        contract.version.into(),
        contract.from.to_string().into(),
        terms.collection.as_str().into(),
        u16::from(terms.due_day).into(),
        u16::from(terms.objection_days).into(),
        u16::from(terms.confirm_days).into(),
        terms.deposit_minor.into(),
        terms.reopening_percent.into(),
        terms.hosting_fee_minor.into(),
        terms.maintenance_fee_minor.into(),
        terms.platform_fee_minor.into(),
        terms.currency.as_str().into(),
        contract.note.as_ref().map(Note::as_str).into(),
        (&contract.made_by).into(),
        contract.made_at.into(),
    ];
    tx.execute(INSERT_CONTRACT, &parameters).await
}
