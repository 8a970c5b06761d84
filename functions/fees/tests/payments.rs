//! Paying: what is quoted is asked for, what comes is put against the bills, what is over is credit, and refunds.

use serde_json::{Value, json};
use wire::event::{PaymentClosed, RefundFailed, RefundSucceeded};

use crate::support::{CHEN, DAY_MS, LI, MA, World, ZHAO, on_each_engine};

/// Two bills of r101 and one of r102, published.
async fn owed(world: &World) -> Vec<Value> {
    world
        .rule("物业费", json!({"kind": "area", "price": 28_000}))
        .await;
    world
        .rule("停车费", json!({"kind": "fixed", "amount_minor": 15_000}))
        .await;
    world.published("2026-10").await;
    world.bills(LI, "").await
}

async fn shown(world: &World, payment: &Value) -> Value {
    let path = format!("/api/bill-payments/{}", payment["id"].as_str().unwrap());
    world.get(&path).by(LI).content().await
}

async fn refund(world: &World, payment: &Value, bill: &Value) -> Value {
    let path = format!(
        "/api/bill-payments/{}/refunds",
        payment["id"].as_str().unwrap()
    );
    let ask = json!({"bills": [bill["id"]], "reason": "重复缴费"});
    let key = format!("refund-{}", bill["id"].as_str().unwrap());
    world
        .post(&path)
        .by(CHEN)
        .key(&key)
        .json(&ask)
        .content()
        .await
}

