//! Booking: seats, states, namings that overlap, and a hundred who want the same seat.

use futures_util::future::join_all;
use kernel::MerchantId;
use serde_json::{Value, json};
use wire::event::MerchantStandingChanged;
use wire::mall::Standing;

use crate::support::{BO, DAY_MS, MEI, WANG, XU, banner, on_each_engine, placement};

pub fn days(placement: &str, from: &str, until: &str) -> Value {
    json!({"placement": placement, "starts_on": from, "ends_on": until, "pricing": "day"})
}

#[tokio::test]
async fn a_merchant_books_a_banner_and_it_flies_on_its_days() {
    on_each_engine(async |mut world| {
        world.place(&placement("home-top", "banner", 2)).await;
        let rate = json!({"placement": "home-top", "pricing": "day", "from": "2026-11-03", "until": "2026-11-04", "price_minor": 2_500});
        world.post("/api/ads/rate-cards").by(XU).json(&rate).content().await;
        let line = world.booked((MEI, "m1"), &days("home-top", "2026-11-03", "2026-11-05")).await;
        let path = format!("/api/ads/lines/{line}");
        let shown = world.get(&path).by(MEI).content().await;
        assert_eq!(shown["state"], "booked");
        assert_eq!(shown["total_minor"], 3_500);
        assert_eq!(shown["allowed"], json!(["cancel"]));
        assert!(world.decide(crate::support::LI, "home-top").await.is_none());
        world.tick_at("2026-11-02T16:00:00Z").await;
        assert_eq!(world.get(&path).by(MEI).content().await["state"], "in_flight");
        let offer = world.decide(crate::support::LI, "home-top").await.unwrap();
        assert_eq!(offer["label"], "广告");
        assert_eq!(offer["creative"]["sponsor"], "m1 商店");
        let tick = world.tick_at("2026-11-04T16:00:00Z").await;
        assert_eq!(tick["aged"], 1);
        assert_eq!(world.tick().await["aged"], 0);
        assert_eq!(world.get(&path).by(MEI).content().await["state"], "finished");
        let states: Vec<Value> = world.facts_of("ad_line.changed").await.iter().map(|fact| fact["state"].clone()).collect();
        assert_eq!(states, ["draft", "booked", "in_flight", "finished"]);
    })
    .await;
}

#[tokio::test]
async fn namings_do_not_overlap_and_the_refusal_says_what_is_free() {
    on_each_engine(async |world| {
        let mut weather = placement("weather", "naming", 1);
        weather["surface"] = json!("weather");
        world.place(&weather).await;
        let mut naming = banner("m1", "林记天气");
        naming["content"]["format"] = json!("naming");
        let creative = world.approved(MEI, &naming).await;
        let first = world
            .draft((MEI, "m1"), &days("weather", "2026-11-05", "2026-11-10"))
            .await;
        world.shows(MEI, &first, &creative).await;
        world.act(MEI, &first, "booking").content().await;
        let second = world
            .draft((BO, "m2"), &days("weather", "2026-11-09", "2026-11-11"))
            .await;
        let refused = world
            .act(BO, &second, "reservation")
            .refused(409, "slot_taken")
            .await;
        let detail = refused["detail"].as_str().unwrap();
        assert!(
            detail.contains("2026-11-09") && detail.contains("2 days from 2026-11-10"),
            "{detail}"
        );
        let free = world
            .get("/api/ads/availability?from=2026-11-09&until=2026-11-11&format=naming")
            .by(BO)
            .content()
            .await;
        let days = free["items"][0]["days"].as_array().unwrap();
        assert_eq!((&days[0]["free"], &days[1]["free"]), (&json!(0), &json!(1)));
    })
    .await;
}

#[tokio::test]
async fn of_a_hundred_who_want_one_seat_one_gets_it() {
    on_each_engine(async |world| {
        world.place(&placement("home-top", "banner", 1)).await;
        let mut drafts = Vec::new();
        for _ in 0..100 {
            drafts.push(
                world
                    .draft((MEI, "m1"), &days("home-top", "2026-11-05", "2026-11-06"))
                    .await,
            );
        }
        let asks = drafts
            .iter()
            .map(|draft| world.act(MEI, draft, "reservation").reply());
        let statuses: Vec<u16> = join_all(asks)
            .await
            .iter()
            .map(|reply| reply.status.as_u16())
            .collect();
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1);
        assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 99);
    })
    .await;
}

