//! What became of what was sent: answers of services, receipts of devices, and messages that somebody stopped.

use std::collections::BTreeMap;
use std::iter;

use kernel::{DeliveryId, Refusal, SubscriptionId, WebhookId};
use messaging::delivery::{Attempt, Breaker, Delivery, Outcome, Proof};
use store::{Tx, tx};
use wire::event::{PushAlarmRaised, PushDeviceChanged, PushWebhookChanged};

use crate::carrying::{Carriers, Health, Parcel, Verdict};
use crate::context::{Context, random_number};
use crate::courier::all;
use crate::domain::{Channel, DeviceState, MessageState};
use crate::facts;
use crate::store::moves::{self, Move};
use crate::store::{deliveries, devices, messages, origins};

/// How long nobody is told again that a service does not believe us, in milliseconds.
const ALARM_MS: i64 = 86_400_000;

/// Sends parcels, all at once, and records what became of them.
pub(super) async fn carry(
    context: &Context,
    carriers: &mut Carriers<'_>,
    parcels: Vec<Parcel>,
) -> anyhow::Result<()> {
    let Some(tenant) = parcels.first().map(|parcel| parcel.tenant.clone()) else {
        return Ok(());
    };
    let mut calls = Vec::with_capacity(parcels.len());
    for parcel in &parcels {
        let call = carriers.call(parcel, context.now);
        calls.push(async move {
            match call {
                Ok(call) => Some(context.courier.post(call).await),
                Err(error) => {
                    let what = format!("{} cannot be carried: {error:#}", parcel.delivery);
                    web::log("warn", "-", &what);
                    None
                }
            }
        });
    }
    let answers = all(calls).await;
    let verdicts: Vec<(Parcel, Verdict)> = parcels
        .into_iter()
        .zip(answers)
        .map(|(parcel, answer)| {
            let verdict = match answer {
                None => Verdict::hopeless(),
                Some(Err(error)) => {
                    web::log("warn", "-", &format!("{}: {error:#}", parcel.to.origin));
                    Verdict::unanswered()
                }
                Some(Ok(answered)) => carriers.verdict(parcel.channel, &answered, context.now),
            };
            (parcel, verdict)
        })
        .collect();
    tx(&context.db, &tenant, async |tx| {
        let mut breakers: BTreeMap<&str, Breaker> = BTreeMap::new();
        let ids = verdicts.iter().map(|(parcel, _)| &parcel.delivery);
        let standing = moves::standing(tx, ids).await?;
        moves::store(tx, &attempted(context, &standing, &verdicts)?, context.now).await?;
        for (parcel, verdict) in &verdicts {
            let origin = parcel.to.origin.as_str();
            let breaker = match breakers.get(origin) {
                Some(breaker) => *breaker,
                None => origins::breaker(tx, origin).await?,
            };
            let breaker = match verdict.health {
                Health::Well => breaker.answered(),
                Health::Ill => breaker.failed(context.now),
                Health::Busy(until) => breaker.told_to_wait(until),
            };
            breakers.insert(origin, breaker);
            if standing.contains_key(&parcel.delivery) {
                heed(context, tx, (parcel, verdict)).await?;
            }
        }
        for (origin, breaker) in &breakers {
            origins::put(tx, origin, *breaker).await?;
        }
        Ok(())
    })
    .await
}

/// What becomes of deliveries by what services answered.
fn attempted(
    context: &Context,
    standing: &BTreeMap<DeliveryId, Delivery>,
    verdicts: &[(Parcel, Verdict)],
) -> anyhow::Result<Vec<Move>> {
    let mut moves = Vec::with_capacity(verdicts.len());
    for (parcel, verdict) in verdicts {
        // Who was forgotten in the meantime has no deliveries.
        let Some(before) = standing.get(&parcel.delivery) else {
            continue;
        };
        let attempt = Attempt {
            number: parcel.number,
            at: context.now,
            random: random_number()?,
            outcome: verdict.outcome,
        };
        let after = before.attempted(&attempt);
        // What another try settled first stays as it is.
        if after != *before {
            moves.push(Move {
                id: parcel.delivery.clone(),
                delivery: after,
                is_leased: false,
            });
        }
    }
    Ok(moves)
}

/// What an answer says of the device and of the service.
async fn heed(
    context: &Context,
    tx: &Tx,
    (parcel, verdict): (&Parcel, &Verdict),
) -> anyhow::Result<()> {
    if verdict.outcome == Outcome::Gone {
        gone(context, tx, parcel).await?;
    }
    if verdict.alarms {
        alarm(context, tx, &parcel.to.origin).await?;
    }
    Ok(())
}

/// The service says that a device does not exist any more: only this ends it.
async fn gone(context: &Context, tx: &Tx, parcel: &Parcel) -> anyhow::Result<()> {
    let device = SubscriptionId::parse(&parcel.device)?;
    let ended = (DeviceState::Gone, context.now);
    let Some(person) = devices::end(tx, &device, ended).await? else {
        return Ok(());
    };
    deliveries::drop_device(tx, &device).await?;
    if parcel.channel == Channel::Webhook {
        let fact = PushWebhookChanged {
            webhook: WebhookId::parse(&parcel.device)?,
            owner: person,
            state: "disabled".to_owned(),
            actor: None,
        };
        return facts::append(context, tx, &fact).await;
    }
    let fact = PushDeviceChanged {
        device,
        person,
        channel: parcel.channel.as_str().to_owned(),
        state: DeviceState::Gone.as_str().to_owned(),
    };
    facts::append(context, tx, &fact).await
}

/// A service does not believe us: told once a day, and nothing is deleted.
async fn alarm(context: &Context, tx: &Tx, origin: &str) -> anyhow::Result<()> {
    let since = context.now.plus_millis(-ALARM_MS);
    if !origins::alarm(tx, origin, (context.now, since)).await? {
        return Ok(());
    }
    web::log("error", "-", &format!("{origin} does not believe us"));
    let fact = PushAlarmRaised {
        kind: "sender_refused".to_owned(),
        origin: origin.to_owned(),
        at: context.now,
    };
    facts::append(context, tx, &fact).await
}

/// What a device tells of a delivery; whether there is such a one that was tried.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn proved(
    context: &Context,
    tx: &Tx,
    id: &DeliveryId,
    proof: Proof,
) -> anyhow::Result<bool> {
    let Some(standing) = moves::standing(tx, iter::once(id)).await?.remove(id) else {
        return Ok(false);
    };
    let Ok(delivery) = standing.proved(proof) else {
        return Ok(false);
    };
    if delivery != standing {
        let proved = Move {
            id: id.clone(),
            delivery,
            is_leased: false,
        };
        moves::store(tx, &[proved], context.now).await?;
    }
    Ok(true)
}

/// Stops what of a message waits; what was sent stays sent.
///
/// # Errors
/// 409 for one that is over; a failure of the database.
pub(crate) async fn cancel(
    context: &Context,
    tx: &Tx,
    message: &mut messages::PushMessage,
) -> anyhow::Result<()> {
    if matches!(
        message.state,
        MessageState::Finished | MessageState::Cancelled
    ) {
        let state = message.state.as_str();
        return Err(Refusal::conflict(
            "push_message_state",
            kernel::Message::new(
                format!("The message is {state}: there is nothing to stop."),
                format!("该消息当前为 {state}，无法取消。"),
            ),
        )
        .into());
    }
    message.state = MessageState::Cancelled;
    message.finished_at = Some(context.now);
    deliveries::cancel(tx, &message.id).await?;
    messages::advance(tx, message, None).await
}
