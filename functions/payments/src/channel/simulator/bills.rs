//! The simulated channel's bill of a day.

use chrono::NaiveDate;
use kernel::TenantId;
use serde_json::json;
use sha1::{Digest as _, Sha1};

use super::{APP, MERCHANT, Reply, URL, found, problem};
use crate::context::Context;
use crate::protocol::bill::{self, Line};
use crate::store::simulated::{self as sql, Back, Order};

/// Offers the bill of a day, with its digest.
pub(super) async fn offer_bill(
    context: &Context,
    tenant: &TenantId,
    query: &str,
) -> anyhow::Result<Reply> {
    let day = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("bill_date="))
        .unwrap_or_default();
    if day.parse::<NaiveDate>().is_err() {
        return Ok(problem(400, "PARAM_ERROR"));
    }
    let text = day_bill(context, tenant, day).await?;
    let digest: String = Sha1::digest(&text)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    found(&json!({
        "hash_type": "SHA1",
        "hash_value": digest,
        "download_url": format!("{URL}/v3/billdownload/{day}"),
    }))
}

/// The bill of a day on China's clocks.
pub(super) async fn day_bill(
    context: &Context,
    tenant: &TenantId,
    day: &str,
) -> anyhow::Result<String> {
    let (from, until) = bill::bounds(day)?;
    let mut lines = Vec::new();
    let mut after = String::new();
    loop {
        let orders = sql::orders_paid(&context.db, tenant, (from, until), &after).await?;
        let Some(last) = orders.last() else { break };
        last.number.clone_into(&mut after);
        lines.extend(orders.iter().map(|order| order_line(tenant, order)));
    }
    after.clear();
    loop {
        let backs = sql::refunds_done(&context.db, tenant, (from, until), &after).await?;
        let Some(last) = backs.last() else { break };
        last.number.clone_into(&mut after);
        lines.extend(backs.iter().map(|back| back_line(tenant, back)));
    }
    bill::write(&lines)
}

fn order_line(tenant: &TenantId, order: &Order) -> Line {
    Line {
        at: order.paid_at.unwrap_or(order.created_at),
        app: order.app.clone(),
        merchant: order.merchant.clone(),
        transaction: order.transaction.clone().unwrap_or_default(),
        number: order.number.clone(),
        state: "SUCCESS".to_owned(),
        amount: order.amount,
        refund: None,
        attach: tenant.as_str().to_owned(),
        fee: order.fee,
    }
}

fn back_line(tenant: &TenantId, back: &Back) -> Line {
    Line {
        at: back.done_at,
        app: APP.to_owned(),
        merchant: MERCHANT.to_owned(),
        transaction: String::new(),
        number: back.order.clone(),
        state: "REFUND".to_owned(),
        amount: 0,
        refund: Some((back.number.clone(), back.amount, back.state.clone())),
        attach: tenant.as_str().to_owned(),
        fee: back.fee,
    }
}
