//! `/ads.txt` and `/sellers.json` of the IAB Tech Lab: who may sell what is shown here. We do, directly.

use http::StatusCode;
use web::Reply;

use crate::context::Context;

/// How long others may keep these, in seconds: a day.
const FRESH: &str = "public, max-age=86400";

pub(super) fn ads(context: &Context) -> anyhow::Result<Reply> {
    let (domain, seller) = (domain(context), &context.tenant);
    let text = format!("# {domain}\n{domain}, {seller}, DIRECT\nOWNERDOMAIN={domain}\n");
    let reply = Reply::with_body(StatusCode::OK, "text/plain; charset=utf-8", text.into());
    Ok(reply.with_header(http::header::CACHE_CONTROL, FRESH))
}

pub(super) fn sellers(context: &Context) -> anyhow::Result<Reply> {
    let domain = domain(context);
    let sellers = serde_json::json!({
        "version": "1.0",
        "sellers": [{
            "seller_id": context.tenant,
            "name": domain,
            "domain": domain,
            "seller_type": "PUBLISHER",
        }],
    });
    Ok(Reply::ok(&sellers).with_header(http::header::CACHE_CONTROL, FRESH))
}

/// The name of the deployment's host.
fn domain(context: &Context) -> &str {
    let url = &context.public_url;
    let host = url.split_once("://").map_or(url.as_str(), |(_, host)| host);
    host.split(['/', ':']).next().unwrap_or(host)
}
