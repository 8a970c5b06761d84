//! `/api/ads/barters`: advertising for goods, from the first word to the last fen.

use kernel::{Actor, BarterId, MerchantId, Message, Refusal};
use serde::Deserialize;
use serde_json::{Value, json};
use store::{Read, Tx};
use web::{Query, Reply, Request};

use super::{answer, caller, held, path_id, replied, stored, whose, write, write_once};
use crate::bartering;
use crate::context::Context;
use crate::domain::barter::{Barter, BarterState, BarterVerb, Legs, Side, Terms};
use crate::domain::{Hold, check_writer, unknown_barter, unknown_merchant};
use crate::rows::{WrittenGoods, WrittenSlot, WrittenTerms};
use crate::store::barters as sql;
use crate::{facts, inbox};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewBarter {
    merchant: MerchantId,
    terms: SentTerms,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct SentTerms {
    slots: Vec<WrittenSlot>,
    goods: Vec<WrittenGoods>,
    boot_minor: i64,
    limit_minor: i64,
}

impl SentTerms {
    fn terms(&self) -> Result<Terms, Refusal> {
        let written = WrittenTerms {
            slots: self.slots.clone(),
            goods: self.goods.clone(),
            boot_minor: self.boot_minor,
            limit_minor: self.limit_minor,
        };
        Terms::try_from(written).map_err(|_| text_invalid())
    }
}

/// For which side the caller speaks.
fn side_of(hold: Hold) -> Result<Side, Refusal> {
    hold.check_change()?;
    Ok(match hold {
        Hold::Advertiser => Side::Merchant,
        Hold::Platform | Hold::Reader => Side::Platform,
    })
}

pub(super) async fn draft(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let new: NewBarter = web::body(request)?;
    let hold = held(&context.db, &actor, &new.merchant, unknown_merchant).await?;
    let side = side_of(hold)?;
    let made = write(context, request, &actor, async |tx| {
        let found = crate::store::known::name(tx, tx.tenant(), &new.merchant).await?;
        found.ok_or_else(unknown_merchant)?;
        let terms = bartering::valued(context, tx, &new.merchant, new.terms.terms()?).await?;
        let barter = Barter {
            id: context.new_id()?,
            merchant: new.merchant.clone(),
            state: BarterState::Draft,
            terms,
            said_by: side,
            platform_signed_by: None,
            merchant_signed_by: None,
            legs: Legs::default(),
            created_by: actor.id.clone(),
            version: 1,
        };
        sql::insert_barter(tx, &barter, context.now).await?;
        facts::barter_changed(context, tx, &barter, Some(&actor.id)).await?;
        answer(201, &shown(&barter))
    })
    .await?;
    stored(&made, "/api/ads/barters")
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let mut query = Query::of(request)?;
    let page = query.page(BarterId::parse)?;
    let merchant = whose(context, &actor, &mut query).await?;
    query.finish()?;
    let found = sql::barters(&context.db, &actor.tenant, merchant.as_ref(), &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |one| one.id.to_string(),
        |one| shown(&one),
    )))
}

/// The exchange of that id, and what the caller may do with it.
async fn seen(db: &impl Read, actor: &Actor, id: &str) -> anyhow::Result<(Barter, Hold)> {
    let id: BarterId = path_id(id, unknown_barter)?;
    let barter = sql::barter(db, &actor.tenant, &id).await?;
    let barter = barter.ok_or_else(unknown_barter)?;
    let hold = held(db, actor, &barter.merchant, unknown_barter).await?;
    Ok((barter, hold))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    barter: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let (barter, _) = seen(&context.db, &actor, barter).await?;
    let items = sql::goods(&context.db, &actor.tenant, &barter.id).await?;
    let mut shown = shown(&barter);
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("items".to_owned(), serde_json::to_value(items)?);
    }
    Ok(Reply::ok(&shown).with_etag(barter.version))
}

/// Runs a step of an exchange, once a key.
async fn step(
    context: &Context,
    request: &Request,
    barter: &str,
    work: impl AsyncFn(&Tx, Barter, Side, &Actor) -> anyhow::Result<Barter>,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    seen(&context.db, &actor, barter).await?;
    let done = write_once(context, request, &actor, async |tx| {
        let (before, hold) = seen(tx, &actor, barter).await?;
        let side = side_of(hold)?;
        let after = work(tx, before.clone(), side, &actor).await?;
        bartering::store(context, tx, (&before, &after), Some(&actor)).await?;
        answer(200, &shown(&after))
    })
    .await?;
    replied(&done)
}

