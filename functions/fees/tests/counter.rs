//! A part of what is owed, money at the counter, and the wallet of somebody who had two ids.

use serde_json::{Value, json};
use wire::event::PersonAliased;

use crate::parts::{grant, ids, owed, pay, refund};
use crate::support::{APP, AUDITOR, CHEN, LI, MA, STAFF_ELSEWHERE, World, ZHAO, on_each_engine};

#[tokio::test]
async fn a_part_is_paid_oldest_first_and_its_refund_closes_exactly() {
    on_each_engine(async |world| {
        let bills = owed(&world).await;
        let ask = json!({"bills": ids(&bills), "pay_minor": 20_000});
        let first = pay(&world, LI, "a", ask).await;
        assert_eq!(
            (
                &first["total_minor"],
                &first["asked_minor"],
                &first["channel_minor"]
            ),
            (&json!(43_000), &json!(20_000), &json!(20_000))
        );
        let asked = world.last_fact("payment.requested").await;
        world.money_came("bills", &asked).await;
        world.tick().await;
        let shown = world
            .get(&format!(
                "/api/bill-payments/{}",
                first["id"].as_str().unwrap()
            ))
            .by(LI)
            .content()
            .await;
        let lines = shown["lines"].as_array().unwrap().clone();
        assert_eq!(world.balance("fee_receivable:r101").await, 23_000);
        for amount in [0, 23_001] {
            let ask = json!({"bills": ids(&bills[..1]), "pay_minor": amount});
            let reply = world
                .post("/api/bill-payments")
                .by(LI)
                .key(&format!("x{amount}"))
                .json(&ask)
                .reply()
                .await;
            assert!(reply.status.is_client_error());
        }
        for line in &lines {
            let bill = json!({"id": line["bill"]});
            refund(&world, &first, &bill).await;
        }
        assert_eq!(world.balance("fee_receivable:r101").await, 43_000);
        // Nothing is paid any more: the bill can be voided, and the other is paid whole.
        let void = format!("/api/bills/{}/void", bills[0]["id"].as_str().unwrap());
        world
            .post(&void)
            .by(CHEN)
            .key("v")
            .json(&json!({"reason": "x"}))
            .content()
            .await;
        let rest = pay(&world, LI, "b", json!({"bills": [bills[1]["id"]]})).await;
        assert_eq!(rest["total_minor"], 28_000);
        let asked = world.last_fact("payment.requested").await;
        world.money_came("bills", &asked).await;
        world.tick().await;
        assert_eq!(world.balance("fee_receivable:r101").await, 0);
        world.books_are_right().await;
    })
    .await;
}

/// Ma pays 300.00 of 430.00 yuan in cash, to Chen.
async fn paid_in_cash(world: &World, bills: &[Value]) -> Value {
    let ask = json!({"bills": ids(bills), "pay_minor": 30_000, "method": "cash", "payer": "ma"});
    pay(world, CHEN, "a", ask).await
}

async fn shown(world: &World, payment: &Value) -> Value {
    let path = format!("/api/bill-payments/{}", payment["id"].as_str().unwrap());
    world.get(&path).by(CHEN).content().await
}

