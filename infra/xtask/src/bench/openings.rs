//! Durable door openings: how many a second, and how late at a fixed rate.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;

use super::{CONNECTIONS, ROUND, ROUNDS, Table, load, load::Make, median, servers::Server};
use crate::{client::Client, demo::Demo};

const RATE_PER_SECOND: u64 = 200;
const RATE_DURATION: Duration = Duration::from_secs(10);
const REASON: &[u8] = br#"{"reason":"measuring"}"#;

/// Asks for doors: as many as it takes, and then at a fixed rate.
///
/// # Errors
/// When the host refuses the openings.
pub async fn measure(server: &Server, demo: &Demo, table: &mut Table) -> Result<()> {
    let api = Client::new(&format!("http://{}", server.address), "")
        .log_in(&demo.tenant, demo.person("staff")?)
        .await?;
    let make = opening(&api, demo)?;
    load::saturate(&server.address, CONNECTIONS, ROUND, Arc::clone(&make)).await?;
    let mut outcomes = Vec::new();
    for _ in 0..ROUNDS {
        outcomes
            .push(load::saturate(&server.address, CONNECTIONS, ROUND, Arc::clone(&make)).await?);
    }
    let middle = median(outcomes).context("no round was measured")?;
    let what = format!("durable door openings, {CONNECTIONS} connections");
    table.row(&what, &middle.shown(), "at least 1,000/s");
    let steady = load::at_rate(
        &server.address,
        CONNECTIONS,
        RATE_PER_SECOND,
        RATE_DURATION,
        make,
    )
    .await?;
    let (p50, p99) = (steady.percentile_ms(0.5), steady.percentile_ms(0.99));
    let value = format!("p50 {p50:.1} ms, p99 {p99:.1} ms, {} failed", steady.failed);
    table.row(
        &format!("door openings at a fixed {RATE_PER_SECOND}/s"),
        &value,
        "p99 under 50 ms",
    );
    Ok(())
}

/// Each request opens the next door, on the word of staff, whom no rate holds back; the answer is 202 once the opening is
/// on disk.
fn opening(api: &Client, demo: &Demo) -> Result<Make> {
    let doors: Vec<String> = demo.doors.iter().map(|door| door.id.clone()).collect();
    let authorization = format!("Bearer {}", api.token());
    let count = u64::try_from(doors.len())?;
    Ok(Arc::new(move |number| {
        let door = doors
            .get(usize::try_from(number % count)?)
            .context("no door")?;
        let request = Request::post(format!("/api/doors/{door}/openings"))
            .header("host", "bench")
            .header("authorization", &authorization)
            .header("content-type", "application/json");
        Ok(request.body(Full::new(Bytes::from_static(REASON)))?)
    }))
}
