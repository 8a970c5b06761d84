//! Durations and moments as ntfy's clients write them: `90s`, `1h30m`, `3 days`, or seconds since 1970.

use kernel::Timestamp;

/// A duration in milliseconds: one or more numbers with units, of which days and longer names stand alone.
pub(crate) fn duration_ms(text: &str) -> Option<i64> {
    let text = text.trim().to_ascii_lowercase();
    let mut rest = text.as_str();
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|char: char| !char.is_ascii_digit())?;
        let (number, behind) = rest.split_at(digits);
        let behind = behind.trim_start();
        let letters = behind
            .find(|char: char| !char.is_ascii_alphabetic())
            .unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(letters);
        let span = number.parse::<i64>().ok()?.checked_mul(unit_ms(unit)?)?;
        total = total.checked_add(span)?;
        rest = behind.trim_start();
    }
    (!text.is_empty()).then_some(total)
}

/// A moment: seconds since 1970.
pub(crate) fn unix_seconds(text: &str) -> Option<Timestamp> {
    let millis = text.trim().parse::<i64>().ok()?.checked_mul(1_000)?;
    Timestamp::from_millis(millis).ok()
}

fn unit_ms(unit: &str) -> Option<i64> {
    Some(match unit {
        "ms" => 1,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000,
        "h" | "hour" | "hours" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        _ => return None,
    })
}
