//! Placements: where something can be shown, how much of it there is, whose it is, and what a seat costs on a day.

use chrono::NaiveDate;
use kernel::{CommunityId, Message, PlacementId, Refusal};
use wire::advertising::{Ownership, ReserveMode};

use super::Subject;
use super::text::Name;

/// The most seats of a placement.
pub const CAPACITY_MAX: i64 = 50;
/// The highest price, in fen.
pub const PRICE_MAX: i64 = 100_000_000;
/// The most positions of an auction.
pub const SLOTS_MAX: usize = 20;

/// A word that is none of those that can be said.
#[derive(Debug)]
pub struct WordError(pub(crate) Vec<&'static str>);

impl std::fmt::Display for WordError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "it is one of {}", self.0.join(", "))
    }
}

impl std::error::Error for WordError {}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
        #[serde(try_from = "String")]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl TryFrom<String> for $name {
            type Error = $crate::domain::placement::WordError;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::parse(&text).ok_or_else(|| {
                    let words = Self::ALL.iter().map(|word| word.as_str());
                    $crate::domain::placement::WordError(words.collect())
                })
            }
        }

        impl $name {
            /// Every one, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name on the wire and in the database.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The one of that name.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text)
            }
        }
    )*};
}
pub(crate) use words;

words! {
    /// Where a placement is.
    Surface {
        /// The first page of the app.
        Home = "home",
        /// A board of the app (版块).
        Board = "board",
        /// The mall.
        Mall = "mall",
        /// The weather.
        Weather = "weather",
        /// A screen at a gate.
        Gate = "gate",
        /// A screen in a lift.
        Lift = "lift",
        /// What is seen while the app starts (开屏).
        Splash = "splash",
        /// What opens over a page (弹窗).
        Popup = "popup",
        /// An event of the property office (物业活动).
        Event = "event",
        /// A column of articles.
        Column = "column",
    }
    /// What is shown there.
    Format {
        /// A picture that leads somewhere (图文硬广).
        Banner = "banner",
        /// Text and picture in the looks of their surroundings.
        Native = "native",
        /// A name on something (冠名): never two at a time.
        Naming = "naming",
        /// A film.
        Video = "video",
        /// A line of text.
        Text = "text",
    }
    /// What is paid for.
    Pricing {
        /// A seat for a day, however often it is seen.
        Day = "day",
        /// A thousand views.
        Cpm = "cpm",
        /// A click.
        Cpc = "cpc",
    }
    /// What may be shown there.
    ReviewClass {
        /// Whatever passed its review.
        General = "general",
        /// Only what children may see: nothing medical, no alcohol, no loans.
        Family = "family",
    }
}

/// A placement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// Its id.
    pub id: PlacementId,
    /// What advertisers read.
    pub name: Name,
    /// Where it is.
    pub surface: Surface,
    /// What is shown.
    pub format: Format,
    /// In pixels; 0 where it does not matter.
    pub width: i64,
    /// In pixels; 0 where it does not matter.
    pub height: i64,
    /// The board or category that it belongs to.
    pub board: Option<Name>,
    /// Whose it is.
    pub ownership: Ownership,
    /// Where it is; none for all communities.
    pub community: Option<CommunityId>,
    /// How many can be booked for a day.
    pub capacity: i64,
    /// How many days are booked at least.
    pub minimum_days: i64,
    /// What a seat costs a day at least, in fen.
    pub floor_minor: i64,
    /// What of its income is the property company's, in 1/10,000, where it is the company's.
    pub company_bps: i64,
    /// What of its income is cost, in 1/10,000, where it is the owners'.
    pub cost_bps: i64,
    /// What may be shown.
    pub review_class: ReviewClass,
    /// What the reserve of its auctions is compared with.
    pub reserve_mode: ReserveMode,
    /// The reserve of its auctions.
    pub reserve: i64,
    /// How many clicks the positions of its auctions get, best first.
    pub slot_weights: Vec<u32>,
    /// `rank`, `sale` (ranks for a ratio of the sale) or `display`, where it is sold by auction.
    pub auction: Option<String>,
    /// Whether anything is shown there.
    pub active: bool,
    /// Counts up with each change.
    pub version: i64,
}

impl Placement {
    /// The placement, when it can be one.
    ///
    /// # Errors
    /// 422 naming what cannot be.
    pub fn checked(self) -> Result<Self, Refusal> {
        let is_weighty = self
            .slot_weights
            .windows(2)
            .all(|pair| pair.first() >= pair.last());
        let faults = [
            (
                !(1..=CAPACITY_MAX).contains(&self.capacity),
                "capacity is 1 to 50",
                "容量为 1 至 50",
            ),
            (
                self.format == Format::Naming && self.capacity != 1,
                "a naming has a capacity of 1",
                "冠名的容量只能为 1",
            ),
            (
                !(1..=366).contains(&self.minimum_days),
                "minimum_days is 1 to 366",
                "最短投放天数为 1 至 366",
            ),
            (
                !(0..=PRICE_MAX).contains(&self.floor_minor),
                "floor_minor is 0 to 100000000",
                "底价为 0 至 100000000 分",
            ),
            (
                !(0..=10_000).contains(&self.company_bps),
                "company_bps is 0 to 10000",
                "物业分成为 0 至 10000",
            ),
            (
                !(0..=10_000).contains(&self.cost_bps),
                "cost_bps is 0 to 10000",
                "成本比例为 0 至 10000",
            ),
            (
                !(0..=10_000).contains(&self.width) || !(0..=10_000).contains(&self.height),
                "width and height are 0 to 10000",
                "宽高为 0 至 10000",
            ),
            (self.reserve < 0, "reserve is 0 or more", "竞价底价不能为负"),
            (
                self.ownership != Ownership::Platform && self.community.is_none(),
                "what is not the platform's stands in a community",
                "非平台广告位必须填写所属小区",
            ),
            (
                self.slot_weights.len() > SLOTS_MAX || !is_weighty,
                "slot_weights are at most 20 and do not rise",
                "排位权重最多 20 个且不得递增",
            ),
            (
                self.auction.is_some() && self.slot_weights.is_empty(),
                "an auction needs slot_weights",
                "竞价广告位需要排位权重",
            ),
        ];
        match faults.into_iter().find(|(is_wrong, _, _)| *is_wrong) {
            None => Ok(self),
            Some((_, english, chinese)) => Err(Refusal::invalid(
                "placement_invalid",
                Message::new(
                    format!("This placement cannot be: {english}."),
                    format!("广告位不正确：{chinese}。"),
                ),
            )),
        }
    }

