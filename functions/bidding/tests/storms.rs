//! Many at once: spend never exceeds the budget, and a click is charged once.

use serde_json::json;
use wire::advertising::ReserveMode;

use crate::events::board;
use crate::support::{LI, World, on_each_engine};

/// All of them at once.
async fn at_once<T>(asks: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut pending: Vec<_> = asks.into_iter().map(Box::pin).collect();
    let mut done = Vec::new();
    std::future::poll_fn(|context| {
        pending.retain_mut(|ask| match ask.as_mut().poll(context) {
            std::task::Poll::Ready(value) => {
                done.push(value);
                false
            }
            std::task::Poll::Pending => true,
        });
        match pending.is_empty() {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    done
}

async fn looks(world: &World) -> Option<String> {
    let page = world.looks(json!({"board": "news"})).await;
    page["items"][0]["offer"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn of_sixty_offers_at_once_on_a_budget_for_three_there_are_three() {
    on_each_engine(async |world| {
        world.record(&board(ReserveMode::Unweighted, 60)).await;
        let id = world.bids_up_to(1, (100, 300), ("board", "news")).await;
        let offers = at_once((0..60).map(|_| looks(&world)).collect()).await;
        assert_eq!(offers.iter().flatten().count(), 3);
        let campaign = world.campaign(&id).await;
        assert_eq!(campaign["reserved_micros"], 3_000_000);
    })
    .await;
}

#[tokio::test]
async fn of_twenty_clicks_at_once_one_is_charged() {
    on_each_engine(async |world| {
        world.record(&board(ReserveMode::Unweighted, 60)).await;
        let id = world.bids(1, 100, ("board", "news")).await;
        let offer = looks(&world).await.unwrap();
        let path = format!("/api/bidding/offers/{offer}");
        world.post(&format!("{path}/views")).by(LI).content().await;
        let path = format!("{path}/clicks");
        let clicks =
            (0..20).map(|_| async { world.post(&path).by(LI).reply().await.status.as_u16() });
        let mut said = at_once(clicks.collect()).await;
        said.sort_unstable();
        assert_eq!((said[0], said[1]), (200, 409));
        let campaign = world.campaign(&id).await;
        assert_eq!(
            (&campaign["spent_micros"], &campaign["clicks"]),
            (&json!(600_000), &json!(1))
        );
        assert_eq!(world.count("ad_offer.charged").await, 1);
    })
    .await;
}
