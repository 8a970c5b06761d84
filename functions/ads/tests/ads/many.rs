//! How fast is decided: printed, and not asserted, for a machine's speed is no law.

use std::time::{Duration, Instant};

use serde_json::json;
use store::testing::sqlite;

use crate::booking::days;
use crate::support::{Ask, LI, MEI, MIGRATIONS, PHONE, WANG, World, banner, placement};

const PLACEMENTS: usize = 50;
const LINES: usize = 1_000;

/// That many lines in flight, over all placements; every fourth pays for views, within a budget.
async fn stocked() -> World {
    let world = World::on(sqlite(&MIGRATIONS).await);
    world.found().await;
    let creative = world.approved(MEI, &banner("m1", "苹果")).await;
    for number in 0..PLACEMENTS {
        let place = format!("p{number:02}");
        world.place(&placement(&place, "banner", 20)).await;
        let rate = json!({"placement": place, "pricing": "cpm", "from": "2026-11-01", "until": "2027-01-01", "price_minor": 1_000});
        world
            .post("/api/ads/rate-cards")
            .by(WANG)
            .json(&rate)
            .content()
            .await;
    }
    for number in 0..LINES {
        let mut line = days(
            &format!("p{:02}", number % PLACEMENTS),
            "2026-11-02",
            "2026-11-09",
        );
        if number % 4 == 0 {
            line["pricing"] = json!("cpm");
            line["budget_minor"] = json!(1_000_000);
            line["pacing"] = json!("asap");
        }
        let draft = world.draft((MEI, "m1"), &line).await;
        world.shows(MEI, &draft, &creative).await;
        world.act(MEI, &draft, "booking").content().await;
    }
    world
}

fn decision<'a>(world: &'a World, token: &str, number: usize) -> Ask<'a> {
    let placements = [
        format!("p{:02}", number % PLACEMENTS),
        format!("p{:02}", (number * 7 + 1) % PLACEMENTS),
    ];
    let ask = world.post("/api/ads/decisions").bearer(token);
    ask.json(&json!({"placements": placements}))
        .header("user-agent", PHONE)
}

fn told(what: &str, mut took: Vec<Duration>) {
    let whole: Duration = took.iter().sum();
    took.sort_unstable();
    let (p50, p99) = (took[took.len() / 2], took[took.len() * 99 / 100]);
    println!(
        "measured: {} {what} with {LINES} live lines: {:.0}/s one after another, p50 {p50:.2?}, p99 {p99:.2?}",
        took.len(),
        f64::from(u32::try_from(took.len()).unwrap()) / whole.as_secs_f64()
    );
}

#[tokio::test]
#[ignore = "minutes in a debug build: `cargo xtask bench` runs it in release"]
async fn decisions_and_views_with_a_thousand_live_lines() {
    let world = stocked().await;
    let token = world.token(LI);
    let (mut decided, mut viewed) = (Vec::new(), Vec::new());
    let (mut free, mut promised) = (Vec::new(), Vec::new());
    for number in 0..2_000 {
        let stored = stored(&world).await;
        let begun = Instant::now();
        let page = decision(&world, &token, number).content().await;
        let took = begun.elapsed();
        decided.push(took);
        if stored == self::stored(&world).await {
            free.push(took);
        } else {
            promised.push(took);
        }
        let offer = &page["items"][0];
        let begun = Instant::now();
        world.tell(offer, "views").reply().await;
        viewed.push(begun.elapsed());
    }
    told("decisions", decided);
    told("decisions that promise nothing", free);
    told("decisions that promise a bid", promised);
    told("views", viewed);
}

/// Whether the last decision stored an offer shows in how many there are.
async fn stored(world: &World) -> i64 {
    let count = "select count(*) from ads_offer";
    let rows = world.context.db.rows(count, &[]).await.unwrap();
    rows[0].integer(0).unwrap()
}
