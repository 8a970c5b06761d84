//! What advertisers bid, and what came of it.

use kernel::{
    ActorId, AuctionRoundId, BidCampaignId, CreativeId, Currency, MerchantId, OfferId, SealedBidId,
    SealedRoundId, Timestamp,
};

events! {
    /// A campaign was made, changed, started, paused or ended.
    BidCampaignChanged = "bid_campaign.changed" {
        /// The campaign.
        campaign: BidCampaignId,
        /// Whose.
        merchant: MerchantId,
        /// What it shows.
        creative: CreativeId,
        /// `draft`, `active`, `paused` or `ended`.
        state: String,
        /// The most for a click, for a thousand views, or for a sale, in minor units.
        bid_minor: i64,
        /// What is bid of a sale, in 1/10,000; none where an amount is bid.
        #[serde(default)]
        ratio_bps: Option<i64>,
        /// The most in all, in minor units.
        budget_minor: i64,
        /// The most a day, in minor units.
        daily_minor: i64,
        /// The currency.
        currency: Currency,
        /// Counts up with each change.
        version: i64,
        /// Who did it.
        actor: ActorId,
        /// When.
        at: Timestamp,
    }
    /// What was offered was clicked or seen, or something was sold by it: it counts against the budget from now on, and is
    /// invoiced with its month.
    OfferCharged = "ad_offer.charged" {
        /// The offer.
        offer: OfferId,
        /// The round that it won.
        round: AuctionRoundId,
        /// The campaign.
        campaign: BidCampaignId,
        /// Whose.
        merchant: MerchantId,
        /// The price, in 1/10,000 of a minor unit; below zero for what is given back of a sale that was refunded.
        price_micros: i64,
        /// The currency.
        currency: Currency,
        /// When.
        at: Timestamp,
    }
    /// A rank was put up for sealed bids, or its round was extended, held or called off.
    SealedRoundChanged = "sealed_round.changed" {
        /// The round.
        round: SealedRoundId,
        /// `open`, `extended`, `cleared` or `called_off`.
        state: String,
        /// When it closes, or closed.
        closes_at: Timestamp,
        /// When.
        at: Timestamp,
    }
    /// A sealed bid was made, raised, secured by its deposit, won, lost, or its deposit went back, or was kept. What was
    /// bid is told only after the round was held.
    SealedBidChanged = "sealed_bid.changed" {
        /// The bid.
        bid: SealedBidId,
        /// The round.
        round: SealedRoundId,
        /// Whose.
        merchant: MerchantId,
        /// `unsecured`, `secured`, `lapsed`, `won`, `lost` or `forfeited`.
        state: String,
        /// The price of a winner, in minor units.
        price_minor: Option<i64>,
        /// When.
        at: Timestamp,
        /// Who decided that its deposit is kept, or given back after all.
        #[serde(default)]
        actor: Option<ActorId>,
        /// Why they did.
        #[serde(default)]
        reason: Option<String>,
    }
}
