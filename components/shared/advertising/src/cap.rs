//! Frequency caps: how often one viewer sees a creative, a line, an advertiser or a placement in an hour, a day, a
//! week or a month of the calendar.

use chrono::{Datelike as _, Days};
use kernel::{Timestamp, Zone};

/// The most caps that one line has.
pub const CAPS_MAX: usize = 8;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// Every one, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name on the wire and in the database.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The one of that name.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text)
            }
        }
    )*};
}

words! {
    /// In which time views are counted.
    Window {
        /// The hour that the clock shows.
        Hour = "hour",
        /// The day.
        Day = "day",
        /// The week, from Monday.
        Week = "week",
        /// The month.
        Month = "month",
    }
    /// What views are counted of.
    CapScope {
        /// One creative.
        Creative = "creative",
        /// One line.
        Line = "line",
        /// Everything of one advertiser.
        Advertiser = "advertiser",
        /// Everything in one placement.
        Placement = "placement",
    }
}

impl Window {
    /// The name of the window that a moment is in: counters are kept under it, and a new window begins at nothing.
    #[must_use]
    pub fn bucket(self, zone: Zone, now: Timestamp) -> String {
        let local = zone.local(now);
        let date = local.date;
        match self {
            Self::Hour => format!("h{}T{:02}", date.format("%Y%m%d"), local.minute / 60),
            Self::Day => format!("d{}", date.format("%Y%m%d")),
            Self::Week => {
                let since_monday = u64::from(date.weekday().num_days_from_monday());
                let monday = date.checked_sub_days(Days::new(since_monday));
                format!("w{}", monday.unwrap_or(date).format("%Y%m%d"))
            }
            Self::Month => format!("m{}", date.format("%Y%m")),
        }
    }

    /// How long its counters are looked at, at most, in milliseconds.
    #[must_use]
    pub fn millis_max(self) -> i64 {
        const HOUR_MS: i64 = 60 * 60 * 1_000;
        match self {
            Self::Hour => HOUR_MS,
            Self::Day => 24 * HOUR_MS,
            Self::Week => 7 * 24 * HOUR_MS,
            Self::Month => 31 * 24 * HOUR_MS,
        }
    }
}

/// At most `views` of that scope in that window for one viewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cap {
    /// What is counted.
    pub scope: CapScope,
    /// In which time.
    pub window: Window,
    /// How often, from 1.
    pub views: u32,
}

/// What an advertisement is of, for its caps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'a> {
    /// The creative's id.
    pub creative: &'a str,
    /// The line's id.
    pub line: &'a str,
    /// The advertiser's id.
    pub advertiser: &'a str,
    /// The placement's id.
    pub placement: &'a str,
}

impl Subject<'_> {
    /// Under which name the views of that scope are counted.
    #[must_use]
    pub fn named(&self, scope: CapScope) -> String {
        let id = match scope {
            CapScope::Creative => self.creative,
            CapScope::Line => self.line,
            CapScope::Advertiser => self.advertiser,
            CapScope::Placement => self.placement,
        };
        format!("{}:{id}", scope.as_str())
    }
}

/// Whether one view more stays within every cap; `seen` says how many there were of a cap in its present window.
pub fn allowed(caps: &[Cap], seen: impl Fn(&Cap) -> i64) -> bool {
    caps.iter().all(|cap| seen(cap) < i64::from(cap.views))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_the_calendars_of_the_zone() {
        // Sunday, 2026-11-01, 00:30 in Shanghai.
        let now = Timestamp::parse("2026-10-31T16:30:00Z").unwrap();
        let bucket = |window: Window| window.bucket(Zone::SHANGHAI, now);
        assert_eq!(bucket(Window::Hour), "h20261101T00");
        assert_eq!(bucket(Window::Day), "d20261101");
        assert_eq!(bucket(Window::Week), "w20261026");
        assert_eq!(bucket(Window::Month), "m202611");
    }

    #[test]
    fn every_cap_has_to_hold() {
        let caps = [
            Cap {
                scope: CapScope::Line,
                window: Window::Day,
                views: 3,
            },
            Cap {
                scope: CapScope::Advertiser,
                window: Window::Hour,
                views: 1,
            },
        ];
        let seen = |line: i64, advertiser: i64| {
            move |cap: &Cap| {
                if cap.scope == CapScope::Line {
                    line
                } else {
                    advertiser
                }
            }
        };
        assert!(allowed(&caps, seen(2, 0)));
        assert!(!allowed(&caps, seen(3, 0)));
        assert!(!allowed(&caps, seen(0, 1)));
        assert!(allowed(&[], seen(9, 9)));
    }
}
