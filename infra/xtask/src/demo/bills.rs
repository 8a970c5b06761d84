//! What the demo bills: meters of two rooms, that the property office reads by hand, and what is charged by them.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use chrono::{DateTime, Datelike, Months};
use serde_json::{Value, json};

use super::{COMMUNITY, register::made};
use crate::client::Client;

/// How far the community's clocks are before UTC, in seconds.
const CLOCKS_S: i64 = 8 * 60 * 60;
/// The rooms that have meters: as people write them, and what their meters are called by.
const ROOMS: [(&str, &str); 2] = [("1-1-101", "101"), ("1-1-102", "102")];
/// What the registers show when the meters are put up, in thousandths.
const OPENING_MILLI: i64 = 1_000_000;
/// Since when everything is charged: before all that the demo knows.
const FIRST_DAY: &str = "2020-01-01";

/// Loads meters, tariffs and rules. The meters were put up when last month began, so that it can be billed.
///
/// # Errors
/// When the API refuses something.
pub async fn load(api: &Client) -> Result<()> {
    let opened_at = last_month()?;
    for (written, number) in ROOMS {
        let found = api.get(&format!("/api/rooms?q={written}")).await?;
        let room = made(&found["items"][0])?;
        for (commodity, name) in [("electricity", "电表"), ("water", "水表")] {
            let meter = json!({
                "id": format!("{commodity}-{number}"), "community": COMMUNITY, "commodity": commodity,
                "name": format!("{number}{name}"), "room": room, "digits": 6, "opened_at": opened_at,
                "opening_milli": OPENING_MILLI,
            });
            api.post("/api/meters", meter).await?;
        }
    }
    let bounds = json!({ "per": "month", "bounds_milli": [240_000, 400_000] });
    let path = format!("/api/usage/limits/{COMMUNITY}/electricity");
    api.call("PUT", &path, Some(bounds)).await?;
    rules(api).await
}

/// Beijing's prices for households: electricity by the tiers of a month, water by those of a year.
async fn rules(api: &Client) -> Result<()> {
    let (month, year) = (json!({ "month": 1 }), json!({ "year": [1, 1] }));
    let electricity = [
        (0, Some(240_000), 4_883),
        (240_000, Some(400_000), 5_383),
        (400_000, None, 7_883),
    ];
    let electricity = tariff(api, "居民阶梯电价", (month, electricity)).await?;
    let water = [
        (0, Some(180_000), 50_000),
        (180_000, Some(260_000), 70_000),
        (260_000, None, 90_000),
    ];
    let water = tariff(api, "居民阶梯水价", (year, water)).await?;
    for (name, charge) in [
        ("物业费", json!({ "kind": "area", "price": 28_000 })),
        (
            "电费",
            json!({ "kind": "tiered", "commodity": "electricity", "tariff": electricity }),
        ),
        (
            "水费",
            json!({ "kind": "tiered", "commodity": "water", "tariff": water }),
        ),
    ] {
        let rule = json!({
            "community": COMMUNITY, "name": name, "charge": charge, "scope": { "usages": ["residential"] },
            "first_day": FIRST_DAY,
        });
        api.post("/api/fee-rules", rule).await.context(name)?;
    }
    Ok(())
}

/// Adds a tariff with tiers - from, up to, price - and returns its id.
async fn tariff(
    api: &Client,
    name: &str,
    (cycle, tiers): (Value, [(i64, Option<i64>, i64); 3]),
) -> Result<String> {
    let tiers = tiers.map(|(above, up_to, price)| {
        json!({ "above_milli": above, "up_to_milli": up_to, "price": price })
    });
    let periods =
        json!([{ "first_day": FIRST_DAY, "until_day": null, "prices": { "tiered": tiers } }]);
    let tariff = json!({
        "community": COMMUNITY, "name": name, "terms": { "cycle": cycle, "periods": periods },
    });
    made(
        &api.post("/api/tariffs", tariff)
            .await
            .context(name.to_owned())?,
    )
}

/// The midnight with which last month began on the community's clocks.
fn last_month() -> Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let local = DateTime::from_timestamp(i64::try_from(now)? + CLOCKS_S, 0);
    let first = local.and_then(|local| local.date_naive().with_day(1));
    let month = first.and_then(|first| first.checked_sub_months(Months::new(1)));
    Ok(format!(
        "{}T00:00:00+08:00",
        month.context("the clock is out of all calendars")?
    ))
}
