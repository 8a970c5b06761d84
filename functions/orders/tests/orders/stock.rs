//! Stock: never negative, conserved under any order of steps, and each step once.

use kernel::{ActorId, CheckoutId, OrderId, OrderLineId, VariantId};
use orders::domain::stock::{Item, Stock};
use orders::store::stock::{self, Claim};
use proptest::prelude::*;

use crate::support::{FRUITER, MIGRATIONS, World, demo, merchant, on_each_engine};

fn item(number: usize) -> Item {
    Item::Variant(VariantId::parse(&format!("v{number}")).unwrap())
}

/// Line `line` of checkout `checkout`, each line of an order of its own.
fn claim(checkout: usize, line: usize, of: usize, quantity: u32) -> Claim {
    Claim {
        line: OrderLineId::parse(&format!("l{checkout}-{line}")).unwrap(),
        item: item(of),
        order: order(checkout, line),
        checkout: checkout_id(checkout),
        buyer: ActorId::parse("li").unwrap(),
        quantity,
    }
}

fn order(checkout: usize, line: usize) -> OrderId {
    OrderId::parse(&format!("o{checkout}-{line}")).unwrap()
}

fn checkout_id(checkout: usize) -> CheckoutId {
    CheckoutId::parse(&format!("c{checkout}")).unwrap()
}

async fn open(world: &World, available: i64) {
    store::tx(&world.context.db, &demo(), async |tx| {
        for number in 0..3 {
            stock::open(tx, &merchant("fruit"), &item(number), available).await?;
        }
        Ok(())
    })
    .await
    .unwrap();
}

async fn counters(world: &World, number: usize) -> (i64, i64, i64) {
    let id = item(number);
    let found: Stock = stock::stock(&world.context.db, &demo(), id.as_str())
        .await
        .unwrap()
        .unwrap();
    (found.available, found.reserved, found.taken)
}

async fn reserve(world: &World, claims: &[Claim]) -> bool {
    let done = store::tx(&world.context.db, &demo(), async |tx| {
        stock::reserve(tx, world.context.now, claims).await
    })
    .await;
    match done {
        Ok(()) => true,
        Err(error) => {
            let refusal = error.downcast::<kernel::Refusal>().unwrap();
            assert_eq!(refusal.code, "out_of_stock");
            false
        }
    }
}

async fn take(world: &World, checkout: usize, order: Option<OrderId>) -> usize {
    store::tx(&world.context.db, &demo(), async |tx| {
        stock::take(
            tx,
            world.context.now,
            &checkout_id(checkout),
            order.as_ref(),
        )
        .await
    })
    .await
    .unwrap()
    .len()
}

async fn release(world: &World, checkout: usize, order: Option<OrderId>) -> usize {
    store::tx(&world.context.db, &demo(), async |tx| {
        stock::release(
            tx,
            world.context.now,
            &checkout_id(checkout),
            order.as_ref(),
        )
        .await
    })
    .await
    .unwrap()
    .len()
}

