//! Promotions from rows; their terms as JSON, in the database as on the wire.

use anyhow::Context as _;
use kernel::{ProductId, VariantId};
use serde::{Deserialize, Serialize};
use store::Row;

use super::line;
use crate::domain::pricing::Off;
use crate::domain::promotion::{Promotion, PromotionState, Terms};
use crate::domain::text::Name;

/// The terms as they are written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum WrittenTerms {
    Coupon {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        off_minor: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        off_bps: Option<u32>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        off_minor_max: Option<i64>,
        least_minor: i64,
        issue_max: i64,
        #[serde(default)]
        products: Vec<ProductId>,
    },
    FullReduction {
        tiers: Vec<WrittenTier>,
        #[serde(default)]
        products: Vec<ProductId>,
    },
    GroupBuy {
        variant: VariantId,
        price_minor: i64,
        size: u32,
        hours: u32,
    },
    FlashSale {
        variant: VariantId,
        price_minor: i64,
        units: i64,
        person_max: i64,
    },
}

/// From what sum on, and how much is off.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WrittenTier {
    from_minor: i64,
    off_minor: i64,
}

impl WrittenTerms {
    /// The terms; nothing when a coupon says neither or both of an amount and a share.
    pub(crate) fn terms(self) -> Option<Terms> {
        Some(match self {
            Self::Coupon {
                off_minor,
                off_bps,
                off_minor_max,
                least_minor,
                issue_max,
                products,
            } => Terms::Coupon {
                off: match (off_minor, off_bps, off_minor_max) {
                    (Some(minor), None, None) => Off::Minor(minor),
                    (None, Some(bps), Some(minor_max)) => Off::Share { bps, minor_max },
                    _ => return None,
                },
                least_minor,
                issue_max,
                scope: products,
            },
            Self::FullReduction { tiers, products } => Terms::FullReduction {
                tiers: tiers
                    .into_iter()
                    .map(|tier| (tier.from_minor, tier.off_minor))
                    .collect(),
                scope: products,
            },
            Self::GroupBuy {
                variant,
                price_minor,
                size,
                hours,
            } => Terms::GroupBuy {
                variant,
                price_minor,
                size,
                hours,
            },
            Self::FlashSale {
                variant,
                price_minor,
                units,
                person_max,
            } => Terms::FlashSale {
                variant,
                price_minor,
                units,
                person_max,
            },
        })
    }
}

impl From<&Terms> for WrittenTerms {
    fn from(terms: &Terms) -> Self {
        match terms.clone() {
            Terms::Coupon {
                off,
                least_minor,
                issue_max,
                scope,
            } => {
                let (off_minor, off_bps, off_minor_max) = match off {
                    Off::Minor(minor) => (Some(minor), None, None),
                    Off::Share { bps, minor_max } => (None, Some(bps), Some(minor_max)),
                };
                Self::Coupon {
                    off_minor,
                    off_bps,
                    off_minor_max,
                    least_minor,
                    issue_max,
                    products: scope,
                }
            }
            Terms::FullReduction { tiers, scope } => Self::FullReduction {
                tiers: tiers
                    .into_iter()
                    .map(|(from_minor, off_minor)| WrittenTier {
                        from_minor,
                        off_minor,
                    })
                    .collect(),
                products: scope,
            },
            Terms::GroupBuy {
                variant,
                price_minor,
                size,
                hours,
            } => Self::GroupBuy {
                variant,
                price_minor,
                size,
                hours,
            },
            Terms::FlashSale {
                variant,
                price_minor,
                units,
                person_max,
            } => Self::FlashSale {
                variant,
                price_minor,
                units,
                person_max,
            },
        }
    }
}

/// A promotion from the columns of `PROMOTION`.
pub(crate) fn read_promotion(row: &Row) -> anyhow::Result<Promotion> {
    let state = row.text(7)?;
    let terms: WrittenTerms = serde_json::from_str(row.text(3)?)?;
    let decided = match (row.optional_id(11)?, row.optional_timestamp(12)?) {
        (Some(by), Some(at)) => Some((by, at)),
        _ => None,
    };
    Ok(Promotion {
        id: row.id(0)?,
        merchant: row.id(1)?,
        name: Name::parse(row.text(2)?)?,
        terms: terms.terms().context("a promotion's terms")?,
        subsidy_bps: u32::try_from(row.integer(4)?)?,
        from: row.timestamp(5)?,
        until: row.timestamp(6)?,
        state: PromotionState::parse(state).with_context(|| format!("a promotion is {state:?}"))?,
        version: row.integer(8)?,
        applied_by: row.id(9)?,
        applied_at: row.timestamp(10)?,
        decided,
        reason: line(row.optional_text(13)?)?,
        issued: row.integer(14)?,
    })
}
