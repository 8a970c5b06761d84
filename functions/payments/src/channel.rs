//! The seam to channels: start an attempt, ask for it, close it, give money back, fetch a bill. What a channel does not
//! answer in time is unknown, never failed.

mod alipay;
pub(crate) mod simulator;
pub(crate) mod transfers;
pub(crate) mod wechat;

use kernel::{TenantId, Timestamp};

use crate::context::Context;
use crate::domain::{Attempt, Bill, Channel, Paid, Payment, Rate, Refund, attempt_refused};

/// What a channel charges here.
pub(crate) const RATE: Rate = Rate(60);

/// Why there is no answer to work with.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The channel said no, under this code.
    Refused(String),
    /// It is not known what the channel did.
    Unknown(anyhow::Error),
}

impl From<anyhow::Error> for Fault {
    fn from(error: anyhow::Error) -> Self {
        Self::Unknown(error)
    }
}

/// How an attempt stands at the channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trade {
    /// It was never heard of there.
    Absent,
    /// It waits for the payer.
    Waiting,
    /// It takes no money any more.
    Closed,
    /// It is paid.
    Paid(Paid),
}

/// How a refund stands at the channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Back {
    /// It was never heard of there.
    Absent,
    /// It is worked on.
    Working,
    /// The money is back.
    Done {
        channel_refund: String,
        at: Timestamp,
    },
    /// It will not be done, for this reason.
    Failed(String),
}

/// Tells the channel of an attempt; what the payer scans.
pub(crate) async fn start(
    context: &Context,
    tenant: &TenantId,
    payment: &Payment,
    attempt: &Attempt,
) -> Result<String, Fault> {
    match attempt.channel {
        Channel::Alipay => alipay::start(context, tenant, payment, attempt).await,
        Channel::Simulated | Channel::Wechat => {
            wechat::start(context, tenant, payment, attempt).await
        }
    }
}

/// Asks how an attempt stands.
pub(crate) async fn query(
    context: &Context,
    tenant: &TenantId,
    attempt: &Attempt,
) -> Result<Trade, Fault> {
    match attempt.channel {
        Channel::Alipay => alipay::query(context, attempt).await,
        Channel::Simulated | Channel::Wechat => wechat::query(context, tenant, attempt).await,
    }
}

/// Has the channel take no money for an attempt any more.
pub(crate) async fn close(
    context: &Context,
    tenant: &TenantId,
    attempt: &Attempt,
) -> Result<(), Fault> {
    match attempt.channel {
        Channel::Alipay => alipay::close(context, attempt).await,
        Channel::Simulated | Channel::Wechat => wechat::close(context, tenant, attempt).await,
    }
}

/// Has the channel give money back; under the same number again, it is the same refund.
pub(crate) async fn refund(
    context: &Context,
    tenant: &TenantId,
    refund: &Refund,
) -> Result<Back, Fault> {
    match refund.channel {
        Channel::Alipay => alipay::refund(context, tenant, refund).await,
        Channel::Simulated | Channel::Wechat => wechat::refund(context, tenant, refund).await,
    }
}

/// Asks how a refund stands.
pub(crate) async fn query_refund(
    context: &Context,
    tenant: &TenantId,
    refund: &Refund,
) -> Result<Back, Fault> {
    match refund.channel {
        Channel::Alipay => alipay::query_refund(context, refund).await,
        Channel::Simulated | Channel::Wechat => wechat::query_refund(context, tenant, refund).await,
    }
}

/// The tenant's lines of the channel's bill of a day, `2026-10-31`.
pub(crate) async fn bill(
    context: &Context,
    tenant: &TenantId,
    (channel, day): (Channel, &str),
) -> Result<Vec<Bill>, Fault> {
    match channel {
        Channel::Alipay => alipay::bill(context, tenant, day).await,
        Channel::Simulated | Channel::Wechat => wechat::bill(context, tenant, (channel, day)).await,
    }
}

/// A channel that is not set up.
fn not_offered() -> Fault {
    Fault::Unknown(attempt_refused().into())
}
