//! Goods and services, their variants and pictures.

use kernel::{CategoryId, MerchantId, ProductId, TenantId, VariantId};
use store::{Read, Tx, Value};
use web::Page;
use wire::mall::SaleKind;

use crate::domain::product::{Product, ProductState, Variant};
use crate::rows::{date, read_product, read_variant};

statements! {
    PRODUCT = "select id, merchant, category, kind, name, summary, description, state, lead_minutes, cancel_minutes,
            version, created_at, changed_at, listed_at, delisted_because
        from orders_product where tenant = $1 and id = $2";

    INSERT_PRODUCT = "insert into orders_product
            (tenant, id, merchant, category, kind, name, summary, description, state, lead_minutes, cancel_minutes,
             version, created_at, changed_at, listed_at, delisted_because)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";

    // The version says whether somebody else was faster.
    UPDATE_PRODUCT = "update orders_product set category = $4, kind = $5, name = $6, summary = $7, description = $8,
            state = $9, lead_minutes = $10, cancel_minutes = $11, version = $12, changed_at = $13, listed_at = $14,
            delisted_because = $15
        where tenant = $1 and id = $2 and version = $3 returning id";

    // Buyers see what is listed in shops that trade; a keeper sees all of the merchant's.
    PRODUCTS_ON_OFFER = "select p.id, p.merchant, p.category, p.kind, p.name, p.summary, p.description, p.state,
            p.lead_minutes, p.cancel_minutes, p.version, p.created_at, p.changed_at, p.listed_at, p.delisted_because
        from orders_product p
        join orders_merchant m on m.tenant = p.tenant and m.id = p.merchant and m.trades = 1
        where p.tenant = $1 and p.state = 'listed' and (cast($2 as text) is null or p.id < $2)
          and (cast($3 as text) is null or p.kind = $3)
        order by p.id desc limit $4";

    PRODUCTS_ON_OFFER_OF = "with recursive orders_below (id, depth) as (
            select c.id, 0 from orders_category c where c.tenant = $1 and c.id = $6
            union all
            select c.id, b.depth + 1 from orders_category c
            join orders_below b on c.parent = b.id where c.tenant = $1 and b.depth < 8)
        select p.id, p.merchant, p.category, p.kind, p.name, p.summary, p.description, p.state,
            p.lead_minutes, p.cancel_minutes, p.version, p.created_at, p.changed_at, p.listed_at, p.delisted_because
        from orders_product p
        join orders_merchant m on m.tenant = p.tenant and m.id = p.merchant and m.trades = 1
        where p.tenant = $1 and p.state = 'listed' and (cast($2 as text) is null or p.id < $2)
          and (cast($3 as text) is null or p.kind = $3) and p.merchant = $5
          and (cast($6 as text) is null or p.category in (select id from orders_below))
        order by p.id desc limit $4";

    // In the category or in one below it; a circle ends after eight steps.
    PRODUCTS_ON_OFFER_IN = "with recursive orders_below (id, depth) as (
            select c.id, 0 from orders_category c where c.tenant = $1 and c.id = $5
            union all
            select c.id, b.depth + 1 from orders_category c
            join orders_below b on c.parent = b.id where c.tenant = $1 and b.depth < 8)
        select p.id, p.merchant, p.category, p.kind, p.name, p.summary, p.description, p.state,
            p.lead_minutes, p.cancel_minutes, p.version, p.created_at, p.changed_at, p.listed_at, p.delisted_because
        from orders_below b cross join orders_product p
        join orders_merchant m on m.tenant = p.tenant and m.id = p.merchant and m.trades = 1
        where p.tenant = $1 and p.category = b.id and p.state = 'listed' and (cast($2 as text) is null or p.id < $2)
          and (cast($3 as text) is null or p.kind = $3)
        order by p.id desc limit $4";

    PRODUCTS_KEPT = "select id, merchant, category, kind, name, summary, description, state, lead_minutes,
            cancel_minutes, version, created_at, changed_at, listed_at, delisted_because
        from orders_product
        where tenant = $1 and merchant = $2 and (cast($3 as text) is null or id < $3)
          and (cast($4 as text) is null or state = $4)
        order by id desc limit $5";

    VARIANTS = "select id, name, price_minor, code, barcode, expires_on, trace_code, near_days, markdown_bps, gone
        from orders_variant where tenant = $1 and product = $2 order by position, id limit 500";

    PRODUCT_OF_VARIANT = "select product from orders_variant where tenant = $1 and id = $2";

    VARIANT_OF_CODE = "select id, product from orders_variant where tenant = $1 and merchant = $2 and code = $3";

    PUT_VARIANT = "insert into orders_variant
            (tenant, id, product, merchant, position, name, price_minor, code, barcode, expires_on, trace_code,
             near_days, markdown_bps, gone)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        on conflict (tenant, id) do update set position = excluded.position, name = excluded.name,
            price_minor = excluded.price_minor, code = excluded.code, barcode = excluded.barcode,
            expires_on = excluded.expires_on, trace_code = excluded.trace_code, near_days = excluded.near_days,
            markdown_bps = excluded.markdown_bps, gone = excluded.gone";

    DROP_VARIANTS = "update orders_variant set gone = 1, code = null where tenant = $1 and product = $2";

    PUT_PICTURE = "insert into orders_picture (tenant, product, position, digest, media_type, bytes, content)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (tenant, product, position) do update set digest = excluded.digest,
            media_type = excluded.media_type, bytes = excluded.bytes, content = excluded.content";

    DELETE_PICTURE = "delete from orders_picture where tenant = $1 and product = $2 and position = $3 returning digest";

    PICTURE = "select media_type, digest, content from orders_picture
        where tenant = $1 and product = $2 and position = $3";

    PICTURES = "select position, digest, media_type, bytes from orders_picture
        where tenant = $1 and product = $2 order by position limit 9";
}

