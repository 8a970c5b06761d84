//! Previews: the examples of the literature and our own to the fen, and nothing is stored.

use auction::Rule;
use serde_json::{Value, json};

use crate::support::{SUN, WANG, World, on_each_engine};

fn edelman() -> Value {
    json!({"weights": [200, 100], "bids": [
        {"id": "ten", "amount": 10}, {"id": "four", "amount": 4}, {"id": "two", "amount": 2}]})
}

fn four() -> Value {
    json!({"weights": [100, 60, 20], "bids": [
        {"id": "a", "amount": 400, "quality_bps": 8_000}, {"id": "b", "amount": 600, "quality_bps": 5_000},
        {"id": "c", "amount": 300, "quality_bps": 9_000}, {"id": "d", "amount": 100, "quality_bps": 10_000}]})
}

async fn preview(world: &World, body: &Value) -> Value {
    let ask = world.post("/api/bidding/previews").by(WANG);
    ask.json(body).content().await
}

fn of(previewed: &Value, field: &str) -> Vec<Value> {
    let placed = previewed["placed"].as_array().unwrap();
    placed.iter().map(|one| one[field].clone()).collect()
}

#[tokio::test]
async fn three_advertisers_and_two_slots_pay_what_the_literature_says() {
    on_each_engine(async |mut world| {
        let gsp = preview(&world, &edelman()).await;
        assert_eq!(of(&gsp, "total"), [800, 200]);
        world.context.auctioneer.rule = Rule::Vcg;
        let vcg = preview(&world, &edelman()).await;
        assert_eq!(
            (of(&vcg, "total"), &vcg["total"]),
            (vec![json!(600), json!(200)], &json!(800))
        );
        assert_eq!(world.count("bid_campaign.changed").await, 0);
        let rounds = world.get("/api/bidding/rounds").by(WANG).content().await;
        assert_eq!(rounds["items"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn quality_counts_as_much_as_the_bid_and_each_price_names_who_set_it() {
    on_each_engine(async |world| {
        let previewed = preview(&world, &four()).await;
        assert_eq!(of(&previewed, "bid"), ["a", "b", "c"]);
        assert_eq!(of(&previewed, "price"), [375, 540, 112]);
        let part = json!([{"by": "bid", "bid": "c", "counted": 2_700_000, "weight": 60}]);
        assert_eq!(previewed["placed"][1]["parts"], part);
        assert_eq!(
            previewed["unplaced"],
            json!([{"bid": "d", "reason": "outbid"}])
        );
        let mut reserved = four();
        reserved["reserve"] = json!({"mode": "weighted", "least": 2_900_000});
        assert_eq!(of(&preview(&world, &reserved).await, "price"), [375, 580]);
    })
    .await;
}

#[tokio::test]
async fn the_order_of_the_bids_changes_nothing() {
    on_each_engine(async |world| {
        let mut turned = four();
        turned["bids"].as_array_mut().unwrap().reverse();
        assert_eq!(
            preview(&world, &turned).await,
            preview(&world, &four()).await
        );
    })
    .await;
}

#[tokio::test]
async fn terms_that_no_round_can_be_held_on_say_why() {
    on_each_engine(async |world| {
        for (name, value) in [
            ("weights", json!([])),
            ("weights", json!([1, 2])),
            ("increment", json!(1)),
        ] {
            let mut wrong = four();
            wrong[name] = value;
            let ask = world.post("/api/bidding/previews").by(WANG).json(&wrong);
            ask.refused(422, "round_invalid").await;
        }
        let wrong = r#"{"weights":[1],"bids":[{"id":"a","amount":0.12345678901234567890}]}"#;
        let wrong: Value = serde_json::from_str(wrong).unwrap();
        let ask = world.post("/api/bidding/previews").by(SUN).json(&wrong);
        ask.refused(422, "wrong_type").await;
    })
    .await;
}
