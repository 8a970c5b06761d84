//! Shops that are open, and the shelves of the mall.

use chrono::NaiveDate;
use kernel::{CategoryId, CommunityId, MerchantId, ProductId, TenantId};
use store::{Read, Tx};
use web::Page;

use crate::domain::{ShopDelivery as Delivery, Variant};
use crate::rows::{date, read_variant};

statements! {
    // A merchant without communities of its own serves all of them.
    SHOPS = "select m.id, m.name from orders_merchant m
        where m.tenant = $1 and m.trades = 1 and (cast($2 as text) is null or m.id > $2)
          and (cast($3 as text) is null or m.everywhere = 1 or exists (select 1 from orders_merchant_community c
            where c.tenant = m.tenant and c.merchant = m.id and c.community = $3))
        order by m.id limit $4";

    SHELVES = "select c.id, c.parent, c.name, c.kind,
            (select count(p.id) from orders_product p
                join orders_merchant m on m.tenant = p.tenant and m.id = p.merchant and m.trades = 1
                where p.tenant = c.tenant and p.category = c.id and p.state = 'listed')
        from orders_category c
        where c.tenant = $1 and c.gone = 0 and (cast($2 as text) is null or c.id > $2)
        order by c.id limit $3";

    SHORTAGE = "select count(v.id), cast(coalesce(sum(case when k.available = 0 then 1 else 0 end), 0) as bigint)
        from orders_product p
        join orders_variant v on v.tenant = p.tenant and v.product = p.id and v.gone = 0
        join orders_stock k on k.tenant = v.tenant and k.item = v.id
        where p.tenant = $1 and p.merchant = $2 and p.state = 'listed' and p.kind = 'goods'";

    // A variant by what its shelf says, or each of its batches.
    EXPIRING = "select v.id, v.name, v.price_minor, v.code, v.barcode, v.expires_on, v.trace_code, v.near_days,
            v.markdown_bps, v.gone, v.product, p.name, k.available
        from orders_variant v
        join orders_product p on p.tenant = v.tenant and p.id = v.product
        join orders_stock k on k.tenant = v.tenant and k.item = v.id
        where v.tenant = $1 and v.merchant = $2 and v.expires_on <= $3 and v.gone = 0
            and not exists (select o.id from orders_batch o where o.tenant = v.tenant and o.item = v.id and o.units_left > 0)
        union all
        select v.id, v.name, v.price_minor, v.code, v.barcode, b.expires_on, b.trace_code, v.near_days,
            v.markdown_bps, v.gone, v.product, p.name, b.units_left
        from orders_batch b
        join orders_variant v on v.tenant = b.tenant and v.id = b.item and v.gone = 0
        join orders_product p on p.tenant = v.tenant and p.id = v.product
        where b.tenant = $1 and b.merchant = $2 and b.units_left > 0 and b.expires_on <= $3
        order by 6, 1 limit 500";

    DELIVERY = "select freight_minor, free_from_minor, own, carrier, pickup, version from orders_delivery
        where tenant = $1 and merchant = $2";

    PUT_DELIVERY = "insert into orders_delivery
            (tenant, merchant, freight_minor, free_from_minor, own, carrier, pickup, version)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (tenant, merchant) do update set freight_minor = excluded.freight_minor,
            free_from_minor = excluded.free_from_minor, own = excluded.own, carrier = excluded.carrier,
            pickup = excluded.pickup, version = excluded.version";

}

/// Shops that trade, in the order of their ids: id and name.
pub(crate) async fn shops(
    db: &impl Read,
    tenant: &TenantId,
    community: Option<&CommunityId>,
    page: &Page<MerchantId>,
) -> anyhow::Result<Vec<(MerchantId, String)>> {
    let parameters = [
        tenant.into(),
        page.after.as_ref().into(),
        community.into(),
        page.rows().into(),
    ];
    let rows = db.rows(SHOPS, &parameters).await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.text(1)?.to_owned())))
        .collect()
}

/// How a shop brings things; everything is possible and free until it says otherwise.
pub(crate) async fn delivery(
    db: &impl Read,
    tenant: &TenantId,
    merchant: &MerchantId,
) -> anyhow::Result<Delivery> {
    let row = db.row(DELIVERY, &[tenant.into(), merchant.into()]).await?;
    let Some(row) = row else {
        return Ok(Delivery::default());
    };
    Ok(Delivery {
        freight_minor: row.integer(0)?,
        free_from_minor: row.optional_integer(1)?,
        own: row.boolean(2)?,
        carrier: row.boolean(3)?,
        pickup: row.boolean(4)?,
        version: row.integer(5)?,
    })
}

/// Stores how a shop brings things.
pub(crate) async fn put_delivery(
    tx: &Tx,
    merchant: &MerchantId,
    delivery: &Delivery,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        merchant.into(),
        delivery.freight_minor.into(),
        delivery.free_from_minor.into(),
        delivery.own.into(),
        delivery.carrier.into(),
        delivery.pickup.into(),
        delivery.version.into(),
    ];
    tx.execute(PUT_DELIVERY, &parameters).await
}

/// A category with what is on offer in it.
pub(crate) struct Shelf {
    pub(crate) id: CategoryId,
    pub(crate) parent: Option<CategoryId>,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) products: i64,
}

/// The categories, in the order of their ids.
pub(crate) async fn shelves(
    db: &impl Read,
    tenant: &TenantId,
    page: &Page<CategoryId>,
) -> anyhow::Result<Vec<Shelf>> {
    let parameters = [
        tenant.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(SHELVES, &parameters).await?;
    rows.iter()
        .map(|row| {
            Ok(Shelf {
                id: row.id(0)?,
                parent: row.optional_id(1)?,
                name: row.text(2)?.to_owned(),
                kind: row.text(3)?.to_owned(),
                products: row.integer(4)?,
            })
        })
        .collect()
}

/// How many variants of goods a shop offers, and how many of them have run out.
pub(crate) async fn shortage(
    db: &impl Read,
    tenant: &TenantId,
    merchant: &MerchantId,
) -> anyhow::Result<(i64, i64)> {
    let row = db.row(SHORTAGE, &[tenant.into(), merchant.into()]).await?;
    row.map_or(Ok((0, 0)), |row| Ok((row.integer(0)?, row.integer(1)?)))
}

/// A variant with a last day.
pub(crate) struct Expiring {
    pub(crate) variant: Variant,
    pub(crate) product: ProductId,
    pub(crate) name: String,
    pub(crate) available: i64,
}

/// What of a merchant's goods has its last day by then, the first to expire first.
pub(crate) async fn expiring(
    db: &impl Read,
    (tenant, merchant): (&TenantId, &MerchantId),
    until: NaiveDate,
) -> anyhow::Result<Vec<Expiring>> {
    let parameters = [tenant.into(), merchant.into(), date(until).into()];
    let rows = db.rows(EXPIRING, &parameters).await?;
    rows.iter()
        .map(|row| {
            Ok(Expiring {
                variant: read_variant(row)?,
                product: row.id(10)?,
                name: row.text(11)?.to_owned(),
                available: row.integer(12)?,
            })
        })
        .collect()
}
