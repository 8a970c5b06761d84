//! Merchants, who acts for them, what was agreed with them, how they stand; and the terms of the platform.

use anyhow::Context as _;
use kernel::{ActorId, CommunityId, MerchantId, OrderId, TenantId, Timestamp, Zone};
use store::{Read, Row, Tx};
use wire::event::{ContractChanged, ContractEnded, MerchantChanged};
use wire::mall::{Collection, Standing};

use crate::domain::{Contract, Month, Terms};

statements! {
    END_CONTRACT = "insert into settlement_contract_end (tenant, merchant, from_month, ended_at) values ($1, $2, $3, $4)
        on conflict (tenant, merchant) do nothing";

    CONTRACT_ENDED = "select from_month from settlement_contract_end
        where tenant = $1 and merchant = $2 and from_month <= $3";

    PUT_COMMUNITY = "insert into settlement_community (tenant, id) values ($1, $2) on conflict (tenant, id) do nothing";

    ANY_COMMUNITY = "select id from settlement_community where tenant = $1 order by id limit 1";

    PUT_MERCHANT = "insert into settlement_merchant (tenant, id, name, open, community, version, standing,
            standing_version, standing_at)
        values ($1, $2, $3, $4, $5, $6, null, 0, null)
        on conflict (tenant, id) do update set name = excluded.name, open = excluded.open,
            community = excluded.community, version = excluded.version
        where settlement_merchant.version < excluded.version
        returning id";

    DROP_MEMBERS = "delete from settlement_member where tenant = $1 and merchant = $2";

    ADD_MEMBER = "insert into settlement_member (tenant, merchant, person) values ($1, $2, $3)
        on conflict (tenant, merchant, person) do nothing";

    IS_MEMBER = "select person from settlement_member where tenant = $1 and merchant = $2 and person = $3";

    MERCHANT = "select id, name, open, community, version, standing, standing_version, standing_at
        from settlement_merchant where tenant = $1 and id = $2";

    MERCHANTS_AFTER = "select id, name, open, community, version, standing, standing_version, standing_at
        from settlement_merchant where tenant = $1 and id > $2 order by id limit $3";

    TAKE_NAME = "insert into settlement_merchant (tenant, id, name, open, community, version, standing, standing_version,
            standing_at)
        values ($1, $2, $2, 0, null, 0, null, 0, null) on conflict (tenant, id) do nothing";

    STAND = "update settlement_merchant set standing = $3, standing_version = standing_version + 1, standing_at = $4
        where tenant = $1 and id = $2 returning standing_version";

    PUT_CONTRACT = "insert into settlement_contract (tenant, merchant, version, from_month, collection, due_day,
            objection_days, confirm_days, deposit_minor, reopening_percent, hosting_minor, maintenance_minor,
            platform_minor)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        on conflict (tenant, merchant, version) do nothing";

    CONTRACT = "select version, from_month, collection, due_day, objection_days, confirm_days, deposit_minor,
            reopening_percent, hosting_minor, maintenance_minor, platform_minor
        from settlement_contract where tenant = $1 and merchant = $2 and from_month <= $3
        order by version desc limit 1";

    FIRST_CONTRACT = "select version, from_month, collection, due_day, objection_days, confirm_days, deposit_minor,
            reopening_percent, hosting_minor, maintenance_minor, platform_minor
        from settlement_contract where tenant = $1 and merchant = $2 order by version limit 1";

    OPEN_ORDER = "insert into settlement_open_order (tenant, merchant, id, paid_at) values ($1, $2, $3, $4)
        on conflict (tenant, merchant, id) do nothing";

    END_ORDER = "delete from settlement_open_order where tenant = $1 and merchant = $2 and id = $3";

    HAS_OPEN_ORDER = "select id from settlement_open_order where tenant = $1 and merchant = $2 and paid_at > $3
        limit 1";

    TERMS = "select time_zone, issue_day, withdrawal_min_minor, withdrawal_max_minor, withdrawals_per_day, version
        from settlement_terms where tenant = $1";

    PUT_TERMS = "insert into settlement_terms (tenant, time_zone, issue_day, withdrawal_min_minor, withdrawal_max_minor,
            withdrawals_per_day, version, changed_by, changed_at)
        values ($1, $2, $3, $4, $5, $6, 1, $7, $8)
        on conflict (tenant) do update set time_zone = excluded.time_zone, issue_day = excluded.issue_day,
            withdrawal_min_minor = excluded.withdrawal_min_minor, withdrawal_max_minor = excluded.withdrawal_max_minor,
            withdrawals_per_day = excluded.withdrawals_per_day, version = settlement_terms.version + 1,
            changed_by = excluded.changed_by, changed_at = excluded.changed_at";
}

