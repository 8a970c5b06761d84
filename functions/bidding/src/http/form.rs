//! What several routes ask: for which merchant the caller acts, and which one they may see.

use kernel::{Actor, ActorKind, MerchantId};
use store::Read;

use crate::domain::{managers_only, manages, sees_all, unknown_merchant};
use crate::store::known;

/// Lets a merchant pass that the caller may see: one that they act for, or any for those who read about all.
///
/// # Errors
/// 404 for any other; a failure of the database.
pub(super) async fn seen(
    db: &impl Read,
    actor: &Actor,
    merchant: &MerchantId,
) -> anyhow::Result<()> {
    let known = known::merchant(db, &actor.tenant, merchant).await?;
    if known.is_none() || !(sees_all(actor) || acts_for(db, actor, merchant).await?) {
        return Err(unknown_merchant().into());
    }
    Ok(())
}

/// Lets a merchant pass for which the caller may do things: its own people, and those who look after auctions for the platform.
///
/// # Errors
/// 404 for one that the caller may not see, 403 for those who only read; a failure of the database.
pub(super) async fn acted(
    db: &impl Read,
    actor: &Actor,
    merchant: &MerchantId,
) -> anyhow::Result<()> {
    seen(db, actor, merchant).await?;
    if manages(actor) || acts_for(db, actor, merchant).await? {
        return Ok(());
    }
    Err(managers_only(actor)
        .err()
        .unwrap_or_else(unknown_merchant)
        .into())
}

/// Whether the caller is one of the merchant's own people.
pub(super) async fn acts_for(
    db: &impl Read,
    actor: &Actor,
    merchant: &MerchantId,
) -> anyhow::Result<bool> {
    Ok(actor.kind == ActorKind::Merchant
        && known::is_member(db, &actor.tenant, (merchant, &actor.id)).await?)
}
