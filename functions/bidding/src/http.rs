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

use kernel::{Actor, Refusal};
use web::{Reply, Request, path_id};
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
