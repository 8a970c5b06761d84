//! ntfy's errors: a code that clients branch on, and its status.

/// Why a request is refused, as ntfy's clients know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NtfyError {
    /// E-mail is not offered.
    EmailDisabled,
    /// A delayed message must be kept.
    DelayNoCache,
    /// The delay is none.
    DelayCannotParse,
    /// The delay is too short.
    DelayTooSmall,
    /// The delay is too long.
    DelayTooLarge,
    /// The priority is none.
    PriorityInvalid,
    /// `since` is none.
    SinceInvalid,
    /// The topic is none.
    TopicInvalid,
    /// The topic is a name of the platform's own.
    TopicDisallowed,
    /// The message is no UTF-8.
    MessageNotUtf8,
    /// Attachments, and messages as large as one, are not offered.
    AttachmentsDisallowed,
    /// The body is no message as JSON.
    MessageJsonInvalid,
    /// The actions are none.
    ActionsInvalid,
    /// Calls are not offered.
    CallsDisabled,
    /// There is no such page.
    NotFound,
    /// Who is asking is not known.
    Unauthorized,
    /// Who is asking may not.
    Forbidden,
    /// The JSON is too large.
    JsonTooLarge,
    /// Too many requests.
    TooManyRequests,
    /// Too many subscriptions at a time.
    TooManySubscriptions,
    /// Too many topics.
    TooManyTopics,
    /// The messages of the day are used up.
    TooManyMessages,
    /// It failed.
    Internal,
}

impl NtfyError {
    /// All of them.
    pub const ALL: [Self; 23] = [
        Self::EmailDisabled,
        Self::DelayNoCache,
        Self::DelayCannotParse,
        Self::DelayTooSmall,
        Self::DelayTooLarge,
        Self::PriorityInvalid,
        Self::SinceInvalid,
        Self::TopicInvalid,
        Self::TopicDisallowed,
        Self::MessageNotUtf8,
        Self::AttachmentsDisallowed,
        Self::MessageJsonInvalid,
        Self::ActionsInvalid,
        Self::CallsDisabled,
        Self::NotFound,
        Self::Unauthorized,
        Self::Forbidden,
        Self::JsonTooLarge,
        Self::TooManyRequests,
        Self::TooManySubscriptions,
        Self::TooManyTopics,
        Self::TooManyMessages,
        Self::Internal,
    ];

    /// The code; its first three digits are the status.
    #[must_use]
    pub fn code(self) -> u32 {
        self.row().0
    }

    /// The status.
    #[must_use]
    pub fn status(self) -> u16 {
        u16::try_from(self.code() / 100).unwrap_or(500)
    }

    /// What people read.
    #[must_use]
    pub fn text(self) -> &'static str {
        self.row().1
    }

    /// The body of the answer.
    #[must_use]
    pub fn to_json(self) -> String {
        let (code, http, error) = (self.code(), self.status(), self.text());
        serde_json::json!({ "code": code, "http": http, "error": error }).to_string()
    }

    fn row(self) -> (u32, &'static str) {
        match self {
            Self::EmailDisabled => (40001, "e-mail is not offered: leave it out"),
            Self::DelayNoCache => (40002, "a delayed message must be kept: leave out cache=no"),
            Self::DelayCannotParse => (40004, "a delay is a duration such as 30m, or unix seconds"),
            Self::DelayTooSmall => (40005, "a delay is at least 10 seconds"),
            Self::DelayTooLarge => (40006, "a delay is at most 3 days"),
            Self::PriorityInvalid => (
                40007,
                "a priority is 1 to 5, or min, low, default, high, max",
            ),
            Self::SinceInvalid => (
                40008,
                "since is all, none, latest, a duration, unix seconds or an id",
            ),
            Self::TopicInvalid => (40009, "a topic has 1 to 64 letters, digits, '-' or '_'"),
            Self::TopicDisallowed => (40010, "this topic is the platform's own: choose another"),
            Self::MessageNotUtf8 => (40011, "a message is UTF-8"),
            Self::AttachmentsDisallowed => {
                (40014, "no attachments; a message has at most 4096 bytes")
            }
            Self::MessageJsonInvalid => (40017, "the body is a message as JSON, with a topic"),
            Self::ActionsInvalid => (40018, "actions are a list of at most 3: action, label, url"),
            Self::CallsDisabled => (40032, "calls are not offered: leave it out"),
            Self::NotFound => (40401, "there is no such page"),
            Self::Unauthorized => (40101, "authorization is missing or wrong"),
            Self::Forbidden => (40301, "this topic is not open to you"),
            Self::JsonTooLarge => (41303, "the JSON is too large"),
            Self::TooManyRequests => (42901, "too many requests: wait a little"),
            Self::TooManySubscriptions => (42903, "too many subscriptions at a time"),
            Self::TooManyTopics => (42904, "too many topics"),
            Self::TooManyMessages => (42908, "the messages of today are used up"),
            Self::Internal => (50001, "it failed: try again"),
        }
    }
}
