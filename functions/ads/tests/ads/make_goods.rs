//! Make-goods: what was promised and not shown is given back, extended, or shown elsewhere; more than promised is free.

use serde_json::{Value, json};

use crate::booking::days;
use crate::support::{Ask, BO, LI, MEI, Person, WANG, World, on_each_engine, placement};

/// A line by the day with a promise, booked.
async fn promised(
    world: &World,
    who: (Person<'_>, &str),
    (from, until): (&str, &str),
    views: i64,
) -> String {
    let mut line = days("home-top", from, until);
    line["goal_views"] = json!(views);
    world.booked(who, &line).await
}

fn make_good<'a>(world: &'a World, by: Person<'_>, line: &str, what: &Value) -> Ask<'a> {
    let key: kernel::EventId = world.context.new_id().unwrap();
    let ask = world.post(&format!("/api/ads/lines/{line}/make-goods"));
    ask.by(by).key(key.as_str()).json(what)
}

#[tokio::test]
async fn nothing_is_short_before_the_end_or_when_more_was_shown_than_promised() {
    on_each_engine(async |mut world| {
        world.place(&placement("home-top", "banner", 3)).await;
        let flight = ("2026-11-02", "2026-11-04");
        let first = promised(&world, (MEI, "m1"), flight, 4).await;
        let second = promised(&world, (BO, "m2"), flight, 4).await;
        for _ in 0..40 {
            world.look(LI, "home-top").await.unwrap();
        }
        let credit = json!({"kind": "credit"});
        make_good(&world, WANG, &first, &credit)
            .refused(409, "nothing_short")
            .await;
        world.tick_at("2026-11-05T00:00:00Z").await;
        make_good(&world, WANG, &second, &credit)
            .refused(409, "nothing_short")
            .await;
    })
    .await;
}

#[tokio::test]
async fn what_fell_short_is_given_back_once_in_proportion() {
    on_each_engine(async |mut world| {
        world.place(&placement("home-top", "banner", 3)).await;
        let short = promised(&world, (MEI, "m1"), ("2026-11-02", "2026-11-04"), 40).await;
        for _ in 0..10 {
            world.look(LI, "home-top").await.unwrap();
        }
        world.tick_at("2026-11-05T00:00:00Z").await;
        let credit = json!({"kind": "credit"});
        make_good(&world, MEI, &short, &credit)
            .refused(403, "operators_only")
            .await;
        let back = make_good(&world, WANG, &short, &credit).content().await;
        assert_eq!(
            (&back["short_views"], &back["credit_minor"]),
            (&json!(30), &json!(1_500))
        );
        make_good(&world, WANG, &short, &credit)
            .refused(409, "nothing_short")
            .await;
        world.tick_at("2026-12-01T00:00:00Z").await;
        let charged = world.facts_of("advertising.charged").await;
        let sum: i64 = charged
            .iter()
            .map(|fact| fact["amount_minor"].as_i64().unwrap())
            .sum();
        assert_eq!(sum, 500);
    })
    .await;
}

#[tokio::test]
async fn what_fell_short_is_shown_later_for_nothing() {
    on_each_engine(async |mut world| {
        world.place(&placement("home-top", "banner", 3)).await;
        let short = promised(&world, (MEI, "m1"), ("2026-11-02", "2026-11-03"), 1_000).await;
        world.tick_at("2026-11-04T00:00:00Z").await;
        let endless = json!({"kind": "extension"});
        make_good(&world, WANG, &short, &endless)
            .refused(422, "make_good_days_missing")
            .await;
        let extension =
            json!({"kind": "extension", "starts_on": "2026-11-05", "ends_on": "2026-11-07"});
        let made = make_good(&world, WANG, &short, &extension).content().await;
        let path = format!("/api/ads/lines/{}", made["make_good"].as_str().unwrap());
        let free = world.get(&path).by(MEI).content().await;
        assert_eq!(
            (&free["kind"], &free["total_minor"]),
            (&json!("make_good"), &json!(0))
        );
        assert_eq!(free["goal_views"], 1_000);
        world.tick_at("2026-11-05T00:00:00Z").await;
        assert!(world.decide(LI, "home-top").await.is_some());
        world.tick_at("2026-12-01T00:00:00Z").await;
        let charged = world.facts_of("advertising.charged").await;
        assert_eq!(
            (charged.len(), &charged[0]["amount_minor"]),
            (1, &json!(1_000))
        );
    })
    .await;
}
