//! How each channel's services are spoken to: what is posted, and what an answer means. Web Push and UnifiedPush are one,
//! webhooks another, JPush the third; APNs and FCM would each be one more [`Carrier`].

mod jpush;
mod web_push;
mod webhooks;

use std::collections::BTreeMap;

use kernel::{DeliveryId, PushMessageId, TenantId, Timestamp};
use messaging::delivery::{Death, Outcome};

pub use jpush::Jpush;
use web_push::WebPush;
use webhooks::Webhooks;

use crate::context::Context;
use crate::courier::{Answered, Call};
use crate::domain::{Channel, Content, Marked, Tongue};
use crate::store::deliveries::To;

/// What is to be carried.
pub(crate) struct Parcel {
    pub(crate) tenant: TenantId,
    pub(crate) delivery: DeliveryId,
    pub(crate) message: PushMessageId,
    pub(crate) device: String,
    pub(crate) channel: Channel,
    pub(crate) to: To,
    pub(crate) content: Content,
    pub(crate) language: Tongue,
    pub(crate) marked: Marked,
    pub(crate) expires_at: Timestamp,
    /// The number of this try.
    pub(crate) number: u32,
}

impl Parcel {
    /// For how long it still holds, in seconds.
    pub(crate) fn ttl_seconds(&self, now: Timestamp) -> u32 {
        let left = self.expires_at.millis_since(now).max(0) / 1_000;
        let most = messaging::webpush::TTL_SECONDS_MAX;
        u32::try_from(left).map_or(most, |left| left.min(most))
    }
}

/// How a service does, as its answer shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    /// Well, whatever it thinks of the message.
    Well,
    /// It failed, or did not answer.
    Ill,
    /// It asks for peace until then.
    Busy(Timestamp),
}

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) outcome: Outcome,
    pub(crate) health: Health,
    /// The service does not believe us: somebody has to look.
    pub(crate) alarms: bool,
}

impl Verdict {
    /// It can never be carried.
    pub(crate) fn hopeless() -> Self {
        Self {
            outcome: Outcome::Hopeless(Death::Refused),
            health: Health::Well,
            alarms: false,
        }
    }

    /// Nobody answered.
    pub(crate) fn unanswered() -> Self {
        Self {
            outcome: Outcome::Again(None),
            health: Health::Ill,
            alarms: false,
        }
    }
}

/// A way to speak to a channel's services.
pub(crate) trait Carrier {
    /// The request that carries a parcel.
    ///
    /// # Errors
    /// When it can never be carried: keys that are none, a message that is too long.
    fn call(&mut self, parcel: &Parcel, now: Timestamp) -> anyhow::Result<Call>;

    /// What an answer means.
    fn verdict(&self, answered: &Answered, now: Timestamp) -> Verdict;
}

/// The carriers of one tick: tokens for services are made once.
pub(crate) struct Carriers<'a> {
    web_push: Option<WebPush<'a>>,
    webhooks: Webhooks<'a>,
    jpush: Option<&'a Jpush>,
}

impl<'a> Carriers<'a> {
    pub(crate) fn of(context: &'a Context) -> Self {
        Self {
            web_push: context.keys.sender().map(|sender| WebPush {
                sender,
                reach: context.reach,
                tokens: BTreeMap::new(),
            }),
            webhooks: Webhooks {
                keys: &context.keys,
                reach: context.reach,
            },
            jpush: context.jpush.as_ref(),
        }
    }

    /// The request that carries a parcel.
    ///
    /// # Errors
    /// As [`Carrier::call`]; a channel that is not set up here.
    pub(crate) fn call(&mut self, parcel: &Parcel, now: Timestamp) -> anyhow::Result<Call> {
        match parcel.channel {
            Channel::WebPush | Channel::UnifiedPush => match &mut self.web_push {
                Some(carrier) => carrier.call(parcel, now),
                None => anyhow::bail!("no push_contact is set"),
            },
            Channel::Webhook => self.webhooks.call(parcel, now),
            Channel::Jpush => match self.jpush {
                Some(carrier) => jpush::Carries(carrier).call(parcel, now),
                None => anyhow::bail!("no account at JPush is set"),
            },
            Channel::Inbox | Channel::Ntfy => {
                anyhow::bail!("{} is delivered here", parcel.channel.as_str())
            }
        }
    }

    /// What an answer means.
    pub(crate) fn verdict(&self, channel: Channel, answered: &Answered, now: Timestamp) -> Verdict {
        match (channel, &self.web_push, self.jpush) {
            (Channel::Webhook, _, _) => self.webhooks.verdict(answered, now),
            (Channel::Jpush, _, Some(carrier)) => jpush::Carries(carrier).verdict(answered, now),
            (_, Some(carrier), _) => carrier.verdict(answered, now),
            _ => Verdict::hopeless(),
        }
    }
}
