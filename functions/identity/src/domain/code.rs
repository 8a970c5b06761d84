//! One-time codes: how often one is sent, how long it holds, how often it may be tried.

use std::fmt;

use kernel::{Message, Refusal, RefusalKind, Timestamp};

use super::TextError;

/// How long a code holds, in milliseconds: 5 minutes.
pub const CODE_MS: i64 = 5 * 60 * 1_000;

/// How often a code may be tried.
pub const CODE_TRIES_MAX: i64 = 5;

/// The shortest time between two codes to one number, in milliseconds.
pub const RESEND_MS_MIN: i64 = 60 * 1_000;

/// The most codes to one number within [`SENDINGS_WINDOW_MS`].
pub const SENDINGS_MAX: usize = 5;

/// The time that sendings are counted over, in milliseconds: an hour.
pub const SENDINGS_WINDOW_MS: i64 = 60 * 60 * 1_000;

/// How many different codes there are.
const CODES: u32 = 1_000_000;

/// For what a code is asked; it is good for nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Signing in to an account.
    SignIn,
    /// Making an account.
    Registration,
    /// Being reached at this number from now on.
    PhoneChange,
    /// Setting a password without the present one.
    Password,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 4] = [
        Self::SignIn,
        Self::Registration,
        Self::PhoneChange,
        Self::Password,
    ];

    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Registration => "registration",
            Self::PhoneChange => "phone_change",
            Self::Password => "password",
        }
    }
}

impl TryFrom<String> for Purpose {
    type Error = TextError;
    fn try_from(text: String) -> Result<Self, TextError> {
        Self::ALL
            .into_iter()
            .find(|purpose| purpose.as_str() == text)
            .ok_or(TextError(
                "a purpose is sign_in, registration, phone_change or password",
            ))
    }
}

/// Six digits in clear. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(String);

impl Code {
    /// The code that a drawn number stands for. The number is uniform up to one in four thousand.
    #[must_use]
    pub fn drawn(number: u32) -> Self {
        Self(format!("{:06}", number % CODES))
    }

    /// Parses what a person typed.
    ///
    /// # Errors
    /// When it is not six digits.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let text = text.trim();
        if text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(TextError("a code has six digits"))
        }
    }

    /// The code in clear.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Code(..)")
    }
}

impl TryFrom<String> for Code {
    type Error = TextError;
    fn try_from(text: String) -> Result<Self, TextError> {
        Self::parse(&text)
    }
}

/// A code that was sent, without the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentCode {
    /// Which one.
    pub id: String,
    /// What the code is compared with.
    pub hash: String,
    /// How often it was tried.
    pub tries: i64,
    /// From when on it is nothing.
    pub expires_at: Timestamp,
}

impl SentCode {
    /// Whether it may be tried at all.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        now < self.expires_at && self.tries < CODE_TRIES_MAX
    }
}

/// Too early for another code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooSoon {
    /// When the next one may be asked for, in seconds from now; at least 1.
    pub retry_after_seconds: u32,
}

/// Lets another code be sent, unless one was sent within [`RESEND_MS_MIN`] or [`SENDINGS_MAX`] were within
/// [`SENDINGS_WINDOW_MS`].
///
/// # Errors
/// With the time after which one may be asked for.
pub fn may_send(sent: &[Timestamp], now: Timestamp) -> Result<(), TooSoon> {
    let mut recent: Vec<Timestamp> = sent
        .iter()
        .copied()
        .filter(|sent_at| now.millis_since(*sent_at) < SENDINGS_WINDOW_MS)
        .collect();
    recent.sort_unstable_by(|left, right| right.cmp(left));
    let after_last = recent
        .first()
        .map(|last| RESEND_MS_MIN - now.millis_since(*last));
    let after_many = recent
        .get(SENDINGS_MAX - 1)
        .map(|oldest| SENDINGS_WINDOW_MS - now.millis_since(*oldest));
    let wait_ms = after_last.max(after_many).unwrap_or(0);
    if wait_ms <= 0 {
        return Ok(());
    }
    let seconds = wait_ms.div_euclid(1_000) + i64::from(wait_ms.rem_euclid(1_000) > 0);
    Err(TooSoon {
        retry_after_seconds: u32::try_from(seconds).unwrap_or(u32::MAX).max(1),
    })
}

