//! `/openrtb2/bid` and `/openrtb2/auction`: requests and answers of OpenRTB 2.6.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL, HeaderName, ORIGIN, VARY,
};
use kernel::{Message, TenantId};
use serde_json::value::RawValue;
use web::{Problem, Query, Reply, Request};

use crate::context::Context;
use crate::exchange::{self, Market, Shape, Sold};
use crate::openrtb::{
    Bid, BidRequest, BidResponse, Film, Loss, Macros, NoBid, PROTOCOL, SeatBid, Shows, banner,
    native, parse, vast, yuan_of_fen,
};

const VERSION: HeaderName = HeaderName::from_static("x-openrtb-version");
const NO_BID: HeaderName = HeaderName::from_static("x-linli-no-bid");
/// The seat under which our own exchange bids: the name that pages know us by.
const SEAT: &str = "linli";

/// As a bidder: an exchange asks.
pub(super) async fn bid(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    version(request)?;
    let tenant = tenant(context, request)?;
    let asked = parse(request.body()).map_err(malformed)?;
    let answered = answer(context, (&tenant, Market::Foreign), &asked).await?;
    let reply = match answered {
        Ok(answer) => Reply::ok(&answer),
        Err(why) => Reply::no_content().with_header(NO_BID, why.as_str()),
    };
    Ok(reply.with_header(VERSION, "2.6"))
}

/// As an exchange: a page asks, through Prebid.js for one.
pub(super) async fn auction(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let tenant = tenant(context, request)?;
    let asked = match parse(request.body()) {
        Ok(asked) => asked,
        Err(error) => {
            let reply = malformed(error).into_reply(request);
            return Ok(shared(request, reply));
        }
    };
    let answered = answer(context, (&tenant, Market::Own), &asked).await?;
    let answer = answered.unwrap_or_else(|why| BidResponse {
        id: asked.id.clone(),
        bidid: String::new(),
        seatbid: Vec::new(),
        cur: "CNY",
        nbr: Some(why.code()),
    });
    let reply = Reply::ok(&answer).with_header(CACHE_CONTROL, "no-store");
    Ok(shared(request, reply.with_header(VERSION, "2.6")))
}

/// A browser asks whether the page may ask.
pub(super) fn preflight(request: &Request) -> anyhow::Result<Reply> {
    let reply = Reply::no_content()
        .with_header(ACCESS_CONTROL_ALLOW_METHODS, "POST, OPTIONS")
        .with_header(
            ACCESS_CONTROL_ALLOW_HEADERS,
            "content-type, x-openrtb-version",
        )
        .with_header(ACCESS_CONTROL_MAX_AGE, "600");
    Ok(shared(request, reply))
}

/// Lets any page read the answer; there are no cookies that it could misuse.
fn shared(request: &Request, reply: Reply) -> Reply {
    let reply = reply.with_header(VARY, "origin");
    let origin = request
        .headers()
        .get(ORIGIN)
        .and_then(|value| value.to_str().ok());
    match origin {
        None => reply,
        Some(origin) => reply
            .with_header(ACCESS_CONTROL_ALLOW_ORIGIN, origin)
            .with_header(ACCESS_CONTROL_ALLOW_CREDENTIALS, "true"),
    }
}

/// Whose advertising is asked for: the tenant that the address names, or the deployment's.
fn tenant(context: &Context, request: &Request) -> Result<TenantId, Problem> {
    let mut query = Query::of(request)?;
    let tenant = query.take("tenant", TenantId::parse)?;
    query.finish()?;
    Ok(tenant.unwrap_or_else(|| context.tenant.clone()))
}

fn version(request: &Request) -> Result<(), Problem> {
    let header = request.headers().get(VERSION);
    match header.map(|value| value.to_str().unwrap_or("")) {
        None => Ok(()),
        Some(version) if version.starts_with("2.") => Ok(()),
        Some(_) => Err(Problem::new(
            http::StatusCode::BAD_REQUEST,
            "openrtb_version_unsupported",
            Message::new(
                "Send OpenRTB 2.6, and say so in x-openrtb-version.",
                "请使用 OpenRTB 2.6，并在 x-openrtb-version 中注明。",
            ),
        )),
    }
}

fn malformed(error: crate::openrtb::RequestError) -> Problem {
    Problem::new(
        http::StatusCode::BAD_REQUEST,
        "bid_request_malformed",
        Message::new(
            format!("This is no bid request of OpenRTB 2.6: {error}."),
            format!("不是有效的 OpenRTB 2.6 竞价请求：{error}。"),
        ),
    )
}

