//! On the way: what is due is leased in one transaction, sent outside of any, and recorded in another. Consent, hours and
//! caps are asked at each lease; whoever was killed in between leaves a lease that runs out.

mod recording;

use std::collections::{BTreeMap, BTreeSet};

use kernel::{ActorId, TenantId};
use messaging::delivery::{Attempt, Breaker, Delivery, Lease, Outcome, Proof, State};
use messaging::ntfy;
use messaging::timing::{
    Addressee, Consent, MarketingRules, Occasion, Purpose, Suppression, Timing, timing,
};
use store::{Tx, tx};

pub(crate) use recording::{cancel, proved};

use crate::carrying::{Carriers, Parcel};
use crate::context::Context;
use crate::domain::{
    Agreement, Asked, Channel, DeviceState, Marked, MessageState, Terms, body, consent, title,
};
use crate::store::deliveries::{self, Due};
use crate::store::moves::{self, Move};
use crate::store::{notes, origins, terms};

/// How many deliveries one transaction leases.
pub const ROUND_DELIVERIES: i64 = 64;
/// The most rounds of one tick.
pub const ROUNDS_MAX: usize = 60;
/// How long a lease holds, in milliseconds: longer than a tick lasts.
pub const LEASE_MS: i64 = 120_000;
/// How long marketing counts, in milliseconds.
pub const MARKETING_MS: i64 = 8 * 86_400_000;
/// How long notes are kept, in milliseconds: 12 hours, as ntfy does.
pub const NOTE_MS: i64 = 12 * 3_600_000;

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moved {
    /// Deliveries that were looked at.
    pub looked: usize,
    /// Requests that were made.
    pub sent: usize,
    /// Whether more is due.
    pub more: bool,
}

/// Sends what is due at all tenants.
///
/// # Errors
/// A failure of the database; what was leased is tried again when its lease has run out.
pub(crate) async fn deliver(context: &Context) -> anyhow::Result<Moved> {
    let mut moved = Moved::default();
    let mut carriers = Carriers::of(context);
    let (mut after, mut rounds) = (None::<TenantId>, 0);
    while let Some((tenant, due_at)) = deliveries::next_tenant(&context.db, after.as_ref()).await? {
        after = Some(tenant.clone());
        if due_at > context.now {
            continue;
        }
        loop {
            if rounds == ROUNDS_MAX {
                moved.more = true;
                return Ok(moved);
            }
            rounds += 1;
            let (looked, parcels) = lease(context, &tenant).await?;
            moved.looked += looked;
            moved.sent += parcels.len();
            recording::carry(context, &mut carriers, parcels).await?;
            // A round that is not full has seen all that is due.
            if i64::try_from(looked)? < ROUND_DELIVERIES {
                break;
            }
        }
    }
    Ok(moved)
}

/// Leases what is due at one tenant's: how many were looked at, and what is to be sent.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn lease(
    context: &Context,
    tenant: &TenantId,
) -> anyhow::Result<(usize, Vec<Parcel>)> {
    tx(&context.db, tenant, async |tx| {
        let due = deliveries::due(tx, (context.now, ROUND_DELIVERIES)).await?;
        let (terms, _) = terms::terms(tx, tenant).await?;
        let people: BTreeSet<&ActorId> = due.iter().map(|one| &one.person).collect();
        let mut round = Round {
            context,
            rules: terms.marketing()?,
            terms,
            words: moves::agreements(tx, people.into_iter()).await?,
            breakers: BTreeMap::new(),
            moves: Vec::with_capacity(due.len()),
            parcels: Vec::new(),
        };
        let looked = due.len();
        for one in due {
            round.decide(tx, one).await?;
        }
        moves::store(tx, &round.moves, context.now).await?;
        for (origin, breaker) in &round.breakers {
            origins::put(tx, origin, *breaker).await?;
        }
        Ok((looked, round.parcels))
    })
    .await
}

/// One transaction's leases.
struct Round<'a> {
    context: &'a Context,
    terms: Terms,
    rules: MarketingRules,
    /// What those who are to be told said last.
    words: BTreeMap<ActorId, Vec<Agreement>>,
    breakers: BTreeMap<String, Breaker>,
    moves: Vec<Move>,
    parcels: Vec<Parcel>,
}

