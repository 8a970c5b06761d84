//! `/api/push/orders`: pushes that merchants pay for.

mod shown;

use kernel::{
    Actor, Currency, MerchantId, Message, PaymentId, PushMessageId, PushOrderId, Refusal, Timestamp,
};
use messaging::audience::Audience;
use serde::Deserialize;
use serde_json::Value;
use store::Tx;
use web::{Reply, Request};
use wire::event::PaymentRequested;

use shown::shown;
pub(super) use shown::{list, show};

use super::{answer, caller, form, messages, path_id, replied, stored, write, write_once};
use crate::context::Context;
use crate::domain::{
    OrderState, PAYMENT_MS, QUOTE_MS, Source, Step, buyers_only, holds, own_order, price, prose,
    reviewers_only, sees_all, tells, unknown_merchant, unknown_order,
};
use crate::selling::{self, PURPOSE, step};
use crate::store::messages::Whom;
use crate::store::orders::{self as sql, Order};
use crate::store::{merchants, terms};
use crate::telling::{self, New, Options, Written};
use crate::{expanding, facts, inbox};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    merchant: MerchantId,
    notification: Written,
    #[serde(default)]
    options: Options,
    audience: Value,
    send_at: Option<Timestamp>,
}

/// What is told and to whom, checked: always advertising, in the merchant's name.
async fn checked(
    context: &Context,
    actor: &Actor,
    form: Form,
) -> anyhow::Result<(Value, Value, Timestamp)> {
    let known = merchants::merchant(&context.db, &actor.tenant, &form.merchant).await?;
    let (name, _) = known.ok_or_else(unknown_merchant)?;
    let written = Written {
        purpose: Some("marketing".to_owned()),
        sender: Some(name.chars().take(64).collect()),
        ..form.notification
    };
    let content = telling::content(&context.db, &actor.tenant, (written, form.options)).await?;
    let audience = Audience::parse(&form.audience)?;
    let due_at = messages::due_at(form.send_at, context.now)?;
    Ok((telling::kept(&content)?, audience.to_json(), due_at))
}