#[tokio::test]
async fn one_payment_pays_several_bills_and_the_books_close() {
    on_each_engine(async |world| {
        let bills = owed(&world).await;
        let payment = world.pay(LI, "p", &[&bills[0], &bills[1]], false).await;
        assert_eq!(
            (&payment["total_minor"], &payment["channel_minor"]),
            (&json!(43_000), &json!(43_000))
        );
        let asked = world.last_fact("payment.requested").await;
        assert_eq!(
            (&asked["amount_minor"], &asked["purpose"]),
            (&json!(43_000), &json!("bills"))
        );
        world.money_came("bills", &asked).await;
        let paid = shown(&world, &payment).await;
        assert_eq!(
            (&paid["state"], paid["lines"].as_array().unwrap().len()),
            (&json!("succeeded"), 2)
        );
        assert_eq!(world.balance("fee_receivable:r101").await, 0);
        assert_eq!(world.balance("suspense").await, 0);
        assert!(world.bills(MA, "?state=paid").await.len() == 2);
        // The same news again changes nothing.
        world
            .record(
                &serde_json::from_value::<wire::event::PaymentSucceeded>(
                    world.last_fact("payment.succeeded").await,
                )
                .unwrap(),
            )
            .await;
        world.tick().await;
        assert_eq!(world.balance("suspense").await, 0);
        world.books_are_right().await;
        let reply = world
            .get(&format!(
                "/api/bill-payments/{}/receipt",
                payment["id"].as_str().unwrap()
            ))
            .by(LI)
            .reply()
            .await;
        assert!(
            String::from_utf8(reply.body.to_vec())
                .unwrap()
                .contains("收据 Receipt")
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_paid_twice_becomes_credit_that_pays_the_next_bills() {
    on_each_engine(async |world| {
        let bills = owed(&world).await;
        let first = world.pay(LI, "p1", &[&bills[0]], false).await;
        let asked_li = world.last_fact("payment.requested").await;
        world.pay(MA, "p2", &[&bills[0]], false).await;
        let asked_ma = world.last_fact("payment.requested").await;
        world.money_came("bills", &asked_ma).await;
        world.money_came("bills", &asked_li).await;
        let amount = bills[0]["amount_minor"].as_i64().unwrap();
        assert_eq!(shown(&world, &first).await["over_minor"], amount);
        let credit = world.get("/api/account-credits").by(LI).content().await;
        assert_eq!(credit["available_minor"], amount);
        world
            .get("/api/account-credits?person=li")
            .by(MA)
            .refused(403, "own_credit_only")
            .await;

        let second = world.pay(LI, "p3", &[&bills[1]], true).await;
        let other = bills[1]["amount_minor"].as_i64().unwrap();
        assert_eq!(second["credit_minor"], amount.min(other));
        if other > amount {
            let asked = world.last_fact("payment.requested").await;
            assert_eq!(asked["amount_minor"], other - amount);
            world.money_came("bills", &asked).await;
        }
        assert_eq!(shown(&world, &second).await["state"], "succeeded");
        assert_eq!(world.balance("fee_receivable:r101").await, 0);
        assert_eq!(
            world.balance("resident_wallet:li").await,
            (amount - other).max(0)
        );
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn only_people_of_the_room_pay_and_only_what_is_owed() {
    on_each_engine(async |world| {
        let bills = owed(&world).await;
        let ask = json!({"bills": [bills[0]["id"]]});
        let pay = |key: &'static str, person| {
            world
                .post("/api/bill-payments")
                .by(person)
                .key(key)
                .json(&ask)
        };
        pay("a", ZHAO).refused(404, "bill_unknown").await;
        pay("b", CHEN).refused(404, "bill_unknown").await;
        world
            .post("/api/bill-payments")
            .by(LI)
            .json(&ask)
            .refused(422, "idempotency_key_required")
            .await;
        world.pay(LI, "c", &[&bills[0]], false).await;
        let asked = world.last_fact("payment.requested").await;
        world.money_came("bills", &asked).await;
        pay("d", LI).refused(409, "nothing_owed").await;
    })
    .await;
}

#[tokio::test]
async fn a_late_fee_is_paid_as_it_was_quoted() {
    on_each_engine(async |mut world| {
        let terms = json!({"late_rate_per_100k": 50, "grace_days": 0, "late_cap_percent": 100, "due_days": 0});
        world.ask(http::Method::PUT, "/api/fee-terms/garden").by(CHEN).header("if-match", "*").json(&terms).content().await;
        let bill = json!({"room": "r101", "title": "x", "amount_minor": 100_000, "reason": "x"});
        let bill = world.post("/api/bills").by(CHEN).key("b").json(&bill).content().await;
        world.pass_ms(10 * DAY_MS);
        let payment = world.pay(LI, "p", &[&bill], false).await;
        assert_eq!(payment["total_minor"], 100_500);
        let asked = world.last_fact("payment.requested").await;
        world.pass_ms(DAY_MS);
        world.money_came("bills", &asked).await;
        let paid = world.bills(LI, "").await.remove(0);
        assert_eq!((&paid["state"], &paid["late_fee"]["paid_minor"]), (&json!("paid"), &json!(500)));
        assert_eq!(world.balance("fee_income:garden").await, 100_500);
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn a_closed_payment_frees_its_credit_and_money_that_comes_later_is_the_payer_s() {
    on_each_engine(async |world| {
        let bills = owed(&world).await;
        let payment = world.pay(LI, "p", &[&bills[0]], false).await;
        let asked = world.last_fact("payment.requested").await;
        world
            .record(&PaymentClosed {
                payment: asked["payment"]
                    .as_str()
                    .unwrap()
                    .to_owned()
                    .try_into()
                    .unwrap(),
                purpose: "bills".to_owned(),
                reference: asked["reference"].as_str().unwrap().to_owned(),
                reason: "expired".to_owned(),
            })
            .await;
        assert_eq!(shown(&world, &payment).await["state"], "closed");
        world.money_came("bills", &asked).await;
        world.tick().await;
        assert_eq!(
            world.balance("resident_wallet:li").await,
            asked["amount_minor"].as_i64().unwrap()
        );
        assert_eq!(world.balance("suspense").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_refund_goes_back_the_way_it_came_and_the_bill_is_owed_again() {
    on_each_engine(async |world| {
        let bills = owed(&world).await;
        let payment = world.pay(LI, "p", &[&bills[0], &bills[1]], false).await;
        let asked = world.last_fact("payment.requested").await;
        world.money_came("bills", &asked).await;
        let amount = bills[0]["amount_minor"].as_i64().unwrap();
        let given = refund(&world, &payment, &bills[0]).await;
        assert_eq!(
            (&given["channel_minor"], &given["state"]),
            (&json!(amount), &json!("requested"))
        );
        let back = world.last_fact("refund.requested").await;
        assert_eq!(
            (&back["amount_minor"], &back["payment"]),
            (&json!(amount), &asked["payment"])
        );
        assert_eq!(world.balance("fee_receivable:r101").await, amount);
        assert_eq!(world.balance("suspense").await, amount);
        let path = format!(
            "/api/bill-payments/{}/refunds",
            payment["id"].as_str().unwrap()
        );
        let again = json!({"bills": [bills[0]["id"]], "reason": "x"});
        world
            .post(&path)
            .by(CHEN)
            .key("again")
            .json(&again)
            .refused(409, "bill_refunded")
            .await;
        world
            .post(&path)
            .by(LI)
            .key("own")
            .json(&again)
            .refused(403, "managers_only")
            .await;
        world
            .record(&RefundSucceeded {
                refund: back["refund"]
                    .as_str()
                    .unwrap()
                    .to_owned()
                    .try_into()
                    .unwrap(),
                payment: back["payment"]
                    .as_str()
                    .unwrap()
                    .to_owned()
                    .try_into()
                    .unwrap(),
                purpose: "bills".to_owned(),
                reference: asked["reference"].as_str().unwrap().to_owned(),
                amount_minor: amount,
                currency: kernel::Currency::Cny,
                refunded_at: world.context.now,
                transaction: "1".to_owned().try_into().unwrap(),
            })
            .await;
        assert_eq!(
            shown(&world, &payment).await["refunds"][0]["state"],
            "succeeded"
        );
        let owed = world.bills(LI, "?state=published").await;
        assert_eq!((owed.len(), &owed[0]["unpaid_minor"]), (1, &json!(amount)));
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn a_refund_that_the_channel_refuses_becomes_credit() {
    on_each_engine(async |world| {
        let bills = owed(&world).await;
        let payment = world.pay(LI, "p", &[&bills[0]], false).await;
        let asked = world.last_fact("payment.requested").await;
        world.money_came("bills", &asked).await;
        refund(&world, &payment, &bills[0]).await;
        let back = world.last_fact("refund.requested").await;
        let failed = RefundFailed {
            refund: back["refund"]
                .as_str()
                .unwrap()
                .to_owned()
                .try_into()
                .unwrap(),
            payment: back["payment"]
                .as_str()
                .unwrap()
                .to_owned()
                .try_into()
                .unwrap(),
            purpose: Some("bills".to_owned()),
            reference: None,
            amount_minor: back["amount_minor"].as_i64().unwrap(),
            reason: "account_closed".to_owned(),
        };
        world.record(&failed).await;
        world.record(&failed).await;
        world.tick().await;
        assert_eq!(
            world.balance("resident_wallet:li").await,
            failed.amount_minor
        );
        assert_eq!(world.balance("suspense").await, 0);
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn a_bill_that_gives_back_is_settled_with_the_next_payment_of_its_room() {
    on_each_engine(async |world| {
        world
            .rule(
                "电费",
                json!({"kind": "per_usage", "commodity": "electricity", "price": 5_000}),
            )
            .await;
        world.usage("r101", "2026-10", 100, 1).await;
        world.published("2026-10").await;
        world.usage("r101", "2026-10", 90, 2).await;
        world.published("2026-10").await;
        let bills = world.bills(LI, "").await;
        let whole = bills.iter().find(|bill| bill["version"] == 1).unwrap();
        let payment = world.pay(LI, "p", &[whole], false).await;
        assert_eq!(payment["total_minor"], 4_500);
        let asked = world.last_fact("payment.requested").await;
        world.money_came("bills", &asked).await;
        world.tick().await;
        assert_eq!(world.bills(LI, "?state=paid").await.len(), 2);
        assert_eq!(world.balance("fee_receivable:r101").await, 0);
        world.books_are_right().await;
    })
    .await;
}
