//! What the event log hears, in the transaction that makes it true.

use store::{Tx, events};
use wire::event::Event;

use crate::context::Context;

/// Appends a fact.
pub(crate) async fn append<Fact: Event>(
    context: &Context,
    tx: &Tx,
    fact: &Fact,
) -> anyhow::Result<()> {
    events::append(tx, &context.new_id()?, context.now, fact).await?;
    Ok(())
}
