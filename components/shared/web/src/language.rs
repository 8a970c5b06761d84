//! Which of the product's two languages a caller reads.

use http::header::ACCEPT_LANGUAGE;
use kernel::Message;

use crate::Request;

/// A language of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English, also for callers who state no preference for Chinese: programs and their logs.
    English,
    /// Simplified Chinese.
    Chinese,
}

impl Language {
    /// The sentence in this language.
    #[must_use]
    pub fn of(self, message: &Message) -> &str {
        match self {
            Self::English => &message.english,
            Self::Chinese => &message.chinese,
        }
    }

    /// The language tag for `content-language`.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }
}

/// The language that the caller's `Accept-Language` prefers.
#[must_use]
pub fn language(request: &Request) -> Language {
    let header = request.headers().get(ACCEPT_LANGUAGE);
    match header.and_then(|value| value.to_str().ok()) {
        Some(text) => preferred(text),
        None => Language::English,
    }
}

/// What one language is worth: its quality in thousandths, and its place in the header for a tie.
type Worth = Option<(u16, usize)>;

fn preferred(header: &str) -> Language {
    let (mut chinese, mut english, mut any): (Worth, Worth, Worth) = (None, None, None);
    for (place, range) in header.split(',').enumerate() {
        let mut parts = range.split(';').map(str::trim);
        let tag = parts.next().unwrap_or("");
        let worth = Some((quality(parts), place));
        let primary = tag.split('-').next().unwrap_or("");
        let slot = match primary {
            _ if primary.eq_ignore_ascii_case("zh") => &mut chinese,
            _ if primary.eq_ignore_ascii_case("en") => &mut english,
            "*" => &mut any,
            _ => continue,
        };
        if better(worth, *slot) {
            *slot = worth;
        }
    }
    let wanted = |worth: Worth| worth.or(any).filter(|(quality, _)| *quality > 0);
    match (wanted(chinese), wanted(english)) {
        (Some(chinese), Some(english)) if better(Some(chinese), Some(english)) => Language::Chinese,
        (Some(_), None) => Language::Chinese,
        _ => Language::English,
    }
}

fn better(left: Worth, right: Worth) -> bool {
    match (left, right) {
        (Some((left, place)), Some((right, other))) => {
            left > right || (left == right && place < other)
        }
        (left, right) => left.is_some() && right.is_none(),
    }
}

/// The `q` of a range in thousandths; what is not a quality counts as not wanted.
fn quality<'a>(mut parameters: impl Iterator<Item = &'a str>) -> u16 {
    let Some(text) = parameters.find_map(|part| part.strip_prefix("q=")) else {
        return 1000;
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    match whole {
        "1" => 1000,
        "0" if digits => format!("{fraction:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_higher_quality_wins_and_the_first_of_equals() {
        for (header, expected) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Chinese),
            ("en-US,en;q=0.9,zh;q=0.8", Language::English),
            ("en;q=0.3, ZH-hans;q=0.31", Language::Chinese),
            ("zh;q=0", Language::English),
            ("zh, en", Language::Chinese),
            ("en, zh", Language::English),
            ("*", Language::English),
            ("en;q=0, *", Language::Chinese),
            ("fr-CH, zh;q=0.1", Language::Chinese),
            ("zh;q=abc", Language::English),
            ("", Language::English),
        ] {
            assert_eq!(preferred(header), expected, "{header:?}");
        }
    }

    proptest! {
        #[test]
        fn any_header_gives_a_language(header in ".*") {
            preferred(&header);
        }
    }
}
