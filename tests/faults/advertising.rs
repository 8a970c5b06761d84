//! Kill and restart while advertisements are shown and bids are billed: nothing is spent above its budget, whatever was
//! answered counts, and whatever was asked twice because its answer was lost counts once.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use kernel::ActorKind;
use linli_tests::{
    estate::Estate,
    http::{Answer, Http},
    poll,
    system::Setup,
    tokens,
};
use serde_json::{Value, json};
use xtask::{
    client::Client,
    demo::shop::{self, day},
};

/// How many look at pages at the same time.
const VIEWERS: usize = 12;
/// The budgets are for so many clicks, or views of bids, and a half.
const PAID_MAX: i64 = 120;
/// The host is killed when so many are answered.
const KILLED_AT: [usize; 3] = [5, 20, 40];
/// What a click costs, and what a bid gives for a view.
const PRICE_MINOR: i64 = 100;
const MICROS_PER_MINOR: i64 = 10_000;
const BUDGET_MINOR: i64 = PAID_MAX * PRICE_MINOR + PRICE_MINOR / 2;
/// Views that a bid's price is for.
const THOUSAND: i64 = 1_000;

/// A shop with an approved banner, about which ads and bidding have heard.
struct Advertiser {
    operator: Client,
    shop: String,
    creative: String,
}

async fn advertiser(estate: &Estate) -> anyhow::Result<Advertiser> {
    let token = estate.operator.token().unwrap_or_default();
    let operator = Client::new(&estate.system.http_address, token);
    let shop = shop::open(&estate.demo, &operator).await?;
    heard(estate).await;
    let creative = shop::approved(&estate.demo, &operator, &shop).await?;
    heard(estate).await;
    Ok(Advertiser {
        operator,
        shop,
        creative,
    })
}

async fn heard(estate: &Estate) {
    let internal = estate.system.internal();
    for function in ["ads", "bidding"] {
        let path = format!("/internal/ticks/{function}");
        poll::until(&format!("{function} has heard of everything"), async || {
            let tick = internal.call("POST", &path, None, &[]).await.expect(200);
            (tick.json()["more"] == false).then_some(())
        })
        .await;
    }
}

/// Asks until there is an answer, however often the host dies in between. Whether it is the first try, too.
async fn insist<Asked>(mut ask: impl FnMut() -> Asked) -> (Answer, bool)
where
    Asked: Future<Output = Result<Answer, String>>,
{
    let (mut is_first, deadline) = (true, Instant::now() + poll::PATIENCE);
    loop {
        match ask().await {
            // A host that is about to die, or has just come up, may say that it is not there for us.
            Ok(answer) if !answer.status.is_server_error() => return (answer, is_first),
            other => {
                is_first = false;
                assert!(Instant::now() < deadline, "still no answer: {other:?}");
                tokio::time::sleep(poll::PAUSE).await;
            }
        }
    }
}

/// Lets everybody see pages at once, and kills the host under them each time that enough was answered; what all of them
/// have seen.
async fn under_kills<Seen, Seeing>(
    estate: &mut Estate,
    see: impl Fn(usize, Arc<AtomicUsize>) -> Seeing,
) -> Vec<Seen>
where
    Seen: Send + 'static,
    Seeing: Future<Output = Vec<Seen>> + Send + 'static,
{
    let answered = Arc::new(AtomicUsize::new(0));
    let viewers: Vec<_> = (0..VIEWERS)
        .map(|viewer| tokio::spawn(see(viewer, Arc::clone(&answered))))
        .collect();
    for enough in KILLED_AT {
        poll::until("enough was answered", async || {
            (answered.load(Ordering::SeqCst) >= enough).then_some(())
        })
        .await;
        let still = viewers.iter().any(|viewer| !viewer.is_finished());
        assert!(still, "nobody looks at anything any more");
        estate.system.host.kill();
        estate.system.restart();
    }
    let mut all = Vec::new();
    for viewer in viewers {
        all.extend(viewer.await.unwrap_or_else(|error| panic!("{error}")));
    }
    all
}

