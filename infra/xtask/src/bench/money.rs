//! The bills of a month through the running host: a run, the same run again, publishing, and rating by the plugin.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use super::{
    CONNECTIONS, ROUND, Table,
    load::{self, Make},
    register,
    servers::Server,
};
use crate::client::Client;

/// The community that is billed: one of its own, so that nothing but this is in its bills.
pub const COMMUNITY: &str = "meadow";

const ROOMS: usize = 1_500;
/// What each room is charged, and its price for a square metre, in 1/10,000 yuan.
const RULES: [(&str, i64); 4] = [
    ("物业费", 28_000),
    ("电梯费", 3_500),
    ("公共照明费", 1_200),
    ("垃圾清运费", 800),
];
const LINES: usize = ROOMS * RULES.len();
const PERIOD: &str = "2026-10";
/// The lines of one rating call in a batch.
const BATCH: usize = 500;

/// Adds the community.
///
/// # Errors
/// When the host refuses it.
pub async fn found(operator: &Client) -> Result<()> {
    let community = json!({
        "id": COMMUNITY, "name": "草地花园", "address": "幸福路 2 号", "time_zone": "Asia/Shanghai", "company": "green",
    });
    operator.post("/api/communities", community).await.map(drop)
}

/// Measures 6,000 lines from the rooms to the books, and what the plugin rates.
///
/// # Errors
/// When the host refuses something, or a bill is missing or twice.
pub async fn measure(
    server: &Server,
    internal: &Client,
    operator: &Client,
    table: &mut Table,
) -> Result<()> {
    register::rooms_of(operator, COMMUNITY, ROOMS).await?;
    heard(internal).await?;
    for (name, price) in RULES {
        let charge = json!({ "kind": "area", "price": price });
        let rule = json!({ "community": COMMUNITY, "name": name, "charge": charge, "first_day": "2020-01-01" });
        operator.post("/api/fee-rules", rule).await?;
    }
    let (first, took) = run(operator).await?;
    ensure!(first["bills"] == LINES, "not every line is there: {first}");
    let value = rate("lines", took);
    table.row(
        &format!("bill run of {LINES} lines"),
        &value,
        "under 3 s, at least 5,000/s",
    );
    let (second, took) = run(operator).await?;
    ensure!(second["bills"] == 0, "the second run adds bills: {second}");
    let value = format!("{:.2} s", took.as_secs_f64());
    table.row("the same run again", &value, "adds nothing");
    publish(operator, &first, table).await?;
    rating(server, operator, table).await
}

fn rate(what: &str, took: Duration) -> String {
    let seconds = took.as_secs_f64();
    format!("{seconds:.2} s, {:.0} {what}/s", LINES as f64 / seconds)
}

/// Lets fees hear of every room.
async fn heard(internal: &Client) -> Result<()> {
    loop {
        let done = internal.call("POST", "/internal/ticks/fees", None).await?;
        if done["heard"] == 0 {
            return Ok(());
        }
    }
}

/// Runs the month; the run, and how long it took.
async fn run(operator: &Client) -> Result<(Value, Duration)> {
    let start = Instant::now();
    let asked = json!({ "community": COMMUNITY, "period": PERIOD });
    let run = operator.post("/api/bill-runs", asked).await?;
    let run = through(operator, run, "running").await?;
    ensure!(run["state"] == "done", "the run is not through: {run}");
    Ok((run, start.elapsed()))
}

async fn publish(operator: &Client, run: &Value, table: &mut Table) -> Result<()> {
    let start = Instant::now();
    let path = format!("/api/bill-runs/{}/publication", id(run)?);
    let run = operator.post_once(&path, json!({}), "publication").await?;
    let run = through(operator, run, "publishing").await?;
    ensure!(
        run["state"] == "published",
        "the run is not published: {run}"
    );
    let value = rate("bills", start.elapsed());
    table.row(
        &format!("publishing {LINES} bills in the books"),
        &value,
        "",
    );
    Ok(())
}

/// Takes the steps that one request does not reach.
async fn through(operator: &Client, mut run: Value, state: &str) -> Result<Value> {
    let path = format!("/api/bill-runs/{}/steps", id(&run)?);
    while run["state"] == state {
        run = operator.call("POST", &path, None).await?;
    }
    Ok(run)
}

/// Asks the plugin what usage would cost, line by line and in batches.
async fn rating(server: &Server, operator: &Client, table: &mut Table) -> Result<()> {
    let tiers = json!([
        { "above_milli": 0, "up_to_milli": 240_000, "price": 4_883 },
        { "above_milli": 240_000, "up_to_milli": 400_000, "price": 5_383 },
        { "above_milli": 400_000, "up_to_milli": null, "price": 7_883 },
    ]);
    let periods = json!([{ "first_day": "2020-01-01", "prices": { "tiered": tiers } }]);
    let tariff =
        json!({ "community": COMMUNITY, "name": "阶梯电价", "terms": { "periods": periods } });
    let tariff = operator.post("/api/tariffs", tariff).await?;
    let path = format!("/api/tariffs/{}/preview", id(&tariff)?);
    // A bill run asks for one page after another: so do the batches here.
    for (lines, connections) in [(1, CONNECTIONS), (BATCH, 1)] {
        let make = preview(operator, &path, lines);
        let outcome = load::saturate(&server.address, connections, ROUND, make).await?;
        let (calls, p99) = (outcome.per_second, outcome.percentile_ms(0.99));
        let rated = calls * lines as f64;
        let value = format!(
            "{calls:.0} calls/s, {rated:.0} lines/s, p99 {p99:.1} ms, {} failed",
            outcome.failed
        );
        table.row(
            &format!("previews over HTTP, rated by the plugin: {lines} lines each"),
            &value,
            "",
        );
    }
    Ok(())
}

fn preview(operator: &Client, path: &str, lines: usize) -> Make {
    let line =
        json!({ "first_day": "2026-10-01", "until_day": "2026-11-01", "quantity_milli": 350_000 });
    let body = Bytes::from(json!({ "lines": vec![line; lines] }).to_string());
    let authorization = format!("Bearer {}", operator.token());
    let path = path.to_owned();
    Arc::new(move |_| {
        let request = Request::post(&path)
            .header("host", "bench")
            .header("authorization", &authorization)
            .header("content-type", "application/json");
        Ok(request.body(Full::new(body.clone()))?)
    })
}

fn id(made: &Value) -> Result<&str> {
    made["id"]
        .as_str()
        .with_context(|| format!("{made} has no id"))
}
