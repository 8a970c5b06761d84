//! `cargo xtask bench`: one table, its ratios measured in one run on one machine. Never a timed test.

mod advertising;
mod host;
mod load;
mod mall;
mod money;
mod natively;
mod openings;
mod readings;
mod register;
mod servers;

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use load::{Make, Outcome};
use servers::Server;
pub use servers::serve_native;

use crate::{building, workspace};

const CONNECTIONS: usize = 64;
const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(4);
/// What the others are compared with.
const REFERENCE: &str = "`wasmtime serve`";
const WARM_UP: Duration = Duration::from_millis(1500);

/// What is measured, in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// A request that does nothing, against `wasmtime serve` and a native server.
    Hello,
    /// Everything below in the host, one after another, and its memory after that.
    Host,
    /// Starts, and door openings.
    Doors,
    /// Readings, bills and imports.
    Money,
    /// Orders.
    Mall,
    /// What is shown, auctions and bids for other exchanges.
    Advertising,
    /// What functions measure of themselves, built natively.
    Natively,
}

/// Measures these parts, or all when none is named, and prints the table.
///
/// # Errors
/// When something cannot be built or started.
pub async fn parts(parts: &[Part]) -> Result<()> {
    let wanted = |part| parts.is_empty() || parts.contains(&part);
    building::with_components(&[building::PROBE])?;
    let scratch = Scratch::new()?;
    let mut table = Table::default();
    if wanted(Part::Hello) {
        hello(&scratch.folder, &mut table).await?;
    }
    let whole = wanted(Part::Host);
    let chosen = |part| whole || parts.contains(&part);
    if [Part::Doors, Part::Money, Part::Mall, Part::Advertising]
        .into_iter()
        .any(chosen)
    {
        host::measure(&scratch.folder, &chosen, &mut table).await?;
    }
    if wanted(Part::Natively) {
        natively::measure(&mut table)?;
    }
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!(
        "\nMeasured on {cores} cores shared by server and load generator; medians of {ROUNDS} rounds.\n"
    );
    print!("{}", table.markdown());
    Ok(())
}

/// The same component and the same handler, in turns, so that whatever else the machine does hits all three.
async fn hello(scratch: &Path, table: &mut Table) -> Result<()> {
    let manifest = servers::probe_manifest()?;
    let mut all = vec![
        (
            "`linli`",
            servers::linli(&manifest, &scratch.join("hello"), "none").await?,
        ),
        ("axum, native", servers::native().await?),
    ];
    match servers::wasmtime().await {
        Ok(server) => all.push((REFERENCE, server)),
        Err(error) => table.row(REFERENCE, &format!("NOT MEASURED: {error:#}"), ""),
    }
    let mut rounds: Vec<Vec<Outcome>> = all.iter().map(|_| Vec::new()).collect();
    for (_, server) in &all {
        load::saturate(&server.address, CONNECTIONS, WARM_UP, hello_request()).await?;
    }
    for _ in 0..ROUNDS {
        for ((_, server), outcomes) in all.iter().zip(&mut rounds) {
            outcomes
                .push(load::saturate(&server.address, CONNECTIONS, ROUND, hello_request()).await?);
        }
    }
    let medians: Vec<Outcome> = rounds.into_iter().filter_map(median).collect();
    let mut named = all.iter().zip(&medians);
    let reference = named.find(|((name, _), _)| *name == REFERENCE);
    let reference = reference.map(|(_, outcome)| outcome.per_second);
    for ((name, _), outcome) in all.iter().zip(&medians) {
        let what = format!("GET /hello, {CONNECTIONS} connections, {name}");
        let against = reference.map(|reference| outcome.per_second / reference);
        let against = against.map(|ratio| format!("{ratio:.2} x {REFERENCE}"));
        table.row(&what, &outcome.shown(), &against.unwrap_or_default());
    }
    for (_, Server { running, .. }) in all {
        running.stop().await;
    }
    Ok(())
}

fn median(mut outcomes: Vec<Outcome>) -> Option<Outcome> {
    outcomes.sort_by(|left, right| left.per_second.total_cmp(&right.per_second));
    let middle = outcomes.len() / 2;
    outcomes.into_iter().nth(middle)
}

fn hello_request() -> Make {
    Arc::new(|_| {
        Ok(Request::get("/hello")
            .header("host", "bench")
            .body(Full::new(Bytes::new()))?)
    })
}

/// The memory that a process holds, in mebibytes.
fn resident_mib(process: u32) -> Result<f64> {
    let file = format!("/proc/{process}/status");
    let text = fs::read_to_string(&file).with_context(|| format!("reading {file}"))?;
    let line = text
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .context("the kernel names no VmRSS")?;
    let kib: f64 = line
        .split_whitespace()
        .nth(1)
        .context("VmRSS has no number")?
        .parse()?;
    Ok(kib / 1024.0)
}

#[derive(Default)]
struct Table {
    rows: Vec<[String; 3]>,
}

impl Table {
    fn row(&mut self, what: &str, value: &str, against: &str) {
        println!("xtask: {what}: {value} ({against})");
        self.rows
            .push([what.to_owned(), value.to_owned(), against.to_owned()]);
    }

    fn markdown(&self) -> String {
        let mut text = "| What | Measured | Against |\n|---|---|---|\n".to_owned();
        for [what, value, against] in &self.rows {
            text.push_str(&format!("| {what} | {value} | {against} |\n"));
        }
        text
    }
}

/// A folder for one run, removed at its end.
struct Scratch {
    folder: std::path::PathBuf,
}

impl Scratch {
    fn new() -> Result<Self> {
        // Beside the build, not in /tmp: that may be memory, where a sync costs nothing.
        let stamp = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)?
            .as_millis();
        let folder = workspace::target().join("bench").join(stamp.to_string());
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        Ok(Self { folder })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            eprintln!("xtask: removing {}: {error}", self.folder.display());
        }
    }
}
