//! Licences that end: a reminder before, a closed shop after, and open again when a new one is accepted.

use kernel::Timestamp;
use serde_json::{Value, json};

use crate::support::{AUDIT, WANG, World, id, on_each_engine, owner_of, paper};

const END: &str = "2027-06-30T16:00:00.000Z";

fn count(facts: &[String], kind: &str) -> usize {
    facts.iter().filter(|one| *one == kind).count()
}

/// A new food licence counts from when it is accepted, by somebody else.
async fn renewed(world: &World, merchant: &str, owner: &str) {
    let papers = format!("/api/merchants/{merchant}/qualifications");
    let renewed = paper("food_licence", Some("2029-06-30"));
    let renewed = world
        .post(&papers)
        .by(owner_of(owner))
        .json(&renewed)
        .content()
        .await;
    assert_eq!(world.shown(merchant).await["open"], false);
    let decision = format!("{papers}/{}/decision", id(&renewed));
    world
        .post(&decision)
        .by(owner_of(owner))
        .json(&json!({"accepted": true}))
        .refused(403, "audit_only")
        .await;
    world
        .post(&decision)
        .by(AUDIT)
        .json(&json!({"accepted": true}))
        .content()
        .await;
    assert_eq!(world.last_fact("merchant.changed").await["open"], true);
    assert_eq!(
        world.shown(merchant).await["qualified_until"],
        "2029-06-30T16:00:00.000Z"
    );
    world
        .post(&decision)
        .by(AUDIT)
        .json(&json!({"accepted": true}))
        .refused(409, "qualification_decided")
        .await;
}

#[tokio::test]
async fn a_shop_is_reminded_once_and_closed_at_the_end_of_the_last_day_and_open_again_when_renewed()
{
    on_each_engine(async |mut world| {
        let (merchant, owner) = world.open_merchant().await;
        let shown = world.shown(&merchant).await;
        assert_eq!(
            (&shown["qualified_until"], &shown["open"]),
            (&json!(END), &json!(true))
        );
        let end = Timestamp::parse(END).unwrap();
        let day = 24 * 60 * 60 * 1_000;

        world.context.now = end.plus_millis(-30 * day - 1);
        world.tick().await;
        assert_eq!(
            count(&world.facts().await, "merchant.qualification_expiring"),
            0
        );
        world.context.now = end.plus_millis(-30 * day);
        world.tick().await;
        world.tick().await;
        assert_eq!(
            count(&world.facts().await, "merchant.qualification_expiring"),
            1
        );
        assert_eq!(
            world.last_fact("merchant.qualification_expiring").await["members"],
            json!([owner])
        );

        world.context.now = end.plus_millis(-1);
        world.tick().await;
        assert_eq!(world.shown(&merchant).await["open"], true);
        world.context.now = end;
        // Closed at that moment, whether or not a tick has told so.
        assert_eq!(world.shown(&merchant).await["open"], false);
        world.tick().await;
        world.tick().await;
        assert_eq!(
            count(&world.facts().await, "merchant.qualification_expired"),
            1
        );
        assert_eq!(world.last_fact("merchant.changed").await["open"], false);
        let opening = format!("/api/merchants/{merchant}/opening");
        world
            .put(&opening)
            .by(owner_of(&owner))
            .json(&json!({"open": true}))
            .refused(409, "qualification_expired")
            .await;

        renewed(&world, &merchant, &owner).await;
    })
    .await;
}

#[tokio::test]
async fn a_refused_paper_says_why_and_changes_nothing() {
    on_each_engine(async |world| {
        let (merchant, owner) = world.merchant().await;
        let papers = format!("/api/merchants/{merchant}/qualifications");
        let sent = paper("food_licence", Some("2029-06-30"));
        let handed_in = world
            .post(&papers)
            .by(owner_of(&owner))
            .json(&sent)
            .content()
            .await;
        let decision = format!("{papers}/{}/decision", id(&handed_in));
        world
            .post(&decision)
            .by(AUDIT)
            .json(&json!({"accepted": false}))
            .refused(422, "reason_required")
            .await;
        let refused = json!({"accepted": false, "reason": "不清晰"});
        let decided = world
            .post(&decision)
            .by(AUDIT)
            .json(&refused)
            .content()
            .await;
        assert_eq!(
            (&decided["state"], &decided["reason"]),
            (&json!("refused"), &json!("不清晰"))
        );
        assert_eq!(world.shown(&merchant).await["qualified_until"], END);
        let list = world.get(&papers).by(owner_of(&owner)).content().await;
        assert_eq!(list["items"].as_array().unwrap().len(), 3);
        let by_wang = world.post(&papers).by(WANG).json(&sent).content().await;
        let own = format!("{papers}/{}/decision", id(&by_wang));
        world
            .post(&own)
            .by(WANG)
            .json(&json!({"accepted": true}))
            .refused(403, "own_qualification")
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_category_that_needs_a_paper_the_merchant_lacks_closes_the_shop_until_it_is_there() {
    on_each_engine(async |world| {
        let tea = json!({"id": "medicine", "kind": "goods", "name": "药品", "required": ["medicine_licence"]});
        world.post("/api/categories").by(WANG).json(&tea).content().await;
        let (merchant, _) = world.open_merchant().await;
        let path = format!("/api/merchants/{merchant}/categories");
        let set = |categories: Value| world.put(&path).by(WANG).json(&json!({"categories": categories}));
        assert_eq!(set(json!(["fruit", "medicine"])).content().await["open"], false);
        assert_eq!(world.last_fact("merchant.changed").await["open"], false);
        set(json!(["nothing"])).refused(404, "category_unknown").await;
        assert_eq!(set(json!(["fruit"])).content().await["open"], true);
    })
    .await;
}
