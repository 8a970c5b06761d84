//! Texts that people wrote: one line, not blank, not endless.

use std::fmt;

/// The longest name, in characters.
const NAME_CHARACTERS_MAX: usize = 100;

/// What people call a campaign or a sealed round.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Name(String);

/// Why a text cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextError;

impl fmt::Display for TextError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "write 1 to {NAME_CHARACTERS_MAX} characters on one line"
        )
    }
}

impl std::error::Error for TextError {}

impl Name {
    /// Parses a text; space around it is left out.
    ///
    /// # Errors
    /// When it is blank, too long, or holds a control character.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let trimmed = text.trim();
        let length = trimmed.chars().count();
        let fits = (1..=NAME_CHARACTERS_MAX).contains(&length);
        if !fits || trimmed.chars().any(char::is_control) {
            return Err(TextError);
        }
        Ok(Self(trimmed.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = TextError;
    fn try_from(text: String) -> Result<Self, TextError> {
        Self::parse(&text)
    }
}
