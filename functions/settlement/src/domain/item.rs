//! Items: what statements are made of.

use std::fmt;

use kernel::{MerchantId, Timestamp, Zone};
use wire::event::{AdvertisingCharged, OrderLineCompleted, OrderLineRefunded};
use wire::mall::Collection;

use super::Month;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name in the database and on the wire.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The one of that name.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == text)
            }
        }
    )*};
}

kinds! {
    /// What an item is.
    Kind {
        /// The commission on a completed line.
        Commission = "commission",
        /// What a refund of a completed line takes back of it.
        Refund = "refund",
        /// The month's fee for keeping the shop.
        Hosting = "hosting",
        /// The month's fee for technical maintenance.
        Maintenance = "maintenance",
        /// The month's fee for the platform.
        Platform = "platform",
        /// Advertising.
        Advertising = "advertising",
        /// A correction that an operator decided.
        Adjustment = "adjustment",
        /// What an earlier statement came to, below zero.
        Carry = "carry",
    }
    /// The five kinds of the platform's revenue.
    Revenue {
        /// Commissions, less what refunds took back.
        Commission = "commission",
        /// 托管.
        Hosting = "hosting",
        /// 技术维护.
        Maintenance = "maintenance",
        /// 平台使用.
        Platform = "platform",
        /// 广告.
        Advertising = "advertising",
    }
}

/// The name of a line: its kind and what it comes of, unique in the tenant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineKey {
    /// What it is.
    pub kind: Kind,
    /// What it comes of.
    pub source: String,
}

/// Why a text names no line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineError;

impl fmt::Display for LineError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a line is named by its kind, a dot and what it comes of")
    }
}

impl std::error::Error for LineError {}

impl LineKey {
    /// Parses `commission.0199...`.
    ///
    /// # Errors
    /// When it is no such name.
    pub fn parse(text: &str) -> Result<Self, LineError> {
        let (kind, source) = text.split_once('.').ok_or(LineError)?;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if source.is_empty() || source.len() > 140 || !source.bytes().all(allowed) {
            return Err(LineError);
        }
        Ok(Self {
            kind: Kind::parse(kind).ok_or(LineError)?,
            source: source.to_owned(),
        })
    }
}

impl fmt::Display for LineKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.kind.as_str(), self.source)
    }
}

impl TryFrom<String> for LineKey {
    type Error = LineError;
    fn try_from(text: String) -> Result<Self, LineError> {
        Self::parse(&text)
    }
}

/// An item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its name.
    pub key: LineKey,
    /// Whose.
    pub merchant: MerchantId,
    /// When it came about.
    pub at: Timestamp,
    /// Of which revenue it is.
    pub revenue: Revenue,
    /// What the buyer paid or got back, in fen.
    pub sale_minor: i64,
    /// The platform's revenue, in fen.
    pub amount_minor: i64,
    /// What of it the books have taken already, in fen.
    pub settled_minor: i64,
    /// What else is owed and stands in the books already, in fen.
    pub debt_minor: i64,
    /// The order, or the statement that it corrects.
    pub reference: String,
    /// What people read.
    pub memo: String,
}

/// The item of a completed line. Where the platform collects, orders has posted the commission out of the sale.
#[must_use]
pub fn of_completed(event: &OrderLineCompleted) -> Item {
    Item {
        key: LineKey {
            kind: Kind::Commission,
            source: event.line.to_string(),
        },
        merchant: event.merchant.clone(),
        at: event.completed_at,
        revenue: Revenue::Commission,
        sale_minor: event.paid_minor.saturating_add(event.freight_minor),
        amount_minor: event.commission_minor,
        settled_minor: settled(event.collection, event.commission_minor),
        debt_minor: 0,
        reference: event.order.to_string(),
        memo: String::new(),
    }
}

/// The item of a refund of a completed line: below zero, and what the merchant could not bear.
#[must_use]
pub fn of_refunded(event: &OrderLineRefunded) -> Item {
    let back = event.commission_minor.saturating_neg();
    Item {
        key: LineKey {
            kind: Kind::Refund,
            // A refund may give back several lines.
            source: format!("{}-{}", event.refund, event.line),
        },
        merchant: event.merchant.clone(),
        at: event.succeeded_at,
        revenue: Revenue::Commission,
        sale_minor: event.amount_minor.saturating_neg(),
        amount_minor: back,
        settled_minor: settled(event.collection, back),
        debt_minor: event.owed_minor,
        reference: event.order.to_string(),
        memo: String::new(),
    }
}

/// The item of what an advertiser was charged, as a line of the month in which it was earned; one that is heard of after
/// that month's statement is a line of the next.
#[must_use]
pub fn of_charged(event: &AdvertisingCharged, (month, zone): (Month, Zone)) -> Item {
    Item {
        key: LineKey {
            kind: Kind::Advertising,
            source: named(&event.charge),
        },
        merchant: event.merchant.clone(),
        at: event.at.min(month.end(zone).plus_millis(-1)),
        revenue: Revenue::Advertising,
        sale_minor: 0,
        amount_minor: event.amount_minor,
        settled_minor: 0,
        debt_minor: 0,
        reference: event.reference.clone(),
        memo: format!("{} {month}", event.source.as_str()),
    }
}

/// A key of others as the name of a line: what may not stand there is written as `_` and its byte in hexadecimal, so that
/// different keys stay different.
fn named(key: &str) -> String {
    let mut name = String::with_capacity(key.len());
    for byte in key.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("_{byte:02x}"));
        }
    }
    name
}

fn settled(collection: Collection, commission_minor: i64) -> i64 {
    match collection {
        Collection::Platform => commission_minor,
        Collection::Direct => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_others_name_lines_and_stay_different() {
        for (key, name) in [
            ("line-1", "line-1"),
            ("a:1_b", "a_3a1_5fb"),
            ("a_3a1", "a_5f3a1"),
        ] {
            assert_eq!(named(key), name);
            assert!(LineKey::parse(&format!("advertising.{name}")).is_ok());
        }
    }

    #[test]
    fn a_line_is_named_one_way() {
        let key = LineKey::parse("refund.r1-l1").unwrap();
        assert_eq!(
            (key.kind, key.to_string().as_str()),
            (Kind::Refund, "refund.r1-l1")
        );
        for text in [
            "",
            "refund",
            "refund.",
            "sale.x",
            "refund.a/b",
            "refund.a.b",
        ] {
            assert_eq!(LineKey::parse(text), Err(LineError), "{text:?}");
        }
    }
}
