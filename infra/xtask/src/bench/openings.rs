//! Durable door openings: how many a second, how late at a fixed rate, in how much memory, started how fast.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;

use super::{
    CONNECTIONS, ROUND, ROUNDS, Table, advertising, load, load::Make, mall, median, money,
    readings, register, resident_mib, servers, servers::Server,
};
use crate::{client::Client, demo::Demo, up, workspace};

const RATE_PER_SECOND: u64 = 200;
const RATE_DURATION: Duration = Duration::from_secs(10);
const REASON: &[u8] = br#"{"reason":"measuring"}"#;

/// Measures the functions of the manifest, with the broker, on SQLite with durable commits.
///
/// # Errors
/// When the host does not start, or refuses the openings.
pub async fn measure(scratch: &Path, table: &mut Table) -> Result<()> {
    let (manifest, data) = (
        workspace::root().join("spin.toml"),
        scratch.join("openings"),
    );
    let cold = servers::linli(&manifest, &data, "127.0.0.1:0").await?;
    table.row(
        "cold start (empty data folder, components to be compiled)",
        &seconds(cold.start),
        "",
    );
    let internal = Client::new(
        &format!("http://{}", cold.address),
        &up::internal_token(&data)?,
    );
    let demo = Demo::load(&internal).await?;
    cold.running.stop().await;
    let warm = servers::linli(&manifest, &data, "127.0.0.1:0").await?;
    table.row(
        "warm start (until everything answers)",
        &seconds(warm.start),
        "at most 3 s",
    );
    let api = Client::new(&format!("http://{}", warm.address), "")
        .log_in(&demo.tenant, demo.person("staff")?)
        .await?;
    openings(&warm, opening(&api, &demo)?, table).await?;
    let operator = Client::new(&format!("http://{}", warm.address), "")
        .log_in(&demo.tenant, demo.person("operator")?)
        .await?;
    money::found(&operator).await?;
    let place = (&demo, money::COMMUNITY);
    readings::measure(&warm, place, &operator, table).await?;
    let internal = Client::new(
        &format!("http://{}", warm.address),
        &up::internal_token(&data)?,
    );
    money::measure(&warm, &internal, &operator, table).await?;
    register::import(&operator, table).await?;
    let clients = (&internal, &operator);
    let shop = mall::measure(&warm, &demo, clients, table).await?;
    advertising::measure(&warm, &demo, clients, (&shop, table)).await?;
    let process = warm.running.id().context("the host has ended")?;
    let memory = format!("{:.0} MiB", resident_mib(process)?);
    table.row(
        "memory of the host after all this, everything loaded",
        &memory,
        "under 150 MB",
    );
    warm.running.stop().await;
    Ok(())
}

/// As many as it takes, and then at a fixed rate.
async fn openings(server: &Server, make: Make, table: &mut Table) -> Result<()> {
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

fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
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
