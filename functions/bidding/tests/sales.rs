//! Bids of a ratio of the sale: ranked by it, charged when an order that came of the click is completed, given back when it
//! is refunded; once each, and never more than was reserved.

use kernel::{
    ActorId, CategoryId, CommunityId, Currency, MerchantId, OrderId, OrderLineId, ProductId,
    RefundId, Timestamp, TransactionId,
};
use serde_json::{Value, json};
use wire::advertising::ReserveMode;
use wire::event::{OrderLineCompleted, OrderLineRefunded, PlacementChanged};
use wire::mall::{Collection, SaleKind};

use crate::events::{at, board};
use crate::support::{Ask, BO, LI, MEI, START, WANG, World, on_each_engine};

/// The ranks of the news for a ratio of the sale, one in a hundred at least.
fn by_ratio() -> PlacementChanged {
    PlacementChanged {
        auction: Some("sale".to_owned()),
        ..board(ReserveMode::Unweighted, 100)
    }
}

/// A merchant's campaign of that ratio, with at most 20 yuan for a sale.
fn wish(number: u8, ratio_bps: i64) -> Value {
    json!({"merchant": format!("m{number}"), "name": "x", "kind": "sale", "creative": format!("k{number}"),
        "bid_minor": 2_000, "ratio_bps": ratio_bps, "budget_minor": 4_000, "daily_minor": 4_000,
        "targets": [{"kind": "board", "value": "news"}]})
}

fn make<'a>(world: &'a World, wish: &Value) -> Ask<'a> {
    let key = format!("{}-{}", wish["merchant"], wish["ratio_bps"]);
    let ask = world.post("/api/bidding/campaigns").by(WANG).key(&key);
    ask.json(wish)
}

async fn bids(world: &World, number: u8, ratio_bps: i64) -> String {
    let made = make(world, &wish(number, ratio_bps)).content().await;
    let id = made["id"].as_str().unwrap().to_owned();
    let path = format!("/api/bidding/campaigns/{id}/activation");
    world.post(&path).by(WANG).content().await;
    id
}

/// m1 bids 5 in a hundred, m2 3: Li sees m1 first, and clicks.
async fn clicked(world: &World) -> (String, Value) {
    world.record(&by_ratio()).await;
    let high = bids(world, 1, 500).await;
    bids(world, 2, 300).await;
    let page = world.looks(json!({"board": "news"})).await;
    assert_eq!(page["items"][0]["campaign"], high.as_str());
    world.clicks(&page["items"][0]["offer"]).await;
    (high, page["round"].clone())
}

/// Li bought of m1 for so much, as soon as they had clicked; all of it was completed a day later.
fn sold(order: &str, line: &str, base_minor: i64) -> OrderLineCompleted {
    OrderLineCompleted {
        order: OrderId::parse(order).unwrap(),
        line: OrderLineId::parse(line).unwrap(),
        merchant: MerchantId::parse("m1").unwrap(),
        buyer: ActorId::parse("li").unwrap(),
        community: CommunityId::parse("garden").unwrap(),
        category: CategoryId::parse("food").unwrap(),
        kind: SaleKind::Goods,
        product: ProductId::parse("p1").unwrap(),
        quantity: 1,
        paid_minor: base_minor,
        subsidy_minor: 0,
        freight_minor: 500,
        base_minor,
        rule: None,
        rule_version: None,
        rate_bps: 0,
        commission_minor: 0,
        collection: Collection::Platform,
        currency: Currency::Cny,
        paid_at: at(START).plus_millis(1),
        completed_at: at("2026-10-11T02:00:00Z"),
        transaction: TransactionId::parse("1").unwrap(),
    }
}

fn back(refund: &str, line: &str, base_minor: i64) -> OrderLineRefunded {
    OrderLineRefunded {
        refund: RefundId::parse(refund).unwrap(),
        after_sale: None,
        order: OrderId::parse("o1").unwrap(),
        line: OrderLineId::parse(line).unwrap(),
        merchant: MerchantId::parse("m1").unwrap(),
        community: CommunityId::parse("garden").unwrap(),
        amount_minor: base_minor,
        subsidy_minor: 0,
        base_minor,
        commission_minor: 0,
        owed_minor: 0,
        collection: Collection::Platform,
        currency: Currency::Cny,
        succeeded_at: at("2026-10-12T02:00:00Z"),
        transaction: TransactionId::parse("2").unwrap(),
    }
}

/// What a campaign has spent and what is reserved of it, in micros.
async fn stands(world: &World, campaign: &str) -> (i64, i64) {
    let shown = world.campaign(campaign).await;
    let of = |name: &str| shown[name].as_i64().unwrap();
    (of("spent_micros"), of("reserved_micros"))
}

async fn hears(world: &World, events: &[OrderLineCompleted]) {
    for event in events {
        world.record(event).await;
    }
    assert_eq!(world.tick().await["parked"], 0);
}

