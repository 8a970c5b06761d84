//! `/api/products/{product}/pictures/{position}`: pictures of a product, small and few.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::{Message, ProductId, Refusal};
use sha2::{Digest as _, Sha256};
use store::tx;
use web::{Reply, Request};

use super::form::{kept, shown};
use super::products::seen;
use super::{caller, path_id};
use crate::context::Context;
use crate::domain::product::Product;
use crate::domain::unknown_product;
use crate::store::products::{self as sql, Picture};
use crate::{goods, inbox};

/// The largest picture, in bytes.
pub const PICTURE_BYTES_MAX: usize = 256 * 1024;
/// The most pictures of a product.
pub const PICTURES_MAX: i64 = 9;

/// What a picture is, by its first bytes; what the sender calls it is not believed.
fn media_type(content: &[u8]) -> Option<&'static str> {
    if content.starts_with(&[0xff, 0xd8, 0xff]) {
        return Some("image/jpeg");
    }
    if content.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some("image/png");
    }
    let is_webp = content.starts_with(b"RIFF") && content.get(8..12) == Some(b"WEBP".as_slice());
    is_webp.then_some("image/webp")
}

fn place(position: &str) -> Result<i64, Refusal> {
    let number = position.parse().ok();
    number
        .filter(|number| (1..=PICTURES_MAX).contains(number))
        .ok_or_else(unknown_picture)
}

pub(super) async fn put(
    context: &Context,
    request: &Request,
    (product, position): (&str, &str),
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id: ProductId = path_id(product, unknown_product)?;
    inbox::catch_up(context, &actor.tenant).await?;
    kept(&context.db, &actor, &id).await?;
    let position = place(position)?;
    let content = web::raw_body(request, PICTURE_BYTES_MAX)?;
    let picture = Picture {
        position,
        digest: digest(content),
        media_type: media_type(content).ok_or_else(no_picture)?.to_owned(),
        bytes: i64::try_from(content.len())?,
    };
    let encoded = STANDARD.encode(content);
    let product = tx(&context.db, &actor.tenant, async |tx| {
        let (product, _) = kept(&*tx, &actor, &id).await?;
        sql::put_picture(tx, &id, &picture, encoded.clone()).await?;
        let product = counted(context, product);
        goods::step(context, tx, &actor, &product).await?;
        Ok(product)
    })
    .await?;
    let version = product.version;
    let shown = shown(context, &context.db, &actor, product).await?;
    Ok(Reply::ok(&shown).with_etag(version))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    (product, position): (&str, &str),
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id: ProductId = path_id(product, unknown_product)?;
    inbox::catch_up(context, &actor.tenant).await?;
    seen(context, &actor, &id).await?;
    let found = sql::picture(&context.db, &actor.tenant, (&id, place(position)?)).await?;
    let (media, digest, content) = found.ok_or_else(unknown_picture)?;
    let media = match media.as_str() {
        "image/jpeg" => "image/jpeg",
        "image/png" => "image/png",
        _ => "image/webp",
    };
    let bytes = STANDARD
        .decode(content)
        .map_err(|error| anyhow::anyhow!("a picture is no base64: {error}"))?;
    let reply = Reply::with_body(::http::StatusCode::OK, media, bytes.into());
    Ok(reply
        .with_header(::http::header::ETAG, &format!("\"{digest}\""))
        .with_header(::http::header::CACHE_CONTROL, "private, max-age=86400")
        .with_header(::http::header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
}

pub(super) async fn delete(
    context: &Context,
    request: &Request,
    (product, position): (&str, &str),
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id: ProductId = path_id(product, unknown_product)?;
    inbox::catch_up(context, &actor.tenant).await?;
    kept(&context.db, &actor, &id).await?;
    let position = place(position)?;
    tx(&context.db, &actor.tenant, async |tx| {
        let (product, _) = kept(&*tx, &actor, &id).await?;
        if !sql::delete_picture(tx, &id, position).await? {
            return Err(unknown_picture().into());
        }
        goods::step(context, tx, &actor, &counted(context, product)).await
    })
    .await?;
    Ok(Reply::no_content())
}

fn counted(context: &Context, product: Product) -> Product {
    Product {
        version: product.version + 1,
        changed_at: context.now,
        ..product
    }
}

fn digest(content: &[u8]) -> String {
    let sum = Sha256::digest(content);
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn no_picture() -> Refusal {
    Refusal::invalid(
        "picture_invalid",
        Message::new(
            "Send a JPEG, PNG or WebP picture.",
            "请上传 JPEG、PNG 或 WebP 图片。",
        ),
    )
}

fn unknown_picture() -> Refusal {
    Refusal::not_found(
        "picture_unknown",
        Message::new(
            "There is no such picture; positions are 1 to 9.",
            "未找到该图片，图片位置为 1 至 9。",
        ),
    )
}
