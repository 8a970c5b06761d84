//! Advertising through the running host: what is shown among a thousand lines in flight, auctions in the plugin, and bids for
//! other exchanges.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use super::{CONNECTIONS, ROUND, Table, load, load::Make, servers::Server};
use crate::{
    client::Client,
    demo::{
        Demo,
        shop::{approved, day, text},
    },
};

const PLACEMENTS: usize = 50;
const LINES: usize = 1_000;
const BIDDERS: usize = 50;
const RATE_PER_SECOND: u64 = 500;
const RATE_DURATION: Duration = Duration::from_secs(10);
/// The ticks after which ads and bidding must have heard of everything.
const TICKS_MAX: usize = 500;
const BUDGET_MINOR: i64 = 100_000_000;

/// Books lines and makes campaigns of the shop, and measures who is shown.
///
/// # Errors
/// When the host refuses something.
pub async fn measure(
    server: &Server,
    demo: &Demo,
    (internal, operator): (&Client, &Client),
    (shop, table): (&str, &mut Table),
) -> Result<()> {
    let viewer = operator
        .log_in(&demo.tenant, demo.person("resident")?)
        .await?;
    heard(internal).await?;
    let creative = approved(demo, operator, shop).await?;
    book(operator, shop, &creative).await?;
    bid(operator, shop, &creative, internal).await?;
    let what = format!("ads of two placements among {LINES} live lines");
    steady(server, &what, "at most 15 ms", decision(&viewer), table).await?;
    let what = "clearings of 20 bids, by the plugin, over HTTP";
    saturated(server, what, clearing(operator), table).await?;
    let what = format!("OpenRTB bids among {BIDDERS} campaigns");
    steady(server, &what, "at most 30 ms", bid_request("CNY"), table).await?;
    saturated(server, &what, bid_request("CNY"), table).await?;
    let what = "OpenRTB no-bids";
    steady(server, what, "at most 3 ms", bid_request("USD"), table).await
}

/// Has ads and bidding hear until nothing more waits for them.
async fn heard(internal: &Client) -> Result<()> {
    for function in ["ads", "bidding"] {
        let path = format!("/internal/ticks/{function}");
        let mut ticks = 0;
        while internal.call("POST", &path, None).await?["more"] == true {
            ticks += 1;
            ensure!(
                ticks < TICKS_MAX,
                "{function} still hears after {ticks} ticks"
            );
        }
    }
    Ok(())
}

/// Placements with lines in flight, every fourth of which pays for views.
async fn book(operator: &Client, shop: &str, creative: &str) -> Result<()> {
    for number in 0..PLACEMENTS {
        let placement = json!({
            "id": format!("bench-{number}"), "name": format!("广告位 {number}"), "surface": "home", "format": "banner",
            "width": 300, "height": 250, "ownership": "platform", "capacity": LINES / PLACEMENTS, "floor_minor": 1_000,
        });
        operator.post("/api/ads/placements", placement).await?;
        let rate = json!({
            "placement": format!("bench-{number}"), "pricing": "cpm", "from": "2020-01-01", "until": "2099-01-01", "price_minor": 1_000,
        });
        operator.post("/api/ads/rate-cards", rate).await?;
    }
    let order = json!({ "merchant": shop, "name": "测试" });
    let order = operator.post("/api/ads/orders", order).await?;
    let lines = format!("/api/ads/orders/{}/lines", text(&order, "id")?);
    let (today, next_week) = (day(0)?, day(7)?);
    for number in 0..LINES {
        let mut line = json!({
            "placement": format!("bench-{}", number % PLACEMENTS), "starts_on": today, "ends_on": next_week, "pricing": "day",
        });
        if number % 4 == 0 {
            line["pricing"] = json!("cpm");
            line["budget_minor"] = json!(BUDGET_MINOR);
            line["pacing"] = json!("asap");
        }
        let line = operator.post(&lines, line).await?;
        let line = format!("/api/ads/lines/{}", text(&line, "id")?);
        let shown = json!({ "creatives": [creative] });
        operator
            .call("PUT", &format!("{line}/creatives"), Some(shown))
            .await?;
        operator
            .post_once(
                &format!("{line}/booking"),
                json!({}),
                &format!("book-{number}"),
            )
            .await?;
    }
    Ok(())
}

