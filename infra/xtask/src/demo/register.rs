//! The demo's register: a company, the community with two buildings, who lives where, which doors that opens, a card.
//! Everything is asked of the API, as a property office would.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{COMMUNITY, Demo};
use crate::client::Client;

/// The phone numbers of the demo's residents, so that the register knows their accounts.
pub const PHONES: [(&str, &str); 2] = [("li", "13800138000"), ("zhang", "13800138001")];
/// Li's home.
pub const HOME: &str = "1栋1单元101";
/// Since when it is: whoever lives in a room sees its usage from that day on.
const HOME_SINCE: &str = "2020-01-01T00:00:00+08:00";
/// The number of Li's card, as a 26-bit reader gives it: facility 17, card 4711.
pub const CARD: u32 = (17 << 16) + 4711;

/// Loads the register.
///
/// # Errors
/// When the API refuses something.
pub async fn load(api: &Client, demo: &Demo) -> Result<()> {
    api.post(
        "/api/companies",
        json!({ "id": "green", "name": "绿城物业", "phone": "13900139000" }),
    )
    .await?;
    let community = json!({
        "id": COMMUNITY, "name": "阳光花园", "address": "幸福路 1 号", "time_zone": "Asia/Shanghai", "company": "green",
    });
    api.post("/api/communities", community).await?;
    let mut first_building = String::new();
    for building in ["1栋", "2栋"] {
        let path = format!("/api/communities/{COMMUNITY}/buildings");
        let building = made(&api.post(&path, json!({ "name": building })).await?)?;
        let path = format!("/api/buildings/{building}/units");
        let unit = made(&api.post(&path, json!({ "name": "1单元" })).await?)?;
        for (number, floor) in [("101", 1), ("102", 1), ("201", 2)] {
            let room =
                json!({ "number": number, "area_dm2": 8950, "floor": floor, "use": "residential" });
            api.post(&format!("/api/units/{unit}/rooms"), room).await?;
        }
        if first_building.is_empty() {
            first_building = building;
        }
    }
    // Zhang has moved out: in the register, at home nowhere.
    for ((username, phone), (name, home)) in
        PHONES.iter().zip([("李明", Some(HOME)), ("张伟", None)])
    {
        let entry = json!({ "community": COMMUNITY, "name": name, "phones": [phone] });
        let resident = made(&api.post("/api/residents", entry).await.context(*username)?)?;
        let Some(place) = home else { continue };
        let binding =
            json!({ "role": "owner", "community": COMMUNITY, "place": place, "from": HOME_SINCE });
        api.post(&format!("/api/residents/{resident}/bindings"), binding)
            .await?;
    }
    groups(api, &first_building).await?;
    let li = &demo.person("resident")?.id;
    let card = json!({ "community": COMMUNITY, "person": li, "number": CARD });
    api.post("/api/cards", card).await.map(drop)
}

/// The gates let everybody of the community in, and visitors; a building's door its own people and their visitors.
async fn groups(api: &Client, building: &str) -> Result<()> {
    let gates = json!({
        "id": "gates", "community": COMMUNITY, "name": "大门", "admits": ["c"], "visitors": true,
        "doors": ["north-gate", "south-gate"],
    });
    api.post("/api/door-groups", gates).await?;
    let own = json!({
        "id": "building-1", "community": COMMUNITY, "name": "一号楼", "admits": [format!("b:{building}")], "visitors": true,
        "doors": ["building-1"],
    });
    api.post("/api/door-groups", own).await.map(drop)
}

/// The id of what the API has made or found.
pub(super) fn made(answer: &Value) -> Result<String> {
    let id = answer["id"].as_str();
    Ok(id
        .with_context(|| format!("{answer} has no id"))?
        .to_owned())
}
