//! The Unified Social Credit Code (统一社会信用代码) of GB 32100-2015: 17 characters and one that checks them.

use std::fmt;

/// What a character is worth is its place in here: digits and letters without I, O, S, V and Z.
const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
const MODULUS: usize = 31;
const CHARACTERS: usize = 18;

/// A code whose check character is right.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct CreditCode(String);

/// Why a text is no such code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditCodeError;

impl fmt::Display for CreditCodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(
            "a Unified Social Credit Code has 18 digits and letters, the last of which checks the others: copy it from the business licence (统一社会信用代码有误，请按营业执照填写)",
        )
    }
}

impl std::error::Error for CreditCodeError {}

impl CreditCode {
    /// Parses a code; small letters are taken for large ones.
    ///
    /// # Errors
    /// When it is not 18 of the allowed characters, or the last one does not check the others.
    pub fn parse(text: &str) -> Result<Self, CreditCodeError> {
        let text = text.trim().to_ascii_uppercase();
        let worth: Vec<usize> = text
            .chars()
            .map(|character| ALPHABET.find(character))
            .collect::<Option<_>>()
            .ok_or(CreditCodeError)?;
        let (last, first) = worth.split_last().ok_or(CreditCodeError)?;
        if worth.len() != CHARACTERS || *last != check_of(first) {
            return Err(CreditCodeError);
        }
        Ok(Self(text))
    }

    /// The code, in large letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CreditCode {
    type Error = CreditCodeError;
    fn try_from(text: String) -> Result<Self, CreditCodeError> {
        Self::parse(&text)
    }
}

/// What the last character is worth: the weights are the powers of 3 modulo 31.
fn check_of(first: &[usize]) -> usize {
    let mut weight = 1;
    let mut sum = 0;
    for worth in first {
        sum += worth * weight;
        weight = weight * 3 % MODULUS;
    }
    (MODULUS - sum % MODULUS) % MODULUS
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_code_is_checked_by_its_last_character() {
        for right in [
            "91350100M000100Y43",
            "91110000802100433B",
            " 91350100m000100y43 ",
        ] {
            assert!(CreditCode::parse(right).is_ok(), "{right:?}");
        }
        for wrong in [
            "",
            "91350100M000100Y44",
            "91350100M000100Y4",
            "91350100M000100Y433",
            "91350100I000100Y43",
            "９1350100M000100Y43",
        ] {
            assert_eq!(CreditCode::parse(wrong), Err(CreditCodeError), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn one_wrong_character_is_always_found(place in 0_usize..17, by in 1_usize..31) {
            let right: Vec<char> = "91350100M000100Y43".chars().collect();
            let mut wrong = right.clone();
            let worth = ALPHABET.find(wrong[place]).unwrap();
            wrong[place] = ALPHABET.chars().nth((worth + by) % MODULUS).unwrap();
            let wrong: String = wrong.into_iter().collect();
            prop_assert_eq!(CreditCode::parse(&wrong), Err(CreditCodeError));
        }
    }
}
