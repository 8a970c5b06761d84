//! Baskets with today's prices, promotions, coupons and freight; groups of buyers.

use kernel::{
    ActorId, CheckoutId, CommunityId, CouponId, OrderId, OrderLineId, PromotionId, SlotId,
    VariantId,
};
use orders::quoting::{Ask, Basket, Quote, quote};
use orders::store::coupons;
use orders::store::groups::{self, Joining, Seat};
use orders::store::stock::{self, Claim};
use serde_json::{Value, json};
use wire::mall::Standing;

use crate::buyers::promotion;
use crate::goods::{apples, id, variant};
use crate::support::{DAY_MS, FRUITER, LI, World, demo, merchant, on_each_engine};

fn ask(variant: &str, quantity: u32) -> Ask {
    Ask {
        variant: VariantId::parse(variant).unwrap(),
        slot: None,
        quantity,
        group: None,
    }
}

fn basket(buyer: &str, asks: Vec<Ask>) -> Basket {
    Basket {
        buyer: ActorId::parse(buyer).unwrap(),
        community: CommunityId::parse("garden").unwrap(),
        asks,
        coupons: vec![],
        brought: true,
    }
}

impl World {
    async fn quoted(&self, basket: &Basket) -> Result<Quote, &'static str> {
        let quoted = store::tx(&self.context.db, &demo(), async |tx| {
            quote(tx, self.context.now, basket).await
        })
        .await;
        quoted.map_err(|error| error.downcast::<kernel::Refusal>().unwrap().code)
    }

    /// Sets aside what was quoted, for a checkout of that name, each line of an order of its own.
    async fn placed(&self, checkout: &str, buyer: &str, quote: &Quote) -> bool {
        let mut claims = Vec::new();
        for (number, line) in quote.shops.iter().flat_map(|shop| &shop.lines).enumerate() {
            claims.extend(line.items.iter().map(|item| Claim {
                line: OrderLineId::parse(&format!("{checkout}-{number}")).unwrap(),
                item: item.clone(),
                order: OrderId::parse(&format!("{checkout}-o{number}")).unwrap(),
                checkout: CheckoutId::parse(checkout).unwrap(),
                buyer: ActorId::parse(buyer).unwrap(),
                quantity: line.quantity,
            }));
        }
        store::tx(&self.context.db, &demo(), async |tx| {
            stock::reserve(tx, self.context.now, &claims).await
        })
        .await
        .is_ok()
    }
}

fn sums(quote: &Quote) -> Vec<(i64, i64, i64)> {
    let lines = quote.shops.iter().flat_map(|shop| &shop.lines);
    lines
        .map(|line| {
            let priced = &line.priced;
            (
                priced.payable_minor,
                priced.subsidy_minor,
                priced.freight_minor,
            )
        })
        .collect()
}

#[tokio::test]
async fn a_basket_of_two_shops_is_priced_with_reduction_coupon_and_freight() {
    on_each_engine(async |world| {
        let apples = world.offered(FRUITER, &apples(10)).await;
        let (service, slot) = world.laundry(2).await;
        let delivery = json!({"freight_minor": 600, "free_from_minor": 20_000, "own": true, "carrier": false, "pickup": true});
        world.put("/api/shops/fruit/delivery").by(FRUITER).json(&delivery).content().await;
        let tiers = json!([{"from_minor": 10_000, "off_minor": 1_000}]);
        promotion(&world, json!({"kind": "full_reduction", "tiers": tiers}), 3_000).await;
        let issue = promotion(&world, json!({"kind": "coupon", "off_minor": 500, "least_minor": 1_000, "issue_max": 9}), 0).await;
        let coupon = world.post(&format!("/api/promotions/{}/coupons", id(&issue))).by(LI).content().await;
        let wash = Ask { slot: SlotId::parse(&id(&slot)).ok(), ..ask(&variant(&service, 0), 1) };
        let mut wanted = basket("li", vec![ask(&variant(&apples, 0), 1), ask(&variant(&apples, 1), 1), wash]);
        wanted.coupons = vec![CouponId::parse(&id(&coupon)).unwrap()];
        let quote = world.quoted(&wanted).await.unwrap();
        // 39.90 + 69.90 - 10.00 - 5.00 + 6.00 of freight; the laundry 25.00 without.
        assert_eq!(quote.total_minor(), 3_990 + 6_990 - 1_500 + 600 + 2_500);
        let of = sums(&quote);
        assert_eq!(of.iter().map(|line| line.1).sum::<i64>(), 300, "30 % of the reduction");
        assert_eq!(of.iter().map(|line| line.2).collect::<Vec<_>>(), [218, 382, 0]);
        assert_eq!(quote.shops[1].lines[0].cancel_until.unwrap().to_string(), "2026-11-03T00:00:00.000Z");
        wanted.buyer = ActorId::parse("ma").unwrap();
        assert_eq!(world.quoted(&wanted).await, Err("coupon_unfit"), "not Ma's");
        assert_eq!(world.quoted(&basket("li", vec![])).await, Err("lines_number"));
        assert_eq!(world.quoted(&basket("li", vec![ask("nothing", 1)])).await, Err("product_unknown"));
        world.stands("fruit", Standing::Frozen, 1).await;
        world.tick().await;
        assert_eq!(world.quoted(&basket("li", vec![ask(&variant(&apples, 0), 1)])).await, Err("shop_not_trading"));
    })
    .await;
}

