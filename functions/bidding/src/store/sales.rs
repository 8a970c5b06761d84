//! Sales that came of clicks, and which click an order came of.

use kernel::{
    AuctionRoundId, BidCampaignId, MerchantId, OfferId, OrderId, OrderLineId, PlacementId,
    TenantId, Timestamp,
};
use store::{Read, Row, Tx, Value};

use crate::domain::Sold;

statements! {
    // The last click, of those whose bid is still reserved and that nothing was bought by.
    CLICKED = "select o.id from bidding_offer o
        where o.tenant = $1 and o.viewer in ($2, $3, $4, $5, $6, $7, $8, $9, $10) and o.merchant = $11
          and o.clicked_at is not null and o.clicked_at <= $12 and o.ratio_bps > 0 and o.state = 'open'
          and not exists (select 1 from bidding_sale s where s.tenant = o.tenant and s.offer = o.id)
        order by o.clicked_at desc, o.id desc limit 1";

    INSERT = "insert into bidding_sale (tenant, offer, sold_order, round, campaign, merchant, placement, ratio_bps,
            most_micros, day, sale_minor, charged_micros)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

    OF_ORDER = "select offer, sold_order, round, campaign, merchant, placement, ratio_bps, most_micros, day, sale_minor,
            charged_micros
        from bidding_sale where tenant = $1 and sold_order = $2";

    UPDATE = "update bidding_sale set sale_minor = $3, charged_micros = $4 where tenant = $1 and offer = $2";

    INSERT_LINE = "insert into bidding_sale_line (tenant, line, refund, offer, campaign, sale_minor, charged_micros, day)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (tenant, line, refund) do nothing
        returning line";

    IS_SOLD = "select line from bidding_sale_line where tenant = $1 and line = $2 and refund = ''";

    DAYS = "select day, count(distinct offer), cast(sum(sale_minor) as bigint), cast(sum(charged_micros) as bigint)
        from bidding_sale_line where tenant = $1 and campaign = $2 and day >= $3 and day < $4 group by day order by day";
}

/// On how many days a viewer may have been offered what was bought: those of the time until it is paid, and of the offer.
pub(crate) const VIEWERS: usize = 9;

/// What was sold by an offer.
#[derive(Debug, Clone)]
pub(crate) struct Sale {
    pub(crate) offer: OfferId,
    pub(crate) order: OrderId,
    pub(crate) round: AuctionRoundId,
    pub(crate) campaign: BidCampaignId,
    pub(crate) merchant: MerchantId,
    pub(crate) placement: Option<PlacementId>,
    /// The day whose budget bears it.
    pub(crate) day: String,
    pub(crate) sold: Sold,
}

/// Which line, and by which refund, if by one.
pub(crate) struct Cause<'a> {
    pub(crate) line: &'a OrderLineId,
    pub(crate) refund: &'a str,
}

/// A day's sales of a campaign.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Day {
    pub(crate) day: String,
    /// How many orders were sold, or went back in part.
    pub(crate) orders: i64,
    pub(crate) sale_minor: i64,
    pub(crate) charged_micros: i64,
}

/// What somebody clicked last, by the digests of the days before, of that merchant's.
pub(crate) async fn clicked(
    tx: &Tx,
    (viewers, merchant): (&[String; VIEWERS], &MerchantId),
    paid_at: Timestamp,
) -> anyhow::Result<Option<OfferId>> {
    let mut parameters: Vec<Value> = vec![tx.tenant().into()];
    parameters.extend(viewers.iter().map(Value::from));
    parameters.extend([merchant.into(), paid_at.into()]);
    let row = tx.row(CLICKED, &parameters).await?;
    row.map(|row| row.id(0)).transpose()
}

/// What an order was sold by, if it came of a click.
pub(crate) async fn of_order(tx: &Tx, order: &OrderId) -> anyhow::Result<Option<Sale>> {
    let row = tx
        .row(OF_ORDER, &[tx.tenant().into(), order.into()])
        .await?;
    row.as_ref().map(read).transpose()
}

/// Something is bought by a click.
pub(crate) async fn insert(tx: &Tx, sale: &Sale) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&sale.offer).into(),
        (&sale.order).into(),
        (&sale.round).into(),
        (&sale.campaign).into(),
        (&sale.merchant).into(),
        sale.placement.as_ref().into(),
        sale.sold.ratio_bps.into(),
        sale.sold.most_micros.into(),
        (&sale.day).into(),
        sale.sold.sale_minor.into(),
        sale.sold.charged_micros.into(),
    ];
    tx.execute(INSERT, &parameters).await
}

/// So much is sold by it now, and costs so much.
pub(crate) async fn update(tx: &Tx, sale: &Sale) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&sale.offer).into(),
        sale.sold.sale_minor.into(),
        sale.sold.charged_micros.into(),
    ];
    tx.execute(UPDATE, &parameters).await
}

/// A line was sold, or went back, on that day; whether that is new.
pub(crate) async fn insert_line(
    tx: &Tx,
    (sale, cause): (&Sale, &Cause<'_>),
    (sale_minor, charged_micros, day): (i64, i64, &str),
) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        cause.line.into(),
        cause.refund.into(),
        (&sale.offer).into(),
        (&sale.campaign).into(),
        sale_minor.into(),
        charged_micros.into(),
        day.into(),
    ];
    Ok(tx.row(INSERT_LINE, &parameters).await?.is_some())
}

/// Whether a line counts as sold by a click.
pub(crate) async fn is_sold(tx: &Tx, line: &OrderLineId) -> anyhow::Result<bool> {
    let row = tx.row(IS_SOLD, &[tx.tenant().into(), line.into()]).await?;
    Ok(row.is_some())
}

/// What a campaign sold from one day to before another.
pub(crate) async fn days(
    db: &impl Read,
    (tenant, campaign): (&TenantId, &BidCampaignId),
    (from, until): (&str, &str),
) -> anyhow::Result<Vec<Day>> {
    let parameters = [tenant.into(), campaign.into(), from.into(), until.into()];
    let rows = db.rows(DAYS, &parameters).await?;
    rows.iter()
        .map(|row| {
            Ok(Day {
                day: row.text(0)?.to_owned(),
                orders: row.integer(1)?,
                sale_minor: row.integer(2)?,
                charged_micros: row.integer(3)?,
            })
        })
        .collect()
}

fn read(row: &Row) -> anyhow::Result<Sale> {
    Ok(Sale {
        offer: row.id(0)?,
        order: row.id(1)?,
        round: row.id(2)?,
        campaign: row.id(3)?,
        merchant: row.id(4)?,
        placement: row.optional_id(5)?,
        day: row.text(8)?.to_owned(),
        sold: Sold {
            ratio_bps: row.integer(6)?,
            most_micros: row.integer(7)?,
            sale_minor: row.integer(9)?,
            charged_micros: row.integer(10)?,
        },
    })
}
