//! Telephone numbers in the form of E.164: `+`, the country, the number, 8 to 15 digits in all.

use std::fmt;

/// A telephone number, for example `+8613800138000`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Phone(String);

/// Why a text is no telephone number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneError;

impl fmt::Display for PhoneError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(
            "a phone number is written as +8613800138000, or as 13800138000 for a number in mainland China",
        )
    }
}

impl std::error::Error for PhoneError {}

/// The country a number without one belongs to: mainland China, where every tenant of the first release is.
const COUNTRY_DEFAULT: &str = "86";

impl Phone {
    /// Parses a number as people write it: spaces, dots, hyphens and brackets are left out, `00` stands for `+`.
    ///
    /// # Errors
    /// When it is neither international nor a mobile number of mainland China.
    pub fn parse(text: &str) -> Result<Self, PhoneError> {
        let digits: String = text
            .trim()
            .chars()
            .filter(|character| !" -.()".contains(*character))
            .collect();
        let international = digits
            .strip_prefix('+')
            .or_else(|| digits.strip_prefix("00"));
        let number = match international {
            Some(number) => number.to_owned(),
            None if digits.len() == 11 && digits.starts_with('1') => {
                format!("{COUNTRY_DEFAULT}{digits}")
            }
            None => return Err(PhoneError),
        };
        let is_number = (8..=15).contains(&number.len())
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && !number.starts_with('0');
        is_number
            .then(|| Self(format!("+{number}")))
            .ok_or(PhoneError)
    }

    /// The number as `+8613800138000`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number as it is shown to others than its owner: `+86138****8000`.
    #[must_use]
    pub fn masked(&self) -> String {
        let (shown, rest) = self.0.split_at(self.0.len().saturating_sub(8));
        let last = rest.get(rest.len().saturating_sub(4)..).unwrap_or_default();
        format!("{shown}****{last}")
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Phone({})", self.masked())
    }
}

impl TryFrom<String> for Phone {
    type Error = PhoneError;
    fn try_from(text: String) -> Result<Self, PhoneError> {
        Self::parse(&text)
    }
}

impl From<Phone> for String {
    fn from(phone: Phone) -> Self {
        phone.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_number_has_one_form_however_it_is_written() {
        for text in [
            "13800138000",
            "138 0013 8000",
            "+86 138-0013-8000",
            "008613800138000",
            " 13800138000 ",
        ] {
            assert_eq!(
                Phone::parse(text).unwrap().as_str(),
                "+8613800138000",
                "{text:?}"
            );
        }
        assert_eq!(
            Phone::parse("+852 2345 6789").unwrap().as_str(),
            "+85223456789"
        );
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "",
            "+",
            "110",
            "1380013800",
            "23800138000",
            "+0861380013",
            "+86138001380001234",
            "+86abc00138000",
            "１３８００１３８０００",
        ] {
            assert!(Phone::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_number_is_masked_where_it_may_be_seen() {
        let phone = Phone::parse("13800138000").unwrap();
        assert_eq!(phone.masked(), "+86138****8000");
        assert_eq!(format!("{phone:?}"), "Phone(+86138****8000)");
    }

    proptest! {
        #[test]
        fn any_text_is_a_number_or_an_error(text in ".*") {
            if let Ok(phone) = Phone::parse(&text) {
                prop_assert_eq!(Phone::parse(phone.as_str()).unwrap(), phone);
            }
        }
    }
}
