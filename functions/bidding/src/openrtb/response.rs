//! What exchanges and pages are answered.

use serde::Serialize;
use serde_json::value::RawValue;

/// Why there is no bid: the protocol's reasons, and those from 500 on that are ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoBid {
    /// A program that only looks through pages.
    Crawler,
    /// Not in yuan.
    Currency,
    /// Nothing that could be filled: no banner, native or video that we could, or no placement of ours.
    Unsupported,
    /// Nobody bids, or nobody as much as the floor.
    Nobody,
    /// What is not billed is not bid on.
    Test,
}

impl NoBid {
    /// The protocol's `nbr`.
    #[must_use]
    pub fn code(self) -> i64 {
        match self {
            Self::Crawler => 3,
            Self::Currency => 500,
            Self::Unsupported => 501,
            Self::Nobody => 502,
            Self::Test => 503,
        }
    }

    /// For people who read headers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Crawler => "crawler",
            Self::Currency => "currency",
            Self::Unsupported => "unsupported",
            Self::Nobody => "nobody",
            Self::Test => "test",
        }
    }
}

/// An answer.
#[derive(Debug, Serialize)]
pub struct BidResponse {
    /// The id of the request.
    pub id: String,
    /// The id of the answer.
    pub bidid: String,
    /// The bids by seat.
    pub seatbid: Vec<SeatBid>,
    /// The currency of all prices.
    pub cur: &'static str,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nbr: Option<i64>,
}

/// What one seat bids.
#[derive(Debug, Serialize)]
pub struct SeatBid {
    /// Who.
    pub seat: String,
    /// Its bids.
    pub bid: Vec<Bid>,
}

/// A bid.
#[derive(Debug, Serialize)]
pub struct Bid {
    /// Its id.
    pub id: String,
    /// For which impression.
    pub impid: String,
    /// For a thousand, in the unit of the currency.
    pub price: Box<RawValue>,
    /// What is shown.
    pub adid: String,
    /// What is shown, for those who review it.
    pub crid: String,
    /// The campaign.
    pub cid: String,
    /// The advertiser's domain.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub adomain: Vec<String>,
    /// Called when it won.
    pub nurl: String,
    /// Called when it is billed.
    pub burl: String,
    /// Called when it lost.
    pub lurl: String,
    /// The markup.
    pub adm: String,
    /// 1 for a banner, 2 for a video, 4 for native.
    pub mtype: i64,
    /// How long a video lasts, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dur: Option<i64>,
    /// The markup of a video.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<i64>,
    /// In pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub w: Option<i64>,
    /// In pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub h: Option<i64>,
    /// For how many seconds it holds.
    pub exp: i64,
    /// What Prebid wants to know besides.
    pub ext: serde_json::Value,
}
