//! Texts that people write and read, and placeholders in them.

use std::collections::BTreeMap;

use kernel::{Message, Refusal};

/// The longest title, in characters.
pub const TITLE_CHARACTERS_MAX: usize = 100;
/// The longest body, in characters; a push carries less when they are long.
pub const BODY_CHARACTERS_MAX: usize = 4_000;
/// The longest name, tag, alias, class or segment, in characters.
pub const LABEL_CHARACTERS_MAX: usize = 64;
/// The most tags of one device, or of one person by hand.
pub const TAGS_MAX: usize = 50;

/// A text in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bilingual {
    /// Simplified Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Bilingual {
    /// A text in both languages.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            zh: zh.into(),
            en: en.into(),
        }
    }

    /// The text with its placeholders `{name}` filled in; what has no value stays as it is.
    #[must_use]
    pub fn filled(&self, values: &BTreeMap<String, String>) -> Self {
        Self {
            zh: filled(&self.zh, values),
            en: filled(&self.en, values),
        }
    }
}

fn filled(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, from)) = rest.split_once('{') {
        written.push_str(before);
        let value = from
            .split_once('}')
            .and_then(|(name, behind)| Some((values.get(name)?, behind)));
        match value {
            Some((value, behind)) => {
                written.push_str(value);
                rest = behind;
            }
            None => {
                written.push('{');
                rest = from;
            }
        }
    }
    written.push_str(rest);
    written
}

/// A text of at least one character and at most so many; lines may break.
///
/// # Errors
/// 422 naming the field.
pub fn prose(field: &str, text: &str, characters_max: usize) -> Result<String, Refusal> {
    let text = text.trim();
    let is_odd = |char: char| char.is_control() && char != '\n';
    if text.is_empty() || text.chars().count() > characters_max || text.chars().any(is_odd) {
        return Err(Refusal::invalid(
            "text_invalid",
            Message::new(
                format!(
                    "{field}: write 1 to {characters_max} characters, without control characters."
                ),
                format!("{field}：请填写 1 到 {characters_max} 个字符，不含控制字符。"),
            ),
        ));
    }
    Ok(text.to_owned())
}

/// A short text on one line.
///
/// # Errors
/// 422 naming the field.
pub fn label(field: &str, text: &str) -> Result<String, Refusal> {
    let label = prose(field, text, LABEL_CHARACTERS_MAX)?;
    if label.contains('\n') {
        return prose(field, "", LABEL_CHARACTERS_MAX);
    }
    Ok(label)
}

/// Tags: each a label, each once.
///
/// # Errors
/// 422 for one that is none, or too many.
pub fn tags(list: &[String]) -> Result<Vec<String>, Refusal> {
    if list.len() > TAGS_MAX {
        return Err(Refusal::invalid(
            "tags_too_many",
            Message::new(
                format!("At most {TAGS_MAX} tags. Leave some out."),
                format!("标签最多 {TAGS_MAX} 个，请减少。"),
            ),
        ));
    }
    let mut found = list
        .iter()
        .map(|tag| label("tags", tag))
        .collect::<Result<Vec<_>, _>>()?;
    found.sort();
    found.dedup();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_once_and_nothing_else_is_touched() {
        let values = BTreeMap::from([
            ("door".to_owned(), "{name} 北门".to_owned()),
            ("name".to_owned(), "x".to_owned()),
        ]);
        let text = Bilingual::new("{door} 已打开 {nobody} {", "{name}{name}");
        let filled = text.filled(&values);
        assert_eq!(filled.zh, "{name} 北门 已打开 {nobody} {");
        assert_eq!(filled.en, "xx");
    }

    #[test]
    fn a_label_stands_on_one_line() {
        assert!(label("name", "a\nb").is_err());
        assert!(label("name", &"x".repeat(65)).is_err());
        assert_eq!(label("name", " 车主 ").unwrap(), "车主");
    }
}