pub(super) async fn draft(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    buyers_only(&actor)?;
    let new: Form = web::body(request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let merchant = new.merchant.clone();
    form::seen(&context.db, &actor, &merchant).await?;
    may_buy(context, &actor, &merchant).await?;
    let (content, audience, due_at) = checked(context, &actor, new).await?;
    let made = write(context, request, &actor, async |tx| {
        let community = terms::any_community(tx).await?.ok_or_else(no_community)?;
        let order = Order {
            id: context.new_id()?,
            merchant: merchant.clone(),
            community,
            content: content.clone(),
            audience: audience.clone(),
            state: OrderState::Draft,
            due_at,
            people: 0,
            digest: None,
            price_minor: 0,
            amount_minor: 0,
            valid_until: None,
            payment: None,
            message: None,
            delivered: 0,
            charged_minor: 0,
            refunded_minor: 0,
            created_by: actor.id.clone(),
            reviewed_by: None,
            note: None,
            created_at: context.now,
            changed_at: context.now,
            version: 0,
        };
        let order = step(context, tx, order, (Step::Change, Some(&actor.id))).await?;
        answer(201, &shown(order))
    })
    .await?;
    stored(&made, "/api/push/orders")
}

pub(super) async fn change(
    context: &Context,
    request: &Request,
    order: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let known = acted(context, &actor, order).await?;
    let if_match = web::required_if_match(request)?;
    let new: Form = web::body(request)?;
    if new.merchant != known.merchant {
        return Err(unknown_merchant().into());
    }
    let (content, audience, due_at) = checked(context, &actor, new).await?;
    let made = write(context, request, &actor, async |tx| {
        let order = again(tx, &known.id).await?;
        if_match.check(order.version)?;
        let after = Order {
            content: content.clone(),
            audience: audience.clone(),
            due_at,
            people: 0,
            digest: None,
            price_minor: 0,
            amount_minor: 0,
            valid_until: None,
            ..order
        };
        let after = step(context, tx, after, (Step::Change, Some(&actor.id))).await?;
        answer(200, &shown(after))
    })
    .await?;
    replied(&made)
}

/// Freezes whom it is for, and says what it costs.
pub(super) async fn quote(
    context: &Context,
    request: &Request,
    order: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let known = acted(context, &actor, order).await?;
    inbox::catch_up(context, &actor.tenant).await?;
    let audience = Audience::parse(&known.audience)?;
    let content = telling::unkept(&context.db, &actor.tenant, &known.content).await?;
    let frozen = expanding::frozen(context, &actor.tenant, (&audience, &content)).await?;
    frozen.can_be_sold()?;
    let (terms, _) = terms::terms(&context.db, &actor.tenant).await?;
    let amount_minor = price(frozen.count, terms.price_minor)?;
    let made = write(context, request, &actor, async |tx| {
        let order = again(tx, &known.id).await?;
        if order.version != known.version {
            return Err(kernel::Transient.into());
        }
        let after = Order {
            people: i64::try_from(frozen.count)?,
            digest: Some(frozen.digest.clone()),
            price_minor: terms.price_minor,
            amount_minor,
            valid_until: Some(context.now.plus_millis(QUOTE_MS)),
            ..order
        };
        let after = step(context, tx, after, (Step::Quote, Some(&actor.id))).await?;
        answer(200, &shown(after))
    })
    .await?;
    replied(&made)
}

/// Asks for the money; the payer chooses a channel at payments.
pub(super) async fn pay(
    context: &Context,
    request: &Request,
    order: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let known = acted(context, &actor, order).await?;
    let made = write_once(context, request, &actor, async |tx| {
        let order = again(tx, &known.id).await?;
        order.state.after(Step::Ask)?;
        holds(order.valid_until, context.now)?;
        let payment: PaymentId = context.new_id()?;
        let after = Order {
            payment: Some(payment.clone()),
            ..order
        };
        let after = step(context, tx, after, (Step::Ask, Some(&actor.id))).await?;
        let fact = PaymentRequested {
            payment,
            purpose: PURPOSE.to_owned(),
            payer: actor.id.clone(),
            community: after.community.clone(),
            amount_minor: after.amount_minor,
            currency: Currency::Cny,
            direct_minor: 0,
            subject: "付费推送 / paid push".to_owned(),
            reference: after.id.to_string(),
            expires_at: context.now.plus_millis(PAYMENT_MS),
        };
        facts::append(context, tx, &fact).await?;
        answer(200, &shown(after))
    })
    .await?;
    replied(&made)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Review {
    approve: bool,
    note: Option<String>,
}

/// Somebody else looks at the content: it is scheduled, or the money goes back.
pub(super) async fn review(
    context: &Context,
    request: &Request,
    order: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let known = seen(context, &actor, order).await?;
    reviewers_only(&actor)?;
    let new: Review = web::body(request)?;
    let note = new.note.as_deref();
    let note = note.map(|note| prose("note", note, 200)).transpose()?;
    inbox::catch_up(context, &actor.tenant).await?;
    let made = write(context, request, &actor, async |tx| {
        let order = again(tx, &known.id).await?;
        if order.created_by == actor.id {
            return Err(own_order().into());
        }
        let mut after = Order {
            reviewed_by: Some(actor.id.clone()),
            note: note.clone(),
            ..order
        };
        let decision = if new.approve {
            after.state.after(Step::Approve)?;
            after.message = Some(schedule(context, tx, &after).await?);
            Step::Approve
        } else {
            after.state.after(Step::Reject)?;
            after.refunded_minor = after.amount_minor;
            selling::give_back(context, tx, (&after, after.amount_minor), "rejected").await?;
            Step::Reject
        };
        let after = step(context, tx, after, (decision, Some(&actor.id))).await?;
        answer(200, &shown(after))
    })
    .await?;
    replied(&made)
}

async fn schedule(context: &Context, tx: &Tx, order: &Order) -> anyhow::Result<PushMessageId> {
    let new = New {
        content: telling::unkept(tx, tx.tenant(), &order.content).await?,
        source: Source::Order,
        reference: order.id.to_string(),
        whom: Whom::Audience(order.audience.clone()),
        due_at: order.due_at.max(context.now),
        per_minute: None,
        hold_out_bps: 0,
        quiet: None,
        actor: &order.created_by,
    };
    let message = telling::tell(context, tx, new).await?;
    Ok(message.ok_or_else(unknown_order)?.id)
}

pub(super) async fn cancel(
    context: &Context,
    request: &Request,
    order: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let known = acted(context, &actor, order).await?;
    let made = write(context, request, &actor, async |tx| {
        let order = again(tx, &known.id).await?;
        let after = step(context, tx, order, (Step::Cancel, Some(&actor.id))).await?;
        answer(200, &shown(after))
    })
    .await?;
    replied(&made)
}

/// An order that the caller may see.
async fn seen(context: &Context, actor: &Actor, order: &str) -> anyhow::Result<Order> {
    let id: PushOrderId = path_id(order, unknown_order)?;
    let found = sql::order(&context.db, &actor.tenant, &id).await?;
    let order = found.ok_or_else(unknown_order)?;
    if sees_all(actor) || form::acts_for(&context.db, actor, &order.merchant).await? {
        return Ok(order);
    }
    Err(unknown_order().into())
}

/// An order that the caller may take further: its merchant's people, and those who tell for the platform.
async fn acted(context: &Context, actor: &Actor, order: &str) -> anyhow::Result<Order> {
    let order = seen(context, actor, order).await?;
    may_buy(context, actor, &order.merchant).await?;
    Ok(order)
}

async fn may_buy(context: &Context, actor: &Actor, merchant: &MerchantId) -> anyhow::Result<()> {
    if tells(actor) || form::acts_for(&context.db, actor, merchant).await? {
        return Ok(());
    }
    Err(crate::domain::tellers_only(actor)
        .err()
        .unwrap_or_else(unknown_order)
        .into())
}

async fn again(tx: &Tx, id: &PushOrderId) -> anyhow::Result<Order> {
    let found = sql::order(tx, tx.tenant(), id).await?;
    found.ok_or_else(|| unknown_order().into())
}

fn no_community() -> Refusal {
    Refusal::conflict(
        "community_missing",
        Message::new(
            "There is no community yet in which this could be paid. Add one first.",
            "尚无可用于付款的小区，请先添加小区。",
        ),
    )
}