#[tokio::test]
async fn cash_at_the_counter_is_booked_at_once_and_receipted() {
    on_each_engine(async |world| {
        let bills = owed(&world).await;
        let paid = paid_in_cash(&world, &bills).await;
        assert_eq!(
            (
                &paid["state"],
                &paid["payer"],
                &paid["taken_by"],
                &paid["channel"]
            ),
            (
                &json!("succeeded"),
                &json!("ma"),
                &json!("chen"),
                &json!("cash")
            )
        );
        assert_eq!(world.balance("cash:garden").await, 30_000);
        assert_eq!(world.balance("fee_receivable:r101").await, 13_000);
        let receipt = format!(
            "/api/bill-payments/{}/receipt",
            paid["id"].as_str().unwrap()
        );
        let receipt = world.get(&receipt).by(CHEN).reply().await;
        assert!(
            String::from_utf8(receipt.body.to_vec())
                .unwrap()
                .contains("现金 Cash")
        );
        // Money to the bank is booked there.
        let open = world.bills(CHEN, "?room=r101&state=published").await;
        let rest = json!({"bills": ids(&open), "method": "bank_transfer"});
        let paid = pay(&world, CHEN, "q", rest).await;
        assert_eq!(
            (&paid["state"], &paid["channel_minor"]),
            (&json!("succeeded"), &json!(13_000))
        );
        assert_eq!(world.balance("bank").await, 13_000);
        assert_eq!(world.balance("fee_receivable:r101").await, 0);
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn a_drawer_is_counted_with_what_was_handed_back_and_what_is_missing() {
    on_each_engine(async |world| {
        let bills = owed(&world).await;
        let paid = paid_in_cash(&world, &bills).await;
        let line = shown(&world, &paid).await["lines"][1].clone();
        let back = refund(&world, &paid, &json!({"id": line["bill"]})).await;
        assert_eq!(
            (&back["state"], &back["credit_minor"]),
            (&json!("succeeded"), &json!(0))
        );
        let expected = 30_000 - back["channel_minor"].as_i64().unwrap();
        let close = |key: &'static str, counted: i64, banked: i64| {
            let ask =
                json!({"community": "garden", "counted_minor": counted, "banked_minor": banked});
            world.post("/api/cash-closes").by(CHEN).key(key).json(&ask)
        };
        close("x", 5, 6).refused(422, "cash_counted").await;
        let closed = close("y", expected - 7, 1_000).content().await;
        assert_eq!(
            (&closed["expected_minor"], &closed["difference_minor"]),
            (&json!(expected), &json!(-7))
        );
        assert_eq!(world.balance("cash:garden").await, expected - 1_007);
        assert_eq!(
            (world.balance("bank").await, world.balance("suspense").await),
            (1_000, -7)
        );
        let again = close("z", expected - 1_007, 0).content().await;
        assert_eq!(
            (&again["opening_minor"], &again["difference_minor"]),
            (&json!(expected - 1_007), &json!(0))
        );
        let path = format!("/api/cash-closes/{}", closed["id"].as_str().unwrap());
        let read = world.get(&path).by(AUDITOR).content().await;
        assert_eq!(read["counted_minor"], expected - 7);
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn who_does_not_work_at_the_counter_takes_no_cash() {
    on_each_engine(async |world| {
        let bills = owed(&world).await;
        let ask = json!({"bills": ids(&bills), "method": "cash"});
        let by = |person, key: &'static str| {
            world
                .post("/api/bill-payments")
                .by(person)
                .key(key)
                .json(&ask)
        };
        by(LI, "l").refused(403, "counter_only").await;
        for (person, key) in [
            (ZHAO, "m"),
            (STAFF_ELSEWHERE, "n"),
            (APP, "o"),
            (AUDITOR, "p"),
        ] {
            by(person, key).refused(404, "bill_unknown").await;
        }
    })
    .await;
}

#[tokio::test]
async fn two_ids_of_one_person_have_one_wallet_and_one_account_of_points() {
    on_each_engine(async |world| {
        let bills = owed(&world).await;
        grant(&world, 7).await;
        // Li has paid what Ma had paid: 150.00 yuan of credit.
        pay(&world, LI, "a", json!({"bills": [bills[0]["id"]]})).await;
        let li = world.last_fact("payment.requested").await;
        pay(
            &world,
            CHEN,
            "b",
            json!({"bills": [bills[0]["id"]], "method": "cash"}),
        )
        .await;
        world.money_came("bills", &li).await;
        world.tick().await;
        assert_eq!(world.balance("resident_wallet:li").await, 15_000);
        // 100.00 of it is held for a payment under way.
        pay(
            &world,
            LI,
            "c",
            json!({"bills": [bills[1]["id"]], "pay_minor": 20_000, "use_credit": true}),
        )
        .await;
        let asked = world.last_fact("payment.requested").await;
        assert_eq!(asked["amount_minor"], 5_000);
        let aliased = PersonAliased {
            alias: "li".to_owned().try_into().unwrap(),
            person: "ma".to_owned().try_into().unwrap(),
        };
        world.record(&aliased).await;
        world.tick().await;
        assert_eq!(
            (
                world.balance("resident_wallet:li").await,
                world.balance("resident_wallet:ma").await
            ),
            (0, 15_000)
        );
        let credit = world.get("/api/account-credits").by(MA).content().await;
        assert_eq!(credit["available_minor"], 0);
        world.money_came("bills", &asked).await;
        world.tick().await;
        assert_eq!(world.balance("resident_wallet:ma").await, 0);
        assert_eq!(world.balance("fee_receivable:r101").await, 8_000);
        let points = world
            .get("/api/fee-points?community=garden")
            .by(MA)
            .content()
            .await;
        assert!(points["balance"].as_i64().unwrap() >= 7, "{points}");
        world.books_are_right().await;
    })
    .await;
}
