//! What other capabilities recorded: rooms and who lives there, usage, what meters took, and what became of payments.

use anyhow::Context as _;
use kernel::TenantId;
use store::Tx;
use store::events::{Consumer, Drained, Recorded, concerns, drain, waiting};
use wire::event::{
    BindingEnded, BindingStarted, CommunityChanged, Event, MeterRecharged, PaymentClosed,
    PaymentSucceeded, PersonAliased, PersonErased, RefundFailed, RefundSucceeded, RoomChanged,
    UsageClosed,
};

use crate::context::Context;
use crate::store::{known, people, usages};
use crate::{crediting, paying, recharging, refunding, settling};

/// The consumer, and what it hears.
pub const CONSUMER: Consumer<'static> = Consumer {
    name: "fees",
    kinds: &[
        CommunityChanged::KIND,
        RoomChanged::KIND,
        BindingStarted::KIND,
        BindingEnded::KIND,
        PersonAliased::KIND,
        PersonErased::KIND,
        UsageClosed::KIND,
        MeterRecharged::KIND,
        PaymentSucceeded::KIND,
        PaymentClosed::KIND,
        RefundSucceeded::KIND,
        RefundFailed::KIND,
    ],
};

/// How often a run looks for more before it asks to be tried again.
const CATCH_UPS_MAX: usize = 4;

/// Handles what waits for all tenants.
///
/// # Errors
/// A failure of the database.
pub async fn take_all(context: &Context) -> anyhow::Result<Drained> {
    let mut done = Drained::default();
    for tenant in waiting(&context.db, CONSUMER.name).await? {
        done += take(context, &tenant).await?;
    }
    Ok(done)
}

/// Handles what waits for one tenant, so that a request finds what was recorded right before it.
///
/// # Errors
/// A failure of the database.
pub async fn catch_up(context: &Context, tenant: &TenantId) -> anyhow::Result<Drained> {
    if concerns(&context.db, tenant, CONSUMER).await? {
        return take(context, tenant).await;
    }
    Ok(Drained::default())
}

/// Handles all that waits for one tenant: who bills half of an imported register bills wrongly.
///
/// # Errors
/// A failure of the database, or more waits than one request can handle: then trying again goes on from there.
pub async fn catch_up_whole(context: &Context, tenant: &TenantId) -> anyhow::Result<()> {
    for _ in 0..CATCH_UPS_MAX {
        if !catch_up(context, tenant).await?.is_full() {
            return Ok(());
        }
    }
    Err(kernel::Transient).context("rooms and usage that others recorded are still being taken in")
}

async fn take(context: &Context, tenant: &TenantId) -> anyhow::Result<Drained> {
    let drained = drain(
        &context.db,
        tenant,
        CONSUMER,
        context.now,
        async |tx, event| handle(context, tx, event).await,
    )
    .await?;
    if let Some(cause) = &drained.failed {
        web::log(
            "warn",
            "-",
            &format!("an event of {tenant} failed: {cause}"),
        );
    }
    Ok(drained)
}

async fn handle(context: &Context, tx: &mut Tx, event: &Recorded) -> anyhow::Result<()> {
    if let Some(changed) = event.read::<CommunityChanged>()? {
        return known::put_community(tx, &changed).await;
    }
    if let Some(changed) = event.read::<RoomChanged>()? {
        return known::put_room(tx, &changed).await;
    }
    if let Some(started) = event.read::<BindingStarted>()? {
        // Staff are bound to no room.
        return match &started.room {
            Some(room) => known::put_binding(tx, &started, room).await,
            None => Ok(()),
        };
    }
    if let Some(ended) = event.read::<BindingEnded>()? {
        return known::end_binding(tx, &ended.binding, ended.until).await;
    }
    if let Some(closed) = event.read::<UsageClosed>()? {
        return usages::put_usage(tx, &closed).await;
    }
    if let Some(answered) = event.read::<MeterRecharged>()? {
        return recharging::meter_answered(context, tx, &answered).await;
    }
    if let Some(aliased) = event.read::<PersonAliased>()? {
        let pair = (&aliased.alias, &aliased.person);
        crediting::move_wallet(context, tx, pair, &event.id).await?;
        return people::merge(tx, &aliased.alias, &aliased.person).await;
    }
    if let Some(erased) = event.read::<PersonErased>()? {
        return people::erase(tx, &erased.person).await;
    }
    of_money(context, tx, event).await
}

/// Payments answers everybody who asked for money; what others asked for is passed over.
async fn of_money(context: &Context, tx: &Tx, event: &Recorded) -> anyhow::Result<()> {
    if let Some(succeeded) = event.read::<PaymentSucceeded>()? {
        return match succeeded.purpose.as_str() {
            paying::PURPOSE => settling::paid(context, tx, &succeeded).await,
            recharging::PURPOSE => recharging::paid(context, tx, &succeeded).await,
            _ => Ok(()),
        };
    }
    if let Some(closed) = event.read::<PaymentClosed>()? {
        return match closed.purpose.as_str() {
            paying::PURPOSE => settling::closed(context, tx, &closed).await,
            recharging::PURPOSE => recharging::closed(context, tx, &closed).await,
            _ => Ok(()),
        };
    }
    if let Some(succeeded) = event.read::<RefundSucceeded>()? {
        refunding::refund_succeeded(context, tx, &succeeded).await?;
        return recharging::refund_succeeded(context, tx, &succeeded).await;
    }
    if let Some(failed) = event.read::<RefundFailed>()? {
        refunding::refund_failed(context, tx, &failed).await?;
        return recharging::refund_failed(context, tx, &failed).await;
    }
    Ok(())
}
