//! What bidding decides, pure: time, ids and sums come in as arguments, a refusal comes out as a value. One file a noun.

mod caller;
mod campaign;
mod event;
mod micros;
mod month;
mod quality;
mod sale;
mod sealed;
mod signer;
mod target;
mod text;

pub use caller::{
    Sight, advertisers, managers_only, manages, readers_only, sees_all, unknown_merchant,
};
pub use campaign::{
    BID_MAX, BUDGET_MAX, Campaign, CampaignState, Kind, Limits, Step, unknown_campaign,
};
pub use event::{Invalid, OfferState, Seen, click, view};
pub use micros::whole_fen;
pub use month::Month;
pub use quality::{Counted, HOUR_MS, Quality, hour_of};
pub use sale::{HELD_MS, PAID_MS, RATIO_MAX, Sold, came_of, sold_otherwise};
pub use sealed::{
    BidState, EXTENSIONS_MS_MAX, Forfeit, SealedBid, SealedRound, SealedState, clearing_bids,
    unknown_round,
};
pub use signer::Signer;
pub use target::{TARGETS_MAX, Target, TargetError, TargetKind, words_of};
pub use text::{Name, TextError};

#[cfg(test)]
mod law_tests;
