//! The register of a whole community taken in from a file, through the running host.

use std::{fmt::Write as _, time::Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::Table;
use crate::{client::Client, demo::COMMUNITY};

const ROOMS: usize = 5_000;
const ROOMS_OF_A_UNIT: usize = 50;

/// Imports 5,000 rooms as a property office does: opened, sent, run.
///
/// # Errors
/// When the host refuses the file.
pub async fn import(operator: &Client, table: &mut Table) -> Result<()> {
    let file = rooms();
    let start = Instant::now();
    let asked =
        json!({ "community": COMMUNITY, "kind": "rooms", "format": "csv", "bytes": file.len() });
    let opened = operator.post("/api/imports", asked).await?;
    let import = opened["id"].as_str().context("the import has no id")?;
    let path = format!("/api/imports/{import}/parts/1");
    operator.put_file(&path, "text/csv", file.into()).await?;
    let path = format!("/api/imports/{import}/run");
    let report = operator.post(&path, json!({})).await?;
    let took = start.elapsed();
    ensure!(
        report["created"] == ROOMS,
        "not every room is new: {report}"
    );
    let value = format!("{:.2} s", took.as_secs_f64());
    table.row(&format!("import of {ROOMS} rooms"), &value, "under 10 s");
    Ok(())
}

fn rooms() -> String {
    let mut file = "楼栋,单元,房号,面积\r\n".to_owned();
    for number in 0..ROOMS {
        let (unit, room) = (number / ROOMS_OF_A_UNIT, number % ROOMS_OF_A_UNIT);
        let (building, unit) = (100 + unit / 4, unit % 4 + 1);
        let _ = write!(file, "{building}栋,{unit}单元,{},89.50\r\n", 101 + room);
    }
    file
}
