//! Who is meant: an audience becomes deliveries, a page of people in each transaction; who was looked at is remembered, so
//! that a kill loses and doubles nothing.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{ActorId, PushMessageId, SubscriptionId, TenantId};
use messaging::audience::{Audience, Facts, Frozen};
use messaging::delivery::State;
use messaging::timing::{Consent, Purpose, Suppression};
use store::{Read, Tx, tx};
use wire::event::PushMessageFinished;

use crate::context::Context;
use crate::domain::{
    Agreement, Asked, Channel, Content, MessageState, Source, consent, is_held_out, paced,
};
use crate::store::deliveries::{self, NewDelivery};
use crate::store::messages::{self, PushMessage, Whom};
use crate::store::people::{self, Person};
use crate::store::ranges::{self, Range};
use crate::store::{named as names, reports};
use crate::{facts, selling};

/// How many people one transaction looks at.
pub const PAGE_PEOPLE: i64 = 250;
/// The most people of a message that is expanded where it is made.
const AT_ONCE_PEOPLE: usize = 16;
/// How long until a message is looked at again whether it is over, in milliseconds.
const LOOK_MS: i64 = 30_000;

/// A person, with all that decides on whether and how they are told.
struct Known {
    id: ActorId,
    minor: bool,
    facts: Facts,
    words: Vec<Agreement>,
    devices: Vec<(SubscriptionId, Channel)>,
}

/// All that is known of people in the order of their ids.
async fn known(
    db: &impl Read,
    tenant: &TenantId,
    people: Vec<Person>,
    now: kernel::Timestamp,
) -> anyhow::Result<Vec<Known>> {
    let (Some(first), Some(last)) = (people.first(), people.last()) else {
        return Ok(Vec::new());
    };
    let (first, last) = (first.id.clone(), last.id.clone());
    let range = Range {
        tenant,
        first: &first,
        last: &last,
        now,
    };
    let mut found: BTreeMap<ActorId, Known> = BTreeMap::new();
    for person in people {
        let facts = Facts {
            segments: person.segments.iter().cloned().collect(),
            rfm: person.rfm.clone(),
            last_active_at: person.last_active_at,
            ..Facts::default()
        };
        let known = Known {
            id: person.id.clone(),
            minor: person.minor,
            facts,
            words: Vec::new(),
            devices: Vec::new(),
        };
        found.insert(person.id, known);
    }
    for bound in ranges::memberships(db, &range).await? {
        if let Some(known) = found.get_mut(&bound.person) {
            known.facts.communities.insert(bound.community);
            known.facts.buildings.extend(bound.building);
            known.facts.roles.insert(bound.role);
        }
    }
    for (person, tag) in ranges::tags(db, &range).await? {
        if let Some(known) = found.get_mut(&person) {
            known.facts.tags.insert(tag);
        }
    }
    for (person, word) in ranges::agreements(db, &range).await? {
        if let Some(known) = found.get_mut(&person) {
            known.words.push(word);
        }
    }
    for (person, device, channel) in ranges::devices(db, &range).await? {
        if let Some(known) = found.get_mut(&person) {
            known.devices.push((device, channel));
        }
    }
    Ok(found.into_values().collect())
}

/// Whether whom a message is for is chosen by what they do.
#[must_use]
pub(crate) fn is_personal(audience: &Audience) -> bool {
    match audience {
        Audience::Tag(_)
        | Audience::Segment(_)
        | Audience::Rfm(_)
        | Audience::ActiveWithin(_)
        | Audience::NotActiveWithin(_) => true,
        Audience::And(parts) | Audience::Or(parts) => parts.iter().any(is_personal),
        Audience::Not(part) => is_personal(part),
        Audience::All | Audience::Community(_) | Audience::Building(_) | Audience::Role(_) => false,
    }
}

impl Known {
    /// The ways on which a message may go to them.
    fn ways(&self, content: &Content, is_personal: bool) -> Vec<(Option<SubscriptionId>, Channel)> {
        let asked = Asked {
            purpose: content.purpose,
            is_personal,
        };
        let inbox = std::iter::once((None, Channel::Inbox));
        let devices = self
            .devices
            .iter()
            .map(|(device, channel)| (Some(device.clone()), *channel));
        inbox
            .chain(devices)
            .filter(|(_, channel)| content.goes_over(*channel))
            .filter(|(_, channel)| {
                consent(&self.words, self.minor, asked, *channel) == Consent::Given
            })
            .collect()
    }
}

