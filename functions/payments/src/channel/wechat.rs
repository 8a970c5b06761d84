//! WeChat Pay v3 from our side: the same for the simulated channel, which answers in the same words.

use anyhow::Context as _;
use kernel::{Currency, Money, TenantId, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

use super::{Back, Fault, Trade, not_offered, simulator};
use crate::context::{Context, Wechat};
use crate::domain::{Attempt, Bill, Channel, Paid, Payment, Refund};
use crate::exchange::{Answered, Sent};
use crate::protocol::bill;
use crate::protocol::keys::{PrivateKey, PublicKey, random_text};
use crate::protocol::transfers;
use crate::protocol::wechat::{self as protocol, Signed, Signer, Transaction};

/// Our account at the channel.
pub(crate) async fn account(context: &Context, channel: Channel) -> Result<Wechat, Fault> {
    match channel {
        Channel::Simulated if context.channels.simulated => {
            Ok(simulator::keys(context).await?.account()?)
        }
        Channel::Wechat => context.channels.wechat.clone().ok_or_else(not_offered),
        _ => Err(not_offered()),
    }
}

/// One exchange: who asks whom for what.
struct Ask<'a> {
    tenant: &'a TenantId,
    channel: Channel,
    method: &'static str,
    path: String,
    body: String,
}

/// Signs and sends a request, and believes the answer only when the platform signed it.
async fn call(context: &Context, ask: &Ask<'_>) -> Result<(u16, String), Fault> {
    let account = account(context, ask.channel).await?;
    let answered = send(context, &account, ask).await?;
    let signed = Signed {
        timestamp: answered.header("wechatpay-timestamp").to_owned(),
        nonce: answered.header("wechatpay-nonce").to_owned(),
        signature: answered.header("wechatpay-signature").to_owned(),
        serial: answered.header("wechatpay-serial").to_owned(),
    };
    let key = PublicKey::from_pem(&account.platform_key)?;
    let body = answered.text()?;
    signed
        .verify(body, (&account.platform_serial, &key), context.now)
        .map_err(|distrust| anyhow::anyhow!("an answer is not believed: {distrust:?}"))?;
    Ok((answered.status, body.to_owned()))
}

async fn send(context: &Context, account: &Wechat, ask: &Ask<'_>) -> Result<Answered, Fault> {
    let key = PrivateKey::from_pem(&account.private_key)?;
    let signer = Signer {
        merchant: &account.merchant,
        serial: &account.serial,
    };
    let nonce = random_text(32)?;
    let seconds = context.now.millis() / 1_000;
    let request = (ask.method, ask.path.as_str(), ask.body.as_str());
    let authorization = signer.authorization(&key, request, (seconds, &nonce))?;
    let mut headers = vec![
        ("authorization", authorization),
        ("accept", "application/json".to_owned()),
        ("content-type", "application/json".to_owned()),
        ("user-agent", "linli".to_owned()),
    ];
    if ask.path == transfers::PATH {
        // Names are encrypted for this key.
        headers.push(("wechatpay-serial", account.platform_serial.clone()));
    }
    let sent = Sent {
        method: ask.method,
        url: format!("{}{}", account.url, ask.path),
        headers,
        body: ask.body.clone(),
    };
    Ok(match ask.channel {
        Channel::Simulated => simulator::answer(context, ask.tenant, &sent).await?,
        _ => context.exchange.send(sent).await?,
    })
}

/// An answer of this shape, or why there is none.
pub(super) fn content<T: serde::de::DeserializeOwned>(
    (status, body): (u16, String),
) -> Result<T, Fault> {
    match status {
        200..300 => Ok(serde_json::from_str(&body).context("reading an answer")?),
        400..500 => Err(refused(&body)),
        _ => Err(Fault::Unknown(anyhow::anyhow!(
            "the channel answered {status}"
        ))),
    }
}

fn refused(body: &str) -> Fault {
    #[derive(Deserialize)]
    struct Problem {
        code: String,
    }
    match serde_json::from_str::<Problem>(body) {
        // The channel asks to try again: nothing is decided.
        Ok(problem)
            if ["SYSTEM_ERROR", "FREQUENCY_LIMITED", "BIZ_ERR_NEED_RETRY"]
                .contains(&problem.code.as_str()) =>
        {
            Fault::Unknown(anyhow::anyhow!("the channel answered {}", problem.code))
        }
        Ok(problem) => Fault::Refused(problem.code),
        Err(error) => Fault::Unknown(anyhow::anyhow!("a refusal that cannot be read: {error}")),
    }
}

