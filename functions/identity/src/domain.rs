//! What is decided about people, devices and the broker's questions, pure: time, ids and the caller come in as
//! arguments, a refusal comes out as a value. Hashes are made and compared elsewhere.

mod application;
mod attempts;
mod broker;
mod code;
mod consent;
mod device;
mod feedback;
mod person;
mod registration;
mod rights;
mod role;
mod session;

pub use application::{
    APPLICATION_SECONDS, Application, ApplicationChange, KeyText, NewApplication,
    SESSIONS_PER_MINUTE_DEFAULT, SESSIONS_PER_MINUTE_MAX, Uses, change_application, count_use,
    register_application, unknown_application, unknown_key,
};
pub use attempts::{ATTEMPTS_MAX, ATTEMPTS_WINDOW_MS, Locked, admit};
pub use broker::{Action, Principal, Question, may, may_connect_as_person};
pub use code::{
    CODE_MS, CODE_TRIES_MAX, Code, Purpose, RESEND_MS_MIN, SENDINGS_MAX, SENDINGS_WINDOW_MS,
    SentCode, TooSoon, already_registered, code_wrong, may_send, not_registered, phone_missing,
    phone_taken,
};
pub use consent::{
    Consent, ConsentPurpose, ConsentText, Prose, RETENTION_DAYS_MAX, TextVersion, give_consent,
    people_only, publish_text, unknown_purpose,
};
pub use device::{
    CHILDREN_MAX, Child, Credential, Device, OVERLAP_SECONDS_DEFAULT, OVERLAP_SECONDS_MAX,
    Registration, assign_child, device_overseers_only, known_device, register_device, rotate,
    unknown_device,
};
pub use feedback::{
    Feedback, FeedbackAnswer, FeedbackReach, answer_feedback, answerers_only, feedback_reach,
    give_feedback, known_feedback, unknown_feedback,
};
pub use person::{
    COMMUNITIES_MAX, Change, Person, Proof, Reach, change_person, changeable_person, known_person,
    name_taken, password_proof, people_reach, unknown_person,
};
pub use registration::{NewPerson, found_tenant, register_oneself, register_person};
pub use rights::{erase_person, may_export};
pub use role::{
    PERMISSIONS, Permission, ROLES_MAX, Role, RoleName, assign_roles, define_role, given,
    operators_only, role_overseers_only, unknown_role,
};
pub use session::{
    ACCESS_SECONDS, DEVICE_SECONDS, IDLE_MS, Presented, Refreshed, SESSION_MS, Session, is_person,
    known_session, may_end_sessions, refresh, refresh_refused, refresh_reused, session_ended,
    unknown_session,
};

use std::fmt;

use kernel::ActorId;

/// What people call a tenant, a person or a device: 1 to [`Name::CHARACTERS_MAX`] characters on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

/// What a person signs in with: letters, digits, `-` and `_`, in lower case. It is also an MQTT user name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Username(String);

/// A password in clear, for as long as it takes to hash it. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

/// Why a text is no name, user name or password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextError(&'static str);

impl fmt::Display for TextError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

impl std::error::Error for TextError {}

impl Name {
    /// The longest name, in characters.
    pub const CHARACTERS_MAX: usize = 100;

    /// Parses a name.
    ///
    /// # Errors
    /// When it is blank, too long, or holds a control character.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let trimmed = text.trim();
        let length = trimmed.chars().count();
        if length == 0 || length > Self::CHARACTERS_MAX || trimmed.chars().any(char::is_control) {
            return Err(TextError("a name has 1 to 100 characters on one line"));
        }
        Ok(Self(trimmed.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Username {
    /// Parses a user name; its case does not matter.
    ///
    /// # Errors
    /// When it is not 1 to 64 letters, digits, `-` or `_`.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        match ActorId::parse(text) {
            Ok(id) => Ok(Self(id.as_str().to_ascii_lowercase())),
            Err(_) => Err(TextError(
                "a user name has 1 to 64 letters, digits, '-' or '_'",
            )),
        }
    }

    /// The user name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Password {
    /// The fewest characters.
    pub const CHARACTERS_MIN: usize = 10;
    /// The most characters: hashing is not a way to keep the machine busy.
    pub const CHARACTERS_MAX: usize = 128;

    /// Takes a new password.
    ///
    /// # Errors
    /// When it is too short or too long.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        if (Self::CHARACTERS_MIN..=Self::CHARACTERS_MAX).contains(&text.chars().count()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(TextError("a password has 10 to 128 characters"))
        }
    }

    /// The password in clear.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password(..)")
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

from_text!(Name, Username, Password);

#[cfg(test)]
pub(crate) mod sample {
    //! Callers and people for the tests of the domain.

    use super::*;
    use kernel::{Actor, ActorKind, CommunityId, TenantId, Timestamp};

    pub fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis).unwrap()
    }

    pub fn communities(ids: &[&str]) -> Vec<CommunityId> {
        ids.iter()
            .map(|id| CommunityId::parse(id).unwrap())
            .collect()
    }

    pub fn actor(kind: ActorKind, id: &str, of: &[&str]) -> Actor {
        Actor {
            tenant: TenantId::parse("demo").unwrap(),
            kind,
            id: ActorId::parse(id).unwrap(),
            communities: communities(of),
            scopes: vec![],
        }
    }

    pub fn person(kind: ActorKind, id: &str, of: &[&str]) -> Person {
        Person {
            id: ActorId::parse(id).unwrap(),
            username: Username::parse(id).unwrap(),
            name: Name::parse(id).unwrap(),
            kind,
            communities: communities(of),
            phone: None,
            disabled: false,
            registered_at: at(0),
            version: 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_printed() {
        let password = Password::parse("correct horse").unwrap();
        assert!(!format!("{password:?}").contains("horse"));
    }

    #[test]
    fn names_and_passwords_have_their_lengths_in_characters() {
        assert!(Password::parse("九个字的密码太短了").is_err());
        assert!(Password::parse("十个字的密码刚刚好的").is_ok());
        assert!(Password::parse(&"x".repeat(129)).is_err());
        assert!(Name::parse(" \t").is_err() && Name::parse("a\nb").is_err());
        assert_eq!(Name::parse(" 李 ").unwrap().as_str(), "李");
        assert_eq!(
            Username::parse("Li").unwrap(),
            Username::parse("li").unwrap()
        );
        assert!(Username::parse("a/b").is_err());
    }
}
