//! What other capabilities recorded: merchants and how they stand, placements, creatives, what was sold, what became of
//! deposits, people.

use kernel::TenantId;
use store::Tx;
use store::events::{Consumer, Drained, Recorded, concerns, drain, waiting};
use wire::event::{
    CommunityChanged, CreativeChanged, Event, MerchantChanged, MerchantStandingChanged,
    OrderLineCompleted, OrderLineRefunded, PaymentClosed, PaymentSucceeded, PersonAliased,
    PersonErased, PlacementChanged, RefundFailed, RefundSucceeded,
};

use crate::context::Context;
use crate::sealing::deposits;
use crate::selling;
use crate::store::{known, people, placements, sealed_bids};

/// The consumer, and what it hears.
pub const CONSUMER: Consumer<'static> = Consumer {
    name: "bidding",
    kinds: &[
        CommunityChanged::KIND,
        MerchantChanged::KIND,
        MerchantStandingChanged::KIND,
        PlacementChanged::KIND,
        CreativeChanged::KIND,
        OrderLineCompleted::KIND,
        OrderLineRefunded::KIND,
        PaymentSucceeded::KIND,
        PaymentClosed::KIND,
        RefundSucceeded::KIND,
        RefundFailed::KIND,
        PersonAliased::KIND,
        PersonErased::KIND,
    ],
};

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
    if let Some(changed) = event.read::<MerchantChanged>()? {
        return known::put_merchant(tx, &changed).await;
    }
    if let Some(changed) = event.read::<MerchantStandingChanged>()? {
        return known::put_standing(tx, &changed).await;
    }
    if let Some(changed) = event.read::<PlacementChanged>()? {
        return placements::put(tx, &changed).await;
    }
    if let Some(changed) = event.read::<CreativeChanged>()? {
        return known::put_creative(tx, &changed).await;
    }
    if let Some(changed) = event.read::<CommunityChanged>()? {
        return known::put_community(tx, &changed.community).await;
    }
    if let Some(completed) = event.read::<OrderLineCompleted>()? {
        return selling::completed(context, tx, &completed).await;
    }
    if let Some(refunded) = event.read::<OrderLineRefunded>()? {
        return selling::refunded(context, tx, &refunded).await;
    }
    of_money(context, tx, event).await
}

async fn of_money(context: &Context, tx: &Tx, event: &Recorded) -> anyhow::Result<()> {
    if let Some(succeeded) = event.read::<PaymentSucceeded>()? {
        return deposits::paid(context, tx, &succeeded).await;
    }
    if let Some(closed) = event.read::<PaymentClosed>()? {
        return deposits::closed(context, tx, &closed).await;
    }
    if let Some(succeeded) = event.read::<RefundSucceeded>()? {
        return sealed_bids::refunded(tx, &succeeded.refund, "succeeded").await;
    }
    if let Some(failed) = event.read::<RefundFailed>()? {
        return sealed_bids::refunded(tx, &failed.refund, "failed").await;
    }
    if let Some(aliased) = event.read::<PersonAliased>()? {
        return people::alias(tx, &aliased.alias, &aliased.person).await;
    }
    if let Some(erased) = event.read::<PersonErased>()? {
        return people::erase(tx, &erased.person).await;
    }
    Ok(())
}
