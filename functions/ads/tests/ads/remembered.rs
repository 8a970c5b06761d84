//! What an instance remembers of placements: a change by whomever is seen by the very next decision.

use serde_json::{Value, json};
use store::testing::sqlite;

use crate::booking::days;
use crate::delivery::{metered, priced};
use crate::support::{
    BO, LI, MA, MEI, MIGRATIONS, WANG, World, XU, ZHOU, banner, content, merchant_changed,
    on_each_engine, placement,
};

/// What Li is shown in the placement: the title and who advertises.
async fn shown(world: &World) -> Option<(String, String)> {
    let offer = world.decide(LI, "home-top").await?;
    let of = |name: &str| offer["creative"][name].as_str().unwrap().to_owned();
    Some((of("title"), of("sponsor")))
}

async fn closed(world: &World, is_closed: bool) {
    let mut changed = placement("home-top", "banner", 2);
    changed.as_object_mut().unwrap().remove("id");
    changed["active"] = json!(!is_closed);
    let put = world.put("/api/ads/placements/home-top").by(XU);
    put.json(&changed).content().await;
}

async fn reviewed(world: &World, creative: &str, decision: &Value) {
    let path = format!("/api/ads/creatives/{creative}/review");
    world.post(&path).by(ZHOU).json(decision).content().await;
}

#[tokio::test]
async fn whatever_changes_is_seen_at_once() {
    on_each_engine(async |mut world| {
        world.place(&placement("home-top", "banner", 2)).await;
        assert_eq!(shown(&world).await, None);
        let apples = Some(("苹果".to_owned(), "m1 商店".to_owned()));
        let line = world
            .booked((MEI, "m1"), &days("home-top", "2026-11-02", "2026-11-05"))
            .await;
        assert_eq!(shown(&world).await, apples);
        closed(&world, true).await;
        assert_eq!(shown(&world).await, None);
        closed(&world, false).await;
        assert_eq!(shown(&world).await, apples);
        let mut renamed = merchant_changed("m1", "mei");
        (renamed.name, renamed.version) = ("张记果园".to_owned(), 2);
        world.record(&renamed).await;
        world.tick().await;
        let renamed = |title: &str| Some((title.to_owned(), "张记果园".to_owned()));
        assert_eq!(shown(&world).await, renamed("苹果"));
        let pears = world.approved(MEI, &banner("m1", "梨")).await;
        assert_eq!(shown(&world).await, renamed("苹果"));
        world.shows(MEI, &line, &pears).await;
        assert_eq!(shown(&world).await, renamed("梨"));
        let path = format!("/api/ads/creatives/{pears}");
        let other = content("banner", "桃");
        let other = json!({"content": other});
        world.put(&path).by(MEI).json(&other).content().await;
        assert_eq!(shown(&world).await, None);
        let approve = json!({"decision": "approve", "reason": null});
        reviewed(&world, &pears, &approve).await;
        assert_eq!(shown(&world).await, renamed("桃"));
        world.act(MEI, &line, "stop").content().await;
        assert_eq!(shown(&world).await, None);
        world
            .booked((BO, "m2"), &days("home-top", "2026-11-03", "2026-11-04"))
            .await;
        assert_eq!(shown(&world).await, None);
        // Days begin and end without anybody's doing.
        world.pass_ms(24 * 60 * 60 * 1_000);
        assert_eq!(shown(&world).await.unwrap().1, "m2 商店");
        world.pass_ms(24 * 60 * 60 * 1_000);
        assert_eq!(shown(&world).await, None);
    })
    .await;
}

#[tokio::test]
async fn a_budget_is_never_remembered() {
    on_each_engine(async |mut world| {
        priced(&world, "cpc", 100).await;
        let mut paced = metered("cpc", 350);
        paced["pacing"] = json!("even");
        for line in [metered("cpc", 200), paced] {
            world.booked((MEI, "m1"), &line).await;
        }
        let mut offered = 0;
        for _ in 0..40 {
            offered += usize::from(world.decide(MA, "home-top").await.is_some());
        }
        assert!((2..=5).contains(&offered), "{offered}");
        world.pass_ms(2 * 60 * 60 * 1_000);
        assert_eq!(world.tick().await["released"], offered);
        assert!(world.decide(MA, "home-top").await.is_some());
    })
    .await;
}

/// Who holds the only turn to write holds up nobody who is shown what days are paid for.
#[tokio::test]
async fn an_offer_that_promises_nothing_is_stored_when_it_is_viewed() {
    let world = World::on(sqlite(&MIGRATIONS).await);
    world.found().await;
    world.place(&placement("home-top", "banner", 1)).await;
    world
        .booked((MEI, "m1"), &days("home-top", "2026-11-02", "2026-11-05"))
        .await;
    let offers = store::bulk(&world.context.db, async |_| {
        let (first, second) = (
            world.decide(LI, "home-top").await,
            world.decide(LI, "home-top").await,
        );
        Ok([first.unwrap(), second.unwrap()])
    })
    .await
    .unwrap();
    let stored = async || {
        let count = "select count(*) from ads_offer";
        let rows = world.context.db.rows(count, &[]).await.unwrap();
        rows[0].integer(0).unwrap()
    };
    assert_eq!(stored().await, 0);
    world
        .tell(&offers[0], "clicks")
        .refused(404, "offer_unknown")
        .await;
    for offer in &offers {
        world.tell(offer, "views").content().await;
        world.tell(offer, "views").refused(409, "offer_used").await;
        world.tell(offer, "clicks").content().await;
        world.tell(offer, "clicks").refused(409, "offer_used").await;
    }
    assert_eq!(stored().await, 2);
    let report = world
        .get("/api/ads/reports?by=line&from=2026-11-01&until=2026-12-01")
        .by(WANG)
        .content()
        .await;
    assert_eq!(report["total"]["views"], 2);
    assert_eq!(report["total"]["clicks"], 2);
}

#[tokio::test]
async fn a_placement_says_in_which_unit_its_ranks_are_sold() {
    on_each_engine(async |world| {
        let mut ranks = placement("search-ranks", "text", 5);
        ranks["slot_weights"] = json!([100, 60]);
        ranks["auction"] = json!("sale");
        world.place(&ranks).await;
        let path = "/api/ads/placements/search-ranks";
        let put = async |auction: &str| {
            let mut changed = ranks.clone();
            changed.as_object_mut().unwrap().remove("id");
            changed["auction"] = json!(auction);
            let put = world.put(path).by(XU).json(&changed);
            put.content().await;
        };
        for auction in ["sale", "rank", "sale", "display"] {
            put(auction).await;
            let shown = world.get(path).by(XU).content().await;
            assert_eq!(shown["auction"], auction);
            let told = world.facts_of("placement.changed").await;
            assert_eq!(told.last().unwrap()["auction"], auction);
        }
    })
    .await;
}
