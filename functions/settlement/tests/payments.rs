//! Paying statements: the oldest first, in parts, over a channel or from what may be drawn; notices come twice and late.

use serde_json::json;
use wire::event::{ContractChanged, PaymentClosed};
use wire::mall::Collection;

use crate::events::{completed, contract_changed};
use crate::support::{BO, MEI, RUN, WANG, World, on_each_engine};

async fn two_months(world: &mut World) {
    world
        .record(&completed(("m1", "l1"), 1_000, "2026-10-11T00:00:00Z"))
        .await;
    world.tick_at(RUN).await;
    world
        .record(&completed(("m1", "l2"), 500, "2026-11-02T00:00:00Z"))
        .await;
    // The objection to October holds its deduction up, so that both are unpaid.
    let id = world.statement("m1").await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let body = json!({"lines": ["commission.l1"], "reason": "核对中"});
    world
        .post(&format!("/api/statements/{id}/objections"))
        .by(MEI)
        .json(&body)
        .content()
        .await;
    world.tick_at("2026-11-30T16:10:00Z").await;
}

#[tokio::test]
async fn money_goes_to_the_oldest_statement_first() {
    on_each_engine(async |mut world| {
        two_months(&mut world).await;
        world.pay((MEI, "m1"), 1_200, "a").await;
        let unpaid: Vec<_> = world
            .statements("m1")
            .await
            .iter()
            .map(|statement| {
                (
                    statement["month"].clone(),
                    statement["unpaid_minor"].clone(),
                )
            })
            .collect();
        assert_eq!(
            unpaid,
            [(json!("2026-11"), json!(300)), (json!("2026-10"), json!(0))]
        );
        world.books_are_right().await;
        let too_much = json!({"merchant": "m1", "amount_minor": 301, "source": "channel"});
        world
            .post("/api/settlements/payments")
            .by(MEI)
            .key("b")
            .json(&too_much)
            .refused(409, "more_than_owed")
            .await;
        world.pay((MEI, "m1"), 300, "c").await;
        assert_eq!(world.count("statement.paid").await, 2);
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn a_notice_twice_pays_once_and_money_that_is_over_can_be_drawn() {
    on_each_engine(async |mut world| {
        two_months(&mut world).await;
        let ask = |key: &'static str| {
            world
                .post("/api/settlements/payments")
                .by(MEI)
                .key(key)
                .json(&json!({"merchant": "m1", "amount_minor": 1_500, "source": "channel"}))
        };
        // The same key asks once; two payments that cross each other are both paid.
        let first = ask("a").content().await;
        assert_eq!(ask("a").content().await["id"], first["id"]);
        let asked = world.last_fact("payment.requested").await;
        ask("b").content().await;
        world.money_of(&asked).await;
        world.tick().await;
        world.money_came().await;
        world.tick().await;
        let told = world.last_fact("payment.succeeded").await;
        let told: wire::event::PaymentSucceeded = serde_json::from_value(told).unwrap();
        world.record(&told).await;
        world.tick().await;
        assert_eq!(world.balance("suspense").await, 0);
        assert_eq!(world.balance("merchant_receivable:m1").await, 0);
        assert_eq!(world.balance("merchant_payable:m1").await, 1_500);
        let page = world
            .get("/api/settlements/payments?party=m1")
            .by(MEI)
            .content()
            .await;
        let over = page["items"].as_array().unwrap().iter();
        let over: i64 = over.map(|paid| paid["over_minor"].as_i64().unwrap()).sum();
        assert_eq!(over, 1_500);
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn a_payment_that_is_closed_changes_nothing() {
    on_each_engine(async |mut world| {
        two_months(&mut world).await;
        let body = json!({"merchant": "m1", "amount_minor": 100, "source": "channel"});
        let asked = world
            .post("/api/settlements/payments")
            .by(MEI)
            .key("a")
            .json(&body)
            .content()
            .await;
        let id = asked["id"].as_str().unwrap();
        world
            .record(&PaymentClosed {
                payment: kernel::PaymentId::parse(id).unwrap(),
                purpose: "statement".to_owned(),
                reference: id.to_owned(),
                reason: "expired".to_owned(),
            })
            .await;
        let path = format!("/api/settlements/payments/{id}");
        let shown = world.get(&path).by(MEI).content().await;
        assert_eq!(
            (&shown["state"], &shown["paid"]),
            (&json!("closed"), &json!([]))
        );
        world
            .get(&path)
            .by(BO)
            .refused(404, "settlement_payment_unknown")
            .await;
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn statements_are_paid_from_what_may_be_drawn_and_not_beyond_it() {
    on_each_engine(async |mut world| {
        let platform = ContractChanged {
            version: 2,
            collection: Collection::Platform,
            hosting_fee_minor: 1_000,
            ..contract_changed("m1")
        };
        world.record(&platform).await;
        world.tick_at(RUN).await;
        assert_eq!(world.statement("m1").await["unpaid_minor"], 1_000);
        world.sold(("m1", "l1"), 50, "2026-11-02T00:00:00Z").await;
        let pay = |key: &'static str, minor: i64| {
            world
                .post("/api/settlements/payments")
                .by(MEI)
                .key(key)
                .json(&json!({"merchant": "m1", "amount_minor": minor, "source": "balance"}))
        };
        pay("a", 451).refused(409, "balance_insufficient").await;
        pay("b", 450).content().await;
        assert_eq!(world.statement("m1").await["unpaid_minor"], 550);
        assert_eq!(world.balance("merchant_payable:m1").await, 0);
        pay("c", 0).refused(422, "amount_invalid").await;
        world.sold(("m1", "l2"), 100, "2026-11-03T00:00:00Z").await;
        pay("d", 551).refused(409, "more_than_owed").await;
        world.books_are_right().await;
        let paid = world
            .get("/api/settlements/payments?party=m1")
            .by(WANG)
            .content()
            .await;
        assert_eq!(paid["items"].as_array().unwrap().len(), 1);
    })
    .await;
}
