//! The routes: one `match`, an arm a function. The functions stand in the files of their nouns.

mod applications;
mod categories;
mod contracts;
mod decisions;
mod members;
mod merchants;
mod previews;
mod profiles;
mod qualifications;
mod registrations;
mod requests;
mod rules;
mod shown;

use kernel::{Actor, Refusal};
use web::{Reply, Request, path_id, private};
use writing::{answer, replied, stored, write};

use crate::context::Context;
use crate::cron;

/// The largest body with a file in it, in bytes: the file in base64, and what is said of it.
pub const FILE_BODY_BYTES_MAX: usize = 720 * 1024;

/// The HTTP trigger.
#[cfg(target_family = "wasm")]
pub(crate) async fn serve(incoming: spin_sdk::http::Request) -> Reply {
    let request = match web::read_up_to(incoming, bytes_max).await {
        Ok(request) => request,
        Err(reply) => return reply,
    };
    match Context::open().await {
        Ok(context) => respond(&context, &request).await,
        Err(error) => web::answer(&request, Err(error)),
    }
}

/// How many bytes of a body are read.
#[must_use]
pub fn bytes_max(head: &Request) -> usize {
    match web::segments(head).as_slice() {
        ["api", _, _, "qualifications"] => FILE_BODY_BYTES_MAX,
        _ => web::BODY_BYTES_MAX,
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
        ("POST", ["api", "merchant-applications"]) => applications::begin(context, request).await,
        ("GET", ["api", "merchant-applications"]) => applications::list(context, request).await,
        ("GET", ["api", "merchant-applications", application]) => applications::show(context, request, application).await,
        ("PUT", ["api", "merchant-applications", application]) => applications::change(context, request, application).await,
        ("POST", ["api", "merchant-applications", application, "qualifications"]) => applications::hand_in(context, request, application).await,
        ("GET", ["api", "merchant-applications", application, "qualifications", qualification]) => applications::file(context, request, (application, qualification)).await,
        ("POST", ["api", "merchant-applications", application, "submission"]) => applications::submit(context, request, application).await,
        ("POST", ["api", "merchant-applications", application, "withdrawal"]) => applications::withdraw(context, request, application).await,
        ("POST", ["api", "merchant-applications", application, "decision"]) => decisions::decide(context, request, application).await,
        ("POST", ["api", "merchant-registrations"]) => registrations::begin(context, request).await,
        ("GET", ["api", "merchant-registrations", token]) => registrations::show(context, token).await,
        ("PUT", ["api", "merchant-registrations", token]) => registrations::change(context, request, token).await,
        ("POST", ["api", "merchant-registrations", token, "qualifications"]) => registrations::hand_in(context, request, token).await,
        ("POST", ["api", "merchant-registrations", token, "submission"]) => registrations::submit(context, request, token).await,
        ("GET", ["api", "merchants"]) => merchants::list(context, request).await,
        ("GET", ["api", "merchants", merchant]) => merchants::show(context, request, merchant).await,
        ("PUT", ["api", "merchants", merchant]) => profiles::change(context, request, merchant).await,
        ("PUT", ["api", "merchants", merchant, "opening"]) => profiles::open(context, request, merchant).await,
        ("PUT", ["api", "merchants", merchant, "state"]) => merchants::set_state(context, request, merchant).await,
        ("PUT", ["api", "merchants", merchant, "mode"]) => merchants::set_mode(context, request, merchant).await,
        ("PUT", ["api", "merchants", merchant, "categories"]) => merchants::set_categories(context, request, merchant).await,
        ("GET", ["api", "merchants", merchant, "edits"]) => merchants::edits(context, request, merchant).await,
        ("GET", ["api", "merchants", merchant, "members"]) => members::list(context, request, merchant).await,
        ("POST", ["api", "merchants", merchant, "members"]) => members::add(context, request, merchant).await,
        ("DELETE", ["api", "merchants", merchant, "members", member]) => members::remove(context, request, (merchant, member)).await,
        ("GET", ["api", "merchants", merchant, "qualifications"]) => qualifications::list(context, request, merchant).await,
        ("POST", ["api", "merchants", merchant, "qualifications"]) => qualifications::hand_in(context, request, merchant).await,
        ("GET", ["api", "merchants", merchant, "qualifications", qualification]) => qualifications::file(context, request, (merchant, qualification)).await,
        ("POST", ["api", "merchants", merchant, "qualifications", qualification, "decision"]) => qualifications::decide(context, request, (merchant, qualification)).await,
        ("POST", ["api", "merchant-change-requests"]) => requests::ask(context, request).await,
        ("GET", ["api", "merchant-change-requests"]) => requests::list(context, request).await,
        ("GET", ["api", "merchant-change-requests", change]) => requests::show(context, request, change).await,
        ("POST", ["api", "merchant-change-requests", change, "answer"]) => requests::answer_it(context, request, change).await,
        ("POST", ["api", "merchant-contracts"]) => contracts::agree(context, request).await,
        ("GET", ["api", "merchant-contracts"]) => contracts::list(context, request).await,
        ("GET", ["api", "merchant-contracts", merchant]) => contracts::show(context, request, merchant).await,
        ("POST", ["api", "categories"]) => categories::add(context, request).await,
        ("GET", ["api", "categories"]) => categories::list(context, request).await,
        ("GET", ["api", "categories", category]) => categories::show(context, request, category).await,
        ("PUT", ["api", "categories", category]) => categories::change(context, request, category).await,
        ("DELETE", ["api", "categories", category]) => categories::remove(context, request, category).await,
        ("POST", ["api", "commission-rules"]) => rules::add(context, request).await,
        ("GET", ["api", "commission-rules"]) => rules::list(context, request).await,
        ("POST", ["api", "commission-rules", "previews"]) => previews::preview(context, request).await,
        ("GET", ["api", "commission-rules", rule]) => rules::show(context, request, rule).await,
        ("PUT", ["api", "commission-rules", rule]) => rules::change(context, request, rule).await,
        ("DELETE", ["api", "commission-rules", rule]) => rules::withdraw(context, request, rule).await,
        ("POST", ["internal", "ticks", "merchants"]) => tick(context, request).await,
        (_, path) => other_method(path),
    }
}

