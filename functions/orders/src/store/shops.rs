//! Shops that are open, and the shelves of the mall.

use kernel::{CommunityId, MerchantId, TenantId};
use store::Read;
use web::Page;

statements! {
    // A merchant without communities of its own serves all of them.
    SHOPS = "select m.id, m.name from orders_merchant m
        where m.tenant = $1 and m.trades = 1 and (cast($2 as text) is null or m.id > $2)
          and (cast($3 as text) is null or m.everywhere = 1 or exists (select 1 from orders_merchant_community c
            where c.tenant = m.tenant and c.merchant = m.id and c.community = $3))
        order by m.id limit $4";

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
