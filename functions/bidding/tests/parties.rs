//! What is heard twice, late or out of order, and people who are known by two ids or ask to be forgotten.

use kernel::ActorId;
use serde_json::json;
use wire::event::{MerchantChanged, PersonAliased, PersonErased, PlacementChanged};
use wire::mall::Standing;

use crate::events::{merchant_changed, placement, stands};
use crate::support::{BO, MEI, on_each_engine};

fn person(id: &str) -> ActorId {
    ActorId::parse(id).unwrap()
}

#[tokio::test]
async fn older_news_changes_nothing() {
    on_each_engine(async |world| {
        world.record(&merchant_changed("m1", "bo", 3)).await;
        world
            .record(&MerchantChanged {
                open: false,
                ..merchant_changed("m1", "mei", 2)
            })
            .await;
        world
            .record(&stands("m1", Standing::TopUpRequired, 3))
            .await;
        world.record(&stands("m1", Standing::Frozen, 2)).await;
        world
            .record(&PlacementChanged {
                version: 3,
                reserve: 10,
                ..placement("home")
            })
            .await;
        world
            .record(&PlacementChanged {
                version: 2,
                active: false,
                ..placement("home")
            })
            .await;
        assert_eq!(world.tick().await["parked"], 0);
        let id = world.bids(1, 10, ("placement", "home")).await;
        let page = world.looks(json!({"placement": "home"})).await;
        assert_eq!(page["items"][0]["campaign"], id.as_str());
        let path = format!("/api/bidding/campaigns/{id}");
        world
            .get(&path)
            .by(MEI)
            .refused(404, "bid_campaign_unknown")
            .await;
        world.get(&path).by(BO).content().await;
    })
    .await;
}

#[tokio::test]
async fn a_standing_that_is_heard_before_the_merchant_counts_all_the_same() {
    on_each_engine(async |world| {
        world.record(&stands("m3", Standing::Good, 1)).await;
        world.record(&merchant_changed("m3", "mei", 1)).await;
        world.record(&crate::events::creative("k3", "m3")).await;
        assert_eq!(world.tick().await["parked"], 0);
        world.bids(3, 10, ("keyword", "fish")).await;
    })
    .await;
}

#[tokio::test]
async fn a_person_by_another_id_acts_on_and_one_who_is_forgotten_does_not() {
    on_each_engine(async |world| {
        let id = world.bids(1, 10, ("keyword", "fish")).await;
        let path = format!("/api/bidding/campaigns/{id}");
        world
            .record(&PersonAliased {
                alias: person("mei"),
                person: person("bo"),
            })
            .await;
        world.tick().await;
        world.get(&path).by(BO).content().await;
        world
            .get(&path)
            .by(MEI)
            .refused(404, "bid_campaign_unknown")
            .await;
        world
            .record(&PersonErased {
                person: person("bo"),
                actor: person("bo"),
            })
            .await;
        assert_eq!(world.tick().await["parked"], 0);
        world
            .get(&path)
            .by(BO)
            .refused(404, "bid_campaign_unknown")
            .await;
    })
    .await;
}
