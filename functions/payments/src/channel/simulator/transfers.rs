//! The simulated channel's transfers. What it does with one is in the last four digits of the payee: `0001` fails, `0002`
//! succeeds without an answer, `0003` is worked on until it is asked for, `0004` waits until the payee has said yes,
//! which is when it is asked for the second time.

use anyhow::Context as _;
use kernel::TenantId;
use store::tx;

use super::{APP, MERCHANT, Reply, found, problem, tell};
use crate::context::Context;
use crate::protocol::keys::random_text;
use crate::protocol::transfers::{Bill, FINISHED, NewBill};
use crate::protocol::wechat::written;
use crate::store::simulated_transfers::{self as sql, Sent};

pub(super) async fn send(
    context: &Context,
    tenant: &TenantId,
    body: &str,
) -> anyhow::Result<Reply> {
    let asked: NewBill = serde_json::from_str(body)?;
    let is_number = |byte: u8| byte.is_ascii_alphanumeric();
    if asked.transfer_amount <= 0
        || !(1..=32).contains(&asked.out_bill_no.len())
        || !asked.out_bill_no.bytes().all(is_number)
    {
        return Ok(problem(400, "PARAM_ERROR"));
    }
    if asked.appid != APP {
        return Ok(problem(400, "APPID_MCHID_NOT_MATCH"));
    }
    let ends = |digits: &str| asked.openid.ends_with(digits);
    let state = match () {
        () if ends("0001") => "FAIL",
        () if ends("0003") => "PROCESSING",
        () if ends("0004") => "WAIT_USER_CONFIRM",
        () => "SUCCESS",
    };
    let new = Sent {
        number: asked.out_bill_no,
        bill: format!("13{}", random_text(24)?),
        payee: asked.openid.clone(),
        amount: asked.transfer_amount,
        remark: asked.transfer_remark,
        state: state.to_owned(),
        made_at: context.now,
        changed_at: context.now,
    };
    let notice: String = context.new_id::<kernel::EventId>()?.into();
    let held = tx(&context.db, tenant, async |tx| {
        if sql::sent(&*tx, tenant, &new.number).await?.is_none() {
            sql::insert(tx, &new).await?;
            if ["SUCCESS", "FAIL"].contains(&state) {
                let bill = serde_json::to_string(&whole(&new)?)?;
                tell(context, tx, &new.number, (FINISHED, &notice, bill)).await?;
            }
        }
        let held = sql::sent(&*tx, tenant, &new.number).await?;
        held.context("a transfer was not kept")
    })
    .await?;
    if (held.amount, &held.payee) != (new.amount, &new.payee) {
        return Ok(problem(400, "INVALID_REQUEST"));
    }
    anyhow::ensure!(!ends("0002"), "the channel did not answer");
    // The first answer says less than a query, and only that it was taken up when it is as good as done.
    let mut bill = whole(&held)?;
    if bill.state == "SUCCESS" {
        "ACCEPTED".clone_into(&mut bill.state);
    }
    (bill.mch_id, bill.transfer_amount, bill.update_time) = (None, None, None);
    found(&bill)
}

pub(super) async fn show(
    context: &Context,
    tenant: &TenantId,
    number: &str,
) -> anyhow::Result<Reply> {
    let notice: String = context.new_id::<kernel::EventId>()?.into();
    let held = tx(&context.db, tenant, async |tx| {
        let Some(held) = sql::sent(&*tx, tenant, number).await? else {
            return Ok(None);
        };
        let is_confirmed = held.state == "WAIT_USER_CONFIRM" && held.changed_at < context.now;
        if (held.state == "PROCESSING" || is_confirmed)
            && sql::end(tx, number, ("SUCCESS", context.now)).await?
        {
            let after = sql::sent(&*tx, tenant, number).await?;
            let bill = whole(&after.context("a transfer is gone")?)?;
            tell(
                context,
                tx,
                number,
                (FINISHED, &notice, serde_json::to_string(&bill)?),
            )
            .await?;
        }
        Ok(Some(held))
    })
    .await?;
    match held {
        Some(held) => found(&whole(&held)?),
        None => Ok(problem(404, "NOT_FOUND")),
    }
}

fn whole(sent: &Sent) -> anyhow::Result<Bill> {
    let is = |state: &str| sent.state == state;
    Ok(Bill {
        out_bill_no: sent.number.clone(),
        transfer_bill_no: sent.bill.clone(),
        state: sent.state.clone(),
        mch_id: Some(MERCHANT.to_owned()),
        transfer_amount: Some(sent.amount),
        package_info: is("WAIT_USER_CONFIRM")
            .then(|| format!("affffddafdfafddffda=={}", sent.number)),
        fail_reason: is("FAIL").then(|| "PAYEE_ACCOUNT_ABNORMAL".to_owned()),
        create_time: Some(written(sent.made_at)?),
        update_time: Some(written(sent.changed_at)?),
    })
}
