//! What other capabilities recorded: merchants, how they stand, and communities, what goods were sold for, what advertising was charged,
//! payments of rewards, people.

use kernel::{OfferId, TenantId};
use store::Tx;
use store::events::{Consumer, Drained, Recorded, concerns, drain, waiting};
use wire::event::{
    AdvertisingCharged, CommunityChanged, Event, MerchantChanged, MerchantStandingChanged,
    OrderLineCompleted, PaymentClosed, PaymentSucceeded, PersonAliased, PersonErased,
};

use crate::context::Context;
use crate::store::{known, people};
use crate::{rewarding, sharing};

/// The consumer, and what it hears.
pub const CONSUMER: Consumer<'static> = Consumer {
    name: "ads",
    kinds: &[
        CommunityChanged::KIND,
        MerchantChanged::KIND,
        MerchantStandingChanged::KIND,
        OrderLineCompleted::KIND,
        AdvertisingCharged::KIND,
        PaymentSucceeded::KIND,
        PaymentClosed::KIND,
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
    if let Some(completed) = event.read::<OrderLineCompleted>()? {
        return sold(tx, &completed).await;
    }
    if let Some(charged) = event.read::<AdvertisingCharged>()? {
        return sharing::hear(context, tx, &charged).await;
    }
    if let Some(succeeded) = event.read::<PaymentSucceeded>()? {
        return rewarding::paid(context, tx, &succeeded).await;
    }
    if let Some(closed) = event.read::<PaymentClosed>()? {
        return rewarding::closed(tx, &closed).await;
    }
    of_parties(context, tx, event).await
}

async fn of_parties(context: &Context, tx: &mut Tx, event: &Recorded) -> anyhow::Result<()> {
    if let Some(changed) = event.read::<CommunityChanged>()? {
        return known::put_community(tx, &changed.community).await;
    }
    if let Some(changed) = event.read::<MerchantChanged>()? {
        let merchant = (&changed.merchant, changed.name.as_str());
        return known::put_merchant(tx, merchant, &changed.members, changed.version).await;
    }
    if let Some(changed) = event.read::<MerchantStandingChanged>()? {
        let standing = (changed.standing.may_trade(), changed.version);
        return known::put_standing(tx, &changed.merchant, standing).await;
    }
    if let Some(aliased) = event.read::<PersonAliased>()? {
        return people::alias(tx, &aliased.alias, &aliased.person).await;
    }
    if let Some(erased) = event.read::<PersonErased>()? {
        let viewer = context.offers.viewer(tx.tenant(), erased.person.as_str())?;
        let nobody: OfferId = context.new_id()?;
        return people::erase(tx, &erased.person, (&viewer, nobody.as_str())).await;
    }
    Ok(())
}

/// What one unit of a product went for, by what the buyer paid and the platform added: half a fen is not kept.
async fn sold(tx: &Tx, completed: &OrderLineCompleted) -> anyhow::Result<()> {
    let quantity = i64::from(completed.quantity);
    let paid = completed.paid_minor.saturating_add(completed.subsidy_minor);
    if quantity == 0 || paid <= 0 {
        return Ok(());
    }
    let sale = (&completed.line, &completed.product);
    known::insert_sale(tx, sale, paid / quantity, completed.completed_at).await
}
