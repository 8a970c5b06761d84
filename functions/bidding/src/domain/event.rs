//! What was done with an offer: seen once, clicked once and only after it was seen. Everything else is counted by its
//! reason and charged to nobody.

use kernel::Timestamp;

/// How many clicks of one viewer on one campaign count on a day.
const CLICKS_A_DAY_MAX: i64 = 3;

/// How an offer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfferState {
    /// The bid is reserved.
    Open,
    /// The price is spent.
    Charged,
    /// The bid was let go.
    Released,
}

impl OfferState {
    /// The name in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Charged => "charged",
            Self::Released => "released",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Open, Self::Charged, Self::Released]
            .into_iter()
            .find(|known| known.as_str() == text)
    }
}

/// Why something is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invalid {
    /// No such offer was made.
    Unknown,
    /// It was counted before.
    Used,
    /// The time of the offer is over.
    Expired,
    /// A click on what was not seen.
    NotViewed,
    /// A program says that it is one.
    Crawler,
    /// The advertiser's or the platform's own people.
    Internal,
    /// Too often by one viewer.
    RateLimited,
    /// It may no longer be shown.
    NotTargeted,
}

impl Invalid {
    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Used => "used",
            Self::Expired => "expired",
            Self::NotViewed => "not_viewed",
            Self::Crawler => "crawler",
            Self::Internal => "internal",
            Self::RateLimited => "rate_limited",
            Self::NotTargeted => "not_targeted",
        }
    }
}

/// What is known when something was done with an offer.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// How the offer stands.
    pub state: OfferState,
    /// Whether it was seen.
    pub is_viewed: bool,
    /// Whether it was clicked.
    pub is_clicked: bool,
    /// The first moment at which it does not hold.
    pub expires_at: Timestamp,
    /// The moment.
    pub now: Timestamp,
    /// Whether a program did it.
    pub is_crawler: bool,
    /// Whether the advertiser's or the platform's own people did it.
    pub is_internal: bool,
    /// Whether it may still be shown.
    pub is_shown: bool,
    /// Clicks of the viewer on the campaign today.
    pub clicks_today: i64,
}

/// Whether a view counts.
///
/// # Errors
/// Why not.
pub fn view(seen: &Seen) -> Result<(), Invalid> {
    if seen.is_viewed {
        return Err(Invalid::Used);
    }
    stands(seen)
}

/// Whether a click counts.
///
/// # Errors
/// Why not.
pub fn click(seen: &Seen) -> Result<(), Invalid> {
    if seen.is_clicked {
        return Err(Invalid::Used);
    }
    stands(seen)?;
    if !seen.is_viewed {
        return Err(Invalid::NotViewed);
    }
    if seen.clicks_today >= CLICKS_A_DAY_MAX {
        return Err(Invalid::RateLimited);
    }
    Ok(())
}

fn stands(seen: &Seen) -> Result<(), Invalid> {
    if seen.now >= seen.expires_at || seen.state == OfferState::Released {
        return Err(Invalid::Expired);
    }
    if seen.is_crawler {
        return Err(Invalid::Crawler);
    }
    if seen.is_internal {
        return Err(Invalid::Internal);
    }
    if !seen.is_shown {
        return Err(Invalid::NotTargeted);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen() -> Seen {
        Seen {
            state: OfferState::Open,
            is_viewed: true,
            is_clicked: false,
            expires_at: Timestamp::EPOCH.plus_millis(10),
            now: Timestamp::EPOCH,
            is_crawler: false,
            is_internal: false,
            is_shown: true,
            clicks_today: 0,
        }
    }

    #[test]
    fn a_click_counts_once_and_only_after_its_view() {
        let check = |seen: Seen, expected| assert_eq!(click(&seen), expected, "{seen:?}");
        check(seen(), Ok(()));
        check(
            Seen {
                is_clicked: true,
                ..seen()
            },
            Err(Invalid::Used),
        );
        check(
            Seen {
                is_viewed: false,
                ..seen()
            },
            Err(Invalid::NotViewed),
        );
        check(
            Seen {
                now: seen().expires_at,
                ..seen()
            },
            Err(Invalid::Expired),
        );
        check(
            Seen {
                state: OfferState::Released,
                ..seen()
            },
            Err(Invalid::Expired),
        );
        check(
            Seen {
                is_crawler: true,
                ..seen()
            },
            Err(Invalid::Crawler),
        );
        check(
            Seen {
                is_internal: true,
                ..seen()
            },
            Err(Invalid::Internal),
        );
        check(
            Seen {
                is_shown: false,
                ..seen()
            },
            Err(Invalid::NotTargeted),
        );
        check(
            Seen {
                clicks_today: 3,
                ..seen()
            },
            Err(Invalid::RateLimited),
        );
        // What is billed by its view can still be clicked.
        check(
            Seen {
                state: OfferState::Charged,
                ..seen()
            },
            Ok(()),
        );
    }

    #[test]
    fn a_view_counts_once() {
        assert_eq!(view(&seen()), Err(Invalid::Used));
        assert_eq!(
            view(&Seen {
                is_viewed: false,
                ..seen()
            }),
            Ok(())
        );
    }
}