pub(super) async fn propose(
    context: &Context,
    request: &Request,
    barter: &str,
) -> anyhow::Result<Reply> {
    step(context, request, barter, async |_, barter, side, _| {
        Ok(barter.proposed(side)?)
    })
    .await
}

pub(super) async fn counter(
    context: &Context,
    request: &Request,
    barter: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    seen(&context.db, &actor, barter).await?;
    let sent: SentTerms = web::body(request)?;
    step(context, request, barter, async |tx, barter, side, _| {
        let terms = sent.terms()?;
        let terms = bartering::valued(context, tx, &barter.merchant, terms).await?;
        Ok(barter.countered(side, terms)?)
    })
    .await
}

pub(super) async fn agree(
    context: &Context,
    request: &Request,
    barter: &str,
) -> anyhow::Result<Reply> {
    step(context, request, barter, async |_, barter, side, _| {
        Ok(barter.agreed(side)?)
    })
    .await
}

pub(super) async fn sign(
    context: &Context,
    request: &Request,
    barter: &str,
) -> anyhow::Result<Reply> {
    step(context, request, barter, async |_, barter, side, actor| {
        Ok(barter.signed(side, actor.id.clone())?)
    })
    .await
}

pub(super) async fn activate(
    context: &Context,
    request: &Request,
    barter: &str,
) -> anyhow::Result<Reply> {
    step(context, request, barter, async |tx, barter, _, actor| {
        check_writer(actor)?;
        bartering::activate(context, tx, barter, actor).await
    })
    .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Received {
    item: i64,
    units: i64,
}

pub(super) async fn receive(
    context: &Context,
    request: &Request,
    barter: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    seen(&context.db, &actor, barter).await?;
    let received: Received = web::body(request)?;
    if !(1..=1_000_000).contains(&received.units) {
        return Err(units_invalid().into());
    }
    step(context, request, barter, async |tx, barter, _, actor| {
        check_writer(actor)?;
        let receipt: kernel::EventId = context.new_id()?;
        let came = (received.item, received.units, receipt.as_str());
        bartering::receive(context, tx, barter, came).await
    })
    .await
}

pub(super) async fn settle(
    context: &Context,
    request: &Request,
    barter: &str,
) -> anyhow::Result<Reply> {
    step(context, request, barter, async |tx, barter, _, actor| {
        check_writer(actor)?;
        let to = (BarterVerb::Settle, BarterState::Closed);
        bartering::end(context, tx, barter, to).await
    })
    .await
}

pub(super) async fn terminate(
    context: &Context,
    request: &Request,
    barter: &str,
) -> anyhow::Result<Reply> {
    step(context, request, barter, async |tx, barter, _, actor| {
        check_writer(actor)?;
        let to = (BarterVerb::Terminate, BarterState::Terminated);
        bartering::end(context, tx, barter, to).await
    })
    .await
}

fn shown(barter: &Barter) -> Value {
    let allowed: Vec<&str> = barter
        .state
        .allows()
        .iter()
        .map(|verb| verb.as_str())
        .collect();
    json!({
        "id": barter.id,
        "merchant": barter.merchant,
        "state": barter.state.as_str(),
        "allowed": allowed,
        "said_by": barter.said_by.as_str(),
        "terms": WrittenTerms::from(&barter.terms),
        "advertising_minor": barter.terms.advertising_minor(),
        "goods_minor": barter.terms.goods_minor(),
        "boot_minor": barter.terms.boot_minor,
        "currency": "CNY",
        "platform_signed_by": barter.platform_signed_by,
        "merchant_signed_by": barter.merchant_signed_by,
        "delivered_minor": barter.legs.delivered_minor,
        "received_minor": barter.legs.received_minor,
        "settled_minor": barter.legs.settled_minor,
        "imbalance_minor": barter.legs.imbalance(),
        "version": barter.version,
    })
}

fn text_invalid() -> Refusal {
    Refusal::invalid(
        "barter_text_invalid",
        Message::new(
            "Goods have a name of 1 to 100 characters, and evidence of 1 to 300.",
            "货品名称为 1 至 100 个字符，价格凭证为 1 至 300 个字符。",
        ),
    )
}

fn units_invalid() -> Refusal {
    Refusal::invalid(
        "barter_units_invalid",
        Message::new(
            "Receive 1 to 1000000 units.",
            "到货数量为 1 至 1000000 件。",
        ),
    )
}
