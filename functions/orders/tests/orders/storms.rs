//! Many at once, and whatever order things come in: stock and money are conserved.

use std::collections::BTreeMap;

use kernel::ActorKind;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use wire::event::PaymentSucceeded;

use crate::support::{FRUITER, LI, MA, MINUTE_MS, Person, World, content_of, on_each_engine};
use crate::trade::path;

/// The names of buyers, who are all different people.
const BUYERS: [&str; 100] = {
    const TENS: [[&str; 10]; 10] = [
        [
            "b00", "b01", "b02", "b03", "b04", "b05", "b06", "b07", "b08", "b09",
        ],
        [
            "b10", "b11", "b12", "b13", "b14", "b15", "b16", "b17", "b18", "b19",
        ],
        [
            "b20", "b21", "b22", "b23", "b24", "b25", "b26", "b27", "b28", "b29",
        ],
        [
            "b30", "b31", "b32", "b33", "b34", "b35", "b36", "b37", "b38", "b39",
        ],
        [
            "b40", "b41", "b42", "b43", "b44", "b45", "b46", "b47", "b48", "b49",
        ],
        [
            "b50", "b51", "b52", "b53", "b54", "b55", "b56", "b57", "b58", "b59",
        ],
        [
            "b60", "b61", "b62", "b63", "b64", "b65", "b66", "b67", "b68", "b69",
        ],
        [
            "b70", "b71", "b72", "b73", "b74", "b75", "b76", "b77", "b78", "b79",
        ],
        [
            "b80", "b81", "b82", "b83", "b84", "b85", "b86", "b87", "b88", "b89",
        ],
        [
            "b90", "b91", "b92", "b93", "b94", "b95", "b96", "b97", "b98", "b99",
        ],
    ];
    let mut all = [""; 100];
    let mut at = 0;
    while at < 100 {
        all[at] = TENS[at / 10][at % 10];
        at += 1;
    }
    all
};

fn buyer(number: usize) -> Person {
    Person(ActorKind::Resident, BUYERS[number], "demo", &["garden"])
}

/// What became of the orders: units of those that were paid and not given back, and all stock words.
async fn sold(world: &World) -> i64 {
    let rows = world
        .context
        .db
        .rows(
            "select coalesce(sum(l.quantity), 0) from orders_order o join orders_line l on l.order_id = o.id
             where o.payment = 'paid' and o.state <> 'cancelled'",
            &[],
        )
        .await
        .unwrap();
    rows[0].integer(0).unwrap()
}

#[tokio::test]
async fn a_hundred_buyers_of_ten_units_with_delays_time_outs_and_cancels() {
    on_each_engine(async |mut world| {
        world.goods("apple", 500, 10).await;
        world.tick().await;
        let mut paid_late = Vec::new();
        for wave in 0..4 {
            let asks = (0..25).map(|number| {
                let who = buyer(wave * 25 + number);
                let world = &world;
                async move {
                    let body = world.buying(&[("apple", 1)], 500);
                    world
                        .post("/api/checkouts")
                        .by(who)
                        .key("once")
                        .json(&body)
                        .reply()
                        .await
                }
            });
            let replies = join_all(asks.collect()).await;
            let (available, reserved, taken) = world.stock("apple").await;
            assert!(available >= 0 && available + reserved + taken == 10);
            for (number, reply) in replies.iter().enumerate() {
                let checkout = content_of(reply);
                if reply.status != 201 {
                    assert_eq!(checkout["code"], "out_of_stock", "{checkout}");
                    continue;
                }
                match (wave + number) % 4 {
                    // Paid at once; the notice comes twice.
                    0 => {
                        let money = world.pay(&checkout).await;
                        world.record(&money).await;
                    }
                    // The money is there, and payments tells of it only after the time was over.
                    1 => paid_late.push(world.received(&checkout).await),
                    // The buyer changes their mind.
                    2 => {
                        let who = buyer(wave * 25 + number);
                        let cancel = format!(
                            "/api/checkouts/{}/cancellation",
                            checkout["id"].as_str().unwrap()
                        );
                        world.post(&cancel).by(who).key("cancel").content().await;
                        world
                            .post(&cancel)
                            .by(who)
                            .key("again")
                            .refused(409, "checkout_state")
                            .await;
                    }
                    // Nobody says anything.
                    _ => {}
                }
            }
            world.pass_ms(15 * MINUTE_MS);
            world.tick().await;
            world.tick().await;
            for late in paid_late.drain(..) {
                world.record(&late).await;
            }
            world.tick().await;
            let (available, reserved, taken) = world.stock("apple").await;
            assert_eq!((reserved, available + taken), (0, 10));
            assert_eq!(
                taken,
                sold(&world).await,
                "no paid order without stock, and none sold twice"
            );
        }
        world.refund_all().await;
        let (_, _, taken) = world.stock("apple").await;
        assert_eq!(world.balance("suspense").await, taken * 500);
        world.books_are_right().await;
    })
    .await;
}

