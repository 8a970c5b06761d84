//! What a device gets: the message in one language, with what it proves its arrival with, and the link that stops
//! advertising.

use messaging::timing::Purpose;
use serde_json::json;

use super::{Content, Tongue, purpose_name};

/// What belongs to one delivery.
#[derive(Debug, Clone)]
pub struct Marked {
    /// The delivery.
    pub id: String,
    /// What the device shows when it tells that the message came.
    pub receipt: String,
    /// What stops advertising, for advertising.
    pub stop: String,
}

impl Marked {
    /// As wide as any: to find out whether a message fits.
    #[must_use]
    pub fn widest() -> Self {
        let wide = "x".repeat(200);
        Self {
            id: "x".repeat(64),
            receipt: wide.clone(),
            stop: format!("{wide}{wide}"),
        }
    }
}

/// The title as people read it: advertising says that it is.
#[must_use]
pub fn title(content: &Content, tongue: Tongue) -> String {
    match (content.purpose, tongue) {
        (Purpose::Marketing, Tongue::Chinese) => format!("【广告】{}", content.title.zh),
        (Purpose::Marketing, Tongue::English) => format!("[广告 Ad] {}", content.title.en),
        (_, Tongue::Chinese) => content.title.zh.clone(),
        (_, Tongue::English) => content.title.en.clone(),
    }
}

/// The text in one language.
#[must_use]
pub fn body(content: &Content, tongue: Tongue) -> &str {
    match tongue {
        Tongue::Chinese => &content.body.zh,
        Tongue::English => &content.body.en,
    }
}

/// The message as a device gets it.
#[must_use]
pub fn payload(content: &Content, tongue: Tongue, marked: &Marked) -> String {
    let mut told = json!({
        "id": marked.id,
        "purpose": purpose_name(content.purpose),
        "sender": content.sender,
        "title": title(content, tongue),
        "body": body(content, tongue),
        "url": content.url,
        "tag": content.collapse_key,
        "receipt": marked.receipt,
    });
    if content.purpose == Purpose::Marketing
        && let Some(fields) = told.as_object_mut()
    {
        fields.insert("stop".to_owned(), json!(marked.stop));
    }
    told.to_string()
}
