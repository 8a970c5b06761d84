//! What the event log hears, in the transaction that makes it true.

use kernel::{Currency, MerchantId, Money};
use store::{Tx, events};
use wire::event::{Event, SettlementAlarmRaised};

use crate::context::Context;
use crate::store::alarms;

/// An amount in fen.
pub(crate) fn fen(minor: i64) -> Money {
    Money::new(minor, Currency::Cny)
}

/// Appends a fact.
pub(crate) async fn append<Fact: Event>(
    context: &Context,
    tx: &Tx,
    fact: &Fact,
) -> anyhow::Result<()> {
    events::append(tx, &context.new_id()?, context.now, fact).await?;
    Ok(())
}

/// Raises an alarm, once for each kind and subject; whether it is news.
pub(crate) async fn alarm(
    context: &Context,
    tx: &Tx,
    (kind, subject): (&str, &str),
    merchant: Option<&MerchantId>,
) -> anyhow::Result<bool> {
    if !alarms::raise(tx, (kind, subject), (merchant, context.now)).await? {
        return Ok(false);
    }
    let fact = SettlementAlarmRaised {
        kind: kind.to_owned(),
        subject: subject.to_owned(),
        merchant: merchant.cloned(),
        at: context.now,
    };
    append(context, tx, &fact).await?;
    Ok(true)
}