/// What the path knows, when it is not the method that was asked with.
#[rustfmt::skip]
fn other_method(path: &[&str]) -> anyhow::Result<Reply> {
    match path {
        ["api", "merchant-registrations" | "merchants", _] => web::method_not_allowed("GET, PUT"),
        ["api", "merchant-applications", _] => web::method_not_allowed("GET, PUT"),
        ["api", "merchant-applications" | "merchant-change-requests" | "merchant-contracts" | "categories" | "commission-rules"] => web::method_not_allowed("GET, POST"),
        ["api", "merchants"] => web::method_not_allowed("GET"),
        ["api", "merchant-registrations"] => web::method_not_allowed("POST"),
        ["api", "merchant-applications", _, "qualifications" | "submission" | "withdrawal" | "decision"] => web::method_not_allowed("POST"),
        ["api", "merchant-registrations", _, "qualifications" | "submission"] => web::method_not_allowed("POST"),
        ["api", "merchant-applications" | "merchants", _, "qualifications", _] => web::method_not_allowed("GET"),
        ["api", "merchants", _, "opening" | "state" | "mode" | "categories"] => web::method_not_allowed("PUT"),
        ["api", "merchants", _, "edits"] => web::method_not_allowed("GET"),
        ["api", "merchants", _, "members" | "qualifications"] => web::method_not_allowed("GET, POST"),
        ["api", "merchants", _, "members", _] => web::method_not_allowed("DELETE"),
        ["api", "merchants", _, "qualifications", _, "decision"] => web::method_not_allowed("POST"),
        ["api", "merchant-change-requests" | "merchant-contracts", _] => web::method_not_allowed("GET"),
        ["api", "merchant-change-requests", _, "answer"] => web::method_not_allowed("POST"),
        ["api", "commission-rules", "previews"] => web::method_not_allowed("POST"),
        ["api", "categories" | "commission-rules", _] => web::method_not_allowed("DELETE, GET, PUT"),
        ["internal", "ticks", "merchants"] => web::method_not_allowed("POST"),
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