/// The people that an audience means and who agreed to be told so: how many, and which.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn frozen(
    context: &Context,
    tenant: &TenantId,
    (audience, content): (&Audience, &Content),
) -> anyhow::Result<Frozen> {
    let is_personal = is_personal(audience);
    let mut meant = BTreeSet::new();
    let mut after: Option<ActorId> = None;
    loop {
        let page = (after.as_ref(), PAGE_PEOPLE);
        let people = people::people(&context.db, tenant, page).await?;
        let Some(last) = people.last() else {
            return Ok(Frozen::of(&meant));
        };
        after = Some(last.id.clone());
        for known in known(&context.db, tenant, people, context.now).await? {
            let fits = audience.fits(&known.facts, context.now);
            if fits && !known.ways(content, is_personal).is_empty() {
                meant.insert(known.id);
            }
        }
    }
}

/// Takes a message a page of people further, or finds out that it is over; whether there is more to do now.
///
/// # Errors
/// A failure of the database.
pub async fn advance(
    context: &Context,
    tenant: &TenantId,
    id: &PushMessageId,
) -> anyhow::Result<bool> {
    tx(&context.db, tenant, async |tx| {
        let Some(mut message) = messages::message(tx, tenant, id).await? else {
            return Ok(false);
        };
        match message.state {
            MessageState::Scheduled if context.now < message.due_at => Ok(false),
            MessageState::Scheduled | MessageState::Expanding => {
                page(context, tx, &mut message).await
            }
            MessageState::Sending => {
                finish(context, tx, &mut message).await?;
                Ok(false)
            }
            MessageState::Finished | MessageState::Cancelled => Ok(false),
        }
    })
    .await
}

async fn page(context: &Context, tx: &Tx, message: &mut PushMessage) -> anyhow::Result<bool> {
    if message.state == MessageState::Scheduled && message.source == Source::Order {
        selling::begins(context, tx, &message.id).await?;
    }
    let people = match &message.whom {
        Whom::Audience(_) => {
            let page = (message.cursor.as_ref(), PAGE_PEOPLE);
            let people = people::people(tx, tx.tenant(), page).await?;
            known(tx, tx.tenant(), people, context.now).await?
        }
        Whom::People(all) => named(tx, all, message.cursor.as_ref()).await?,
    };
    let is_last = i64::try_from(people.len())? < PAGE_PEOPLE;
    let cursor = people.last().map(|known| known.id.clone());
    let audience = match &message.whom {
        Whom::Audience(audience) => Some(Audience::parse(audience)?),
        Whom::People(_) => None,
    };
    let mut new = Vec::new();
    for known in people {
        let fits = audience
            .as_ref()
            .is_none_or(|audience| audience.fits(&known.facts, context.now));
        if fits {
            of_person(context, message, &known, &mut new)?;
        }
    }
    let times = (message.expires_at, context.now);
    deliveries::insert_many(tx, &message.id, &new, times).await?;
    message.cursor = cursor.or(message.cursor.take());
    message.state = MessageState::Expanding;
    if is_last {
        message.state = MessageState::Sending;
        if !deliveries::is_open(tx, &message.id).await? {
            finish(context, tx, message).await?;
            return Ok(false);
        }
    }
    messages::advance(tx, message, Some(context.now)).await?;
    Ok(!is_last)
}

/// What a message that is due tells few people by name, found out where the message is made: what an event tells a
/// household needs one transaction from the log to the inbox. Other messages are expanded later.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn at_once(
    context: &Context,
    tx: &Tx,
    message: &mut PushMessage,
) -> anyhow::Result<Vec<NewDelivery>> {
    let mut new = Vec::new();
    let people = match &message.whom {
        Whom::People(all)
            if message.source == Source::Event
                && all.len() <= AT_ONCE_PEOPLE
                && message.due_at <= context.now =>
        {
            named(tx, all, None).await?
        }
        _ => return Ok(new),
    };
    for known in people {
        of_person(context, message, &known, &mut new)?;
    }
    let is_open = new
        .iter()
        .any(|delivery| matches!(delivery.state, State::Queued { .. }));
    message.state = match is_open {
        true => MessageState::Sending,
        false => MessageState::Finished,
    };
    message.finished_at = (!is_open).then_some(context.now);
    Ok(new)
}

