//! Sealed rounds: bids that nobody sees, secured by deposits, held once, charged when the time begins.

use serde_json::{Value, json};
use wire::mall::Standing;

use crate::events::stands;
use crate::support::{AUDITOR, Ask, BO, MEI, Person, WANG, World, on_each_engine};

/// When its round closes.
pub const CLOSES: &str = "2026-10-20T02:00:00Z";

/// The first place of the news for November, from 100 yuan on, with a deposit of 50.
fn first_place() -> Value {
    json!({"name": "新闻首位", "kind": "board", "value": "news", "slots": 1, "reserve_minor": 10_000,
        "deposit_minor": 5_000, "starts_at": "2026-10-31T16:00:00Z", "ends_at": "2026-11-30T16:00:00Z",
        "closes_at": CLOSES, "extension_minutes": 5})
}

pub async fn put_up(world: &World) -> String {
    let ask = world.post("/api/bidding/sealed-rounds").by(WANG);
    let made = ask.json(&first_place()).content().await;
    format!(
        "/api/bidding/sealed-rounds/{}",
        made["id"].as_str().unwrap()
    )
}

fn wish(number: u8, amount_minor: i64) -> Value {
    json!({"merchant": format!("m{number}"), "creative": format!("k{number}"), "amount_minor": amount_minor})
}

/// A bid with its deposit.
pub async fn bid(
    world: &World,
    path: &str,
    (person, number): (Person<'_>, u8),
    amount_minor: i64,
) -> Value {
    let key = format!("{number}-{amount_minor}");
    let made = world.post(&format!("{path}/bids")).by(person).key(&key);
    let made = made.json(&wish(number, amount_minor)).content().await;
    world.money_came().await;
    made
}

/// Mei bids once more.
fn again<'a>(world: &'a World, bids: &str, (key, amount_minor): (&str, i64)) -> Ask<'a> {
    world
        .post(bids)
        .by(MEI)
        .key(key)
        .json(&wish(1, amount_minor))
}

#[tokio::test]
async fn the_highest_wins_at_the_second_price_and_deposits_go_back() {
    on_each_engine(async |mut world| {
        let path = put_up(&world).await;
        bid(&world, &path, (MEI, 1), 30_000).await;
        bid(&world, &path, (BO, 2), 20_000).await;
        // Nobody sees what others bid, the platform's people neither.
        let seen = async |world: &World, person: Person<'_>| {
            world.get(&path).by(person).content().await["bids"].clone()
        };
        assert_eq!(seen(&world, WANG).await, json!([]));
        assert_eq!(seen(&world, AUDITOR).await, json!([]));
        assert_eq!(seen(&world, BO).await[0]["amount_minor"], 20_000);
        assert_eq!(seen(&world, BO).await.as_array().unwrap().len(), 1);
        assert_eq!(world.tick().await["cleared"], 0);
        world.at(CLOSES);
        let ticks = tokio::join!(world.tick(), world.tick());
        assert_eq!(
            ticks.0["cleared"].as_i64().unwrap() + ticks.1["cleared"].as_i64().unwrap(),
            1
        );
        let bids = seen(&world, WANG).await;
        assert_eq!(
            (&bids[0]["state"], &bids[0]["price_minor"]),
            (&json!("won"), &json!(20_000))
        );
        assert_eq!(
            (&bids[1]["state"], &bids[1]["refund_state"]),
            (&json!("lost"), &json!("requested"))
        );
        assert_eq!(world.count("refund.requested").await, 1);
        assert_eq!(world.count("advertising.charged").await, 0);
        world.tick_at("2026-10-31T16:00:00Z").await;
        world.tick().await;
        let charged = world.last_fact("advertising.charged").await;
        assert_eq!(
            (
                &charged["merchant"],
                &charged["amount_minor"],
                &charged["month"]
            ),
            (&json!("m1"), &json!(20_000), &json!("2026-11"))
        );
        assert_eq!(
            (
                world.count("advertising.charged").await,
                world.count("refund.requested").await
            ),
            (1, 2)
        );
        let shown = world.get(&path).by(WANG).content().await;
        assert_eq!(world.round(&shown["round"]).await["kind"], "sealed");
    })
    .await;
}

