//! A publication: what a client asks to be told to a topic, by headers, by the query, or as JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::Timestamp;
use serde_json::Value;

use super::delay::{duration_ms, unix_seconds};
use super::{NtfyError, Parameters, Topic, actions};

/// The longest text, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 4_096;
/// The longest title, in bytes; more is cut off.
pub const TITLE_BYTES_MAX: usize = 1_024;
/// The shortest delay, in milliseconds.
pub const DELAY_MS_MIN: i64 = 10_000;
/// The longest delay, in milliseconds.
pub const DELAY_MS_MAX: i64 = 3 * 86_400_000;

/// What a message without a text says.
const WITHOUT_TEXT: &str = "triggered";
const TAGS_MAX: usize = 20;
const ADDRESS_BYTES_MAX: usize = 2_048;

/// A publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Where to.
    pub topic: Topic,
    /// The text.
    pub text: String,
    /// Whether the text is base64 of bytes: from UnifiedPush.
    pub is_base64: bool,
    /// The title.
    pub title: Option<String>,
    /// 1 to 5, when it was given.
    pub priority: Option<u8>,
    /// The tags.
    pub tags: Vec<String>,
    /// What a tap opens.
    pub click: Option<String>,
    /// The picture's address.
    pub icon: Option<String>,
    /// The actions; what they mean is the client's.
    pub actions: Vec<Value>,
    /// When it is delivered: now, or later.
    pub due_at: Timestamp,
    /// Whether it is kept for those who poll.
    pub is_kept: bool,
    /// Whether the text is Markdown.
    pub is_markdown: bool,
}