async fn answer(
    context: &Context,
    (tenant, market): (&TenantId, Market),
    asked: &BidRequest,
) -> anyhow::Result<Result<BidResponse, NoBid>> {
    let asks = match exchange::asks(asked, market) {
        Ok(asks) => asks,
        Err(why) => return Ok(Err(why)),
    };
    let sold = exchange::sell(context, (tenant, market), (asked, &asks)).await?;
    if sold.is_empty() {
        return Ok(Err(NoBid::Nobody));
    }
    let bidid = web::new_id(context.now)?;
    let mut seats: Vec<SeatBid> = Vec::new();
    for sold in sold {
        let seat = match market {
            Market::Own => SEAT.to_owned(),
            Market::Foreign => sold.shown.offer.merchant.to_string(),
        };
        let mut bid = made(context, tenant, &sold)?;
        if market == Market::Own {
            settled(&mut bid, (&asked.id, &bidid, &seat));
        }
        match seats.iter_mut().find(|known| known.seat == seat) {
            Some(known) => known.bid.push(bid),
            None => seats.push(SeatBid {
                seat,
                bid: vec![bid],
            }),
        }
    }
    Ok(Ok(BidResponse {
        id: asked.id.clone(),
        bidid,
        seatbid: seats,
        cur: "CNY",
        nbr: None,
    }))
}

/// A bid with the macros that the exchange replaces.
fn made(context: &Context, tenant: &TenantId, sold: &Sold<'_>) -> anyhow::Result<Bid> {
    let Sold { ask, shown } = sold;
    let (offer, what) = (&shown.offer, &shown.what);
    let token = context.signer.token(tenant, &offer.id)?;
    let notices = format!("{}/openrtb2/notices", context.public_url);
    let click = format!("{notices}/clicks/{token}");
    let shows = Shows {
        image: what.image.as_deref(),
        title: &what.title,
        advertiser: &what.advertiser,
        click: &click,
        size: (what.width, what.height),
    };
    let burl = format!(
        "{notices}/billings/{token}?price=${{AUCTION_PRICE}}&currency=${{AUCTION_CURRENCY}}&views={}",
        ask.views_millionths
    );
    let film = Film {
        id: offer.creative.as_str(),
        url: what.video.as_deref().unwrap_or(""),
        millis: what.video_ms,
        begun: &burl,
    };
    let (adm, mtype, kind) = match &ask.shape {
        Shape::Banner => (banner(&shows), 1, "banner"),
        Shape::Video => (vast(&film, &shows), 2, "video"),
        Shape::Native(assets) => (
            native(assets, (&what.title, &what.body), &shows),
            4,
            "native",
        ),
    };
    let (has_size, is_video) = (mtype != 4, mtype == 2);
    let dur = is_video.then(|| film.seconds());
    let domain = Some(what.advertiser_domain.clone()).filter(|domain| !domain.is_empty());
    Ok(Bid {
        id: offer.id.to_string(),
        impid: ask.imp.id.clone(),
        price: RawValue::from_string(yuan_of_fen(what.price_minor))?,
        adid: offer.creative.to_string(),
        crid: offer.creative.to_string(),
        cid: offer.campaign.to_string(),
        adomain: domain.into_iter().collect(),
        nurl: format!("{notices}/wins/{token}"),
        burl,
        lurl: format!("{notices}/losses/{token}?reason=${{AUCTION_LOSS}}"),
        adm,
        mtype,
        dur,
        protocol: is_video.then_some(PROTOCOL),
        w: has_size.then_some(what.width),
        h: has_size.then_some(what.height),
        exp: offer.expires_at.millis_since(offer.made_at) / 1_000,
        ext: serde_json::json!({ "prebid": { "type": kind } }),
    })
}

/// We hold the auction: the macros become what came of it.
fn settled(bid: &mut Bid, (auction_id, bid_id, seat_id): (&str, &str, &str)) {
    let price = bid.price.get().to_owned();
    let won = Macros {
        auction_id,
        bid_id,
        imp_id: &bid.impid,
        seat_id,
        ad_id: &bid.adid,
        price: &price,
        currency: "CNY",
        multiplier: "1",
        loss: Some(Loss::Won),
    };
    let lost = Macros {
        loss: Some(Loss::Outbid),
        ..won.clone()
    };
    let (nurl, burl, adm) = (
        won.replace(&bid.nurl),
        won.replace(&bid.burl),
        won.replace(&bid.adm),
    );
    let lurl = lost.replace(&bid.lurl);
    (bid.nurl, bid.burl, bid.adm, bid.lurl) = (nurl, burl, adm, lurl);
}
