//! Texts that people wrote: not blank, not endless; one line, but for what explains at length.

use std::fmt;

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident = $max:literal, $lines:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// Parses a text; space around it is left out.
            ///
            /// # Errors
            /// When it is blank, too long, or holds a control character.
            pub fn parse(text: &str) -> Result<Self, TextError> {
                parsed(text, $max, Lines::$lines).map(Self)
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
    /// What people call a placement, an order, a column or goods.
    Name = 100, One;
    /// Why something was done.
    Reason = 200, One;
    /// A line that people read.
    Note = 300, One;
    /// What is told at length.
    Body = 5000, Many;
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lines {
    One,
    Many,
}

/// Why a text cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextError(usize);

impl fmt::Display for TextError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "write 1 to {} characters, without control characters",
            self.0
        )
    }
}

impl std::error::Error for TextError {}

fn parsed(text: &str, max: usize, lines: Lines) -> Result<String, TextError> {
    let trimmed = text.trim();
    let fits = (1..=max).contains(&trimmed.chars().count());
    let is_break = |character: char| character == '\n' && lines == Lines::Many;
    let is_wrong = |character: char| character.is_control() && !is_break(character);
    if !fits || trimmed.chars().any(is_wrong) {
        return Err(TextError(max));
    }
    Ok(trimmed.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_trimmed_and_has_a_limit_and_only_long_ones_have_lines() {
        assert_eq!(Name::parse(" 林记 ").unwrap().as_str(), "林记");
        assert!(Body::parse("a\nb").is_ok());
        for wrong in ["", " ", "a\nb", &"林".repeat(101)] {
            assert!(Name::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
