//! What several routes ask: for which merchant the caller acts, versions, and addresses that people give.

use kernel::{Actor, ActorKind, MerchantId, Refusal};
use messaging::endpoint::Endpoint;
use store::Read;

use crate::context::Context;
use crate::domain::{sees_all, unknown_merchant};
use crate::store::merchants;

/// Whether the caller is one of the merchant's own people.
pub(super) async fn acts_for(
    db: &impl Read,
    actor: &Actor,
    merchant: &MerchantId,
) -> anyhow::Result<bool> {
    Ok(actor.kind == ActorKind::Merchant
        && merchants::is_member(db, &actor.tenant, (merchant, &actor.id)).await?)
}

/// Lets a merchant pass that the caller may see.
///
/// # Errors
/// 404 for any other; a failure of the database.
pub(super) async fn seen(
    db: &impl Read,
    actor: &Actor,
    merchant: &MerchantId,
) -> anyhow::Result<()> {
    let known = merchants::merchant(db, &actor.tenant, merchant).await?;
    if known.is_some() && (sees_all(actor) || acts_for(db, actor, merchant).await?) {
        return Ok(());
    }
    Err(unknown_merchant().into())
}

/// An address that somebody gave, if it may be called.
///
/// # Errors
/// 422 for one that is none, or leads into a private network.
pub(super) fn address(context: &Context, text: &str) -> Result<Endpoint, Refusal> {
    Endpoint::parse(text, context.reach)
}

/// An address of a push service, if it is one of those that this deployment calls.
///
/// # Errors
/// As [`address`]; 422 for a service that is not on the list.
pub(super) fn service(context: &Context, text: &str) -> Result<Endpoint, Refusal> {
    let endpoint = address(context, text)?;
    if !context.services.iter().any(|known| known == "*") {
        endpoint.allowed_by(context.services.iter().map(String::as_str))?;
    }
    Ok(endpoint)
}