/// A line that pays for clicks.
async fn book(advertiser: &Advertiser) -> anyhow::Result<String> {
    let Advertiser {
        operator,
        shop,
        creative,
    } = advertiser;
    let placement = json!({
        "id": "lobby", "name": "大堂", "surface": "home", "format": "banner", "width": 300, "height": 250,
        "ownership": "platform", "capacity": 1, "floor_minor": PRICE_MINOR,
    });
    operator.post("/api/ads/placements", placement).await?;
    let rate = json!({ "placement": "lobby", "pricing": "cpc", "from": "2020-01-01", "until": "2099-01-01", "price_minor": PRICE_MINOR });
    operator.post("/api/ads/rate-cards", rate).await?;
    let order = json!({ "merchant": shop, "name": "开业" });
    let order = operator.post("/api/ads/orders", order).await?;
    let line = json!({
        "placement": "lobby", "starts_on": day(0)?, "ends_on": day(7)?, "pricing": "cpc",
        "budget_minor": BUDGET_MINOR, "pacing": "asap",
    });
    let lines = format!("/api/ads/orders/{}/lines", shop::text(&order, "id")?);
    let line = shop::text(&operator.post(&lines, line).await?, "id")?.to_owned();
    let path = format!("/api/ads/lines/{line}");
    let shown = json!({ "creatives": [creative] });
    operator
        .call("PUT", &format!("{path}/creatives"), Some(shown))
        .await?;
    operator
        .post_once(&format!("{path}/booking"), json!({}), "booking")
        .await?;
    Ok(line)
}

/// Looks at pages and clicks until nothing is offered any more; the offers that were clicked.
async fn click(viewer: Http, answered: Arc<AtomicUsize>) -> Vec<String> {
    let question = json!({ "placements": ["lobby"] });
    let mut clicked = Vec::new();
    loop {
        let path = "/api/ads/decisions";
        let ask = || viewer.try_json("POST", path, Some(&question), &[]);
        let decision = insist(ask).await.0.expect(200).json();
        let Some(offer) = decision["items"][0]["offer"].as_str() else {
            return clicked;
        };
        for what in ["views", "clicks"] {
            let path = format!("/api/ads/offers/{offer}/{what}");
            let ask = || viewer.try_json("POST", &path, None, &[]);
            counts(&insist(ask).await);
        }
        clicked.push(offer.to_owned());
        answered.fetch_add(1, Ordering::SeqCst);
    }
}

/// It was counted now, or at a try whose answer was lost.
fn counts((answer, is_first): &(Answer, bool)) {
    let counted = answer.status == 200 && answer.json()["counted"] == true;
    let before = !is_first && answer.status == 409 && answer.problem() == "offer_used";
    assert!(counted || before, "{answer}");
}

#[tokio::test]
async fn a_host_killed_while_ads_are_clicked_counts_each_click_once_and_keeps_to_the_budget() {
    let mut estate = Estate::start_without_bridge(Setup::functions(), &[]).await;
    let advertiser = advertiser(&estate).await.unwrap();
    let line = book(&advertiser).await.unwrap();
    let viewers: Vec<Http> = (0..VIEWERS)
        .map(|number| {
            let (kind, id) = (ActorKind::Resident, format!("viewer-{number}"));
            let token = tokens::token(&estate.system, "demo", kind, &id, "garden");
            estate.system.http().with_token(&token)
        })
        .collect();
    let see = |number: usize, answered| click(viewers[number].clone(), answered);
    let clicked = under_kills(&mut estate, see).await;
    let path = format!("/api/ads/reports?by=line&from={}", day(0).unwrap());
    let report = estate.operator.get(&path).await.expect(200).json();
    let found = report["items"].as_array().unwrap().iter();
    let found: Vec<&Value> = found.filter(|item| item["key"] == line).collect();
    let [found] = found[..] else {
        panic!("{report}");
    };
    let clicks = i64::try_from(clicked.len()).unwrap();
    assert_eq!(
        (&found["views"], &found["clicks"]),
        (&json!(clicks), &json!(clicks))
    );
    let cost = clicks * PRICE_MINOR * MICROS_PER_MINOR;
    assert_eq!(found["cost_micros"], cost, "{report}");
    // What was promised to a page that never heard of it is kept for it for a while: never less than that is left.
    let lost = i64::try_from(VIEWERS * KILLED_AT.len()).unwrap();
    assert!((PAID_MAX - lost..=PAID_MAX).contains(&clicks), "{clicks}");
}