/// A picture without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) position: i64,
    pub(crate) digest: String,
    pub(crate) media_type: String,
    pub(crate) bytes: i64,
}

/// Which products a list holds.
pub(crate) struct Offered<'a> {
    pub(crate) merchant: Option<&'a MerchantId>,
    pub(crate) category: Option<&'a CategoryId>,
    pub(crate) kind: Option<SaleKind>,
}

/// The product.
pub(crate) async fn product(
    db: &impl Read,
    tenant: &TenantId,
    id: &ProductId,
) -> anyhow::Result<Option<Product>> {
    let row = db.row(PRODUCT, &[tenant.into(), id.into()]).await?;
    row.map(|row| read_product(&row)).transpose()
}

/// Adds a product.
pub(crate) async fn insert(tx: &Tx, product: &Product) -> anyhow::Result<()> {
    let mut parameters: Vec<Value> = vec![
        tx.tenant().into(),
        (&product.id).into(),
        (&product.merchant).into(),
    ];
    parameters.extend(content(product));
    parameters.push(product.version.into());
    parameters.push(product.created_at.into());
    parameters.push(product.changed_at.into());
    parameters.extend(standing(product));
    tx.execute(INSERT_PRODUCT, &parameters).await
}

/// Stores a product whose version is one above the one it was read in; answers whether it still was in that.
pub(crate) async fn update(tx: &Tx, product: &Product) -> anyhow::Result<bool> {
    let mut parameters: Vec<Value> = vec![
        tx.tenant().into(),
        (&product.id).into(),
        (product.version - 1).into(),
    ];
    parameters.extend(content(product));
    parameters.push(product.version.into());
    parameters.push(product.changed_at.into());
    parameters.extend(standing(product));
    Ok(tx.row(UPDATE_PRODUCT, &parameters).await?.is_some())
}

fn content(product: &Product) -> Vec<Value> {
    vec![
        (&product.category).into(),
        product.kind.as_str().into(),
        product.content.name.as_str().into(),
        product
            .content
            .summary
            .as_ref()
            .map_or("", |text| text.as_str())
            .into(),
        product.content.description.as_str().into(),
        product.state.as_str().into(),
        product.content.lead_minutes.into(),
        product.content.cancel_minutes.into(),
    ]
}

fn standing(product: &Product) -> [Value; 2] {
    match &product.state {
        ProductState::Draft => [Value::Null, Value::Null],
        ProductState::Listed(since) => [(*since).into(), Value::Null],
        ProductState::Delisted(reason) => [
            Value::Null,
            reason.as_ref().map(|reason| reason.as_str()).into(),
        ],
    }
}

/// What buyers can see, the latest first.
pub(crate) async fn on_offer(
    db: &impl Read,
    tenant: &TenantId,
    of: &Offered<'_>,
    page: &Page<ProductId>,
) -> anyhow::Result<Vec<Product>> {
    let mut parameters: Vec<Value> = vec![
        tenant.into(),
        page.after.as_ref().into(),
        of.kind.map(SaleKind::as_str).into(),
        page.rows().into(),
    ];
    let statement = match (of.merchant, of.category) {
        (Some(merchant), category) => {
            parameters.extend([merchant.into(), category.into()]);
            PRODUCTS_ON_OFFER_OF
        }
        (None, Some(category)) => {
            parameters.push(category.into());
            PRODUCTS_ON_OFFER_IN
        }
        (None, None) => PRODUCTS_ON_OFFER,
    };
    let rows = db.rows(statement, &parameters).await?;
    rows.iter().map(read_product).collect()
}

