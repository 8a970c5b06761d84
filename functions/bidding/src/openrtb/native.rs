//! Native 1.2: what a page asks to be filled, and the answer to it.

use std::fmt;

use serde::Deserialize;
use serde_json::{Value, json};

/// An image of that type is the main one; type 1 is an icon.
const MAIN_IMAGE: i64 = 3;
/// Data of that type is the sponsor's name.
const SPONSOR: i64 = 1;
/// Data of that type is a description.
const DESCRIPTION: i64 = 2;

/// Why a native request cannot be filled by anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NativeError;

impl fmt::Display for NativeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a native request has assets that can be filled")
    }
}

impl std::error::Error for NativeError {}

#[derive(Deserialize)]
struct Wrapped {
    native: Ask,
}

#[derive(Deserialize)]
struct Ask {
    assets: Vec<Asset>,
}

#[derive(Debug, Deserialize)]
struct Asset {
    id: i64,
    #[serde(default)]
    required: i64,
    #[serde(default)]
    title: Option<Length>,
    #[serde(default)]
    img: Option<Typed>,
    #[serde(default)]
    data: Option<Typed>,
    #[serde(default)]
    video: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Length {
    #[serde(default)]
    len: Option<usize>,
}

#[derive(Debug, Deserialize)]
struct Typed {
    #[serde(default)]
    r#type: Option<i64>,
    #[serde(default)]
    len: Option<usize>,
}

/// The assets that a page asks for.
#[derive(Debug)]
pub struct Assets(Vec<Asset>);

impl Assets {
    /// Whether a picture has to be there.
    #[must_use]
    pub fn needs_image(&self) -> bool {
        self.0
            .iter()
            .any(|asset| asset.required == 1 && asset.img.is_some())
    }
}

/// Reads what a page asks for: the document itself, or wrapped in `native` as before 1.1.
///
/// # Errors
/// When it is not JSON of that shape, or asks for what is never there.
pub fn assets(text: &str) -> Result<Assets, NativeError> {
    let ask = match serde_json::from_str::<Wrapped>(text) {
        Ok(wrapped) => wrapped.native,
        Err(_) => serde_json::from_str::<Ask>(text).map_err(|_| NativeError)?,
    };
    let never = |asset: &Asset| {
        let data = asset.data.as_ref().and_then(|data| data.r#type);
        let image = asset
            .img
            .as_ref()
            .map(|image| image.r#type.unwrap_or(MAIN_IMAGE));
        asset.video.is_some()
            || data.is_some_and(|data| data != SPONSOR && data != DESCRIPTION)
            || image.is_some_and(|image| image != MAIN_IMAGE)
    };
    if ask.assets.is_empty()
        || ask
            .assets
            .iter()
            .any(|asset| asset.required == 1 && never(asset))
    {
        return Err(NativeError);
    }
    Ok(Assets(ask.assets))
}

/// The answer, as JSON text.
#[must_use]
pub fn native(asked: &Assets, (title, body): (&str, &str), shows: &super::Shows<'_>) -> String {
    let filled = asked
        .0
        .iter()
        .filter_map(|asset| fill(asset, (title, body), shows));
    let answer = json!({
        "ver": "1.2",
        "assets": filled.collect::<Vec<Value>>(),
        "link": { "url": shows.click },
        // What stands beside it for people: it is paid for.
        "ext": { "label": "广告" },
    });
    answer.to_string()
}

fn fill(asset: &Asset, (title, body): (&str, &str), shows: &super::Shows<'_>) -> Option<Value> {
    let id = asset.id;
    if let Some(length) = &asset.title {
        return Some(json!({ "id": id, "title": { "text": cut(title, length.len) } }));
    }
    if let Some(image) = &asset.img {
        if image.r#type.unwrap_or(MAIN_IMAGE) != MAIN_IMAGE {
            return None;
        }
        let (w, h) = shows.size;
        return Some(
            json!({ "id": id, "img": { "type": MAIN_IMAGE, "url": shows.image?, "w": w, "h": h } }),
        );
    }
    let data = asset.data.as_ref()?;
    let value = match data.r#type? {
        SPONSOR => shows.advertiser,
        DESCRIPTION => body,
        _ => return None,
    };
    Some(json!({ "id": id, "data": { "type": data.r#type?, "value": cut(value, data.len) } }))
}

fn cut(text: &str, most: Option<usize>) -> String {
    text.chars().take(most.unwrap_or(usize::MAX)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openrtb::Shows;

    const ASK: &str = r#"{"ver":"1.2","assets":[{"id":1,"required":1,"title":{"len":4}},
        {"id":2,"required":1,"img":{"type":3,"wmin":100}},{"id":3,"data":{"type":1}},{"id":4,"data":{"type":6}}]}"#;

    #[test]
    fn what_is_asked_is_filled_and_the_sponsor_is_named() {
        let shows = Shows {
            image: Some("https://cdn.example/a.png"),
            title: "",
            advertiser: "鱼店",
            click: "https://linli.example/c",
            size: (300, 250),
        };
        let asked = assets(ASK).unwrap();
        assert!(asked.needs_image());
        let answer: Value =
            serde_json::from_str(&native(&asked, ("Fresh fish", ""), &shows)).unwrap();
        let expected = json!([
            { "id": 1, "title": { "text": "Fres" } },
            { "id": 2, "img": { "type": 3, "url": "https://cdn.example/a.png", "w": 300, "h": 250 } },
            { "id": 3, "data": { "type": 1, "value": "鱼店" } },
        ]);
        assert_eq!(answer["assets"], expected);
        assert_eq!(answer["link"]["url"], "https://linli.example/c");
    }

    #[test]
    fn what_cannot_be_filled_is_not_bid_on() {
        let wrapped = format!(r#"{{"native":{ASK}}}"#);
        assert!(assets(&wrapped).is_ok());
        for text in [
            "",
            "{}",
            r#"{"assets":[]}"#,
            r#"{"assets":[{"id":1,"required":1,"video":{}}]}"#,
            r#"{"assets":[{"id":1,"required":1,"data":{"type":6}}]}"#,
            r#"{"assets":[{"id":1,"required":1,"img":{"type":1}}]}"#,
        ] {
            assert_eq!(assets(text).err(), Some(NativeError), "{text}");
        }
    }
}
