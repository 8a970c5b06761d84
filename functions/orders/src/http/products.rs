//! `/api/products`: goods and services, as merchants keep them and as buyers see them.

use kernel::{CategoryId, MerchantId, ProductId, VariantId};
use serde::Deserialize;
use web::{Query, Reply, Request};
use wire::mall::SaleKind;

use super::form::{Text, WrittenShelf, because, kept, shown};
use super::{answer, caller, path_id, replied, stored, write};
use crate::context::Context;
use crate::domain::product::{Content, Product, ProductState, Variant, list as decide_listing};
use crate::domain::text::{Code, Description, Name, Summary};
use crate::domain::{goods_keeper, goods_reader, unknown_merchant, unknown_product};
use crate::goods::{self, Draft, Units};
use crate::inbox;
use crate::store::known;
use crate::store::products::{self as sql, Offered};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewProduct {
    merchant: MerchantId,
    category: CategoryId,
    name: Text<Name>,
    summary: Option<Text<Summary>>,
    description: Option<Text<Description>>,
    #[serde(default)]
    lead_minutes: u32,
    #[serde(default)]
    cancel_minutes: u32,
    variants: Vec<WrittenVariant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangedProduct {
    category: CategoryId,
    name: Text<Name>,
    summary: Option<Text<Summary>>,
    description: Option<Text<Description>>,
    #[serde(default)]
    lead_minutes: u32,
    #[serde(default)]
    cancel_minutes: u32,
    variants: Vec<WrittenVariant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenVariant {
    /// The variant that is changed; a new one without.
    id: Option<VariantId>,
    name: Text<Name>,
    price_minor: i64,
    code: Option<Text<Code>>,
    barcode: Option<Text<Code>>,
    shelf: Option<WrittenShelf>,
    /// Units that a new variant has from the beginning.
    #[serde(default)]
    units: i64,
}

/// The variants of a body; `held` are those that the product has.
fn variants(
    context: &Context,
    written: Vec<WrittenVariant>,
    held: &[Variant],
) -> anyhow::Result<(Vec<Variant>, Units)> {
    let (mut variants, mut units) = (Vec::new(), Vec::new());
    for one in written {
        let id = match one.id {
            Some(id) if held.iter().any(|known| known.id == id) => id,
            Some(_) => return Err(unknown_product().into()),
            None => {
                let id: VariantId = context.new_id()?;
                units.push((id.clone(), one.units));
                id
            }
        };
        variants.push(Variant {
            id,
            name: one.name.0,
            price_minor: one.price_minor,
            code: one.code.map(|code| code.0),
            barcode: one.barcode.map(|code| code.0),
            shelf: one.shelf.map(WrittenShelf::shelf).transpose()?,
            gone: false,
        });
    }
    Ok((variants, units))
}

pub(super) async fn add(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: NewProduct = web::body(request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let merchant = known::merchant(&context.db, &actor.tenant, &new.merchant).await?;
    let merchant = merchant.ok_or_else(unknown_merchant)?;
    goods_keeper(&actor, &merchant, unknown_merchant)?;
    let (variants, units) = variants(context, new.variants, &[])?;
    let product = Product {
        id: context.new_id()?,
        merchant: merchant.id.clone(),
        category: new.category,
        kind: SaleKind::Goods,
        content: Content {
            name: new.name.0,
            summary: new.summary.map(|text| text.0),
            description: new.description.map(|text| text.0).unwrap_or_default(),
            lead_minutes: new.lead_minutes,
            cancel_minutes: new.cancel_minutes,
        },
        state: ProductState::Draft,
        version: 1,
        created_at: context.now,
        changed_at: context.now,
    };
    let added = write(context, request, &actor, async |tx| {
        let kind = goods::kind_of(tx, &merchant, &product.category).await?;
        let draft = Draft {
            product: Product {
                kind,
                ..product.clone()
            },
            variants: variants.clone(),
            units: units.clone(),
        };
        goods::add(context, tx, &actor, &draft).await?;
        answer(201, &shown(context, tx, &actor, draft.product).await?)
    })
    .await?;
    Ok(stored(&added, "/api/products")?.with_etag(1))
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(ProductId::parse)?;
    let merchant = query.take("merchant", MerchantId::parse)?;
    let category = query.take("category", CategoryId::parse)?;
    let kind = query.take("kind", |text| {
        SaleKind::parse(text).ok_or("it is goods or service")
    })?;
    let state = query.take("state", |text| match text {
        "draft" | "listed" | "delisted" | "all" => Ok(text.to_owned()),
        _ => Err("it is draft, listed, delisted or all"),
    })?;
    query.finish()?;
    inbox::catch_up(context, &actor.tenant).await?;
    let found = match (&state, &merchant) {
        (None, _) => {
            let of = Offered {
                merchant: merchant.as_ref(),
                category: category.as_ref(),
                kind,
            };
            sql::on_offer(&context.db, &actor.tenant, &of, &page).await?
        }
        (Some(_), None) => return Err(unknown_merchant().into()),
        (Some(state), Some(id)) => {
            let known = known::merchant(&context.db, &actor.tenant, id).await?;
            let known = known.ok_or_else(unknown_merchant)?;
            goods_reader(&actor, &known, unknown_merchant)?;
            let state = Some(state.as_str()).filter(|state| *state != "all");
            sql::kept(&context.db, (&actor.tenant, id), state, &page).await?
        }
    };
    let mut items = Vec::with_capacity(found.len());
    for product in found {
        let id = product.id.clone();
        items.push((id, shown(context, &context.db, &actor, product).await?));
    }
    let listing = page.listing(items, |(id, _)| id.to_string(), |(_, product)| product);
    Ok(Reply::ok(&listing))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    product: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id: ProductId = path_id(product, unknown_product)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let product = seen(context, &actor, &id).await?;
    let version = product.version;
    let shown = shown(context, &context.db, &actor, product).await?;
    Ok(Reply::ok(&shown).with_etag(version))
}

/// The product, for buyers while it is on offer, and for those who may read all that its merchant keeps.
pub(super) async fn seen(
    context: &Context,
    actor: &kernel::Actor,
    id: &ProductId,
) -> anyhow::Result<Product> {
    let product = sql::product(&context.db, &actor.tenant, id).await?;
    let product = product.ok_or_else(unknown_product)?;
    let merchant = known::merchant(&context.db, &actor.tenant, &product.merchant).await?;
    let merchant = merchant.ok_or_else(unknown_product)?;
    let is_offered = merchant.trades && matches!(product.state, ProductState::Listed(_));
    if !is_offered {
        goods_reader(actor, &merchant, unknown_product)?;
    }
    Ok(product)
}

pub(super) async fn change(
    context: &Context,
    request: &Request,
    product: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id: ProductId = path_id(product, unknown_product)?;
    inbox::catch_up(context, &actor.tenant).await?;
    kept(&context.db, &actor, &id).await?;
    let condition = web::required_if_match(request)?;
    let new: ChangedProduct = web::body(request)?;
    let held = sql::variants(&context.db, &actor.tenant, &id).await?;
    let (variants, units) = variants(context, new.variants, &held)?;
    let content = Content {
        name: new.name.0,
        summary: new.summary.map(|text| text.0),
        description: new.description.map(|text| text.0).unwrap_or_default(),
        lead_minutes: new.lead_minutes,
        cancel_minutes: new.cancel_minutes,
    };
    let changed = write(context, request, &actor, async |tx| {
        let (product, merchant) = kept(&*tx, &actor, &id).await?;
        condition.check(product.version)?;
        let kind = goods::kind_of(tx, &merchant, &new.category).await?;
        if kind != product.kind {
            return Err(crate::domain::product::kind_fixed().into());
        }
        let draft = Draft {
            product: Product {
                category: new.category.clone(),
                content: content.clone(),
                version: product.version + 1,
                changed_at: context.now,
                ..product
            },
            variants: variants.clone(),
            units: units.clone(),
        };
        goods::change(context, tx, &actor, &draft).await?;
        answer(200, &shown(context, tx, &actor, draft.product).await?)
    })
    .await?;
    replied(&changed)
}

pub(super) async fn put_on_offer(
    context: &Context,
    request: &Request,
    product: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id: ProductId = path_id(product, unknown_product)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let listed = write(context, request, &actor, async |tx| {
        let (product, merchant) = kept(&*tx, &actor, &id).await?;
        let variants = sql::variants(&*tx, &actor.tenant, &id).await?;
        let state = decide_listing(&merchant, &product, &variants, context.now)?;
        goods::kind_of(tx, &merchant, &product.category).await?;
        let product = move_to(context, tx, &actor, (product, state)).await?;
        answer(200, &shown(context, tx, &actor, product).await?)
    })
    .await?;
    replied(&listed)
}

pub(super) async fn take_off(
    context: &Context,
    request: &Request,
    product: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id: ProductId = path_id(product, unknown_product)?;
    let reason = because(request)?.reason();
    inbox::catch_up(context, &actor.tenant).await?;
    let delisted = write(context, request, &actor, async |tx| {
        let held = sql::product(&*tx, &actor.tenant, &id).await?;
        let product = held.ok_or_else(unknown_product)?;
        let merchant = known::merchant(&*tx, &actor.tenant, &product.merchant).await?;
        let merchant = merchant.ok_or_else(unknown_product)?;
        crate::domain::product::check_delisting(&actor, &merchant, reason.as_ref())?;
        let state = ProductState::Delisted(reason.clone());
        let product = move_to(context, tx, &actor, (product, state)).await?;
        answer(200, &shown(context, tx, &actor, product).await?)
    })
    .await?;
    replied(&delisted)
}

/// Stores where a product stands from now on; where it stands already changes nothing.
async fn move_to(
    context: &Context,
    tx: &store::Tx,
    actor: &kernel::Actor,
    (product, state): (Product, ProductState),
) -> anyhow::Result<Product> {
    if product.state == state {
        return Ok(product);
    }
    let product = Product {
        state,
        version: product.version + 1,
        changed_at: context.now,
        ..product
    };
    goods::step(context, tx, actor, &product).await?;
    Ok(product)
}
