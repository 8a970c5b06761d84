//! What others recorded: communities, merchants and their members, categories, commission rules and contracts.

use kernel::{ActorId, CategoryId, CommunityId, MerchantId, TenantId, Timestamp};
use store::{Read, Tx, Value};
use wire::event::{
    CategoryChanged, CommissionRuleChanged, CommunityChanged, ContractChanged, MerchantChanged,
    MerchantStandingChanged,
};
use wire::mall::SaleKind;

use crate::domain::Merchant;
use crate::rows::{CommissionRule, read_commission_rule, read_merchant};

statements! {
    PUT_COMMUNITY = "insert into orders_community (tenant, id, name, time_zone) values ($1, $2, $3, $4)
        on conflict (tenant, id) do update set name = excluded.name, time_zone = excluded.time_zone";

    ZONE = "select time_zone from orders_community where tenant = $1 and id = $2";

    // A contract may have been heard of before its merchant.
    PUT_MERCHANT = "insert into orders_merchant
            (tenant, id, name, mode, open, version, standing, standing_version, deposit_free, trades, everywhere)
        values ($1, $2, $3, $4, $5, $6, null, 0, 0, 0, $7)
        on conflict (tenant, id) do update set name = excluded.name, mode = excluded.mode, open = excluded.open,
            version = excluded.version, everywhere = excluded.everywhere
        where orders_merchant.version < excluded.version
        returning id";

    PUT_STANDING = "insert into orders_merchant
            (tenant, id, name, mode, open, version, standing, standing_version, deposit_free, trades, everywhere)
        values ($1, $2, '', 'self_run', 0, 0, $3, $4, 0, 0, 1)
        on conflict (tenant, id) do update set standing = excluded.standing,
            standing_version = excluded.standing_version
        where orders_merchant.standing_version < excluded.standing_version
        returning id";

    PUT_CONTRACT = "insert into orders_contract
            (tenant, merchant, version, first_month, collection, deposit_minor, currency)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (tenant, merchant, version) do nothing";

    PUT_DEPOSIT = "insert into orders_merchant
            (tenant, id, name, mode, open, version, standing, standing_version, deposit_free, trades, everywhere)
        values ($1, $2, '', 'self_run', 0, 0, null, 0, $3, 0, 1)
        on conflict (tenant, id) do update set deposit_free = excluded.deposit_free";

    PUT_TRADING = "update orders_merchant set trades = case
            when open = 1 and (standing in ('good', 'top_up_required') or (standing is null and deposit_free = 1))
            then 1 else 0 end
        where tenant = $1 and id = $2";

    DELETE_MEMBERS = "delete from orders_merchant_member where tenant = $1 and merchant = $2";
    PUT_MEMBER = "insert into orders_merchant_member (tenant, merchant, person) values ($1, $2, $3)
        on conflict (tenant, merchant, person) do nothing";
    DELETE_COMMUNITIES = "delete from orders_merchant_community where tenant = $1 and merchant = $2";
    PUT_SERVED = "insert into orders_merchant_community (tenant, merchant, community) values ($1, $2, $3)
        on conflict (tenant, merchant, community) do nothing";
    DELETE_CATEGORIES = "delete from orders_merchant_category where tenant = $1 and merchant = $2";
    PUT_ALLOWED = "insert into orders_merchant_category (tenant, merchant, category) values ($1, $2, $3)
        on conflict (tenant, merchant, category) do nothing";

    MERCHANT = "select id, name, mode, trades from orders_merchant where tenant = $1 and id = $2 and version > 0";
    MEMBERS = "select person from orders_merchant_member where tenant = $1 and merchant = $2 order by person limit 500";
    SERVED = "select community from orders_merchant_community where tenant = $1 and merchant = $2
        order by community limit 500";
    ALLOWED = "select category from orders_merchant_category where tenant = $1 and merchant = $2
        order by category limit 500";

    MERCHANTS_OF = "select merchant from orders_merchant_member where tenant = $1 and person = $2
        order by merchant limit 100";

    PUT_CATEGORY = "insert into orders_category (tenant, id, parent, name, kind, operator, gone)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (tenant, id) do update set parent = excluded.parent, name = excluded.name, kind = excluded.kind,
            operator = excluded.operator, gone = excluded.gone";

    CATEGORY = "select kind, gone from orders_category where tenant = $1 and id = $2";

    // The category itself first, then what it is a part of; a circle ends after eight steps.
    LINEAGE = "with recursive orders_above (id, parent, depth) as (
            select id, parent, 0 from orders_category where tenant = $1 and id = $2
            union all
            select c.id, c.parent, a.depth + 1 from orders_category c
            join orders_above a on a.parent = c.id where c.tenant = $1 and a.depth < 8)
        select id from orders_above order by depth";

    PUT_COMMISSION_RULE = "insert into orders_commission_rule
            (tenant, id, version, merchant, category, kind, rate_bps, includes_freight, valid_from, valid_until)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        on conflict (tenant, id) do update set version = excluded.version, merchant = excluded.merchant,
            category = excluded.category, kind = excluded.kind, rate_bps = excluded.rate_bps,
            includes_freight = excluded.includes_freight, valid_from = excluded.valid_from,
            valid_until = excluded.valid_until
        where orders_commission_rule.version < excluded.version";

    COMMISSION_RULES = "select id, version, merchant, category, kind, rate_bps, includes_freight, valid_from, valid_until
        from orders_commission_rule
        where tenant = $1 and (merchant is null or merchant = $2)
          and valid_from <= $3 and (valid_until is null or valid_until > $3)
        order by id limit 1000";
}

