//! Words that advertising, bidding, push and settlement share.

use crate::mall::words;

words! {
    /// Whose a placement is, which says who has a share of what it earns.
    Ownership {
        /// The platform's own surfaces, the app above all.
        Platform = "platform",
        /// A property company's.
        Company = "company",
        /// The owners' together (共有部分): lifts, gates, walls; what they earn, less reasonable cost, is the owners'.
        Common = "common",
    }
    /// What a reserve price is compared with.
    ReserveMode {
        /// The bid, in fen a click.
        Unweighted = "unweighted",
        /// The score, bid times quality.
        Weighted = "weighted",
    }
    /// How the review of a creative stands; only what is approved is ever shown.
    CreativeState {
        /// Nobody has looked yet.
        Pending = "pending",
        /// It may be shown.
        Approved = "approved",
        /// It may not be shown.
        Denied = "denied",
        /// It is no longer what was approved: to be reviewed again.
        Changed = "changed",
        /// What it needs has run out: to be reviewed again with something newer.
        Expired = "expired",
    }
    /// What an advertiser is charged for.
    ChargeSource {
        /// Booked placements.
        Booking = "booking",
        /// Bids that won.
        Bidding = "bidding",
        /// Paid push messages.
        Push = "push",
        /// What an exchange of goods left open.
        Barter = "barter",
    }
}
