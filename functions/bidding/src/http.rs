//! The routes: one `match`, an arm a function. The functions stand in the files of their nouns.

mod campaigns;
mod files;
mod forfeits;
mod form;
mod notices;
mod offers;
mod openrtb;
mod previews;
mod rankings;
mod reports;
mod rounds;
mod sealed;

use kernel::{Actor, Message, Refusal, TenantId};
use store::{Answer, Ask, Tx, once, tx};
use web::{Reply, Request, name_of, path_id};

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
        ("POST", ["api", "bidding", "campaigns"]) => campaigns::create(context, request).await,
        ("GET", ["api", "bidding", "campaigns"]) => campaigns::list(context, request).await,
        ("GET", ["api", "bidding", "campaigns", campaign]) => campaigns::show(context, request, campaign).await,
        ("PUT", ["api", "bidding", "campaigns", campaign]) => campaigns::change(context, request, campaign).await,
        ("POST", ["api", "bidding", "campaigns", campaign, "activation"]) => campaigns::activate(context, request, campaign).await,
        ("POST", ["api", "bidding", "campaigns", campaign, "pause"]) => campaigns::pause(context, request, campaign).await,
        ("POST", ["api", "bidding", "campaigns", campaign, "end"]) => campaigns::end(context, request, campaign).await,
        ("GET", ["api", "bidding", "campaigns", campaign, "qualities"]) => reports::qualities(context, request, campaign).await,
        ("GET", ["api", "bidding", "campaigns", campaign, "report"]) => reports::report(context, request, campaign).await,
        ("POST", ["api", "bidding", "rankings"]) => rankings::rank(context, request).await,
        ("POST", ["api", "bidding", "offers", offer, "views"]) => offers::view(context, request, offer).await,
        ("POST", ["api", "bidding", "offers", offer, "clicks"]) => offers::click(context, request, offer).await,
        ("GET", ["api", "bidding", "rounds"]) => rounds::list(context, request).await,
        ("GET", ["api", "bidding", "rounds", round]) => rounds::show(context, request, round).await,
        ("POST", ["api", "bidding", "rounds", round, "replay"]) => rounds::replay(context, request, round).await,
        ("POST", ["api", "bidding", "previews"]) => previews::preview(context, request).await,
        ("POST", ["api", "bidding", "sealed-rounds"]) => sealed::create(context, request).await,
        ("GET", ["api", "bidding", "sealed-rounds"]) => sealed::list(context, request).await,
        ("GET", ["api", "bidding", "sealed-rounds", sealed]) => sealed::show(context, request, sealed).await,
        ("POST", ["api", "bidding", "sealed-rounds", sealed, "bids"]) => sealed::bid(context, request, sealed).await,
        ("POST", ["api", "bidding", "sealed-rounds", sealed, "bids", bid, "refund"]) => sealed::refund(context, request, (sealed, bid)).await,
        ("POST", ["api", "bidding", "sealed-rounds", sealed, "bids", bid, "forfeiture"]) => forfeits::forfeit(context, request, (sealed, bid)).await,
        ("POST", ["api", "bidding", "sealed-rounds", sealed, "bids", bid, "restitution"]) => forfeits::restore(context, request, (sealed, bid)).await,
        ("POST", ["api", "bidding", "sealed-rounds", sealed, "cancellation"]) => sealed::call_off(context, request, sealed).await,
        ("POST", ["openrtb2", "bid"]) => openrtb::bid(context, request).await,
        ("POST", ["openrtb2", "auction"]) => openrtb::auction(context, request).await,
        ("OPTIONS", ["openrtb2", "auction"]) => openrtb::preflight(request),
        ("GET", ["openrtb2", "notices", "wins", token]) => notices::win(context, token),
        ("GET", ["openrtb2", "notices", "billings", token]) => notices::bill(context, request, token).await,
        ("POST", ["openrtb2", "notices", "billings", token]) => notices::bill(context, request, token).await,
        ("GET", ["openrtb2", "notices", "losses", token]) => notices::lose(context, token).await,
        ("GET", ["openrtb2", "notices", "clicks", token]) => notices::follow(context, request, token).await,
        ("GET", ["ads.txt"]) => files::ads(context),
        ("GET", ["sellers.json"]) => files::sellers(context),
        ("POST", ["internal", "ticks", "bidding"]) => tick(context, request).await,

        (_, ["api", "bidding", "campaigns" | "sealed-rounds"]) => web::method_not_allowed("GET, POST"),
        (_, ["api", "bidding", "campaigns", _]) => web::method_not_allowed("GET, PUT"),
        (_, ["api", "bidding", "campaigns", _, "activation" | "pause" | "end"]) => web::method_not_allowed("POST"),
        (_, ["api", "bidding", "campaigns", _, "qualities" | "report"]) => web::method_not_allowed("GET"),
        (_, ["api", "bidding", "rankings" | "previews"]) => web::method_not_allowed("POST"),
        (_, ["api", "bidding", "offers", _, "views" | "clicks"]) => web::method_not_allowed("POST"),
        (_, ["api", "bidding", "rounds"]) => web::method_not_allowed("GET"),
        (_, ["api", "bidding", "rounds" | "sealed-rounds", _]) => web::method_not_allowed("GET"),
        (_, ["api", "bidding", "rounds", _, "replay"]) => web::method_not_allowed("POST"),
        (_, ["api", "bidding", "sealed-rounds", _, "bids" | "cancellation"]) => web::method_not_allowed("POST"),
        (_, ["api", "bidding", "sealed-rounds", _, "bids", _, "refund" | "forfeiture" | "restitution"]) => web::method_not_allowed("POST"),
        (_, ["openrtb2", "bid" | "auction"]) => web::method_not_allowed("POST"),
        (_, ["openrtb2", "notices", "billings", _]) => web::method_not_allowed("GET, POST"),
        (_, ["openrtb2", "notices", "wins" | "losses" | "clicks", _]) => web::method_not_allowed("GET"),
        (_, ["ads.txt" | "sellers.json"]) => web::method_not_allowed("GET"),
        (_, ["internal", "ticks", "bidding"]) => web::method_not_allowed("POST"),
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

