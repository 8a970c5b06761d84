//! Whom a message is meant for: an expression as JSON, and whether somebody's facts fit it. Consent is another
//! question, and always asked as well.
//!
//! `{"all": true}`, `{"community": "garden"}`, `{"building": "b1"}`, `{"role": "owner"}`, `{"tag": "has-car"}`,
//! `{"segment": "new"}`, `{"rfm": "high"}`, `{"last_active": {"within_days": 30}}`,
//! `{"last_active": {"not_within_days": 90}}`, `{"and": [..]}`, `{"or": [..]}`, `{"not": {..}}`.

use std::collections::BTreeSet;

use kernel::{ActorId, BuildingId, CommunityId, Refusal, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::invalid;

/// The most levels of an expression; a single condition is one.
pub const DEPTH_MAX: usize = 4;
/// The most parts of an expression, of all levels.
pub const PARTS_MAX: usize = 100;
/// The longest tag, segment, role or class, in characters.
pub const LABEL_CHARACTERS_MAX: usize = 64;
/// The most days that an expression looks back.
pub const DAYS_MAX: u32 = 3_650;
/// Fewer people are not sold: a household must not be singled out.
pub const PAID_PEOPLE_MIN: u64 = 50;

const DAY_MS: i64 = 86_400_000;

/// A condition on somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// Everybody of the tenant.
    All,
    /// Who lives or works in a community.
    Community(CommunityId),
    /// Who lives in a building.
    Building(BuildingId),
    /// Who has a role: owner, tenant, family, staff, merchant.
    Role(String),
    /// Who has a tag.
    Tag(String),
    /// Who belongs to a segment.
    Segment(String),
    /// Who is of a class by recency, frequency and money.
    Rfm(String),
    /// Who was active in that many days.
    ActiveWithin(u32),
    /// Who was not, or never.
    NotActiveWithin(u32),
    /// Whom all of them fit.
    And(Vec<Audience>),
    /// Whom one of them fits.
    Or(Vec<Audience>),
    /// Whom it does not fit.
    Not(Box<Audience>),
}

/// What is known of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Where they live or work.
    pub communities: BTreeSet<CommunityId>,
    /// Where they live.
    pub buildings: BTreeSet<BuildingId>,
    /// Their roles.
    pub roles: BTreeSet<String>,
    /// Their tags.
    pub tags: BTreeSet<String>,
    /// Their segments.
    pub segments: BTreeSet<String>,
    /// Their class.
    pub rfm: Option<String>,
    /// When they were last active.
    pub last_active_at: Option<Timestamp>,
}

/// An audience as it was when it was quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frozen {
    /// How many people.
    pub count: u64,
    /// Which, as a digest in hex.
    pub digest: String,
}

impl Frozen {
    /// Of those people.
    #[must_use]
    pub fn of(people: &BTreeSet<ActorId>) -> Self {
        let mut hasher = Sha256::new();
        for person in people {
            // Ids have no line feeds: no two sets are the same text.
            hasher.update(person.as_str());
            hasher.update("\n");
        }
        let digest = hasher.finalize();
        Self {
            count: people.len() as u64,
            digest: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }

    /// Refuses to sell a push to so few.
    ///
    /// # Errors
    /// When they are fewer than [`PAID_PEOPLE_MIN`].
    pub fn can_be_sold(&self) -> Result<(), Refusal> {
        if self.count >= PAID_PEOPLE_MIN {
            return Ok(());
        }
        Err(invalid(
            "audience_too_small",
            format!("A paid push reaches at least {PAID_PEOPLE_MIN} people. Widen the audience."),
            format!("付费推送至少面向 {PAID_PEOPLE_MIN} 人，请扩大受众。"),
        ))
    }
}

impl Audience {
    /// Parses an expression.
    ///
    /// # Errors
    /// Which part, by its path, is no condition; more than [`DEPTH_MAX`] levels or [`PARTS_MAX`] parts.
    pub fn parse(value: &Value) -> Result<Self, Refusal> {
        let mut parts = 0;
        parse(value, &Place::root(), &mut parts)
    }

    /// The expression as it is stored; [`Audience::parse`] reads it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let list = |parts: &[Self]| -> Value { parts.iter().map(Self::to_json).collect() };
        match self {
            Self::All => json!({ "all": true }),
            Self::Community(id) => json!({ "community": id.as_str() }),
            Self::Building(id) => json!({ "building": id.as_str() }),
            Self::Role(label) => json!({ "role": label }),
            Self::Tag(label) => json!({ "tag": label }),
            Self::Segment(label) => json!({ "segment": label }),
            Self::Rfm(label) => json!({ "rfm": label }),
            Self::ActiveWithin(days) => json!({ "last_active": { "within_days": days } }),
            Self::NotActiveWithin(days) => json!({ "last_active": { "not_within_days": days } }),
            Self::And(parts) => json!({ "and": list(parts) }),
            Self::Or(parts) => json!({ "or": list(parts) }),
            Self::Not(part) => json!({ "not": part.to_json() }),
        }
    }

    /// Whether somebody is meant.
    #[must_use]
    pub fn fits(&self, person: &Facts, now: Timestamp) -> bool {
        let active = |days: u32| {
            let last = person.last_active_at;
            last.is_some_and(|last| now.millis_since(last) <= i64::from(days) * DAY_MS)
        };
        match self {
            Self::All => true,
            Self::Community(id) => person.communities.contains(id),
            Self::Building(id) => person.buildings.contains(id),
            Self::Role(label) => person.roles.contains(label),
            Self::Tag(label) => person.tags.contains(label),
            Self::Segment(label) => person.segments.contains(label),
            Self::Rfm(label) => person.rfm.as_ref() == Some(label),
            Self::ActiveWithin(days) => active(*days),
            Self::NotActiveWithin(days) => !active(*days),
            Self::And(parts) => parts.iter().all(|part| part.fits(person, now)),
            Self::Or(parts) => parts.iter().any(|part| part.fits(person, now)),
            Self::Not(part) => !part.fits(person, now),
        }
    }
}

