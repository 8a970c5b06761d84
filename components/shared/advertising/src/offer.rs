//! An offer: one advertisement in one place for one viewer. It is viewed once, and clicked once after its view;
//! whatever else is told of it is counted as invalid, with the reason.

use kernel::Timestamp;

/// For how long an offer holds, in milliseconds: two hours.
pub const OFFER_MS: i64 = 2 * 60 * 60 * 1_000;

/// Why a view or a click does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invalid {
    /// There is no such offer, or no view of it before the click.
    Unknown,
    /// It was counted before.
    Used,
    /// It came more than two hours after the offer.
    Expired,
    /// A program reads the page, and says so.
    Crawler,
    /// The advertiser's or the platform's own people.
    Internal,
    /// More than one viewer does, or more than the advertiser wants one viewer to see.
    RateLimited,
    /// What was offered is not to be shown any more.
    NotTargeted,
}

impl Invalid {
    /// Every reason, in the order of declaration.
    pub const ALL: [Self; 7] = [
        Self::Unknown,
        Self::Used,
        Self::Expired,
        Self::Crawler,
        Self::Internal,
        Self::RateLimited,
        Self::NotTargeted,
    ];

    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Used => "used",
            Self::Expired => "expired",
            Self::Crawler => "crawler",
            Self::Internal => "internal",
            Self::RateLimited => "rate_limited",
            Self::NotTargeted => "not_targeted",
        }
    }

    /// The reason of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// What has become of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// When it was made.
    pub at: Timestamp,
    /// When its view was counted.
    pub viewed_at: Option<Timestamp>,
    /// When its click was counted.
    pub clicked_at: Option<Timestamp>,
    /// Whether it was made for the advertiser's or the platform's own people.
    pub is_internal: bool,
}

/// What is known of who tells of a view or a click, and of what was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// A program reads the page, and says so; see [`is_crawler`].
    pub is_crawler: bool,
    /// More than one viewer does, or more than a cap allows.
    pub is_too_much: bool,
    /// The line is stopped, or the creative no longer approved.
    pub is_withdrawn: bool,
}

impl Offer {
    /// The first moment at which it no longer holds.
    #[must_use]
    pub fn expires_at(self) -> Timestamp {
        self.at.plus_millis(OFFER_MS)
    }

    /// The offer with its view.
    ///
    /// # Errors
    /// Why the view does not count.
    pub fn view(self, now: Timestamp, traffic: Traffic) -> Result<Self, Invalid> {
        if self.viewed_at.is_some() {
            return Err(Invalid::Used);
        }
        self.check(now, traffic)?;
        Ok(Self {
            viewed_at: Some(now),
            ..self
        })
    }

    /// The offer with its click.
    ///
    /// # Errors
    /// Why the click does not count.
    pub fn click(self, now: Timestamp, traffic: Traffic) -> Result<Self, Invalid> {
        if self.clicked_at.is_some() {
            return Err(Invalid::Used);
        }
        if self.viewed_at.is_none() {
            return Err(Invalid::Unknown);
        }
        self.check(now, traffic)?;
        Ok(Self {
            clicked_at: Some(now),
            ..self
        })
    }

    fn check(self, now: Timestamp, traffic: Traffic) -> Result<(), Invalid> {
        let reasons = [
            (now >= self.expires_at(), Invalid::Expired),
            (traffic.is_crawler, Invalid::Crawler),
            (self.is_internal, Invalid::Internal),
            (traffic.is_too_much, Invalid::RateLimited),
            (traffic.is_withdrawn, Invalid::NotTargeted),
        ];
        match reasons.into_iter().find(|(holds, _)| *holds) {
            None => Ok(()),
            Some((_, reason)) => Err(reason),
        }
    }
}

/// What programs that read pages call themselves, in part.
const CRAWLERS: [&str; 8] = [
    "bot", "crawl", "spider", "headless", "curl/", "wget", "python-", "scrapy",
];

/// Whether a browser's name (`user-agent`) says that no person looks.
#[must_use]
pub fn is_crawler(user_agent: &str) -> bool {
    let name = user_agent.to_ascii_lowercase();
    CRAWLERS.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis).unwrap()
    }

    fn offer() -> Offer {
        Offer {
            at: at(0),
            viewed_at: None,
            clicked_at: None,
            is_internal: false,
        }
    }

    #[test]
    fn an_offer_is_viewed_once_and_clicked_once_after_its_view() {
        let fine = Traffic::default();
        assert_eq!(offer().click(at(1), fine), Err(Invalid::Unknown));
        let viewed = offer().view(at(1), fine).unwrap();
        assert_eq!(viewed.view(at(2), fine), Err(Invalid::Used));
        let clicked = viewed.click(at(3), fine).unwrap();
        assert_eq!(clicked.click(at(4), fine), Err(Invalid::Used));
        assert_eq!(viewed.click(at(OFFER_MS), fine), Err(Invalid::Expired));
        assert!(viewed.click(at(OFFER_MS - 1), fine).is_ok());
    }

    #[test]
    fn each_reason_has_its_name() {
        let own = Offer {
            is_internal: true,
            ..offer()
        };
        assert_eq!(own.view(at(1), Traffic::default()), Err(Invalid::Internal));
        for (traffic, reason) in [
            (
                Traffic {
                    is_crawler: true,
                    ..Traffic::default()
                },
                Invalid::Crawler,
            ),
            (
                Traffic {
                    is_too_much: true,
                    ..Traffic::default()
                },
                Invalid::RateLimited,
            ),
            (
                Traffic {
                    is_withdrawn: true,
                    ..Traffic::default()
                },
                Invalid::NotTargeted,
            ),
        ] {
            assert_eq!(offer().view(at(1), traffic), Err(reason));
        }
        assert!(is_crawler("Mozilla/5.0 (compatible; Googlebot/2.1)"));
        assert!(!is_crawler(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) MicroMessenger/8.0"
        ));
        for reason in Invalid::ALL {
            assert_eq!(Invalid::parse(reason.as_str()), Some(reason));
        }
    }

    proptest! {
        #[test]
        fn whatever_is_told_however_often_at_most_one_view_and_one_click_count(
            told in prop::collection::vec((any::<bool>(), 0_i64..(OFFER_MS * 2)), 0..40),
        ) {
            let (mut offer, mut views, mut clicks) = (offer(), 0, 0);
            for (is_view, millis) in told {
                let said = if is_view { offer.view(at(millis), Traffic::default()) } else { offer.click(at(millis), Traffic::default()) };
                if let Ok(after) = said {
                    offer = after;
                    views += u32::from(is_view);
                    clicks += u32::from(!is_view);
                }
            }
            prop_assert!(views <= 1 && clicks <= views);
        }
    }
}
