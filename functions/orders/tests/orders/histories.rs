//! Random histories of the machines: whatever order things come in, stock and money are conserved.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use web::Reply;
use wire::event::PaymentSucceeded;

use crate::support::{FRUITER, LI, MINUTE_MS, World, content_of};
use crate::trade::path;

/// Something that happens to one of the checkouts or orders so far.
#[derive(Debug, Clone)]
enum Act {
    Place(u32, u32),
    Pay(usize),
    PayAgain(usize),
    Cancel(usize),
    Step(usize, &'static str),
    Ask(usize, i64),
    Answer(usize, &'static str),
    Refund,
    RefundFails,
    Wait(i64),
    Reprice(usize, i64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let step = prop::sample::select(vec![
        "acceptance",
        "rejection",
        "shipment",
        "delivery",
        "completion",
    ]);
    let answer = prop::sample::select(vec!["agreement", "refusal", "receipt", "withdrawal"]);
    let act = prop_oneof![
        4 => (1_u32..4, 0_u32..3).prop_map(|(apple, pear)| Act::Place(apple, pear)),
        4 => (0_usize..8).prop_map(Act::Pay),
        1 => (0_usize..8).prop_map(Act::PayAgain),
        1 => (0_usize..8).prop_map(Act::Cancel),
        8 => ((0_usize..8), step).prop_map(|(order, step)| Act::Step(order, step)),
        3 => ((0_usize..8), 1_i64..4).prop_map(|(order, units)| Act::Ask(order, units)),
        4 => ((0_usize..8), answer).prop_map(|(after_sale, step)| Act::Answer(after_sale, step)),
        2 => Just(Act::Refund),
        1 => Just(Act::RefundFails),
        2 => (1_i64..10 * 24 * 60).prop_map(Act::Wait),
        1 => ((0_usize..8), 0_i64..2_000).prop_map(|(order, minor)| Act::Reprice(order, minor)),
    ];
    prop::collection::vec(act, 1..32)
}

/// What a history has made so far.
#[derive(Default)]
struct History {
    checkouts: Vec<Value>,
    orders: Vec<Value>,
    after_sales: Vec<Value>,
    failed: BTreeMap<String, ()>,
    paid: BTreeMap<String, PaymentSucceeded>,
}

/// Nothing went wrong on our side, and the test did not ask nonsense.
fn fine(reply: &Reply) {
    let status = reply.status.as_u16();
    let is_price = content_of(reply)["code"] == "price_invalid";
    assert!(
        status < 500 && (status != 422 || is_price),
        "{}",
        content_of(reply)
    );
}

fn nth(list: &[Value], at: usize) -> Option<&Value> {
    list.get(at.checked_rem(list.len())?)
}

impl History {
    /// Does what may be done; a refusal is fine, a failure is not.
    async fn act(&mut self, world: &mut World, act: &Act) {
        match act {
            Act::Place(apple, pear) => self.place(world, (*apple, *pear)).await,
            Act::Pay(at) | Act::PayAgain(at) => self.pay(world, *at).await,
            Act::Cancel(at) => self.step(world, (*at, "cancellation")).await,
            Act::Step(at, step) => self.step(world, (*at, step)).await,
            Act::Reprice(at, minor) => self.reprice(world, (*at, *minor)).await,
            Act::Ask(at, units) => self.ask(world, *at, *units).await,
            Act::Answer(at, step) => {
                if let Some(after_sale) = nth(&self.after_sales, *at) {
                    fine(&world.answering(after_sale, step).reply().await);
                }
            }
            Act::Refund => {
                world.refund_all_but(&self.failed).await;
            }
            Act::RefundFails => self.fail(world).await,
            Act::Wait(minutes) => {
                world.pass_ms(minutes * MINUTE_MS);
                world.tick().await;
            }
        }
    }

    async fn place(&mut self, world: &World, (apple, pear): (u32, u32)) {
        let total = i64::from(apple) * 500 + i64::from(pear) * 700;
        let wanted = [("apple", apple), ("pear", pear)];
        let wanted = if pear == 0 { &wanted[..1] } else { &wanted[..] };
        let key = format!("k{}", self.checkouts.len());
        let ask = world.post("/api/checkouts").by(LI).key(&key);
        let reply = ask.json(&world.buying(wanted, total)).reply().await;
        fine(&reply);
        if reply.status == 201 {
            let checkout = content_of(&reply);
            let orders = checkout["orders"].as_array().unwrap();
            self.orders.extend(orders.clone());
            self.checkouts.push(checkout);
        }
    }

    async fn step(&self, world: &World, (at, step): (usize, &str)) {
        let Some(order) = nth(&self.orders, at) else {
            return;
        };
        let (who, body) = match step {
            "completion" => (LI, json!({})),
            "cancellation" => (LI, json!({"reason": "x"})),
            "rejection" => (FRUITER, json!({"reason": "x"})),
            _ => (FRUITER, json!({})),
        };
        let ask = world.post(&path(order, step)).by(who);
        fine(&ask.json(&body).reply().await);
    }

    async fn reprice(&self, world: &World, (at, minor): (usize, i64)) {
        let Some(order) = nth(&self.orders, at) else {
            return;
        };
        let price = json!({"goods_minor": minor, "freight_minor": 0, "reason": "x"});
        let ask = world.put(&path(order, "price")).by(FRUITER);
        let reply = ask.header("if-match", "*").json(&price).reply().await;
        fine(&reply);
    }

    async fn pay(&mut self, world: &World, at: usize) {
        let Some(checkout) = nth(&self.checkouts, at) else {
            return;
        };
        let place = format!("/api/checkouts/{}", checkout["id"].as_str().unwrap());
        let now = world.get(&place).by(LI).content().await;
        // What was asked for first, or what is asked for now: payments takes each once.
        let asked = if now["payment"].is_null() {
            checkout
        } else {
            &now
        };
        let Some(payment) = asked["payment"].as_str() else {
            return;
        };
        match self.paid.get(payment) {
            Some(told) => world.record(told).await,
            None => {
                let told = world.pay(asked).await;
                self.paid.insert(payment.to_owned(), told);
            }
        }
    }

    async fn ask(&mut self, world: &World, at: usize, quantity: i64) {
        let Some(order) = nth(&self.orders, at) else {
            return;
        };
        let whole = world.whole(LI, order).await;
        let line =
            json!({"line": whole["lines"][0]["id"], "quantity": quantity, "with_freight": true});
        let body = json!({"kind": "refund", "lines": [line], "reason": "x"});
        let key = format!("a{}", self.after_sales.len());
        let reply = world
            .post(&path(order, "after-sales"))
            .by(LI)
            .key(&key)
            .json(&body)
            .reply()
            .await;
        assert!(reply.status.as_u16() < 500, "{}", content_of(&reply));
        if reply.status == 201 {
            self.after_sales.push(content_of(&reply));
        }
    }

    /// The channel will not do the oldest refund that it has not done.
    async fn fail(&mut self, world: &World) {
        for asked in world.facts_of("refund.requested").await {
            let id = asked["refund"].as_str().unwrap().to_owned();
            if !self.failed.contains_key(&id) && !world.is_refunded(&id).await {
                self.failed.insert(id, ());
                world.refund_fails(&asked).await;
                world.tick().await;
                return;
            }
        }
    }

    /// All is over: what is open is answered, sent and completed.
    async fn end(&mut self, world: &mut World) {
        for _ in 0..3 {
            for after_sale in &self.after_sales {
                for step in ["agreement", "refusal"] {
                    world.answering(after_sale, step).reply().await;
                }
            }
            world.refund_all_but(&self.failed).await;
            for order in &self.orders {
                for step in ["acceptance", "shipment"] {
                    world
                        .post(&path(order, step))
                        .by(FRUITER)
                        .json(&json!({}))
                        .reply()
                        .await;
                }
            }
            world.pass_ms(16 * 24 * 60 * MINUTE_MS);
            world.tick().await;
        }
    }
}

async fn tell(acts: Vec<Act>) {
    let mut world = World::on(store::testing::sqlite(&crate::support::MIGRATIONS).await);
    world.found().await;
    world.goods("apple", 500, 20).await;
    world.goods("pear", 700, 20).await;
    world.commission(777).await;
    let mut history = History::default();
    for act in &acts {
        history.act(&mut world, act).await;
        for item in ["apple", "pear"] {
            let (available, reserved, taken) = world.stock(item).await;
            assert!(
                available >= 0 && reserved >= 0 && taken >= 0 && available + reserved + taken == 20,
                "{act:?}"
            );
        }
    }
    history.end(&mut world).await;
    assert_eq!(world.stock("apple").await.1, 0, "nothing stays reserved");
    assert_eq!(
        world.balance("suspense").await,
        0,
        "all money is where it belongs"
    );
    world.books_are_right().await;
}

#[test]
fn whatever_happens_stock_and_money_are_conserved() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut runner = TestRunner::new(Config {
        cases: 8,
        max_shrink_iters: 40,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&acts(), |acts| {
        runtime.block_on(tell(acts));
        Ok(())
    });
    outcome.unwrap();
}