#[tokio::test]
async fn a_flash_price_holds_while_units_are_left_and_within_a_persons_limit() {
    on_each_engine(async |world| {
        let apples = world.offered(FRUITER, &apples(10)).await;
        let one = variant(&apples, 0);
        let terms = json!({"kind": "flash_sale", "variant": one, "price_minor": 990, "units": 3, "person_max": 2});
        let sale = promotion(&world, terms, 0).await;
        let pay = async |buyer: &str, count: u32| sums(&world.quoted(&basket(buyer, vec![ask(&one, count)])).await.unwrap())[0].0;
        let buy = async |checkout: &str, buyer: &str, count: u32| {
            let quote = world.quoted(&basket(buyer, vec![ask(&one, count)])).await.unwrap();
            world.placed(checkout, buyer, &quote).await
        };
        assert_eq!(pay("li", 2).await, 2 * 990);
        assert_eq!(pay("li", 3).await, 3 * 3_990, "more than one person may have");
        assert!(buy("c1", "li", 2).await);
        assert_eq!(pay("li", 1).await, 3_990);
        assert_eq!(pay("ma", 1).await, 990);
        assert!(buy("c2", "ma", 1).await);
        assert_eq!(pay("zhao", 1).await, 3_990, "sold out");
        let shown = world.get(&format!("/api/promotions/{}", id(&sale))).by(LI).content().await;
        assert_eq!(shown["left"], 0);
        let stock = world.get(&format!("/api/stock/{one}")).by(FRUITER).content().await;
        assert_eq!((stock["available"].as_i64(), stock["reserved"].as_i64()), (Some(7), Some(3)));
        // What Li does not pay can be had by others at the same price.
        store::tx(&world.context.db, &demo(), async |tx| {
            stock::release(tx, world.context.now, &CheckoutId::parse("c1").unwrap(), None).await
        })
        .await
        .unwrap();
        assert_eq!(pay("zhao", 2).await, 2 * 990);
    })
    .await;
}

#[tokio::test]
async fn a_coupon_is_used_once_and_given_back_when_its_checkout_ends() {
    on_each_engine(async |world| {
        let issue = promotion(
            &world,
            json!({"kind": "coupon", "off_minor": 500, "least_minor": 1, "issue_max": 9}),
            0,
        )
        .await;
        let made = world
            .post(&format!("/api/promotions/{}/coupons", id(&issue)))
            .by(LI)
            .content()
            .await;
        let coupon = CouponId::parse(&id(&made)).unwrap();
        let li = ActorId::parse("li").unwrap();
        let checkout = |number: u32| CheckoutId::parse(&format!("c{number}")).unwrap();
        let use_for = async |number| {
            store::tx(&world.context.db, &demo(), async |tx| {
                coupons::use_for(tx, world.context.now, (&coupon, &li), &checkout(number)).await
            })
            .await
            .unwrap()
        };
        assert!(use_for(1).await);
        assert!(!use_for(2).await);
        store::tx(&world.context.db, &demo(), async |tx| {
            coupons::give_back(tx, &checkout(1), Some(&merchant("fruit"))).await?;
            coupons::give_back(tx, &checkout(1), None).await
        })
        .await
        .unwrap();
        assert!(use_for(2).await);
    })
    .await;
}