/// All that a merchant keeps, the latest first.
pub(crate) async fn kept(
    db: &impl Read,
    (tenant, merchant): (&TenantId, &MerchantId),
    state: Option<&str>,
    page: &Page<ProductId>,
) -> anyhow::Result<Vec<Product>> {
    let parameters = [
        tenant.into(),
        merchant.into(),
        page.after.as_ref().into(),
        state.into(),
        page.rows().into(),
    ];
    let rows = db.rows(PRODUCTS_KEPT, &parameters).await?;
    rows.iter().map(read_product).collect()
}

/// The variants of a product, those that are gone as well.
pub(crate) async fn variants(
    db: &impl Read,
    tenant: &TenantId,
    product: &ProductId,
) -> anyhow::Result<Vec<Variant>> {
    let rows = db.rows(VARIANTS, &[tenant.into(), product.into()]).await?;
    rows.iter().map(read_variant).collect()
}

/// Of which product a variant is.
pub(crate) async fn product_of(
    db: &impl Read,
    tenant: &TenantId,
    variant: &VariantId,
) -> anyhow::Result<Option<ProductId>> {
    let row = db
        .row(PRODUCT_OF_VARIANT, &[tenant.into(), variant.into()])
        .await?;
    row.map(|row| row.id(0)).transpose()
}

/// The variant of a merchant that goes by that code, and its product.
pub(crate) async fn variant_of_code(
    tx: &Tx,
    merchant: &MerchantId,
    code: &str,
) -> anyhow::Result<Option<(VariantId, ProductId)>> {
    let parameters = [tx.tenant().into(), merchant.into(), code.into()];
    let row = tx.row(VARIANT_OF_CODE, &parameters).await?;
    row.map(|row| Ok((row.id(0)?, row.id(1)?))).transpose()
}

/// Stores the variants of a product in their order; those that are not among them are gone.
pub(crate) async fn put_variants(
    tx: &Tx,
    product: &Product,
    variants: &[Variant],
) -> anyhow::Result<()> {
    tx.execute(DROP_VARIANTS, &[tx.tenant().into(), (&product.id).into()])
        .await?;
    let mut rows = Vec::with_capacity(variants.len());
    for (position, variant) in variants.iter().enumerate() {
        let shelf = variant.shelf.as_ref();
        rows.push(vec![
            tx.tenant().into(),
            (&variant.id).into(),
            (&product.id).into(),
            (&product.merchant).into(),
            i64::try_from(position)?.into(),
            variant.name.as_str().into(),
            variant.price_minor.into(),
            variant.code.as_ref().map(|code| code.as_str()).into(),
            variant.barcode.as_ref().map(|code| code.as_str()).into(),
            shelf.map(|shelf| date(shelf.expires_on)).into(),
            shelf
                .and_then(|shelf| shelf.trace_code.as_ref())
                .map(|code| code.as_str())
                .into(),
            shelf.map_or(0, |shelf| shelf.near_days).into(),
            shelf.map_or(0, |shelf| shelf.markdown_bps).into(),
            variant.gone.into(),
        ]);
    }
    tx.insert_many(PUT_VARIANT, &rows).await
}

/// Stores a picture; `content` is base64.
pub(crate) async fn put_picture(
    tx: &Tx,
    product: &ProductId,
    picture: &Picture,
    content: String,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        product.into(),
        picture.position.into(),
        (&picture.digest).into(),
        (&picture.media_type).into(),
        picture.bytes.into(),
        content.into(),
    ];
    tx.execute(PUT_PICTURE, &parameters).await
}

/// Takes a picture away; answers whether there was one.
pub(crate) async fn delete_picture(
    tx: &Tx,
    product: &ProductId,
    position: i64,
) -> anyhow::Result<bool> {
    let parameters = [tx.tenant().into(), product.into(), position.into()];
    Ok(tx.row(DELETE_PICTURE, &parameters).await?.is_some())
}

/// A picture: its media type, its digest and its content in base64.
pub(crate) async fn picture(
    db: &impl Read,
    tenant: &TenantId,
    (product, position): (&ProductId, i64),
) -> anyhow::Result<Option<(String, String, String)>> {
    let parameters = [tenant.into(), product.into(), position.into()];
    let Some(row) = db.row(PICTURE, &parameters).await? else {
        return Ok(None);
    };
    let text = |column| row.text(column).map(str::to_owned);
    Ok(Some((text(0)?, text(1)?, text(2)?)))
}

/// The pictures of a product in their order.
pub(crate) async fn pictures(
    db: &impl Read,
    tenant: &TenantId,
    product: &ProductId,
) -> anyhow::Result<Vec<Picture>> {
    let rows = db.rows(PICTURES, &[tenant.into(), product.into()]).await?;
    rows.iter()
        .map(|row| {
            Ok(Picture {
                position: row.integer(0)?,
                digest: row.text(1)?.to_owned(),
                media_type: row.text(2)?.to_owned(),
                bytes: row.integer(3)?,
            })
        })
        .collect()
}
