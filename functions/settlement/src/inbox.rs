//! What other capabilities recorded: merchants and contracts, lines that were completed and given back, what
//! advertising costs, what became of payments and transfers, people.

use anyhow::Context as _;
use kernel::{Currency, TenantId};
use store::Tx;
use store::events::{Consumer, Drained, Recorded, concerns, drain, waiting};
use wire::event::{
    AdvertisingCharged, CommunityChanged, ContractChanged, ContractEnded, Event, MerchantChanged,
    OrderChanged, OrderLineCompleted, OrderLineRefunded, PaymentClosed, PaymentSucceeded,
    PersonAliased, PersonErased, TransferFailed, TransferSucceeded, TransferWaiting,
};

use crate::context::Context;
use crate::domain::{Month, of_charged, of_completed, of_refunded};
use crate::standing::restand;
use crate::store::{items, merchants, people};
use crate::{paying, transfer};

/// The consumer, and what it hears.
pub const CONSUMER: Consumer<'static> = Consumer {
    name: "settlement",
    kinds: &[
        CommunityChanged::KIND,
        MerchantChanged::KIND,
        ContractChanged::KIND,
        ContractEnded::KIND,
        OrderChanged::KIND,
        OrderLineCompleted::KIND,
        OrderLineRefunded::KIND,
        AdvertisingCharged::KIND,
        PaymentSucceeded::KIND,
        PaymentClosed::KIND,
        TransferWaiting::KIND,
        TransferSucceeded::KIND,
        TransferFailed::KIND,
        PersonAliased::KIND,
        PersonErased::KIND,
    ],
};

/// How often a run looks for more before it asks to be tried again.
const CATCH_UPS_MAX: usize = 8;

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

/// Handles all that waits for one tenant: who settles half of a month settles wrongly.
///
/// # Errors
/// A failure of the database, or more waits than one request can handle: then trying again goes on from there.
pub async fn catch_up_whole(context: &Context, tenant: &TenantId) -> anyhow::Result<()> {
    for _ in 0..CATCH_UPS_MAX {
        if !catch_up(context, tenant).await?.is_full() {
            return Ok(());
        }
    }
    Err(kernel::Transient).context("lines that others recorded are still being taken in")
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
        return items::insert_item(tx, &of_completed(&completed)).await;
    }
    if let Some(refunded) = event.read::<OrderLineRefunded>()? {
        return items::insert_item(tx, &of_refunded(&refunded)).await;
    }
    if let Some(charged) = event.read::<AdvertisingCharged>()? {
        return advertising(tx, &charged).await;
    }
    if let Some(changed) = event.read::<OrderChanged>()? {
        return order(tx, &changed).await;
    }
    if let Some(succeeded) = event.read::<PaymentSucceeded>()? {
        return paying::paid(context, tx, &succeeded).await;
    }
    if let Some(closed) = event.read::<PaymentClosed>()? {
        return paying::closed(context, tx, &closed).await;
    }
    of_transfers(context, tx, event).await
}

async fn of_transfers(context: &Context, tx: &Tx, event: &Recorded) -> anyhow::Result<()> {
    if let Some(waiting) = event.read::<TransferWaiting>()? {
        return transfer::waits(tx, &waiting).await;
    }
    if let Some(succeeded) = event.read::<TransferSucceeded>()? {
        return transfer::succeeded(context, tx, &succeeded).await;
    }
    if let Some(failed) = event.read::<TransferFailed>()? {
        return transfer::failed(context, tx, &failed).await;
    }
    of_parties(context, tx, event).await
}

async fn of_parties(context: &Context, tx: &Tx, event: &Recorded) -> anyhow::Result<()> {
    if let Some(changed) = event.read::<CommunityChanged>()? {
        return merchants::put_community(tx, &changed.community).await;
    }
    if let Some(changed) = event.read::<MerchantChanged>()? {
        return merchants::put_merchant(tx, &changed).await;
    }
    if let Some(changed) = event.read::<ContractChanged>()? {
        merchants::take_name(tx, &changed.merchant).await?;
        merchants::put_contract(tx, &changed).await?;
        return restand(context, tx, &changed.merchant).await;
    }
    if let Some(ended) = event.read::<ContractEnded>()? {
        return merchants::end_contract(tx, &ended).await;
    }
    if let Some(aliased) = event.read::<PersonAliased>()? {
        return people::alias(tx, &aliased.alias, &aliased.person).await;
    }
    if let Some(erased) = event.read::<PersonErased>()? {
        return people::erase(tx, &erased.person).await;
    }
    Ok(())
}

/// What was charged for advertising is income once its statement is issued.
async fn advertising(tx: &Tx, charged: &AdvertisingCharged) -> anyhow::Result<()> {
    anyhow::ensure!(
        charged.currency == Currency::Cny,
        "statements are in CNY, and {} is charged in another currency",
        charged.charge
    );
    let (terms, _) = merchants::terms(tx, tx.tenant()).await?;
    let month = Month::parse(&charged.month)?;
    items::insert_item(tx, &of_charged(charged, (month, terms.zone))).await
}

/// Which orders are open: those that are paid and not over.
async fn order(tx: &Tx, changed: &OrderChanged) -> anyhow::Result<()> {
    let order = (&changed.merchant, &changed.order);
    match changed.change.as_str() {
        "paid" => merchants::open_order(tx, order, changed.at).await,
        "completed" | "cancelled" | "rejected" => merchants::end_order(tx, order).await,
        _ => Ok(()),
    }
}