/// A merchant that was heard of.
#[derive(Debug, Clone)]
pub(crate) struct Merchant {
    pub(crate) id: MerchantId,
    pub(crate) name: String,
    pub(crate) open: bool,
    pub(crate) community: Option<CommunityId>,
    pub(crate) standing: Option<Standing>,
    pub(crate) standing_version: i64,
    pub(crate) standing_at: Option<Timestamp>,
}

/// Keeps that there is such a community.
pub(crate) async fn put_community(tx: &Tx, id: &CommunityId) -> anyhow::Result<()> {
    tx.execute(PUT_COMMUNITY, &[tx.tenant().into(), id.into()])
        .await
}

/// A community of the tenant, for merchants that serve all of them.
pub(crate) async fn any_community(
    db: &impl Read,
    tenant: &TenantId,
) -> anyhow::Result<Option<CommunityId>> {
    let row = db.row(ANY_COMMUNITY, &[tenant.into()]).await?;
    row.map(|row| row.id(0)).transpose()
}

/// Keeps what was said of a merchant; older news changes nothing.
pub(crate) async fn put_merchant(tx: &Tx, event: &MerchantChanged) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&event.merchant).into(),
        (&event.name).into(),
        event.open.into(),
        event.communities.first().into(),
        event.version.into(),
    ];
    if tx.row(PUT_MERCHANT, &parameters).await?.is_none() {
        return Ok(());
    }
    let merchant = [tx.tenant().into(), (&event.merchant).into()];
    tx.execute(DROP_MEMBERS, &merchant).await?;
    for person in &event.members {
        let member = [tx.tenant().into(), (&event.merchant).into(), person.into()];
        tx.execute(ADD_MEMBER, &member).await?;
    }
    Ok(())
}

/// Whether the person acts for the merchant.
pub(crate) async fn is_member(
    db: &impl Read,
    tenant: &TenantId,
    (merchant, person): (&MerchantId, &ActorId),
) -> anyhow::Result<bool> {
    let parameters = [tenant.into(), merchant.into(), person.into()];
    Ok(db.row(IS_MEMBER, &parameters).await?.is_some())
}

/// The merchant.
pub(crate) async fn merchant(
    db: &impl Read,
    tenant: &TenantId,
    id: &MerchantId,
) -> anyhow::Result<Option<Merchant>> {
    let row = db.row(MERCHANT, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read).transpose()
}

/// The merchants after one, at most `limit`.
pub(crate) async fn merchants_after(
    db: &impl Read,
    tenant: &TenantId,
    (after, limit): (Option<&MerchantId>, i64),
) -> anyhow::Result<Vec<Merchant>> {
    let after = after.map_or("", MerchantId::as_str);
    let parameters = [tenant.into(), after.into(), limit.into()];
    let rows = db.rows(MERCHANTS_AFTER, &parameters).await?;
    rows.iter().map(read).collect()
}

/// Keeps that there is such a merchant, of which nothing else was heard yet.
pub(crate) async fn take_name(tx: &Tx, id: &MerchantId) -> anyhow::Result<()> {
    tx.execute(TAKE_NAME, &[tx.tenant().into(), id.into()])
        .await
}

/// The merchant stands like this from now on; the version of that.
pub(crate) async fn stand(
    tx: &Tx,
    id: &MerchantId,
    (standing, at): (Standing, Timestamp),
) -> anyhow::Result<i64> {
    let parameters = [
        tx.tenant().into(),
        id.into(),
        standing.as_str().into(),
        at.into(),
    ];
    let row = tx.row(STAND, &parameters).await?;
    row.context("a merchant that stands is none")?.integer(0)
}

/// Keeps a version of a contract.
pub(crate) async fn put_contract(tx: &Tx, event: &ContractChanged) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&event.merchant).into(),
        event.version.into(),
        (&event.from).into(),
        event.collection.as_str().into(),
        u32::from(event.due_day).into(),
        u32::from(event.objection_days).into(),
        u32::from(event.confirm_days).into(),
        event.deposit_minor.into(),
        event.reopening_percent.into(),
        event.hosting_fee_minor.into(),
        event.maintenance_fee_minor.into(),
        event.platform_fee_minor.into(),
    ];
    tx.execute(PUT_CONTRACT, &parameters).await
}

/// Nothing is agreed with a merchant any more, from a month on.
pub(crate) async fn end_contract(tx: &Tx, event: &ContractEnded) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&event.merchant).into(),
        (&event.from).into(),
        event.at.into(),
    ];
    tx.execute(END_CONTRACT, &parameters).await
}

