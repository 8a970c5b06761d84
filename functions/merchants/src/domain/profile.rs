//! What buyers read of a shop: its name, hours, where it brings things and how.

use kernel::{CommunityId, Message, Refusal};

use super::{Answer, Name, Note};

const HOURS_MAX: usize = 21;
const COMMUNITIES_MAX: usize = 500;
const PICTURES_MAX: usize = 12;
const DAY_MINUTES: u16 = 24 * 60;

/// What buyers read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// What the shop is called.
    pub name: Name,
    /// What it says of itself.
    pub description: Option<Answer>,
    /// The number that buyers call.
    pub phone: Option<Note>,
    /// When it is open, by the week; none says nothing.
    #[serde(default)]
    pub hours: Vec<Hours>,
    /// The communities that it serves; none means all.
    #[serde(default)]
    pub communities: Vec<CommunityId>,
    /// How things come to the buyer.
    #[serde(default)]
    pub delivery: Vec<DeliveryWay>,
    /// Where returned things go.
    pub return_address: Option<Note>,
    /// The digests of its pictures, the first of which stands for the shop.
    #[serde(default)]
    pub pictures: Vec<Digest>,
}

/// Open on a day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// 1 is Monday, 7 is Sunday.
    pub weekday: u8,
    /// Minutes since midnight.
    pub from_minute: u16,
    /// Minutes since midnight, excluded.
    pub until_minute: u16,
}

/// One way in which things come to the buyer.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryWay {
    /// Which.
    pub way: Way,
    /// The carrier's name, or what was agreed.
    pub note: Option<Note>,
}

/// How things come to the buyer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// By a carrier with a contract (签约快递).
    Carrier,
    /// The merchant brings them (商家自送).
    Own,
    /// The buyer picks them up (自提).
    PickUp,
}

impl Way {
    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Carrier => "carrier",
            Self::Own => "own",
            Self::PickUp => "pick_up",
        }
    }
}

/// The SHA-256 of a file, as 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Digest(String);

impl Digest {
    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Digest {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 64 && text.bytes().all(is_digit) {
            return Ok(Self(text));
        }
        Err("a digest is the SHA-256 of a file: 64 of 0-9 and a-f")
    }
}

impl Profile {
    /// Lets a profile pass that can be.
    ///
    /// # Errors
    /// Hours that overlap or are none, too much of something, a carrier without a name.
    pub fn checked(mut self) -> Result<Self, Refusal> {
        let counts = self.hours.len() <= HOURS_MAX
            && self.communities.len() <= COMMUNITIES_MAX
            && self.pictures.len() <= PICTURES_MAX
            && self.delivery.len() <= 10;
        if !counts {
            return Err(invalid(
                "There is too much of something: at most 21 hours, 500 communities, 12 pictures and 10 ways of delivery.",
                "内容过多：营业时间最多 21 段，小区最多 500 个，图片最多 12 张，配送方式最多 10 种。",
            ));
        }
        self.hours.sort();
        self.communities.sort();
        self.communities.dedup();
        let are_hours = self.hours.iter().all(|hours| {
            (1..=7).contains(&hours.weekday)
                && hours.from_minute < hours.until_minute
                && hours.until_minute <= DAY_MINUTES
        });
        let overlap = self
            .hours
            .iter()
            .zip(self.hours.iter().skip(1))
            .any(|(one, next)| one.weekday == next.weekday && next.from_minute < one.until_minute);
        if !are_hours || overlap {
            return Err(invalid(
                "Opening hours are within a day (1 to 7), begin before they end, and do not overlap.",
                "营业时间须在一天之内（周 1 至 7），开始早于结束且不重叠。",
            ));
        }
        let nameless = |way: &DeliveryWay| way.way == Way::Carrier && way.note.is_none();
        if self.delivery.iter().any(nameless) {
            return Err(invalid(
                "Name the carrier that you have a contract with, as its note.",
                "请在 note 中填写签约快递的名称。",
            ));
        }
        Ok(self)
    }

    /// The names of what is different in another profile.
    #[must_use]
    pub fn different(&self, other: &Self) -> Vec<&'static str> {
        let compared = [
            ("name", self.name == other.name),
            ("description", self.description == other.description),
            ("phone", self.phone == other.phone),
            ("hours", self.hours == other.hours),
            ("communities", self.communities == other.communities),
            ("delivery", self.delivery == other.delivery),
            (
                "return_address",
                self.return_address == other.return_address,
            ),
            ("pictures", self.pictures == other.pictures),
        ];
        let different = compared.into_iter().filter(|(_, same)| !same);
        different.map(|(name, _)| name).collect()
    }
}

fn invalid(english: &str, chinese: &str) -> Refusal {
    Refusal::invalid("merchant_profile_invalid", Message::new(english, chinese))
}