#[tokio::test]
async fn an_order_that_came_of_a_click_costs_the_ratio_that_keeps_the_slot_once() {
    on_each_engine(async |mut world| {
        let (high, round) = clicked(&world).await;
        assert_eq!(stands(&world, &high).await, (0, 20_000_000));
        world.at("2026-10-11T02:00:00Z");
        hears(&world, &[sold("o1", "l1", 10_000), sold("o1", "l1", 10_000)]).await;
        // 3 in a hundred of 100 yuan; the rest of the bid is held until its time is over.
        assert_eq!(stands(&world, &high).await, (3_000_000, 17_000_000));
        assert_eq!(world.count("ad_offer.charged").await, 1);
        let shown = world.round(&round).await;
        assert_eq!(
            (&shown["kind"], &shown["offers"][0]["ratio_bps"], &shown["offers"][0]["charged_micros"]),
            (&json!("sale"), &json!(300), &json!(3_000_000))
        );
        let replay = format!("/api/bidding/rounds/{}/replay", round.as_str().unwrap());
        assert_eq!(world.post(&replay).by(WANG).content().await["same"], true);
        let report = format!("/api/bidding/campaigns/{high}/report");
        let report = world.get(&report).by(MEI).content().await;
        let day = json!({"day": "2026-10-11", "orders": 1, "sale_minor": 10_000, "charged_micros": 3_000_000});
        assert_eq!(report["sales"], json!([day]));
        world.tick_at("2026-11-09T02:00:00Z").await;
        assert_eq!(stands(&world, &high).await, (3_000_000, 0));
        let charged = world.last_fact("advertising.charged").await;
        assert_eq!(
            (&charged["amount_minor"], &charged["month"], &charged["merchant"]),
            (&json!(300), &json!("2026-10"), &json!("m1"))
        );
        // The round is kept as long as what it charged, though nothing had been sold for a week.
        world.round(&round).await;
    })
    .await;
}

#[tokio::test]
async fn no_more_is_charged_than_was_reserved_and_what_goes_back_costs_nothing() {
    on_each_engine(async |mut world| {
        let (high, _) = clicked(&world).await;
        world.at("2026-10-11T02:00:00Z");
        hears(
            &world,
            &[sold("o1", "l1", 50_000), sold("o1", "l2", 50_000)],
        )
        .await;
        // 30 yuan would be 3 in a hundred.
        assert_eq!(stands(&world, &high).await, (20_000_000, 0));
        for refund in [
            back("r1", "l1", 40_000),
            back("r1", "l1", 40_000),
            back("r2", "l9", 1),
        ] {
            world.record(&refund).await;
        }
        assert_eq!(world.tick().await["parked"], 0);
        assert_eq!(stands(&world, &high).await, (18_000_000, 2_000_000));
        world.tick_at("2026-11-09T02:00:00Z").await;
        assert_eq!(stands(&world, &high).await, (18_000_000, 0));
        assert_eq!(
            world.last_fact("advertising.charged").await["amount_minor"],
            1_800
        );
        // The offer is forgotten, and what is bought is brought back: the month gives back.
        world.tick_at("2027-02-01T02:00:00Z").await;
        world.record(&back("r3", "l1", 10_000)).await;
        world.record(&back("r3", "l2", 50_000)).await;
        world.tick().await;
        assert_eq!(stands(&world, &high).await, (0, 0));
        world.tick_at("2027-03-01T02:00:00Z").await;
        let charged = world.last_fact("advertising.charged").await;
        assert_eq!(
            (&charged["amount_minor"], &charged["month"]),
            (&json!(-1_800), &json!("2027-02"))
        );
        assert_eq!(world.count("advertising.charged").await, 2);
    })
    .await;
}

#[tokio::test]
async fn only_what_the_visitor_bought_of_the_advertiser_soon_after_the_click_came_of_it() {
    on_each_engine(async |mut world| {
        let (high, _) = clicked(&world).await;
        world.at("2026-10-11T02:00:00Z");
        let of = |line: &str| sold(line, line, 10_000);
        let paid = |text: &str| at(text);
        let week = Timestamp::parse(START)
            .unwrap()
            .plus_millis(7 * 24 * 3_600_000);
        hears(
            &world,
            &[
                OrderLineCompleted {
                    merchant: MerchantId::parse("m2").unwrap(),
                    ..of("a")
                },
                OrderLineCompleted {
                    buyer: ActorId::parse("mei").unwrap(),
                    ..of("b")
                },
                OrderLineCompleted {
                    paid_at: paid("2026-10-10T01:59:59.999Z"),
                    ..of("c")
                },
                OrderLineCompleted {
                    paid_at: week.plus_millis(1),
                    ..of("d")
                },
                OrderLineCompleted {
                    completed_at: paid("2026-11-09T02:00:00Z"),
                    ..of("e")
                },
                OrderLineCompleted {
                    base_minor: 0,
                    ..of("f")
                },
            ],
        )
        .await;
        assert_eq!(stands(&world, &high).await, (0, 20_000_000));
        // What is offered is seen, and not clicked.
        let page = world.looks(json!({"board": "news"})).await;
        let view = page["items"][0]["offer"].as_str().unwrap();
        let view = format!("/api/bidding/offers/{view}/views");
        world.post(&view).by(LI).content().await;
        let last = OrderLineCompleted {
            paid_at: week,
            ..of("g")
        };
        // One click, one order.
        hears(&world, &[last, of("h")]).await;
        assert_eq!(stands(&world, &high).await, (3_000_000, 37_000_000));
    })
    .await;
}

