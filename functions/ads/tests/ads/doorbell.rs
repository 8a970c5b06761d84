//! The doorbell wakes: what another capability recorded is heard at once.

use trigger::Outcome;

use crate::support::{MIGRATIONS, START, World, merchant_changed};

#[tokio::test]
async fn the_doorbell_wakes_and_other_topics_are_rejected() {
    let world = World::on(store::testing::sqlite(&MIGRATIONS).await);
    assert_eq!(world.context.now.to_string(), START.replace('Z', ".000Z"));
    world.record(&merchant_changed("m1", "mei")).await;
    let outcome = ads::mqtt::receive(&world.context, "linli/demo/event").await;
    assert!(matches!(outcome, Outcome::Done));
    let (tenant, merchant) = (
        crate::support::demo(),
        kernel::MerchantId::parse("m1").unwrap(),
    );
    let name = ads::store::known::name(&world.context.db, &tenant, &merchant).await;
    assert_eq!(name.unwrap().as_deref(), Some("m1 商店"));
    let outcome = ads::mqtt::receive(&world.context, "linli/demo/door/d1/cmd").await;
    assert!(matches!(outcome, Outcome::Reject(_)));
}
