//! `/api/payment-notices/{channel}`: what channels post. No account opens it: a notice is believed for its signature.

use http::StatusCode;
use kernel::{Currency, Message, Money, Refusal, RefusalKind, TenantId};
use web::{Reply, Request};

use crate::channel::transfers::stands;
use crate::channel::{Fault, wechat};
use crate::context::Context;
use crate::domain::{Channel, Paid, attempt_refused};
use crate::money;
use crate::protocol::alipay::{self, fields_of, is_signed};
use crate::protocol::keys::PublicKey;
use crate::protocol::transfers::{Bill, FINISHED};
use crate::protocol::wechat::{ALGORITHM, Distrust, Notice, Refund, Signed, Transaction, open};
use crate::store::{attempts, refunds, transfers};
use crate::transferring;

/// Verifies and takes a notice. Any answer but a success has the channel repeat it.
pub(crate) async fn receive(
    context: &Context,
    request: &Request,
    channel: &str,
) -> anyhow::Result<Reply> {
    let channel = Channel::parse(channel).filter(|channel| context.offers(*channel));
    match channel.ok_or_else(unknown_channel)? {
        Channel::Alipay => from_alipay(context, request).await,
        channel => from_wechat(context, request, channel).await,
    }
}

async fn from_wechat(
    context: &Context,
    request: &Request,
    channel: Channel,
) -> anyhow::Result<Reply> {
    let account = match wechat::account(context, channel).await {
        Ok(account) => account,
        Err(Fault::Refused(_)) => return Err(attempt_refused().into()),
        Err(Fault::Unknown(error)) => return Err(error),
    };
    let header = |name: &str| {
        let value = request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let signed = Signed {
        timestamp: header("wechatpay-timestamp"),
        nonce: header("wechatpay-nonce"),
        signature: header("wechatpay-signature"),
        serial: header("wechatpay-serial"),
    };
    let body = std::str::from_utf8(web::raw_body(request, web::BODY_BYTES_MAX)?)
        .map_err(|_| distrusted(Distrust::Shape))?;
    let key = PublicKey::from_pem(&account.platform_key)?;
    signed
        .verify(body, (&account.platform_serial, &key), context.now)
        .map_err(distrusted)?;
    let notice: Notice = serde_json::from_str(body).map_err(|_| distrusted(Distrust::Shape))?;
    if notice.resource.algorithm != ALGORITHM {
        return Err(distrusted(Distrust::Resource).into());
    }
    let plain = open(account.api_key.as_bytes(), &notice.resource).map_err(distrusted)?;
    let event = Some((notice.id.as_str(), notice.event_type.as_str()));
    if notice.event_type.starts_with("REFUND.") {
        let told: Refund =
            serde_json::from_slice(&plain).map_err(|_| distrusted(Distrust::Shape))?;
        if told.mchid.as_deref() != Some(account.merchant.as_str()) {
            return Err(other_merchant().into());
        }
        return refund(context, channel, &told, event).await;
    }
    if notice.event_type == FINISHED {
        let bill: Bill = serde_json::from_slice(&plain).map_err(|_| distrusted(Distrust::Shape))?;
        if bill.mch_id.as_deref() != Some(account.merchant.as_str()) {
            return Err(other_merchant().into());
        }
        return transfer(context, channel, &bill, event).await;
    }
    let told: Transaction =
        serde_json::from_slice(&plain).map_err(|_| distrusted(Distrust::Shape))?;
    if told.mchid != account.merchant {
        return Err(other_merchant().into());
    }
    if told.appid != account.app {
        return Err(other_app().into());
    }
    if told.trade_state != "SUCCESS" {
        return Ok(Reply::no_content());
    }
    let paid = wechat::paid(&told).map_err(|_| distrusted(Distrust::Shape))?;
    let tenant = tenant_of(context, channel, &paid.number).await?;
    money::paid(context, &tenant, channel, (&paid, event)).await?;
    Ok(Reply::no_content())
}

async fn refund(
    context: &Context,
    channel: Channel,
    told: &Refund,
    event: money::Event<'_>,
) -> anyhow::Result<Reply> {
    let number = told.out_refund_no.as_str();
    let tenant = refunds::tenant_of(&context.db, channel, number).await?;
    let tenant = tenant.ok_or_else(money::unknown_number)?;
    let refund = refunds::of_number(&context.db, &tenant, (channel, number)).await?;
    let refund = refund.ok_or_else(money::unknown_number)?;
    if refund.amount.minor() != told.amount.refund
        || told.amount.currency != refund.amount.currency().as_str()
    {
        return Err(other_amount().into());
    }
    let back = wechat::back(told).map_err(|_| distrusted(Distrust::Shape))?;
    money::went_back(context, &tenant, (channel, number), (&back, event)).await?;
    Ok(Reply::no_content())
}

async fn transfer(
    context: &Context,
    channel: Channel,
    bill: &Bill,
    event: money::Event<'_>,
) -> anyhow::Result<Reply> {
    let number = bill.out_bill_no.as_str();
    let tenant = transfers::tenant_of(&context.db, channel, number).await?;
    let tenant = tenant.ok_or_else(money::unknown_number)?;
    let known = transfers::of_number(&context.db, &tenant, (channel, number)).await?;
    let known = known.ok_or_else(money::unknown_number)?;
    if bill.transfer_amount != Some(known.amount.minor()) {
        return Err(other_amount().into());
    }
    let Ok(stands) = stands(&known, bill) else {
        return Err(distrusted(Distrust::Shape).into());
    };
    transferring::moved(context, &tenant, (channel, number), (&stands, event)).await?;
    Ok(Reply::no_content())
}

async fn from_alipay(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let account = context
        .channels
        .alipay
        .as_ref()
        .ok_or_else(unknown_channel)?;
    let body = web::raw_body(request, web::BODY_BYTES_MAX)?;
    let form = std::str::from_utf8(body).ok().and_then(fields_of);
    let fields = form.ok_or_else(|| distrusted(Distrust::Shape))?;
    let key = PublicKey::from_pem(&account.platform_key)?;
    if !is_signed(&fields, &key) {
        return Err(distrusted(Distrust::Signature).into());
    }
    let notice = alipay::Notice::read(&fields).map_err(|_| distrusted(Distrust::Shape))?;
    if notice.app != account.app {
        return Err(other_app().into());
    }
    if notice
        .seller
        .as_ref()
        .is_some_and(|seller| *seller != account.seller)
    {
        return Err(other_merchant().into());
    }
    let is_paid = ["TRADE_SUCCESS", "TRADE_FINISHED"].contains(&notice.status.as_str());
    // A refund repeats the payment's state with a field of its own; the query says how refunds stand.
    if is_paid && !fields.contains_key("refund_fee") {
        let paid = Paid {
            number: notice.number.clone(),
            channel_transaction: notice.trade.clone(),
            paid_at: notice.paid_at.unwrap_or(context.now),
            amount: Money::new(notice.amount, Currency::Cny),
        };
        let tenant = tenant_of(context, Channel::Alipay, &paid.number).await?;
        let event = Some((notice.id.as_str(), notice.status.as_str()));
        money::paid(context, &tenant, Channel::Alipay, (&paid, event)).await?;
    }
    // The only word that ends the repetitions.
    Ok(Reply::with_body(
        StatusCode::OK,
        "text/plain",
        "success".into(),
    ))
}

async fn tenant_of(context: &Context, channel: Channel, number: &str) -> anyhow::Result<TenantId> {
    let tenant = attempts::tenant_of(&context.db, channel, number).await?;
    Ok(tenant.ok_or_else(money::unknown_number)?)
}

fn unknown_channel() -> Refusal {
    Refusal::not_found(
        "channel_unknown",
        Message::new(
            "No such channel is offered here.",
            "本平台未开通该支付渠道。",
        ),
    )
}

fn distrusted(distrust: Distrust) -> Refusal {
    let (kind, code, english, chinese) = match distrust {
        Distrust::Window => (
            RefusalKind::Unauthenticated,
            "notice_outside_window",
            "The notice's time is more than 300 s away.",
            "通知时间超出 300 秒窗口。",
        ),
        Distrust::Serial => (
            RefusalKind::Unauthenticated,
            "notice_serial_unknown",
            "The notice is signed with another key than the platform's.",
            "通知的平台证书序列号不匹配。",
        ),
        Distrust::Signature => (
            RefusalKind::Unauthenticated,
            "notice_signature_invalid",
            "The signature is of something else.",
            "通知签名验证失败。",
        ),
        Distrust::Resource => (
            RefusalKind::Invalid,
            "notice_resource_sealed",
            "The resource cannot be opened with our key.",
            "通知内容无法解密。",
        ),
        Distrust::Shape => (
            RefusalKind::Invalid,
            "notice_malformed",
            "This is no notice.",
            "通知格式不正确。",
        ),
    };
    Refusal::new(kind, code, Message::new(english, chinese))
}

fn other_merchant() -> Refusal {
    Refusal::invalid(
        "notice_merchant_mismatch",
        Message::new(
            "The notice is for another merchant.",
            "通知的商户号不匹配。",
        ),
    )
}

fn other_app() -> Refusal {
    Refusal::invalid(
        "notice_app_mismatch",
        Message::new("The notice is for another app.", "通知的应用不匹配。"),
    )
}

fn other_amount() -> Refusal {
    Refusal::invalid(
        "notice_amount_mismatch",
        Message::new("The notice names another amount.", "通知金额不一致。"),
    )
}
