//! The routes: one `match`, an arm a function. The functions stand in the files of their nouns.

mod audiences;
mod consents;
mod devices;
mod form;
mod inbox;
mod messages;
mod notes;
mod orders;
mod people;
mod plans;
mod quota;
mod receipts;
mod reports;
mod stops;
mod templates;
mod terms;
mod topics;
mod webhooks;

use kernel::{Actor, Refusal};
use web::{Reply, Request, path_id, private};
use writing::{answer, id_of, replied, stored, write, write_once};

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

async fn route(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    match web::segments(request).as_slice() {
        ["api", "push", ..] => of_people(context, request).await,
        _ => of_others(context, request).await,
    }
}

/// What people are reached on, what they agree to, and what is known of them.
#[rustfmt::skip]
async fn of_people(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    match (request.method().as_str(), web::segments(request).as_slice()) {
        ("GET", ["api", "push", "keys"]) => devices::keys(context, request).await,
        ("POST", ["api", "push", "devices"]) => devices::register(context, request).await,
        ("GET", ["api", "push", "devices"]) => devices::list(context, request).await,
        ("GET", ["api", "push", "devices", device]) => devices::show(context, request, device).await,
        ("DELETE", ["api", "push", "devices", device]) => devices::remove(context, request, device).await,
        ("GET", ["api", "push", "devices", device, "deliveries"]) => devices::deliveries(context, request, device).await,
        ("GET", ["api", "push", "preferences"]) => people::preferences(context, request).await,
        ("PUT", ["api", "push", "preferences"]) => people::prefer(context, request).await,
        ("GET", ["api", "push", "people", person]) => people::show(context, request, person).await,
        ("PUT", ["api", "push", "people", person]) => people::describe(context, request, person).await,
        ("POST", ["api", "push", "consents"]) => consents::say(context, request).await,
        ("GET", ["api", "push", "consents"]) => consents::list(context, request).await,
        ("GET", ["api", "push", "consents", "history"]) => consents::history(context, request).await,
        ("POST", ["api", "push", "templates"]) => templates::add(context, request).await,
        ("GET", ["api", "push", "templates"]) => templates::list(context, request).await,
        ("GET", ["api", "push", "templates", template]) => templates::show(context, request, template).await,
        ("PUT", ["api", "push", "templates", template]) => templates::change(context, request, template).await,
        (_, ["api", "push", "keys"]) => web::method_not_allowed("GET"),
        (_, ["api", "push", "consents" | "devices" | "templates"]) => web::method_not_allowed("GET, POST"),
        (_, ["api", "push", "devices", _]) => web::method_not_allowed("DELETE, GET"),
        (_, ["api", "push", "devices", _, "deliveries"]) => web::method_not_allowed("GET"),
        (_, ["api", "push", "preferences"]) => web::method_not_allowed("GET, PUT"),
        (_, ["api", "push", "people" | "templates", _]) => web::method_not_allowed("GET, PUT"),
        (_, ["api", "push", "consents", "history"]) => web::method_not_allowed("GET"),
        _ => of_messages(context, request).await,
    }
}

/// What is told: messages, plans, paid pushes, topics.
#[rustfmt::skip]
async fn of_messages(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    match (request.method().as_str(), web::segments(request).as_slice()) {
        ("POST", ["api", "push", "audiences"]) => audiences::count(context, request).await,
        ("POST", ["api", "push", "messages"]) => messages::send(context, request).await,
        ("GET", ["api", "push", "messages"]) => messages::list(context, request).await,
        ("GET", ["api", "push", "messages", message]) => messages::show(context, request, message).await,
        ("GET", ["api", "push", "messages", message, "deliveries"]) => messages::deliveries(context, request, message).await,
        ("POST", ["api", "push", "messages", message, "cancellation"]) => messages::cancel(context, request, message).await,
        ("POST", ["api", "push", "messages", message, "conversions"]) => messages::convert(context, request, message).await,
        ("GET", ["api", "push", "statistics"]) => reports::statistics(context, request).await,
        ("GET", ["api", "push", "terms"]) => terms::show(context, request).await,
        ("PUT", ["api", "push", "terms"]) => terms::change(context, request).await,
        ("POST", ["api", "push", "plans"]) => plans::add(context, request).await,
        ("GET", ["api", "push", "plans"]) => plans::list(context, request).await,
        ("GET", ["api", "push", "plans", plan]) => plans::show(context, request, plan).await,
        ("PUT", ["api", "push", "plans", plan]) => plans::change(context, request, plan).await,
        ("GET", ["api", "push", "plans", plan, "runs"]) => plans::runs(context, request, plan).await,
        ("POST", ["api", "push", "orders"]) => orders::draft(context, request).await,
        ("GET", ["api", "push", "orders"]) => orders::list(context, request).await,
        ("GET", ["api", "push", "orders", order]) => orders::show(context, request, order).await,
        ("PUT", ["api", "push", "orders", order]) => orders::change(context, request, order).await,
        ("POST", ["api", "push", "orders", order, "quote"]) => orders::quote(context, request, order).await,
        ("POST", ["api", "push", "orders", order, "payment"]) => orders::pay(context, request, order).await,
        ("POST", ["api", "push", "orders", order, "review"]) => orders::review(context, request, order).await,
        ("POST", ["api", "push", "orders", order, "cancellation"]) => orders::cancel(context, request, order).await,
        ("POST", ["api", "push", "topics"]) => topics::add(context, request).await,
        ("GET", ["api", "push", "topics"]) => topics::list(context, request).await,
        ("DELETE", ["api", "push", "topics", topic]) => topics::remove(context, request, topic).await,
        ("POST", ["api", "push", "topics", topic, "key"]) => topics::change_key(context, request, topic).await,
        ("POST", ["api", "push", "receipts"]) => receipts::tell(context, request).await,
        (_, ["api", "push", "statistics"]) => web::method_not_allowed("GET"),
        (_, ["api", "push", "messages" | "orders" | "plans" | "topics"]) => web::method_not_allowed("GET, POST"),
        (_, ["api", "push", "messages", _, "deliveries"]) => web::method_not_allowed("GET"),
        (_, ["api", "push", "terms"]) => web::method_not_allowed("GET, PUT"),
        (_, ["api", "push", "orders" | "plans", _]) => web::method_not_allowed("GET, PUT"),
        (_, ["api", "push", "audiences" | "receipts"]) => web::method_not_allowed("POST"),
        (_, ["api", "push", "messages", _]) => web::method_not_allowed("GET"),
        (_, ["api", "push", "messages", _, "cancellation" | "conversions"]) => web::method_not_allowed("POST"),
        (_, ["api", "push", "plans", _, "runs"]) => web::method_not_allowed("GET"),
        (_, ["api", "push", "orders", _, "quote" | "payment" | "review" | "cancellation"]) => web::method_not_allowed("POST"),
        (_, ["api", "push", "topics", _]) => web::method_not_allowed("DELETE"),
        (_, ["api", "push", "topics", _, "key"]) => web::method_not_allowed("POST"),
        _ => web::unknown_route(),
    }
}

