//! Shops that are open, and the shelves of the mall.

use kernel::{CommunityId, MerchantId, TenantId};
use store::{Read, Tx};
use web::Page;

use crate::domain::ShopDelivery as Delivery;

statements! {
    // A merchant without communities of its own serves all of them.
    SHOPS = "select m.id, m.name from orders_merchant m
        where m.tenant = $1 and m.trades = 1 and (cast($2 as text) is null or m.id > $2)
          and (cast($3 as text) is null or m.everywhere = 1 or exists (select 1 from orders_merchant_community c
            where c.tenant = m.tenant and c.merchant = m.id and c.community = $3))
        order by m.id limit $4";

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