/// The number has an account already.
#[must_use]
pub fn already_registered() -> Refusal {
    Refusal::conflict(
        "already_registered",
        Message::new(
            "There is an account with this number. Sign in with a code instead.",
            "该手机号已注册，请用验证码登录。",
        ),
    )
}

/// The number has no account; only its owner learns that.
#[must_use]
pub fn not_registered() -> Refusal {
    Refusal::conflict(
        "not_registered",
        Message::new(
            "This number has no account yet. Register first.",
            "该手机号尚未注册，请先注册。",
        ),
    )
}

/// Another account is reached at the number.
#[must_use]
pub fn phone_taken() -> Refusal {
    Refusal::conflict(
        "phone_taken",
        Message::new(
            "Another account is reached at this number. Ask your property office.",
            "该手机号已被其他账号使用，请联系物业。",
        ),
    )
}

/// The account is reached at no number, so no code can be sent for it.
#[must_use]
pub fn phone_missing() -> Refusal {
    Refusal::conflict(
        "phone_missing",
        Message::new(
            "This account has no phone number. Set one first, or ask an operator.",
            "该账号没有手机号，请先绑定手机号或联系运营人员。",
        ),
    )
}

/// The code is wrong, too old, tried too often, or was never sent.
#[must_use]
pub fn code_wrong() -> Refusal {
    Refusal::new(
        RefusalKind::Unauthenticated,
        "code_wrong",
        Message::new(
            "The tenant, number or code is not right, or the code is too old. Ask for a new code.",
            "租户、手机号或验证码不正确，或验证码已过期，请重新获取。",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sample::at;
    use proptest::prelude::*;

    #[test]
    fn a_code_is_six_digits_and_never_printed() {
        assert_eq!(Code::drawn(7).expose(), "000007");
        assert_eq!(Code::drawn(u32::MAX).expose().len(), 6);
        assert!(Code::parse(" 123456 ").is_ok());
        for text in ["", "12345", "1234567", "12345a", "１２３４５６"] {
            assert!(Code::parse(text).is_err(), "{text:?}");
        }
        assert_eq!(format!("{:?}", Code::drawn(123_456)), "Code(..)");
    }

    #[test]
    fn a_code_holds_for_five_minutes_and_five_tries() {
        let code = |tries| SentCode {
            id: String::new(),
            hash: String::new(),
            tries,
            expires_at: at(CODE_MS),
        };
        assert!(code(4).holds(at(CODE_MS - 1)));
        assert!(!code(4).holds(at(CODE_MS)));
        assert!(!code(5).holds(at(0)));
    }

    #[test]
    fn a_number_gets_one_code_a_minute_and_five_an_hour() {
        let wait = |sent: &[i64], now| {
            let sent: Vec<Timestamp> = sent.iter().copied().map(at).collect();
            may_send(&sent, at(now)).map_err(|soon| soon.retry_after_seconds)
        };
        assert_eq!(wait(&[], 0), Ok(()));
        assert_eq!(wait(&[0], 1), Err(60));
        assert_eq!(wait(&[0], 60_000), Ok(()));
        let five = [0, 60_000, 120_000, 180_000, 240_000];
        assert_eq!(wait(&five, 300_000), Err(3_300));
        assert_eq!(wait(&five, 3_600_000), Ok(()));
    }

    proptest! {
        #[test]
        fn whoever_asks_when_told_to_never_gets_more_than_five_an_hour(waits in prop::collection::vec(0_i64..600_000, 1..60)) {
            let (mut now, mut sent) = (0_i64, Vec::new());
            for wait in waits {
                now += wait;
                match may_send(&sent, at(now)) {
                    Ok(()) => sent.push(at(now)),
                    Err(soon) => {
                        now += i64::from(soon.retry_after_seconds) * 1_000;
                        prop_assert_eq!(may_send(&sent, at(now)), Ok(()));
                    }
                }
                let recent = sent.iter().filter(|sent_at| at(now).millis_since(**sent_at) < SENDINGS_WINDOW_MS).count();
                prop_assert!(recent <= SENDINGS_MAX);
            }
        }
    }
}