impl Publication {
    /// Reads a publication to a topic: its parameters, and its text as the body.
    ///
    /// # Errors
    /// The code that ntfy's clients know.
    pub fn read(
        topic: Topic,
        parameters: &Parameters,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Self, NtfyError> {
        refuse_what_is_not_offered(parameters)?;
        let is_binary = parameters.is_on(&["x-unifiedpush", "unifiedpush", "up"]) == Some(true);
        let get = |names: &[&str]| parameters.get(names);
        let (text, is_base64) = match text(body) {
            Err(NtfyError::AttachmentsDisallowed)
                if is_binary && body.len() <= MESSAGE_BYTES_MAX =>
            {
                (STANDARD.encode(body), true)
            }
            found => (found?, false),
        };
        let headed = get(&["x-message", "message", "m"]).map(|text| text.replace("\\n", "\n"));
        let text = match (is_base64, text.is_empty()) {
            (true, _) => text,
            (false, true) => limited(headed)?,
            (false, false) => limited(Some(text))?,
        };
        let tags = get(&["x-tags", "tags", "tag", "ta"]).unwrap_or_default();
        let actions = get(&["x-actions", "actions", "action"]);
        let is_kept = parameters.is_on(&["x-cache", "cache"]).unwrap_or(true);
        let delay = get(&["x-delay", "delay", "x-at", "at", "x-in", "in"]);
        let markdown = parameters.is_on(&["x-markdown", "markdown", "md"]) == Some(true);
        let kind = get(&["content-type", "content_type"]).unwrap_or_default();
        Ok(Self {
            topic,
            text,
            is_base64,
            title: get(&["x-title", "title", "t"]).map(shortened),
            priority: priority(&get(&["x-priority", "priority", "prio", "p"]).unwrap_or_default())?,
            tags: listed(tags.split(',')),
            click: address(get(&["x-click", "click"])),
            icon: address(get(&["x-icon", "icon"])),
            actions: actions.map_or(Ok(Vec::new()), |text| actions::parse(&text))?,
            due_at: due_at(delay.as_deref(), is_kept, now)?,
            is_kept,
            is_markdown: markdown || kind.eq_ignore_ascii_case("text/markdown"),
        })
    }

    /// Reads a publication as JSON, which names its topic. What the JSON does not say, the parameters may.
    ///
    /// # Errors
    /// The code that ntfy's clients know.
    pub fn read_json(
        body: &[u8],
        parameters: Parameters,
        now: Timestamp,
    ) -> Result<Self, NtfyError> {
        let json: Json = serde_json::from_slice(body).map_err(|_| NtfyError::MessageJsonInvalid)?;
        let topic = Topic::parse(json.topic.as_deref().unwrap_or_default())?;
        let text = json.message.clone().filter(|text| !text.is_empty());
        let text = text.unwrap_or_else(|| WITHOUT_TEXT.to_owned());
        let mut headers = json.into_headers()?;
        headers.extend(parameters.headers);
        let query = parameters.query;
        let parameters = Parameters { headers, query };
        Self::read(topic, &parameters, text.as_bytes(), now)
    }
}

#[derive(serde::Deserialize)]
struct Json {
    topic: Option<String>,
    message: Option<String>,
    title: Option<String>,
    priority: Option<i64>,
    tags: Option<Vec<String>>,
    click: Option<String>,
    icon: Option<String>,
    actions: Option<Vec<Value>>,
    attach: Option<String>,
    filename: Option<String>,
    markdown: Option<bool>,
    email: Option<String>,
    call: Option<String>,
    delay: Option<String>,
    cache: Option<String>,
}

impl Json {
    /// What it says beside topic and text, under the names of headers that count before all others. What is empty, 0 or
    /// false is not said.
    fn into_headers(self) -> Result<Vec<(String, String)>, NtfyError> {
        let actions = self.actions.filter(|actions| !actions.is_empty());
        let actions = actions
            .map(|actions| serde_json::to_string(&actions))
            .transpose();
        let said = [
            ("x-title", self.title),
            (
                "x-priority",
                self.priority
                    .filter(|number| *number != 0)
                    .map(|number| number.to_string()),
            ),
            ("x-tags", self.tags.map(|tags| tags.join(","))),
            ("x-click", self.click),
            ("x-icon", self.icon),
            (
                "x-actions",
                actions.map_err(|_| NtfyError::MessageJsonInvalid)?,
            ),
            ("x-attach", self.attach),
            ("x-filename", self.filename),
            (
                "x-markdown",
                self.markdown
                    .filter(|is_on| *is_on)
                    .map(|_| "yes".to_owned()),
            ),
            ("x-email", self.email),
            ("x-call", self.call),
            ("x-delay", self.delay),
            ("x-cache", self.cache),
        ];
        let headers = said
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Ok(headers.filter(|(_, value)| !value.is_empty()).collect())
    }
}

fn refuse_what_is_not_offered(parameters: &Parameters) -> Result<(), NtfyError> {
    let has = |names: &[&str]| parameters.get(names).is_some();
    if has(&["x-email", "x-e-mail", "email", "e-mail", "mail", "e"]) {
        return Err(NtfyError::EmailDisabled);
    }
    if has(&["x-call", "call"]) {
        return Err(NtfyError::CallsDisabled);
    }
    if has(&["x-attach", "attach", "a"]) || has(&["x-filename", "filename", "file", "f"]) {
        return Err(NtfyError::AttachmentsDisallowed);
    }
    Ok(())
}

/// What is no text would be an attachment.
fn text(body: &[u8]) -> Result<String, NtfyError> {
    let text = std::str::from_utf8(body).map_err(|_| NtfyError::AttachmentsDisallowed)?;
    Ok(text.trim().to_owned())
}

/// What is too long would be an attachment as well.
fn limited(text: Option<String>) -> Result<String, NtfyError> {
    let text = text.filter(|text| !text.is_empty());
    let text = text.unwrap_or_else(|| WITHOUT_TEXT.to_owned());
    if text.len() > MESSAGE_BYTES_MAX {
        return Err(NtfyError::AttachmentsDisallowed);
    }
    Ok(text)
}

fn priority(text: &str) -> Result<Option<u8>, NtfyError> {
    Ok(match text.trim().to_ascii_lowercase().as_str() {
        "" | "0" => None,
        "1" | "min" => Some(1),
        "2" | "low" => Some(2),
        "3" | "default" => Some(3),
        "4" | "high" => Some(4),
        "5" | "max" | "urgent" => Some(5),
        // The header `Priority` of RFC 9218 has the same name and another meaning; proxies add it.
        other if other.starts_with("u=") || other == "i" => None,
        _ => return Err(NtfyError::PriorityInvalid),
    })
}

fn listed<'a>(tags: impl Iterator<Item = &'a str>) -> Vec<String> {
    let tags = tags.map(str::trim).filter(|tag| !tag.is_empty());
    tags.take(TAGS_MAX).map(str::to_owned).collect()
}

fn address(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty() && text.len() <= ADDRESS_BYTES_MAX)
}

fn shortened(mut title: String) -> String {
    let end = title.floor_char_boundary(TITLE_BYTES_MAX);
    title.truncate(end);
    title
}

fn due_at(delay: Option<&str>, is_kept: bool, now: Timestamp) -> Result<Timestamp, NtfyError> {
    let Some(text) = delay.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(now);
    };
    if !is_kept {
        return Err(NtfyError::DelayNoCache);
    }
    let at = unix_seconds(text)
        .or_else(|| duration_ms(text).map(|span| now.plus_millis(span)))
        .ok_or(NtfyError::DelayCannotParse)?;
    match at.millis_since(now) {
        wait if wait < DELAY_MS_MIN => Err(NtfyError::DelayTooSmall),
        wait if wait > DELAY_MS_MAX => Err(NtfyError::DelayTooLarge),
        _ => Ok(at),
    }
}
