//! `/api/account-credits`: what somebody has paid ahead.

use kernel::{ActorId, ActorKind, Currency, Message, Refusal};
use ledger::Account;
use serde::Serialize;
use web::{Query, Reply, Request};

use super::{caller, private};
use crate::context::Context;
use crate::domain::sees;
use crate::inbox;

#[derive(Serialize)]
struct ShownCredit {
    person: ActorId,
    posted_minor: i64,
    available_minor: i64,
    currency: Currency,
}

/// The caller's own credit; operators and auditors name whose.
pub(super) async fn show(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    sees(&actor)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let mut query = Query::of(request)?;
    let person = query.take("person", ActorId::parse)?;
    query.finish()?;
    let reads_all = matches!(actor.kind, ActorKind::Operator | ActorKind::Auditor);
    let person = match person {
        Some(person) if person != actor.id && !reads_all => return Err(own_only().into()),
        Some(person) => person,
        None => actor.id.clone(),
    };
    let wallet = Account::resident_wallet(&person);
    let balance = ledger::balance(&context.db, &actor.tenant, &wallet, Currency::Cny).await?;
    Ok(private(Reply::ok(&ShownCredit {
        person,
        posted_minor: balance.posted().minor(),
        available_minor: balance.available().minor(),
        currency: Currency::Cny,
    })))
}

fn own_only() -> Refusal {
    Refusal::forbidden(
        "own_credit_only",
        Message::new(
            "Only your own credit is shown to you.",
            "您只能查看自己的余额。",
        ),
    )
}
