//! How fast rounds are held and bids are answered: printed, and not asserted, for a machine's speed is no law.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::events::creative;
use crate::support::{LI, WANG, World, on_each_engine};

const ASKS: usize = 500;

async fn measured(what: &str, ask: impl AsyncFn()) {
    let mut took = Vec::with_capacity(ASKS);
    let start = Instant::now();
    for _ in 0..ASKS {
        let begun = Instant::now();
        ask().await;
        took.push(begun.elapsed());
    }
    let whole = start.elapsed().as_secs_f64();
    took.sort_unstable();
    let at = |percent: usize| -> Duration { took[(ASKS * percent / 100).min(ASKS - 1)] };
    println!(
        "measured: {what}: {:.0}/s, median {:?}, p99 {:?}",
        ASKS as f64 / whole,
        at(50),
        at(99)
    );
}

/// So many merchants who all bid on the news and on every page.
async fn bidders(world: &World, count: usize) {
    for number in 10..10 + count {
        let merchant = format!("m{number}");
        world.merchant(&merchant, "mei").await;
        world
            .record(&creative(&format!("k{number}"), &merchant))
            .await;
    }
    world.tick().await;
    for number in 10..10 + count {
        let number = u8::try_from(number).unwrap();
        let bid = 100 + i64::from(number);
        world
            .bids_up_to(number, (bid, 1_000_000), ("board", "news"))
            .await;
        world
            .bids_up_to(number, (bid, 1_000_000), ("exchange", "*"))
            .await;
    }
}

#[tokio::test]
#[ignore = "takes a while; it measures"]
async fn rankings_and_bids_among_fifty_advertisers() {
    on_each_engine(async |world| {
        bidders(&world, 50).await;
        let look = json!({"board": "news"});
        measured("rankings of 5 slots among 50 bidders", async || {
            world.post("/api/bidding/rankings").by(LI).json(&look).content().await;
        })
        .await;
        let request = |width: i64| {
            json!({"id": "r1", "imp": [{"id": "1", "banner": {"w": width, "h": 250}}], "cur": ["CNY"]})
        };
        let ask = async |request: &Value, status: u16| {
            let reply = world.post("/openrtb2/bid").json(request).reply().await;
            assert_eq!(reply.status.as_u16(), status);
        };
        let (fits, other) = (request(300), request(728));
        measured("OpenRTB bids among 50 bidders", async || ask(&fits, 200).await).await;
        measured("OpenRTB no-bids among 50 bidders", async || ask(&other, 204).await).await;
        let mut dollars = request(300);
        dollars["cur"] = json!(["USD"]);
        measured("OpenRTB no-bids before the database", async || ask(&dollars, 204).await).await;
        let bids: Vec<Value> = (0..20).map(|number| json!({"id": format!("b{number}"), "amount": 100 + number})).collect();
        let preview = json!({"weights": [100, 84, 71, 60, 50, 42, 36, 30, 25, 21], "bids": bids});
        measured("clearings of 20 bids over HTTP", async || {
            world.post("/api/bidding/previews").by(WANG).json(&preview).content().await;
        })
        .await;
    })
    .await;
}
