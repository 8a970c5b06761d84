//! The simulated channel: the other side of WeChat Pay's protocol, with keys and tables of its own. Nothing here knows
//! our payments; it is asked by signed requests and tells by signed notices.

mod bills;
mod keys;
mod transfers;

use anyhow::Context as _;
use kernel::TenantId;
use serde_json::{Value, json};
use store::tx;

pub(crate) use self::keys::{Keys, keys};
use super::RATE;
use crate::context::Context;
use crate::exchange::{Answered, Sent};
use crate::protocol::keys::random_text;
use crate::protocol::wechat::{
    Amount, Authorization, Refund, RefundAmount, Transaction, WINDOW_MS, request_message, written,
};
use crate::store::simulated::{self as sql, Back, Behaviour, Order, Pending};

/// Where it is; nothing outside answers there.
const URL: &str = "https://simulated.invalid";
const MERCHANT: &str = "1900000109";
const APP: &str = "wxlinlisimulated";
/// How much later a notice comes that is to come after later ones, in milliseconds.
const REORDER_MS: i64 = 20_000;

/// Answers a request as the channel would.
pub(super) async fn answer(
    context: &Context,
    tenant: &TenantId,
    sent: &Sent,
) -> anyhow::Result<Answered> {
    let keys = keys(context).await?;
    let path = sent.url.strip_prefix(URL).unwrap_or_default();
    let (status, body) = if is_ours(context, &keys, sent, path)? {
        route(context, tenant, (sent.method, path, &sent.body)).await?
    } else {
        problem(401, "SIGN_ERROR")
    };
    let signed = keys.sign(context, &body)?;
    let header = |name: &str, value: String| (name.to_owned(), value);
    Ok(Answered {
        status,
        headers: vec![
            header("wechatpay-timestamp", signed.timestamp),
            header("wechatpay-nonce", signed.nonce),
            header("wechatpay-signature", signed.signature),
            header("wechatpay-serial", signed.serial),
        ],
        body: body.into_bytes(),
    })
}

/// Whether the merchant signed the request.
fn is_ours(context: &Context, keys: &Keys, sent: &Sent, path: &str) -> anyhow::Result<bool> {
    let header = sent
        .headers
        .iter()
        .find(|(name, _)| *name == "authorization");
    let Some(parts) = header.and_then(|(_, value)| Authorization::parse(value)) else {
        return Ok(false);
    };
    let key = keys.merchant()?;
    let message = request_message(
        sent.method,
        path,
        (parts.timestamp, &parts.nonce),
        &sent.body,
    );
    let away = parts
        .timestamp
        .saturating_mul(1_000)
        .saturating_sub(context.now.millis());
    Ok(parts.merchant == MERCHANT
        && parts.serial == key.serial()?
        && away.abs() <= WINDOW_MS
        && key.verifies(message.as_bytes(), &parts.signature))
}

type Reply = (u16, String);

fn problem(status: u16, code: &str) -> Reply {
    (status, json!({"code": code, "message": code}).to_string())
}

fn found(value: &impl serde::Serialize) -> anyhow::Result<Reply> {
    Ok((200, serde_json::to_string(value)?))
}

async fn route(
    context: &Context,
    tenant: &TenantId,
    (method, path, body): (&str, &str, &str),
) -> anyhow::Result<Reply> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    match (method, segments.as_slice()) {
        ("POST", ["v3", "pay", "transactions", "native"]) => prepay(context, tenant, body).await,
        ("GET", ["v3", "pay", "transactions", "out-trade-no", number]) => {
            show(context, tenant, number).await
        }
        ("POST", ["v3", "pay", "transactions", "out-trade-no", number, "close"]) => {
            close(context, tenant, number).await
        }
        ("POST", ["v3", "refund", "domestic", "refunds"]) => refund(context, tenant, body).await,
        ("GET", ["v3", "refund", "domestic", "refunds", number]) => {
            show_refund(context, tenant, number).await
        }
        ("POST", ["v3", "fund-app", "mch-transfer", "transfer-bills"]) => {
            transfers::send(context, tenant, body).await
        }
        (
            "GET",
            [
                "v3",
                "fund-app",
                "mch-transfer",
                "transfer-bills",
                "out-bill-no",
                number,
            ],
        ) => transfers::show(context, tenant, number).await,
        ("GET", ["v3", "bill", "tradebill"]) => bills::offer_bill(context, tenant, query).await,
        ("GET", ["v3", "billdownload", day]) => {
            Ok((200, bills::day_bill(context, tenant, day).await?))
        }
        _ => Ok(problem(404, "NOT_FOUND")),
    }
}

