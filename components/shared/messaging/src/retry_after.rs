//! The header `Retry-After`: seconds, or one of the three forms of an HTTP date.

use chrono::NaiveDateTime;
use kernel::Timestamp;

/// What a service can make us wait at most, in milliseconds; more is taken for this.
pub const WAIT_MS_MAX: i64 = 24 * 3_600_000;

const DATE_FORMS: [&str; 3] = [
    "%a, %d %b %Y %H:%M:%S GMT",
    "%A, %d-%b-%y %H:%M:%S GMT",
    "%a %b %e %H:%M:%S %Y",
];

/// The moment that the header names: never before `now`, never later than [`WAIT_MS_MAX`]. Nothing when the text is
/// neither form.
#[must_use]
pub fn moment(header: &str, now: Timestamp) -> Option<Timestamp> {
    let text = header.trim();
    let latest = now.plus_millis(WAIT_MS_MAX);
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number too long for the type is still only a long time.
        let millis = text
            .parse::<i64>()
            .map_or(WAIT_MS_MAX, |seconds| seconds.saturating_mul(1_000));
        return Some(now.plus_millis(millis).min(latest));
    }
    let date = DATE_FORMS
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())?;
    let named = Timestamp::from_millis(date.and_utc().timestamp_millis()).ok()?;
    Some(named.clamp(now, latest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_all_three_dates_are_understood() {
        let now = Timestamp::parse("1994-11-06T08:00:00Z").unwrap();
        let named = Timestamp::parse("1994-11-06T08:49:37Z").unwrap();
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            " 2977 ",
        ] {
            assert_eq!(moment(text, now), Some(named), "{text:?}");
        }
    }

    #[test]
    fn a_wait_is_neither_negative_nor_endless() {
        let now = Timestamp::parse("2026-03-01T00:00:00Z").unwrap();
        let latest = Some(now.plus_millis(WAIT_MS_MAX));
        assert_eq!(moment("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(now));
        assert_eq!(moment("0", now), Some(now));
        assert_eq!(moment("999999999999999999999999", now), latest);
        assert_eq!(moment("Fri, 01 Jan 2100 00:00:00 GMT", now), latest);
        for text in ["", "soon", "-5", "1.5", "2026-03-01T00:00:00Z"] {
            assert_eq!(moment(text, now), None, "{text:?}");
        }
    }
}