#[tokio::test]
async fn a_reservation_is_over_after_two_days_and_its_seats_are_free() {
    on_each_engine(async |mut world| {
        world.place(&placement("home-top", "banner", 1)).await;
        let flight = days("home-top", "2026-11-12", "2026-11-14");
        let first = world.draft((MEI, "m1"), &flight).await;
        let reserved = world.act(MEI, &first, "reservation").content().await;
        assert_eq!(reserved["state"], "reserved");
        let second = world.draft((BO, "m2"), &flight).await;
        world
            .act(BO, &second, "reservation")
            .refused(409, "slot_taken")
            .await;
        world.pass_ms(2 * DAY_MS);
        // Without a heartbeat: whoever comes next finds the seats free.
        world.act(BO, &second, "reservation").content().await;
        let shown = world
            .get(&format!("/api/ads/lines/{first}"))
            .by(MEI)
            .content()
            .await;
        assert_eq!(
            (&shown["state"], &shown["reserved_until"]),
            (&json!("draft"), &Value::Null)
        );
        world.pass_ms(2 * DAY_MS);
        assert_eq!(world.tick().await["aged"], 1);
        world.act(MEI, &first, "reservation").content().await;
    })
    .await;
}

#[tokio::test]
async fn a_line_goes_only_where_its_state_allows_and_only_with_something_approved() {
    on_each_engine(async |world| {
        world.place(&placement("home-top", "banner", 1)).await;
        let line = world
            .draft((MEI, "m1"), &days("home-top", "2026-11-05", "2026-11-06"))
            .await;
        world
            .act(MEI, &line, "booking")
            .refused(409, "creative_not_approved")
            .await;
        let pending = world
            .post("/api/ads/creatives")
            .by(MEI)
            .json(&banner("m1", "新"))
            .content()
            .await;
        world
            .shows(MEI, &line, pending["id"].as_str().unwrap())
            .await;
        world
            .act(MEI, &line, "booking")
            .refused(409, "creative_not_approved")
            .await;
        let refused = world
            .act(MEI, &line, "stop")
            .refused(409, "line_state")
            .await;
        assert!(
            refused["detail"]
                .as_str()
                .unwrap()
                .contains("reserve, book, cancel")
        );
        world
            .act(MEI, &line, "refusal")
            .refused(403, "operators_only")
            .await;
        let declined = world.act(WANG, &line, "refusal").content().await;
        assert_eq!(
            (&declined["state"], &declined["allowed"]),
            (&json!("declined"), &json!([]))
        );
        world
            .post(&format!("/api/ads/lines/{line}/cancellation"))
            .by(MEI)
            .refused(422, "idempotency_key_required")
            .await;
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_sold_is_refused() {
    on_each_engine(async |world| {
        world.place(&placement("home-top", "banner", 1)).await;
        let order = json!({"merchant": "m1", "name": "x"});
        let order = world.post("/api/ads/orders").by(MEI).json(&order).content().await;
        let path = format!("/api/ads/orders/{}/lines", crate::support::id(&order));
        let fine = days("home-top", "2026-11-05", "2026-11-06");
        for (field, value, code) in [
            ("starts_on", json!("2026-10-01"), "line_invalid"),
            ("budget_minor", json!(5), "line_invalid"),
            ("pricing", json!("cpm"), "line_invalid"),
            ("caps", json!([{"scope": "galaxy", "window": "day", "views": 1}]), "cap_invalid"),
        ] {
            let mut line = fine.clone();
            line[field] = value;
            world.post(&path).by(MEI).json(&line).refused(422, code).await;
        }
        let metered = json!({"placement": "home-top", "starts_on": "2026-11-05", "ends_on": "2026-11-06", "pricing": "cpc", "budget_minor": 100});
        world.post(&path).by(MEI).json(&metered).refused(409, "rate_missing").await;
        let nowhere = days("nowhere", "2026-11-05", "2026-11-06");
        world.post(&path).by(MEI).json(&nowhere).refused(404, "placement_unknown").await;
        let float = r#"{"placement":"home-top","pricing":"day","from":"2026-11-03","until":"2026-11-04","price_minor":12.34567890123456789012}"#;
        let problem = world.post("/api/ads/rate-cards").by(WANG).raw(float).refused(422, "wrong_type").await;
        assert_eq!(problem["field"], "price_minor", "{problem}");
    })
    .await;
}

#[tokio::test]
async fn a_merchant_that_is_frozen_books_nothing_more_until_it_stands_well_again() {
    on_each_engine(async |world| {
        world.place(&placement("home-top", "banner", 1)).await;
        let line = world
            .draft((MEI, "m1"), &days("home-top", "2026-11-05", "2026-11-06"))
            .await;
        let stands = |standing, version| MerchantStandingChanged {
            merchant: MerchantId::parse("m1").unwrap(),
            standing,
            version,
            at: world.context.now,
        };
        world.record(&stands(Standing::Frozen, 2)).await;
        // Old news changes nothing.
        world.record(&stands(Standing::Good, 1)).await;
        world.tick().await;
        world
            .act(MEI, &line, "reservation")
            .refused(409, "merchant_may_not_trade")
            .await;
        world.record(&stands(Standing::Good, 3)).await;
        world.tick().await;
        world.act(MEI, &line, "reservation").content().await;
    })
    .await;
}
