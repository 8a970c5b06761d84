//! Exchanges: a cinema gives tickets for the weather's name; both legs are in the books to the fen.

use kernel::{
    ActorId, CategoryId, CommunityId, Currency, MerchantId, OrderId, OrderLineId, ProductId,
    Timestamp, TransactionId,
};
use serde_json::{Value, json};
use wire::event::OrderLineCompleted;
use wire::mall::{Collection, SaleKind};

use crate::booking::days;
use crate::support::{
    Ask, BO, DAY_MS, KE, LI, MEI, WANG, World, XU, banner, id, on_each_engine, placement,
};

/// The weather's name, which m1 once had for 50.00 a day: so that is what a day is worth.
pub async fn weather(world: &World) {
    let mut weather = placement("weather", "naming", 1);
    weather["surface"] = json!("weather");
    weather["floor_minor"] = json!(5_000);
    world.place(&weather).await;
    let mut naming = banner("m1", "林记天气");
    naming["content"]["format"] = json!("naming");
    let creative = world.approved(MEI, &naming).await;
    let line = world
        .draft((MEI, "m1"), &days("weather", "2026-11-02", "2026-11-03"))
        .await;
    world.shows(MEI, &line, &creative).await;
    world.act(MEI, &line, "booking").content().await;
}

/// Ten days of the weather for 10 tickets, listed at 45.00 and sold elsewhere for 40.00, and 100.00 besides.
pub fn terms() -> Value {
    json!({
        "slots": [{"placement": "weather", "starts_on": "2026-11-05", "ends_on": "2026-11-15"}],
        "goods": [{"name": "电影票", "units": 10, "list_minor": 4_500, "evidence_minor": 4_000, "evidence": "票务平台截图 2026-10-30"}],
        "boot_minor": 10_000, "limit_minor": 12_000,
    })
}

pub async fn draft(world: &World) -> String {
    let sent = json!({"merchant": "cinema", "terms": terms()});
    let made = world
        .post("/api/ads/barters")
        .by(KE)
        .json(&sent)
        .content()
        .await;
    assert_eq!(
        (&made["advertising_minor"], &made["goods_minor"]),
        (&json!(50_000), &json!(40_000))
    );
    id(&made)
}

pub fn step<'a>(world: &'a World, by: crate::support::Person, barter: &str, verb: &str) -> Ask<'a> {
    let key: kernel::EventId = world.context.new_id().unwrap();
    world
        .post(&format!("/api/ads/barters/{barter}/{verb}"))
        .by(by)
        .key(key.as_str())
}

/// An exchange that runs.
pub async fn running(world: &World) -> String {
    let barter = draft(world).await;
    for (by, verb) in [
        (KE, "proposal"),
        (WANG, "agreement"),
        (WANG, "signature"),
        (KE, "signature"),
        (XU, "activation"),
    ] {
        step(world, by, &barter, verb).content().await;
    }
    barter
}

/// The cinema's name stands with the weather.
async fn named(world: &World) {
    let mut naming = banner("cinema", "星光影院天气");
    naming["content"]["format"] = json!("naming");
    let creative = world.approved(KE, &naming).await;
    let lines = world.get("/api/ads/lines").by(KE).content().await;
    world.shows(KE, &id(&lines["items"][0]), &creative).await;
}

async fn receive(world: &World, barter: &str, units: i64) -> Value {
    step(world, XU, barter, "receipts")
        .json(&json!({"item": 1, "units": units}))
        .content()
        .await
}

#[tokio::test]
async fn a_cinema_barters_tickets_for_the_weather_and_it_ends_even() {
    on_each_engine(async |mut world| {
        weather(&world).await;
        let barter = running(&world).await;
        // What is paid besides: on the cinema's statement, and out of what it owes in goods.
        let charged = world.facts_of("advertising.charged").await;
        assert_eq!(
            (&charged[0]["source"], &charged[0]["amount_minor"]),
            (&json!("barter"), &json!(10_000))
        );
        assert_eq!(world.balance("barter_receivable").await, -10_000);
        let received = receive(&world, &barter, 10).await;
        assert_eq!(received["received_minor"], 40_000);
        assert_eq!(world.balance("barter_stock").await, 40_000);
        step(&world, XU, &barter, "receipts")
            .json(&json!({"item": 1, "units": 1}))
            .refused(409, "barter_more_than_agreed")
            .await;
        world.tick_at("2026-11-06T16:00:00Z").await;
        assert_eq!(
            world
                .get(&format!("/api/ads/barters/{barter}"))
                .by(KE)
                .content()
                .await["delivered_minor"],
            10_000
        );
        world.tick_at("2026-11-15T16:00:00Z").await;
        let shown = world
            .get(&format!("/api/ads/barters/{barter}"))
            .by(KE)
            .content()
            .await;
        assert_eq!(
            (&shown["state"], &shown["imbalance_minor"]),
            (&json!("closed"), &json!(0))
        );
        assert_eq!(world.balance("barter_receivable").await, 0);
        // The advertising less what the statement will bring in.
        assert_eq!(world.balance("ad_income").await, 40_000);
        world.tick_at("2026-12-01T00:00:00Z").await;
        let of_line = world
            .facts_of("advertising.charged")
            .await
            .iter()
            .filter(|fact| fact["merchant"] == "cinema")
            .count();
        assert_eq!(of_line, 1);
    })
    .await;
}

