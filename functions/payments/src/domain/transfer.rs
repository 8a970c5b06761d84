//! A transfer: money that goes out under one number, asked for until the channel says what became of it. What is not
//! answered is unknown and never failed: the same number again is the same transfer there.

use kernel::{Money, Timestamp, TransferId};

use super::Channel;

/// The longest time between two questions, in milliseconds: half an hour. A transfer is asked for until it has ended.
const ASK_MS_MAX: i64 = 30 * 60 * 1_000;
/// The first time between two questions, in milliseconds.
const ASK_MS: i64 = 10_000;

/// Money on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Its id, chosen by the capability that asks.
    pub id: TransferId,
    /// What it is for.
    pub purpose: String,
    /// The asking capability's own id.
    pub reference: String,
    /// Over what.
    pub channel: Channel,
    /// What the channel knows it by: always this one.
    pub number: String,
    /// Whom the channel knows by that name.
    pub payee: String,
    /// What the payee is called.
    pub name: String,
    /// How much.
    pub amount: Money,
    /// Why, for the payee.
    pub remark: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// How it stands.
    pub state: TransferState,
    /// When the channel is asked next.
    pub due_at: Option<Timestamp>,
    /// How often it was asked.
    pub tries: u32,
}

/// How a transfer stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferState {
    /// Not known whether the channel has it.
    Requested,
    /// The channel works on it.
    Sent,
    /// The payee has to say yes.
    Waiting {
        /// What the payee's app opens.
        confirmation: String,
    },
    /// The money is with the payee.
    Succeeded {
        /// What the channel calls it.
        channel_transfer: String,
        /// When.
        at: Timestamp,
    },
    /// The channel will not do it.
    Failed {
        /// The stable code of the reason.
        reason: String,
        /// When that was known.
        at: Timestamp,
    },
}

impl TransferState {
    /// The name in the database.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Sent => "sent",
            Self::Waiting { .. } => "waiting",
            Self::Succeeded { .. } => "succeeded",
            Self::Failed { .. } => "failed",
        }
    }

    /// Whether nothing changes any more.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Succeeded { .. } | Self::Failed { .. })
    }
}

/// When the channel is asked again: ever more rarely, and without an end.
#[must_use]
pub fn next_ask(tries: u32, now: Timestamp) -> Timestamp {
    let wait = ASK_MS << tries.min(12);
    now.plus_millis(wait.min(ASK_MS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_asked_ever_more_rarely_and_never_given_up() {
        let now = Timestamp::EPOCH;
        for (tries, seconds) in [(0, 10), (1, 20), (7, 1_280), (8, 1_800), (u32::MAX, 1_800)] {
            assert_eq!(next_ask(tries, now), now.plus_millis(seconds * 1_000));
        }
    }
}