    /// What deals are compared by: the surface and the format.
    #[must_use]
    pub fn class(&self) -> String {
        format!("{}.{}", self.surface.as_str(), self.format.as_str())
    }

    /// Whether something of that subject may be shown there.
    #[must_use]
    pub fn takes(&self, subject: Subject) -> bool {
        self.review_class == ReviewClass::General || subject == Subject::General
    }
}

/// What a placement costs, for some days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    /// Its id.
    pub id: String,
    /// Of which placement.
    pub placement: PlacementId,
    /// What is paid for.
    pub pricing: Pricing,
    /// The first day.
    pub from: NaiveDate,
    /// The first day after.
    pub until: NaiveDate,
    /// How much, in fen.
    pub price_minor: i64,
}

/// The price of a day: of the rates that hold, the one that began last; a day without one costs the floor. No price
/// of a day is below the floor.
#[must_use]
pub fn price_of(
    placement: &Placement,
    rates: &[Rate],
    pricing: Pricing,
    day: NaiveDate,
) -> Option<i64> {
    let holds = |rate: &&Rate| rate.pricing == pricing && rate.from <= day && day < rate.until;
    let latest = rates
        .iter()
        .filter(holds)
        .max_by_key(|rate| (rate.from, rate.id.clone()));
    let price = latest.map(|rate| rate.price_minor);
    match pricing {
        Pricing::Day => Some(
            price
                .unwrap_or(placement.floor_minor)
                .max(placement.floor_minor),
        ),
        Pricing::Cpm | Pricing::Cpc => price,
    }
}

/// No such price on the rate card.
#[must_use]
pub fn rate_missing() -> Refusal {
    Refusal::conflict(
        "rate_missing",
        Message::new(
            "The placement is not sold this way on that day. Look at its rate cards, or book it by the day.",
            "该广告位在所选日期没有此计价方式，请查看刊例价或按天预订。",
        ),
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn placement() -> Placement {
        Placement {
            id: PlacementId::parse("home-top").unwrap(),
            name: Name::parse("首页置顶").unwrap(),
            surface: Surface::Home,
            format: Format::Banner,
            width: 750,
            height: 300,
            board: None,
            ownership: Ownership::Platform,
            community: None,
            capacity: 2,
            minimum_days: 1,
            floor_minor: 1_000,
            company_bps: 0,
            cost_bps: 0,
            review_class: ReviewClass::General,
            reserve_mode: ReserveMode::Unweighted,
            reserve: 0,
            slot_weights: vec![],
            auction: None,
            active: true,
            version: 1,
        }
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_naming_has_one_seat_and_what_is_the_owners_has_a_place() {
        assert!(placement().checked().is_ok());
        let naming = Placement {
            format: Format::Naming,
            ..placement()
        };
        assert!(naming.clone().checked().is_err());
        assert!(
            Placement {
                capacity: 1,
                ..naming
            }
            .checked()
            .is_ok()
        );
        let common = Placement {
            ownership: Ownership::Common,
            ..placement()
        };
        assert_eq!(common.checked().unwrap_err().code, "placement_invalid");
        let rising = Placement {
            slot_weights: vec![1, 2],
            ..placement()
        };
        assert!(rising.checked().is_err());
    }

    #[test]
    fn the_rate_that_began_last_counts_and_the_floor_holds() {
        let rate = |id: &str, from, until, price_minor| Rate {
            id: id.to_owned(),
            placement: placement().id,
            pricing: Pricing::Day,
            from: day(from),
            until: day(until),
            price_minor,
        };
        let rates = [
            rate("a", "2026-01-01", "2027-01-01", 2_000),
            rate("b", "2026-11-01", "2026-12-01", 3_000),
            rate("c", "2026-11-05", "2026-11-06", 10),
        ];
        let price = |text, pricing| price_of(&placement(), &rates, pricing, day(text));
        assert_eq!(price("2026-10-31", Pricing::Day), Some(2_000));
        assert_eq!(price("2026-11-01", Pricing::Day), Some(3_000));
        assert_eq!(price("2026-11-05", Pricing::Day), Some(1_000));
        assert_eq!(price("2027-01-01", Pricing::Day), Some(1_000));
        assert_eq!(price("2026-11-01", Pricing::Cpm), None);
    }
}
