//! What is advertised, where and for how much. Amounts are whole minor units (fen), rounded at the invoice.

use kernel::{
    ActorId, AdLineId, BarterId, CommunityId, CreativeId, Currency, MerchantId, PlacementId,
    Timestamp,
};

use crate::advertising::{ChargeSource, CreativeState, Ownership, ReserveMode};

events! {
    /// A placement was made or changed; each fact says everything anew.
    PlacementChanged = "placement.changed", awaited {
        /// The placement.
        placement: PlacementId,
        /// What advertisers read.
        name: String,
        /// Where it is: `home`, `board`, `mall`, `weather`, `gate`, `lift`, `splash`, `event` or `column`.
        surface: String,
        /// What is shown: `banner`, `native`, `naming`, `video` or `text`.
        format: String,
        /// In pixels; 0 where it does not matter.
        width: i64,
        /// In pixels; 0 where it does not matter.
        height: i64,
        /// The board or category that it belongs to.
        board: Option<String>,
        /// Whose it is.
        ownership: Ownership,
        /// Where it hangs or is shown; none for all communities.
        community: Option<CommunityId>,
        /// How many can be booked for a day.
        capacity: i64,
        /// What a seat costs a day at least, in minor units.
        floor_minor: i64,
        /// What the reserve of its auctions is compared with.
        reserve_mode: ReserveMode,
        /// The reserve of its auctions: fen a click, 1/10,000 of a sale, or a score.
        reserve: i64,
        /// How many clicks its positions get in relation to each other, best first.
        slot_weights: Vec<u32>,
        /// `rank`, `sale` (ranks for a ratio of the sale) or `display` where it is sold by auction; none where it is only
        /// booked.
        auction: Option<String>,
        /// Whether anything is shown there.
        active: bool,
        /// The currency of its prices.
        currency: Currency,
        /// Counts up with each change.
        version: i64,
    }
    /// A creative was submitted, changed or reviewed, or may no longer be shown; each fact says everything anew.
    CreativeChanged = "creative.changed", awaited {
        /// The creative.
        creative: CreativeId,
        /// Whose.
        merchant: MerchantId,
        /// What it fits: `banner`, `native`, `naming`, `video` or `text`.
        format: String,
        /// In pixels; 0 for text.
        width: i64,
        /// In pixels; 0 for text.
        height: i64,
        /// Where a click leads: an https URL or a path of the app.
        landing: String,
        /// What people read first.
        title: String,
        /// What they read then.
        body: String,
        /// An https URL.
        image: Option<String>,
        /// The file of a video: MP4 under an https URL.
        #[serde(default)]
        video: Option<String>,
        /// How long it lasts, in milliseconds; 0 for all else.
        #[serde(default)]
        video_ms: i64,
        /// The advertiser's own domain, as exchanges ask for it.
        advertiser_domain: String,
        /// How its review stands.
        state: CreativeState,
        /// The digest of what is shown, in hexadecimal.
        content_hash: String,
        /// Counts up with each change.
        version: i64,
    }
    /// A booked line took another state.
    AdLineChanged = "ad_line.changed" {
        /// The line.
        line: AdLineId,
        /// Whose.
        merchant: MerchantId,
        /// Where.
        placement: PlacementId,
        /// `draft`, `reserved`, `booked`, `in_flight`, `finished`, `stopped`, `cancelled` or `declined`.
        state: String,
        /// Who did it; none when it happened by itself.
        actor: Option<ActorId>,
        /// When.
        at: Timestamp,
    }
    /// An advertiser owes for advertising: a line of its next statement. The amount is below zero when the platform
    /// gives something back.
    AdvertisingCharged = "advertising.charged", awaited {
        /// The business key: the same charge is never made twice.
        charge: String,
        /// Who owes.
        merchant: MerchantId,
        /// For what.
        source: ChargeSource,
        /// The line, the campaign or the contract.
        reference: String,
        /// Where it was shown; none where no placement is concerned.
        placement: Option<PlacementId>,
        /// Whose the placement is.
        ownership: Ownership,
        /// Where the placement is.
        community: Option<CommunityId>,
        /// In which month of the platform's zone it was earned: `2026-10`.
        month: String,
        /// How much.
        amount_minor: i64,
        /// The currency.
        currency: Currency,
        /// When it was charged.
        at: Timestamp,
    }
    /// A charge was split among the platform, the property company and the owners.
    AdvertisingShared = "advertising.shared" {
        /// The charge.
        charge: String,
        /// What the platform keeps.
        platform_minor: i64,
        /// What a property company gets.
        company_minor: i64,
        /// What the owners' common fund gets.
        owners_minor: i64,
        /// When.
        at: Timestamp,
    }
    /// A contract of exchange was made, countered, agreed, signed, or took another state.
    BarterChanged = "barter.changed" {
        /// The contract.
        contract: BarterId,
        /// With whom.
        merchant: MerchantId,
        /// `draft`, `proposed`, `countered`, `agreed`, `signed`, `active`, `suspended`, `settling`, `closed` or
        /// `terminated`.
        state: String,
        /// What the advertising is worth.
        advertising_minor: i64,
        /// What the goods are worth.
        goods_minor: i64,
        /// What the merchant pays besides; below zero what it gets.
        boot_minor: i64,
        /// The currency.
        currency: Currency,
        /// Who did it; none when it happened by itself.
        actor: Option<ActorId>,
        /// When.
        at: Timestamp,
        /// Counts up with each change.
        version: i64,
    }
}
