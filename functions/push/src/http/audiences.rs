//! `/api/push/audiences`: how many people an audience means, before anything is told.

use messaging::audience::Audience;
use serde::Deserialize;
use serde_json::{Value, json};
use web::{Reply, Request};

use super::{caller, private};
use crate::context::Context;
use crate::domain::readers_only;
use crate::telling::{Options, Written};
use crate::{expanding, inbox, telling};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask {
    audience: Value,
    #[serde(default = "notice")]
    purpose: String,
}

fn notice() -> String {
    "notice".to_owned()
}

pub(super) async fn count(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    readers_only(&actor)?;
    let ask: Ask = web::body(request)?;
    let audience = Audience::parse(&ask.audience)?;
    inbox::catch_up(context, &actor.tenant).await?;
    // What is told does not matter here, only what for.
    let written = Written {
        purpose: Some(ask.purpose),
        ..Written::placeholder()
    };
    let parts = (written, Options::default());
    let content = telling::content(&context.db, &actor.tenant, parts).await?;
    let asked = (&audience, &content);
    let frozen = expanding::frozen(context, &actor.tenant, asked).await?;
    Ok(private(Reply::ok(&json!({
        "audience": audience.to_json(),
        "people": frozen.count,
        "digest": frozen.digest,
    }))))
}
