//! Deposits of winners who do not keep what was won: kept before the time begins, in the books, and given back where that
//! was wrong.

use serde_json::{Value, json};

use crate::sealed::{CLOSES, bid, put_up};
use crate::support::{Ask, BO, MEI, WANG, World, on_each_engine};

const BEGINS: &str = "2026-10-31T16:00:00Z";

/// Wang does something to a bid, because of something.
fn decides<'a>(world: &'a World, bid: &str, (what, key): (&str, &str)) -> Ask<'a> {
    let ask = world.post(&format!("{bid}/{what}")).by(WANG).key(key);
    ask.json(&json!({"reason": what}))
}

/// Mei has bid 300 yuan, and Bo 200: their bids.
async fn two(world: &World) -> (String, String) {
    let round = put_up(world).await;
    let high = bid(world, &round, (MEI, 1), 30_000).await;
    let low = bid(world, &round, (BO, 2), 20_000).await;
    let path = |bid: &Value| format!("{round}/bids/{}", bid["id"].as_str().unwrap());
    (path(&high), path(&low))
}

/// What stands in `suspense`, where payments, which is not here, has put what was paid; and the income.
async fn books(world: &World) -> (i64, i64) {
    let suspense = world.balance("suspense").await;
    (suspense, world.balance("ad_income").await)
}

#[tokio::test]
async fn the_deposit_of_a_winner_who_does_not_keep_it_is_kept_once_and_the_rank_is_free() {
    on_each_engine(async |mut world| {
        let (won, lost) = two(&world).await;
        let other = world.bids(2, 500, ("board", "news")).await;
        // Nobody has won yet.
        let ask = decides(&world, &won, ("forfeiture", "a"));
        ask.refused(409, "sealed_bid_state").await;
        world.tick_at(CLOSES).await;
        let ask = decides(&world, &lost, ("forfeiture", "b"));
        ask.refused(409, "sealed_bid_state").await;
        let without = world.post(&format!("{won}/forfeiture")).by(WANG);
        let without = without.json(&json!({"reason": "x"}));
        without.refused(422, "idempotency_key_required").await;
        assert_eq!(books(&world).await, (0, 0));
        for _ in 0..2 {
            let kept = decides(&world, &won, ("forfeiture", "c")).content().await;
            let stands = ["state", "forfeit_reason", "refund_state"].map(|name| kept[name].clone());
            assert_eq!(json!(stands), json!(["forfeited", "forfeiture", null]));
        }
        let ask = decides(&world, &won, ("forfeiture", "d"));
        ask.refused(409, "sealed_bid_state").await;
        assert_eq!(books(&world).await, (-5_000, 5_000));
        let told = world.last_fact("sealed_bid.changed").await;
        let told = ["state", "actor", "reason"].map(|name| told[name].clone());
        assert_eq!(json!(told), json!(["forfeited", "wang", "forfeiture"]));
        world.tick_at(BEGINS).await;
        assert_eq!(world.count("advertising.charged").await, 0);
        // That of who lost.
        assert_eq!(world.count("refund.requested").await, 1);
        let page = world.looks(json!({"board": "news"})).await;
        assert_eq!(page["items"][0]["campaign"], other.as_str());
    })
    .await;
}

#[tokio::test]
async fn a_deposit_that_was_kept_wrongly_goes_back_once() {
    on_each_engine(async |mut world| {
        let (won, _) = two(&world).await;
        world.tick_at(CLOSES).await;
        let early = decides(&world, &won, ("restitution", "a"));
        early.refused(409, "sealed_bid_state").await;
        decides(&world, &won, ("forfeiture", "b")).content().await;
        for _ in 0..2 {
            let given = decides(&world, &won, ("restitution", "c")).content().await;
            let stands =
                ["state", "forfeit_reason", "refund_state"].map(|name| given[name].clone());
            assert_eq!(json!(stands), json!(["lost", "forfeiture", "requested"]));
        }
        let again = decides(&world, &won, ("restitution", "d"));
        again.refused(409, "sealed_bid_state").await;
        let again = decides(&world, &won, ("forfeiture", "e"));
        again.refused(409, "sealed_bid_state").await;
        assert_eq!(books(&world).await, (0, 0));
        assert_eq!(world.count("refund.requested").await, 2);
        let asked = world.last_fact("refund.requested").await;
        assert_eq!(asked["amount_minor"], 5_000);
        world.tick_at(BEGINS).await;
        assert_eq!(world.count("advertising.charged").await, 0);
    })
    .await;
}

#[tokio::test]
async fn when_the_time_has_begun_no_deposit_is_kept() {
    on_each_engine(async |mut world| {
        let (won, _) = two(&world).await;
        world.tick_at(CLOSES).await;
        world.at(BEGINS);
        for key in ["a", "b"] {
            let ask = decides(&world, &won, ("forfeiture", key));
            ask.refused(409, "sealed_bid_state").await;
            world.tick().await;
        }
        assert_eq!(world.balance("ad_income").await, 0);
        assert_eq!(world.count("advertising.charged").await, 1);
    })
    .await;
}
