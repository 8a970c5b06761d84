//! What several routes of goods read and show.

use kernel::{Actor, ProductId, Refusal, VariantId};
use serde::{Deserialize, Serialize};
use store::Read;

use crate::context::Context;
use crate::domain::product::{Freshness, Product, Shelf, Variant};
use crate::domain::text::{Code, Reason};
use crate::domain::{Merchant, goods_keeper, unknown_product};
use crate::quoting;
use crate::store::{known, products, stock};

/// A field of the body that is text on the wire and a type of the domain behind it.
#[derive(Deserialize)]
#[serde(
    try_from = "String",
    bound = "T: TryFrom<String>, T::Error: std::fmt::Display"
)]
pub(super) struct Text<T>(pub(super) T);

impl<T: TryFrom<String>> TryFrom<String> for Text<T> {
    type Error = T::Error;
    fn try_from(text: String) -> Result<Self, T::Error> {
        T::try_from(text).map(Self)
    }
}

/// Why somebody does something.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Because {
    reason: Option<Text<Reason>>,
}

impl Because {
    pub(super) fn reason(self) -> Option<Reason> {
        self.reason.map(|reason| reason.0)
    }
}

/// The body of an action that may go without one.
pub(super) fn because(request: &web::Request) -> Result<Because, web::Problem> {
    if request.body().is_empty() {
        return Ok(Because::default());
    }
    web::body(request)
}

/// The product and its merchant, for those who may change them.
pub(super) async fn kept(
    db: &impl Read,
    actor: &Actor,
    id: &ProductId,
) -> anyhow::Result<(Product, Merchant)> {
    let product = products::product(db, &actor.tenant, id).await?;
    let product = product.ok_or_else(unknown_product)?;
    let merchant = known::merchant(db, &actor.tenant, &product.merchant).await?;
    let merchant = merchant.ok_or_else(unknown_product)?;
    goods_keeper(actor, &merchant, unknown_product)?;
    Ok((product, merchant))
}

/// A batch as it is written.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenShelf {
    expires_on: chrono::NaiveDate,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace_code: Option<String>,
    #[serde(default)]
    near_days: u32,
    #[serde(default)]
    markdown_bps: u32,
}

impl WrittenShelf {
    pub(super) fn shelf(self) -> Result<Shelf, Refusal> {
        let trace_code = self.trace_code.as_deref().map(Code::parse).transpose();
        let trace_code = trace_code.map_err(|_| shelf_invalid())?;
        if self.near_days > crate::domain::product::NEAR_DAYS_MAX || self.markdown_bps > 10_000 {
            return Err(shelf_invalid());
        }
        Ok(Shelf {
            expires_on: self.expires_on,
            trace_code,
            near_days: self.near_days,
            markdown_bps: self.markdown_bps,
        })
    }
}

impl From<Shelf> for WrittenShelf {
    fn from(shelf: Shelf) -> Self {
        Self {
            expires_on: shelf.expires_on,
            trace_code: shelf.trace_code.map(|code| code.as_str().to_owned()),
            near_days: shelf.near_days,
            markdown_bps: shelf.markdown_bps,
        }
    }
}

fn shelf_invalid() -> Refusal {
    Refusal::invalid(
        "shelf_invalid",
        kernel::Message::new(
            "Near its expiry are 0 to 365 days, a markdown is 0 to 10000, a trace code 1 to 64 characters.",
            "临期天数为 0 至 365，折扣为 0 至 10000，追溯码为 1 至 64 个字符。",
        ),
    )
}

/// A variant as it is shown.
#[derive(Serialize)]
pub(super) struct ShownVariant {
    id: VariantId,
    name: String,
    /// What one costs today.
    price_minor: i64,
    /// What one costs when it is not near its expiry.
    usual_minor: i64,
    currency: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    barcode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shelf: Option<WrittenShelf>,
    expired: bool,
    /// Of goods: how many can be bought.
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<i64>,
}

/// A picture as it is shown.
#[derive(Serialize)]
struct ShownPicture {
    position: i64,
    digest: String,
    media_type: String,
    bytes: i64,
}

/// A product with its variants.
#[derive(Serialize)]
pub(super) struct ShownProduct {
    id: ProductId,
    merchant: kernel::MerchantId,
    category: kernel::CategoryId,
    kind: &'static str,
    name: String,
    summary: Option<String>,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    lead_minutes: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel_minutes: Option<u32>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    delisted_because: Option<String>,
    variants: Vec<ShownVariant>,
    pictures: Vec<ShownPicture>,
    version: i64,
    changed_at: kernel::Timestamp,
}

/// A product as it is shown, read anew.
pub(super) async fn shown(
    context: &Context,
    db: &impl Read,
    actor: &Actor,
    product: Product,
) -> anyhow::Result<ShownProduct> {
    let tenant = &actor.tenant;
    let today = quoting::today(db, tenant, None, context.now).await?;
    let variants = products::variants(db, tenant, &product.id).await?;
    let stocks = stock::of_product(db, tenant, &product.id).await?;
    let is_service = product.kind == wire::mall::SaleKind::Service;
    let show = |variant: Variant| ShownVariant {
        available: stocks
            .iter()
            .find(|stock| !is_service && stock.item == variant.id.as_str())
            .map(|stock| stock.available),
        price_minor: variant.price_on(today),
        usual_minor: variant.price_minor,
        currency: "CNY",
        expired: variant.freshness(today) == Freshness::Expired,
        name: variant.name.as_str().to_owned(),
        code: variant.code.map(|code| code.as_str().to_owned()),
        barcode: variant.barcode.map(|code| code.as_str().to_owned()),
        shelf: variant.shelf.map(WrittenShelf::from),
        id: variant.id,
    };
    let pictures = products::pictures(db, tenant, &product.id).await?;
    let state = product.state.as_str();
    Ok(ShownProduct {
        variants: variants
            .into_iter()
            .filter(|variant| !variant.gone)
            .map(show)
            .collect(),
        pictures: pictures
            .into_iter()
            .map(|picture| ShownPicture {
                position: picture.position,
                digest: picture.digest,
                media_type: picture.media_type,
                bytes: picture.bytes,
            })
            .collect(),
        id: product.id,
        merchant: product.merchant,
        category: product.category,
        kind: product.kind.as_str(),
        name: product.content.name.as_str().to_owned(),
        summary: product.content.summary.map(|text| text.as_str().to_owned()),
        description: product.content.description.as_str().to_owned(),
        lead_minutes: is_service.then_some(product.content.lead_minutes),
        cancel_minutes: is_service.then_some(product.content.cancel_minutes),
        state,
        delisted_because: match product.state {
            crate::domain::ProductState::Delisted(reason) => {
                reason.map(|reason| reason.as_str().to_owned())
            }
            _ => None,
        },
        version: product.version,
        changed_at: product.changed_at,
    })
}
