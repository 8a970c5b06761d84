//! The routes: one `match`, an arm a function. The functions stand in the files of their nouns.

mod application_sessions;
mod applications;
mod audit;
mod broker;
mod codes;
mod consents;
mod device_sessions;
mod devices;
mod feedback;
mod form;
mod people;
mod rights;
mod roles;
mod sessions;
mod tenants;
mod tokens;

use kernel::{Actor, Message, Refusal, RefusalKind, TenantId};
use serde::Deserialize;
use store::{Answer, Ask, Tx, once};
use web::{Reply, Request, name_of, path_id};
use writing::{answer, replied};

use crate::context::Context;
use crate::domain::session_ended;
use crate::{cron, store as sql};

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
        ("POST", ["api", "sessions"]) => sessions::open(context, request).await,
        ("GET", ["api", "sessions"]) => sessions::list(context, request).await,
        ("POST", ["api", "sessions", "refresh"]) => sessions::refresh(context, request).await,
        ("GET", ["api", "sessions", "current"]) => sessions::current(context, request).await,
        ("DELETE", ["api", "sessions", "current"]) => sessions::sign_out(context, request).await,
        ("DELETE", ["api", "sessions", session]) => sessions::revoke(context, request, session).await,
        ("POST", ["api", "codes"]) => codes::send(context, request).await,
        ("POST", ["api", "registrations"]) => codes::register(context, request).await,
        ("POST", ["api", "device-sessions"]) => device_sessions::open(context, request).await,
        ("POST", ["api", "people"]) => people::register(context, request).await,
        ("GET", ["api", "people"]) => people::list(context, request).await,
        ("GET", ["api", "people", person]) => people::show(context, request, person).await,
        ("PATCH", ["api", "people", person]) => people::change(context, request, person).await,
        ("POST", ["api", "people", person, "password"]) => people::set_password(context, request, person).await,
        ("DELETE", ["api", "people", person]) => rights::erase(context, request, person).await,
        ("GET", ["api", "people", person, "export"]) => rights::export(context, request, person).await,
        ("PUT", ["api", "people", person, "phone"]) => rights::set_phone(context, request, person).await,
        ("DELETE", ["api", "people", person, "sessions"]) => sessions::revoke_all(context, request, person).await,
        ("GET", ["api", "people", person, "roles"]) => roles::show_of(context, request, person).await,
        ("PUT", ["api", "people", person, "roles"]) => roles::assign(context, request, person).await,
        ("POST", ["api", "roles"]) => roles::define(context, request).await,
        ("GET", ["api", "roles"]) => roles::list(context, request).await,
        ("GET", ["api", "roles", role]) => roles::show(context, request, role).await,
        ("PUT", ["api", "roles", role]) => roles::change(context, request, role).await,
        ("DELETE", ["api", "roles", role]) => roles::delete(context, request, role).await,
        ("POST", ["api", "applications"]) => applications::register(context, request).await,
        ("GET", ["api", "applications"]) => applications::list(context, request).await,
        ("GET", ["api", "applications", application]) => applications::show(context, request, application).await,
        ("PATCH", ["api", "applications", application]) => applications::change(context, request, application).await,
        ("POST", ["api", "applications", application, "keys"]) => applications::issue_key(context, request, application).await,
        ("DELETE", ["api", "applications", application, "keys", key]) => applications::end_key(context, request, (application, key)).await,
        ("POST", ["api", "application-sessions"]) => application_sessions::open(context, request).await,
        ("POST", ["api", "consents"]) => consents::publish(context, request).await,
        ("GET", ["api", "consents"]) => consents::list(context, request).await,
        ("PUT", ["api", "consents", purpose]) => consents::give(context, request, purpose).await,
        ("DELETE", ["api", "consents", purpose]) => consents::withdraw(context, request, purpose).await,
        ("POST", ["api", "feedback"]) => feedback::give(context, request).await,
        ("GET", ["api", "feedback"]) => feedback::list(context, request).await,
        ("GET", ["api", "feedback", feedback]) => feedback::show(context, request, feedback).await,
        ("POST", ["api", "feedback", feedback, "answer"]) => feedback::reply(context, request, feedback).await,
        ("GET", ["api", "audit"]) => audit::list(context, request).await,
        ("POST", ["api", "devices"]) => devices::register(context, request).await,
        ("GET", ["api", "devices"]) => devices::list(context, request).await,
        ("GET", ["api", "devices", device]) => devices::show(context, request, device).await,
        ("POST", ["api", "devices", device, "credentials"]) => devices::rotate(context, request, device).await,
        ("PUT", ["api", "devices", gateway, "children", kind, child]) => devices::assign(context, request, gateway, (kind, child)).await,
        ("GET", ["internal", "inbox"]) => codes::inbox(context, request).await,
        ("POST", ["internal", "ticks", "identity"]) => tick(context, request).await,
        ("POST", ["internal", "tenants"]) => tenants::found(context, request).await,
        ("POST", ["internal", "mqtt", "authentication"]) => broker::authentication(context, request).await,
        ("POST", ["internal", "mqtt", "authorization"]) => broker::authorization(context, request).await,
        (_, path) => other_method(path),
    }
}

