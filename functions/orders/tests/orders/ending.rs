//! What ends without being delivered: what nobody fetches, what is given up in time or too late, what goes back as a whole;
//! and what belongs together although it was told apart.

use kernel::ActorId;
use serde_json::{Value, json};
use wire::event::PersonAliased;

use crate::goods::{apples, id, variant};
use crate::support::{DAY_MS, FRUITER, LAUNDERER, LI, MA, MINUTE_MS, WANG, World, on_each_engine};
use crate::trade::path;

/// What was told of an order in the end.
async fn changes(world: &World, order: &Value) -> Vec<String> {
    let told = world.facts_of("order.changed").await;
    let of = told.iter().filter(|fact| fact["order"] == order["id"]);
    of.map(|fact| fact["change"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn what_is_ready_and_never_fetched_goes_back_to_the_shelf_and_its_money_to_the_buyer() {
    on_each_engine(async |mut world| {
        world.goods("apple", 500, 10).await;
        let mut body = world.buying(&[("apple", 2)], 1_000);
        body["pick_up"] = json!(true);
        let place = world.post("/api/checkouts").by(LI).key("k").json(&body);
        let checkout = place.content().await;
        world.pay(&checkout).await;
        let order = &checkout["orders"][0];
        world.step(FRUITER, order, "acceptance", json!({})).await;
        world.step(FRUITER, order, "readiness", json!({})).await;
        world.pass_ms(14 * DAY_MS - 1);
        assert_eq!(world.tick().await["orders"]["completed"], 0);
        let monitor = world
            .get("/api/order-reports/stuck")
            .by(WANG)
            .content()
            .await;
        let kinds = monitor["kinds"].as_array().unwrap();
        let kind = kinds.iter().find(|shown| shown["kind"] == "not_fetched");
        assert_eq!(kind.unwrap()["items"][0]["id"], order["id"]);
        world.pass_ms(1);
        assert_eq!(world.tick().await["orders"]["completed"], 1);
        let whole = world.whole(LI, order).await;
        assert_eq!(whole["state"], "cancelled", "{whole}");
        assert_eq!(world.stock("apple").await, (10, 0, 0));
        assert_eq!(changes(&world, order).await.last().unwrap(), "cancelled");
        assert_eq!(world.refund_all().await, [1_000]);
        assert_eq!(world.tick().await["orders"]["completed"], 0);
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn a_booking_is_given_up_until_the_shops_time_and_not_later() {
    on_each_engine(async |mut world| {
        // The slot begins at 10:00 tomorrow, and is given up until two hours before.
        let (service, slot) = world.laundry(2).await;
        let body = json!({"community": "garden", "expected_total_minor": 2_500,
            "lines": [{"variant": variant(&service, 0), "quantity": 1, "slot": slot["id"]}]});
        let mut orders = Vec::new();
        for key in ["first", "second"] {
            let place = world.post("/api/checkouts").by(LI).key(key).json(&body);
            let checkout = place.content().await;
            world.pay(&checkout).await;
            let order = checkout["orders"][0].clone();
            world.step(LAUNDERER, &order, "acceptance", json!({})).await;
            orders.push(order);
        }
        world.pass_ms(22 * 60 * MINUTE_MS);
        let why = json!({"reason": "不去了"});
        let given_up = world
            .step(LI, &orders[0], "cancellation", why.clone())
            .await;
        assert_eq!(given_up["state"], "cancelled", "{given_up}");
        world.pass_ms(1);
        let late = world.post(&path(&orders[1], "cancellation")).by(LI);
        late.json(&why).refused(409, "cancel_late").await;
        assert_eq!(world.stock(&id(&slot)).await, (1, 0, 1));
        assert_eq!(world.refund_all().await, [2_500]);
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn an_order_of_which_everything_went_back_is_told_to_be_over() {
    on_each_engine(async |world| {
        world.goods("apple", 500, 10).await;
        let order = world.accepted(&[("apple", 1)], 500).await;
        let asked = world.ask_refund(&order, 1, None).await;
        let answer = world.answering(&asked, "agreement");
        answer.json(&json!({"words": "抱歉"})).content().await;
        assert_eq!(world.refund_all().await, [500]);
        let told = changes(&world, &order).await;
        assert!(told.contains(&"cancelled".to_owned()), "{told:?}");
        assert!(told.contains(&"after_sale_refunded".to_owned()), "{told:?}");
        assert_eq!(world.whole(LI, &order).await["state"], "cancelled");
    })
    .await;
}

#[tokio::test]
async fn a_category_shows_what_is_in_those_below_it() {
    on_each_engine(async |world| {
        let made = world.offered(FRUITER, &apples(1)).await;
        for (query, found) in [
            ("category=food", 1),
            ("category=fruits", 1),
            ("category=care", 0),
            ("category=food&merchant=fruit", 1),
            ("category=food&merchant=laundry", 0),
        ] {
            let list = world
                .get(&format!("/api/products?{query}"))
                .by(LI)
                .content()
                .await;
            let items = list["items"].as_array().unwrap();
            assert_eq!(items.len(), found, "{query}");
            assert!(items.iter().all(|item| item["id"] == made["id"]));
        }
    })
    .await;
}

#[tokio::test]
async fn two_conversations_of_one_person_with_one_shop_become_one() {
    on_each_engine(async |mut world| {
        let begin = json!({"merchant": "fruit"});
        for (person, words) in [(LI, "有苹果吗"), (MA, "还有吗")] {
            let conversation = world
                .post("/api/conversations")
                .by(person)
                .json(&begin)
                .content()
                .await;
            let place = format!("/api/conversations/{}/messages", id(&conversation));
            world
                .post(&place)
                .by(person)
                .key(person.1)
                .json(&json!({"words": words}))
                .content()
                .await;
            world.pass_ms(1_000);
        }
        let aliased = PersonAliased {
            alias: ActorId::parse("ma").unwrap(),
            person: ActorId::parse("li").unwrap(),
        };
        world.record(&aliased).await;
        world.tick().await;
        let kept = world.get("/api/conversations").by(LI).content().await;
        let items = kept["items"].as_array().unwrap();
        assert_eq!(items.len(), 1, "{kept}");
        let place = format!("/api/conversations/{}/messages", id(&items[0]));
        let read = world.get(&place).by(LI).content().await;
        assert_eq!(read["items"].as_array().unwrap().len(), 2, "{read}");
        let none = world.get("/api/conversations").by(MA).content().await;
        assert!(none["items"].as_array().unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_orders_of_a_day_are_kept_as_they_stood_when_it_was_over() {
    on_each_engine(async |mut world| {
        world.goods("apple", 500, 10).await;
        let order = world.accepted(&[("apple", 1)], 500).await;
        // 10:00 in Shanghai: the day is over in fourteen hours.
        world.pass_ms(14 * 60 * MINUTE_MS - 1);
        assert_eq!(world.tick().await["exports"], 0);
        world.pass_ms(1);
        assert_eq!(world.tick().await["exports"], 1);
        assert_eq!(world.tick().await["exports"], 0);
        let list = world.get("/api/order-reports/exports").by(WANG);
        let list = list.content().await;
        let export = &list["items"][0];
        assert_eq!(
            (&export["day"], &export["rows"]),
            (&json!("2026-11-02"), &json!(1))
        );
        let read = async || {
            let reply = world.get("/api/order-reports/exports/2026-11-02").by(WANG);
            reply.reply().await
        };
        let first = read().await;
        world.step(FRUITER, &order, "shipment", json!({})).await;
        let again = read().await;
        assert_eq!(first.body, again.body);
        assert_eq!(json!(first.body.len()), export["bytes"]);
        let none = world.get("/api/order-reports/exports/2026-11-01").by(WANG);
        none.refused(404, "export_unknown").await;
    })
    .await;
}