#[tokio::test]
async fn whose_budget_is_spent_no_longer_bids_and_bids_again_when_something_comes_back() {
    on_each_engine(async |mut world| {
        world.record(&by_ratio()).await;
        let id = bids(&world, 1, 500).await;
        let look = async |world: &World| {
            let page = world.looks(json!({"board": "news"})).await;
            page["items"]
                .as_array()
                .unwrap()
                .first()
                .map(|item| item["offer"].clone())
        };
        // A budget for two sales: the third visitor finds nobody.
        for _ in 0..2 {
            let offer = look(&world).await.unwrap();
            world.clicks(&offer).await;
        }
        assert_eq!(look(&world).await, None);
        world.at("2026-10-11T02:00:00Z");
        hears(
            &world,
            &[sold("o1", "l1", 900_000), sold("o2", "l2", 900_000)],
        )
        .await;
        assert_eq!(stands(&world, &id).await, (40_000_000, 0));
        assert_eq!(world.campaign(&id).await["state"], "exhausted");
        assert_eq!(look(&world).await, None);
        world.tick_at("2026-11-10T02:00:00Z").await;
        world.record(&back("r1", "l1", 900_000)).await;
        world.tick().await;
        assert_eq!(stands(&world, &id).await, (20_000_000, 0));
        assert!(look(&world).await.is_some());
    })
    .await;
}

#[tokio::test]
async fn a_ratio_is_bid_where_ratios_are_and_nothing_else_is() {
    on_each_engine(async |world| {
        world.record(&by_ratio()).await;
        world.tick().await;
        let but = |name: &str, value: Value| {
            let mut wish = wish(1, 500);
            wish[name] = value;
            wish
        };
        for (wish, code) in [
            (but("ratio_bps", Value::Null), "campaign_amounts_invalid"),
            (but("ratio_bps", json!(0)), "campaign_amounts_invalid"),
            (but("ratio_bps", json!(5_001)), "campaign_amounts_invalid"),
            (but("kind", json!("rank")), "campaign_amounts_invalid"),
            (but("bid_minor", json!(4_001)), "campaign_amounts_invalid"),
            (but("ratio_bps", json!(99)), "bid_below_reserve"),
            (
                but("targets", json!([{"kind": "placement", "value": "home"}])),
                "campaign_targets_invalid",
            ),
        ] {
            make(&world, &wish).refused(422, code).await;
        }
        let mut clicks = but("ratio_bps", Value::Null);
        clicks["kind"] = json!("rank");
        let told = make(&world, &clicks)
            .refused(422, "target_sold_otherwise")
            .await;
        assert!(told["detail"].as_str().unwrap().len() > 10);
        assert_eq!(world.count("bid_campaign.changed").await, 0);
        // Ranks of the same board by the click again: the ratio bids nowhere, and cannot be started.
        let made = make(&world, &wish(1, 500)).content().await;
        assert_eq!(
            (&made["kind"], &made["ratio_bps"]),
            (&json!("sale"), &json!(500))
        );
        let clicked = PlacementChanged {
            version: 2,
            ..board(ReserveMode::Unweighted, 0)
        };
        world.record(&clicked).await;
        let path = format!(
            "/api/bidding/campaigns/{}/activation",
            made["id"].as_str().unwrap()
        );
        world
            .post(&path)
            .by(BO)
            .refused(404, "bid_campaign_unknown")
            .await;
        world
            .post(&path)
            .by(MEI)
            .refused(422, "target_sold_otherwise")
            .await;
    })
    .await;
}

/// What a page that is sold by the click remembers of a board is not what one that is sold by ratios does.
#[tokio::test]
async fn those_who_bid_amounts_and_those_who_bid_ratios_never_meet() {
    on_each_engine(async |world| {
        let low = world.bids(2, 100, ("board", "news")).await;
        let high = bids(&world, 1, 500).await;
        let who = async || {
            let page = world.looks(json!({"board": "news"})).await;
            let items = page["items"].as_array().unwrap().iter();
            items
                .map(|item| item["campaign"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(who().await, [low]);
        world.record(&by_ratio()).await;
        assert_eq!(who().await, [high]);
    })
    .await;
}