/// The methods that a path knows, for whoever asks with another one.
#[rustfmt::skip]
fn other_method(path: &[&str]) -> anyhow::Result<Reply> {
    match path {
        ["api", "sessions" | "people" | "devices" | "roles" | "applications" | "consents" | "feedback"] => web::method_not_allowed("GET, POST"),
        ["api", "sessions", "refresh"] => web::method_not_allowed("POST"),
        ["api", "sessions", "current"] => web::method_not_allowed("DELETE, GET"),
        ["api", "sessions", _] => web::method_not_allowed("DELETE"),
        ["api", "codes" | "registrations" | "device-sessions" | "application-sessions"] => web::method_not_allowed("POST"),
        ["api", "people", _] => web::method_not_allowed("DELETE, GET, PATCH"),
        ["api", "people", _, "password"] => web::method_not_allowed("POST"),
        ["api", "people", _, "export"] => web::method_not_allowed("GET"),
        ["api", "people", _, "phone"] => web::method_not_allowed("PUT"),
        ["api", "people", _, "sessions"] => web::method_not_allowed("DELETE"),
        ["api", "people", _, "roles"] => web::method_not_allowed("GET, PUT"),
        ["api", "roles", _] => web::method_not_allowed("DELETE, GET, PUT"),
        ["api", "applications", _] => web::method_not_allowed("GET, PATCH"),
        ["api", "applications", _, "keys"] => web::method_not_allowed("POST"),
        ["api", "applications", _, "keys", _] => web::method_not_allowed("DELETE"),
        ["api", "consents", _] => web::method_not_allowed("DELETE, PUT"),
        ["api", "feedback", _] => web::method_not_allowed("GET"),
        ["api", "feedback", _, "answer"] => web::method_not_allowed("POST"),
        ["api", "audit"] => web::method_not_allowed("GET"),
        ["api", "devices", _] => web::method_not_allowed("GET"),
        ["api", "devices", _, "credentials"] => web::method_not_allowed("POST"),
        ["api", "devices", _, "children", _, _] => web::method_not_allowed("PUT"),
        ["internal", "inbox"] => web::method_not_allowed("GET"),
        ["internal", "ticks", "identity"] => web::method_not_allowed("POST"),
        ["internal", "tenants"] => web::method_not_allowed("POST"),
        ["internal", "mqtt", "authentication" | "authorization"] => web::method_not_allowed("POST"),
        _ => web::unknown_route(),
    }
}

async fn tick(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    web::internal(request, &context.internal_token)?;
    Ok(Reply::ok(&cron::tick(context).await?))
}

/// Who is calling. A token outlives the moment at which its person was disabled or its session ended; here, where people
/// and credentials are made, it does not help any more.
async fn caller(context: &Context, request: &Request) -> anyhow::Result<Actor> {
    let (actor, _) = caller_in_session(context, request).await?;
    Ok(actor)
}

/// Who is calling, and in which session, as [`caller`].
async fn caller_in_session(
    context: &Context,
    request: &Request,
) -> anyhow::Result<(Actor, Option<String>)> {
    let (actor, session) = web::actor_in_session(request, &context.token_secret, context.now)?;
    let person = sql::person(&context.db, &actor.tenant, &actor.id, context.now).await?;
    if person.is_some_and(|person| person.disabled && person.kind == actor.kind) {
        let message = Message::new(
            "This account is disabled. Ask your property office.",
            "该账号已停用，请联系物业。",
        );
        return Err(Refusal::new(RefusalKind::Unauthenticated, "person_disabled", message).into());
    }
    if let Some(id) = &session {
        let lasting = sql::session(&context.db, &actor.tenant, id)
            .await?
            .filter(|session| session.lasts(context.now) && session.person == actor.id);
        lasting.ok_or_else(session_ended)?;
    }
    Ok((actor, session))
}

/// Runs `work` in a transaction of the tenant; under the caller's Idempotency-Key it has its effect once, and its
/// first answer is given again. Bodies here hold passwords, so only a keyed fingerprint of them is kept.
async fn write(
    context: &Context,
    request: &Request,
    (tenant, caller): (&TenantId, &str),
    work: impl AsyncFn(&mut Tx) -> anyhow::Result<Answer>,
) -> anyhow::Result<Answer> {
    let asked = match web::idempotency(request)? {
        None => None,
        Some(asked) => {
            let [method, target, body] = asked.content;
            Some(Ask::new(
                caller,
                asked.key,
                &[method, target, &context.key.fingerprint(body)?],
            )?)
        }
    };
    once(&context.db, tenant, (asked.as_ref(), context.now), work).await
}

/// A text of the wire that is read as a type of the domain.
#[derive(Deserialize)]
#[serde(
    try_from = "String",
    bound(deserialize = "T: TryFrom<String>, T::Error: std::fmt::Display")
)]
struct Text<T>(T);

impl<T: TryFrom<String>> TryFrom<String> for Text<T> {
    type Error = T::Error;
    fn try_from(text: String) -> Result<Self, T::Error> {
        T::try_from(text).map(Self)
    }
}
