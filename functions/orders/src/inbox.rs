//! What other capabilities recorded: communities, merchants and how they stand, categories, commission rules, contracts,
//! and people who became one or were forgotten.

use kernel::TenantId;
use store::Tx;
use store::events::{Consumer, Drained, Recorded, concerns, drain, waiting};
use wire::event::{
    CategoryChanged, CommissionRuleChanged, CommunityChanged, ContractChanged, Event,
    MerchantChanged, MerchantStandingChanged, PaymentClosed, PaymentSucceeded, PersonAliased,
    PersonErased, RefundFailed, RefundSucceeded,
};

use crate::context::Context;
use crate::store::{buyers, known, people};
use crate::{finding, paying, refunding};

/// The consumer, and what it hears.
pub const CONSUMER: Consumer<'static> = Consumer {
    name: "orders",
    kinds: &[
        CommunityChanged::KIND,
        MerchantChanged::KIND,
        MerchantStandingChanged::KIND,
        CategoryChanged::KIND,
        CommissionRuleChanged::KIND,
        ContractChanged::KIND,
        PersonAliased::KIND,
        PersonErased::KIND,
        PaymentSucceeded::KIND,
        PaymentClosed::KIND,
        RefundSucceeded::KIND,
        RefundFailed::KIND,
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
pub async fn catch_up(context: &Context, tenant: &TenantId) -> anyhow::Result<()> {
    if concerns(&context.db, tenant, CONSUMER).await? {
        take(context, tenant).await?;
    }
    Ok(())
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
    if let Some(changed) = event.read::<MerchantChanged>()? {
        return merchant_changed(tx, &changed).await;
    }
    if let Some(changed) = event.read::<MerchantStandingChanged>()? {
        return known::put_standing(tx, &changed).await;
    }
    if let Some(changed) = event.read::<CategoryChanged>()? {
        return known::put_category(tx, &changed).await;
    }
    if let Some(changed) = event.read::<CommissionRuleChanged>()? {
        return known::put_commission_rule(tx, &changed).await;
    }
    if let Some(changed) = event.read::<ContractChanged>()? {
        return known::put_contract(tx, &changed).await;
    }
    if let Some(aliased) = event.read::<PersonAliased>()? {
        people::rename(tx, &aliased.alias, aliased.person.as_str()).await?;
        return buyers::rename(tx, &aliased.alias, aliased.person.as_str()).await;
    }
    if let Some(erased) = event.read::<PersonErased>()? {
        people::erase(tx, &erased.person).await?;
        return buyers::erase(tx, &erased.person).await;
    }
    of_money(context, tx, event).await
}

/// Payments answers everybody who asked for money; what others asked for is passed over.
async fn of_money(context: &Context, tx: &Tx, event: &Recorded) -> anyhow::Result<()> {
    if let Some(succeeded) = event.read::<PaymentSucceeded>()? {
        return match succeeded.purpose.as_str() {
            paying::PURPOSE => paying::paid(context, tx, &succeeded).await,
            _ => Ok(()),
        };
    }
    if let Some(closed) = event.read::<PaymentClosed>()? {
        return match closed.purpose.as_str() {
            paying::PURPOSE => paying::closed(context, tx, &closed).await,
            _ => Ok(()),
        };
    }
    if let Some(succeeded) = event.read::<RefundSucceeded>()? {
        return refunding::succeeded(context, tx, &succeeded).await;
    }
    if let Some(failed) = event.read::<RefundFailed>()? {
        return refunding::failed(context, tx, &failed).await;
    }
    Ok(())
}

async fn merchant_changed(tx: &Tx, changed: &MerchantChanged) -> anyhow::Result<()> {
    known::put_merchant(tx, changed).await?;
    match known::merchant(tx, tx.tenant(), &changed.merchant).await? {
        Some(merchant) => finding::shop(tx, &merchant).await,
        None => Ok(()),
    }
}
