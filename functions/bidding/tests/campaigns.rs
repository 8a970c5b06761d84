//! Campaigns: made, changed, started and ended; what is refused, and that nothing is charged by it.

use serde_json::{Value, json};
use wire::advertising::{CreativeState, ReserveMode};
use wire::event::CreativeChanged;
use wire::mall::Standing;

use crate::events::{board, creative, stands};
use crate::support::{BO, LI, MEI, WANG, World, on_each_engine};

fn wish() -> Value {
    json!({"merchant": "m1", "name": "鱼", "kind": "rank", "creative": "k1", "bid_minor": 50,
        "budget_minor": 10_000, "daily_minor": 1_000, "targets": [{"kind": "keyword", "value": " Fresh  FISH "}]})
}

fn but(name: &str, value: Value) -> Value {
    let mut wish = wish();
    wish[name] = value;
    wish
}

async fn made(world: &World, wish: &Value) -> Value {
    let ask = world.post("/api/bidding/campaigns").by(MEI).key("made");
    ask.json(wish).content().await
}

#[tokio::test]
async fn a_campaign_is_a_draft_until_its_advertiser_starts_it_and_an_end_is_for_ever() {
    on_each_engine(async |world| {
        let campaign = made(&world, &wish()).await;
        assert_eq!(campaign["state"], "draft");
        let target = json!([{"kind": "keyword", "value": "fresh fish"}]);
        assert_eq!(campaign["targets"], target);
        assert_eq!(made(&world, &wish()).await["id"], campaign["id"]);
        let path = format!(
            "/api/bidding/campaigns/{}",
            campaign["id"].as_str().unwrap()
        );
        world
            .post(&format!("{path}/pause"))
            .by(MEI)
            .refused(409, "campaign_state")
            .await;
        for (step, state) in [
            ("activation", "active"),
            ("pause", "paused"),
            ("activation", "active"),
            ("end", "ended"),
        ] {
            let stepped = world
                .post(&format!("{path}/{step}"))
                .by(MEI)
                .content()
                .await;
            assert_eq!(stepped["state"], state);
        }
        let problem = world
            .post(&format!("{path}/activation"))
            .by(MEI)
            .refused(409, "campaign_state")
            .await;
        assert!(
            problem["detail"].as_str().unwrap().contains("nothing"),
            "{problem}"
        );
        assert_eq!(world.count("bid_campaign.changed").await, 5);
        let page = world.get("/api/bidding/campaigns").by(MEI).content().await;
        assert_eq!(page["items"][0]["version"], 5);
        assert_eq!(
            world.get("/api/bidding/campaigns").by(BO).content().await["items"],
            json!([])
        );
    })
    .await;
}

