//! Texts that people wrote: one line, not blank, not endless.

use std::fmt;

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident = $max:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// Parses a text; space around it is left out.
            ///
            /// # Errors
            /// When it is blank, too long, or holds a control character.
            pub fn parse(text: &str) -> Result<Self, TextError> {
                line(text, $max).map(Self)
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = TextError;
            fn try_from(text: String) -> Result<Self, TextError> {
                Self::parse(&text)
            }
        }
    )*};
}

texts! {
    /// What people call an account, or its owner.
    Name = 100;
    /// Why something was done.
    Reason = 200;
    /// The number of an account at a bank, or a bank's reference.
    Number = 64;
}

/// Why a text cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextError(usize);

impl fmt::Display for TextError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "write 1 to {} characters on one line", self.0)
    }
}

impl std::error::Error for TextError {}

fn line(text: &str, max: usize) -> Result<String, TextError> {
    let trimmed = text.trim();
    let length = trimmed.chars().count();
    if length == 0 || length > max || trimmed.chars().any(char::is_control) {
        return Err(TextError(max));
    }
    Ok(trimmed.to_owned())
}
