//! What holds for all pushes of a tenant: the window and caps of marketing, prices and limits.

use kernel::{Message, Refusal, Zone};
use messaging::timing::{MarketingRules, Span};

/// The terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// In which days are counted for those of whom no zone is known.
    pub zone: Zone,
    /// From when on marketing may be delivered, as `07:00`.
    pub window_from: String,
    /// Until when.
    pub window_until: String,
    /// The most marketing for one person on one date.
    pub per_day: u32,
    /// The most for one person on any seven dates in a row.
    pub per_week: u32,
    /// What a merchant pays for each person reached, in fen.
    pub price_minor: i64,
    /// How many calls one caller makes in a minute.
    pub calls_per_minute: i64,
    /// How many messages one caller sends in a day.
    pub messages_per_day: i64,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            zone: Zone::SHANGHAI,
            window_from: "07:00".to_owned(),
            window_until: "23:00".to_owned(),
            per_day: 1,
            per_week: 3,
            price_minor: 10,
            calls_per_minute: 600,
            messages_per_day: 10_000,
        }
    }
}

impl Terms {
    /// The rules of marketing.
    ///
    /// # Errors
    /// When the window is none.
    pub fn marketing(&self) -> Result<MarketingRules, Refusal> {
        Ok(MarketingRules {
            window: Span::parse(&self.window_from, &self.window_until)?,
            per_day: self.per_day,
            per_week: self.per_week,
        })
    }

    /// Lets terms pass that can be.
    ///
    /// # Errors
    /// 422 saying which cannot.
    pub fn check(&self) -> Result<(), Refusal> {
        self.marketing()?;
        let fine = self.per_day <= 100
            && self.per_week <= 100
            && (1..=1_000_000).contains(&self.price_minor)
            && (1..=100_000).contains(&self.calls_per_minute)
            && (1..=10_000_000).contains(&self.messages_per_day);
        if fine {
            return Ok(());
        }
        Err(Refusal::invalid(
            "push_terms_invalid",
            Message::new(
                "Caps are 0 to 100, a price is 1 to 1000000 fen, limits are above zero.",
                "频次上限为 0 到 100，单价为 1 到 1000000 分，配额应大于零。",
            ),
        ))
    }
}

/// A zone that nobody knows.
#[must_use]
pub fn zone_unknown(text: &str) -> Refusal {
    let shown: String = text.chars().take(64).collect();
    Refusal::invalid(
        "time_zone_unknown",
        Message::new(
            format!("{shown:?} is no time zone: send an IANA name, for example Asia/Shanghai."),
            format!("“{shown}”不是有效时区，请使用 IANA 名称，例如 Asia/Shanghai。"),
        ),
    )
}

/// A zone by its name.
///
/// # Errors
/// 422 for one that nobody knows.
pub fn zone(text: &str) -> Result<Zone, Refusal> {
    Zone::parse(text).map_err(|_| zone_unknown(text))
}