/// See [`super::start`].
pub(super) async fn start(
    context: &Context,
    tenant: &TenantId,
    payment: &Payment,
    attempt: &Attempt,
) -> Result<String, Fault> {
    #[derive(Deserialize)]
    struct Prepaid {
        code_url: String,
    }
    let account = account(context, attempt.channel).await?;
    let description: String = payment.subject.chars().take(40).collect();
    let body = json!({
        "appid": account.app,
        "mchid": account.merchant,
        "description": description,
        "out_trade_no": attempt.number,
        "time_expire": protocol::written(payment.expires_at)?,
        "attach": tenant,
        "notify_url": notify_url(context, attempt.channel),
        "amount": {"total": attempt.amount.minor(), "currency": attempt.amount.currency()},
    });
    let answer = post(
        context,
        (tenant, attempt.channel),
        "/v3/pay/transactions/native",
        &body,
    )
    .await?;
    Ok(content::<Prepaid>(answer)?.code_url)
}

pub(super) fn notify_url(context: &Context, channel: Channel) -> String {
    format!(
        "{}/api/payment-notices/{}",
        context.channels.public_url,
        channel.as_str()
    )
}

pub(super) async fn post(
    context: &Context,
    (tenant, channel): (&TenantId, Channel),
    path: &str,
    body: &Value,
) -> Result<(u16, String), Fault> {
    let ask = Ask {
        tenant,
        channel,
        method: "POST",
        path: path.to_owned(),
        body: body.to_string(),
    };
    call(context, &ask).await
}

pub(super) async fn get(
    context: &Context,
    (tenant, channel): (&TenantId, Channel),
    path: String,
) -> Result<(u16, String), Fault> {
    let ask = Ask {
        tenant,
        channel,
        method: "GET",
        path,
        body: String::new(),
    };
    call(context, &ask).await
}

/// See [`super::query`].
pub(super) async fn query(
    context: &Context,
    tenant: &TenantId,
    attempt: &Attempt,
) -> Result<Trade, Fault> {
    let account = account(context, attempt.channel).await?;
    let path = format!(
        "/v3/pay/transactions/out-trade-no/{}?mchid={}",
        attempt.number, account.merchant
    );
    let answer = get(context, (tenant, attempt.channel), path).await?;
    let transaction = match content::<Transaction>(answer) {
        Ok(transaction) => transaction,
        Err(Fault::Refused(code)) if is_absent(&code) => return Ok(Trade::Absent),
        Err(fault) => return Err(fault),
    };
    if (&transaction.mchid, &transaction.appid) != (&account.merchant, &account.app)
        || transaction.out_trade_no != attempt.number
    {
        return Err(Fault::Unknown(anyhow::anyhow!(
            "the channel answered about something else"
        )));
    }
    Ok(match transaction.trade_state.as_str() {
        "SUCCESS" | "REFUND" => Trade::Paid(paid(&transaction)?),
        "CLOSED" | "REVOKED" | "PAYERROR" => Trade::Closed,
        _ => Trade::Waiting,
    })
}

fn is_absent(code: &str) -> bool {
    ["ORDER_NOT_EXIST", "ORDERNOTEXIST", "RESOURCE_NOT_EXISTS"].contains(&code)
}

/// What a paid transaction says.
pub(crate) fn paid(transaction: &Transaction) -> anyhow::Result<Paid> {
    let amount = transaction
        .amount
        .as_ref()
        .context("a paid transaction has no amount")?;
    let currency =
        Currency::parse(&amount.currency).context("an amount's currency is not known here")?;
    let time = transaction
        .success_time
        .as_deref()
        .context("a paid transaction has no time")?;
    let own = transaction.transaction_id.clone();
    Ok(Paid {
        number: transaction.out_trade_no.clone(),
        channel_transaction: own.context("a paid transaction has no number")?,
        paid_at: Timestamp::parse(time)?,
        amount: Money::new(amount.total, currency),
    })
}

