//! `/api/merchant-contracts`: what was agreed with a merchant, from a month on, in all its versions.

use kernel::{MerchantId, Message, Refusal};
use serde::Deserialize;
use serde_json::{Value, json};
use web::{Query, Reply, Request};

use super::merchants::seen_inside;
use super::{answer, caller, private, replied, write};
use crate::context::Context;
use crate::domain::{
    Contract, MerchantState, Month, Note, Terms, agree as agreed, check_reader, check_writer,
    unknown_contract,
};
use crate::facts;
use crate::store::contracts as sql;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewContract {
    merchant: MerchantId,
    /// The first month for which it counts.
    from: Month,
    terms: Terms,
    note: Option<Note>,
}

pub(super) async fn agree(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    check_writer(&actor)?;
    let new: NewContract = web::body(request)?;
    let made = write(context, request, &actor, async |tx| {
        let (merchant, _) = seen_inside(tx, &actor, new.merchant.as_str()).await?;
        if merchant.state == MerchantState::Ended {
            return Err(ended().into());
        }
        let last = sql::last(tx, tx.tenant(), &merchant.id).await?;
        let contract = Contract {
            merchant: merchant.id,
            version: 1,
            from: new.from,
            terms: new.terms,
            note: new.note.clone(),
            made_by: actor.id.clone(),
            made_at: context.now,
        };
        let contract = agreed(last.as_ref(), contract, context.now)?;
        sql::insert_contract(tx, &contract).await?;
        facts::contract_changed(context, tx, &contract).await?;
        answer(201, &shown(&contract))
    })
    .await?;
    let place = format!("/api/merchant-contracts/{}", new.merchant);
    Ok(private(replied(&made)?).with_header(::http::header::LOCATION, &place))
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    check_reader(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(MerchantId::parse)?;
    query.finish()?;
    let found = sql::latest_of_all(&context.db, &actor.tenant, &page).await?;
    let listing = page.listing(found, |one| one.merchant.to_string(), |one| shown(&one));
    Ok(private(Reply::ok(&listing)))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    merchant: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let (found, _) = seen_inside(&context.db, &actor, merchant).await?;
    let mut query = Query::of(request)?;
    let page = query.page(str::parse::<i64>)?;
    query.finish()?;
    let whose = (&actor.tenant, &found.id);
    let counting = sql::counting(&context.db, whose, Month::of(context.now)).await?;
    let versions = sql::versions(&context.db, whose, &page).await?;
    if versions.is_empty() && page.after.is_none() {
        return Err(unknown_contract().into());
    }
    let listing = page.listing(versions, |one| one.version.to_string(), |one| shown(&one));
    Ok(private(Reply::ok(&json!({
        "counting": counting.as_ref().map(shown),
        "items": listing.items,
        "next": listing.next,
    }))))
}

fn shown(contract: &Contract) -> Value {
    let terms = contract.terms;
    json!({
        "merchant": contract.merchant,
        "version": contract.version,
        "from": contract.from.to_string(),
        "terms": {
            "collection": terms.collection,
            "due_day": terms.due_day,
            "objection_days": terms.objection_days,
            "confirm_days": terms.confirm_days,
            "deposit_minor": terms.deposit_minor,
            "reopening_percent": terms.reopening_percent,
            "hosting_fee_minor": terms.hosting_fee_minor,
            "maintenance_fee_minor": terms.maintenance_fee_minor,
            "platform_fee_minor": terms.platform_fee_minor,
            "currency": terms.currency,
        },
        "note": contract.note.as_ref().map(Note::as_str),
        "made_by": contract.made_by,
        "made_at": contract.made_at,
    })
}

fn ended() -> Refusal {
    Refusal::conflict(
        "merchant_state",
        Message::new(
            "The merchant has ended: nothing is agreed with it any more.",
            "该商家已终止合作，不能再签订合同。",
        ),
    )
}
