//! Texts that people type: one line, with a limit.

use std::fmt;

/// A text of 1 to `MAX` characters on one line, none of them a control character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<const MAX: usize>(String);

/// What a meter, a common area or a route is called.
pub type Name = Line<60>;
/// Why somebody decided.
pub type Reason = Line<200>;
/// The number that the maker wrote on a meter.
pub type Serial = Line<40>;

/// Why a text is no line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextError {
    characters_max: usize,
}

impl fmt::Display for TextError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "write 1 to {} characters on one line",
            self.characters_max
        )
    }
}

impl std::error::Error for TextError {}

impl<const MAX: usize> Line<MAX> {
    /// Parses what a person typed.
    ///
    /// # Errors
    /// When it is blank, too long, or holds a control character.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let trimmed = text.trim();
        let length = trimmed.chars().count();
        if length == 0 || length > MAX || trimmed.chars().any(char::is_control) {
            return Err(TextError {
                characters_max: MAX,
            });
        }
        Ok(Self(trimmed.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> TryFrom<String> for Line<MAX> {
    type Error = TextError;
    fn try_from(text: String) -> Result<Self, TextError> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_trimmed_and_has_a_limit() {
        assert_eq!(Name::parse(" 大堂照明 ").unwrap().as_str(), "大堂照明");
        for wrong in ["", "  ", "a\nb", &"表".repeat(61)] {
            assert!(Name::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