/// Where in an expression.
struct Place {
    path: String,
    depth: usize,
}

impl Place {
    fn root() -> Self {
        Self {
            path: "audience".to_owned(),
            depth: 1,
        }
    }

    fn below(&self, step: &str) -> Self {
        Self {
            path: format!("{}.{step}", self.path),
            depth: self.depth + 1,
        }
    }

    fn refuse(&self, english: &str, chinese: &str) -> Refusal {
        let path = &self.path;
        invalid(
            "audience_invalid",
            format!("{path}: {english}"),
            format!("{path}：{chinese}"),
        )
    }
}

fn parse(value: &Value, place: &Place, parts: &mut usize) -> Result<Audience, Refusal> {
    if place.depth > DEPTH_MAX {
        return Err(invalid(
            "audience_too_deep",
            format!(
                "{}: an audience has at most {DEPTH_MAX} levels. Take out a level.",
                place.path
            ),
            format!("{}：受众条件最多 {DEPTH_MAX} 层，请减少层级。", place.path),
        ));
    }
    *parts += 1;
    if *parts > PARTS_MAX {
        return Err(invalid(
            "audience_too_large",
            format!("An audience has at most {PARTS_MAX} parts. Use a segment instead."),
            format!("受众条件最多 {PARTS_MAX} 项，请改用人群包。"),
        ));
    }
    let mut fields = value.as_object().into_iter().flatten();
    let (Some((name, inner)), None) = (fields.next(), fields.next()) else {
        return Err(place.refuse(
            "a condition is an object with exactly one name.",
            "每个条件是只有一个键的对象。",
        ));
    };
    condition(name, inner, place, parts)
}

fn condition(
    name: &str,
    inner: &Value,
    place: &Place,
    parts: &mut usize,
) -> Result<Audience, Refusal> {
    let here = Place {
        path: format!("{}.{name}", place.path),
        depth: place.depth,
    };
    Ok(match name {
        "all" if inner == &Value::Bool(true) => Audience::All,
        "all" => return Err(here.refuse("is true, or left out.", "取值只能为 true。")),
        "community" => Audience::Community(
            CommunityId::parse(inner.as_str().unwrap_or_default()).map_err(|_| no_id(&here))?,
        ),
        "building" => Audience::Building(
            BuildingId::parse(inner.as_str().unwrap_or_default()).map_err(|_| no_id(&here))?,
        ),
        "role" => Audience::Role(label(inner, &here)?),
        "tag" => Audience::Tag(label(inner, &here)?),
        "segment" => Audience::Segment(label(inner, &here)?),
        "rfm" => Audience::Rfm(label(inner, &here)?),
        "last_active" => last_active(inner, &here)?,
        "and" => Audience::And(list(inner, &here, parts)?),
        "or" => Audience::Or(list(inner, &here, parts)?),
        "not" => Audience::Not(Box::new(parse(inner, &place.below("not"), parts)?)),
        _ => {
            return Err(place.refuse(
                "a condition is all, community, building, role, tag, segment, rfm, last_active, and, or, not.",
                "条件只能是 all、community、building、role、tag、segment、rfm、last_active、and、or、not。",
            ));
        }
    })
}

fn list(value: &Value, here: &Place, parts: &mut usize) -> Result<Vec<Audience>, Refusal> {
    let items = value.as_array().filter(|items| !items.is_empty());
    let Some(items) = items else {
        return Err(here.refuse(
            "is a list of conditions, not empty.",
            "应为非空的条件列表。",
        ));
    };
    let mut found = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let place = Place {
            path: format!("{}[{index}]", here.path),
            depth: here.depth + 1,
        };
        found.push(parse(item, &place, parts)?);
    }
    Ok(found)
}

fn last_active(value: &Value, here: &Place) -> Result<Audience, Refusal> {
    let wrong = || {
        here.refuse(
            "is {\"within_days\": days} or {\"not_within_days\": days}, 1 to 3650.",
            "应为 {\"within_days\": 天数} 或 {\"not_within_days\": 天数}，1 到 3650。",
        )
    };
    let mut fields = value.as_object().into_iter().flatten();
    let (Some((name, days)), None) = (fields.next(), fields.next()) else {
        return Err(wrong());
    };
    let days = days
        .as_u64()
        .and_then(|days| u32::try_from(days).ok())
        .filter(|days| (1..=DAYS_MAX).contains(days))
        .ok_or_else(wrong)?;
    match name.as_str() {
        "within_days" => Ok(Audience::ActiveWithin(days)),
        "not_within_days" => Ok(Audience::NotActiveWithin(days)),
        _ => Err(wrong()),
    }
}

fn label(value: &Value, here: &Place) -> Result<String, Refusal> {
    let allowed = |text: &&str| {
        let length = text.chars().count();
        (1..=LABEL_CHARACTERS_MAX).contains(&length)
            && text.trim() == *text
            && !text.chars().any(char::is_control)
    };
    let found = value.as_str().filter(allowed);
    found.map(str::to_owned).ok_or_else(|| {
        here.refuse(
            "is a text of 1 to 64 characters.",
            "应为 1 到 64 个字符的文本。",
        )
    })
}

fn no_id(here: &Place) -> Refusal {
    here.refuse("is an id.", "应为编号。")
}
