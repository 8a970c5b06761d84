//! A shop of the mall that sells and advertises, made over the API as anybody's: what benchmarks and tests find.

use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use kernel::{Timestamp, Zone};
use serde_json::{Value, json};

use super::{COMMUNITY, Demo, Person};
use crate::client::Client;

/// What the shop sells.
pub const CATEGORY: &str = "things";

/// A shop that the operator keeps, without a deposit, open from now on.
///
/// # Errors
/// When the host refuses it.
pub async fn open(demo: &Demo, operator: &Client) -> Result<String> {
    let category = json!({ "id": CATEGORY, "parent": null, "kind": "goods", "name": "日用百货", "operator": null, "required": [] });
    operator.post("/api/categories", category).await?;
    let applicant = operator
        .log_in(&demo.tenant, demo.person("resident")?)
        .await?;
    let application = json!({
        "phone": "13900139009", "company": "测试商贸有限公司", "credit_code": "91350100M000100Y43", "shop": "测试店",
        "contact": "李梅", "address": "一号楼", "community": COMMUNITY, "mode": "hosted", "categories": [CATEGORY], "note": null,
    });
    let made = applicant
        .post("/api/merchant-applications", application)
        .await?;
    let application = format!("/api/merchant-applications/{}", text(&made, "id")?);
    let licence = json!({
        "kind": "business_licence", "name": "营业执照", "media_type": "application/pdf", "content": "JVBERi0xLjc=",
        "valid_from": "2024-01-01", "valid_until": null,
    });
    applicant
        .post(&format!("{application}/qualifications"), licence)
        .await?;
    applicant
        .call("POST", &format!("{application}/submission"), None)
        .await?;
    let decision = json!({ "decision": "approve", "reason": "资料齐全", "categories": [CATEGORY] });
    let decided = operator
        .post(&format!("{application}/decision"), decision)
        .await?;
    let shop = text(&decided, "merchant")?.to_owned();
    let month = day(0)?
        .get(..7)
        .context("a day without a month")?
        .to_owned();
    let terms = json!({
        "collection": "platform", "due_day": 15, "objection_days": 7, "confirm_days": 3, "deposit_minor": 0,
        "reopening_percent": 200, "hosting_fee_minor": 0, "maintenance_fee_minor": 0, "platform_fee_minor": 0,
        "currency": "CNY",
    });
    let contract = json!({ "merchant": shop, "from": month, "note": null, "terms": terms });
    operator.post("/api/merchant-contracts", contract).await?;
    let path = format!("/api/merchants/{shop}/opening");
    operator
        .call("PUT", &path, Some(json!({ "open": true })))
        .await?;
    Ok(shop)
}

/// A banner of the shop that a second operator has approved; its id.
///
/// # Errors
/// When the host refuses it.
pub async fn approved(demo: &Demo, operator: &Client, shop: &str) -> Result<String> {
    let reviewer = Person {
        username: "reviewer".to_owned(),
        // A throw-away account of a throw-away host.
        password: format!("demo-only-{}", std::process::id()),
        kind: "operator".to_owned(),
        id: String::new(),
    };
    let person = json!({ "username": reviewer.username, "password": reviewer.password, "kind": reviewer.kind });
    operator.post("/api/people", person).await?;
    let content = json!({
        "format": "banner", "width": 300, "height": 250, "landing": "https://shop.example/sale", "title": "测试",
        "body": null, "image": "https://shop.example/a.png", "advertiser_domain": "shop.example", "subject": "general",
        "approval_number": null, "qualified_until": null,
    });
    let creative = json!({ "merchant": shop, "content": content });
    let made = operator.post("/api/ads/creatives", creative).await?;
    let id = text(&made, "id")?.to_owned();
    let reviewer = operator.log_in(&demo.tenant, &reviewer).await?;
    let decision = json!({ "decision": "approve", "reason": null });
    reviewer
        .post(&format!("/api/ads/creatives/{id}/review"), decision)
        .await?;
    Ok(id)
}

/// A day so many days from today, in Shanghai: `2026-10-05`.
///
/// # Errors
/// When the clock says nonsense.
pub fn day(ahead: u64) -> Result<String> {
    let moment = SystemTime::now() + Duration::from_secs(ahead * 24 * 60 * 60);
    let since = moment.duration_since(SystemTime::UNIX_EPOCH)?;
    let moment = Timestamp::from_millis(i64::try_from(since.as_millis())?)?;
    Ok(Zone::SHANGHAI
        .local(moment)
        .date
        .format("%Y-%m-%d")
        .to_string())
}

/// A text that an answer has.
///
/// # Errors
/// When it has none.
pub fn text<'a>(made: &'a Value, field: &str) -> Result<&'a str> {
    made[field]
        .as_str()
        .with_context(|| format!("{made} has no {field}"))
}
