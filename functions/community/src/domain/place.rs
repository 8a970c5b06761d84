//! Companies, communities and their houses.

use kernel::{
    Actor, BuildingId, CommunityId, CompanyId, Message, Phone, Refusal, RoomId, UnitId, Zone,
};

use super::{Name, Note, manages, oversees, place_key, unknown};

/// A company that runs communities (物业公司).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Company {
    /// Chosen by the caller.
    pub id: CompanyId,
    /// What people call it.
    pub name: Name,
    /// Where it can be called.
    pub phone: Option<Phone>,
    /// Where it stands.
    pub address: Option<Note>,
    /// Counts the changes, from 1.
    pub version: i64,
}

/// A housing estate (小区).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Community {
    /// Chosen by the caller.
    pub id: CommunityId,
    /// What people call it.
    pub name: Name,
    /// Where it stands.
    pub address: Option<Note>,
    /// In which its business dates are.
    pub zone: Zone,
    /// Who runs it.
    pub company: Option<CompanyId>,
    /// Counts the changes, from 1.
    pub version: i64,
}

/// A building (楼栋).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Building {
    /// The building.
    pub id: BuildingId,
    /// Where it stands.
    pub community: CommunityId,
    /// What people call it, for example `1栋`.
    pub name: Name,
    /// Counts the changes, from 1.
    pub version: i64,
}

/// An entrance (单元) of a building.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// The entrance.
    pub id: UnitId,
    /// Its building.
    pub building: BuildingId,
    /// Its community.
    pub community: CommunityId,
    /// What people call it, for example `1单元`.
    pub name: Name,
    /// Counts the changes, from 1.
    pub version: i64,
}

/// What a room is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoomUse {
    /// A home (住宅).
    Residential,
    /// A shop (商铺).
    Commercial,
    /// An office (办公).
    Office,
    /// A garage (车库).
    Garage,
    /// A storeroom (储藏室).
    Storage,
    /// Anything else (其他).
    Other,
}

impl RoomUse {
    /// Every use with its name on the wire and the word of the property office.
    pub const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::Residential, "residential", "住宅"),
        (Self::Commercial, "commercial", "商铺"),
        (Self::Office, "office", "办公"),
        (Self::Garage, "garage", "车库"),
        (Self::Storage, "storage", "储藏室"),
        (Self::Other, "other", "其他"),
    ];

    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        let found = Self::ALL.into_iter().find(|(known, ..)| *known == self);
        found.map_or("other", |(_, name, _)| name)
    }

    /// The word of the property office.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        let found = Self::ALL.into_iter().find(|(known, ..)| *known == self);
        found.map_or("其他", |(_, _, word)| word)
    }

    /// The use of that name, in either language.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let found = Self::ALL
            .into_iter()
            .find(|(_, name, word)| *name == text || *word == text);
        found.map(|(it, ..)| it)
    }
}

/// A room (房屋): a home, shop or office.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// The room.
    pub id: RoomId,
    /// Its entrance.
    pub unit: UnitId,
    /// Its building.
    pub building: BuildingId,
    /// Its community.
    pub community: CommunityId,
    /// The names of building and entrance, for showing.
    pub place: (Name, Name),
    /// Its number, for example `101`.
    pub number: Name,
    /// Its floor; below ground it is negative.
    pub floor: Option<i64>,
    /// Its area in 1/100 m² (dm²).
    pub area_dm2: i64,
    /// What it is for.
    pub usage: RoomUse,
    /// Other names that people search by.
    pub aliases: Vec<Name>,
    /// Counts the changes, from 1.
    pub version: i64,
}

impl Room {
    /// The largest area: 100,000 m².
    pub const AREA_DM2_MAX: i64 = 10_000_000;
    /// The floors there are.
    pub const FLOORS: std::ops::RangeInclusive<i64> = -20..=300;
    /// The most aliases of one room.
    pub const ALIASES_MAX: usize = 10;

