//! The month's invoice: what accrued becomes whole fen, once for each campaign, placement and month. Months that were
//! missed come first.

use kernel::{Currency, TenantId};
use store::tx;
use wire::advertising::{ChargeSource, Ownership};
use wire::event::AdvertisingCharged;

use crate::context::Context;
use crate::domain::whole_fen;
use crate::facts::append;
use crate::store::accruals::{self, Key};
use crate::store::placements;

/// Invoices what accrued under a key; whether there was anything to do.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn invoice(
    context: &Context,
    tenant: &TenantId,
    key: &Key,
) -> anyhow::Result<bool> {
    tx(&context.db, tenant, async |tx| {
        let found = accruals::accrual(tx, tx.tenant(), key).await?;
        let Some(accrued) = found.filter(|accrued| accrued.charged_minor.is_none()) else {
            return Ok(false);
        };
        let (micros, invoiced, open) = accruals::before(tx, tx.tenant(), key).await?;
        if open > 0 {
            // The rest of a fen is carried on from month to month: they come in their order.
            return Ok(false);
        }
        let amount_minor = whole_fen(micros.saturating_add(accrued.micros), invoiced);
        if !accruals::charge(tx, key, (amount_minor, context.now)).await? || amount_minor == 0 {
            return Ok(true);
        }
        let placement = match &key.placement {
            None => None,
            Some(id) => placements::placement(tx, tx.tenant(), id).await?,
        };
        let mut charge = format!("bidding.{}.{}", key.campaign, key.month);
        if let Some(id) = &key.placement {
            charge = format!("{charge}.{id}");
        }
        let fact = AdvertisingCharged {
            charge,
            merchant: accrued.merchant.clone(),
            source: ChargeSource::Bidding,
            reference: key.campaign.to_string(),
            placement: key.placement.clone(),
            ownership: placement
                .as_ref()
                .map_or(Ownership::Platform, |placement| placement.ownership),
            community: placement.and_then(|placement| placement.community),
            month: key.month.clone(),
            amount_minor,
            currency: Currency::Cny,
            at: context.now,
        };
        append(context, tx, &fact).await?;
        Ok(true)
    })
    .await
}
