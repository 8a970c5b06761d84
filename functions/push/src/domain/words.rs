//! Words of the wire and the database.

use messaging::timing::Purpose;

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

        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                Self::parse(&text).ok_or_else(|| {
                    let known: Vec<&str> = Self::ALL.iter().map(|word| word.as_str()).collect();
                    format!("it is one of {}", known.join(", "))
                })
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<From: serde::Deserializer<'de>>(from: From) -> Result<Self, From::Error> {
                let text = <String as serde::Deserialize>::deserialize(from)?;
                Self::try_from(text).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

words! {
    /// On which way somebody is told.
    Channel {
        /// The list of messages in the app (我的消息).
        Inbox = "inbox",
        /// A browser's push service.
        WebPush = "web_push",
        /// An app's push service that takes the same requests.
        UnifiedPush = "unified_push",
        /// A topic under `/n/`.
        Ntfy = "ntfy",
        /// JPush (极光推送).
        Jpush = "jpush",
        /// A service of the person's own.
        Webhook = "webhook",
    }
    /// Who wrote a message.
    Source {
        /// A caller of the interface.
        Api = "api",
        /// An event of another capability.
        Event = "event",
        /// A plan.
        Plan = "plan",
        /// A push that a merchant pays for.
        Order = "order",
    }
    /// How far a message is.
    MessageState {
        /// Its time has not come.
        Scheduled = "scheduled",
        /// It is being found out whom it is for.
        Expanding = "expanding",
        /// It is on its way.
        Sending = "sending",
        /// Nothing of it is on its way any more.
        Finished = "finished",
        /// Somebody stopped it.
        Cancelled = "cancelled",
    }
    /// How a device stands.
    DeviceState {
        /// It is told.
        Active = "active",
        /// Somebody took it out.
        Removed = "removed",
        /// Its service says that it does not exist any more.
        Gone = "gone",
    }
    /// What language somebody reads.
    Tongue {
        /// Simplified Chinese.
        Chinese = "zh",
        /// English.
        English = "en",
    }
    /// How a plan stands.
    PlanState {
        /// It runs.
        Active = "active",
        /// It waits.
        Paused = "paused",
        /// It runs no more.
        Ended = "ended",
    }
}

/// The name of a purpose.
#[must_use]
pub fn purpose_name(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Safety => "safety",
        Purpose::Service => "service",
        Purpose::Notice => "notice",
        Purpose::Marketing => "marketing",
    }
}

/// The purpose of that name.
#[must_use]
pub fn purpose(text: &str) -> Option<Purpose> {
    [
        Purpose::Safety,
        Purpose::Service,
        Purpose::Notice,
        Purpose::Marketing,
    ]
    .into_iter()
    .find(|known| purpose_name(*known) == text)
}
