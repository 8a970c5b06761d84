//! Transfers from our side: the same at WeChat Pay and at the simulated channel, which answers in the same words.

use anyhow::Context as _;
use kernel::{TenantId, Timestamp};

use super::Fault;
use super::wechat::{account, content, get, notify_url, post};
use crate::context::Context;
use crate::domain::Transfer;
use crate::protocol::keys::PublicKey;
use crate::protocol::transfers::{Bill, NAME_FROM_MINOR, NewBill, PATH, Report, path_of};

/// Payments to suppliers (采购货款), which is what the mall's merchants are to the platform.
const SCENE: &str = "1009";
/// What is reported of that scene.
const REPORTED: &str = "采购商品名称";
/// Refusals after which the same number may still be paid.
const UNDECIDED: [&str; 3] = ["ALREADY_EXISTS", "NOT_ENOUGH", "QUOTA_EXCEED"];
/// The longest remark, in characters.
const REMARK_CHARACTERS_MAX: usize = 32;

/// How a transfer stands at the channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stands {
    /// It was never heard of there.
    Absent,
    /// It is worked on.
    Working,
    /// The payee has to say yes; what their app opens is told once.
    Waiting(Option<String>),
    /// The money is with the payee.
    Done {
        channel_transfer: String,
        at: Timestamp,
    },
    /// It will not be done, for this reason.
    Failed(String),
}

/// Has the channel pay; under the same number again, it is the same transfer.
pub(crate) async fn send(
    context: &Context,
    tenant: &TenantId,
    transfer: &Transfer,
) -> Result<Stands, Fault> {
    let account = account(context, transfer.channel).await?;
    let remark: String = transfer
        .remark
        .chars()
        .take(REMARK_CHARACTERS_MAX)
        .collect();
    let user_name = if transfer.amount.minor() >= NAME_FROM_MINOR {
        let key = PublicKey::from_pem(&account.platform_key)?;
        Some(key.encrypt(transfer.name.as_bytes())?)
    } else {
        None
    };
    let bill = NewBill {
        appid: account.app,
        out_bill_no: transfer.number.clone(),
        transfer_scene_id: SCENE.to_owned(),
        openid: transfer.payee.clone(),
        user_name,
        transfer_amount: transfer.amount.minor(),
        transfer_scene_report_infos: vec![Report {
            info_type: REPORTED.to_owned(),
            info_content: remark.clone(),
        }],
        transfer_remark: remark,
        notify_url: notify_url(context, transfer.channel),
    };
    let body = serde_json::to_value(&bill).context("writing a transfer")?;
    let answer = post(context, (tenant, transfer.channel), PATH, &body).await?;
    match content::<Bill>(answer) {
        Ok(bill) => stands(transfer, &bill),
        // It arrived before, or could not be paid yet: nothing is decided.
        Err(Fault::Refused(code)) if UNDECIDED.contains(&code.as_str()) => Err(Fault::Unknown(
            anyhow::anyhow!("the channel answered {code}"),
        )),
        Err(fault) => Err(fault),
    }
}

/// Asks how a transfer stands.
pub(crate) async fn query(
    context: &Context,
    tenant: &TenantId,
    transfer: &Transfer,
) -> Result<Stands, Fault> {
    let path = path_of(&transfer.number);
    let answer = get(context, (tenant, transfer.channel), path).await?;
    match content::<Bill>(answer) {
        Ok(bill) => stands(transfer, &bill),
        Err(Fault::Refused(code))
            if ["NOT_FOUND", "RESOURCE_NOT_EXISTS"].contains(&code.as_str()) =>
        {
            Ok(Stands::Absent)
        }
        Err(fault) => Err(fault),
    }
}

/// What a bill says of our transfer.
pub(crate) fn stands(transfer: &Transfer, bill: &Bill) -> Result<Stands, Fault> {
    let is_ours = bill.out_bill_no == transfer.number
        && bill
            .transfer_amount
            .is_none_or(|amount| amount == transfer.amount.minor());
    if !is_ours {
        let error = anyhow::anyhow!("the channel answered about something else");
        return Err(Fault::Unknown(error));
    }
    Ok(match bill.state.as_str() {
        "SUCCESS" => {
            let time = bill.update_time.as_deref().or(bill.create_time.as_deref());
            let time = time.context("a transfer that succeeded has no time")?;
            Stands::Done {
                channel_transfer: bill.transfer_bill_no.clone(),
                at: Timestamp::parse(time).context("reading a transfer's time")?,
            }
        }
        "FAIL" | "CANCELLED" => {
            let reason = bill.fail_reason.as_deref().unwrap_or(&bill.state);
            Stands::Failed(reason.to_lowercase())
        }
        "WAIT_USER_CONFIRM" => Stands::Waiting(bill.package_info.clone()),
        _ => Stands::Working,
    })
}
