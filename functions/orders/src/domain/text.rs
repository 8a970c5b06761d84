//! Texts that people type, with a limit.

use std::fmt;

/// A text of 1 to `MAX` characters on one line, none of them a control character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<const MAX: usize>(String);

/// What a product, a variant or a promotion is called.
pub type Name = Line<60>;
/// One sentence about a product.
pub type Summary = Line<200>;
/// A merchant's own code of a variant, a barcode, the trace code of a batch.
pub type Code = Line<64>;
/// Why somebody did something.
pub type Reason = Line<200>;

/// The longest description, in characters.
pub const DESCRIPTION_CHARACTERS_MAX: usize = 5_000;

/// A description on several lines; may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Description(String);

/// Why a text cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextError {
    least: usize,
    characters_max: usize,
}

impl fmt::Display for TextError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            least,
            characters_max,
        } = self;
        write!(
            formatter,
            "write {least} to {characters_max} characters without control characters"
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
                least: 1,
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

impl Description {
    /// Parses what a person typed.
    ///
    /// # Errors
    /// When it is too long, or holds a control character other than a line end.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let bad = |sign: char| sign.is_control() && sign != '\n';
        let text = text.replace("\r\n", "\n");
        if text.chars().count() > DESCRIPTION_CHARACTERS_MAX || text.chars().any(bad) {
            return Err(TextError {
                least: 0,
                characters_max: DESCRIPTION_CHARACTERS_MAX,
            });
        }
        Ok(Self(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Description {
    type Error = TextError;
    fn try_from(text: String) -> Result<Self, TextError> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_a_limit_and_no_control_characters() {
        assert_eq!(Name::parse(" 苹果 ").unwrap().as_str(), "苹果");
        assert_eq!(Description::parse("a\r\nb").unwrap().as_str(), "a\nb");
        assert!(Description::parse("").is_ok());
        for wrong in ["", "  ", "a\nb", &"果".repeat(61)] {
            assert!(Name::parse(wrong).is_err(), "{wrong:?}");
        }
        assert!(Description::parse("a\u{7}").is_err());
    }
}