async fn join_all<T>(futures: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut pinned: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<T>> = pinned.iter().map(|_| None).collect();
    std::future::poll_fn(move |context| {
        let mut is_ready = true;
        for (slot, future) in done.iter_mut().zip(&mut pinned) {
            if slot.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *slot = Some(value),
                    std::task::Poll::Pending => is_ready = false,
                }
            }
        }
        if is_ready {
            let all = done.iter_mut().filter_map(Option::take).collect();
            return std::task::Poll::Ready(all);
        }
        std::task::Poll::Pending
    })
    .await
}

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
    prop::collection::vec(act, 1..40)
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

fn nth(list: &[Value], at: usize) -> Option<&Value> {
    list.get(at.checked_rem(list.len())?)
}

impl History {
    /// Does what may be done; a refusal is fine, a failure is not.
    async fn act(&mut self, world: &mut World, act: &Act) {
        let reply = match act {
            Act::Place(apple, pear) => {
                let total = i64::from(*apple) * 500 + i64::from(*pear) * 700;
                let wanted = [("apple", *apple), ("pear", *pear)];
                let wanted = if *pear == 0 {
                    &wanted[..1]
                } else {
                    &wanted[..]
                };
                let key = format!("k{}", self.checkouts.len());
                let ask = world
                    .post("/api/checkouts")
                    .by(LI)
                    .key(&key)
                    .json(&world.buying(wanted, total));
                let reply = ask.reply().await;
                if reply.status == 201 {
                    let checkout = content_of(&reply);
                    self.orders
                        .extend(checkout["orders"].as_array().unwrap().clone());
                    self.checkouts.push(checkout);
                }
                Some(reply)
            }
            Act::Pay(at) | Act::PayAgain(at) => return self.pay(world, *at).await,
            Act::Cancel(at) => {
                let Some(order) = nth(&self.orders, *at) else {
                    return;
                };
                Some(
                    world
                        .post(&path(order, "cancellation"))
                        .by(LI)
                        .json(&json!({"reason": "x"}))
                        .reply()
                        .await,
                )
            }
            Act::Step(at, step) => {
                let Some(order) = nth(&self.orders, *at) else {
                    return;
                };
                let who = if *step == "completion" { LI } else { FRUITER };
                Some(
                    world
                        .post(&path(order, step))
                        .by(who)
                        .json(&json!({"reason": "x"}))
                        .reply()
                        .await,
                )
            }
            Act::Reprice(at, minor) => {
                let Some(order) = nth(&self.orders, *at) else {
                    return;
                };
                let price = json!({"goods_minor": minor, "freight_minor": 0, "reason": "x"});
                Some(
                    world
                        .put(&path(order, "price"))
                        .by(FRUITER)
                        .header("if-match", "*")
                        .json(&price)
                        .reply()
                        .await,
                )
            }
            Act::Ask(at, units) => return self.ask(world, *at, *units).await,
            Act::Answer(at, step) => {
                let Some(after_sale) = nth(&self.after_sales, *at) else {
                    return;
                };
                Some(world.answering(after_sale, step).reply().await)
            }
            Act::Refund => {
                world.refund_all_but(&self.failed).await;
                None
            }
            Act::RefundFails => return self.fail(world).await,
            Act::Wait(minutes) => {
                world.pass_ms(minutes * MINUTE_MS);
                world.tick().await;
                None
            }
        };
        if let Some(reply) = reply {
            assert!(
                reply.status.as_u16() < 500,
                "{act:?}: {}",
                content_of(&reply)
            );
        }
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
        for _ in 0..4 {
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
        cases: 24,
        max_shrink_iters: 60,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&acts(), |acts| {
        runtime.block_on(tell(acts));
        Ok(())
    });
    outcome.unwrap();
}

#[tokio::test]
async fn a_refund_and_a_completion_at_once_pay_the_money_out_once() {
    on_each_engine(async |world| {
        world.goods("apple", 1_000, 10).await;
        let order = world.accepted(&[("apple", 1)], 1_000).await;
        world.step(FRUITER, &order, "shipment", json!({})).await;
        let line = world.whole(LI, &order).await["lines"][0]["id"].clone();
        let body =
            json!({"kind": "refund", "lines": [{"line": line, "quantity": 1}], "reason": "x"});
        let (asked, completed) = tokio::join!(
            world
                .post(&path(&order, "after-sales"))
                .by(LI)
                .key("a")
                .json(&body)
                .reply(),
            world.post(&path(&order, "completion")).by(LI).reply()
        );
        assert_eq!(asked.status, 201);
        let asked = content_of(&asked);
        world.answering(&asked, "agreement").content().await;
        world.refund_all().await;
        let payable = world.balance("merchant_payable:fruit").await;
        assert_eq!(
            (payable, world.balance("suspense").await),
            (0, 0),
            "{}",
            completed.status
        );
        world.get("/api/orders").by(MA).content().await;
        world.books_are_right().await;
    })
    .await;
}
