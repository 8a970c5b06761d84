//! What is told: its texts, what it is for, on which channels, how urgent, and for how long it holds.

use kernel::{Message, Refusal};
use messaging::timing::{Purpose, QuietHours, Span, WhenQuiet};
use messaging::webpush::{PLAINTEXT_BYTES_MAX, TTL_SECONDS_MAX, Urgency};

use super::{
    BODY_CHARACTERS_MAX, Bilingual, Channel, Marked, TITLE_CHARACTERS_MAX, Tongue, label, payload,
    prose, purpose, zone,
};

/// How long a message holds when nobody says, in seconds: a day.
pub const TTL_SECONDS_DEFAULT: u32 = 86_400;
/// The longest address that a tap opens, in bytes.
pub const URL_BYTES_MAX: usize = 1_024;
/// The longest collapse key, in characters.
pub const COLLAPSE_KEY_CHARACTERS_MAX: usize = 64;

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// What for.
    pub purpose: Purpose,
    /// Who says it.
    pub sender: String,
    /// The title.
    pub title: Bilingual,
    /// The text.
    pub body: Bilingual,
    /// What a tap opens.
    pub url: Option<String>,
    /// On which channels; none for all.
    pub channels: Vec<Channel>,
    /// How urgent it is.
    pub urgency: Urgency,
    /// What it replaces.
    pub collapse_key: Option<String>,
    /// How long it holds, in seconds.
    pub ttl_seconds: u32,
}

/// What somebody wrote, before it is checked.
#[derive(Debug, Clone)]
pub struct Draft {
    /// What for.
    pub purpose: String,
    /// Who says it.
    pub sender: String,
    /// The title.
    pub title: Bilingual,
    /// The text.
    pub body: Bilingual,
    /// What a tap opens.
    pub url: Option<String>,
    /// On which channels; none for all.
    pub channels: Vec<Channel>,
    /// How urgent it is.
    pub urgency: Option<String>,
    /// What it replaces.
    pub collapse_key: Option<String>,
    /// How long it holds, in seconds.
    pub ttl_seconds: Option<u32>,
}

impl Content {
    /// What somebody wrote, when it can be told.
    ///
    /// # Errors
    /// 422 for a text that is none, an address that is none, a message that no push carries.
    pub fn of(draft: Draft) -> Result<Self, Refusal> {
        let purpose = purpose(&draft.purpose).ok_or_else(|| {
            refused(
                "purpose_unknown",
                "A purpose is safety, service, notice or marketing.",
                "用途应为 safety、service、notice 或 marketing。",
            )
        })?;
        let ttl_seconds = draft.ttl_seconds.unwrap_or(TTL_SECONDS_DEFAULT);
        if !(1..=TTL_SECONDS_MAX).contains(&ttl_seconds) {
            return Err(refused(
                "ttl_too_long",
                "A message holds for 1 to 2419200 seconds, four weeks.",
                "消息有效期为 1 到 2419200 秒（四周）。",
            ));
        }
        let content = Self {
            purpose,
            sender: label("sender", &draft.sender)?,
            title: both("title", &draft.title, TITLE_CHARACTERS_MAX)?,
            body: both("body", &draft.body, BODY_CHARACTERS_MAX)?,
            url: draft.url.as_deref().map(address).transpose()?,
            channels: draft.channels,
            urgency: urgency(purpose, draft.urgency.as_deref())?,
            collapse_key: draft.collapse_key.as_deref().map(collapse).transpose()?,
            ttl_seconds,
        };
        content.fits_a_push()?;
        Ok(content)
    }