async fn restock(world: &World, checkout: usize, line: usize, quantity: u32) -> bool {
    let line = OrderLineId::parse(&format!("l{checkout}-{line}")).unwrap();
    store::tx(&world.context.db, &demo(), async |tx| {
        stock::restock(tx, world.context.now, &line, quantity).await
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn each_step_counts_once_and_all_lines_or_none_are_set_aside() {
    on_each_engine(async |world| {
        open(&world, 5).await;
        let claims = [claim(1, 1, 0, 3), claim(1, 2, 1, 2), claim(1, 3, 0, 1)];
        assert!(reserve(&world, &claims).await);
        assert!(
            reserve(&world, &claims).await,
            "a second time changes nothing"
        );
        assert_eq!(counters(&world, 0).await, (1, 4, 0));
        assert!(!reserve(&world, &[claim(2, 1, 1, 1), claim(2, 2, 0, 2)]).await);
        assert_eq!(counters(&world, 1).await, (3, 2, 0), "nothing of it");
        assert_eq!(release(&world, 1, Some(order(1, 3))).await, 1);
        assert_eq!(counters(&world, 0).await, (2, 3, 0));
        assert_eq!(take(&world, 1, None).await, 2);
        assert_eq!(take(&world, 1, None).await, 0);
        assert_eq!(release(&world, 1, None).await, 0, "sold is sold");
        assert_eq!(counters(&world, 0).await, (2, 0, 3));
        assert!(restock(&world, 1, 1, 2).await);
        assert!(
            !restock(&world, 1, 1, 2).await,
            "only one is left to return"
        );
        assert!(
            !restock(&world, 1, 3, 1).await,
            "what was released is not returned"
        );
        assert_eq!(counters(&world, 0).await, (4, 0, 1));
        let moved = movements(&world, 0).await;
        let told = |kind: &str| moved.iter().filter(|(told, ..)| told == kind).count();
        assert_eq!(
            ["reserved", "released", "taken", "restocked"].map(told),
            [2, 1, 1, 1]
        );
        let sums = moved
            .iter()
            .map(|(_, available, reserved)| (available, reserved));
        let sums = sums.fold((5, 0), |sums, (a, r)| (sums.0 + a, sums.1 + r));
        assert_eq!(sums, (4, 0), "{moved:?}");
    })
    .await;
}

/// The movements of an item, two with each page: kind, and what they did to both counters.
async fn movements(world: &World, number: usize) -> Vec<(String, i64, i64)> {
    let path = format!("/api/stock/{}/movements?limit=2", item(number).as_str());
    let (mut found, mut page) = (Vec::new(), path.clone());
    loop {
        let content = world.get(&page).by(FRUITER).content().await;
        for movement in content["items"].as_array().unwrap() {
            let count = |name: &str| movement[name].as_i64().unwrap();
            let kind = movement["kind"].as_str().unwrap().to_owned();
            found.push((kind, count("available"), count("reserved")));
        }
        match content["next"].as_str() {
            Some(next) => page = format!("{path}&after={next}"),
            None => return found,
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Reserve(usize, Vec<(usize, u32)>),
    Take(usize),
    Release(usize, Option<usize>),
    Restock(usize, usize, u32),
}

fn any_step() -> impl Strategy<Value = Step> {
    let wanted = prop::collection::vec((0_usize..3, 1_u32..5), 1..4);
    prop_oneof![
        (0_usize..4, wanted).prop_map(|(checkout, wanted)| Step::Reserve(checkout, wanted)),
        (0_usize..4).prop_map(Step::Take),
        (0_usize..4, prop::option::of(0_usize..4)).prop_map(|(of, line)| Step::Release(of, line)),
        (0_usize..4, 0_usize..4, 1_u32..4)
            .prop_map(|(of, line, count)| Step::Restock(of, line, count)),
    ]
}

async fn walk(steps: &[Step]) {
    const UNITS: i64 = 7;
    let world = World::on(store::testing::sqlite(&MIGRATIONS).await);
    open(&world, UNITS).await;
    for step in steps {
        match step {
            Step::Reserve(checkout, wanted) => {
                let claims: Vec<_> = wanted
                    .iter()
                    .enumerate()
                    .map(|(line, (of, quantity))| claim(*checkout, line, *of, *quantity))
                    .collect();
                reserve(&world, &claims).await;
            }
            Step::Take(checkout) => _ = take(&world, *checkout, None).await,
            Step::Release(checkout, line) => {
                _ = release(&world, *checkout, line.map(|line| order(*checkout, line))).await;
            }
            Step::Restock(checkout, line, count) => {
                _ = restock(&world, *checkout, *line, *count).await
            }
        }
        for number in 0..3 {
            let (available, reserved, taken) = counters(&world, number).await;
            assert!(available >= 0 && reserved >= 0 && taken >= 0);
            assert_eq!(available + reserved + taken, UNITS, "after {step:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn stock_is_conserved_and_never_negative_in_any_order_of_steps(steps in prop::collection::vec(any_step(), 1..24)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(walk(&steps));
    }
}
