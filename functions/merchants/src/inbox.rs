//! What other capabilities recorded: communities, how merchants stand with the platform, and people who were one all
//! along or asked to be forgotten.

use kernel::{ActorId, TenantId};
use store::Tx;
use store::events::{Consumer, Drained, Recorded, concerns, drain, waiting};
use wire::event::{CommunityChanged, Event, MerchantStandingChanged, PersonAliased, PersonErased};

use crate::context::Context;
use crate::domain::Merchant;
use crate::facts;
use crate::store::{members, merchants, people};

/// The consumer, and what it hears.
pub const CONSUMER: Consumer<'static> = Consumer {
    name: "merchants",
    kinds: &[
        CommunityChanged::KIND,
        MerchantStandingChanged::KIND,
        PersonAliased::KIND,
        PersonErased::KIND,
    ],
};

/// Handles what waits for all tenants.
///
/// # Errors
/// A failure of the database.
pub async fn take_all(context: &Context) -> anyhow::Result<Drained> {
    let mut drained = Drained::default();
    for tenant in waiting(&context.db, CONSUMER.name).await? {
        drained += take(context, &tenant).await?;
    }
    Ok(drained)
}

/// Handles what waits for one tenant, so that a request finds what was recorded right before it. Nothing happens
/// for a tenant that nobody has heard of.
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
        return people::put_community(tx, &changed.community, &changed.name).await;
    }
    if let Some(changed) = event.read::<MerchantStandingChanged>()? {
        let said = (changed.standing, changed.version);
        return merchants::set_standing(tx, &changed.merchant, said).await;
    }
    if let Some(aliased) = event.read::<PersonAliased>()? {
        return rename(context, tx, &aliased.alias, &aliased.person).await;
    }
    if let Some(erased) = event.read::<PersonErased>()? {
        return erase(context, tx, &erased.person).await;
    }
    Ok(())
}

/// One person all along: applications and memberships are those of the id that stays.
async fn rename(
    context: &Context,
    tx: &Tx,
    alias: &ActorId,
    person: &ActorId,
) -> anyhow::Result<()> {
    people::rename_applicant(tx, alias, person).await?;
    for merchant in members::shops_of(tx, alias).await? {
        let is_member = members::role(tx, tx.tenant(), (&merchant, person)).await?;
        match is_member {
            Some(_) => drop(members::delete_member(tx, &merchant, alias).await?),
            None => members::rename(tx, &merchant, (alias, person)).await?,
        }
        let stored = merchants::merchant(tx, tx.tenant(), &merchant).await?;
        if let Some(stored) = stored {
            store_next(context, tx, stored).await?;
        }
    }
    Ok(())
}

/// The company stays, and that somebody acted for it; what the person was called and reached at goes.
async fn erase(context: &Context, tx: &Tx, person: &ActorId) -> anyhow::Result<()> {
    people::erase_applicant(tx, person).await?;
    for merchant in members::shops_of(tx, person).await? {
        members::delete_member(tx, &merchant, person).await?;
        if let Some(stored) = merchants::merchant(tx, tx.tenant(), &merchant).await? {
            store_next(context, tx, stored).await?;
        }
    }
    Ok(())
}

/// Others hear who acts for the merchant from now on.
async fn store_next(context: &Context, tx: &Tx, stored: Merchant) -> anyhow::Result<()> {
    let after = Merchant {
        version: stored.version + 1,
        ..stored
    };
    merchants::update_merchant(tx, &after, crate::keeping::due_at(&after, context.now)).await?;
    facts::merchant_changed(context, tx, &after).await
}