/// Whether nothing was agreed with a merchant any more in a month.
pub(crate) async fn has_contract_ended(
    tx: &Tx,
    (merchant, month): (&MerchantId, Month),
) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        merchant.into(),
        month.to_string().into(),
    ];
    Ok(tx.row(CONTRACT_ENDED, &parameters).await?.is_some())
}

/// What counts for a merchant in a month: the latest version of those that had begun.
pub(crate) async fn contract(
    db: &impl Read,
    tenant: &TenantId,
    (merchant, month): (&MerchantId, Month),
) -> anyhow::Result<Option<Contract>> {
    let parameters = [tenant.into(), merchant.into(), month.to_string().into()];
    let row = db.row(CONTRACT, &parameters).await?;
    row.as_ref().map(read_contract).transpose()
}

/// What counts for a merchant in a month, or what will count first.
pub(crate) async fn contract_or_first(
    db: &impl Read,
    tenant: &TenantId,
    of: (&MerchantId, Month),
) -> anyhow::Result<Option<Contract>> {
    if let Some(found) = contract(db, tenant, of).await? {
        return Ok(Some(found));
    }
    let row = db
        .row(FIRST_CONTRACT, &[tenant.into(), of.0.into()])
        .await?;
    row.as_ref().map(read_contract).transpose()
}

/// An order is paid, and not over.
pub(crate) async fn open_order(
    tx: &Tx,
    (merchant, order): (&MerchantId, &OrderId),
    paid_at: Timestamp,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        merchant.into(),
        order.into(),
        paid_at.into(),
    ];
    tx.execute(OPEN_ORDER, &parameters).await
}

/// An order is over.
pub(crate) async fn end_order(
    tx: &Tx,
    (merchant, order): (&MerchantId, &OrderId),
) -> anyhow::Result<()> {
    tx.execute(
        END_ORDER,
        &[tx.tenant().into(), merchant.into(), order.into()],
    )
    .await
}

/// Whether an order of the merchant that was paid after a moment is not over.
pub(crate) async fn has_open_order(
    db: &impl Read,
    tenant: &TenantId,
    (merchant, after): (&MerchantId, Timestamp),
) -> anyhow::Result<bool> {
    let parameters = [tenant.into(), merchant.into(), after.into()];
    Ok(db.row(HAS_OPEN_ORDER, &parameters).await?.is_some())
}

/// The terms of the platform with their version; 0 while nobody has changed them.
pub(crate) async fn terms(db: &impl Read, tenant: &TenantId) -> anyhow::Result<(Terms, i64)> {
    let Some(row) = db.row(TERMS, &[tenant.into()]).await? else {
        return Ok((Terms::default(), 0));
    };
    let terms = Terms {
        zone: Zone::parse(row.text(0)?)?,
        issue_day: u8::try_from(row.integer(1)?)?,
        withdrawal_min_minor: row.integer(2)?,
        withdrawal_max_minor: row.integer(3)?,
        withdrawals_per_day: row.integer(4)?,
    };
    Ok((terms, row.integer(5)?))
}

/// Changes the terms.
pub(crate) async fn put_terms(
    tx: &Tx,
    terms: &Terms,
    (actor, now): (&ActorId, Timestamp),
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        terms.zone.as_str().into(),
        u32::from(terms.issue_day).into(),
        terms.withdrawal_min_minor.into(),
        terms.withdrawal_max_minor.into(),
        terms.withdrawals_per_day.into(),
        actor.into(),
        now.into(),
    ];
    tx.execute(PUT_TERMS, &parameters).await
}

fn read(row: &Row) -> anyhow::Result<Merchant> {
    let standing = row
        .optional_text(5)?
        .map(|text| Standing::parse(text).with_context(|| format!("a merchant stands {text:?}")));
    Ok(Merchant {
        id: row.id(0)?,
        name: row.text(1)?.to_owned(),
        open: row.boolean(2)?,
        community: row.optional_id(3)?,
        standing: standing.transpose()?,
        standing_version: row.integer(6)?,
        standing_at: row.optional_timestamp(7)?,
    })
}

fn read_contract(row: &Row) -> anyhow::Result<Contract> {
    Ok(Contract {
        version: row.integer(0)?,
        from: Month::parse(row.text(1)?)?,
        collection: Collection::parse(row.text(2)?).context("a collection is none")?,
        due_day: u8::try_from(row.integer(3)?)?,
        objection_days: u8::try_from(row.integer(4)?)?,
        confirm_days: u8::try_from(row.integer(5)?)?,
        deposit_minor: row.integer(6)?,
        reopening_percent: u32::try_from(row.integer(7)?)?,
        hosting_minor: row.integer(8)?,
        maintenance_minor: row.integer(9)?,
        platform_minor: row.integer(10)?,
    })
}
