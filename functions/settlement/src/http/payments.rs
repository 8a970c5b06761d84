//! `/api/settlements/payments`: paying statements, the oldest first, over payments or from what the merchant may draw.

use kernel::{ActorId, Currency, MerchantId, PaymentId, StatementId, Timestamp};
use serde::{Deserialize, Serialize};
use web::{Query, Reply, Request};

use super::{answer, caller, form, stored, write_once};
use crate::context::Context;
use crate::domain::{sees_accounts, sees_all, unknown_merchant};
use crate::inbox;
use crate::paying::{self, Wanted, more_than_owed, payment_id, unknown_payment};
use crate::store::payments::{self as sql, Payment, Purpose};
use crate::store::{merchants, platform, statements};

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Source {
    /// A channel of payments.
    Channel,
    /// What the merchant may draw.
    Balance,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPayment {
    merchant: MerchantId,
    amount_minor: i64,
    source: Source,
}

/// A payment as it is shown.
#[derive(Serialize)]
pub(super) struct ShownPayment {
    id: PaymentId,
    /// Where a channel is chosen; absent when it was paid from what the merchant may draw.
    payment: Option<PaymentId>,
    purpose: &'static str,
    party: String,
    payer: ActorId,
    amount_minor: i64,
    over_minor: i64,
    currency: Currency,
    state: &'static str,
    requested_at: Timestamp,
    expires_at: Timestamp,
    ended_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paid: Option<Vec<ShownPaid>>,
}

#[derive(Serialize)]
struct ShownPaid {
    statement: StatementId,
    amount_minor: i64,
}

pub(super) async fn pay(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: NewPayment = web::body(request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let made = write_once(context, request, &actor, async |tx| {
        form::acted(tx, &actor, &new.merchant).await?;
        let payment = match new.source {
            Source::Balance => {
                let what = (&new.merchant, new.amount_minor);
                paying::from_balance(context, tx, &actor, what).await?
            }
            Source::Channel => {
                paying::payable(new.amount_minor)?;
                let unpaid = statements::unpaid(tx, tx.tenant(), &new.merchant).await?;
                let owed: i64 = unpaid
                    .iter()
                    .map(crate::domain::Statement::unpaid_minor)
                    .sum();
                if new.amount_minor > owed {
                    return Err(more_than_owed(owed).into());
                }
                let known = merchants::merchant(tx, tx.tenant(), &new.merchant).await?;
                let known = known.ok_or_else(unknown_merchant)?;
                let wanted = Wanted {
                    purpose: Purpose::Statement,
                    party: new.merchant.as_str(),
                    amount_minor: new.amount_minor,
                    community: paying::community_of(tx, &known).await?,
                    subject: "商家结算款 / merchant statements".to_owned(),
                };
                paying::ask(context, tx, &actor, wanted).await?
            }
        };
        answer(201, &shown(payment))
    })
    .await?;
    stored(&made, "/api/settlements/payments")
}

/// The payments of a merchant or of a platform account.
pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    sees_accounts(&actor)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let mut query = Query::of(request)?;
    let page = query.page(PaymentId::parse)?;
    let party = query.take("party", ActorId::parse)?;
    query.finish()?;
    let party = party.ok_or_else(party_required)?;
    if !is_theirs(context, &actor, party.as_str()).await? {
        return Ok(Reply::ok(&page.listing(
            Vec::new(),
            |_: &Payment| String::new(),
            shown,
        )));
    }
    let found = sql::payments(&context.db, (&actor.tenant, party.as_str()), &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |payment| payment.id.to_string(),
        shown,
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    payment: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let id = payment_id(payment)?;
    let found = sql::payment(&context.db, &actor.tenant, &id).await?;
    let payment = found.ok_or_else(unknown_payment)?;
    if !is_theirs(context, &actor, &payment.party).await? {
        return Err(unknown_payment().into());
    }
    let paid = sql::paid_by(&context.db, &actor.tenant, &id).await?;
    let paid = paid.into_iter().map(|(statement, amount_minor)| ShownPaid {
        statement,
        amount_minor,
    });
    Ok(Reply::ok(&ShownPayment {
        paid: Some(paid.collect()),
        ..shown(payment)
    }))
}

/// Whether what the party pays is the caller's to see.
async fn is_theirs(context: &Context, actor: &kernel::Actor, party: &str) -> anyhow::Result<bool> {
    if sees_all(actor) {
        return Ok(true);
    }
    let merchant = MerchantId::parse(party)?;
    if form::acts_for(&context.db, actor, &merchant).await? {
        return Ok(true);
    }
    let account = ActorId::parse(party)?;
    let holders = platform::holders(&context.db, &actor.tenant, &account).await?;
    Ok(sees_accounts(actor).is_ok() && holders.contains(&actor.id))
}

fn party_required() -> kernel::Refusal {
    kernel::Refusal::invalid(
        "party_required",
        kernel::Message::new(
            "Name the merchant or the platform account, as `?party=`.",
            "请以 ?party= 指定商家或平台账户。",
        ),
    )
}

pub(super) fn shown(payment: Payment) -> ShownPayment {
    ShownPayment {
        payment: payment.over_channel.then(|| payment.id.clone()),
        id: payment.id,
        purpose: payment.purpose.as_str(),
        party: payment.party,
        payer: payment.payer,
        amount_minor: payment.amount_minor,
        over_minor: payment.over_minor,
        currency: Currency::Cny,
        state: payment.state.as_str(),
        requested_at: payment.requested_at,
        expires_at: payment.expires_at,
        ended_at: payment.ended_at,
        paid: None,
    }
}
