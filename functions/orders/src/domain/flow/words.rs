//! What people write: reasons, remarks, reviews, messages.

use std::fmt;

use serde::Deserialize;

/// The longest text, in characters.
const CHARACTERS_MAX: usize = 1_000;

/// A text of 1 to 1,000 characters without control characters but line breaks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Words(String);

/// Why a text is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WordsError;

impl fmt::Display for WordsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "a text has 1 to {CHARACTERS_MAX} characters and no control characters"
        )
    }
}

impl std::error::Error for WordsError {}

impl TryFrom<String> for Words {
    type Error = WordsError;

    fn try_from(text: String) -> Result<Self, WordsError> {
        let text = text.trim();
        let plain = |character: char| character == '\n' || !character.is_control();
        let fits = (1..=CHARACTERS_MAX).contains(&text.chars().count());
        if fits && text.chars().all(plain) {
            return Ok(Self(text.to_owned()));
        }
        Err(WordsError)
    }
}

impl Words {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
