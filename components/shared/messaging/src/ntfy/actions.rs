//! Actions of a message. They are read so far that clients get the list they expect; what they mean is theirs.

use serde_json::{Map, Value};

use super::NtfyError;

const ACTIONS_MAX: usize = 3;
const NAMED: [&str; 3] = ["action", "label", "url"];

/// The actions of a text: a list as JSON, or `view, Open, https://..; http, ..`.
pub(crate) fn parse(text: &str) -> Result<Vec<Value>, NtfyError> {
    let text = text.trim();
    if text.starts_with('[') {
        let list = serde_json::from_str(text).map_err(|_| NtfyError::ActionsInvalid)?;
        return check(list);
    }
    let parts = split(text, ';')?;
    let written = parts.iter().filter(|part| !part.trim().is_empty());
    check(written.map(|part| short(part)).collect::<Result<_, _>>()?)
}

/// A list that clients understand: each has an action and a label; an id is added where none is.
fn check(mut list: Vec<Value>) -> Result<Vec<Value>, NtfyError> {
    if list.len() > ACTIONS_MAX {
        return Err(NtfyError::ActionsInvalid);
    }
    for (index, action) in list.iter_mut().enumerate() {
        let fields = action.as_object_mut().ok_or(NtfyError::ActionsInvalid)?;
        let has = |name: &str| {
            let text = fields.get(name).and_then(Value::as_str);
            text.is_some_and(|text| !text.is_empty())
        };
        let kind = fields.get("action").and_then(Value::as_str);
        let known = matches!(kind, Some("view" | "http" | "broadcast" | "copy"));
        let needs_url = matches!(kind, Some("view" | "http"));
        if !known || !has("label") || (needs_url && !has("url")) {
            return Err(NtfyError::ActionsInvalid);
        }
        fields
            .entry("id")
            .or_insert_with(|| Value::from(format!("{}", index + 1)));
    }
    Ok(list)
}

/// One action of the short form: the first three are named by their place, the others by `name=value`.
fn short(text: &str) -> Result<Value, NtfyError> {
    let mut fields = Map::new();
    for (index, part) in split(text, ',')?.iter().enumerate() {
        let part = part.trim();
        let named = part
            .split_once('=')
            .filter(|(name, _)| is_name(name.trim()));
        match (named, NAMED.get(index)) {
            (Some((name, value)), _) => insert(&mut fields, name.trim(), plain(value)),
            (None, Some(name)) => insert(&mut fields, name, plain(part)),
            (None, None) => return Err(NtfyError::ActionsInvalid),
        }
    }
    Ok(Value::Object(fields))
}

fn insert(fields: &mut Map<String, Value>, name: &str, value: &str) {
    if name == "clear" {
        let value = value.to_ascii_lowercase();
        let is_on = ["1", "yes", "true"].contains(&value.as_str());
        fields.insert(name.to_owned(), Value::Bool(is_on));
        return;
    }
    match name.split_once('.') {
        // headers.x=.. and extras.x=.. are objects.
        Some((group, key)) => {
            let group = fields
                .entry(group)
                .or_insert_with(|| Value::Object(Map::new()));
            if let Some(group) = group.as_object_mut() {
                group.insert(key.to_owned(), Value::from(value));
            }
        }
        None => {
            fields.insert(name.to_owned(), Value::from(value));
        }
    }
}

fn is_name(text: &str) -> bool {
    let start = [
        "action", "label", "url", "clear", "method", "body", "intent", "value",
    ];
    start.contains(&text) || text.starts_with("headers.") || text.starts_with("extras.")
}

fn plain(text: &str) -> &str {
    let text = text.trim();
    let inside = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    inside('"').or_else(|| inside('\'')).unwrap_or(text)
}

/// The parts between separators that stand outside of quotes.
fn split(text: &str, separator: char) -> Result<Vec<&str>, NtfyError> {
    let mut parts = Vec::new();
    let (mut start, mut quote) = (0, None);
    let mut may_open = true;
    for (index, char) in text.char_indices() {
        match quote {
            Some(open) if char == open => quote = None,
            Some(_) => {}
            // A quote opens at the start of a value only: an apostrophe in a label is none.
            None if may_open && (char == '"' || char == '\'') => quote = Some(char),
            None if char == separator => {
                parts.push(text.get(start..index).unwrap_or_default());
                start = index + char.len_utf8();
            }
            None => {}
        }
        if !char.is_whitespace() {
            may_open = matches!(char, ',' | ';' | '=') && quote.is_none();
        }
    }
    if quote.is_some() {
        return Err(NtfyError::ActionsInvalid);
    }
    parts.push(text.get(start..).unwrap_or_default());
    Ok(parts)
}