    /// Refuses what no push can carry in either language.
    ///
    /// # Errors
    /// 422 with the bytes that it has and may have.
    pub fn fits_a_push(&self) -> Result<(), Refusal> {
        let marked = Marked::widest();
        let bytes = [Tongue::Chinese, Tongue::English]
            .map(|tongue| payload(self, tongue, &marked).len())
            .into_iter()
            .max()
            .unwrap_or_default();
        if bytes <= PLAINTEXT_BYTES_MAX {
            return Ok(());
        }
        Err(Refusal::invalid(
            "plaintext_too_long",
            Message::new(
                format!(
                    "The message would have {bytes} bytes; a push carries at most {PLAINTEXT_BYTES_MAX}. Shorten it."
                ),
                format!("消息将有 {bytes} 字节，推送最多携带 {PLAINTEXT_BYTES_MAX} 字节，请缩短。"),
            ),
        ))
    }

    /// Whether it goes over a channel.
    #[must_use]
    pub fn goes_over(&self, channel: Channel) -> bool {
        self.channels.is_empty() || self.channels.contains(&channel)
    }
}

/// Quiet hours as two times of day, what happens in them, and whose clock counts.
///
/// # Errors
/// 422 for times or a zone that are none.
pub fn quiet_hours(
    (from, until): (&str, &str),
    then: WhenQuiet,
    zone_name: &str,
) -> Result<QuietHours, Refusal> {
    Ok(QuietHours {
        span: Span::parse(from, until)?,
        zone: zone(zone_name)?,
        then,
    })
}

/// What happens to a message in quiet hours, by its name.
#[must_use]
pub fn when_quiet(text: &str) -> Option<WhenQuiet> {
    match text {
        "defer" => Some(WhenQuiet::Defer),
        "drop" => Some(WhenQuiet::Drop),
        _ => None,
    }
}

/// How urgent, by its name.
#[must_use]
pub fn urgency_named(text: &str) -> Option<Urgency> {
    [
        Urgency::VeryLow,
        Urgency::Low,
        Urgency::Normal,
        Urgency::High,
    ]
    .into_iter()
    .find(|known| known.as_str() == text)
}

/// How urgent a message of a purpose is, unless somebody says: advertising never wakes a device.
fn urgency(purpose: Purpose, named: Option<&str>) -> Result<Urgency, Refusal> {
    let own = match purpose {
        Purpose::Safety => Urgency::High,
        Purpose::Service => Urgency::Normal,
        Purpose::Notice => Urgency::Low,
        Purpose::Marketing => return Ok(Urgency::VeryLow),
    };
    match named {
        None => Ok(own),
        Some(text) => urgency_named(text).ok_or_else(|| {
            refused(
                "urgency_unknown",
                "An urgency is very-low, low, normal or high.",
                "紧急程度应为 very-low、low、normal 或 high。",
            )
        }),
    }
}

fn both(field: &str, text: &Bilingual, characters_max: usize) -> Result<Bilingual, Refusal> {
    Ok(Bilingual {
        zh: prose(field, &text.zh, characters_max)?,
        en: prose(field, &text.en, characters_max)?,
    })
}

/// An address that a tap opens: of the web, or a path of the app.
fn address(text: &str) -> Result<String, Refusal> {
    let is_ours = text.starts_with('/') && !text.starts_with("//");
    let written = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'"');
    if text.len() <= URL_BYTES_MAX && written && (is_ours || text.starts_with("https://")) {
        return Ok(text.to_owned());
    }
    Err(refused(
        "url_invalid",
        "An address is https://.. or a path of the app such as /bills, with at most 1024 characters.",
        "链接应为 https:// 开头的网址或应用内路径（如 /bills），最多 1024 个字符。",
    ))
}

fn collapse(text: &str) -> Result<String, Refusal> {
    let fits = (1..=COLLAPSE_KEY_CHARACTERS_MAX).contains(&text.len());
    if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(text.to_owned());
    }
    Err(refused(
        "collapse_key_invalid",
        "A collapse key has 1 to 64 visible ASCII characters.",
        "折叠键为 1 到 64 个可见 ASCII 字符。",
    ))
}

fn refused(code: &'static str, english: &str, chinese: &str) -> Refusal {
    Refusal::invalid(code, Message::new(english, chinese))
}
