//! Rankings: a round is held, kept and held again; what wins is offered, and charged by its click, once.

use serde_json::{Value, json};
use wire::advertising::ReserveMode;

use crate::events::{board, merchant_changed};
use crate::support::{BO, LI, MEI, WANG, World, on_each_engine};

/// Two who bid on the news with a reserve of 60 fen: m2 bids 200, m1 100.
async fn news(world: &World) -> (String, String) {
    world.record(&board(ReserveMode::Unweighted, 60)).await;
    let low = world.bids(1, 100, ("board", "news")).await;
    let high = world.bids(2, 200, ("board", "news")).await;
    (high, low)
}

#[tokio::test]
async fn a_click_costs_what_keeps_the_slot_and_is_charged_once() {
    on_each_engine(async |world| {
        let (high, low) = news(&world).await;
        let page = world.looks(json!({"board": "news"})).await;
        let items = page["items"].as_array().unwrap();
        let who: Vec<&Value> = items.iter().map(|item| &item["campaign"]).collect();
        assert_eq!(who, [&json!(high), &json!(low)]);
        assert!(items.iter().all(|item| item["label"] == "广告"));
        assert_eq!(world.campaign(&high).await["reserved_micros"], 2_000_000);
        world.clicks(&items[0]["offer"]).await;
        // Both are as good as any: the first pays the second's bid, and the second the reserve.
        let after = world.campaign(&high).await;
        assert_eq!(
            (&after["spent_micros"], &after["reserved_micros"]),
            (&json!(1_000_000), &json!(0))
        );
        let offer = items[0]["offer"].as_str().unwrap();
        for what in ["views", "clicks"] {
            let path = format!("/api/bidding/offers/{offer}/{what}");
            world.post(&path).by(LI).refused(409, "offer_used").await;
        }
        world.clicks(&items[1]["offer"]).await;
        assert_eq!(world.campaign(&low).await["spent_micros"], 600_000);
        assert_eq!(world.count("ad_offer.charged").await, 2);
        let report = format!("/api/bidding/campaigns/{high}/report");
        let report = world.get(&report).by(BO).content().await;
        assert_eq!(
            (&report["days"][0]["views"], &report["days"][0]["clicks"]),
            (&json!(1), &json!(1))
        );
        assert_eq!(report["invalid"][0]["reason"], "used");
    })
    .await;
}

