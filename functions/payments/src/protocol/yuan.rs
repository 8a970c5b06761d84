//! Amounts as channels write them: decimal yuan, never a float.

/// `12345` fen as `123.45`.
#[must_use]
pub fn from_fen(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let magnitude = fen.unsigned_abs();
    format!("{sign}{}.{:02}", magnitude / 100, magnitude % 100)
}

/// `123.45`, `123.4` or `123` as fen; nothing for any other text, or one finer than a fen.
#[must_use]
pub fn to_fen(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "00"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) || fraction.len() > 2 {
        return None;
    }
    let hundredths: i64 = format!("{fraction:0<2}").parse().ok()?;
    let whole: i64 = whole.parse().ok()?;
    let fen = whole.checked_mul(100)?.checked_add(hundredths)?;
    Some(if negative { -fen } else { fen })
}

/// A charge in decimal yuan as fen: channels write it with up to eight places, and it is rounded half away from zero to
/// the fen. Nothing for any other text.
#[must_use]
pub fn charge_to_fen(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "00"));
    if fraction.len() <= 2 {
        return to_fen(text);
    }
    if fraction.len() > 8 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (fen, rest) = fraction.split_at_checked(2)?;
    let fen = to_fen(&format!("{whole}.{fen}"))?;
    let up = i64::from(rest.starts_with(['5', '6', '7', '8', '9']));
    if whole.starts_with('-') {
        fen.checked_sub(up)
    } else {
        fen.checked_add(up)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_charge_has_more_places_and_is_rounded_to_the_fen() {
        for (text, fen) in [
            ("0.60000", Some(60)),
            ("0.00500", Some(1)),
            ("0.00499", Some(0)),
            ("-0.60500", Some(-61)),
            ("-0.00400", Some(0)),
            ("0.6", Some(60)),
            ("12", Some(1_200)),
            ("0.000000001", None),
            ("0.6e000", None),
            (".60000", None),
            ("", None),
        ] {
            assert_eq!(charge_to_fen(text), fen, "{text:?}");
        }
    }

    #[test]
    fn yuan_are_written_and_read_to_the_fen() {
        for (text, fen) in [
            ("0.01", 1),
            ("88.88", 8_888),
            ("100", 10_000),
            ("0.1", 10),
            ("-19.61", -1_961),
        ] {
            assert_eq!(to_fen(text), Some(fen), "{text}");
        }
        for wrong in [
            "",
            ".",
            "1.",
            ".5",
            "1.001",
            "1,00",
            "1e2",
            "+1",
            " 1",
            "--1",
            "NaN",
            "92233720368547758.08",
        ] {
            assert_eq!(to_fen(wrong), None, "{wrong:?}");
        }
        assert_eq!(from_fen(5), "0.05");
        assert_eq!(from_fen(i64::MIN), "-92233720368547758.08");
    }

    proptest! {
        #[test]
        fn text_and_back_is_the_same_amount(fen in -i64::MAX..=i64::MAX) {
            prop_assert_eq!(to_fen(&from_fen(fen)), Some(fen));
        }
    }
}
