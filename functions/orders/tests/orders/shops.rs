//! Shops: open ones are seen, closed and frozen ones are not.

use wire::mall::{MerchantMode, Standing};

use crate::support::{LI, merchant_changed, on_each_engine};

#[tokio::test]
async fn a_shop_is_seen_while_it_may_trade_and_not_while_it_is_frozen_or_closed() {
    on_each_engine(async |world| {
        let shops = async || {
            let page = world.get("/api/shops").by(LI).content().await;
            page["items"].as_array().unwrap().len()
        };
        assert_eq!(shops().await, 2);
        world.stands("fruit", Standing::Frozen, 2).await;
        assert_eq!(shops().await, 1);
        world
            .get("/api/shops/fruit")
            .by(LI)
            .refused(404, "shop_unknown")
            .await;
        // Old news changes nothing.
        world.stands("fruit", Standing::Good, 1).await;
        assert_eq!(shops().await, 1);
        world.stands("fruit", Standing::TopUpRequired, 3).await;
        assert_eq!(shops().await, 2);
        let mut closed = merchant_changed("fruit", MerchantMode::SelfRun, ("guo", &["fruits"]), 2);
        closed.open = false;
        world.record(&closed).await;
        assert_eq!(shops().await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_merchant_with_a_deposit_is_not_seen_until_settlement_says_it_is_paid() {
    on_each_engine(async |world| {
        let baker = merchant_changed("baker", MerchantMode::SelfRun, ("bai", &["food"]), 1);
        world
            .contract("baker", wire::mall::Collection::Platform, 100_000)
            .await;
        world.record(&baker).await;
        world
            .get("/api/shops/baker")
            .by(LI)
            .refused(404, "shop_unknown")
            .await;
        world.stands("baker", Standing::Good, 1).await;
        world.get("/api/shops/baker").by(LI).content().await;
    })
    .await;
}
