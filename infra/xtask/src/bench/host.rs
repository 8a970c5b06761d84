//! The functions of the manifest in the running host, with the broker, on SQLite with durable commits: how fast it
//! starts, what its functions do, and how much memory all that takes.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result};

use super::{
    Part, Table, advertising, mall, money, openings, readings, register, resident_mib, servers,
    servers::Server,
};
use crate::{
    client::Client,
    demo::{Demo, shop},
    up, workspace,
};

/// Measures the chosen parts one after another in one host.
///
/// # Errors
/// When the host does not start, or refuses what it is asked.
pub async fn measure(
    scratch: &Path,
    chosen: &impl Fn(Part) -> bool,
    table: &mut Table,
) -> Result<()> {
    let data = scratch.join("host");
    let (server, demo) = started(&data, table).await?;
    let base = format!("http://{}", server.address);
    let operator = Client::new(&base, "")
        .log_in(&demo.tenant, demo.person("operator")?)
        .await?;
    let internal = Client::new(&base, &up::internal_token(&data)?);
    let clients = (&internal, &operator);
    if chosen(Part::Doors) {
        openings::measure(&server, &demo, table).await?;
    }
    money::found(&operator).await?;
    if chosen(Part::Money) {
        let place = (&demo, money::COMMUNITY);
        readings::measure(&server, place, &operator, table).await?;
        money::measure(&server, &internal, &operator, table).await?;
        register::import(&operator, table).await?;
    }
    let trades = [Part::Mall, Part::Advertising].into_iter().any(chosen);
    let shop = match trades {
        true => Some(shop::open(&demo, &operator).await?),
        false => None,
    };
    if let Some(shop) = shop.as_deref().filter(|_| chosen(Part::Mall)) {
        mall::measure((&server, shop), &demo, clients, table).await?;
    }
    if let Some(shop) = shop.as_deref().filter(|_| chosen(Part::Advertising)) {
        advertising::measure(&server, &demo, clients, (shop, table)).await?;
    }
    let process = server.running.id().context("the host has ended")?;
    let memory = format!("{:.0} MiB", resident_mib(process)?);
    table.row(
        "memory of the host after all this, everything loaded",
        &memory,
        "under 150 MB",
    );
    server.running.stop().await;
    Ok(())
}

/// The host with the demo community, started a second time.
async fn started(data: &Path, table: &mut Table) -> Result<(Server, Demo)> {
    let manifest = workspace::root().join("spin.toml");
    let cold = servers::linli(&manifest, data, "127.0.0.1:0").await?;
    let what = "cold start (empty data folder, components to be compiled)";
    table.row(what, &seconds(cold.start), "");
    let base = format!("http://{}", cold.address);
    let demo = Demo::load(&Client::new(&base, &up::internal_token(data)?)).await?;
    cold.running.stop().await;
    let warm = servers::linli(&manifest, data, "127.0.0.1:0").await?;
    let what = "warm start (until everything answers)";
    table.row(what, &seconds(warm.start), "at most 3 s");
    Ok((warm, demo))
}

fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}
