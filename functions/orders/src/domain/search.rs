//! Words as they are searched: lower case, half width, letters, digits and Chinese characters only.

use std::collections::BTreeSet;

use kernel::{Message, Refusal};

/// The longest query, in characters.
pub const QUERY_CHARACTERS_MAX: usize = 60;
/// The most words of a query.
pub const WORDS_MAX: usize = 3;
/// The most pairs of a query that are looked up; the rest is compared with what these find.
pub const GRAMS_MAX: usize = 8;
/// The longest text that is cut into pieces, in characters.
const TEXT_CHARACTERS_MAX: usize = 400;

/// A text as it is searched.
#[must_use]
pub fn normal(text: &str) -> String {
    text.chars()
        .map(half_width)
        .flat_map(char::to_lowercase)
        .filter(|sign| sign.is_alphanumeric())
        .take(TEXT_CHARACTERS_MAX)
        .collect()
}

fn half_width(sign: char) -> char {
    match u32::from(sign) {
        code @ 0xff01..=0xff5e => char::from_u32(code - 0xfee0).unwrap_or(sign),
        _ => sign,
    }
}

/// The characters of a normal text, and its pairs.
#[must_use]
pub fn grams(normal: &str) -> BTreeSet<String> {
    let signs: Vec<char> = normal.chars().collect();
    let single = signs.iter().map(char::to_string);
    let pairs = signs.windows(2).map(|pair| pair.iter().collect::<String>());
    single.chain(pairs).collect()
}

/// What is searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its words in normal form, 1 to [`WORDS_MAX`]; each is to be found.
    pub words: Vec<String>,
    /// Pieces of them by which the index is asked, 1 to [`GRAMS_MAX`].
    pub grams: BTreeSet<String>,
}

impl Wanted {
    /// Parses what a person typed.
    ///
    /// # Errors
    /// 422 when it is empty, too long, or has too many words.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let words: Vec<String> = text
            .split_whitespace()
            .map(normal)
            .filter(|word| !word.is_empty())
            .collect();
        let is_fine =
            (1..=WORDS_MAX).contains(&words.len()) && text.chars().count() <= QUERY_CHARACTERS_MAX;
        if !is_fine {
            return Err(Refusal::invalid(
                "query_invalid",
                Message::new(
                    format!(
                        "Search for 1 to {WORDS_MAX} words, {QUERY_CHARACTERS_MAX} characters in all."
                    ),
                    format!("请输入 1 至 {WORDS_MAX} 个词，总长不超过 {QUERY_CHARACTERS_MAX} 字。"),
                ),
            ));
        }
        let mut wanted = BTreeSet::new();
        for word in &words {
            wanted.extend(lookups(word));
        }
        let grams = wanted.into_iter().take(GRAMS_MAX).collect();
        Ok(Self { words, grams })
    }
}

/// Pairs where there are any: they find less than single characters.
fn lookups(word: &str) -> Vec<String> {
    let signs: Vec<char> = word.chars().collect();
    if signs.len() == 1 {
        return vec![word.to_owned()];
    }
    let pairs = signs.windows(2);
    pairs.map(|pair| pair.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn widths_cases_and_signs_do_not_matter() {
        assert_eq!(normal(" ＡＢc-1２ 红富士（大）"), "abc12红富士大");
        let wanted = Wanted::parse("红富士 大").unwrap();
        assert_eq!(wanted.words, ["红富士", "大"]);
        assert_eq!(
            wanted.grams.into_iter().collect::<Vec<_>>(),
            ["大", "富士", "红富"]
        );
        for wrong in ["", " ,. ", "a b c d", &"果".repeat(61)] {
            assert_eq!(Wanted::parse(wrong).unwrap_err().code, "query_invalid");
        }
    }

    proptest! {
        #[test]
        fn a_piece_of_a_text_is_looked_up_by_pieces_that_the_text_has(text in "[a-c红富士苹果 ]{1,40}", start in 0_usize..40, length in 1_usize..20) {
            let text = normal(&text);
            let piece: String = text.chars().skip(start).take(length).collect();
            prop_assume!(!piece.is_empty());
            let wanted = Wanted::parse(&piece).unwrap();
            let held = grams(&text);
            prop_assert!(wanted.grams.iter().all(|gram| held.contains(gram)));
            prop_assert!(!wanted.grams.is_empty() && wanted.grams.len() <= GRAMS_MAX);
        }
    }
}
