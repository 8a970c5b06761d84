//! What a campaign aims at, and what a visitor looks at.

use std::{collections::BTreeSet, fmt};

/// The most targets of a campaign.
pub const TARGETS_MAX: usize = 50;
/// The longest value of a target, in characters.
const VALUE_CHARACTERS_MAX: usize = 64;
/// The most words of a search that are looked for by themselves.
const WORDS_MAX: usize = 8;

/// What sort of place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// A board of the community.
    Board,
    /// A category of the mall.
    Category,
    /// What somebody searches for.
    Keyword,
    /// A placement for displays.
    Placement,
    /// Other people's pages: a domain, an app's bundle, or `*` for all.
    Exchange,
}

impl TargetKind {
    const ALL: [Self; 5] = [
        Self::Board,
        Self::Category,
        Self::Keyword,
        Self::Placement,
        Self::Exchange,
    ];

    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Board => "board",
            Self::Category => "category",
            Self::Keyword => "keyword",
            Self::Placement => "placement",
            Self::Exchange => "exchange",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == text)
    }

    /// Whether clicks are sold there, and not views.
    #[must_use]
    pub fn is_rank(self) -> bool {
        matches!(self, Self::Board | Self::Category | Self::Keyword)
    }
}

/// One place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// What sort of place.
    pub kind: TargetKind,
    /// Which one; in lower case, with single spaces.
    pub value: String,
}

/// Why a text names no place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetError;

impl fmt::Display for TargetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "a target is named by 1 to {VALUE_CHARACTERS_MAX} characters on one line"
        )
    }
}

impl std::error::Error for TargetError {}

impl Target {
    /// The place of that name. Keywords and domains are the same in whatever case; ids stay as they are.
    ///
    /// # Errors
    /// When it is blank, too long, or holds a control character.
    pub fn parse(kind: TargetKind, text: &str) -> Result<Self, TargetError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let joined = words.join(" ");
        let value = match kind {
            TargetKind::Keyword | TargetKind::Exchange => joined.to_lowercase(),
            TargetKind::Board | TargetKind::Category | TargetKind::Placement => joined,
        };
        let length = value.chars().count();
        let fits = (1..=VALUE_CHARACTERS_MAX).contains(&length);
        if !fits || value.chars().any(char::is_control) {
            return Err(TargetError);
        }
        Ok(Self { kind, value })
    }

    /// What is looked up for it: of a search the whole of it, and its words.
    #[must_use]
    pub fn looked_up(&self) -> Vec<String> {
        match self.kind {
            TargetKind::Keyword => words_of(&self.value),
            TargetKind::Exchange if self.value != "*" => vec![self.value.clone(), "*".to_owned()],
            _ => vec![self.value.clone()],
        }
    }
}

/// A search and its words, each once, the whole of it first.
#[must_use]
pub fn words_of(search: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let all = std::iter::once(search).chain(search.split(' ').take(WORDS_MAX));
    all.filter(|word| seen.insert((*word).to_owned()))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_finds_itself_and_its_words_once() {
        let check = |text: &str, expected: &[&str]| {
            let target = Target::parse(TargetKind::Keyword, text).unwrap();
            assert_eq!(target.looked_up(), expected);
        };
        check("  Fresh   FISH ", &["fresh fish", "fresh", "fish"]);
        check("鱼", &["鱼"]);
        for text in ["", "  ", &"x".repeat(65)] {
            assert_eq!(Target::parse(TargetKind::Keyword, text), Err(TargetError));
        }
        let board = Target::parse(TargetKind::Board, "B1").unwrap();
        assert_eq!(board.looked_up(), ["B1"]);
        let page = Target::parse(TargetKind::Exchange, "News.example").unwrap();
        assert_eq!(page.looked_up(), ["news.example", "*"]);
    }
}