#[tokio::test]
async fn a_round_is_kept_with_what_decided_it_and_held_again_it_is_the_same() {
    on_each_engine(async |mut world| {
        let (high, low) = news(&world).await;
        let page = world.looks(json!({"board": "news"})).await;
        let round = world.round(&page["round"]).await;
        assert_eq!(
            round["inputs"]["reserve"],
            json!({"mode": "unweighted", "least": 60})
        );
        let part = &round["outcome"]["placed"][0]["parts"][0];
        assert_eq!((&part["by"], &part["bid"]), (&json!("bid"), &json!(low)));
        assert_eq!(round["outcome"]["placed"][1]["parts"][0]["by"], "reserve");
        let path = format!("/api/bidding/rounds/{}", page["round"].as_str().unwrap());
        let replay = async |world: &World| {
            world
                .post(&format!("{path}/replay"))
                .by(WANG)
                .content()
                .await
        };
        let again = replay(&world).await;
        assert_eq!(
            (&again["same"], &again["differences"]),
            (&json!(true), &json!([]))
        );
        world.context.auctioneer.rule = auction::Rule::FirstPrice;
        let other = replay(&world).await;
        assert_eq!(other["same"], false);
        let first = json!({"slot": 1, "was": [high, 100], "is": [high, 200]});
        assert_eq!(other["differences"][0], first);
        // A bidder sees its own part, and not what others bid.
        let own = world.get(&path).by(MEI).content().await;
        assert_eq!(own["inputs"], Value::Null);
        assert_eq!(own["outcome"]["placed"].as_array().unwrap().len(), 1);
        assert_eq!(own["outcome"]["placed"][0]["bid"], low.as_str());
        world
            .get(&path)
            .by(LI)
            .refused(404, "auction_round_unknown")
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_search_finds_its_words_and_quality_is_frozen_for_the_hour() {
    on_each_engine(async |mut world| {
        let id = world.bids(1, 100, ("keyword", "fish")).await;
        let page = world.looks(json!({"keyword": "Fresh FISH"})).await;
        assert_eq!(page["items"][0]["campaign"], id.as_str());
        world.clicks(&page["items"][0]["offer"]).await;
        let path = format!("/api/bidding/campaigns/{id}/qualities");
        let quality =
            async |world: &World| world.get(&path).by(MEI).content().await["items"].clone();
        world.looks(json!({"keyword": "fish"})).await;
        let frozen = quality(&world).await;
        assert_eq!(frozen.as_array().unwrap().len(), 1);
        let (parts, whole) = (&frozen[0], &frozen[0]["quality_bps"]);
        assert_eq!(
            (&parts["relevance_bps"], &parts["clicks"], whole),
            (&json!(10_000), &json!(0), &json!(10_000))
        );
        world.at("2026-10-10T03:00:00Z");
        world.looks(json!({"keyword": "fish"})).await;
        let later = quality(&world).await;
        // (20 + 1) clicks of (1,000 + 1) views against 2 %.
        assert_eq!(
            (&later[0]["clicks"], &later[0]["quality_bps"]),
            (&json!(1), &json!(10_489))
        );
    })
    .await;
}

#[tokio::test]
async fn an_advertiser_is_on_a_page_once_and_bids_below_the_reserve_are_not_there() {
    on_each_engine(async |world| {
        world.record(&board(ReserveMode::Weighted, 1_000_000)).await;
        world.bids(1, 100, ("board", "news")).await;
        world.bids(1, 150, ("board", "news")).await;
        world.bids(2, 99, ("board", "news")).await;
        let page = world.looks(json!({"board": "news"})).await;
        assert_eq!(page["items"].as_array().unwrap().len(), 1);
        let round = world.round(&page["round"]).await;
        let reasons: Vec<&Value> = round["outcome"]["unplaced"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["reason"])
            .collect();
        // The board's name stands nowhere in what they show: they count for 8,000 of 10,000.
        assert_eq!(reasons, ["below_reserve", "below_reserve"]);
        assert_eq!(round["outcome"]["placed"][0]["price"], 125);
    })
    .await;
}

#[tokio::test]
async fn what_does_not_count_is_told_by_its_reason_and_charged_to_nobody() {
    on_each_engine(async |mut world| {
        let (high, _) = news(&world).await;
        let page = world.looks(json!({"board": "news"})).await;
        let path = format!(
            "/api/bidding/offers/{}",
            page["items"][0]["offer"].as_str().unwrap()
        );
        world
            .post(&format!("{path}/clicks"))
            .by(LI)
            .refused(409, "offer_not_viewed")
            .await;
        let bot = world
            .post(&format!("{path}/views"))
            .by(LI)
            .header("user-agent", "Examplebot/1.0");
        bot.refused(409, "offer_crawler").await;
        world
            .post(&format!("{path}/views"))
            .by(BO)
            .refused(409, "offer_internal")
            .await;
        world
            .post(&format!("{path}/views"))
            .by(WANG)
            .refused(409, "offer_internal")
            .await;
        let forged = format!("{path}x/views");
        world
            .post(&forged)
            .by(LI)
            .refused(404, "offer_unknown")
            .await;
        world
            .post("/api/bidding/offers/demo.o1.AAAA/views")
            .by(LI)
            .refused(404, "offer_unknown")
            .await;
        let pause = format!("/api/bidding/campaigns/{high}/end");
        world.post(&pause).by(WANG).content().await;
        world
            .post(&format!("{path}/views"))
            .by(LI)
            .refused(409, "offer_not_targeted")
            .await;
        world.at("2026-10-10T04:00:00Z");
        world
            .post(&format!("{path}/views"))
            .by(LI)
            .refused(409, "offer_expired")
            .await;
        assert_eq!(world.count("ad_offer.charged").await, 0);
        let report = format!("/api/bidding/campaigns/{high}/report");
        let report = world.get(&report).by(WANG).content().await;
        let invalid: i64 = report["invalid"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["count"].as_i64().unwrap())
            .sum();
        assert_eq!(invalid, 6);
    })
    .await;
}

#[tokio::test]
async fn a_viewer_clicks_an_advertiser_three_times_a_day() {
    on_each_engine(async |mut world| {
        world.bids(1, 100, ("board", "news")).await;
        let look = async |world: &World| {
            world.looks(json!({"board": "news"})).await["items"][0]["offer"].clone()
        };
        for _ in 0..3 {
            let offer = look(&world).await;
            world.clicks(&offer).await;
        }
        let offer = look(&world).await;
        let path = format!("/api/bidding/offers/{}", offer.as_str().unwrap());
        world.post(&format!("{path}/views")).by(LI).content().await;
        world
            .post(&format!("{path}/clicks"))
            .by(LI)
            .refused(429, "offer_rate_limited")
            .await;
        world.at("2026-10-11T02:00:00Z");
        let offer = look(&world).await;
        world.clicks(&offer).await;
    })
    .await;
}

#[tokio::test]
async fn what_is_not_used_is_let_go_when_its_time_is_over() {
    on_each_engine(async |mut world| {
        let (high, _) = news(&world).await;
        world.looks(json!({"board": "news"})).await;
        assert_eq!(
            world.tick_at("2026-10-10T03:59:59.999Z").await["released"],
            0
        );
        assert_eq!(world.tick_at("2026-10-10T04:00:00Z").await["released"], 2);
        assert_eq!(world.tick().await["released"], 0);
        assert_eq!(world.campaign(&high).await["reserved_micros"], 0);
    })
    .await;
}

/// More than one transaction lets go of, and fewer than a tick does.
#[tokio::test]
async fn a_flood_of_offers_that_nobody_used_is_let_go_in_one_tick() {
    on_each_engine(async |mut world| {
        let id = world.bids_up_to(1, (100, 1_000_000), ("board", "news")).await;
        world.looks(json!({"board": "news"})).await;
        let db = &world.context.db;
        let flood = "insert into bidding_offer (tenant, id, round, campaign, merchant, creative, placement, billed, slot,
                viewer, bid_micros, price_micros, charged_micros, day, state, made_at, expires_at, viewed_at, clicked_at)
            with recursive counted (number) as (select 1 union all select number + 1 from counted where number < 2500)
            select o.tenant, o.id || '-' || cast(c.number as text), o.round, o.campaign, o.merchant, o.creative,
                o.placement, o.billed, o.slot, o.viewer, o.bid_micros, o.price_micros, o.charged_micros, o.day, o.state,
                o.made_at, o.expires_at, o.viewed_at, o.clicked_at
            from bidding_offer o cross join counted c";
        let reserved = [
            "update bidding_campaign set reserved_micros = reserved_micros + 2500000000",
            "update bidding_day set reserved_micros = reserved_micros + 2500000000",
        ];
        store::bulk(db, async |batch| {
            batch.execute(flood, &[]).await?;
            for sql in reserved {
                batch.execute(sql, &[]).await?;
            }
            Ok(())
        })
        .await
        .unwrap();
        let tick = world.tick_at("2026-10-10T04:00:00Z").await;
        assert_eq!((&tick["released"], &tick["more"]), (&json!(2_501), &json!(false)));
        assert_eq!(world.campaign(&id).await["reserved_micros"], 0);
        assert_eq!(world.tick().await["released"], 0);
    })
    .await;
}

#[tokio::test]
async fn a_daily_budget_is_full_again_the_next_day() {
    on_each_engine(async |mut world| {
        world.record(&board(ReserveMode::Unweighted, 60)).await;
        let body = json!({"merchant": "m1", "name": "x", "kind": "rank", "creative": "k1", "bid_minor": 60,
            "budget_minor": 180, "daily_minor": 100, "targets": [{"kind": "board", "value": "news"}]});
        let made = world.post("/api/bidding/campaigns").by(MEI).key("a").json(&body).content().await;
        let path = format!("/api/bidding/campaigns/{}/activation", made["id"].as_str().unwrap());
        world.post(&path).by(MEI).content().await;
        let mut seen = Vec::new();
        for day in 10..15 {
            world.at(&format!("2026-10-{day}T02:00:00Z"));
            for _ in 0..2 {
                let page = world.looks(json!({"board": "news"})).await;
                let items = page["items"].as_array().unwrap().clone();
                seen.push(items.len());
                if let Some(item) = items.first() {
                    world.clicks(&item["offer"]).await;
                }
            }
        }
        assert_eq!(seen, [1, 0, 1, 0, 1, 0, 0, 0, 0, 0]);
        let id = made["id"].as_str().unwrap();
        assert_eq!(world.campaign(id).await["state"], "exhausted");
    })
    .await;
}

#[tokio::test]
async fn one_place_is_asked_for_that_is_sold_so() {
    on_each_engine(async |world| {
        world.record(&board(ReserveMode::Unweighted, 0)).await;
        world.record(&merchant_changed("m1", "mei", 2)).await;
        let ask = |place: Value| world.post("/api/bidding/rankings").by(LI).json(&place);
        ask(json!({})).refused(422, "place_invalid").await;
        ask(json!({"board": "a", "keyword": "b"}))
            .refused(422, "place_invalid")
            .await;
        ask(json!({"placement": "nowhere"}))
            .refused(404, "placement_unknown")
            .await;
        ask(json!({"placement": "home", "keyword": "b"}))
            .refused(409, "placement_not_auctioned")
            .await;
        let nobody = ask(json!({"placement": "home"})).content().await;
        assert_eq!(nobody, json!({"round": null, "label": "广告", "items": []}));
        world.bids(1, 200, ("placement", "home")).await;
        let page = ask(json!({"placement": "home"})).content().await;
        let item = &page["items"][0];
        let view = format!(
            "/api/bidding/offers/{}/views",
            item["offer"].as_str().unwrap()
        );
        world.post(&view).by(LI).content().await;
        // 100 fen for a thousand, the reserve: a tenth of a fen for one.
        let campaign = world.campaign(item["campaign"].as_str().unwrap()).await;
        assert_eq!(campaign["spent_micros"], 1_000);
    })
    .await;
}

#[tokio::test]
async fn the_same_key_gets_the_same_page_and_old_rounds_are_forgotten() {
    on_each_engine(async |mut world| {
        news(&world).await;
        let ask = async || {
            let ask = world.post("/api/bidding/rankings").by(LI).key("page");
            ask.json(&json!({"board": "news"})).content().await
        };
        let page = ask().await;
        assert_eq!(ask().await, page);
        world.clicks(&page["items"][0]["offer"]).await;
        let idle = world.looks(json!({"keyword": "news"})).await;
        assert_eq!(idle["round"], Value::Null);
        let idle = world.looks(json!({"board": "news"})).await;
        world.tick_at("2026-10-17T01:59:59Z").await;
        world.round(&idle["round"]).await;
        world.tick_at("2026-10-17T02:00:01Z").await;
        let path = |round: &Value| format!("/api/bidding/rounds/{}", round.as_str().unwrap());
        let gone = world.get(&path(&idle["round"])).by(WANG);
        gone.refused(404, "auction_round_unknown").await;
        world.round(&page["round"]).await;
        world.tick_at("2027-01-08T02:00:01Z").await;
        let gone = world.get(&path(&page["round"])).by(WANG);
        gone.refused(404, "auction_round_unknown").await;
    })
    .await;
}