#[tokio::test]
async fn who_rents_the_first_place_is_first_and_pays_no_click() {
    on_each_engine(async |mut world| {
        let path = put_up(&world).await;
        bid(&world, &path, (MEI, 1), 30_000).await;
        let other = world.bids(2, 500, ("board", "news")).await;
        world.tick_at(CLOSES).await;
        world.tick_at("2026-10-31T16:00:00Z").await;
        let page = world.looks(json!({"board": "news"})).await;
        let who: Vec<&Value> = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| &item["merchant"])
            .collect();
        assert_eq!(who, ["m1", "m2"]);
        world.clicks(&page["items"][0]["offer"]).await;
        assert_eq!(world.count("ad_offer.charged").await, 0);
        assert_eq!(world.campaign(&other).await["spent_micros"], 0);
        world.at("2026-11-30T16:00:00Z");
        let page = world.looks(json!({"board": "news"})).await;
        assert_eq!(page["items"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_bid_without_its_deposit_does_not_count_and_one_that_comes_late_goes_back() {
    on_each_engine(async |mut world| {
        let path = put_up(&world).await;
        let unpaid = world.post(&format!("{path}/bids")).by(MEI).key("a");
        assert_eq!(
            unpaid.json(&wish(1, 30_000)).content().await["state"],
            "unsecured"
        );
        let asked = world.last_fact("payment.requested").await;
        assert_eq!(
            (&asked["purpose"], &asked["amount_minor"]),
            (&json!("ad_deposit"), &json!(5_000))
        );
        world.tick_at(CLOSES).await;
        let shown = world.get(&path).by(MEI).content().await;
        assert_eq!(
            (&shown["state"], &shown["bids"][0]["state"]),
            (&json!("cleared"), &json!("lost"))
        );
        assert_eq!(world.count("refund.requested").await, 0);
        world.money_came().await;
        assert_eq!(world.count("refund.requested").await, 1);
        world
            .record(&crate::events::succeeded(&asked, world.context.now))
            .await;
        world.tick().await;
        assert_eq!(world.count("refund.requested").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_bid_can_only_be_raised_and_in_the_last_minutes_moves_the_end() {
    on_each_engine(async |mut world| {
        let path = put_up(&world).await;
        bid(&world, &path, (MEI, 1), 30_000).await;
        let bids = format!("{path}/bids");
        again(&world, &bids, ("b", 30_000))
            .refused(409, "sealed_bid_not_raised")
            .await;
        again(&world, &bids, ("c", 9_999))
            .refused(422, "bid_below_reserve")
            .await;
        world.at("2026-10-20T01:58:00Z");
        again(&world, &bids, ("d", 31_000)).content().await;
        let shown = world.get(&path).by(WANG).content().await;
        assert_eq!(shown["closes_at"], "2026-10-20T02:03:00.000Z");
        assert_eq!(world.tick_at(CLOSES).await["cleared"], 0);
        world.at("2026-10-20T02:03:00Z");
        again(&world, &bids, ("e", 32_000))
            .refused(409, "sealed_round_closed")
            .await;
        assert_eq!(world.tick().await["cleared"], 1);
        // It was alone: it pays the reserve.
        let shown = world.get(&path).by(MEI).content().await;
        assert_eq!(shown["bids"][0]["price_minor"], 10_000);
    })
    .await;
}

#[tokio::test]
async fn who_is_frozen_does_not_win_and_what_is_called_off_gives_all_deposits_back() {
    on_each_engine(async |mut world| {
        let path = put_up(&world).await;
        bid(&world, &path, (MEI, 1), 30_000).await;
        bid(&world, &path, (BO, 2), 20_000).await;
        world.record(&stands("m1", Standing::Frozen, 2)).await;
        world.tick_at(CLOSES).await;
        let bids = world.get(&path).by(WANG).content().await["bids"].clone();
        assert_eq!(
            (&bids[0]["state"], &bids[1]["state"]),
            (&json!("lost"), &json!("won"))
        );
        let again = world.post("/api/bidding/sealed-rounds").by(WANG);
        again
            .json(&first_place())
            .refused(422, "sealed_round_invalid")
            .await;
        let mut other = first_place();
        other["closes_at"] = json!("2026-10-25T02:00:00Z");
        let ask = world.post("/api/bidding/sealed-rounds").by(WANG);
        ask.json(&other).refused(409, "rank_let_already").await;
        other["value"] = json!("weather");
        let made = world
            .post("/api/bidding/sealed-rounds")
            .by(WANG)
            .json(&other)
            .content()
            .await;
        let path = format!(
            "/api/bidding/sealed-rounds/{}",
            made["id"].as_str().unwrap()
        );
        bid(&world, &path, (BO, 2), 15_000).await;
        let before = world.count("refund.requested").await;
        let off = format!("{path}/cancellation");
        let ended = world.post(&off).by(WANG).key("off").content().await;
        assert_eq!(
            (&ended["state"], &ended["bids"][0]["state"]),
            (&json!("called_off"), &json!("lost"))
        );
        assert_eq!(world.count("refund.requested").await, before + 1);
        world
            .post(&off)
            .by(WANG)
            .key("off2")
            .refused(409, "sealed_round_state")
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_deposit_that_the_channel_refuses_to_give_back_is_asked_for_again() {
    on_each_engine(async |mut world| {
        let path = put_up(&world).await;
        bid(&world, &path, (MEI, 1), 30_000).await;
        let made = bid(&world, &path, (BO, 2), 20_000).await;
        let again = format!("{path}/bids/{}/refund", made["id"].as_str().unwrap());
        world.tick_at(CLOSES).await;
        let ask = |key: &str| world.post(&again).by(WANG).key(key);
        ask("a").refused(409, "deposit_refund_state").await;
        let asked = world.last_fact("refund.requested").await;
        world.record(&crate::events::refund_failed(&asked)).await;
        world.tick().await;
        assert_eq!(ask("b").content().await["refund_state"], "requested");
        ask("c").refused(409, "deposit_refund_state").await;
        assert_eq!(world.count("refund.requested").await, 2);
        let other = format!("{path}/bids/b1/refund");
        let unknown = world.post(&other).by(WANG).key("d");
        unknown.refused(404, "sealed_bid_unknown").await;
    })
    .await;
}
