//! What merchants do with goods and services, however they come (one by one, or in a file): each with its fact and with
//! the index of what can be found.

use kernel::{Actor, ActorKind, CategoryId, Message, Refusal, VariantId};
use store::Tx;
use wire::event::ProductChanged;
use wire::mall::SaleKind;

use crate::context::Context;
use crate::domain::product::{
    MINUTES_MAX, PRICE_MINOR_MAX, Product, VARIANTS_MAX, Variant, check_category,
};
use crate::domain::stock::{Item, Movement, MovementKind, UNITS_MAX};
use crate::domain::{Merchant, ProductState};
use crate::store::{known, products, stock};
use crate::{batching, facts, finding};

/// How many units new variants have from the beginning.
pub(crate) type Units = Vec<(VariantId, i64)>;

/// Goods or services with their variants, on their way into the shop.
pub(crate) struct Draft {
    pub(crate) product: Product,
    pub(crate) variants: Vec<Variant>,
    /// Units that a new variant has from the beginning.
    pub(crate) units: Units,
}

/// What is sold in a category in which the merchant may sell.
///
/// # Errors
/// 422 for a category that is not there, or not the merchant's.
pub(crate) async fn kind_of(
    tx: &Tx,
    merchant: &Merchant,
    category: &CategoryId,
) -> anyhow::Result<SaleKind> {
    let kind = known::kind_of_category(tx, tx.tenant(), category).await?;
    let kind = kind.ok_or_else(|| {
        Refusal::invalid(
            "category_unknown",
            Message::new(
                "There is no such category any more. Choose another one.",
                "该品类不存在或已停用，请选择其他品类。",
            ),
        )
    })?;
    check_category(merchant, category)?;
    Ok(kind)
}

/// Adds a product.
///
/// # Errors
/// 422 for what cannot be, 409 for a code that is taken.
pub(crate) async fn add(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    draft: &Draft,
) -> anyhow::Result<()> {
    check(tx, draft).await?;
    products::insert(tx, &draft.product).await?;
    put(context, tx, actor, draft).await
}

/// Stores a product whose version was counted up, with its variants.
///
/// # Errors
/// As [`add`]; 409 when somebody else was faster.
pub(crate) async fn change(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    draft: &Draft,
) -> anyhow::Result<()> {
    check(tx, draft).await?;
    if !products::update(tx, &draft.product).await? {
        return Err(changed_meanwhile().into());
    }
    put(context, tx, actor, draft).await
}

/// Stores where a product stands, its version counted up; its variants stay.
///
/// # Errors
/// 409 when somebody else was faster.
pub(crate) async fn step(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    product: &Product,
) -> anyhow::Result<()> {
    if !products::update(tx, product).await? {
        return Err(changed_meanwhile().into());
    }
    let variants = products::variants(tx, tx.tenant(), &product.id).await?;
    finding::product(tx, product, &variants).await?;
    tell(context, tx, actor, (product, &variants)).await
}

async fn put(context: &Context, tx: &Tx, actor: &Actor, draft: &Draft) -> anyhow::Result<()> {
    let Draft {
        product,
        variants,
        units,
    } = draft;
    products::put_variants(tx, product, variants).await?;
    if product.kind == SaleKind::Goods {
        for variant in variants {
            let item = Item::Variant(variant.id.clone());
            stock::open(tx, &product.merchant, &item, 0).await?;
        }
    }
    for (variant, count) in units.iter().filter(|(_, count)| *count > 0) {
        let movement = Movement {
            id: context.new_id::<kernel::EventId>()?.into(),
            kind: MovementKind::Received,
            available: *count,
            reserved: 0,
            line: None,
            actor: Some(actor.id.clone()),
            reason: None,
            at: context.now,
        };
        stock::adjust(tx, variant.as_str(), &movement).await?;
    }
    batching::settle_product(context, tx, &product.id).await?;
    finding::product(tx, product, variants).await?;
    tell(context, tx, actor, (product, variants)).await
}

async fn tell(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    (product, variants): (&Product, &[Variant]),
) -> anyhow::Result<()> {
    let offered = variants.iter().filter(|variant| !variant.gone);
    let fact = ProductChanged {
        product: product.id.clone(),
        merchant: product.merchant.clone(),
        category: product.category.clone(),
        state: product.state.as_str().to_owned(),
        prices: offered
            .map(|variant| (variant.id.clone(), variant.price_minor))
            .collect(),
        version: product.version,
        actor: actor.id.clone(),
        on_behalf: actor.kind != ActorKind::Merchant,
        reason: match &product.state {
            ProductState::Delisted(reason) => {
                reason.as_ref().map(|reason| reason.as_str().to_owned())
            }
            _ => None,
        },
    };
    facts::append(context, tx, &fact).await
}

/// Refuses prices, times and codes that cannot be.
async fn check(tx: &Tx, draft: &Draft) -> anyhow::Result<()> {
    let Draft {
        product,
        variants,
        units,
    } = draft;
    let price = |variant: &Variant| (1..=PRICE_MINOR_MAX).contains(&variant.price_minor);
    if !variants.iter().all(price) {
        return Err(price_invalid().into());
    }
    if variants.is_empty() || variants.len() > VARIANTS_MAX {
        return Err(variants_number().into());
    }
    if !units
        .iter()
        .all(|(_, count)| (0..=UNITS_MAX).contains(count))
    {
        return Err(crate::domain::stock::units_invalid().into());
    }
    let minutes = [product.content.lead_minutes, product.content.cancel_minutes];
    if minutes.iter().any(|minutes| *minutes > MINUTES_MAX) {
        return Err(minutes_invalid().into());
    }
    for (index, variant) in variants.iter().enumerate() {
        let Some(code) = &variant.code else { continue };
        let before = variants.iter().take(index);
        let is_twice = before
            .into_iter()
            .any(|other| other.code.as_ref() == Some(code));
        let held = products::variant_of_code(tx, &product.merchant, code.as_str()).await?;
        if is_twice || held.is_some_and(|(_, of)| of != product.id) {
            return Err(code_taken(code.as_str()).into());
        }
    }
    Ok(())
}

fn price_invalid() -> Refusal {
    Refusal::invalid(
        "price_invalid",
        Message::new(
            format!("A price is 1 to {PRICE_MINOR_MAX} fen."),
            format!("价格应为 1 至 {PRICE_MINOR_MAX} 分。"),
        ),
    )
}

fn variants_number() -> Refusal {
    Refusal::invalid(
        "variants_number",
        Message::new(
            format!("A product has 1 to {VARIANTS_MAX} variants."),
            format!("每个商品应有 1 至 {VARIANTS_MAX} 个规格。"),
        ),
    )
}

fn minutes_invalid() -> Refusal {
    Refusal::invalid(
        "minutes_invalid",
        Message::new(
            format!("Times before a slot are 0 to {MINUTES_MAX} minutes."),
            format!("提前时间应为 0 至 {MINUTES_MAX} 分钟。"),
        ),
    )
}

fn code_taken(code: &str) -> Refusal {
    Refusal::conflict(
        "code_taken",
        Message::new(
            format!("The code {code} belongs to another variant of this shop."),
            format!("编码 {code} 已被本店其他规格使用。"),
        ),
    )
}

/// Somebody else was faster.
pub(crate) fn changed_meanwhile() -> Refusal {
    Refusal::new(
        kernel::RefusalKind::Stale,
        "version_changed",
        Message::new(
            "It has changed since you read it. Read it again, then repeat your change.",
            "内容已被他人修改，请重新读取后再提交。",
        ),
    )
}
