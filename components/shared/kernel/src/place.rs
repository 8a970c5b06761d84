//! The normal form of where somebody lives, so that "1栋101", "1-1-101" and "1号楼1单元101室" are one room.
//!
//! A key is made of the parts of a place with `-` between them. It is for finding only and is never shown.

/// The longest key, in characters; what is longer finds nothing.
pub const KEY_CHARACTERS_MAX: usize = 120;

/// Words that end a part, the longer before the shorter.
const DESIGNATORS: [&str; 13] = [
    "号楼", "栋楼", "单元", "楼栋", "栋", "幢", "座", "楼", "门", "室", "房", "号", "户",
];

/// The normal form: full-width letters and digits become plain, letters capital, Chinese numerals before a
/// designator (`三单元`) digits, leading zeros go, and whatever parts a place becomes one `-`.
#[must_use]
pub fn place_key(text: &str) -> String {
    let plain: Vec<char> = text.chars().filter_map(plain).collect();
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut rest = plain.as_slice();
    while let Some((first, after)) = rest.split_first() {
        let designator = DESIGNATORS
            .into_iter()
            .find(|word| starts_with(rest, word) && ends_part(&part));
        if let Some(word) = designator {
            parts.push(numeral(std::mem::take(&mut part)));
            rest = rest.get(word.chars().count()..).unwrap_or_default();
        } else if first.is_alphanumeric() {
            part.push(*first);
            rest = after;
        } else {
            parts.push(std::mem::take(&mut part));
            rest = after;
        }
    }
    parts.push(part);
    let parts: Vec<String> = parts
        .into_iter()
        .map(without_zeros)
        .filter(|part| !part.is_empty())
        .collect();
    parts.join("-").chars().take(KEY_CHARACTERS_MAX).collect()
}

/// Full-width forms are plain, spaces are nothing.
fn plain(character: char) -> Option<char> {
    let code = u32::from(character);
    let narrow = match code {
        0xff01..=0xff5e => char::from_u32(code - 0xfee0).unwrap_or(character),
        _ => character,
    };
    (!narrow.is_whitespace()).then(|| narrow.to_ascii_uppercase())
}

fn starts_with(text: &[char], word: &str) -> bool {
    let mut text = text.iter();
    word.chars()
        .all(|character| text.next() == Some(&character))
}

/// A designator ends a part that is a number or a letter: in "东门小区" 门 is no designator.
fn ends_part(part: &str) -> bool {
    part.chars()
        .next_back()
        .is_some_and(|last| last.is_ascii_alphanumeric() || digit(last).is_some())
}

fn digit(character: char) -> Option<u32> {
    let found = "〇一二三四五六七八九十"
        .chars()
        .position(|known| known == character)?;
    u32::try_from(found).ok()
}

/// A Chinese numeral up to 99 at the end of a part becomes digits.
fn numeral(part: String) -> String {
    let digits: Vec<char> = part.chars().collect();
    let start = digits
        .iter()
        .rposition(|character| digit(*character).is_none())
        .map_or(0, |last| last + 1);
    let (head, tail) = digits.split_at(start);
    let values: Vec<u32> = tail.iter().filter_map(|it| digit(*it)).collect();
    let number = match values.as_slice() {
        [ten @ 10] | [ten @ 0..10] => Some(*ten),
        [10, ones @ 1..10] => Some(10 + ones),
        [tens @ 1..10, 10] => Some(tens * 10),
        [tens @ 1..10, 10, ones @ 1..10] => Some(tens * 10 + ones),
        _ => None,
    };
    match number {
        Some(number) => format!("{}{number}", head.iter().collect::<String>()),
        None => part,
    }
}

fn without_zeros(part: String) -> String {
    let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match part.trim_start_matches('0') {
        "" if is_number => "0".to_owned(),
        short if is_number => short.to_owned(),
        _ => part,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_room_has_one_key_however_it_is_written() {
        for text in [
            "1-1-101",
            "1号楼1单元101室",
            "1栋1单元101",
            "01幢 1单元 0101号",
            "１号楼１单元１０１室",
            "一栋一单元101房",
            "1#1单元101",
            "1/1/101",
        ] {
            assert_eq!(place_key(text), "1-1-101", "{text}");
        }
        assert_eq!(place_key("1栋101"), "1-101");
        assert_eq!(place_key("十二号楼2单元1203"), "12-2-1203");
        assert_eq!(place_key("二十三栋101"), "23-101");
        assert_eq!(place_key("a座1501"), "A-1501");
    }

    #[test]
    fn names_keep_their_words() {
        assert_eq!(place_key("东区1栋101"), "东区1-101");
        assert_eq!(place_key("东门小区商铺3号"), "东门小区商铺3");
        assert_ne!(place_key("11栋1单元"), place_key("1栋11单元"));
        assert_eq!(place_key(" - # "), "");
    }

    proptest! {
        #[test]
        fn a_key_of_a_key_is_the_key(text in "[0-9０-９A-Za-z一二三十东区号楼栋幢单元室门 #\\-]{0,24}") {
            let once = place_key(&text);
            prop_assert_eq!(place_key(&once), once);
        }

        #[test]
        fn any_text_has_a_bounded_key(text in ".{0,300}") {
            prop_assert!(place_key(&text).chars().count() <= KEY_CHARACTERS_MAX);
        }

        #[test]
        fn three_numbers_are_found_by_every_form(building in 1_u32..200, unit in 1_u32..9, room in 101_u32..9999) {
            let key = format!("{building}-{unit}-{room}");
            prop_assert_eq!(&place_key(&format!("{building}栋{unit}单元{room}")), &key);
            prop_assert_eq!(&place_key(&format!("{building}号楼{unit}单元{room}室")), &key);
            prop_assert_eq!(place_key(&key), key);
        }
    }
}