/// Runs `work` in a transaction of the tenant; under the caller's Idempotency-Key it has its effect once, and its
/// first answer is given again.
async fn write(
    context: &Context,
    request: &Request,
    (tenant, caller): (&TenantId, &str),
    work: impl AsyncFn(&mut Tx) -> anyhow::Result<Answer>,
) -> anyhow::Result<Answer> {
    let asked = web::idempotency(request)?;
    let asked = asked
        .map(|asked| Ask::new(caller, asked.key, &asked.content))
        .transpose()?;
    tx(&context.db, tenant, async |tx| match &asked {
        None => work(tx).await,
        Some(asked) => once(tx, asked, context.now, async |tx| work(tx).await).await,
    })
    .await
}

/// As [`write`], for what moves money or commits a budget: only under an Idempotency-Key.
async fn write_money(
    context: &Context,
    request: &Request,
    who: (&TenantId, &str),
    work: impl AsyncFn(&mut Tx) -> anyhow::Result<Answer>,
) -> anyhow::Result<Answer> {
    if web::idempotency(request)?.is_none() {
        return Err(Refusal::invalid(
            "idempotency_key_required",
            Message::new(
                "Money moves here: send an Idempotency-Key, so that a repeated request moves it once.",
                "该操作涉及资金，请附带 Idempotency-Key，以免重复执行。",
            ),
        )
        .into());
    }
    write(context, request, who, work).await
}

/// An answer that can be given again: this JSON.
fn answer(status: u16, shown: &impl serde::Serialize) -> anyhow::Result<Answer> {
    Ok(Answer {
        status,
        body: serde_json::to_string(shown)?,
    })
}

/// The reply of a stored answer.
fn replied(answer: &Answer) -> anyhow::Result<Reply> {
    let status = ::http::StatusCode::from_u16(answer.status)?;
    Ok(Reply::with_body(
        status,
        "application/json",
        answer.body.clone().into(),
    ))
}

/// The reply of a stored answer that made something, which from now on stands under `folder`.
fn stored(answer: &Answer, folder: &str) -> anyhow::Result<Reply> {
    #[derive(serde::Deserialize)]
    struct Made {
        id: String,
    }
    let made: Made = serde_json::from_str(&answer.body)?;
    let place = format!("{folder}/{}", made.id);
    Ok(replied(answer)?.with_header(::http::header::LOCATION, &place))
}