/// Stores a community.
pub(crate) async fn put_community(tx: &Tx, changed: &CommunityChanged) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&changed.community).into(),
        (&changed.name).into(),
        (&changed.time_zone).into(),
    ];
    tx.execute(PUT_COMMUNITY, &parameters).await
}

/// The time zone of a community; nothing for one that nobody has told of.
pub(crate) async fn zone(
    db: &impl Read,
    tenant: &TenantId,
    community: &CommunityId,
) -> anyhow::Result<Option<kernel::Zone>> {
    let row = db.row(ZONE, &[tenant.into(), community.into()]).await?;
    Ok(row
        .map(|row| row.text(0).map(kernel::Zone::parse))
        .transpose()?
        .transpose()?)
}

/// Stores a merchant; what is older than what is known changes nothing.
pub(crate) async fn put_merchant(tx: &Tx, changed: &MerchantChanged) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&changed.merchant).into(),
        (&changed.name).into(),
        changed.mode.as_str().into(),
        changed.open.into(),
        changed.version.into(),
        changed.communities.is_empty().into(),
    ];
    if tx.row(PUT_MERCHANT, &parameters).await?.is_none() {
        return Ok(());
    }
    let members = changed.members.iter().map(Value::from).collect();
    let communities = changed.communities.iter().map(Value::from).collect();
    let categories = changed.categories.iter().map(Value::from).collect();
    put_list(tx, &changed.merchant, (DELETE_MEMBERS, PUT_MEMBER), members).await?;
    put_list(
        tx,
        &changed.merchant,
        (DELETE_COMMUNITIES, PUT_SERVED),
        communities,
    )
    .await?;
    put_list(
        tx,
        &changed.merchant,
        (DELETE_CATEGORIES, PUT_ALLOWED),
        categories,
    )
    .await?;
    put_trading(tx, &changed.merchant).await
}

async fn put_list(
    tx: &Tx,
    merchant: &MerchantId,
    (delete, put): (&str, &str),
    values: Vec<Value>,
) -> anyhow::Result<()> {
    tx.execute(delete, &[tx.tenant().into(), merchant.into()])
        .await?;
    let rows: Vec<_> = values
        .into_iter()
        .map(|value| vec![tx.tenant().into(), merchant.into(), value])
        .collect();
    tx.insert_many(put, &rows).await
}

/// Stores how a merchant stands; what is older than what is known changes nothing.
pub(crate) async fn put_standing(tx: &Tx, changed: &MerchantStandingChanged) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&changed.merchant).into(),
        changed.standing.as_str().into(),
        changed.version.into(),
    ];
    if tx.row(PUT_STANDING, &parameters).await?.is_none() {
        return Ok(());
    }
    put_trading(tx, &changed.merchant).await
}

