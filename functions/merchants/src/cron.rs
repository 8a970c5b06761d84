//! The heartbeat: hears what others recorded, reminds of papers that end, tells when they have, and forgets old drafts.
//!
//! A tick run twice, or on two replicas, changes nothing more: each change is made in its tenant's transaction.

use kernel::{MerchantId, TenantId};
use store::{bulk, tx};
use wire::event::{MerchantQualificationExpired, MerchantQualificationExpiring};

use crate::context::Context;
use crate::domain::{DRAFT_MS, Merchant};
use crate::store::{applications, merchants};
use crate::{facts, inbox};

/// The most merchants, or drafts, that one tick changes; the next tick goes on.
pub const TICK_UNITS_MAX: i64 = 500;

/// What a tick did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Done {
    /// Events of other capabilities handled.
    pub heard: usize,
    /// Events set aside because they could not be handled.
    pub parked: usize,
    /// Merchants told that papers end, or have ended.
    pub told: usize,
    /// Drafts and idempotency records forgotten.
    pub forgotten: usize,
    /// Whether the tick stopped at a limit and more may be owed.
    pub more: bool,
}

/// The cron trigger.
///
/// # Errors
/// When the variables or the database fail; the next tick makes up for it.
#[cfg(target_family = "wasm")]
pub async fn on_tick(_at_seconds: i64) -> anyhow::Result<()> {
    let context = Context::open().await?;
    let done = tick(&context).await;
    outgoing::ring(&context.db, &context.outbox).await;
    done.map(|_| ())
}

/// Does what is owed at the context's moment.
///
/// # Errors
/// A failure of the database.
pub async fn tick(context: &Context) -> anyhow::Result<Done> {
    let drained = inbox::take_all(context).await?;
    let due = merchants::due(&context.db, context.now, TICK_UNITS_MAX).await?;
    for (tenant, merchant) in &due {
        tell(context, tenant, merchant).await?;
    }
    let before = context.now.plus_millis(-DRAFT_MS);
    let drafts = bulk(&context.db, async |batch| {
        applications::forget_drafts(batch, before, TICK_UNITS_MAX).await
    })
    .await?;
    let forgotten = store::sweep(&context.db, context.now).await?;
    let limit = usize::try_from(TICK_UNITS_MAX)?;
    Ok(Done {
        heard: drained.handled,
        parked: drained.parked,
        told: due.len(),
        forgotten: drafts + forgotten,
        more: drained.is_full() || due.len() >= limit || drafts >= limit,
    })
}

/// Reminds before the first paper ends; tells all when it has, because the shop is not open any more.
async fn tell(context: &Context, tenant: &TenantId, id: &MerchantId) -> anyhow::Result<()> {
    tx(&context.db, tenant, async |tx| {
        let Some(merchant) = merchants::merchant(tx, tenant, id).await? else {
            return Ok(());
        };
        let Some(expires_at) = merchant.expires_at else {
            return merchants::set_due(tx, id, None).await;
        };
        let members = facts::member_ids(tx, &merchant).await?;
        if !merchant.has_expired(context.now) {
            let fact = MerchantQualificationExpiring {
                merchant: id.clone(),
                members,
                expires_at,
            };
            facts::append(context, tx, &fact).await?;
            return merchants::set_due(tx, id, Some(expires_at)).await;
        }
        merchants::set_due(tx, id, None).await?;
        let fact = MerchantQualificationExpired {
            merchant: id.clone(),
            members,
            expired_at: expires_at,
        };
        facts::append(context, tx, &fact).await?;
        let after = Merchant {
            version: merchant.version + 1,
            ..merchant
        };
        merchants::update_merchant(tx, &after, None).await?;
        facts::merchant_changed(context, tx, &after).await
    })
    .await
}