/// A group-buy of three, and the steps of its orders.
struct Groups<'a> {
    world: &'a World,
    promotion: PromotionId,
}

impl Groups<'_> {
    async fn join(
        &self,
        order: &str,
        buyer: &str,
        group: Option<&kernel::GroupId>,
    ) -> Option<kernel::GroupId> {
        let (order, buyer) = (
            OrderId::parse(order).unwrap(),
            ActorId::parse(buyer).unwrap(),
        );
        store::tx(&self.world.context.db, &demo(), async |tx| {
            let joining = Joining {
                promotion: &self.promotion,
                merchant: &merchant("fruit"),
                size: 3,
                hours: 24,
                group,
                order: &order,
                buyer: &buyer,
            };
            let joined = groups::join(tx, self.world.context.now, &joining).await?;
            joined.ok_or_else(|| anyhow::anyhow!("refused"))
        })
        .await
        .ok()
    }

    async fn paid(&self, order: &str) -> Seat {
        let order = OrderId::parse(order).unwrap();
        store::tx(&self.world.context.db, &demo(), async |tx| {
            groups::paid(tx, &order).await
        })
        .await
        .unwrap()
    }

    async fn leave(&self, order: &str) {
        let order = OrderId::parse(order).unwrap();
        store::tx(&self.world.context.db, &demo(), async |tx| {
            groups::leave(tx, &order).await
        })
        .await
        .unwrap();
    }
}

#[tokio::test]
async fn a_group_is_full_when_all_its_seats_are_paid_and_never_fuller() {
    on_each_engine(async |mut world| {
        let apples = world.offered(FRUITER, &apples(10)).await;
        let terms = json!({"kind": "group_buy", "variant": variant(&apples, 0), "price_minor": 2_990, "size": 3, "hours": 24});
        let made: Value = promotion(&world, terms, 0).await;
        let of = PromotionId::parse(&id(&made)).unwrap();
        let asked = Ask { group: Some(of.clone()), ..ask(&variant(&apples, 0), 1) };
        let quote = world.quoted(&basket("li", vec![asked])).await.unwrap();
        assert_eq!((sums(&quote)[0].0, quote.shops[0].lines[0].group.as_ref().unwrap().size), (2_990, 3));
        let groups = Groups { world: &world, promotion: of.clone() };
        let group = groups.join("o1", "li", None).await.unwrap();
        assert!(groups.join("o1b", "li", Some(&group)).await.is_none(), "one seat each");
        groups.join("o2", "ma", Some(&group)).await.unwrap();
        groups.join("o3", "zhao", Some(&group)).await.unwrap();
        assert!(groups.join("o4", "qian", Some(&group)).await.is_none(), "no seat left");
        assert_eq!(groups.paid("o1").await, Seat::Waiting);
        groups.leave("o3").await;
        groups.join("o4", "qian", Some(&group)).await.unwrap();
        assert_eq!(groups.paid("o2").await, Seat::Waiting);
        assert_eq!(groups.paid("o2").await, Seat::Waiting, "twice says the same");
        assert_eq!(groups.paid("o3").await, Seat::TooLate, "it gave up its seat");
        let orders = ["o1", "o2", "o4"].map(|order| OrderId::parse(order).unwrap());
        assert_eq!(groups.paid("o4").await, Seat::Full(orders.to_vec()));
        let open = format!("/api/group-buys?promotion={of}");
        assert_eq!(world.get(&open).by(LI).content().await["items"], json!([]));
        let groups = Groups { world: &world, promotion: of };
        let late = groups.join("o5", "li", None).await.unwrap();
        assert_eq!(world.get(&open).by(LI).content().await["items"][0]["id"], late.as_str());
        world.stands("fruit", Standing::Frozen, 1).await;
        world
            .get(&open)
            .by(LI)
            .refused(404, "promotion_unknown")
            .await;
        world.stands("fruit", Standing::Good, 2).await;
        world.pass_ms(DAY_MS);
        assert_eq!(world.get(&open).by(LI).content().await["items"], json!([]), "its time is over");
    })
    .await;
}
