//! The routes: one `match`, an arm a function. The functions stand in the files of their nouns.

mod deposits;
mod form;
mod payments;
mod platform;
mod reports;
mod runs;
mod statements;
mod withdrawals;

use kernel::{Actor, Refusal};
use web::{Reply, Request, path_id, private};
use writing::{answer, replied, stored, write, write_once};

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
        ("POST", ["api", "settlements", "runs"]) => runs::start(context, request).await,
        ("GET", ["api", "settlements", "runs"]) => runs::list(context, request).await,
        ("GET", ["api", "settlements", "runs", run]) => runs::show(context, request, run).await,
        ("POST", ["api", "settlements", "runs", run, "steps"]) => runs::go_on(context, request, run).await,
        ("GET", ["api", "settlements", "terms"]) => reports::show_terms(context, request).await,
        ("PUT", ["api", "settlements", "terms"]) => reports::change_terms(context, request).await,
        ("POST", ["api", "settlements", "adjustments"]) => runs::adjust(context, request).await,
        ("GET", ["api", "settlements", "alarms"]) => reports::alarms(context, request).await,
        ("GET", ["api", "settlements", "revenue"]) => reports::revenue(context, request).await,
        ("GET", ["api", "settlements", "finances", merchant]) => reports::finances(context, request, merchant).await,
        ("POST", ["api", "settlements", "payments"]) => payments::pay(context, request).await,
        ("GET", ["api", "settlements", "payments"]) => payments::list(context, request).await,
        ("GET", ["api", "settlements", "payments", payment]) => payments::show(context, request, payment).await,
        ("GET", ["api", "statements"]) => statements::list(context, request).await,
        ("GET", ["api", "statements", statement]) => statements::show(context, request, statement).await,
        ("GET", ["api", "statements", statement, "lines"]) => statements::lines(context, request, statement).await,
        ("GET", ["api", "statements", statement, "export"]) => statements::export(context, request, statement).await,
        ("POST", ["api", "statements", statement, "confirmation"]) => statements::confirm(context, request, statement).await,
        ("POST", ["api", "statements", statement, "objections"]) => statements::object(context, request, statement).await,
        ("GET", ["api", "statements", statement, "objections"]) => statements::objections(context, request, statement).await,
        ("POST", ["api", "statements", statement, "objections", line, "decision"]) => statements::decide(context, request, (statement, line)).await,
        ("GET", ["api", "deposits"]) => deposits::list(context, request).await,
        ("GET", ["api", "deposits", merchant]) => deposits::show(context, request, merchant).await,
        ("POST", ["api", "deposits", merchant, "payments"]) => deposits::pay(context, request, merchant).await,
        ("POST", ["api", "deposits", merchant, "refund"]) => deposits::ask_back(context, request, merchant).await,
        ("POST", ["api", "deposits", merchant, "refund", "decision"]) => deposits::decide(context, request, merchant).await,
        ("POST", ["api", "platform-accounts"]) => platform::open(context, request).await,
        ("GET", ["api", "platform-accounts"]) => platform::list(context, request).await,
        ("GET", ["api", "platform-accounts", account]) => platform::show(context, request, account).await,
        ("PUT", ["api", "platform-accounts", account]) => platform::change(context, request, account).await,
        ("POST", ["api", "platform-accounts", account, "recharges"]) => platform::recharge(context, request, account).await,
        ("GET", ["api", "platform-accounts", account, "charges"]) => platform::charges(context, request, account).await,
        ("POST", ["api", "withdrawals"]) => withdrawals::ask(context, request).await,
        ("GET", ["api", "withdrawals"]) => withdrawals::list(context, request).await,
        ("GET", ["api", "withdrawals", withdrawal]) => withdrawals::show(context, request, withdrawal).await,
        ("POST", ["api", "withdrawals", withdrawal, "review"]) => withdrawals::review(context, request, withdrawal).await,
        ("POST", ["api", "withdrawals", withdrawal, "cancellation"]) => withdrawals::cancel(context, request, withdrawal).await,
        ("POST", ["api", "withdrawals", withdrawal, "transfer"]) => withdrawals::record(context, request, withdrawal).await,
        ("POST", ["internal", "ticks", "settlement"]) => tick(context, request).await,

        (_, ["api", "settlements", "runs" | "payments"]) => web::method_not_allowed("GET, POST"),
        (_, ["api", "settlements", "runs" | "payments", _]) => web::method_not_allowed("GET"),
        (_, ["api", "settlements", "runs", _, "steps"]) => web::method_not_allowed("POST"),
        (_, ["api", "settlements", "terms"]) => web::method_not_allowed("GET, PUT"),
        (_, ["api", "settlements", "adjustments"]) => web::method_not_allowed("POST"),
        (_, ["api", "settlements", "alarms" | "revenue"]) => web::method_not_allowed("GET"),
        (_, ["api", "settlements", "finances", _]) => web::method_not_allowed("GET"),
        (_, ["api", "statements" | "deposits"]) => web::method_not_allowed("GET"),
        (_, ["api", "statements" | "deposits" | "withdrawals", _]) => web::method_not_allowed("GET"),
        (_, ["api", "statements", _, "lines" | "export"]) => web::method_not_allowed("GET"),
        (_, ["api", "statements", _, "confirmation"]) => web::method_not_allowed("POST"),
        (_, ["api", "statements", _, "objections"]) => web::method_not_allowed("GET, POST"),
        (_, ["api", "statements", _, "objections", _, "decision"]) => web::method_not_allowed("POST"),
        (_, ["api", "deposits", _, "payments" | "refund"]) => web::method_not_allowed("POST"),
        (_, ["api", "deposits", _, "refund", "decision"]) => web::method_not_allowed("POST"),
        (_, ["api", "platform-accounts" | "withdrawals"]) => web::method_not_allowed("GET, POST"),
        (_, ["api", "platform-accounts", _]) => web::method_not_allowed("GET, PUT"),
        (_, ["api", "platform-accounts", _, "recharges"]) => web::method_not_allowed("POST"),
        (_, ["api", "platform-accounts", _, "charges"]) => web::method_not_allowed("GET"),
        (_, ["api", "withdrawals", _, "review" | "cancellation" | "transfer"]) => web::method_not_allowed("POST"),
        (_, ["internal", "ticks", "settlement"]) => web::method_not_allowed("POST"),
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
