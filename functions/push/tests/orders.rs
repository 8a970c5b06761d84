//! Pushes that merchants pay for: frozen, paid, reviewed, told, and charged for each person reached.

use serde_json::{Value, json};

use crate::support::{BO, HE, MEI, WANG, World, on_each_engine};

pub fn draft() -> Value {
    json!({
        "merchant": "m1", "audience": {"community": "garden"},
        "notification": {"title": {"zh": "开业", "en": "Opening"}, "body": {"zh": "欢迎光临", "en": "Welcome"}},
    })
}

pub async fn drafted(world: &World) -> String {
    let made = world
        .post("/api/push/orders")
        .by(MEI)
        .json(&draft())
        .content()
        .await;
    assert_eq!(made["state"], "draft");
    made["id"].as_str().unwrap().to_owned()
}

async fn step(world: &World, id: &str, what: &str) -> Value {
    world
        .post(&format!("/api/push/orders/{id}/{what}"))
        .by(MEI)
        .key(&format!("{id}-{what}"))
        .content()
        .await
}

async fn review(world: &World, id: &str, approve: bool) -> Value {
    world
        .post(&format!("/api/push/orders/{id}/review"))
        .by(HE)
        .json(&json!({"approve": approve}))
        .content()
        .await
}

#[tokio::test]
async fn what_is_delivered_is_charged_and_the_rest_goes_back() {
    on_each_engine(async |world| {
        world.crowd(60, true).await;
        let id = drafted(&world).await;
        let quoted = step(&world, &id, "quote").await;
        assert_eq!(
            (&quoted["people"], &quoted["amount_minor"]),
            (&json!(60), &json!(600))
        );
        assert_eq!(quoted["digest"].as_str().unwrap().len(), 64);
        let asked = step(&world, &id, "payment").await;
        assert_eq!(asked["state"], "asked");
        world.money_came().await;
        world.tick().await;
        assert_eq!(world.balance("suspense").await, 600);
        // Ten of them take back their consent before it is told.
        for number in 0..10 {
            let person = format!("p{number:05}");
            world
                .record(&crate::events::consented(&person, "marketing", false))
                .await;
        }
        let approved = review(&world, &id, true).await;
        assert_eq!(approved["state"], "scheduled");
        world.tick().await;
        world.tick().await;
        let order = world
            .get(&format!("/api/push/orders/{id}"))
            .by(MEI)
            .content()
            .await;
        assert_eq!(order["state"], "settled", "{order}");
        assert_eq!(
            (
                &order["delivered"],
                &order["charged_minor"],
                &order["refunded_minor"]
            ),
            (&json!(50), &json!(500), &json!(100))
        );
        assert_eq!(world.balance("ad_income").await, 500);
        let refund = world.last_fact("refund.requested").await;
        assert_eq!(refund["amount_minor"], 100);
        assert_eq!(world.count("push_order.settled").await, 1);
        world.tick().await;
        assert_eq!(world.balance("ad_income").await, 500);
        let report = ledger::verify(&world.context.db, &crate::support::demo())
            .await
            .unwrap();
        assert_eq!(report.wrong, 0, "{:?}", report.findings);
        let told = world.message(order["message"].as_str().unwrap()).await;
        assert_eq!(told["sender"], "m1 的小店");
        assert_eq!(told["title"]["zh"], "【广告】开业");
    })
    .await;
}

#[tokio::test]
async fn fewer_than_fifty_people_are_not_sold_and_an_old_quote_does_not_hold() {
    on_each_engine(async |mut world| {
        world.crowd(49, true).await;
        let id = drafted(&world).await;
        world
            .post(&format!("/api/push/orders/{id}/quote"))
            .by(MEI)
            .refused(422, "audience_too_small")
            .await;
        world
            .record(&crate::events::consented("li", "marketing", true))
            .await;
        step(&world, &id, "quote").await;
        world.later(86_400_000);
        let pay = || {
            world
                .post(&format!("/api/push/orders/{id}/payment"))
                .by(MEI)
        };
        pay().refused(422, "idempotency_key_required").await;
        pay().key("late").refused(409, "quote_expired").await;
        assert_eq!(world.count("payment.requested").await, 0);
        step(&world, &id, "quote").await;
    })
    .await;
}

#[tokio::test]
async fn four_eyes_decide_and_what_is_refused_goes_back_whole() {
    on_each_engine(async |world| {
        world.crowd(50, true).await;
        let made = world
            .post("/api/push/orders")
            .by(WANG)
            .json(&draft())
            .content()
            .await;
        let id = made["id"].as_str().unwrap();
        step(&world, id, "quote").await;
        let review_path = format!("/api/push/orders/{id}/review");
        let early = world
            .post(&review_path)
            .by(HE)
            .json(&json!({"approve": true}));
        let problem = early.refused(409, "push_order_state").await;
        assert!(problem["detail"].as_str().unwrap().contains("quoted"));
        step(&world, id, "payment").await;
        world.money_came().await;
        world.tick().await;
        let own = world
            .post(&review_path)
            .by(WANG)
            .json(&json!({"approve": true}));
        own.refused(403, "own_push_order").await;
        let rejected = review(&world, id, false).await;
        assert_eq!(rejected["state"], "rejected");
        assert_eq!(
            world.last_fact("refund.requested").await["amount_minor"],
            500
        );
        world.tick().await;
        assert_eq!(world.balance("ad_income").await, 0);
        let page = world.get("/api/push/orders").by(BO).content().await;
        assert_eq!(page["items"], json!([]));
    })
    .await;
}
