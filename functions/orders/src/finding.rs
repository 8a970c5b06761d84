//! What is found by which words: texts are cut into single characters and pairs, so that any piece of a Chinese name
//! finds it.

use std::collections::BTreeSet;

use store::Tx;

use crate::domain::product::{Product, Variant};
use crate::domain::search::{grams, normal};
use crate::domain::{Merchant, ProductState};
use crate::store::search::{self as sql, Found};

/// Makes a product found as it is now: listed ones by their name, summary, variants and codes, others not at all.
pub(crate) async fn product(
    tx: &Tx,
    product: &Product,
    variants: &[Variant],
) -> anyhow::Result<()> {
    let kind = product.kind.as_str();
    sql::forget(tx, kind, product.id.as_str()).await?;
    if !matches!(product.state, ProductState::Listed(_)) {
        return Ok(());
    }
    let mut texts = vec![product.content.name.as_str()];
    texts.extend(product.content.summary.as_ref().map(|text| text.as_str()));
    for variant in variants.iter().filter(|variant| !variant.gone) {
        texts.push(variant.name.as_str());
        texts.extend(variant.code.as_ref().map(|code| code.as_str()));
        texts.extend(variant.barcode.as_ref().map(|code| code.as_str()));
    }
    put(
        tx,
        Found {
            kind: kind.to_owned(),
            id: product.id.as_str().to_owned(),
            merchant: product.merchant.clone(),
            title: product.content.name.as_str().to_owned(),
        },
        &texts,
    )
    .await
}

/// Makes a shop found by its name.
pub(crate) async fn shop(tx: &Tx, merchant: &Merchant) -> anyhow::Result<()> {
    sql::forget(tx, "shop", merchant.id.as_str()).await?;
    let found = Found {
        kind: "shop".to_owned(),
        id: merchant.id.as_str().to_owned(),
        merchant: merchant.id.clone(),
        title: merchant.name.clone(),
    };
    put(tx, found, &[&merchant.name]).await
}

async fn put(tx: &Tx, found: Found, texts: &[&str]) -> anyhow::Result<()> {
    let texts: Vec<String> = texts.iter().map(|text| normal(text)).collect();
    let name = texts.first().cloned().unwrap_or_default();
    let mut all = BTreeSet::new();
    for text in &texts {
        all.extend(grams(text));
    }
    sql::put(tx, &found, (&name, &texts.join("\n")), &all).await
}
