//! Parking spaces, and the number plates of households.

use std::fmt;

use kernel::{Actor, CommunityId, ParkingSpaceId, Refusal, RoomId, Timestamp};

use super::{Name, oversees, unknown};

/// A place to park.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkingSpace {
    /// The space.
    pub id: ParkingSpaceId,
    /// Its community.
    pub community: CommunityId,
    /// What stands on the ground, for example `B1-023`.
    pub name: Name,
    /// The room whose household uses it.
    pub room: Option<RoomId>,
    /// Counts the changes, from 1.
    pub version: i64,
}

/// A number plate in its normal form: no spaces, dots or hyphens, letters capital.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Plate(String);

/// Why a text is no number plate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlateError;

impl fmt::Display for PlateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(
            "a number plate is written as 京A12345, or 京AD12345 for a new-energy vehicle",
        )
    }
}

impl std::error::Error for PlateError {}

/// The provinces, as a plate names them.
const PROVINCES: &str = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼";
/// What may stand last instead of a digit or letter.
const ENDINGS: &str = "学警港澳挂领";
/// The letters of new-energy plates: pure electric and others.
const NEW_ENERGY: &str = "DABCEFGHJK";

impl Plate {
    /// Parses a Chinese plate as people write it: 7 characters, or 8 for new-energy vehicles.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(text: &str) -> Result<Self, PlateError> {
        let plain: Vec<char> = text.chars().filter_map(plain).collect();
        let (province, city, tail) = match plain.as_slice() {
            [province, city, tail @ ..] => (*province, *city, tail),
            _ => return Err(PlateError),
        };
        let is_right = PROVINCES.contains(province)
            && is_letter(city)
            && match tail.len() {
                5 => is_ordinary(tail),
                6 => is_new_energy(tail),
                _ => false,
            };
        is_right
            .then(|| Self(plain.iter().collect()))
            .ok_or(PlateError)
    }

    /// The plate.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is that of a new-energy vehicle.
    #[must_use]
    pub fn is_new_energy(&self) -> bool {
        self.0.chars().count() == 8
    }
}

impl TryFrom<String> for Plate {
    type Error = PlateError;
    fn try_from(text: String) -> Result<Self, PlateError> {
        Self::parse(&text)
    }
}

fn plain(character: char) -> Option<char> {
    let code = u32::from(character);
    let narrow = match code {
        0xff01..=0xff5e => char::from_u32(code - 0xfee0).unwrap_or(character),
        _ => character,
    };
    let is_filler = narrow.is_whitespace() || "·•・.-".contains(narrow);
    (!is_filler).then(|| narrow.to_ascii_uppercase())
}

/// Plates have no I and no O, which read like 1 and 0.
fn is_letter(character: char) -> bool {
    character.is_ascii_uppercase() && character != 'I' && character != 'O'
}

fn is_ordinary(tail: &[char]) -> bool {
    let Some((last, first)) = tail.split_last() else {
        return false;
    };
    let is_sign = |character: &char| character.is_ascii_digit() || is_letter(*character);
    first.iter().all(is_sign) && (is_sign(last) || ENDINGS.contains(*last))
}

/// Small cars: a letter, a letter or digit, four digits; large ones: five digits and a letter.
fn is_new_energy(tail: &[char]) -> bool {
    let is_kind = |character: &char| NEW_ENERGY.contains(*character);
    let is_digit = |character: &char| character.is_ascii_digit();
    let is_sign = |character: &char| is_digit(character) || is_letter(*character);
    match tail {
        [kind, second, rest @ ..] if is_kind(kind) => is_sign(second) && rest.iter().all(is_digit),
        [rest @ .., kind] => is_kind(kind) && rest.iter().all(is_digit),
        [] => false,
    }
}

/// Whose household a plate belongs to. Ended, never deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlateHolding {
    /// The plate.
    pub plate: Plate,
    /// The community.
    pub community: CommunityId,
    /// The room of the household.
    pub room: RoomId,
    /// The space it parks in.
    pub space: Option<ParkingSpaceId>,
    /// Since when.
    pub since: Timestamp,
    /// Counts the changes, from 1.
    pub version: i64,
}

/// The space, for those who read the community's register, and for the household.
///
/// # Errors
/// 404 for everybody else.
pub fn know_space(
    actor: &Actor,
    space: Option<ParkingSpace>,
    is_household: bool,
) -> Result<ParkingSpace, Refusal> {
    space
        .filter(|space| is_household || oversees(actor, &space.community))
        .ok_or_else(|| unknown("parking_space_unknown", "parking space", "车位"))
}

/// No such plate, or none that the caller may know.
#[must_use]
pub fn unknown_plate() -> Refusal {
    unknown("plate_unknown", "number plate", "车牌")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_plate_has_one_form_however_it_is_written() {
        for text in ["京A12345", "京a·12345", " 京A-1234 5", "京Ａ１２３４５"] {
            assert_eq!(Plate::parse(text).unwrap().as_str(), "京A12345", "{text}");
        }
    }

    #[test]
    fn new_energy_plates_have_eight_characters() {
        for text in ["京AD12345", "粤BDF1234", "沪A12345D", "浙AF12345"] {
            let plate = Plate::parse(text).unwrap();
            assert!(plate.is_new_energy(), "{text}");
        }
        assert!(!Plate::parse("粤B1234学").unwrap().is_new_energy());
    }

    #[test]
    fn what_is_no_plate_is_refused() {
        for text in [
            "",
            "京",
            "A12345",
            "京112345",
            "京A1234",
            "京A1234O",
            "京AZ12345",
            "京A123456",
            "京AD1234D",
            "美A12345",
            "京A123456789",
        ] {
            assert!(Plate::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_plate_or_an_error(text in "[京沪A-Za-z0-9学·O ]{0,12}") {
            if let Ok(plate) = Plate::parse(&text) {
                prop_assert_eq!(Plate::parse(plate.as_str()).unwrap(), plate);
            }
        }
    }
}
