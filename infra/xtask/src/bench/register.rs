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
    let start = Instant::now();
    rooms_of(operator, COMMUNITY, ROOMS).await?;
    let value = format!("{:.2} s", start.elapsed().as_secs_f64());
    table.row(&format!("import of {ROOMS} rooms"), &value, "under 10 s");
    Ok(())
}

/// Imports so many rooms into a community that does not have them.
///
/// # Errors
/// When the host refuses the file, or a room of it.
pub async fn rooms_of(operator: &Client, community: &str, count: usize) -> Result<()> {
    let file = rooms(count);
    let asked =
        json!({ "community": community, "kind": "rooms", "format": "csv", "bytes": file.len() });
    let opened = operator.post("/api/imports", asked).await?;
    let import = opened["id"].as_str().context("the import has no id")?;
    let path = format!("/api/imports/{import}/parts/1");
    operator.put_file(&path, "text/csv", file.into()).await?;
    let path = format!("/api/imports/{import}/run");
    let report = operator.post(&path, json!({})).await?;
    ensure!(
        report["created"] == count,
        "not every room is new: {report}"
    );
    Ok(())
}

fn rooms(count: usize) -> String {
    let mut file = "楼栋,单元,房号,面积\r\n".to_owned();
    for number in 0..count {
        let (unit, room) = (number / ROOMS_OF_A_UNIT, number % ROOMS_OF_A_UNIT);
        let (building, unit) = (100 + unit / 4, unit % 4 + 1);
        let _ = write!(file, "{building}栋,{unit}单元,{},89.50\r\n", 101 + room);
    }
    file
}
