//! How good an advertisement is for a place, in 1/10,000, in parts that can be explained. Whole numbers only, frozen for
//! an hour, so that whoever is priced by it can be told why.

/// What an hour is, in milliseconds.
pub const HOUR_MS: i64 = 3_600_000;
/// As good as most: what everything starts with.
const PLAIN_BPS: i64 = 10_000;
/// Views and clicks that everybody is given: few of one's own move little.
const PRIOR_VIEWS: i64 = 1_000;
const PRIOR_CLICKS: i64 = 20;
/// The click rate that is as good as most, in 1/1,000,000: that of the prior.
const PLAIN_RATE_PPM: i64 = PRIOR_CLICKS * 1_000_000 / PRIOR_VIEWS;
/// Between which limits clicks count.
const CLICK_BPS: (i64, i64) = (2_000, 20_000);
/// When the words of the place stand nowhere in the advertisement.
const FAR_BPS: i64 = 8_000;
/// When a click leads somewhere that is not encrypted.
const OPEN_LANDING_BPS: i64 = 8_000;
/// Between which limits the whole is.
const QUALITY_BPS: (i64, i64) = (1_000, 30_000);

/// What was counted of an advertisement so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// Valid views.
    pub views: i64,
    /// Valid clicks.
    pub clicks: i64,
}

/// The quality and its parts, each in 1/10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quality {
    /// What it was reckoned from.
    pub counted: Counted,
    /// How often it is clicked, against most.
    pub click_bps: i64,
    /// Whether it speaks of what the visitor looks at.
    pub relevance_bps: i64,
    /// Where it leads.
    pub landing_bps: i64,
    /// All of them multiplied, within limits.
    pub quality_bps: u32,
}

impl Quality {
    /// Reckons the quality of an advertisement with these texts for a place of that name.
    #[must_use]
    pub fn reckon(
        counted: Counted,
        (title, body): (&str, &str),
        (place, landing): (&str, &str),
    ) -> Self {
        let rate = (i128::from(counted.clicks) + i128::from(PRIOR_CLICKS)) * 1_000_000
            / (i128::from(counted.views) + i128::from(PRIOR_VIEWS));
        let click = rate * i128::from(PLAIN_BPS) / i128::from(PLAIN_RATE_PPM);
        let click_bps = i64::try_from(click).unwrap_or(CLICK_BPS.1);
        let click_bps = click_bps.clamp(CLICK_BPS.0, CLICK_BPS.1);
        let speaks = |text: &str| text.to_lowercase().contains(place);
        let relevance_bps = if speaks(title) || speaks(body) {
            PLAIN_BPS
        } else {
            FAR_BPS
        };
        // A path leads into the app itself.
        let is_safe = landing.starts_with("https://") || landing.starts_with('/');
        let landing_bps = if is_safe { PLAIN_BPS } else { OPEN_LANDING_BPS };
        let whole = click_bps * relevance_bps / PLAIN_BPS * landing_bps / PLAIN_BPS;
        let whole = whole.clamp(QUALITY_BPS.0, QUALITY_BPS.1);
        Self {
            counted,
            click_bps,
            relevance_bps,
            landing_bps,
            quality_bps: u32::try_from(whole).unwrap_or(1),
        }
    }
}

/// The hour around a moment, counted from 1970.
#[must_use]
pub fn hour_of(millis: i64) -> i64 {
    millis.div_euclid(HOUR_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reckon(views: i64, clicks: i64) -> Quality {
        let counted = Counted { views, clicks };
        Quality::reckon(
            counted,
            ("Fresh fish", ""),
            ("fish", "https://shop.example"),
        )
    }

    #[test]
    fn who_is_new_is_as_good_as_most_and_few_clicks_move_little() {
        assert_eq!(reckon(0, 0).quality_bps, 10_000);
        assert_eq!(reckon(10, 1).quality_bps, 10_396);
        assert_eq!(reckon(9_000, 380).quality_bps, 20_000);
        assert_eq!(reckon(1_000_000, 0).quality_bps, 2_000);
    }

    #[test]
    fn an_advertisement_that_speaks_of_something_else_or_leads_elsewhere_counts_less() {
        let texts = ("Shoes", "of leather");
        let far = Quality::reckon(Counted::default(), texts, ("fish", "/shops/1"));
        assert_eq!((far.relevance_bps, far.quality_bps), (8_000, 8_000));
        let open = Quality::reckon(
            Counted::default(),
            texts,
            ("leather", "http://shop.example"),
        );
        assert_eq!((open.landing_bps, open.quality_bps), (8_000, 8_000));
    }
}
