//! Variants with all that decides whether they can be bought.

use anyhow::Context as _;
use chrono::{DateTime, Datelike as _, NaiveDate};
use kernel::{CommunityId, SlotId, TenantId, Timestamp, VariantId, Zone};
use store::{Read, Row};
use wire::mall::{Collection, SaleKind};

use crate::domain::offer::Offer;
use crate::domain::product::Content;
use crate::domain::text::{Description, Name};
use crate::quoting::Basket;
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

    // With what else a basket depends on: the day's zone, whether a promotion may change the price, whether it was put
    // into the cart, and who receives the money in either of the months that it can be now.
    WANTED = "select v.id, v.name, v.price_minor, v.code, v.barcode, v.expires_on, v.trace_code, v.near_days,
            v.markdown_bps, v.gone, p.id, p.category, p.kind, p.name, p.state, p.lead_minutes, p.cancel_minutes,
            m.id, m.name, m.trades,
            case when n.column3 = '' or m.everywhere = 1 or exists (
                select 1 from orders_merchant_community c
                where c.tenant = m.tenant and c.merchant = m.id and c.community = n.column3) then 1 else 0 end,
            coalesce(k.available, 0), coalesce(d.freight_minor, 0), d.free_from_minor,
            (select z.time_zone from orders_community z where z.tenant = n.column1 and z.id = n.column3),
            case when exists (
                select 1 from orders_promotion r
                where r.tenant = m.tenant and r.merchant = m.id and r.state = 'approved'
                  and r.starts_at <= cast(n.column6 as bigint) and r.ends_at > cast(n.column6 as bigint))
                then 1 else 0 end,
            case when exists (
                select 1 from orders_cart b
                where b.tenant = n.column1 and b.person = n.column5 and b.variant = n.column2 and b.slot = n.column4)
                then 1 else 0 end,
            (select a.collection from orders_contract a
                where a.tenant = m.tenant and a.merchant = m.id and a.first_month <= n.column7
                order by a.first_month desc, a.version desc limit 1),
            case when n.column7 = n.column8 then null else (
                select a.collection from orders_contract a
                where a.tenant = m.tenant and a.merchant = m.id and a.first_month <= n.column8
                order by a.first_month desc, a.version desc limit 1) end
        from (values ($1, $2, $3, $4, $5, $6, $7, $8)) as n
        join orders_variant v on v.tenant = n.column1 and v.id = n.column2
        join orders_product p on p.tenant = v.tenant and p.id = v.product
        join orders_merchant m on m.tenant = v.tenant and m.id = v.merchant
        left join orders_stock k on k.tenant = v.tenant and k.item = v.id
        left join orders_delivery d on d.tenant = m.tenant and d.merchant = m.id";
}

/// A variant that somebody wants, with all that its price and its order depend on.
pub(crate) struct Wanted {
    /// How it is offered.
    pub(crate) offer: Offer,
    /// The clocks of the buyer's community, when somebody has told of it.
    pub(crate) zone: Option<Zone>,
    /// Whether a promotion runs in the shop.
    pub(crate) is_promoted: bool,
    /// Whether it was put into the buyer's cart.
    pub(crate) is_in_cart: bool,
    /// Who receives the money, in the earlier and in the later month that it can be; none without a contract.
    agreed: [Option<Collection>; 2],
}

impl Wanted {
    /// Who receives the money on a day.
    pub(crate) fn collection(&self, (today, now): (NaiveDate, Timestamp)) -> Collection {
        let [earlier, later] = months(now);
        let [in_earlier, in_later] = self.agreed;
        let agreed = match month_of(today) == later && earlier != later {
            true => in_later,
            false => in_earlier,
        };
        agreed.unwrap_or(Collection::Platform)
    }
}

/// How far the clocks of the world are behind and before universal time, in hours.
const CLOCKS_HOURS: [i64; 2] = [-12, 14];

/// The months that it can be somewhere at a moment, as `2026-11`; mostly they are the same.
fn months(now: Timestamp) -> [String; 2] {
    CLOCKS_HOURS.map(|hours| {
        let there = now.plus_millis(hours * 60 * 60 * 1_000);
        let there = DateTime::from_timestamp_millis(there.millis()).unwrap_or_default();
        month_of(there.date_naive())
    })
}

fn month_of(day: NaiveDate) -> String {
    format!("{:04}-{:02}", day.year(), day.month())
}

/// What a basket wants, in no order; what is not there is left out.
pub(crate) async fn wanted(
    db: &impl Read,
    tenant: &TenantId,
    basket: &Basket,
    now: Timestamp,
) -> anyhow::Result<Vec<Wanted>> {
    let [earlier, later] = months(now);
    let now = now.millis().to_string();
    let about: Vec<_> = basket
        .asks
        .iter()
        .map(|ask| {
            vec![
                tenant.into(),
                (&ask.variant).into(),
                (&basket.community).into(),
                ask.slot.as_ref().map_or("", SlotId::as_str).into(),
                (&basket.buyer).into(),
                now.as_str().into(),
                earlier.as_str().into(),
                later.as_str().into(),
            ]
        })
        .collect();
    let rows = db.rows_about(WANTED, &about).await?;
    rows.iter().map(read_wanted).collect()
}

fn read_wanted(row: &Row) -> anyhow::Result<Wanted> {
    let collection = |column| -> anyhow::Result<Option<Collection>> {
        Ok(row.optional_text(column)?.and_then(Collection::parse))
    };
    Ok(Wanted {
        offer: read_offer(row)?,
        zone: row.optional_text(24)?.map(Zone::parse).transpose()?,
        is_promoted: row.boolean(25)?,
        is_in_cart: row.boolean(26)?,
        agreed: [collection(27)?, collection(28)?],
    })
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
