//! Orders in the mall through the running host: checkouts of many buyers over many products, as fast as they are answered
//! from disk, and a flash sale with far more buyers than units.

use std::{sync::Arc, time::Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};

use super::{CONNECTIONS, ROUND, ROUNDS, Table, load, load::Make, median, servers::Server};
use crate::{
    client::Client,
    demo::{
        COMMUNITY, Demo, Person,
        shop::{CATEGORY, text},
    },
};

/// How many residents buy.
const BUYERS: usize = 200;
const PRODUCTS: usize = 20;
const VARIANTS: usize = 10;
const PRICE_MINOR: u64 = 500;
/// More than any run sells.
const UNITS: i64 = 1_000_000;
/// What there is in the flash sale.
const FLASH_UNITS: usize = 10;
/// The ticks after which payments must have heard of every order.
const TICKS_MAX: usize = 2_000;

/// Stocks the shop, and measures what it sells.
///
/// # Errors
/// When the host refuses something, or sells other than it has.
pub async fn measure(
    (server, shop): (&Server, &str),
    demo: &Demo,
    (internal, operator): (&Client, &Client),
    table: &mut Table,
) -> Result<()> {
    let variants = stock(operator, shop).await?;
    let buyers = buyers(demo, operator).await?;
    sustained(server, (&variants, &buyers), table).await?;
    let start = Instant::now();
    heard(internal).await?;
    let value = format!("{:.2} s", start.elapsed().as_secs_f64());
    table.row("until payments had heard of the last order", &value, "");
    flash_sale(server, operator, (shop, &buyers), table).await
}

/// Puts products on offer; the ids of all their variants.
async fn stock(operator: &Client, shop: &str) -> Result<Vec<String>> {
    let mut variants = Vec::with_capacity(PRODUCTS * VARIANTS);
    for product in 0..PRODUCTS {
        let names: Vec<String> = (0..VARIANTS)
            .map(|variant| format!("{variant} 号"))
            .collect();
        variants.extend(offer(operator, shop, (&format!("商品 {product}"), &names, UNITS)).await?);
    }
    Ok(variants)
}

/// Puts a product on offer; the ids of its variants.
async fn offer(
    operator: &Client,
    shop: &str,
    (name, variants, units): (&str, &[String], i64),
) -> Result<Vec<String>> {
    let variants: Vec<Value> = variants
        .iter()
        .map(|name| json!({ "name": name, "price_minor": PRICE_MINOR, "units": units }))
        .collect();
    let product =
        json!({ "merchant": shop, "category": CATEGORY, "name": name, "variants": variants });
    let made = operator.post("/api/products", product).await?;
    let path = format!("/api/products/{}/listing", text(&made, "id")?);
    operator.call("POST", &path, None).await?;
    let variants = made["variants"].as_array().context("no variants")?;
    variants
        .iter()
        .map(|variant| Ok(text(variant, "id")?.to_owned()))
        .collect()
}

/// Residents whom the operator lets in; what they authorize themselves with.
async fn buyers(demo: &Demo, operator: &Client) -> Result<Vec<String>> {
    let mut tokens = Vec::with_capacity(BUYERS);
    for number in 0..BUYERS {
        let person = Person {
            username: format!("buyer-{number}"),
            // A throw-away account of a throw-away host.
            password: format!("bench-only-{number}-{}", std::process::id()),
            kind: "resident".to_owned(),
            id: String::new(),
        };
        let body = json!({
            "username": person.username, "password": person.password, "kind": person.kind, "communities": [COMMUNITY],
        });
        operator.post("/api/people", body).await?;
        let buyer = operator.log_in(&demo.tenant, &person).await?;
        tokens.push(format!("Bearer {}", buyer.token()));
    }
    Ok(tokens)
}

