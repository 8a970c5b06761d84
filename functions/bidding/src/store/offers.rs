//! What was offered to visitors.

use std::collections::BTreeSet;

use anyhow::Context as _;
use kernel::{
    AuctionRoundId, BidCampaignId, CreativeId, MerchantId, OfferId, PlacementId, TenantId,
    Timestamp,
};
use store::{Read, Row, Tx};

use crate::domain::{Kind, OfferState};

statements! {
    INSERT = "insert into bidding_offer (tenant, id, round, campaign, merchant, creative, placement, billed, slot,
            viewer, bid_micros, price_micros, charged_micros, day, state, made_at, expires_at, viewed_at, clicked_at, ratio_bps)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, $13, 'open', $14, $15, null, null, $16)";

    OFFER = "select id, round, campaign, merchant, creative, placement, billed, slot, viewer, bid_micros, price_micros,
            charged_micros, day, state, made_at, expires_at, viewed_at, clicked_at, ratio_bps
        from bidding_offer where tenant = $1 and id = $2";

    OF_ROUND = "select id, round, campaign, merchant, creative, placement, billed, slot, viewer, bid_micros,
            price_micros, charged_micros, day, state, made_at, expires_at, viewed_at, clicked_at, ratio_bps
        from bidding_offer where tenant = $1 and round = $2 order by slot, id";

    UPDATE = "update bidding_offer set state = $3, charged_micros = $4, viewed_at = $5, clicked_at = $6, expires_at = $7
        where tenant = $1 and id = $2";

    CLICKS_OF = "select count(*) from bidding_offer
        where tenant = $1 and viewer = $2 and campaign = $3 and clicked_at is not null";

    EXPIRED = "select tenant from bidding_offer where state = 'open' and expires_at <= $1 order by expires_at limit $2";

    RELEASE = "update bidding_offer set state = case when charged_micros > 0 then 'charged' else 'released' end
        where tenant = $1 and (tenant, id) in (
            select tenant, id from bidding_offer where state = 'open' and expires_at <= $2
            order by expires_at limit $3)
        returning campaign, day, bid_micros - charged_micros";

    SWEEP_RELEASED = "delete from bidding_offer where (tenant, id) in (
            select tenant, id from bidding_offer where state = 'released' and made_at < $1 order by made_at limit $2)";

    SWEEP_CHARGED = "delete from bidding_offer where (tenant, id) in (
            select tenant, id from bidding_offer where state = 'charged' and made_at < $1 order by made_at limit $2)";
}

/// An offer.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    pub(crate) id: OfferId,
    pub(crate) round: AuctionRoundId,
    /// The campaign, or the sealed bid whose rank is let.
    pub(crate) campaign: BidCampaignId,
    pub(crate) merchant: MerchantId,
    pub(crate) creative: CreativeId,
    pub(crate) placement: Option<PlacementId>,
    pub(crate) sold: Kind,
    pub(crate) slot: i64,
    pub(crate) viewer: String,
    pub(crate) bid_micros: i64,
    pub(crate) price_micros: i64,
    /// The price of a sale, in 1/10,000 of it; 0 of all else. Then `price_micros` is the most.
    pub(crate) ratio_bps: i64,
    pub(crate) charged_micros: i64,
    pub(crate) day: String,
    pub(crate) state: OfferState,
    pub(crate) made_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) viewed_at: Option<Timestamp>,
    pub(crate) clicked_at: Option<Timestamp>,
}

/// What is billed: the word in the database.
fn billed(sold: Kind) -> &'static str {
    match sold {
        // A sale comes of it.
        Kind::Rank | Kind::Sale => "click",
        Kind::Display => "view",
    }
}

/// Adds an offer.
pub(crate) async fn insert(tx: &Tx, offer: &Offer) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&offer.id).into(),
        (&offer.round).into(),
        (&offer.campaign).into(),
        (&offer.merchant).into(),
        (&offer.creative).into(),
        offer.placement.as_ref().into(),
        billed(offer.sold).into(),
        offer.slot.into(),
        (&offer.viewer).into(),
        offer.bid_micros.into(),
        offer.price_micros.into(),
        (&offer.day).into(),
        offer.made_at.into(),
        offer.expires_at.into(),
        offer.ratio_bps.into(),
    ];
    tx.execute(INSERT, &parameters).await
}

