//! Consent: to which use of personal data a person agreed, by which text.

use std::fmt;

use kernel::{Actor, ActorId, ActorKind, Message, Refusal, Timestamp};

use super::{TextError, operators_only};

/// The longest that anything is kept, in days: ten years.
pub const RETENTION_DAYS_MAX: u32 = 3_650;

/// For what personal data is used: 1 to 40 small letters and `_`, for example `marketing`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConsentPurpose(String);

/// A version of a text: an id, for example `2026-03`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TextVersion(String);

/// What people read: 1 to [`Prose::CHARACTERS_MAX`] characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prose(String);

impl ConsentPurpose {
    /// Parses a purpose.
    ///
    /// # Errors
    /// When it is not 1 to 40 small letters and `_`.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let fits = (1..=40).contains(&text.len());
        if fits
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        {
            return Ok(Self(text.to_owned()));
        }
        Err(TextError("a purpose has 1 to 40 small letters or '_'"))
    }

    /// The purpose.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TextVersion {
    /// Parses a version.
    ///
    /// # Errors
    /// When it is not 1 to 64 letters, digits, `-` or `_`.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        match ActorId::parse(text) {
            Ok(id) => Ok(Self(id.into())),
            Err(_) => Err(TextError(
                "a version has 1 to 64 letters, digits, '-' or '_'",
            )),
        }
    }

    /// The version.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Prose {
    /// The longest text, in characters.
    pub const CHARACTERS_MAX: usize = 10_000;

    /// Parses a text.
    ///
    /// # Errors
    /// When it is blank or too long.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let trimmed = text.trim();
        let length = trimmed.chars().count();
        if length == 0 || length > Self::CHARACTERS_MAX {
            return Err(TextError("a text has 1 to 10000 characters"));
        }
        Ok(Self(trimmed.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! from_text {
    ($($name:ident),*) => {$(
        impl TryFrom<String> for $name {
            type Error = TextError;
            fn try_from(text: String) -> Result<Self, TextError> {
                Self::parse(&text)
            }
        }
    )*};
}

from_text!(ConsentPurpose, TextVersion, Prose);

impl fmt::Display for ConsentPurpose {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What people agree to, in one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentText {
    /// For what.
    pub purpose: ConsentPurpose,
    /// Which version.
    pub version: TextVersion,
    /// What people read in English.
    pub english: Prose,
    /// What people read in Chinese.
    pub chinese: Prose,
    /// How long what is collected is kept, in days.
    pub retention_days: u32,
    /// Since when; the newest is the one that is agreed to.
    pub published_at: Timestamp,
}

/// How things stand for one purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// For what.
    pub purpose: ConsentPurpose,
    /// By which text.
    pub text_version: TextVersion,
    /// Whether it holds.
    pub given: bool,
    /// Since when.
    pub changed_at: Timestamp,
}

/// Lets a text be published.
///
/// # Errors
/// The caller is no operator; the time is out of range; the version stands already with another text.
pub fn publish_text(
    actor: &Actor,
    present: Option<&ConsentText>,
    text: &ConsentText,
) -> Result<(), Refusal> {
    operators_only(actor)?;
    if !(1..=RETENTION_DAYS_MAX).contains(&text.retention_days) {
        return Err(Refusal::invalid(
            "retention_out_of_range",
            Message::new(
                format!("Data is kept for 1 to {RETENTION_DAYS_MAX} days."),
                format!("保存期限应为 1 到 {RETENTION_DAYS_MAX} 天。"),
            ),
        ));
    }
    let same = |present: &ConsentText| {
        present.english == text.english
            && present.chinese == text.chinese
            && present.retention_days == text.retention_days
    };
    if present.is_some_and(|present| !same(present)) {
        return Err(Refusal::conflict(
            "text_version_published",
            Message::new(
                "This version is published, and people may have agreed to it. Publish another version.",
                "该版本已发布，可能已有人同意，请发布新版本。",
            ),
        ));
    }
    Ok(())
}

/// The consent that a person gives: to the newest text, which they have to have seen.
///
/// # Errors
/// The caller is no person; there is no text; it is not the newest one.
pub fn give_consent(
    actor: &Actor,
    newest: Option<&ConsentText>,
    seen: &TextVersion,
    now: Timestamp,
) -> Result<Consent, Refusal> {
    people_only(actor)?;
    let newest = newest.ok_or_else(unknown_purpose)?;
    if newest.version != *seen {
        return Err(Refusal::conflict(
            "text_version_old",
            Message::new(
                "There is a newer text. Read it, then agree to that one.",
                "文本已更新，请阅读新版本后再同意。",
            ),
        ));
    }
    Ok(Consent {
        purpose: newest.purpose.clone(),
        text_version: seen.clone(),
        given: true,
        changed_at: now,
    })
}

/// Lets people pass: devices and applications agree to nothing.
///
/// # Errors
/// For devices and applications.
pub fn people_only(actor: &Actor) -> Result<(), Refusal> {
    match actor.kind {
        ActorKind::Device | ActorKind::Application => Err(Refusal::forbidden(
            "people_only",
            Message::new(
                "This is for people. Sign in as a person.",
                "该操作仅限人员使用，请以个人身份登录。",
            ),
        )),
        _ => Ok(()),
    }
}

/// Nothing was published for that purpose, or nothing agreed to.
#[must_use]
pub fn unknown_purpose() -> Refusal {
    Refusal::not_found(
        "purpose_unknown",
        Message::new(
            "There is no text or consent for this purpose. Check its name.",
            "该用途没有说明文本或授权记录，请检查名称。",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sample::{actor, at};

    fn text(version: &str, chinese: &str, retention_days: u32) -> ConsentText {
        ConsentText {
            purpose: ConsentPurpose::parse("marketing").unwrap(),
            version: TextVersion::parse(version).unwrap(),
            english: Prose::parse("We send offers.").unwrap(),
            chinese: Prose::parse(chinese).unwrap(),
            retention_days,
            published_at: at(0),
        }
    }

    #[test]
    fn a_published_text_is_never_changed() {
        let operator = actor(ActorKind::Operator, "op", &[]);
        let present = text("1", "我们会发送优惠。", 30);
        assert!(publish_text(&operator, Some(&present), &present).is_ok());
        let other = publish_text(&operator, Some(&present), &text("1", "别的。", 30));
        assert_eq!(other.unwrap_err().code, "text_version_published");
        let forever = publish_text(&operator, None, &text("1", "别的。", 0));
        assert_eq!(forever.unwrap_err().code, "retention_out_of_range");
        let staff = publish_text(&actor(ActorKind::Staff, "b", &[]), None, &present);
        assert_eq!(staff.unwrap_err().code, "roles_forbidden");
    }

    #[test]
    fn people_agree_to_the_newest_text_only() {
        let li = actor(ActorKind::Resident, "li", &["garden"]);
        let newest = text("2", "新的。", 30);
        let seen = |version| TextVersion::parse(version).unwrap();
        assert!(
            give_consent(&li, Some(&newest), &seen("2"), at(5))
                .unwrap()
                .given
        );
        for (newest, version, code) in [
            (Some(&newest), "1", "text_version_old"),
            (None, "1", "purpose_unknown"),
        ] {
            let refused = give_consent(&li, newest, &seen(version), at(5));
            assert_eq!(refused.unwrap_err().code, code);
        }
        let device = give_consent(
            &actor(ActorKind::Device, "d", &[]),
            Some(&newest),
            &seen("2"),
            at(5),
        );
        assert_eq!(device.unwrap_err().code, "people_only");
    }

    #[test]
    fn purposes_and_texts_have_their_forms() {
        for wrong in ["", "Marketing", "a b", &"x".repeat(41)] {
            assert!(ConsentPurpose::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Prose::parse(" ").is_err() && Prose::parse(&"门".repeat(10_001)).is_err());
        assert!(TextVersion::parse("2026.1").is_err());
    }
}
