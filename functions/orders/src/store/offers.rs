//! Variants with all that decides whether they can be bought.

use anyhow::Context as _;
use kernel::{CommunityId, TenantId, VariantId};
use store::{Read, Row};
use wire::mall::SaleKind;

use crate::domain::offer::Offer;
use crate::domain::product::Content;
use crate::domain::text::{Description, Name};
use crate::rows::read_variant;

statements! {
    // A community that is not named (empty) is served by all.
    OFFERS = "select v.id, v.name, v.price_minor, v.code, v.barcode, v.expires_on, v.trace_code, v.near_days,
            v.markdown_bps, v.gone, p.id, p.category, p.kind, p.name, p.state, p.lead_minutes, p.cancel_minutes,
            m.id, m.name, m.trades,
            case when n.column3 = '' or m.everywhere = 1 or exists (
                select 1 from orders_merchant_community c
                where c.tenant = m.tenant and c.merchant = m.id and c.community = n.column3) then 1 else 0 end,
            coalesce(k.available, 0), coalesce(d.freight_minor, 0), d.free_from_minor
        from (values ($1, $2, $3)) as n
        join orders_variant v on v.tenant = n.column1 and v.id = n.column2
        join orders_product p on p.tenant = v.tenant and p.id = v.product
        join orders_merchant m on m.tenant = v.tenant and m.id = v.merchant
        left join orders_stock k on k.tenant = v.tenant and k.item = v.id
        left join orders_delivery d on d.tenant = m.tenant and d.merchant = m.id";
}

/// The variants as they are offered in a community, in no order; what is not there is left out.
pub(crate) async fn offers<'a>(
    db: &impl Read,
    tenant: &TenantId,
    variants: impl Iterator<Item = &'a VariantId>,
    community: Option<&CommunityId>,
) -> anyhow::Result<Vec<Offer>> {
    let community = community.map_or("", CommunityId::as_str);
    let about: Vec<_> = variants
        .map(|variant| vec![tenant.into(), variant.into(), community.into()])
        .collect();
    let rows = db.rows_about(OFFERS, &about).await?;
    rows.iter().map(read_offer).collect()
}

/// The variant as it is offered in a community.
pub(crate) async fn offer(
    db: &impl Read,
    tenant: &TenantId,
    variant: &VariantId,
    community: Option<&CommunityId>,
) -> anyhow::Result<Option<Offer>> {
    let found = offers(db, tenant, [variant].into_iter(), community).await?;
    Ok(found.into_iter().next())
}

fn read_offer(row: &Row) -> anyhow::Result<Offer> {
    let kind = row.text(12)?;
    Ok(Offer {
        variant: read_variant(row)?,
        product: row.id(10)?,
        category: row.id(11)?,
        kind: SaleKind::parse(kind).with_context(|| format!("a product's kind is {kind:?}"))?,
        content: Content {
            name: Name::parse(row.text(13)?)?,
            summary: None,
            description: Description::default(),
            lead_minutes: u32::try_from(row.integer(15)?)?,
            cancel_minutes: u32::try_from(row.integer(16)?)?,
        },
        listed: row.text(14)? == "listed",
        merchant: row.id(17)?,
        shop: row.text(18)?.to_owned(),
        trades: row.boolean(19)?,
        serves: row.boolean(20)?,
        available: row.integer(21)?,
        freight_minor: row.integer(22)?,
        free_from_minor: row.optional_integer(23)?,
    })
}