/// The offer.
pub(crate) async fn offer(
    db: &impl Read,
    tenant: &TenantId,
    id: &OfferId,
) -> anyhow::Result<Option<Offer>> {
    let row = db.row(OFFER, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read).transpose()
}

/// What was offered in a round.
pub(crate) async fn of_round(
    db: &impl Read,
    tenant: &TenantId,
    round: &AuctionRoundId,
) -> anyhow::Result<Vec<Offer>> {
    let rows = db.rows(OF_ROUND, &[tenant.into(), round.into()]).await?;
    rows.iter().map(read).collect()
}

/// Stores what became of an offer.
pub(crate) async fn update(tx: &Tx, offer: &Offer) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&offer.id).into(),
        offer.state.as_str().into(),
        offer.charged_micros.into(),
        offer.viewed_at.into(),
        offer.clicked_at.into(),
        offer.expires_at.into(),
    ];
    tx.execute(UPDATE, &parameters).await
}

/// How often a viewer, whose digest holds for a day, has clicked what a campaign shows.
pub(crate) async fn clicks_of(tx: &Tx, offer: &Offer) -> anyhow::Result<i64> {
    let tenant = tx.tenant().into();
    let parameters = [tenant, (&offer.viewer).into(), (&offer.campaign).into()];
    let row = tx.row(CLICKS_OF, &parameters).await?;
    row.context("a count answers nothing")?.integer(0)
}

/// The tenants of those `limit` offers whose time has been over for longest, and whose bids are reserved still.
pub(crate) async fn expired(
    db: &impl Read,
    (now, limit): (Timestamp, i64),
) -> anyhow::Result<BTreeSet<TenantId>> {
    let rows = db.rows(EXPIRED, &[now.into(), limit.into()]).await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// Lets go of those offers of the tenant that are among the `limit` whose time has been over for longest: the campaign,
/// the day, and what of the bid of each was not charged.
pub(crate) async fn release(
    tx: &Tx,
    (now, limit): (Timestamp, i64),
) -> anyhow::Result<Vec<(BidCampaignId, String, i64)>> {
    let parameters = [tx.tenant().into(), now.into(), limit.into()];
    let rows = tx.rows(RELEASE, &parameters).await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.text(1)?.to_owned(), row.integer(2)?)))
        .collect()
}

/// Forgets offers from before the first moment that were let go, and from before the second that were charged, at most
/// `limit` of each.
pub(crate) async fn sweep(
    db: &store::Db,
    (released, charged): (Timestamp, Timestamp),
    limit: i64,
) -> anyhow::Result<()> {
    store::bulk(db, async |batch| {
        batch
            .execute(SWEEP_RELEASED, &[released.into(), limit.into()])
            .await?;
        batch
            .execute(SWEEP_CHARGED, &[charged.into(), limit.into()])
            .await
    })
    .await
}

fn read(row: &Row) -> anyhow::Result<Offer> {
    let ratio_bps = row.integer(18)?;
    Ok(Offer {
        id: row.id(0)?,
        round: row.id(1)?,
        campaign: row.id(2)?,
        merchant: row.id(3)?,
        creative: row.id(4)?,
        placement: row.optional_id(5)?,
        sold: match (row.text(6)?, ratio_bps) {
            ("click", 0) => Kind::Rank,
            ("click", _) => Kind::Sale,
            ("view", _) => Kind::Display,
            (other, _) => anyhow::bail!("an offer bills {other:?}"),
        },
        slot: row.integer(7)?,
        viewer: row.text(8)?.to_owned(),
        bid_micros: row.integer(9)?,
        price_micros: row.integer(10)?,
        ratio_bps,
        charged_micros: row.integer(11)?,
        day: row.text(12)?.to_owned(),
        state: OfferState::parse(row.text(13)?).context("an offer's state is none")?,
        made_at: row.timestamp(14)?,
        expires_at: row.timestamp(15)?,
        viewed_at: row.optional_timestamp(16)?,
        clicked_at: row.optional_timestamp(17)?,
    })
}