/// What is told of a message of which nothing is on its way right after it was made.
pub(crate) fn finished(message: &PushMessageId, new: &[NewDelivery]) -> PushMessageFinished {
    let count = |is: fn(&State) -> bool| {
        let found = new.iter().filter(|delivery| is(&delivery.state)).count();
        i64::try_from(found).unwrap_or(i64::MAX)
    };
    PushMessageFinished {
        message: message.clone(),
        deliveries: count(|_| true),
        sent: count(|state| matches!(state, State::Delivered)),
        suppressed: count(|state| matches!(state, State::Suppressed { .. })),
        failed: 0,
    }
}

/// The next page of people that are named.
async fn named(tx: &Tx, all: &[ActorId], cursor: Option<&ActorId>) -> anyhow::Result<Vec<Known>> {
    let sorted: BTreeSet<&ActorId> = all.iter().collect();
    let rest = sorted
        .into_iter()
        .filter(|id| cursor.is_none_or(|cursor| *id > cursor));
    let page: Vec<&ActorId> = rest.take(usize::try_from(PAGE_PEOPLE)?).collect();
    let mut known = names::named(tx, &page).await?;
    let mut found = Vec::with_capacity(page.len());
    for id in page {
        let of = known.remove(id).unwrap_or_default();
        if of.minor.is_none() {
            people::meet(tx, id).await?;
        }
        found.push(Known {
            id: id.clone(),
            minor: of.minor.unwrap_or_default(),
            facts: Facts::default(),
            words: of.words,
            devices: of.devices,
        });
    }
    Ok(found)
}

/// The deliveries of a message to one person.
fn of_person(
    context: &Context,
    message: &mut PushMessage,
    known: &Known,
    new: &mut Vec<NewDelivery>,
) -> anyhow::Result<()> {
    let ways = known.ways(&message.content, message.personal);
    if ways.is_empty() {
        return Ok(());
    }
    let person = &known.id;
    let due_at = paced(
        message.due_at.max(context.now),
        message.meant,
        message.per_minute,
    );
    message.meant += 1;
    let group = &message.reference;
    let is_held_out = is_held_out(
        group.split('/').next().unwrap_or(group),
        person.as_str(),
        message.hold_out_bps,
    );
    for (device, channel) in ways {
        let state = match (is_held_out, channel, message.content.purpose) {
            (true, _, _) => State::Suppressed {
                reason: Suppression::HoldOut,
            },
            // The list in the app disturbs nobody: only advertising waits for its hour.
            (false, Channel::Inbox, Purpose::Safety | Purpose::Service | Purpose::Notice) => {
                State::Delivered
            }
            _ => State::Queued { due_at },
        };
        let tries = u32::from(matches!(state, State::Delivered));
        new.push(NewDelivery {
            id: context.new_id()?,
            person: person.clone(),
            device,
            channel,
            state,
            tries,
        });
    }
    Ok(())
}

/// A message of which nothing is on its way is over; what a merchant paid for is settled.
async fn finish(context: &Context, tx: &Tx, message: &mut PushMessage) -> anyhow::Result<()> {
    if deliveries::is_open(tx, &message.id).await? {
        let look = context.now.plus_millis(LOOK_MS);
        return messages::advance(tx, message, Some(look)).await;
    }
    message.state = MessageState::Finished;
    message.finished_at = Some(context.now);
    messages::advance(tx, message, None).await?;
    let parts = reports::funnel_of(tx, &message.id).await?;
    let sum = |of: fn(&reports::Part) -> i64| parts.iter().map(of).sum();
    let in_state = |states: &[&str]| {
        let fitting = parts
            .iter()
            .filter(|part| states.contains(&part.state.as_str()));
        fitting.map(|part| part.deliveries).sum()
    };
    let fact = PushMessageFinished {
        message: message.id.clone(),
        deliveries: sum(|part| part.deliveries),
        sent: sum(|part| part.sent),
        suppressed: in_state(&["suppressed"]),
        failed: in_state(&["dead", "gone"]),
    };
    facts::append(context, tx, &fact).await?;
    match message.source {
        Source::Order => selling::settle(context, tx, &message.id).await,
        Source::Api | Source::Event | Source::Plan => Ok(()),
    }
}
