//! Alipay from our side: signed forms out, signed nodes back.

use anyhow::Context as _;
use kernel::{Currency, Money, TenantId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Back, Fault, Trade, not_offered};
use crate::context::Context;
use crate::domain::{Attempt, Bill, Paid, Payment, Refund};
use crate::exchange::Sent;
use crate::protocol::alipay::{Fields, moment, signed_form, signed_node, written};
use crate::protocol::alipay_bill::{self, operator};
use crate::protocol::keys::{PrivateKey, PublicKey};
use crate::protocol::yuan;

/// The codes of an answer: done, and refused in the matter itself.
const DONE: &str = "10000";
const REFUSED: &str = "40004";

/// What an answer says, of whatever method.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Node {
    code: String,
    sub_code: String,
    qr_code: String,
    trade_no: String,
    out_trade_no: String,
    trade_status: String,
    total_amount: String,
    send_pay_date: String,
    fund_change: String,
    refund_status: String,
    gmt_refund_pay: String,
    bill_download_url: String,
}

async fn call(context: &Context, method: &str, content: Value) -> Result<Node, Fault> {
    let account = context.channels.alipay.as_ref().ok_or_else(not_offered)?;
    let key = PrivateKey::from_pem(&account.private_key)?;
    let notify = format!("{}/api/payment-notices/alipay", context.channels.public_url);
    let fields: Fields = [
        ("app_id", account.app.clone()),
        ("method", method.to_owned()),
        ("charset", "utf-8".to_owned()),
        ("sign_type", "RSA2".to_owned()),
        ("timestamp", written(context.now)?),
        ("version", "1.0".to_owned()),
        ("notify_url", notify),
        ("biz_content", content.to_string()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    let sent = Sent {
        method: "POST",
        url: account.url.clone(),
        headers: vec![(
            "content-type",
            "application/x-www-form-urlencoded;charset=utf-8".to_owned(),
        )],
        body: signed_form(fields, &key)?,
    };
    let answered = context.exchange.send(sent).await?;
    let name = format!("{}_response", method.replace('.', "_"));
    let platform = PublicKey::from_pem(&account.platform_key)?;
    let node =
        signed_node(answered.text()?, &name, &platform).context("an answer is not believed")?;
    let node: Node = serde_json::from_str(node).context("reading an answer")?;
    match node.code.as_str() {
        DONE => Ok(node),
        REFUSED => Err(Fault::Refused(node.sub_code)),
        other => Err(Fault::Unknown(anyhow::anyhow!(
            "the channel answered {other}"
        ))),
    }
}

/// See [`super::start`].
pub(super) async fn start(
    context: &Context,
    tenant: &TenantId,
    payment: &Payment,
    attempt: &Attempt,
) -> Result<String, Fault> {
    let subject: String = payment.subject.chars().take(120).collect();
    let content = json!({
        "out_trade_no": attempt.number,
        "total_amount": yuan::from_fen(attempt.amount.minor()),
        "subject": subject,
        "operator_id": operator(tenant.as_str()),
        "time_expire": written(payment.expires_at)?,
    });
    Ok(call(context, "alipay.trade.precreate", content)
        .await?
        .qr_code)
}

/// See [`super::query`].
pub(super) async fn query(context: &Context, attempt: &Attempt) -> Result<Trade, Fault> {
    let content = json!({"out_trade_no": attempt.number});
    let node = match call(context, "alipay.trade.query", content).await {
        Ok(node) => node,
        // Alipay knows a trade only when its code was scanned.
        Err(Fault::Refused(code)) if code == "ACQ.TRADE_NOT_EXIST" => return Ok(Trade::Absent),
        Err(fault) => return Err(fault),
    };
    if node.out_trade_no != attempt.number {
        return Err(Fault::Unknown(anyhow::anyhow!(
            "the channel answered about something else"
        )));
    }
    Ok(match node.trade_status.as_str() {
        "TRADE_SUCCESS" | "TRADE_FINISHED" => {
            let amount = yuan::to_fen(&node.total_amount).context("an amount that is none")?;
            Trade::Paid(Paid {
                number: node.out_trade_no,
                channel_transaction: node.trade_no,
                paid_at: moment(&node.send_pay_date)?,
                amount: Money::new(amount, Currency::Cny),
            })
        }
        "TRADE_CLOSED" => Trade::Closed,
        _ => Trade::Waiting,
    })
}

/// See [`super::close`].
pub(super) async fn close(context: &Context, attempt: &Attempt) -> Result<(), Fault> {
    let content = json!({"out_trade_no": attempt.number});
    match call(context, "alipay.trade.close", content).await {
        Ok(_) => Ok(()),
        Err(Fault::Refused(code)) if code == "ACQ.TRADE_NOT_EXIST" => Ok(()),
        Err(fault) => Err(fault),
    }
}

/// See [`super::refund`].
pub(super) async fn refund(
    context: &Context,
    tenant: &TenantId,
    refund: &Refund,
) -> Result<Back, Fault> {
    let content = json!({
        "out_trade_no": refund.attempt_number,
        "out_request_no": refund.number,
        "refund_amount": yuan::from_fen(refund.amount.minor()),
        "refund_reason": refund.reason,
        "operator_id": operator(tenant.as_str()),
    });
    let node = call(context, "alipay.trade.refund", content).await?;
    // Without a change of funds it is not known yet: the query says.
    if node.fund_change == "Y" {
        return Ok(Back::Done {
            channel_refund: refund.number.clone(),
            at: context.now,
        });
    }
    Ok(Back::Working)
}

/// See [`super::query_refund`].
pub(super) async fn query_refund(context: &Context, refund: &Refund) -> Result<Back, Fault> {
    let content = json!({
        "out_trade_no": refund.attempt_number,
        "out_request_no": refund.number,
        "query_options": ["gmt_refund_pay"],
    });
    let node = match call(context, "alipay.trade.fastpay.refund.query", content).await {
        Ok(node) => node,
        Err(Fault::Refused(code)) if code == "ACQ.TRADE_NOT_EXIST" => return Ok(Back::Absent),
        Err(fault) => return Err(fault),
    };
    if node.refund_status != "REFUND_SUCCESS" {
        return Ok(Back::Working);
    }
    let at = match node.gmt_refund_pay.as_str() {
        "" => context.now,
        text => moment(text)?,
    };
    Ok(Back::Done {
        channel_refund: refund.number.clone(),
        at,
    })
}

/// See [`super::bill`]. The archive itself is not signed; the address of it was.
pub(super) async fn bill(
    context: &Context,
    tenant: &TenantId,
    day: &str,
) -> Result<Vec<Bill>, Fault> {
    let content = json!({"bill_type": "trade", "bill_date": day});
    let method = "alipay.data.dataservice.bill.downloadurl.query";
    let node = match call(context, method, content).await {
        Ok(node) => node,
        // On that day nothing moved.
        Err(Fault::Refused(code)) if code == "isp.bill_not_exist" => return Ok(Vec::new()),
        Err(fault) => return Err(fault),
    };
    let (_, place) = node
        .bill_download_url
        .split_once("://")
        .context("the bill lies nowhere")?;
    let file = context
        .exchange
        .send(Sent {
            method: "GET",
            url: format!("https://{place}"),
            headers: vec![],
            body: String::new(),
        })
        .await?;
    if file.status != 200 {
        let status = file.status;
        return Err(Fault::Unknown(anyhow::anyhow!(
            "the bill was answered with {status}"
        )));
    }
    let own = alipay_bill::read(&file.body)?
        .into_iter()
        .filter(|line| line.operator == operator(tenant.as_str()));
    Ok(own.map(alipay_bill::Line::into_bill).collect())
}