#[tokio::test]
async fn nobody_agrees_with_themselves_and_uneven_terms_name_the_boot() {
    on_each_engine(async |world| {
        weather(&world).await;
        let mut uneven = json!({"merchant": "cinema", "terms": terms()});
        uneven["terms"]["boot_minor"] = json!(9_999);
        let refused = world
            .post("/api/ads/barters")
            .by(KE)
            .json(&uneven)
            .refused(422, "barter_uneven")
            .await;
        assert!(refused["detail"].as_str().unwrap().contains("10000"));
        let mut unproven = json!({"merchant": "cinema", "terms": terms()});
        unproven["terms"]["goods"][0]["evidence_minor"] = json!(null);
        world
            .post("/api/ads/barters")
            .by(KE)
            .json(&unproven)
            .refused(422, "barter_evidence_missing")
            .await;
        let own = json!({"merchant": "m1", "terms": terms()});
        // Only m1 itself has ever paid for the weather: for m1 it has no price.
        world
            .post("/api/ads/barters")
            .by(MEI)
            .json(&own)
            .refused(409, "barter_no_deals")
            .await;
        let barter = draft(&world).await;
        step(&world, WANG, &barter, "agreement")
            .refused(409, "barter_state")
            .await;
        step(&world, KE, &barter, "proposal").content().await;
        step(&world, KE, &barter, "agreement")
            .refused(409, "barter_turn")
            .await;
        step(&world, BO, &barter, "agreement")
            .refused(404, "barter_unknown")
            .await;
        let countered = step(&world, WANG, &barter, "counter")
            .json(&terms())
            .content()
            .await;
        assert_eq!(countered["state"], "countered");
        step(&world, WANG, &barter, "agreement")
            .refused(409, "barter_turn")
            .await;
        step(&world, KE, &barter, "agreement").content().await;
        step(&world, WANG, &barter, "activation")
            .refused(409, "barter_state")
            .await;
    })
    .await;
}

#[tokio::test]
async fn goods_are_worth_what_the_mall_sells_them_for() {
    on_each_engine(async |world| {
        weather(&world).await;
        for (line, paid_minor) in [("l1", 8_000), ("l2", 6_000), ("l3", 9_000)] {
            world.record(&sold(line, paid_minor)).await;
        }
        let mut sent = json!({"merchant": "cinema", "terms": terms()});
        sent["terms"]["goods"][0]["product"] = json!("ticket");
        sent["terms"]["boot_minor"] = json!(10_000);
        let made = world
            .post("/api/ads/barters")
            .by(KE)
            .json(&sent)
            .content()
            .await;
        // Two at 80.00, 60.00 and 90.00: the middle is 40.00 each, below the list, whatever the evidence says.
        assert_eq!(made["terms"]["goods"][0]["unit_minor"], 4_000);
    })
    .await;
}

fn sold(line: &str, paid_minor: i64) -> OrderLineCompleted {
    let at = Timestamp::parse(crate::support::START).unwrap();
    OrderLineCompleted {
        order: OrderId::parse("o1").unwrap(),
        line: OrderLineId::parse(line).unwrap(),
        merchant: MerchantId::parse("cinema").unwrap(),
        buyer: ActorId::parse("li").unwrap(),
        community: CommunityId::parse("garden").unwrap(),
        category: CategoryId::parse("fun").unwrap(),
        kind: SaleKind::Goods,
        product: ProductId::parse("ticket").unwrap(),
        quantity: 2,
        paid_minor,
        subsidy_minor: 0,
        freight_minor: 0,
        base_minor: paid_minor,
        rule: None,
        rule_version: None,
        rate_bps: 0,
        commission_minor: 0,
        collection: Collection::Direct,
        currency: Currency::Cny,
        paid_at: at,
        completed_at: at,
        transaction: TransactionId::parse("1").unwrap(),
    }
}

#[tokio::test]
async fn it_is_held_back_when_goods_do_not_come_and_made_even_in_money_when_it_is_ended() {
    on_each_engine(async |mut world| {
        weather(&world).await;
        let barter = running(&world).await;
        named(&world).await;
        let path = format!("/api/ads/barters/{barter}");
        // 5 days at 50.00, 100.00 paid: 150.00 ahead, and 120.00 is allowed.
        world.tick_at("2026-11-08T16:00:00Z").await;
        assert_eq!(world.get(&path).by(KE).content().await["state"], "active");
        world.pass_ms(DAY_MS);
        assert!(world.decide(LI, "weather").await.is_some());
        world.tick_at("2026-11-09T16:00:00Z").await;
        let held = world.get(&path).by(KE).content().await;
        assert_eq!(
            (&held["state"], &held["imbalance_minor"]),
            (&json!("suspended"), &json!(15_000))
        );
        assert!(world.decide(LI, "weather").await.is_none());
        // Two days later tickets come: it goes on, and the days between were not shown.
        world.tick_at("2026-11-11T17:00:00Z").await;
        assert!(world.decide(LI, "weather").await.is_none());
        assert_eq!(receive(&world, &barter, 2).await["state"], "active");
        assert!(world.decide(LI, "weather").await.is_some());
        world.tick_at("2026-11-12T16:00:00Z").await;
        assert_eq!(
            world.get(&path).by(KE).content().await["delivered_minor"],
            30_000
        );
        let ended = step(&world, WANG, &barter, "termination").content().await;
        assert_eq!(
            (&ended["state"], &ended["imbalance_minor"]),
            (&json!("terminated"), &json!(0))
        );
        let charged = world.facts_of("advertising.charged").await;
        let last = charged.last().unwrap();
        // 300.00 shown, 80.00 in tickets, 100.00 paid: 120.00 are open.
        assert_eq!(last["amount_minor"], 12_000);
        assert_eq!(world.balance("barter_receivable").await, 0);
        step(&world, WANG, &barter, "termination")
            .refused(409, "barter_state")
            .await;
    })
    .await;
}
