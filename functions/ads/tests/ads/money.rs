//! Money: months are charged once, rounded once, and shared once; what fell short is made good.

use kernel::{ActorId, CommunityId, Currency, MerchantId, PlacementId, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};
use store::testing::sqlite;
use wire::advertising::{ChargeSource, Ownership};
use wire::event::{AdvertisingCharged, PersonErased};

use crate::booking::days;
use crate::delivery::{metered, priced};
use crate::support::{BO, LI, MEI, MIGRATIONS, Step, WANG, World, XU, on_each_engine, placement};

#[tokio::test]
async fn each_month_of_a_line_is_charged_once_also_when_months_were_missed() {
    on_each_engine(async |mut world| {
        let mut lift = placement("lift", "banner", 1);
        lift["ownership"] = json!("common");
        lift["community"] = json!("garden");
        lift["cost_bps"] = json!(3_000);
        world.place(&lift).await;
        world
            .booked((MEI, "m1"), &days("lift", "2026-11-28", "2027-01-03"))
            .await;
        // Nobody looked for two months.
        world.tick_at("2027-01-15T00:00:00Z").await;
        world.tick().await;
        let charged = world.facts_of("advertising.charged").await;
        let sums: Vec<(&Value, &Value)> = charged
            .iter()
            .map(|fact| (&fact["month"], &fact["amount_minor"]))
            .collect();
        assert_eq!(
            sums,
            [
                (&json!("2026-11"), &json!(3_000)),
                (&json!("2026-12"), &json!(31_000))
            ]
        );
        assert_eq!(charged[0]["at"], "2026-11-30T15:59:59.999Z");
        world.tick_at("2027-02-01T00:00:00Z").await;
        world.tick().await;
        assert_eq!(world.facts_of("advertising.charged").await.len(), 3);
        assert_eq!(world.balance("owners_common_fund:garden").await, 25_200);
        assert_eq!(world.balance("ad_income").await, -25_200);
        assert_eq!(world.facts_of("advertising.shared").await.len(), 3);
        let revenue = world
            .get("/api/ads/revenue?from=2026-11&to=2027-01")
            .by(WANG)
            .content()
            .await;
        assert_eq!(revenue["items"][1]["owners_minor"], 21_700);
        let charges = world.get("/api/ads/charges").by(MEI).content().await;
        assert_eq!(charges["items"].as_array().unwrap().len(), 3);
        let others = world.get("/api/ads/charges").by(BO).content().await;
        assert_eq!(others["items"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn the_property_company_has_its_share_and_views_are_rounded_once() {
    on_each_engine(async |mut world| {
        priced(&world, "cpm", 333).await;
        let mut company = placement("home-top", "banner", 2);
        company.as_object_mut().unwrap().remove("id");
        company["ownership"] = json!("company");
        company["community"] = json!("garden");
        company["company_bps"] = json!(5_000);
        world
            .put("/api/ads/placements/home-top")
            .by(XU)
            .json(&company)
            .content()
            .await;
        world.booked((MEI, "m1"), &metered("cpm", 100)).await;
        for _ in 0..5 {
            world.look(LI, "home-top").await.unwrap();
        }
        world.tick_at("2026-12-01T00:00:00Z").await;
        world.tick().await;
        // 5 views at 3.33 yuan a thousand: 1.665 fen, so 2.
        let charged = world.facts_of("advertising.charged").await;
        assert_eq!(charged[0]["amount_minor"], 2);
        assert_eq!(world.balance("company_payable:garden").await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_others_charge_is_split_once_too_and_given_back_only_as_far_as_the_fund_goes() {
    on_each_engine(async |world| {
        let mut gate = placement("gate", "banner", 1);
        gate["ownership"] = json!("common");
        gate["community"] = json!("garden");
        gate["cost_bps"] = json!(2_500);
        world.place(&gate).await;
        for (charge, amount_minor) in [
            ("bidding.c1.2026-10", 1_000),
            ("bidding.c1.2026-10", 1_000),
            ("bidding.c2.2026-10", -2_000),
        ] {
            world.record(&bid(charge, amount_minor)).await;
        }
        assert_eq!(world.tick().await["parked"], 0);
        assert_eq!(world.balance("owners_common_fund:garden").await, 0);
        let shared = world.facts_of("advertising.shared").await;
        let owners: Vec<&Value> = shared.iter().map(|fact| &fact["owners_minor"]).collect();
        assert_eq!(owners, [&json!(750), &json!(-750)]);
        assert_eq!(shared[1]["platform_minor"], -1_250);
        let revenue = world
            .get("/api/ads/revenue?from=2026-10&to=2026-10")
            .by(WANG)
            .content()
            .await;
        assert_eq!(revenue["items"][0]["amount_minor"], -1_000);
    })
    .await;
}

fn bid(charge: &str, amount_minor: i64) -> AdvertisingCharged {
    AdvertisingCharged {
        charge: charge.to_owned(),
        merchant: MerchantId::parse("m1").unwrap(),
        source: ChargeSource::Bidding,
        reference: "c1".to_owned(),
        placement: PlacementId::parse("gate").ok(),
        ownership: Ownership::Common,
        community: CommunityId::parse("garden").ok(),
        month: "2026-10".to_owned(),
        amount_minor,
        currency: Currency::Cny,
        at: Timestamp::parse("2026-10-31T15:59:59Z").unwrap(),
    }
}

#[tokio::test]
async fn who_is_forgotten_acts_for_nobody_and_was_seen_by_nobody() {
    on_each_engine(async |world| {
        world.place(&placement("home-top", "banner", 1)).await;
        let mut line = days("home-top", "2026-11-02", "2026-11-05");
        line["caps"] = json!([{"scope": "line", "window": "day", "views": 1}]);
        world.booked((MEI, "m1"), &line).await;
        world.look(LI, "home-top").await.unwrap();
        assert!(world.decide(LI, "home-top").await.is_none());
        for person in ["li", "mei"] {
            world
                .record(&PersonErased {
                    person: ActorId::parse(person).unwrap(),
                    actor: ActorId::parse("wang").unwrap(),
                })
                .await;
        }
        world.tick().await;
        // Nothing is known of what they saw; that somebody saw it stays.
        assert!(world.decide(LI, "home-top").await.is_some());
        let total = world
            .get("/api/ads/reports?by=day&from=2026-11-01&until=2026-12-01")
            .by(WANG)
            .content()
            .await;
        assert_eq!(total["total"]["reach"], 1);
        world
            .get("/api/ads/lines?merchant=m1")
            .by(MEI)
            .refused(404, "merchant_unknown")
            .await;
    })
    .await;
}

/// Whatever is told in whatever order: what is spent and promised never passes the budget, and what is charged is what
/// was counted.
async fn spend_stays_within(budget_minor: i64, steps: &[Step]) {
    let mut world = World::on(sqlite(&MIGRATIONS).await);
    world.found().await;
    priced(&world, "cpc", 100).await;
    world
        .booked((MEI, "m1"), &metered("cpc", budget_minor))
        .await;
    let mut offers = Vec::new();
    for step in steps {
        match step {
            Step::Offer => offers.extend(world.decide(LI, "home-top").await),
            Step::View(at) | Step::Click(at) => {
                let what = if matches!(step, Step::View(_)) {
                    "views"
                } else {
                    "clicks"
                };
                if let Some(offer) = offers.get(*at) {
                    world.tell(offer, what).reply().await;
                }
            }
            Step::Wait => {
                world.pass_ms(2 * 60 * 60 * 1_000);
                world.tick().await;
            }
        }
    }
    let total = world
        .get("/api/ads/reports?by=line&from=2026-11-01&until=2026-12-01")
        .by(WANG)
        .content()
        .await["total"]
        .clone();
    let clicks = total["clicks"].as_i64().unwrap();
    assert_eq!(total["cost_minor"], clicks * 100);
    assert!(
        clicks * 100 <= budget_minor,
        "{clicks} clicks of {budget_minor}"
    );
    world.tick_at("2026-12-02T00:00:00Z").await;
    let charged: i64 = world
        .facts_of("advertising.charged")
        .await
        .iter()
        .map(|fact| fact["amount_minor"].as_i64().unwrap())
        .sum();
    assert_eq!(charged, clicks * 100);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn spend_never_passes_the_budget_over_any_history(
        budget in 1_i64..8,
        steps in prop::collection::vec(Step::any(20), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(spend_stays_within(budget * 100, &steps));
    }
}
