//! What others recorded: merchants with their people, communities, and what goods were sold for.

use kernel::{ActorId, CommunityId, MerchantId, OrderLineId, ProductId, TenantId, Timestamp};
use store::{Batch, Read, Tx};

statements! {
    PUT_COMMUNITY = "insert into ads_community (tenant, community) values ($1, $2)
        on conflict (tenant, community) do nothing";

    HAS_COMMUNITY = "select community from ads_community where tenant = $1 and community = $2";

    PUT_MERCHANT = "insert into ads_merchant (tenant, merchant, name, version, may_trade, standing_version)
        values ($1, $2, $3, $4, 1, 0)
        on conflict (tenant, merchant) do update set name = excluded.name, version = excluded.version
        where ads_merchant.version < excluded.version
        returning merchant";

    OTHERWISE_SHOWN = "update ads_placement set shown_version = shown_version + 1 where tenant = $1 and id in
            (select l.placement from ads_line l where l.tenant = $1 and l.merchant = $2 and l.live = 1)";

    NAME = "select name from ads_merchant where tenant = $1 and merchant = $2 and version > 0";

    PUT_STANDING = "insert into ads_merchant (tenant, merchant, name, version, may_trade, standing_version)
        values ($1, $2, '', 0, $3, $4)
        on conflict (tenant, merchant) do update set may_trade = excluded.may_trade,
            standing_version = excluded.standing_version
        where ads_merchant.standing_version < excluded.standing_version";

    MAY_TRADE = "select may_trade from ads_merchant where tenant = $1 and merchant = $2";

    FORGET_MEMBERS = "delete from ads_member where tenant = $1 and merchant = $2";

    INSERT_MEMBER = "insert into ads_member (tenant, merchant, person) values ($1, $2, $3)
        on conflict (tenant, person, merchant) do nothing";

    IS_MEMBER = "select merchant from ads_member where tenant = $1 and person = $2 and merchant = $3";

    MERCHANTS_OF = "select merchant from ads_member where tenant = $1 and person = $2 order by merchant limit 50";

    INSERT_SALE = "insert into ads_sale (tenant, line, product, unit_minor, at) values ($1, $2, $3, $4, $5)
        on conflict (tenant, line) do nothing";

    COUNT_SALES = "select count(*) from ads_sale where tenant = $1 and product = $2 and at >= $3";

    SALE_AT = "select unit_minor from ads_sale where tenant = $1 and product = $2 and at >= $3
        order by unit_minor limit 1 offset cast($4 as bigint)";

    FORGET_SALES = "delete from ads_sale where (tenant, line) in
            (select s.tenant, s.line from ads_sale s where s.at < $1 order by s.at limit $2)
        returning line";
}

/// A community exists.
pub async fn put_community(tx: &Tx, community: &CommunityId) -> anyhow::Result<()> {
    tx.execute(PUT_COMMUNITY, &[tx.tenant().into(), community.into()])
        .await
}

/// Whether a community has been heard of.
pub async fn has_community(
    db: &impl Read,
    tenant: &TenantId,
    community: &CommunityId,
) -> anyhow::Result<bool> {
    let found = db
        .row(HAS_COMMUNITY, &[tenant.into(), community.into()])
        .await?;
    Ok(found.is_some())
}

/// A merchant with its people, unless something newer was heard.
pub async fn put_merchant(
    tx: &Tx,
    (merchant, name): (&MerchantId, &str),
    members: &[ActorId],
    version: i64,
) -> anyhow::Result<()> {
    let whose = [tx.tenant().into(), merchant.into()];
    let [tenant, id] = whose.clone();
    let news = tx
        .row(PUT_MERCHANT, &[tenant, id, name.into(), version.into()])
        .await?;
    if news.is_none() {
        return Ok(());
    }
    // Its name stands with what it shows.
    tx.execute(OTHERWISE_SHOWN, &whose).await?;
    tx.execute(FORGET_MEMBERS, &whose).await?;
    let rows: Vec<_> = members
        .iter()
        .map(|person| vec![tx.tenant().into(), merchant.into(), person.into()])
        .collect();
    tx.insert_many(INSERT_MEMBER, &rows).await
}

/// What a merchant is called; none for one that has not been heard of.
pub async fn name(
    db: &impl Read,
    tenant: &TenantId,
    merchant: &MerchantId,
) -> anyhow::Result<Option<String>> {
    let row = db.row(NAME, &[tenant.into(), merchant.into()]).await?;
    row.map(|row| Ok(row.text(0)?.to_owned())).transpose()
}

/// How a merchant stands with the platform, unless something newer was heard.
pub async fn put_standing(
    tx: &Tx,
    merchant: &MerchantId,
    (may_trade, version): (bool, i64),
) -> anyhow::Result<()> {
    let standing = [
        tx.tenant().into(),
        merchant.into(),
        may_trade.into(),
        version.into(),
    ];
    tx.execute(PUT_STANDING, &standing).await
}

/// Whether a merchant's deposit and debts let it book.
pub async fn may_trade(
    db: &impl Read,
    tenant: &TenantId,
    merchant: &MerchantId,
) -> anyhow::Result<bool> {
    let row = db.row(MAY_TRADE, &[tenant.into(), merchant.into()]).await?;
    row.map_or(Ok(true), |row| row.boolean(0))
}

/// Whether somebody acts for a merchant.
pub async fn is_member(
    db: &impl Read,
    tenant: &TenantId,
    (person, merchant): (&ActorId, &MerchantId),
) -> anyhow::Result<bool> {
    let found = db
        .row(IS_MEMBER, &[tenant.into(), person.into(), merchant.into()])
        .await?;
    Ok(found.is_some())
}

/// For which merchants somebody acts.
pub async fn merchants_of(
    db: &impl Read,
    tenant: &TenantId,
    person: &ActorId,
) -> anyhow::Result<Vec<MerchantId>> {
    let rows = db
        .rows(MERCHANTS_OF, &[tenant.into(), person.into()])
        .await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// Goods were sold, one for that much.
pub async fn insert_sale(
    tx: &Tx,
    (line, product): (&OrderLineId, &ProductId),
    unit_minor: i64,
    at: Timestamp,
) -> anyhow::Result<()> {
    let sale = [
        tx.tenant().into(),
        line.into(),
        product.into(),
        unit_minor.into(),
        at.into(),
    ];
    tx.execute(INSERT_SALE, &sale).await
}

/// The middle of what a product was sold for since then, the lower one of two; none when it was not sold.
pub async fn sold_for(
    db: &impl Read,
    tenant: &TenantId,
    product: &ProductId,
    since: Timestamp,
) -> anyhow::Result<Option<i64>> {
    let asked = [tenant.into(), product.into(), since.into()];
    let count = db.row(COUNT_SALES, &asked).await?;
    let count = count.map(|row| row.integer(0)).transpose()?.unwrap_or(0);
    if count == 0 {
        return Ok(None);
    }
    let [tenant, product, since] = asked;
    let middle = ((count - 1) / 2).into();
    let row = db.row(SALE_AT, &[tenant, product, since, middle]).await?;
    row.map(|row| row.integer(0)).transpose()
}

/// Forgets sales before then, at most so many; how many.
pub async fn forget_sales(batch: &Batch, before: Timestamp, limit: i64) -> anyhow::Result<usize> {
    let gone = batch
        .rows(FORGET_SALES, &[before.into(), limit.into()])
        .await?;
    Ok(gone.len())
}