async fn prepay(context: &Context, tenant: &TenantId, body: &str) -> anyhow::Result<Reply> {
    let asked: Value = serde_json::from_str(body)?;
    let text = |name: &str| {
        asked
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let amount = asked
        .pointer("/amount/total")
        .and_then(Value::as_i64)
        .unwrap_or_default();
    let order = Order {
        number: text("out_trade_no"),
        merchant: text("mchid"),
        app: text("appid"),
        amount,
        description: text("description"),
        created_at: context.now,
        state: "NOTPAY".to_owned(),
        transaction: None,
        paid_at: None,
        fee: 0,
        refunded: 0,
    };
    if order.number.is_empty() || amount <= 0 {
        return Ok(problem(400, "PARAM_ERROR"));
    }
    if order.merchant != MERCHANT || order.app != APP {
        return Ok(problem(400, "APPID_MCHID_NOT_MATCH"));
    }
    tx(&context.db, tenant, async |tx| {
        sql::insert_order(tx, &order).await?;
        let held = sql::order(&*tx, tenant, &order.number).await?;
        let held = held.context("an order was not kept")?;
        if held.amount != amount {
            return Ok(problem(400, "INVALID_REQUEST"));
        }
        match held.state.as_str() {
            "NOTPAY" => {
                found(&json!({"code_url": format!("weixin://wxpay/bizpayurl?pr={}", order.number)}))
            }
            "CLOSED" => Ok(problem(400, "ORDER_CLOSED")),
            _ => Ok(problem(400, "ORDERPAID")),
        }
    })
    .await
}

async fn show(context: &Context, tenant: &TenantId, number: &str) -> anyhow::Result<Reply> {
    match sql::order(&context.db, tenant, number).await? {
        Some(order) => found(&transaction(tenant, &order)?),
        None => Ok(problem(404, "ORDER_NOT_EXIST")),
    }
}

fn transaction(tenant: &TenantId, order: &Order) -> anyhow::Result<Transaction> {
    Ok(Transaction {
        appid: order.app.clone(),
        mchid: order.merchant.clone(),
        out_trade_no: order.number.clone(),
        transaction_id: order.transaction.clone(),
        trade_state: order.state.clone(),
        attach: tenant.as_str().to_owned(),
        success_time: order.paid_at.map(written).transpose()?,
        amount: Some(Amount {
            total: order.amount,
            currency: "CNY".to_owned(),
        }),
    })
}

async fn close(context: &Context, tenant: &TenantId, number: &str) -> anyhow::Result<Reply> {
    tx(&context.db, tenant, async |tx| {
        sql::close(tx, number).await?;
        Ok(match sql::order(&*tx, tenant, number).await? {
            None => problem(404, "ORDER_NOT_EXIST"),
            Some(order) if order.state == "CLOSED" => (204, String::new()),
            Some(_) => problem(400, "ORDERPAID"),
        })
    })
    .await
}

/// The payer pays the order; what was paid. Nothing when it does not wait for that.
pub(crate) async fn pay(
    context: &Context,
    tenant: &TenantId,
    number: &str,
) -> anyhow::Result<Option<Order>> {
    let own = format!("42{}", random_text(24)?);
    let notice: String = context.new_id::<kernel::EventId>()?.into();
    tx(&context.db, tenant, async |tx| {
        let Some(order) = sql::order(&*tx, tenant, number).await? else {
            return Ok(None);
        };
        if !sql::pay(tx, number, (&own, RATE.fee(order.amount)?), context.now).await? {
            return Ok(None);
        }
        let order = sql::order(&*tx, tenant, number)
            .await?
            .context("an order is gone")?;
        let told = serde_json::to_string(&transaction(tenant, &order)?)?;
        tell(context, tx, number, ("TRANSACTION.SUCCESS", &notice, told)).await?;
        Ok(Some(order))
    })
    .await
}

/// Puts a notice among those to deliver, as the channel was told to behave.
async fn tell(
    context: &Context,
    tx: &store::Tx,
    number: &str,
    (kind, id, resource): (&str, &str, String),
) -> anyhow::Result<()> {
    let behaviour: Behaviour = sql::behaviour(tx, tx.tenant(), number).await?;
    let later = if behaviour.reorder { REORDER_MS } else { 0 };
    let notice = Pending {
        tenant: tx.tenant().clone(),
        id: id.to_owned(),
        kind: kind.to_owned(),
        resource,
        left: if behaviour.lose {
            0
        } else {
            1 + behaviour.repeats
        },
        failures: 0,
    };
    let due_at = context.now.plus_millis(behaviour.delay_s * 1_000 + later);
    sql::insert_notice(tx, &notice, due_at).await
}

async fn refund(context: &Context, tenant: &TenantId, body: &str) -> anyhow::Result<Reply> {
    let asked: Value = serde_json::from_str(body)?;
    let text = |name: &str| {
        asked
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let amount = asked
        .pointer("/amount/refund")
        .and_then(Value::as_i64)
        .unwrap_or_default();
    let (order_number, number) = (text("out_trade_no"), text("out_refund_no"));
    let refund_id = format!("50{}", random_text(24)?);
    let notice: String = context.new_id::<kernel::EventId>()?.into();
    tx(&context.db, tenant, async |tx| {
        if let Some(held) = sql::refund(&*tx, tenant, &number).await? {
            if held.amount != amount || held.order != order_number {
                return Ok(problem(400, "INVALID_REQUEST"));
            }
            return found(&told(&held)?);
        }
        let Some(order) = sql::order(&*tx, tenant, &order_number).await? else {
            return Ok(problem(404, "RESOURCE_NOT_EXISTS"));
        };
        let fails = sql::behaviour(&*tx, tenant, &order_number)
            .await?
            .fail_refunds;
        if amount <= 0 || (!fails && !sql::take_back(tx, &order_number, amount).await?) {
            return Ok(problem(403, "NOT_ENOUGH"));
        }
        let back = Back {
            number: number.clone(),
            order: order.number,
            refund_id: refund_id.clone(),
            amount,
            fee: -RATE.fee(amount)?,
            state: if fails { "ABNORMAL" } else { "SUCCESS" }.to_owned(),
            done_at: context.now,
        };
        sql::insert_refund(tx, &back).await?;
        let kind = if fails {
            "REFUND.ABNORMAL"
        } else {
            "REFUND.SUCCESS"
        };
        let mut resource = serde_json::to_value(told(&back)?)?;
        if let Some(fields) = resource.as_object_mut() {
            // Notices name the state otherwise than answers do.
            let state = fields.remove("status").unwrap_or_default();
            fields.insert("refund_status".to_owned(), state);
            fields.insert("mchid".to_owned(), MERCHANT.into());
        }
        tell(
            context,
            tx,
            &order_number,
            (kind, &notice, resource.to_string()),
        )
        .await?;
        let mut answer = told(&back)?;
        "PROCESSING".clone_into(&mut answer.status);
        answer.success_time = None;
        found(&answer)
    })
    .await
}

fn told(back: &Back) -> anyhow::Result<Refund> {
    Ok(Refund {
        refund_id: back.refund_id.clone(),
        out_refund_no: back.number.clone(),
        out_trade_no: back.order.clone(),
        status: back.state.clone(),
        success_time: match back.state.as_str() {
            "SUCCESS" => Some(written(back.done_at)?),
            _ => None,
        },
        mchid: None,
        amount: RefundAmount {
            refund: back.amount,
            total: back.amount,
            currency: "CNY".to_owned(),
        },
    })
}

async fn show_refund(context: &Context, tenant: &TenantId, number: &str) -> anyhow::Result<Reply> {
    match sql::refund(&context.db, tenant, number).await? {
        Some(back) => found(&told(&back)?),
        None => Ok(problem(404, "RESOURCE_NOT_EXISTS")),
    }
}
