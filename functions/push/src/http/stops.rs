//! `/api/unsubscriptions/{token}`: the signed link in every advertisement; a POST stops advertising, without a login.

use kernel::{ActorId, TenantId};
use serde_json::json;
use store::tx;
use web::{Reply, Request};

use crate::agreeing::{self, Says};
use crate::context::Context;
use crate::domain::{Channel, Use, agrees, unknown_stop};
use crate::store::consents;

/// What a browser shows: one button that stops.
const PAGE: &str = "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\">\
    <meta name=\"viewport\" content=\"width=device-width\"><title>退订广告 / Stop advertising</title>\
    <form method=\"post\"><p>不再接收广告推送。<br>Stop getting advertisements.</p>\
    <button>退订 / Stop</button></form></html>";

/// What the link stops, and how things stand: a page with one button for a browser.
pub(super) async fn show(
    context: &Context,
    request: &Request,
    token: &str,
) -> anyhow::Result<Reply> {
    let (tenant, person) = read(context, token)?;
    let accept = request.headers().get(::http::header::ACCEPT);
    let is_browser = accept
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    if is_browser {
        let status = ::http::StatusCode::OK;
        return Ok(Reply::with_body(
            status,
            "text/html; charset=utf-8",
            PAGE.into(),
        ));
    }
    let words = consents::agreements(&context.db, &tenant, &person).await?;
    let agrees = |channel: &&Channel| agrees(&words, Use::Marketing, **channel);
    let stopped = !Channel::ALL.iter().any(|channel| agrees(&channel));
    Ok(Reply::ok(
        &json!({"purpose": "marketing", "stopped": stopped}),
    ))
}

/// Advertising stops on every channel; pressed twice, it stays stopped.
pub(super) async fn stop(
    context: &Context,
    request: &Request,
    token: &str,
) -> anyhow::Result<Reply> {
    let (tenant, person) = read(context, token)?;
    tx(&context.db, &tenant, async |tx| {
        for purpose in [Use::Marketing, Use::PersonalisedAds] {
            let words = consents::agreements(tx, tx.tenant(), &person).await?;
            let is_given = Channel::ALL
                .iter()
                .any(|channel| agrees(&words, purpose, *channel));
            if !is_given {
                continue;
            }
            let says = Says {
                person: &person,
                purpose,
                channel: None,
                given: false,
                text_version: None,
                via: "stop_link",
                evidence: json!({"request": web::request_id(request)}),
                actor: &person,
            };
            agreeing::say(context, tx, &says).await?;
        }
        Ok(())
    })
    .await?;
    Ok(Reply::ok(&json!({"purpose": "marketing", "stopped": true})))
}

fn read(context: &Context, token: &str) -> anyhow::Result<(TenantId, ActorId)> {
    let read = context.keys.read_stop(token);
    read.ok_or_else(|| unknown_stop().into())
}