/// A campaign that bids for every page.
async fn bid(advertiser: &Advertiser) -> anyhow::Result<String> {
    let campaign = json!({
        "merchant": advertiser.shop, "name": "开业", "kind": "display", "creative": advertiser.creative,
        "bid_minor": PRICE_MINOR * THOUSAND, "budget_minor": BUDGET_MINOR, "daily_minor": BUDGET_MINOR,
        "targets": [{ "kind": "exchange", "value": "*" }],
    });
    let operator = &advertiser.operator;
    let made = operator
        .post_once("/api/bidding/campaigns", campaign, "campaign")
        .await?;
    let path = format!("/api/bidding/campaigns/{}", shop::text(&made, "id")?);
    operator
        .call("POST", &format!("{path}/activation"), None)
        .await?;
    Ok(path)
}

/// Asks for bids and bills each until none comes any more; where each was billed.
async fn bill(exchange: Http, answered: Arc<AtomicUsize>) -> Vec<String> {
    let question = json!({
        "id": "page", "imp": [{ "id": "1", "banner": { "w": 300, "h": 250 } }],
        "site": { "domain": "news.example" }, "cur": ["CNY"],
    });
    let mut billed = Vec::new();
    loop {
        let path = "/openrtb2/bid?tenant=demo";
        let ask = || exchange.try_json("POST", path, Some(&question), &[]);
        let answer = insist(ask).await.0;
        if answer.status == 204 {
            return billed;
        }
        let response = answer.expect(200).json();
        let bid = &response["seatbid"][0]["bid"][0];
        let address = bid["burl"].as_str().unwrap_or_else(|| panic!("{response}"));
        let notice = address
            .split_once("/openrtb2/")
            .map(|(_, path)| format!("/openrtb2/{path}"))
            .unwrap_or_default()
            .replace("${AUCTION_PRICE}", &bid["price"].to_string())
            .replace("${AUCTION_CURRENCY}", "CNY");
        let ask = || exchange.try_json("POST", &notice, None, &[]);
        insist(ask).await.0.expect(204);
        billed.push(notice);
        answered.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_host_killed_while_bids_are_billed_charges_each_once_and_keeps_to_the_budget() {
    let mut estate = Estate::start_without_bridge(Setup::functions(), &[]).await;
    let advertiser = advertiser(&estate).await.unwrap();
    let campaign = bid(&advertiser).await.unwrap();
    let exchange = estate.system.http();
    let see = |_, answered| bill(exchange.clone(), answered);
    let billed = under_kills(&mut estate, see).await;
    // Ten times more, each: nothing is charged again.
    for notice in billed.iter().cycle().take(10 * billed.len()) {
        exchange.call("POST", notice, None, &[]).await.expect(204);
    }
    let shown = estate.operator.get(&campaign).await.expect(200).json();
    let views = i64::try_from(billed.len()).unwrap();
    let micros = |field: &str| shown[field].as_i64().unwrap();
    assert_eq!(shown["views"], views, "{shown}");
    assert_eq!(
        micros("spent_micros"),
        views * PRICE_MINOR * MICROS_PER_MINOR,
        "{shown}"
    );
    let bound = micros("spent_micros") + micros("reserved_micros");
    assert!(bound <= BUDGET_MINOR * MICROS_PER_MINOR, "{shown}");
    let lost = i64::try_from(VIEWERS * KILLED_AT.len()).unwrap();
    assert!((PAID_MAX - lost..=PAID_MAX).contains(&views), "{shown}");
}