/// The inbox, webhooks, stop links, topics as clients of ntfy see them.
#[rustfmt::skip]
async fn of_others(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    match (request.method().as_str(), web::segments(request).as_slice()) {
        ("GET", ["api", "inbox"]) => inbox::list(context, request).await,
        ("GET", ["api", "inbox", "unread"]) => inbox::unread(context, request).await,
        ("POST", ["api", "inbox", "reads"]) => inbox::read_all(context, request).await,
        ("GET", ["api", "inbox", item]) => inbox::show(context, request, item).await,
        ("POST", ["api", "inbox", item, "read"]) => inbox::read(context, request, item).await,
        ("POST", ["api", "webhooks"]) => webhooks::add(context, request).await,
        ("GET", ["api", "webhooks"]) => webhooks::list(context, request).await,
        ("GET", ["api", "webhooks", webhook]) => webhooks::show(context, request, webhook).await,
        ("PUT", ["api", "webhooks", webhook]) => webhooks::change(context, request, webhook).await,
        ("DELETE", ["api", "webhooks", webhook]) => webhooks::remove(context, request, webhook).await,
        ("POST", ["api", "webhooks", webhook, "secret"]) => webhooks::rotate(context, request, webhook).await,
        ("GET", ["api", "webhooks", webhook, "deliveries"]) => webhooks::deliveries(context, request, webhook).await,
        ("POST", ["api", "webhooks", webhook, "deliveries", delivery, "replay"]) => webhooks::replay(context, request, (webhook, delivery)).await,
        ("GET", ["api", "unsubscriptions", token]) => stops::show(context, request, token).await,
        ("POST", ["api", "unsubscriptions", token]) => stops::stop(context, request, token).await,
        ("GET", ["n", "v1", "health"]) => notes::health(),
        ("POST", [""]) => notes::publish_json(context, request).await,
        ("PUT", [""]) => notes::publish_json(context, request).await,
        ("POST", ["n"]) => notes::publish_json(context, request).await,
        ("POST", ["n", ""]) => notes::publish_json(context, request).await,
        ("PUT", ["n"]) => notes::publish_json(context, request).await,
        ("PUT", ["n", ""]) => notes::publish_json(context, request).await,
        ("POST", ["n", topic]) => notes::publish(context, request, topic).await,
        ("PUT", ["n", topic]) => notes::publish(context, request, topic).await,
        ("GET", ["n", topic, "json"]) => notes::poll(context, request, topic).await,
        ("GET", ["n", topic, "auth"]) => notes::auth(context, request, topic).await,
        ("POST", ["internal", "ticks", "push"]) => tick(context, request).await,
        (_, ["api", "inbox"]) => web::method_not_allowed("GET"),
        (_, ["api", "inbox", "reads"]) => web::method_not_allowed("POST"),
        (_, ["api", "inbox", _]) => web::method_not_allowed("GET"),
        (_, ["api", "inbox", _, "read"]) => web::method_not_allowed("POST"),
        (_, ["api", "webhooks"]) => web::method_not_allowed("GET, POST"),
        (_, ["api", "webhooks", _]) => web::method_not_allowed("DELETE, GET, PUT"),
        (_, ["api", "webhooks", _, "secret"]) => web::method_not_allowed("POST"),
        (_, ["api", "webhooks", _, "deliveries"]) => web::method_not_allowed("GET"),
        (_, ["api", "webhooks", _, "deliveries", _, "replay"]) => web::method_not_allowed("POST"),
        (_, ["api", "unsubscriptions", _]) => web::method_not_allowed("GET, POST"),
        (_, ["internal", "ticks", "push"]) => web::method_not_allowed("POST"),
        (_, [""]) => web::method_not_allowed("POST, PUT"),
        (_, ["n", ..]) => notes::not_found(),
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