#[tokio::test]
async fn a_campaign_changes_by_its_version_and_a_new_bid_is_a_later_one() {
    on_each_engine(async |world| {
        let id = world.bids(1, 50, ("board", "news")).await;
        let path = format!("/api/bidding/campaigns/{id}");
        let mut changed = but("budget_minor", json!(20_000));
        for name in ["merchant", "kind"] {
            changed.as_object_mut().unwrap().remove(name);
        }
        let put = || {
            world
                .ask(http::Method::PUT, &path)
                .by(MEI)
                .key("put")
                .json(&changed)
        };
        put().refused(428, "if_match_required").await;
        put()
            .header("if-match", "\"1\"")
            .refused(412, "version_changed")
            .await;
        let after = put().header("if-match", "\"2\"").content().await;
        assert_eq!(
            (&after["budget_minor"], &after["state"]),
            (&json!(20_000), &json!("active"))
        );
        let round = world.looks(json!({"keyword": "fresh fish"})).await;
        assert_eq!(round["items"][0]["campaign"], id.as_str());
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_nothing_is_stored() {
    on_each_engine(async |world| {
        world.record(&board(ReserveMode::Unweighted, 60)).await;
        for (wish, status, code) in [
            (but("bid_minor", json!(0)), 422, "campaign_amounts_invalid"),
            (
                but("daily_minor", json!(20_000)),
                422,
                "campaign_amounts_invalid",
            ),
            (
                but("daily_minor", json!(49)),
                422,
                "campaign_amounts_invalid",
            ),
            (but("bid_minor", json!(1.5)), 422, "wrong_type"),
            (but("targets", json!([])), 422, "campaign_targets_invalid"),
            (
                but("targets", json!([{"kind": "placement", "value": "home"}])),
                422,
                "campaign_targets_invalid",
            ),
            (
                but("targets", json!([{"kind": "board", "value": "news"}])),
                422,
                "bid_below_reserve",
            ),
            (
                but("ends_at", json!("2026-10-10T02:00:00Z")),
                422,
                "campaign_time_invalid",
            ),
            (but("merchant", json!("m2")), 404, "merchant_unknown"),
            (but("colour", json!(1)), 422, "wrong_type"),
        ] {
            let ask = world
                .post("/api/bidding/campaigns")
                .by(MEI)
                .key("a")
                .json(&wish);
            ask.refused(status, code).await;
        }
        world
            .post("/api/bidding/campaigns")
            .by(MEI)
            .json(&wish())
            .refused(422, "idempotency_key_required")
            .await;
        assert_eq!(world.count("bid_campaign.changed").await, 0);
    })
    .await;
}

#[tokio::test]
async fn only_an_approved_creative_of_a_merchant_that_may_trade_bids() {
    on_each_engine(async |world| {
        let foreign = made(&world, &but("creative", json!("k2"))).await;
        let path = format!(
            "/api/bidding/campaigns/{}/activation",
            foreign["id"].as_str().unwrap()
        );
        world
            .post(&path)
            .by(MEI)
            .refused(422, "creative_not_approved")
            .await;
        world.bids(1, 50, ("board", "news")).await;
        let shown = async || {
            let page = world.looks(json!({"board": "news"})).await;
            page["items"].as_array().unwrap().len()
        };
        assert_eq!(shown().await, 1);
        world
            .record(&CreativeChanged {
                state: CreativeState::Changed,
                version: 2,
                ..creative("k1", "m1")
            })
            .await;
        assert_eq!(shown().await, 0);
        world
            .record(&CreativeChanged {
                version: 3,
                ..creative("k1", "m1")
            })
            .await;
        assert_eq!(shown().await, 1);
        world.record(&stands("m1", Standing::Frozen, 2)).await;
        assert_eq!(shown().await, 0);
        let body = world
            .post("/api/bidding/campaigns")
            .by(MEI)
            .key("b")
            .json(&wish())
            .content()
            .await;
        let path = format!(
            "/api/bidding/campaigns/{}/activation",
            body["id"].as_str().unwrap()
        );
        world
            .post(&path)
            .by(MEI)
            .refused(409, "merchant_may_not_bid")
            .await;
    })
    .await;
}

#[tokio::test]
async fn what_was_offered_and_spent_stays_within_a_budget_that_is_lowered() {
    on_each_engine(async |world| {
        world.record(&board(ReserveMode::Unweighted, 50)).await;
        let id = world.bids_up_to(1, (50, 1_000), ("board", "news")).await;
        let page = world.looks(json!({"board": "news"})).await;
        world.clicks(&page["items"][0]["offer"]).await;
        let mut changed = but("budget_minor", json!(49));
        for name in ["merchant", "kind"] {
            changed.as_object_mut().unwrap().remove(name);
        }
        changed["bid_minor"] = json!(40);
        changed["daily_minor"] = json!(49);
        let path = format!("/api/bidding/campaigns/{id}");
        let put = world
            .ask(http::Method::PUT, &path)
            .by(MEI)
            .key("put")
            .header("if-match", "*");
        put.json(&changed).refused(409, "budget_below_spend").await;
        assert_eq!(world.campaign(&id).await["spent_micros"], 500_000);
        world
            .get(&path)
            .by(LI)
            .refused(404, "bid_campaign_unknown")
            .await;
        world.get(&path).by(WANG).content().await;
    })
    .await;
}