/// See [`super::close`].
pub(super) async fn close(
    context: &Context,
    tenant: &TenantId,
    attempt: &Attempt,
) -> Result<(), Fault> {
    let account = account(context, attempt.channel).await?;
    let path = format!("/v3/pay/transactions/out-trade-no/{}/close", attempt.number);
    let body = json!({"mchid": account.merchant});
    match post(context, (tenant, attempt.channel), &path, &body).await? {
        (200..300, _) => Ok(()),
        (400..500, body) => match refused(&body) {
            Fault::Refused(code) if is_absent(&code) => Ok(()),
            fault => Err(fault),
        },
        (status, _) => Err(Fault::Unknown(anyhow::anyhow!(
            "the channel answered {status}"
        ))),
    }
}

/// See [`super::refund`].
pub(super) async fn refund(
    context: &Context,
    tenant: &TenantId,
    refund: &Refund,
) -> Result<Back, Fault> {
    let reason: String = refund.reason.chars().take(26).collect();
    let body = json!({
        "out_trade_no": refund.attempt_number,
        "out_refund_no": refund.number,
        "reason": reason,
        "notify_url": notify_url(context, refund.channel),
        "amount": {
            "refund": refund.amount.minor(),
            "total": refund.attempt_amount.minor(),
            "currency": refund.amount.currency(),
        },
    });
    let answer = post(
        context,
        (tenant, refund.channel),
        "/v3/refund/domestic/refunds",
        &body,
    )
    .await?;
    let told = content::<protocol::Refund>(answer)?;
    Ok(back(&told)?)
}

/// See [`super::query_refund`].
pub(super) async fn query_refund(
    context: &Context,
    tenant: &TenantId,
    refund: &Refund,
) -> Result<Back, Fault> {
    let path = format!("/v3/refund/domestic/refunds/{}", refund.number);
    let answer = get(context, (tenant, refund.channel), path).await?;
    match content::<protocol::Refund>(answer) {
        Ok(told) if told.out_refund_no == refund.number => Ok(back(&told)?),
        Ok(_) => Err(Fault::Unknown(anyhow::anyhow!(
            "the channel answered about something else"
        ))),
        Err(Fault::Refused(code)) if is_absent(&code) => Ok(Back::Absent),
        Err(fault) => Err(fault),
    }
}

/// What is told of a refund.
pub(crate) fn back(told: &protocol::Refund) -> anyhow::Result<Back> {
    Ok(match told.status.as_str() {
        "SUCCESS" => {
            let time = told
                .success_time
                .as_deref()
                .context("a refund that succeeded has no time")?;
            Back::Done {
                channel_refund: told.refund_id.clone(),
                at: Timestamp::parse(time)?,
            }
        }
        "CLOSED" | "ABNORMAL" => Back::Failed(told.status.to_lowercase()),
        _ => Back::Working,
    })
}

/// See [`super::bill`].
pub(super) async fn bill(
    context: &Context,
    tenant: &TenantId,
    (channel, day): (Channel, &str),
) -> Result<Vec<Bill>, Fault> {
    #[derive(Deserialize)]
    struct Offered {
        hash_value: String,
        download_url: String,
    }
    let account = account(context, channel).await?;
    let path = format!("/v3/bill/tradebill?bill_date={day}&bill_type=ALL");
    let offered = match content::<Offered>(get(context, (tenant, channel), path).await?) {
        Ok(offered) => offered,
        Err(Fault::Refused(code))
            if ["NO_STATEMENT_EXIST", "STATEMENT_CREATING"].contains(&code.as_str()) =>
        {
            return match code.as_str() {
                "NO_STATEMENT_EXIST" => Ok(Vec::new()),
                _ => Err(Fault::Unknown(anyhow::anyhow!("the bill is not made yet"))),
            };
        }
        Err(fault) => return Err(fault),
    };
    let path = offered
        .download_url
        .strip_prefix(&account.url)
        .context("the bill lies elsewhere")?;
    let ask = Ask {
        tenant,
        channel,
        method: "GET",
        path: path.to_owned(),
        body: String::new(),
    };
    // The file itself is not signed; its digest was.
    let file = send(context, &account, &ask).await?;
    let digest: String = Sha1::digest(&file.body)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if file.status != 200 || !digest.eq_ignore_ascii_case(&offered.hash_value) {
        return Err(Fault::Unknown(anyhow::anyhow!(
            "the bill is not the one that was offered"
        )));
    }
    let lines = bill::read(file.text()?)?;
    let own = lines
        .into_iter()
        .filter(|line| line.attach == tenant.as_str());
    Ok(own.map(bill::Line::into_bill).collect())
}
