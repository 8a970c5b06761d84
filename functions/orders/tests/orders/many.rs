//! How fast orders are placed: printed, and not asserted, for a machine's speed is no law.

use std::time::Instant;

use kernel::{Actor, ActorId, ActorKind, CommunityId, EventId};
use serde_json::json;

use crate::support::{MIGRATIONS, START, World, demo};

const PRODUCTS: usize = 200;

/// A shelf of that many products, of two shops, so many of each.
async fn stocked(products: usize, units: i64) -> World {
    let world = World::on(store::testing::sqlite(&MIGRATIONS).await);
    world.found().await;
    for number in 0..products {
        let (shop, variant) = (["fruit", "laundry"][number % 2], format!("v{number:04}"));
        world
            .shelf(shop, ("goods", "fruits"), (&variant, 500), units)
            .await;
    }
    world.tick().await;
    world
}

/// The token of the buyer of that number.
fn token(world: &World, number: usize) -> String {
    let actor = Actor {
        tenant: demo(),
        kind: ActorKind::Resident,
        id: ActorId::parse(&format!("buyer-{number}")).unwrap(),
        communities: vec![CommunityId::parse("garden").unwrap()],
        scopes: vec![],
    };
    web::token::issue(
        &world.context.token_secret,
        &actor,
        world.context.now,
        3_600,
    )
    .unwrap()
}

/// Places the checkout of one buyer; whether there was enough left.
async fn place(world: &World, number: usize, variants: &[String]) -> bool {
    let lines: Vec<_> = variants
        .iter()
        .map(|variant| json!({"variant": variant, "quantity": 1}))
        .collect();
    let total = 500 * lines.len();
    let body = json!({"community": "garden", "lines": lines, "expected_total_minor": total});
    let key: EventId = world.context.new_id().unwrap();
    let ask = world.post("/api/checkouts").bearer(&token(world, number));
    let reply = ask.key(key.as_str()).json(&body).reply().await;
    assert!(
        [201, 409].contains(&reply.status.as_u16()),
        "{}",
        crate::support::content_of(&reply)
    );
    reply.status == 201
}

async fn orders_per_second(orders: usize) {
    let world = stocked(PRODUCTS, 1_000_000).await;
    let begun = Instant::now();
    for number in 0..orders {
        // One, two or three products, of one shop or of both.
        let count = 1 + number % 3;
        let variants: Vec<String> = (0..count)
            .map(|at| format!("v{:04}", (number * 7 + at * 13) % PRODUCTS))
            .collect();
        assert!(place(&world, number, &variants).await);
    }
    let took = begun.elapsed();
    println!(
        "measured: {orders} checkouts over {PRODUCTS} products from {START}: {took:.2?}, {:.0} checkouts/s",
        f64::from(u32::try_from(orders).unwrap()) / took.as_secs_f64()
    );
}

/// In the host each statement is a call out of the function, and the other writers wait for those of a transaction.
#[tokio::test]
async fn a_checkout_is_few_statements_however_many_lines_it_has() {
    let world = stocked(4, 10).await;
    assert!(place(&world, 0, &["v0000".to_owned()]).await);
    for lines in [1, 2, 4] {
        let variants: Vec<String> = (0..lines).map(|at| format!("v{at:04}")).collect();
        let before = store::testing::statements();
        assert!(place(&world, lines, &variants).await);
        assert_eq!(store::testing::statements() - before, 9, "{lines} lines");
    }
}

#[tokio::test]
async fn ten_buyers_of_one_unit_are_one_order() {
    let world = stocked(1, 1).await;
    let mut sold = 0;
    for number in 0..10 {
        sold += usize::from(place(&world, number, &["v0000".to_owned()]).await);
    }
    assert_eq!(sold, 1);
}

#[tokio::test]
#[ignore = "minutes in a debug build: `cargo xtask bench` runs it in release"]
async fn orders_over_mixed_products() {
    orders_per_second(3_000).await;
}

#[tokio::test]
#[ignore = "minutes in a debug build: `cargo xtask bench` runs it in release"]
async fn a_flash_sale_of_ten_units_to_two_hundred_buyers() {
    let world = stocked(1, 10).await;
    let begun = Instant::now();
    let mut sold = 0;
    for number in 0..200 {
        sold += usize::from(place(&world, number, &["v0000".to_owned()]).await);
    }
    assert_eq!(sold, 10);
    println!(
        "measured: 200 buyers on 10 units: {sold} sold in {:.2?}",
        begun.elapsed()
    );
}
