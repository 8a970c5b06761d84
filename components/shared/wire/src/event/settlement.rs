//! How merchants stand with the platform: what others decide by. Statements' own facts stand beside.

use kernel::{MerchantId, Timestamp};

use crate::mall::Standing;

events! {
    /// A merchant's standing changed: whether it may trade as far as its deposit and its debts go.
    MerchantStandingChanged = "merchant.standing_changed", awaited {
        /// The merchant.
        merchant: MerchantId,
        /// How it stands from now on.
        standing: Standing,
        /// Counts up with each change; a lower one that comes later is old news.
        version: i64,
        /// When.
        at: Timestamp,
    }
}
