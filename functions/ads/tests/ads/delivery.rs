//! Delivery: offers, views and clicks, what does not count and why, caps, budgets and pacing.

use ads::domain::wish::Pacing;
use ads::store::lines;
use advertising::Micros;
use anyhow::Context as _;
use chrono::Days;
use futures_util::future::join_all;
use kernel::AdLineId;
use serde_json::{Value, json};

use crate::booking::days;
use crate::support::{
    AUDITOR, BO, CHEN, LI, MA, MEI, PHONE, WANG, World, banner, demo, on_each_engine, placement,
};

/// A line by views or clicks for the whole week, as fast as it goes.
pub fn metered(pricing: &str, budget_minor: i64) -> Value {
    json!({"placement": "home-top", "starts_on": "2026-11-02", "ends_on": "2026-11-09", "pricing": pricing,
        "budget_minor": budget_minor, "pacing": "asap"})
}

pub async fn priced(world: &World, pricing: &str, price_minor: i64) {
    world.place(&placement("home-top", "banner", 2)).await;
    let rate = json!({"placement": "home-top", "pricing": pricing, "from": "2026-11-01", "until": "2027-01-01", "price_minor": price_minor});
    world
        .post("/api/ads/rate-cards")
        .by(WANG)
        .json(&rate)
        .content()
        .await;
}

async fn report(world: &World, by: &str) -> Value {
    let path = format!("/api/ads/reports?by={by}&from=2026-11-01&until=2026-12-01");
    world.get(&path).by(WANG).content().await
}

#[tokio::test]
async fn an_offer_counts_one_view_and_one_click_and_the_rest_by_its_reason() {
    on_each_engine(async |mut world| {
        priced(&world, "cpc", 100).await;
        let line = world.booked((MEI, "m1"), &metered("cpc", 1_000)).await;
        let offer = world.decide(LI, "home-top").await.unwrap();
        world.tell(&offer, "clicks").refused(404, "offer_unknown").await;
        let counted = world.tell(&offer, "views").content().await;
        assert_eq!(counted, json!({"counted": true, "reason": null}));
        world.tell(&offer, "views").refused(409, "offer_used").await;
        world.tell(&offer, "clicks").content().await;
        world.tell(&offer, "clicks").refused(409, "offer_used").await;
        let mut forged = offer.clone();
        forged["offer"] = json!(offer["offer"].as_str().unwrap().replace("demo.", "demo.0"));
        world.tell(&forged, "views").refused(404, "offer_unknown").await;
        let crawled = world.decide(MA, "home-top").await.unwrap();
        let token = crawled["offer"].as_str().unwrap();
        let said = world
            .post(&format!("/api/ads/offers/{token}/views"))
            .header("user-agent", "Mozilla/5.0 (compatible; Googlebot/2.1)")
            .content()
            .await;
        assert_eq!(said, json!({"counted": false, "reason": "crawler"}));
        for own in [MEI, WANG] {
            let internal = world.decide(own, "home-top").await.unwrap();
            assert_eq!(world.tell(&internal, "views").content().await["reason"], "internal");
        }
        let late = world.decide(CHEN, "home-top").await.unwrap();
        world.pass_ms(2 * 60 * 60 * 1_000);
        world.tell(&late, "views").refused(409, "offer_expired").await;
        let stopped = world.decide(BO, "home-top").await.unwrap();
        world.act(MEI, &line, "stop").content().await;
        assert_eq!(world.tell(&stopped, "views").content().await["reason"], "not_targeted");
        let total = report(&world, "line").await["total"].clone();
        assert_eq!((&total["views"], &total["clicks"], &total["reach"]), (&json!(1), &json!(1), &json!(1)));
        assert_eq!(total["cost_minor"], 100);
        assert_eq!(total["invalid_views"], json!({"crawler": 1, "expired": 1, "internal": 2, "not_targeted": 1, "unknown": 1, "used": 1}));
        assert_eq!(total["invalid_clicks"], json!({"unknown": 1, "used": 1}));
        world.post("/api/ads/decisions").by(AUDITOR).json(&json!({"placements": ["home-top"]})).refused(403, "viewers_only").await;
    })
    .await;
}