    /// What people call it: building, entrance and number.
    #[must_use]
    pub fn name(&self) -> String {
        let (building, unit) = &self.place;
        [building, unit, &self.number]
            .map(|name| name.as_str())
            .concat()
    }

    /// Everything it is found by: building-entrance-number, building-number, and its aliases.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        let (building, unit) = &self.place;
        let [building, unit, number] =
            [building, unit, &self.number].map(|name| place_key(name.as_str()));
        let mut keys = vec![
            format!("{building}-{unit}-{number}"),
            format!("{building}-{number}"),
        ];
        keys.extend(self.aliases.iter().map(|alias| place_key(alias.as_str())));
        keys.retain(|key| !key.is_empty());
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

/// The one room among those found under a text.
///
/// # Errors
/// 404 without any, 409 when several rooms go by that text.
pub fn find_one(mut found: Vec<Room>) -> Result<Room, Refusal> {
    match (found.pop(), found.is_empty()) {
        (None, _) => Err(unknown("room_unknown", "room", "房屋")),
        (Some(room), true) => Ok(room),
        (Some(_), false) => Err(Refusal::conflict(
            "place_ambiguous",
            Message::new(
                "Several rooms go by that name. Write building, entrance and number, for example 1-1-101.",
                "该名称对应多套房屋，请写明楼栋、单元和房号，例如 1-1-101。",
            ),
        )),
    }
}

/// The building, for those who read the community's register.
///
/// # Errors
/// 404 for everybody else.
pub fn know_building(actor: &Actor, building: Option<Building>) -> Result<Building, Refusal> {
    building
        .filter(|building| oversees(actor, &building.community))
        .ok_or_else(|| unknown("building_unknown", "building", "楼栋"))
}

/// The entrance, for those who read the community's register.
///
/// # Errors
/// 404 for everybody else.
pub fn know_unit(actor: &Actor, unit: Option<Unit>) -> Result<Unit, Refusal> {
    unit.filter(|unit| oversees(actor, &unit.community))
        .ok_or_else(|| unknown("unit_unknown", "entrance", "单元"))
}

/// The room, for those who read the community's register, and for its household.
///
/// # Errors
/// 404 for everybody else.
pub fn know_room(actor: &Actor, room: Option<Room>, is_household: bool) -> Result<Room, Refusal> {
    room.filter(|room| is_household || oversees(actor, &room.community))
        .ok_or_else(|| unknown("room_unknown", "room", "房屋"))
}

/// Whether the caller sees phone numbers of people of this community in full.
#[must_use]
pub fn overlooks(actor: &Actor, community: &CommunityId) -> bool {
    manages(actor, community)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_found_by_every_way_of_writing_it() {
        let id = "01890000-0000-7000-8000-000000000001";
        let name = |text: &str| Name::parse(text).unwrap();
        let room = Room {
            id: RoomId::parse(id).unwrap(),
            unit: UnitId::parse(id).unwrap(),
            building: BuildingId::parse(id).unwrap(),
            community: CommunityId::parse("garden").unwrap(),
            place: (name("1栋"), name("1单元")),
            number: name("101"),
            floor: None,
            area_dm2: 8_950,
            usage: RoomUse::Residential,
            aliases: vec![name("老王家")],
            version: 1,
        };
        assert_eq!(room.name(), "1栋1单元101");
        let keys = room.keys();
        for text in ["1栋101", "1-1-101", "1号楼1单元101室", "老王家"] {
            assert!(keys.contains(&place_key(text)), "{text}: {keys:?}");
        }
        assert!(!keys.contains(&place_key("1栋102")));
    }

    #[test]
    fn a_use_is_read_in_both_languages() {
        for (usage, name, word) in RoomUse::ALL {
            assert_eq!(RoomUse::parse(name), Some(usage));
            assert_eq!(RoomUse::parse(word), Some(usage));
            assert_eq!((usage.as_str(), usage.chinese()), (name, word));
        }
        assert_eq!(RoomUse::parse("castle"), None);
    }
}
