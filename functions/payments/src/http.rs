//! The routes: one `match`, an arm a function. The functions stand in the files of their nouns.

mod books;
pub(crate) mod notices;
mod payments;
mod reconciliations;
mod refunds;
mod simulated;
mod transfers;

use kernel::{Actor, Refusal};
use web::{Reply, Request, path_id};

use crate::context::Context;
use crate::cron;

/// The HTTP trigger.
#[cfg(target_family = "wasm")]
pub(crate) async fn serve(incoming: spin_sdk::http::Request) -> Reply {
    let request = match web::read(incoming).await {
        Ok(request) => request,
        Err(reply) => return reply,
    };
    match Context::open().await {
        Ok(context) => respond(&context, &request).await,
        Err(error) => web::answer(&request, Err(error)),
    }
}

/// Answers a request: always with a reply, whatever goes wrong.
pub async fn respond(context: &Context, request: &Request) -> Reply {
    let reply = web::answer(request, route(context, request).await);
    outgoing::ring(&context.db, &context.outbox).await;
    reply
}

#[rustfmt::skip]
async fn route(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    match (request.method().as_str(), web::segments(request).as_slice()) {
        ("GET", ["api", "payments"]) => payments::list(context, request).await,
        ("GET", ["api", "payments", payment]) => payments::show(context, request, payment).await,
        ("POST", ["api", "payments", payment, "attempts"]) => payments::attempt(context, request, payment).await,
        ("GET", ["api", "refunds"]) => refunds::list(context, request).await,
        ("GET", ["api", "refunds", refund]) => refunds::show(context, request, refund).await,
        ("GET", ["api", "transfers"]) => transfers::list(context, request).await,
        ("GET", ["api", "transfers", transfer]) => transfers::show(context, request, transfer).await,
        ("POST", ["api", "payment-notices", channel]) => notices::receive(context, request, channel).await,
        ("GET", ["api", "reconciliations"]) => reconciliations::list(context, request).await,
        ("POST", ["api", "reconciliations"]) => reconciliations::run(context, request).await,
        ("GET", ["api", "reconciliations", channel, day]) => reconciliations::show(context, request, (channel, day)).await,
        ("GET", ["api", "ledger", "trial-balance"]) => books::trial_balance(context, request).await,
        ("GET", ["api", "ledger", "accounts"]) => books::accounts(context, request).await,
        ("GET", ["api", "ledger", "accounts", account, "statement"]) => books::statement(context, request, account).await,
        ("GET", ["api", "ledger", "transactions", transaction]) => books::transaction(context, request, transaction).await,
        ("GET", ["api", "ledger", "verification"]) => books::verification(context, request).await,
        ("GET", ["api", "simulated-channel", "behaviour"]) => simulated::behaviour(context, request).await,
        ("PUT", ["api", "simulated-channel", "behaviour"]) => simulated::behave(context, request).await,
        ("POST", ["api", "simulated-channel", "payments", payment]) => simulated::pay(context, request, payment).await,
        ("POST", ["internal", "ticks", "payments"]) => tick(context, request).await,

        (_, ["api", "payments" | "refunds" | "transfers"]) => web::method_not_allowed("GET"),
        (_, ["api", "payments" | "refunds" | "transfers", _]) => web::method_not_allowed("GET"),
        (_, ["api", "payments", _, "attempts"]) => web::method_not_allowed("POST"),
        (_, ["api", "payment-notices", _]) => web::method_not_allowed("POST"),
        (_, ["api", "reconciliations"]) => web::method_not_allowed("GET, POST"),
        (_, ["api", "reconciliations", _, _]) => web::method_not_allowed("GET"),
        (_, ["api", "ledger", "trial-balance" | "accounts" | "verification"]) => web::method_not_allowed("GET"),
        (_, ["api", "ledger", "accounts", _, "statement"]) => web::method_not_allowed("GET"),
        (_, ["api", "ledger", "transactions", _]) => web::method_not_allowed("GET"),
        (_, ["api", "simulated-channel", "behaviour"]) => web::method_not_allowed("GET, PUT"),
        (_, ["api", "simulated-channel", "payments", _]) => web::method_not_allowed("POST"),
        (_, ["internal", "ticks", "payments"]) => web::method_not_allowed("POST"),
        _ => web::unknown_route(),
    }
}

async fn tick(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    web::internal(request, &context.internal_token)?;
    Ok(Reply::ok(&cron::tick(context).await?))
}

/// Who is calling.
fn caller(context: &Context, request: &Request) -> Result<Actor, Refusal> {
    web::actor(request, &context.token_secret, context.now)
}