/// One, two or three products by one buyer after another, as many as are answered.
async fn sustained(
    server: &Server,
    (variants, buyers): (&[String], &[String]),
    table: &mut Table,
) -> Result<()> {
    load::saturate(
        &server.address,
        CONNECTIONS,
        ROUND,
        checkouts("warm", variants, buyers),
    )
    .await?;
    let mut outcomes = Vec::new();
    for round in 0..ROUNDS {
        let make = checkouts(&format!("round-{round}"), variants, buyers);
        outcomes.push(load::saturate(&server.address, CONNECTIONS, ROUND, make).await?);
    }
    let middle = median(outcomes).context("no round was measured")?;
    let value = format!(
        "{:.0}/s, p50 {:.1} ms, p99 {:.1} ms, {} failed",
        middle.per_second,
        middle.percentile_ms(0.5),
        middle.percentile_ms(0.99),
        middle.failed
    );
    let what = format!(
        "durable checkouts of 1 to 3 of {} products, {CONNECTIONS} connections",
        variants.len()
    );
    table.row(&what, &value, "at least 300/s");
    Ok(())
}

fn checkouts(run: &str, variants: &[String], buyers: &[String]) -> Make {
    let (run, variants, buyers) = (run.to_owned(), variants.to_vec(), buyers.to_vec());
    Arc::new(move |number| {
        let at = usize::try_from(number)?;
        let lines: Vec<&String> = (0..=at % 3)
            .filter_map(|line| variants.get((at * 7 + line * 13) % variants.len().max(1)))
            .collect();
        let buyer = buyers.get(at % buyers.len().max(1)).context("no buyer")?;
        checkout(buyer, &lines, &format!("{run}-{number}"))
    })
}

fn checkout(buyer: &str, variants: &[&String], key: &str) -> Result<Request<Full<Bytes>>> {
    let lines: Vec<Value> = variants
        .iter()
        .map(|variant| json!({ "variant": variant, "quantity": 1 }))
        .collect();
    let total = PRICE_MINOR * u64::try_from(lines.len())?;
    let body = json!({ "community": COMMUNITY, "lines": lines, "expected_total_minor": total });
    let request = Request::post("/api/checkouts")
        .header("host", "bench")
        .header("authorization", buyer)
        .header("content-type", "application/json")
        .header("idempotency-key", key);
    Ok(request.body(Full::new(Bytes::from(body.to_string())))?)
}

/// Has payments hear until nothing more waits for it.
async fn heard(internal: &Client) -> Result<()> {
    for _ in 0..TICKS_MAX {
        let done = internal
            .call("POST", "/internal/ticks/payments", None)
            .await?;
        if done["heard"] == 0 {
            return Ok(());
        }
    }
    anyhow::bail!("payments still hears of orders after {TICKS_MAX} ticks")
}

/// Everybody at once, each over a connection of their own: exactly what there is is sold, and the others are told so.
async fn flash_sale(
    server: &Server,
    operator: &Client,
    (shop, buyers): (&str, &[String]),
    table: &mut Table,
) -> Result<()> {
    let names = ["限量".to_owned()];
    let units = i64::try_from(FLASH_UNITS)?;
    let variants = offer(operator, shop, ("限时抢购", &names, units)).await?;
    let variant = variants.first().context("no variant")?;
    let requests: Result<Vec<_>> = buyers
        .iter()
        .enumerate()
        .map(|(number, buyer)| checkout(buyer, &[variant], &format!("flash-{number}")))
        .collect();
    let start = Instant::now();
    let answers = load::at_once(&server.address, requests?).await?;
    let took = start.elapsed();
    let count = |status| answers.iter().filter(|answer| **answer == status).count();
    let (sold, refused) = (count(StatusCode::CREATED), count(StatusCode::CONFLICT));
    ensure!(
        sold == FLASH_UNITS && sold + refused == BUYERS,
        "{sold} sold and {refused} refused of {BUYERS}: {answers:?}"
    );
    let left = operator.get(&format!("/api/stock/{variant}")).await?;
    ensure!(
        left["available"] == 0 && left["reserved"] == units,
        "the stock after the flash sale: {left}"
    );
    let value = format!(
        "{sold} sold, {refused} told that it is sold out, the last answer after {:.2} s",
        took.as_secs_f64()
    );
    let what = format!("flash sale: {BUYERS} buyers on {FLASH_UNITS} units");
    table.row(&what, &value, "exactly the units are sold");
    Ok(())
}
