//! Why not: the one answer of a domain that says no. It becomes a problem document only at the edge.

use std::fmt;

/// A sentence for people, in both languages of the product. It says what the reader can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The sentence in English.
    pub english: String,
    /// The sentence in simplified Chinese.
    pub chinese: String,
}

impl Message {
    /// A sentence in both languages.
    pub fn new(english: impl Into<String>, chinese: impl Into<String>) -> Self {
        Self {
            english: english.into(),
            chinese: chinese.into(),
        }
    }
}

/// The families of refusals; each has one HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// Nobody in particular is asking: 401.
    Unauthenticated,
    /// The caller may not: 403.
    Forbidden,
    /// Unknown to the caller, whether or not it exists: 404.
    NotFound,
    /// Not in the present state: 409.
    Conflict,
    /// The version the caller named is not the present one: 412.
    Stale,
    /// The content cannot be accepted as it is: 422.
    Invalid,
    /// Too often: 429.
    TooMany,
}

/// A refusal: nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The family.
    pub kind: RefusalKind,
    /// The stable name that programs branch on, in snake_case; never changes.
    pub code: &'static str,
    /// What people read.
    pub message: Message,
}

impl Refusal {
    /// A refusal of that family.
    #[must_use]
    pub fn new(kind: RefusalKind, code: &'static str, message: Message) -> Self {
        Self {
            kind,
            code,
            message,
        }
    }

    /// The caller may not.
    #[must_use]
    pub fn forbidden(code: &'static str, message: Message) -> Self {
        Self::new(RefusalKind::Forbidden, code, message)
    }

    /// Unknown to the caller.
    #[must_use]
    pub fn not_found(code: &'static str, message: Message) -> Self {
        Self::new(RefusalKind::NotFound, code, message)
    }

    /// Not in the present state.
    #[must_use]
    pub fn conflict(code: &'static str, message: Message) -> Self {
        Self::new(RefusalKind::Conflict, code, message)
    }

    /// The content cannot be accepted.
    #[must_use]
    pub fn invalid(code: &'static str, message: Message) -> Self {
        Self::new(RefusalKind::Invalid, code, message)
    }
}

/// Somewhere among the sources of an error: nothing is wrong with the request, and trying it again shortly is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transient;

impl fmt::Display for Transient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("trying again shortly is right")
    }
}

impl std::error::Error for Transient {}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message.english)
    }
}

impl std::error::Error for Refusal {}
