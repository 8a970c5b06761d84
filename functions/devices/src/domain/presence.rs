//! Whether a gateway is there: by its session, its last will, or its silence.
//!
//! A heartbeat changes nothing by itself. It is written down at most once in [`LAST_SEEN_MS`], so that silence can be
//! told; only a change of presence is a fact.

use kernel::Timestamp;

/// How coarsely it is written down when a gateway was heard, in milliseconds: once a minute.
pub const LAST_SEEN_MS: i64 = 60_000;

/// How a gateway is connected, and so after how much silence it counts as gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// By cable, with a heartbeat every minute: 3 minutes.
    Wired,
    /// By a mobile network, with a heartbeat every five minutes: 15 minutes.
    Cellular,
    /// From a battery, with a heartbeat every day: 26 hours.
    Battery,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 3] = [Self::Wired, Self::Cellular, Self::Battery];

    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wired => "wired",
            Self::Cellular => "cellular",
            Self::Battery => "battery",
        }
    }

    /// The profile of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|profile| profile.as_str() == text)
    }

    /// After how much silence a gateway counts as gone, in milliseconds.
    #[must_use]
    pub fn silence_ms(self) -> i64 {
        match self {
            Self::Wired => 3 * 60_000,
            Self::Cellular => 15 * 60_000,
            Self::Battery => 26 * 60 * 60_000,
        }
    }
}

/// Why a gateway counts as there or gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It said so, or was heard.
    Session,
    /// The broker said so for it.
    LastWill,
    /// It was not heard for too long.
    Inactivity,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 3] = [Self::Session, Self::LastWill, Self::Inactivity];

    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::LastWill => "last_will",
            Self::Inactivity => "inactivity",
        }
    }

    /// The cause of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == text)
    }
}

/// Whether a gateway is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Never heard.
    Unknown,
    /// There.
    Online {
        /// Since when.
        since: Timestamp,
        /// When it was heard, to [`LAST_SEEN_MS`].
        last_seen: Timestamp,
    },
    /// Gone.
    Offline {
        /// Since when.
        since: Timestamp,
        /// Why.
        cause: Cause,
        /// When it was heard last, if ever.
        last_seen: Option<Timestamp>,
    },
}

impl Presence {
    /// Whether it is there, if that is known.
    #[must_use]
    pub fn is_online(&self) -> Option<bool> {
        match self {
            Self::Unknown => None,
            Self::Online { .. } => Some(true),
            Self::Offline { .. } => Some(false),
        }
    }

    /// When it was heard last, to [`LAST_SEEN_MS`].
    #[must_use]
    pub fn last_seen(&self) -> Option<Timestamp> {
        match self {
            Self::Unknown => None,
            Self::Online { last_seen, .. } => Some(*last_seen),
            Self::Offline { last_seen, .. } => *last_seen,
        }
    }

    /// When silence makes it offline.
    #[must_use]
    pub fn silent_at(&self, profile: Profile) -> Option<Timestamp> {
        match self {
            Self::Online { last_seen, .. } => Some(last_seen.plus_millis(profile.silence_ms())),
            Self::Unknown | Self::Offline { .. } => None,
        }
    }
}

/// What a gateway last told of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Vitals {
    /// The name and version of its software.
    pub software: Option<String>,
    /// Since when it runs.
    pub started_at: Option<Timestamp>,
}

/// What is heard of a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// It has a session, or said anything at all.
    Alive,
    /// Its session is gone.
    Gone,
}

/// What a signal changes; nothing when it changes nothing that is worth a row.
#[must_use]
pub fn hear(before: Presence, signal: Signal, now: Timestamp) -> Option<Presence> {
    match (before, signal) {
        (Presence::Online { since, last_seen }, Signal::Alive) => {
            let is_fresh = now.millis_since(last_seen) < LAST_SEEN_MS;
            (!is_fresh).then_some(Presence::Online {
                since,
                last_seen: now,
            })
        }
        (Presence::Unknown | Presence::Offline { .. }, Signal::Alive) => Some(Presence::Online {
            since: now,
            last_seen: now,
        }),
        (Presence::Offline { .. }, Signal::Gone) => None,
        (Presence::Unknown | Presence::Online { .. }, Signal::Gone) => Some(Presence::Offline {
            since: now,
            cause: Cause::LastWill,
            last_seen: before.last_seen(),
        }),
    }
}

/// What silence makes of a gateway at `now`; nothing while it is not silent for long enough.
#[must_use]
pub fn fall_silent(before: Presence, profile: Profile, now: Timestamp) -> Option<Presence> {
    let due = before.silent_at(profile)?;
    (due <= now).then_some(Presence::Offline {
        since: due,
        cause: Cause::Inactivity,
        last_seen: before.last_seen(),
    })
}
