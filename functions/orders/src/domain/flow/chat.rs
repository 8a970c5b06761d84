//! What buyer and merchant write to each other shows no phone number: both reach each other here.

/// The fewest digits that are taken for a phone number, and the most.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// The text with every phone number masked: runs of digits, also with spaces, dots or hyphens between them.
#[must_use]
pub fn masked(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut shown = String::with_capacity(text.len());
    let mut rest = characters.as_slice();
    while let Some((first, after)) = rest.split_first() {
        if value(*first).is_none() && *first != '+' {
            shown.push(*first);
            rest = after;
            continue;
        }
        let length = run(rest);
        let (number, after) = rest.split_at(length.max(1));
        let digits: Vec<char> = number.iter().filter_map(|digit| value(*digit)).collect();
        if DIGITS.contains(&digits.len()) {
            mask(&mut shown, &digits);
        } else {
            shown.extend(number);
        }
        rest = after;
    }
    shown
}

/// A digit, also a full-width one.
fn value(character: char) -> Option<char> {
    match character {
        '0'..='9' => Some(character),
        '０'..='９' => u32::from(character)
            .checked_sub(u32::from('０'))
            .and_then(|digit| char::from_digit(digit, 10)),
        _ => None,
    }
}

/// How many characters the number has that begins here; it ends with a digit.
fn run(characters: &[char]) -> usize {
    let mut until = 0;
    let mut gaps = 0;
    for (at, character) in characters.iter().enumerate() {
        if value(*character).is_some() {
            until = at + 1;
            gaps = 0;
        } else if gaps == 0 && (matches!(character, ' ' | '-' | '.') || at == 0) {
            gaps = 1;
        } else {
            break;
        }
    }
    until
}

fn mask(shown: &mut String, digits: &[char]) {
    let kept = if digits.len() >= 11 { 3 } else { 2 };
    for (at, digit) in digits.iter().enumerate() {
        let is_shown = at < kept || at + 2 >= digits.len();
        shown.push(if is_shown { *digit } else { '*' });
    }
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn phone_numbers_are_masked_however_they_are_written() {
        for (text, shown) in [
            ("打 13812345678 给我", "打 138******78 给我"),
            ("138-1234-5678", "138******78"),
            ("138 1234 5678!", "138******78!"),
            ("１３８１２３４５６７８", "138******78"),
            ("+86 13812345678", "861********78"),
            ("2 件, 3 日送到", "2 件, 3 日送到"),
            ("订单 123456", "订单 123456"),
            ("0571-8888 9999", "057*******99"),
        ] {
            assert_eq!(masked(text), shown);
        }
    }
}