/// Stores what was agreed with a merchant.
pub(crate) async fn put_contract(tx: &Tx, changed: &ContractChanged) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&changed.merchant).into(),
        changed.version.into(),
        (&changed.from).into(),
        changed.collection.as_str().into(),
        changed.deposit_minor.into(),
        changed.currency.as_str().into(),
    ];
    tx.execute(PUT_CONTRACT, &parameters).await?;
    let deposit = [
        tx.tenant().into(),
        (&changed.merchant).into(),
        (changed.deposit_minor == 0).into(),
    ];
    tx.execute(PUT_DEPOSIT, &deposit).await?;
    put_trading(tx, &changed.merchant).await
}

async fn put_trading(tx: &Tx, merchant: &MerchantId) -> anyhow::Result<()> {
    tx.execute(PUT_TRADING, &[tx.tenant().into(), merchant.into()])
        .await
}

/// The merchant with all that is known of it.
pub(crate) async fn merchant(
    db: &impl Read,
    tenant: &TenantId,
    id: &MerchantId,
) -> anyhow::Result<Option<Merchant>> {
    let key = [tenant.into(), id.into()];
    let Some(row) = db.row(MERCHANT, &key).await? else {
        return Ok(None);
    };
    let mut merchant = read_merchant(&row)?;
    for row in db.rows(MEMBERS, &key).await? {
        merchant.members.push(row.id(0)?);
    }
    for row in db.rows(SERVED, &key).await? {
        merchant.communities.push(row.id(0)?);
    }
    for row in db.rows(ALLOWED, &key).await? {
        merchant.categories.push(row.id(0)?);
    }
    Ok(Some(merchant))
}

/// The merchants for which this account acts.
pub(crate) async fn merchants_of(
    db: &impl Read,
    tenant: &TenantId,
    person: &ActorId,
) -> anyhow::Result<Vec<MerchantId>> {
    let rows = db
        .rows(MERCHANTS_OF, &[tenant.into(), person.into()])
        .await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// Stores a category.
pub(crate) async fn put_category(tx: &Tx, changed: &CategoryChanged) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&changed.category).into(),
        changed.parent.as_ref().into(),
        (&changed.name).into(),
        changed.kind.as_str().into(),
        changed.operator.as_ref().into(),
        changed.gone.into(),
    ];
    tx.execute(PUT_CATEGORY, &parameters).await
}

/// What is sold in a category; nothing for one that is not there or was taken away.
pub(crate) async fn kind_of_category(
    db: &impl Read,
    tenant: &TenantId,
    category: &CategoryId,
) -> anyhow::Result<Option<SaleKind>> {
    let row = db.row(CATEGORY, &[tenant.into(), category.into()]).await?;
    let Some(row) = row else { return Ok(None) };
    if row.boolean(1)? {
        return Ok(None);
    }
    Ok(SaleKind::parse(row.text(0)?))
}

/// The category and all that it is a part of, itself first.
pub(crate) async fn lineage(
    db: &impl Read,
    tenant: &TenantId,
    category: &CategoryId,
) -> anyhow::Result<Vec<CategoryId>> {
    let rows = db.rows(LINEAGE, &[tenant.into(), category.into()]).await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// Stores what the platform takes; what is older than what is known changes nothing.
pub(crate) async fn put_commission_rule(
    tx: &Tx,
    changed: &CommissionRuleChanged,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&changed.rule).into(),
        changed.version.into(),
        changed.merchant.as_ref().into(),
        changed.category.as_ref().into(),
        changed.kind.map(SaleKind::as_str).into(),
        changed.rate_bps.into(),
        changed.includes_freight.into(),
        changed.from.into(),
        changed.until.into(),
    ];
    tx.execute(PUT_COMMISSION_RULE, &parameters).await
}

/// The commission rules that hold for a merchant at a moment, particular or not.
pub(crate) async fn commission_rules(
    db: &impl Read,
    tenant: &TenantId,
    merchant: &MerchantId,
    at: Timestamp,
) -> anyhow::Result<Vec<CommissionRule>> {
    let parameters = [tenant.into(), merchant.into(), at.into()];
    let rows = db.rows(COMMISSION_RULES, &parameters).await?;
    rows.iter().map(read_commission_rule).collect()
}