impl Round<'_> {
    async fn decide(&mut self, tx: &Tx, due: Due) -> anyhow::Result<()> {
        let now = self.context.now;
        let mut waits = due.delivery.clone();
        if let State::Leased { until } = waits.state {
            // Nobody told what became of it: it waits again, and its try counts.
            waits.state = State::Queued { due_at: until };
        }
        if let Some(other) = self.instead(tx, &due, &waits).await? {
            self.stand(&due, other);
            return Ok(());
        }
        if let Some(until) = self.left_in_peace(tx, &due).await? {
            self.stand(&due, waits.defer(until).map_err(impossible)?);
            return Ok(());
        }
        match waits.lease(now, LEASE_MS) {
            Lease::Taken(taken) => self.take(tx, due, taken).await,
            Lease::Ended(ended) => {
                self.stand(&due, ended);
                Ok(())
            }
            Lease::NotYet(_) | Lease::Settled => Ok(()),
        }
    }

    /// A delivery stands like this from now on.
    fn stand(&mut self, due: &Due, delivery: Delivery) {
        self.moves.push(Move {
            id: due.id.clone(),
            delivery,
            is_leased: false,
        });
    }

    /// What becomes of a delivery that is not to be tried now.
    async fn instead(
        &self,
        tx: &Tx,
        due: &Due,
        waits: &Delivery,
    ) -> anyhow::Result<Option<Delivery>> {
        let suppressed = |reason| waits.suppress(reason).map(Some).map_err(impossible);
        if due.message_state == MessageState::Cancelled {
            return suppressed(Suppression::Cancelled);
        }
        let is_reachable = match (&due.to, due.channel) {
            (_, Channel::Inbox) => true,
            (Some(to), _) => to.state == DeviceState::Active,
            (None, _) => false,
        };
        if !is_reachable {
            return Ok(Some(Delivery {
                state: State::Gone,
                ..waits.clone()
            }));
        }
        let words = self.words.get(&due.person).map_or(&[][..], Vec::as_slice);
        let asked = Asked {
            purpose: due.content.purpose,
            is_personal: due.personal,
        };
        let consent = consent(words, due.minor, asked, due.channel);
        match consent {
            Consent::Given => {}
            Consent::Missing => return suppressed(Suppression::NoConsent),
            Consent::Minor => return suppressed(Suppression::Minor),
        }
        match self.when(tx, due, consent).await? {
            Timing::Now => Ok(None),
            Timing::At(moment) => waits.defer(moment).map(Some).map_err(impossible),
            Timing::Never(reason) => suppressed(reason),
        }
    }

    async fn when(&self, tx: &Tx, due: &Due, consent: Consent) -> anyhow::Result<Timing> {
        let now = self.context.now;
        let zone = due.zone.unwrap_or(self.terms.zone);
        let marketing = match due.content.purpose {
            Purpose::Marketing => {
                let since = now.plus_millis(-MARKETING_MS);
                deliveries::marketing(tx, (&due.person, &due.message), since).await?
            }
            _ => Vec::new(),
        };
        let occasion = Occasion {
            purpose: due.content.purpose,
            now,
            expires_at: due.delivery.expires_at,
        };
        let own = due.own_quiet.as_ref();
        let own = own.map(|quiet| quiet.hours(zone)).transpose()?;
        let person = Addressee {
            zone,
            quiet: own,
            consent,
            marketing: &marketing,
        };
        let found = timing(&occasion, &person, &self.rules);
        let (Timing::Now, Some((quiet, zone))) = (found, &due.quiet) else {
            return Ok(found);
        };
        let person = Addressee {
            quiet: Some(quiet.hours(*zone)?),
            ..person
        };
        Ok(timing(&occasion, &person, &self.rules))
    }

    /// Until when the service of a delivery is left in peace.
    async fn left_in_peace(
        &mut self,
        tx: &Tx,
        due: &Due,
    ) -> anyhow::Result<Option<kernel::Timestamp>> {
        let Some(origin) = due
            .to
            .as_ref()
            .map(|to| &to.origin)
            .filter(|origin| !origin.is_empty())
        else {
            return Ok(None);
        };
        let breaker = match self.breakers.get(origin) {
            Some(breaker) => *breaker,
            None => origins::breaker(tx, origin).await?,
        };
        match breaker.admit(self.context.now) {
            Ok(admitted) => {
                self.breakers.insert(origin.clone(), admitted);
                Ok(None)
            }
            Err(until) => Ok(Some(until)),
        }
    }

    async fn take(&mut self, tx: &Tx, due: Due, taken: Delivery) -> anyhow::Result<()> {
        let now = self.context.now;
        if due.content.purpose == Purpose::Marketing {
            deliveries::put_marketing(tx, (&due.person, &due.message), now).await?;
        }
        let id = due.id.clone();
        let delivery = match due.channel {
            Channel::Inbox => taken.proved(Proof::Delivered).map_err(impossible)?,
            Channel::Ntfy => {
                self.publish(tx, &due).await?;
                taken.attempted(&Attempt {
                    number: taken.tries,
                    at: now,
                    random: 0,
                    outcome: Outcome::Accepted,
                })
            }
            _ => {
                self.parcels.extend(self.parcel(tx.tenant(), due, &taken)?);
                taken
            }
        };
        // It was leased, whatever becomes of it.
        self.moves.push(Move {
            id,
            delivery,
            is_leased: true,
        });
        Ok(())
    }

    fn marked(&self, tenant: &TenantId, due: &Due) -> anyhow::Result<Marked> {
        let keys = &self.context.keys;
        let stop = keys.stop_token(tenant, &due.person)?;
        Ok(Marked {
            id: due.id.to_string(),
            receipt: keys.receipt(tenant, &due.id)?,
            stop: format!("{}/api/unsubscriptions/{stop}", self.context.public_url),
        })
    }

    fn parcel(
        &self,
        tenant: &TenantId,
        due: Due,
        taken: &Delivery,
    ) -> anyhow::Result<Option<Parcel>> {
        let marked = self.marked(tenant, &due)?;
        let (Some(to), Some(device)) = (due.to, due.device) else {
            return Ok(None);
        };
        Ok(Some(Parcel {
            tenant: tenant.clone(),
            delivery: due.id,
            message: due.message,
            device: device.to_string(),
            channel: due.channel,
            to,
            content: due.content,
            language: due.language,
            marked,
            expires_at: taken.expires_at,
            number: taken.tries,
        }))
    }

    /// Puts a message on the person's topic, where clients of ntfy poll it.
    async fn publish(&self, tx: &Tx, due: &Due) -> anyhow::Result<()> {
        let Some(to) = &due.to else {
            return Ok(());
        };
        let now = self.context.now;
        let mut text = body(&due.content, due.language).to_owned();
        if due.content.purpose == Purpose::Marketing {
            let stop = self.marked(tx.tenant(), due)?.stop;
            text = format!("{}：{text}\n退订 / stop: {stop}", due.content.sender);
        }
        let until = now.plus_millis(NOTE_MS);
        let id = ntfy::MessageId::of(u128::from_be_bytes(crate::context::random()?));
        let line = ntfy::Message {
            id: id.clone(),
            time: now.millis().div_euclid(1_000),
            expires: Some(until.millis().div_euclid(1_000)),
            event: ntfy::Event::Message,
            topic: to.address.clone(),
            title: Some(title(&due.content, due.language)),
            message: Some(text),
            priority: (due.content.purpose == Purpose::Safety).then_some(5),
            tags: Vec::new(),
            click: due
                .content
                .url
                .clone()
                .filter(|url| url.starts_with("https")),
            icon: None,
            actions: Vec::new(),
            content_type: None,
            encoding: None,
        };
        let note = notes::Note {
            topic: &to.address,
            id: id.as_str(),
            at: now,
            expires_at: until,
            line: &line.to_line(),
        };
        notes::publish(tx, &note).await
    }
}

/// The machine of deliveries said no where it cannot.
fn impossible(refused: messaging::delivery::NotAllowed) -> anyhow::Error {
    anyhow::anyhow!("a delivery that waits is {}", refused.state)
}