/// Campaigns that bid for pages of every exchange.
async fn bid(operator: &Client, shop: &str, creative: &str, internal: &Client) -> Result<()> {
    heard(internal).await?;
    for number in 0..BIDDERS {
        let campaign = json!({
            "merchant": shop, "name": format!("活动 {number}"), "kind": "display", "creative": creative,
            "bid_minor": 1_000 + number, "budget_minor": BUDGET_MINOR, "daily_minor": BUDGET_MINOR,
            "targets": [{ "kind": "exchange", "value": "*" }],
        });
        let made = operator
            .post_once(
                "/api/bidding/campaigns",
                campaign,
                &format!("campaign-{number}"),
            )
            .await?;
        let path = format!("/api/bidding/campaigns/{}/activation", text(&made, "id")?);
        operator.call("POST", &path, None).await?;
    }
    Ok(())
}

/// At a fixed rate: how late the answers are.
async fn steady(
    server: &Server,
    what: &str,
    goal: &str,
    make: Make,
    table: &mut Table,
) -> Result<()> {
    load::saturate(
        &server.address,
        CONNECTIONS,
        super::WARM_UP,
        Arc::clone(&make),
    )
    .await?;
    let outcome = load::at_rate(
        &server.address,
        CONNECTIONS,
        RATE_PER_SECOND,
        RATE_DURATION,
        make,
    )
    .await?;
    let (p50, p99) = (outcome.percentile_ms(0.5), outcome.percentile_ms(0.99));
    let value = format!(
        "p50 {p50:.1} ms, p99 {p99:.1} ms, {} failed",
        outcome.failed
    );
    let what = format!("{what}, at a fixed {RATE_PER_SECOND}/s");
    table.row(&what, &value, &format!("p99 {goal}"));
    Ok(())
}

/// As many as are answered.
async fn saturated(server: &Server, what: &str, make: Make, table: &mut Table) -> Result<()> {
    let outcome = load::saturate(&server.address, CONNECTIONS, ROUND, make).await?;
    let what = format!("{what}, {CONNECTIONS} connections");
    table.row(&what, &outcome.shown(), "");
    Ok(())
}

fn decision(viewer: &Client) -> Make {
    let authorization = format!("Bearer {}", viewer.token());
    Arc::new(move |number| {
        let at = usize::try_from(number)?;
        let placements =
            [at % PLACEMENTS, (at * 7 + 1) % PLACEMENTS].map(|place| format!("bench-{place}"));
        post(
            "/api/ads/decisions",
            Some(&authorization),
            &json!({ "placements": placements }),
        )
    })
}

fn clearing(operator: &Client) -> Make {
    let authorization = format!("Bearer {}", operator.token());
    let bids: Vec<Value> = (0..20)
        .map(|number| json!({ "id": format!("b{number}"), "amount": 100 + number }))
        .collect();
    let preview = json!({ "weights": [100, 84, 71, 60, 50, 42, 36, 30, 25, 21], "bids": bids });
    Arc::new(move |_| post("/api/bidding/previews", Some(&authorization), &preview))
}

/// A page asks for a banner that is paid in this currency.
fn bid_request(currency: &str) -> Make {
    let request = json!({
        "id": "bench", "imp": [{ "id": "1", "banner": { "w": 300, "h": 250 } }],
        "site": { "domain": "news.example" }, "cur": [currency],
    });
    Arc::new(move |_| post("/openrtb2/bid?tenant=demo", None, &request))
}

fn post(path: &str, authorization: Option<&str>, body: &Value) -> Result<Request<Full<Bytes>>> {
    let mut request = Request::post(path)
        .header("host", "bench")
        .header("content-type", "application/json");
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    let body = Full::new(Bytes::from(body.to_string()));
    request.body(body).context("a request that is none")
}
