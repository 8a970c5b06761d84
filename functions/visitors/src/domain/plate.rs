//! Number plates (车牌) in their normal form: capitals without spaces and separators, `京A12345`.

use std::fmt;

/// A number plate in its normal form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plate(String);

/// Why a text is no number plate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlateError;

impl fmt::Display for PlateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "a plate has {} to {} letters, digits or characters, for example 京A12345",
            Plate::CHARACTERS_MIN,
            Plate::CHARACTERS_MAX
        )
    }
}

impl std::error::Error for PlateError {}

impl Plate {
    /// The shortest plate, in characters.
    pub const CHARACTERS_MIN: usize = 4;
    /// The longest plate, in characters.
    pub const CHARACTERS_MAX: usize = 10;

    /// Parses a plate as people and cameras write it.
    ///
    /// # Errors
    /// When what is left without separators is too short, too long, or holds something else than Latin letters,
    /// digits and Chinese characters.
    pub fn parse(text: &str) -> Result<Self, PlateError> {
        let plate: String = text
            .chars()
            .filter(|character| !character.is_whitespace() && !"·•.-".contains(*character))
            .map(|character| character.to_ascii_uppercase())
            .collect();
        let length = plate.chars().count();
        let allowed = |character: char| {
            character.is_ascii_alphanumeric() || ('\u{4e00}'..='\u{9fff}').contains(&character)
        };
        let fits = (Self::CHARACTERS_MIN..=Self::CHARACTERS_MAX).contains(&length);
        if fits && plate.chars().all(allowed) {
            Ok(Self(plate))
        } else {
            Err(PlateError)
        }
    }

    /// The plate.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Plate {
    type Error = PlateError;
    fn try_from(text: String) -> Result<Self, PlateError> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_plate_has_one_form_however_it_is_written() {
        for text in ["京A12345", "京a·12345", " 京A 12-345 "] {
            assert_eq!(Plate::parse(text).unwrap().as_str(), "京A12345", "{text:?}");
        }
        for wrong in ["", "京A1", "京A1234567890", "京A12345;", "京A1234\u{0}"] {
            assert!(Plate::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn the_normal_form_is_its_own_normal_form(text in ".{0,14}") {
            if let Ok(plate) = Plate::parse(&text) {
                prop_assert_eq!(Plate::parse(plate.as_str()).unwrap(), plate);
            }
        }
    }
}