#[tokio::test]
async fn of_sixty_offers_on_a_budget_for_three_three_are_made() {
    on_each_engine(async |mut world| {
        priced(&world, "cpc", 100).await;
        world.booked((MEI, "m1"), &metered("cpc", 350)).await;
        let offered = |world: World| async move {
            let made = join_all((0..60).map(|_| world.decide(LI, "home-top"))).await;
            (made.into_iter().flatten().collect::<Vec<_>>(), world)
        };
        let (offers, after) = offered(world).await;
        world = after;
        assert_eq!(offers.len(), 3);
        // One is clicked, two expire: their bids are free again, what was spent is not.
        world.tell(&offers[0], "views").content().await;
        world.tell(&offers[0], "clicks").content().await;
        world.pass_ms(2 * 60 * 60 * 1_000);
        assert_eq!(world.tick().await["released"], 2);
        assert_eq!(world.tick().await["released"], 0);
        let (offers, _) = offered(world).await;
        assert_eq!(offers.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_click_that_is_told_sixty_times_at_once_costs_once() {
    on_each_engine(async |world| {
        priced(&world, "cpc", 100).await;
        world.booked((MEI, "m1"), &metered("cpc", 1_000)).await;
        let offer = world.look(LI, "home-top").await.unwrap();
        let told = join_all((0..60).map(|_| world.tell(&offer, "clicks").reply())).await;
        let counted = told.iter().filter(|reply| reply.status == 200).count();
        assert_eq!(counted, 1);
        let total = report(&world, "day").await["total"].clone();
        assert_eq!(
            (&total["clicks"], &total["cost_minor"]),
            (&json!(1), &json!(100))
        );
        assert_eq!(total["invalid_clicks"], json!({"used": 59}));
    })
    .await;
}

#[tokio::test]
async fn nobody_sees_more_than_a_cap_allows_however_many_offers_they_hold() {
    on_each_engine(async |mut world| {
        world.place(&placement("home-top", "banner", 1)).await;
        let mut line = days("home-top", "2026-11-02", "2026-11-05");
        line["caps"] = json!([{"scope": "line", "window": "day", "views": 2}]);
        world.booked((MEI, "m1"), &line).await;
        let mut offers = Vec::new();
        for _ in 0..3 {
            offers.push(world.decide(LI, "home-top").await.unwrap());
        }
        world.tell(&offers[0], "views").content().await;
        world.tell(&offers[1], "views").content().await;
        assert!(world.decide(LI, "home-top").await.is_none());
        assert!(world.decide(MA, "home-top").await.is_some());
        let over = world.tell(&offers[2], "views").content().await;
        assert_eq!(over["reason"], "rate_limited");
        world.pass_ms(24 * 60 * 60 * 1_000);
        assert!(world.decide(LI, "home-top").await.is_some());
    })
    .await;
}

/// A limit on an advertiser, a placement or a creative is about all its views, also of lines that limit nothing.
#[tokio::test]
async fn what_is_seen_of_other_lines_counts_for_a_limit_as_well() {
    for scope in ["advertiser", "placement", "creative", "line"] {
        on_each_engine(async |world| {
            for place in ["top", "side"] {
                world.place(&placement(place, "banner", 2)).await;
            }
            let creative = world.approved(MEI, &banner("m1", "苹果")).await;
            let other = if scope == "placement" { "top" } else { "side" };
            let free = days(other, "2026-11-02", "2026-11-05");
            let mut limited = days("top", "2026-11-05", "2026-11-06");
            limited["caps"] = json!([{"scope": scope, "window": "week", "views": 1}]);
            for line in [free, limited] {
                let draft = world.draft((MEI, "m1"), &line).await;
                world.shows(MEI, &draft, &creative).await;
                world.act(MEI, &draft, "booking").content().await;
            }
            world.look(LI, other).await.unwrap();
            let mut world = world;
            world.pass_ms(3 * 24 * 60 * 60 * 1_000);
            let is_shown = world.decide(LI, "top").await.is_some();
            assert_eq!(is_shown, scope == "line", "{scope}");
            assert!(world.decide(MA, "top").await.is_some(), "{scope}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_budget_lasts_over_the_day_and_is_never_passed() {
    on_each_engine(async |mut world| {
        priced(&world, "cpm", 10_000).await;
        let mut line = metered("cpm", 700);
        line["pacing"] = json!("even");
        world.booked((MEI, "m1"), &line).await;
        // 7 days, 70 views: 10 a day. At ten in the morning some 4 are due, not all of them.
        let mut seen = 0;
        for _ in 0..40 {
            seen += u32::from(world.look(LI, "home-top").await.is_some());
        }
        assert!((1..=6).contains(&seen), "{seen}");
        for _ in 0..8 {
            world.pass_ms(24 * 60 * 60 * 1_000);
            for _ in 0..15 {
                seen += u32::from(world.look(LI, "home-top").await.is_some());
            }
        }
        let total = report(&world, "line").await["total"].clone();
        assert!(total["cost_minor"].as_i64().unwrap() <= 700, "{total}");
        assert_eq!(total["views"], seen);
    })
    .await;
}

/// Books that many lines for the week after a line's, each with a budget that is spread over its days.
async fn book_ahead(world: &World, line: &str, count: usize) -> anyhow::Result<()> {
    let budget = (Micros::new(1_000_000), Micros::new(100_000));
    store::tx(&world.context.db, &demo(), async |tx| {
        let line = lines::line(tx, tx.tenant(), &AdLineId::parse(line)?).await?;
        let mut line = line.context("the line is not there")?;
        line.wish.starts_on = line.wish.ends_on;
        line.wish.ends_on = line.wish.starts_on + Days::new(7);
        for _ in 0..count {
            line.id = world.context.new_id()?;
            lines::insert_line(tx, &line).await?;
            lines::insert_budget(tx, &line.id, budget, Pacing::Even).await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn however_much_is_booked_ahead_what_is_in_flight_is_shown() {
    on_each_engine(async |world| {
        priced(&world, "cpc", 100).await;
        let line = world.booked((MEI, "m1"), &metered("cpc", 1_000)).await;
        book_ahead(&world, &line, store::ROWS_MAX).await.unwrap();
        assert!(world.decide(LI, "home-top").await.is_some());
    })
    .await;
}

#[tokio::test]
async fn a_page_has_one_advertisement_of_an_advertiser_and_what_its_viewer_is_for() {
    on_each_engine(async |world| {
        for placement_id in ["top", "side"] {
            world.place(&placement(placement_id, "banner", 1)).await;
            world
                .booked((MEI, "m1"), &days(placement_id, "2026-11-02", "2026-11-05"))
                .await;
        }
        let mut gate = placement("gate", "banner", 1);
        gate["community"] = json!("garden");
        world.place(&gate).await;
        let mut line = days("gate", "2026-11-02", "2026-11-05");
        line["targeting"] = json!({"kinds": ["resident"], "from_minute": 540, "until_minute": 660});
        world.booked((BO, "m2"), &line).await;
        let asked = json!({"placements": ["top", "side", "gate"], "community": "garden"});
        let page = world
            .post("/api/ads/decisions")
            .by(LI)
            .json(&asked)
            .header("user-agent", PHONE)
            .content()
            .await;
        let shown: Vec<&str> = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["placement"].as_str().unwrap())
            .collect();
        assert_eq!(shown, ["top", "gate"]);
        let page = world
            .post("/api/ads/decisions")
            .by(CHEN)
            .json(&asked)
            .content()
            .await;
        assert_eq!(page["items"].as_array().unwrap().len(), 1);
        let elsewhere = json!({"placements": ["top"], "community": "lake"});
        world
            .post("/api/ads/decisions")
            .by(LI)
            .json(&elsewhere)
            .refused(404, "community_unknown")
            .await;
        let none = json!({"placements": []});
        world
            .post("/api/ads/decisions")
            .by(LI)
            .json(&none)
            .refused(422, "placements_invalid")
            .await;
    })
    .await;
}
