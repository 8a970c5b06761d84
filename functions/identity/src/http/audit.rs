//! `/api/audit`: the log of facts of the tenant, as it was written. Nothing in it is ever changed or removed.

use kernel::{Actor, ActorId, ActorKind, EventId, Message, Refusal, Timestamp};
use serde::Serialize;
use store::events::{self, PAGE_EVENTS_MAX, Recorded};
use web::{Listing, Page, Query, Reply, Request};

use super::caller;
use crate::context::Context;

/// The most facts that one request looks at; a page that finds too little says where to go on.
const SCAN_EVENTS_MAX: usize = 4_000;

/// What is looked for.
struct Filter {
    /// Facts about or by that person.
    person: Option<ActorId>,
    kind: Option<String>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

#[derive(Serialize)]
struct ShownFact {
    seq: i64,
    id: EventId,
    kind: String,
    at: Timestamp,
    data: serde_json::Value,
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    overseers_only(&actor)?;
    let mut query = Query::of(request)?;
    let filter = Filter {
        person: query.take("person", ActorId::parse)?,
        kind: query.take("kind", |text| Ok::<_, &str>(text.to_owned()))?,
        from: query.take("from", Timestamp::parse)?,
        to: query.take("to", Timestamp::parse)?,
    };
    let page = query.page(str::parse::<i64>)?;
    query.finish()?;
    Ok(Reply::ok(&find(context, &actor, &filter, &page).await?))
}

/// The facts of the page. It may hold fewer than asked for and still have a next one.
async fn find(
    context: &Context,
    actor: &Actor,
    filter: &Filter,
    page: &Page<i64>,
) -> anyhow::Result<Listing<ShownFact>> {
    let limit = usize::try_from(page.limit)?;
    let (mut seq, mut scanned, mut items) = (page.after.unwrap_or(0), 0, Vec::new());
    while scanned < SCAN_EVENTS_MAX {
        let facts = events::page(&context.db, &actor.tenant, seq, PAGE_EVENTS_MAX).await?;
        let is_last = facts.len() < PAGE_EVENTS_MAX;
        scanned += facts.len();
        for fact in facts {
            if items.len() == limit {
                return Ok(Listing {
                    items,
                    next: Some(seq.to_string()),
                });
            }
            seq = fact.seq;
            if filter.finds(&fact) {
                items.push(ShownFact::from(fact));
            }
        }
        if is_last {
            return Ok(Listing { items, next: None });
        }
    }
    Ok(Listing {
        items,
        next: Some(seq.to_string()),
    })
}

impl Filter {
    fn finds(&self, fact: &Recorded) -> bool {
        let names = |person: &ActorId| {
            ["person", "actor", "alias", "operator", "application"]
                .iter()
                .any(|field| {
                    fact.data.get(field).and_then(|value| value.as_str()) == Some(person.as_str())
                })
        };
        self.person.as_ref().is_none_or(names)
            && self.kind.as_ref().is_none_or(|kind| *kind == fact.kind)
            && self.from.is_none_or(|from| fact.at >= from)
            && self.to.is_none_or(|to| fact.at < to)
    }
}

fn overseers_only(actor: &Actor) -> Result<(), Refusal> {
    if actor.kind == ActorKind::Auditor || actor.may("audit:read") {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "audit_forbidden",
        Message::new(
            "Only operators, auditors and who has audit:read read the log.",
            "只有运营、审计人员和拥有 audit:read 权限者可以查看日志。",
        ),
    ))
}

impl From<Recorded> for ShownFact {
    fn from(fact: Recorded) -> Self {
        Self {
            seq: fact.seq,
            id: fact.id,
            kind: fact.kind,
            at: fact.at,
            data: fact.data,
        }
    }
}
