//! `/api/push/terms`: what holds for all pushes of a tenant.

use serde::{Deserialize, Serialize};
use web::{Reply, Request};
use wire::event::PushTermsChanged;

use super::{answer, caller, replied, write};
use crate::context::Context;
use crate::domain::{Terms, readers_only, tellers_only, zone};
use crate::facts;
use crate::store::terms as sql;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    time_zone: String,
    window_from: String,
    window_until: String,
    per_day: u32,
    per_week: u32,
    price_minor: i64,
    calls_per_minute: i64,
    messages_per_day: i64,
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    terms: Form,
    version: i64,
}

pub(super) async fn show(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    readers_only(&actor)?;
    let (terms, version) = sql::terms(&context.db, &actor.tenant).await?;
    Ok(Reply::ok(&shown(&terms, version)).with_etag(version))
}

pub(super) async fn change(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    tellers_only(&actor)?;
    let if_match = web::required_if_match(request)?;
    let new: Form = web::body(request)?;
    let terms = Terms {
        zone: zone(&new.time_zone)?,
        window_from: new.window_from,
        window_until: new.window_until,
        per_day: new.per_day,
        per_week: new.per_week,
        price_minor: new.price_minor,
        calls_per_minute: new.calls_per_minute,
        messages_per_day: new.messages_per_day,
    };
    terms.check()?;
    let made = write(context, request, &actor, async |tx| {
        let (_, version) = sql::terms(tx, tx.tenant()).await?;
        if_match.check(version)?;
        let after = (&terms, version + 1);
        sql::put_terms(tx, after, (&actor.id, context.now)).await?;
        let fact = PushTermsChanged {
            version: version + 1,
            actor: actor.id.clone(),
        };
        facts::append(context, tx, &fact).await?;
        answer(200, &shown(&terms, version + 1))
    })
    .await?;
    replied(&made)
}

fn shown(terms: &Terms, version: i64) -> Shown {
    Shown {
        terms: Form {
            time_zone: terms.zone.as_str().to_owned(),
            window_from: terms.window_from.clone(),
            window_until: terms.window_until.clone(),
            per_day: terms.per_day,
            per_week: terms.per_week,
            price_minor: terms.price_minor,
            calls_per_minute: terms.calls_per_minute,
            messages_per_day: terms.messages_per_day,
        },
        version,
    }
}
