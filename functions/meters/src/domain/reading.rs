//! Readings before they count: where they come from, which clock is believed, why they are held back.

use kernel::Timestamp;

/// How far back a device's clock is believed, in milliseconds: 31 days, the time a gateway may be offline.
pub const DEVICE_BEHIND_MS_MAX: i64 = 31 * 24 * 60 * 60 * 1_000;
/// How far ahead a device's clock is believed, in milliseconds: 5 minutes.
pub const DEVICE_AHEAD_MS_MAX: i64 = 5 * 60 * 1_000;

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// Every one, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name on the wire and in the database.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The one of that name.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == text)
            }
        }
    };
}
pub(crate) use named;

named! {
    /// How a reading came about.
    Source {
        /// A gateway read the meter as it stood.
        Interval = "interval",
        /// The meter's own register of a midnight.
        Freeze = "freeze",
        /// Somebody at the gateway's site asked.
        Site = "manual",
        /// Somebody read it and sent it by phone.
        Phone = "phone",
        /// What the register showed when it was put up.
        Opening = "opening",
        /// What the register showed when it was taken down.
        Closing = "closing",
    }
}

named! {
    /// Why a reading is held back until somebody decides.
    HoldReason {
        /// The register went back, and a rollover is not plausible.
        Backwards = "backwards",
        /// More than three times of what is plausible since the reading before.
        Spike = "spike",
        /// More than the register has digits for, or below zero.
        BeyondDigits = "beyond_digits",
        /// From before the meter was put up.
        BeforeOpening = "before_opening",
        /// The device's clock stood where nobody believes it: when it was read is not known.
        ClockInvalid = "clock_invalid",
    }
}

named! {
    /// What somebody decided about a reading.
    Decision {
        /// It counts as it was read.
        Accepted = "accepted",
        /// It does not count.
        Rejected = "rejected",
        /// It counts with another value.
        Edited = "edited",
    }
}

/// The moment a reading is taken to be of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// The device's moment where that is believed, else ours.
    pub at: Timestamp,
    /// Whether the device's clock was believed.
    pub believed: bool,
}

/// A device's clock is believed within [now - 31 d, now + 5 min]; outside, the server's time stands in for it until
/// somebody has decided.
#[must_use]
pub fn believed(device_at: Timestamp, now: Timestamp) -> Clock {
    let earliest = now.plus_millis(-DEVICE_BEHIND_MS_MAX);
    let latest = now.plus_millis(DEVICE_AHEAD_MS_MAX);
    let believed = (earliest..=latest).contains(&device_at);
    Clock {
        at: if believed { device_at } else { now },
        believed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_of_1970_is_replaced_by_ours() {
        let now = Timestamp::parse("2026-11-22T08:00:00Z").unwrap();
        for (offset, is_believed) in [
            (-DEVICE_BEHIND_MS_MAX, true),
            (-DEVICE_BEHIND_MS_MAX - 1, false),
            (DEVICE_AHEAD_MS_MAX, true),
            (DEVICE_AHEAD_MS_MAX + 1, false),
        ] {
            let device_at = now.plus_millis(offset);
            let clock = believed(device_at, now);
            assert_eq!(clock.believed, is_believed, "{offset}");
            assert_eq!(clock.at, if is_believed { device_at } else { now });
        }
        assert!(!believed(Timestamp::EPOCH, now).believed);
    }
}
