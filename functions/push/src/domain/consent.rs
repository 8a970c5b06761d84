//! What people agree to be told, for which purpose and on which channel. The last word counts; where words were said at
//! one moment, the one that takes back does.

use kernel::{Message, Refusal, Timestamp};
use messaging::timing::{Consent, Purpose};

use super::Channel;

macro_rules! purposes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// For what personal data is used.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Use { $($(#[$doc])* $variant,)* }

        impl Use {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

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

purposes! {
    /// What the person started.
    Service = "service",
    /// News of the property office.
    Notice = "notice",
    /// Advertising.
    Marketing = "marketing",
    /// Advertising chosen by what the person does.
    PersonalisedAds = "personalised_ads",
    /// Handing data on to others.
    Sharing = "sharing",
}

impl Use {
    /// Whether nothing is done before it was agreed to; the others are done until they are taken back.
    #[must_use]
    pub fn needs_consent(self) -> bool {
        matches!(
            self,
            Self::Marketing | Self::PersonalisedAds | Self::Sharing
        )
    }

    /// The use of a message's purpose; an alarm needs none.
    #[must_use]
    pub fn of(purpose: Purpose) -> Option<Self> {
        match purpose {
            Purpose::Safety => None,
            Purpose::Service => Some(Self::Service),
            Purpose::Notice => Some(Self::Notice),
            Purpose::Marketing => Some(Self::Marketing),
        }
    }
}

/// What stands for every channel.
pub const EVERY_CHANNEL: &str = "all";

/// One last word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// For what.
    pub purpose: Use,
    /// On which channel; none for all.
    pub channel: Option<Channel>,
    /// Whether it was given or taken back.
    pub given: bool,
    /// When.
    pub at: Timestamp,
}

/// Whether somebody may be told for a purpose on a channel, by what they said last.
#[must_use]
pub fn agrees(words: &[Agreement], purpose: Use, channel: Channel) -> bool {
    let of_it = words.iter().filter(|word| {
        word.purpose == purpose && word.channel.is_none_or(|named| named == channel)
    });
    let last = of_it.max_by_key(|word| (word.at, !word.given));
    last.map_or(!purpose.needs_consent(), |word| word.given)
}

/// What is to be known of a message for consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// What for.
    pub purpose: Purpose,
    /// Whether whom it is for was chosen by what they do.
    pub is_personal: bool,
}

/// Whether somebody may get a message on a channel.
#[must_use]
pub fn consent(words: &[Agreement], is_minor: bool, asked: Asked, channel: Channel) -> Consent {
    let Some(purpose) = Use::of(asked.purpose) else {
        return Consent::Given;
    };
    if asked.purpose == Purpose::Marketing && is_minor {
        return Consent::Minor;
    }
    let personal = asked.purpose == Purpose::Marketing && asked.is_personal;
    let given = agrees(words, purpose, channel)
        && (!personal || agrees(words, Use::PersonalisedAds, channel));
    if given {
        Consent::Given
    } else {
        Consent::Missing
    }
}

/// A minor cannot agree to advertising.
#[must_use]
pub fn adults_only() -> Refusal {
    Refusal::invalid(
        "adults_only",
        Message::new(
            "Only adults can agree to advertising. Confirm with `adult: true` that you are 18 or older.",
            "仅成年人可以同意接收广告，请以 adult: true 确认您已年满 18 周岁。",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(purpose: Use, channel: Option<Channel>, given: bool, at: i64) -> Agreement {
        Agreement {
            purpose,
            channel,
            given,
            at: Timestamp::from_millis(at).unwrap(),
        }
    }

    #[test]
    fn the_last_word_counts_and_taking_back_wins_a_tie() {
        let inbox = Channel::Inbox;
        let check = |words: &[Agreement]| agrees(words, Use::Marketing, inbox);
        assert!(!check(&[]));
        assert!(check(&[word(Use::Marketing, None, true, 1)]));
        assert!(!check(&[
            word(Use::Marketing, None, true, 1),
            word(Use::Marketing, Some(inbox), false, 2)
        ]));
        assert!(!check(&[
            word(Use::Marketing, Some(inbox), true, 2),
            word(Use::Marketing, None, false, 2)
        ]));
        assert!(check(&[
            word(Use::Marketing, None, false, 1),
            word(Use::Marketing, Some(inbox), true, 2)
        ]));
        assert!(agrees(&[], Use::Service, inbox));
        assert!(!agrees(
            &[word(Use::Service, None, false, 1)],
            Use::Service,
            inbox
        ));
    }

    #[test]
    fn an_alarm_needs_no_consent_and_a_minor_gets_no_advertising() {
        let given = [word(Use::Marketing, None, true, 1)];
        let asked = |purpose, is_personal| Asked {
            purpose,
            is_personal,
        };
        let check = |minor, asked| consent(&given, minor, asked, Channel::Inbox);
        assert_eq!(check(true, asked(Purpose::Safety, false)), Consent::Given);
        assert_eq!(
            check(true, asked(Purpose::Marketing, false)),
            Consent::Minor
        );
        assert_eq!(
            check(false, asked(Purpose::Marketing, false)),
            Consent::Given
        );
        assert_eq!(
            check(false, asked(Purpose::Marketing, true)),
            Consent::Missing
        );
    }
}
