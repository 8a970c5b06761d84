//! What is kept and sent as JSON: caps, targeting, the terms of exchanges.

use advertising::{Cap, CapScope, Window};
use anyhow::Context as _;
use chrono::NaiveDate;
use kernel::{ActorKind, CommunityId, PlacementId, ProductId};
use serde::{Deserialize, Serialize};

use crate::domain::barter::{Goods, Slot, Terms};
use crate::domain::text::{Name, Note};
use crate::domain::wish::Targeting;

/// A cap as it is written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WrittenCap {
    scope: String,
    window: String,
    views: u32,
}

impl WrittenCap {
    /// The cap; none when a word is unknown.
    pub(crate) fn cap(&self) -> Option<Cap> {
        Some(Cap {
            scope: CapScope::parse(&self.scope)?,
            window: Window::parse(&self.window)?,
            views: self.views,
        })
    }
}

impl From<&Cap> for WrittenCap {
    fn from(cap: &Cap) -> Self {
        Self {
            scope: cap.scope.as_str().to_owned(),
            window: cap.window.as_str().to_owned(),
            views: cap.views,
        }
    }
}

/// Caps as they are written.
pub(crate) fn written_caps(caps: &[Cap]) -> Vec<WrittenCap> {
    caps.iter().map(WrittenCap::from).collect()
}

/// The caps of a column.
pub(crate) fn caps_of(text: &str) -> anyhow::Result<Vec<Cap>> {
    // Most lines have none, and every decision reads them.
    if text == "[]" {
        return Ok(Vec::new());
    }
    let written: Vec<WrittenCap> = serde_json::from_str(text)?;
    let caps: Option<Vec<Cap>> = written.iter().map(WrittenCap::cap).collect();
    caps.with_context(|| format!("a column holds {text:?}"))
}

/// To whom something is shown, as it is written.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WrittenTargeting {
    communities: Vec<CommunityId>,
    kinds: Vec<ActorKind>,
    from_minute: Option<u16>,
    until_minute: Option<u16>,
}

impl From<WrittenTargeting> for Targeting {
    fn from(written: WrittenTargeting) -> Self {
        let minutes = match (written.from_minute, written.until_minute) {
            (None, None) => None,
            (from, until) => Some((from.unwrap_or(0), until.unwrap_or(1_440))),
        };
        Self {
            communities: written.communities,
            kinds: written.kinds,
            minutes,
        }
    }
}

impl From<&Targeting> for WrittenTargeting {
    fn from(targeting: &Targeting) -> Self {
        Self {
            communities: targeting.communities.clone(),
            kinds: targeting.kinds.clone(),
            from_minute: targeting.minutes.map(|minutes| minutes.0),
            until_minute: targeting.minutes.map(|minutes| minutes.1),
        }
    }
}

/// What a column holds when a line is shown to all.
const ALL: &str = "{}";

/// Targeting as a column holds it.
pub(crate) fn targeting_text(targeting: &Targeting) -> anyhow::Result<String> {
    if *targeting == Targeting::default() {
        return Ok(ALL.to_owned());
    }
    Ok(serde_json::to_string(&WrittenTargeting::from(targeting))?)
}

/// The targeting of a column.
pub(crate) fn targeting_of(text: &str) -> anyhow::Result<Targeting> {
    if text == ALL {
        return Ok(Targeting::default());
    }
    let written: WrittenTargeting = serde_json::from_str(text)?;
    Ok(written.into())
}

/// The advertising of an exchange, as it is written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WrittenSlot {
    pub(crate) placement: PlacementId,
    pub(crate) starts_on: NaiveDate,
    pub(crate) ends_on: NaiveDate,
    /// Said by us, never by the sender.
    #[serde(default)]
    pub(crate) day_minor: i64,
}

/// The goods of an exchange, as they are written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WrittenGoods {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) product: Option<ProductId>,
    pub(crate) units: i64,
    pub(crate) list_minor: i64,
    #[serde(default)]
    pub(crate) evidence_minor: Option<i64>,
    #[serde(default)]
    pub(crate) evidence: Option<String>,
    /// Said by us, never by the sender.
    #[serde(default)]
    pub(crate) unit_minor: i64,
}

/// The terms of an exchange, as they are written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WrittenTerms {
    pub(crate) slots: Vec<WrittenSlot>,
    pub(crate) goods: Vec<WrittenGoods>,
    pub(crate) boot_minor: i64,
    pub(crate) limit_minor: i64,
}

impl From<&Terms> for WrittenTerms {
    fn from(terms: &Terms) -> Self {
        let slot = |slot: &Slot| WrittenSlot {
            placement: slot.placement.clone(),
            starts_on: slot.starts_on,
            ends_on: slot.ends_on,
            day_minor: slot.day_minor,
        };
        let goods = |goods: &Goods| WrittenGoods {
            name: goods.name.as_str().to_owned(),
            product: goods.product.clone(),
            units: goods.units,
            list_minor: goods.list_minor,
            evidence_minor: goods.evidence.as_ref().map(|(minor, _)| *minor),
            evidence: goods
                .evidence
                .as_ref()
                .map(|(_, note)| note.as_str().to_owned()),
            unit_minor: goods.unit_minor,
        };
        Self {
            slots: terms.slots.iter().map(slot).collect(),
            goods: terms.goods.iter().map(goods).collect(),
            boot_minor: terms.boot_minor,
            limit_minor: terms.limit_minor,
        }
    }
}

impl TryFrom<WrittenTerms> for Terms {
    type Error = crate::domain::text::TextError;

    fn try_from(written: WrittenTerms) -> Result<Self, Self::Error> {
        let slot = |slot: WrittenSlot| Slot {
            placement: slot.placement,
            starts_on: slot.starts_on,
            ends_on: slot.ends_on,
            day_minor: slot.day_minor,
        };
        let goods = |goods: WrittenGoods| {
            let note = goods.evidence.as_deref().map(Note::parse).transpose()?;
            Ok(Goods {
                name: Name::parse(&goods.name)?,
                product: goods.product,
                units: goods.units,
                list_minor: goods.list_minor,
                evidence: goods.evidence_minor.zip(note),
                unit_minor: goods.unit_minor,
            })
        };
        Ok(Self {
            slots: written.slots.into_iter().map(slot).collect(),
            goods: written
                .goods
                .into_iter()
                .map(goods)
                .collect::<Result<_, Self::Error>>()?,
            boot_minor: written.boot_minor,
            limit_minor: written.limit_minor,
        })
    }
}

/// The terms of a column.
pub(crate) fn terms_of(text: &str) -> anyhow::Result<Terms> {
    let written: WrittenTerms = serde_json::from_str(text)?;
    Ok(Terms::try_from(written)?)
}
