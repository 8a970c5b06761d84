//! `/api/deposits`: what merchants have deposited, what they need to, and giving it back.

use kernel::{ActorId, Currency, MerchantId, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use store::Read;
use web::{Query, Reply, Request};
use wire::mall::Standing;

use super::{answer, caller, form, payments, replied, stored, write_once};
use crate::context::Context;
use crate::domain::{Reason, required_minor, settlers_only, unknown_merchant};
use crate::inbox;
use crate::paying::{self, Wanted};
use crate::standing::{self, contract_now, deposited};
use crate::store::deposits::{self as sql, Refund};
use crate::store::payments::Purpose;
use crate::store::{Whose, merchants, statements};

#[derive(Serialize)]
struct ShownDeposit {
    merchant: MerchantId,
    name: String,
    standing: Option<&'static str>,
    standing_version: i64,
    standing_at: Option<Timestamp>,
    deposit_minor: i64,
    /// What the contract says.
    base_minor: i64,
    /// What it takes: of a frozen shop the multiple.
    required_minor: i64,
    missing_minor: i64,
    /// What is owed after the deposit was asked.
    arrears_minor: i64,
    currency: Currency,
    refund: Option<ShownRefund>,
}

#[derive(Serialize)]
struct ShownRefund {
    number: i64,
    amount_minor: i64,
    state: String,
    reason: String,
    requested_by: ActorId,
    requested_at: Timestamp,
    decided_by: Option<ActorId>,
    decided_at: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Amount {
    amount_minor: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Because {
    reason: Reason,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Approval {
    approve: bool,
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(MerchantId::parse)?;
    let whose = Whose::of(&actor, query.take("merchant", MerchantId::parse)?)?;
    query.finish()?;
    inbox::catch_up(context, &actor.tenant).await?;
    let found = sql::merchants(&context.db, (&actor.tenant, &whose), &page).await?;
    let listing = page.listing(found, MerchantId::to_string, |merchant| merchant);
    let mut items = Vec::new();
    for merchant in &listing.items {
        items.push(shown(context, &context.db, (&actor.tenant, merchant)).await?);
    }
    Ok(Reply::ok(&web::Listing {
        items,
        next: listing.next,
    }))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    merchant: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let merchant = form::seen_path(&context.db, &actor, merchant).await?;
    let deposit = shown(context, &context.db, (&actor.tenant, &merchant)).await?;
    Ok(Reply::ok(&deposit))
}

/// Asks for money for the deposit.
pub(super) async fn pay(
    context: &Context,
    request: &Request,
    merchant: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: Amount = web::body(request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let made = write_once(context, request, &actor, async |tx| {
        let merchant = form::acted_path(tx, &actor, merchant).await?;
        let of = (tx.tenant(), &merchant);
        let (known, _, _) = standing::agreed(context, &*tx, of).await?;
        let wanted = Wanted {
            purpose: Purpose::Deposit,
            party: merchant.as_str(),
            amount_minor: new.amount_minor,
            community: paying::community_of(tx, &known).await?,
            subject: "商家保证金 / merchant deposit".to_owned(),
        };
        let payment = paying::ask(context, tx, &actor, wanted).await?;
        answer(201, &payments::shown(payment))
    })
    .await?;
    stored(&made, "/api/settlements/payments")
}

/// Asks for the deposit back.
pub(super) async fn ask_back(
    context: &Context,
    request: &Request,
    merchant: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: Because = web::body(request)?;
    inbox::catch_up_whole(context, &actor.tenant).await?;
    let asked = write_once(context, request, &actor, async |tx| {
        let merchant = form::acted_path(tx, &actor, merchant).await?;
        standing::ask_back(context, tx, &actor, (&merchant, &new.reason)).await?;
        answer(201, &shown(context, &*tx, (tx.tenant(), &merchant)).await?)
    })
    .await?;
    replied(&asked)
}

/// Decides whether the deposit is given back: somebody who settles, and did not ask.
pub(super) async fn decide(
    context: &Context,
    request: &Request,
    merchant: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: Approval = web::body(request)?;
    inbox::catch_up_whole(context, &actor.tenant).await?;
    let decided = write_once(context, request, &actor, async |tx| {
        let merchant = form::seen_path(tx, &actor, merchant).await?;
        settlers_only(&actor)?;
        standing::give_back(context, tx, &actor, (&merchant, new.approve)).await?;
        answer(200, &shown(context, &*tx, (tx.tenant(), &merchant)).await?)
    })
    .await?;
    replied(&decided)
}

async fn shown(
    context: &Context,
    db: &impl Read,
    (tenant, merchant): (&TenantId, &MerchantId),
) -> anyhow::Result<ShownDeposit> {
    let known = merchants::merchant(db, tenant, merchant).await?;
    let known = known.ok_or_else(unknown_merchant)?;
    let contract = contract_now(context, db, (tenant, merchant)).await?;
    let contract = contract.map(|(contract, _)| contract);
    let required = contract
        .as_ref()
        .map_or(0, |contract| required_minor(known.standing, contract));
    let deposit_minor = deposited(db, tenant, merchant).await?;
    let refund = sql::last_refund(db, tenant, merchant).await?;
    Ok(ShownDeposit {
        merchant: known.id,
        name: known.name,
        standing: known.standing.map(Standing::as_str),
        standing_version: known.standing_version,
        standing_at: known.standing_at,
        deposit_minor,
        base_minor: contract.map_or(0, |contract| contract.deposit_minor),
        required_minor: required,
        missing_minor: (required - deposit_minor).max(0),
        arrears_minor: statements::arrears(db, tenant, merchant).await?,
        currency: Currency::Cny,
        refund: refund.map(shown_refund),
    })
}

fn shown_refund(refund: Refund) -> ShownRefund {
    ShownRefund {
        number: refund.number,
        amount_minor: refund.amount_minor,
        state: refund.state,
        reason: refund.reason,
        requested_by: refund.requested_by,
        requested_at: refund.requested_at,
        decided_by: refund.decided_by,
        decided_at: refund.decided_at,
    }
}
