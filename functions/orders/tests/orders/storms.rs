//! Many at once: what is sold is there, and no money is paid out twice.

use kernel::ActorKind;
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

fn buyer(number: usize) -> Person<'static> {
    Person(
        ActorKind::Resident,
        BUYERS[number],
        "demo",
        &["garden"],
        &[],
    )
}

/// What became of the orders: units of those that were paid and not given back, and all stock words.
async fn sold(world: &World) -> i64 {
    let rows = world
        .context
        .db
        .rows(
            "select cast(coalesce(sum(l.quantity), 0) as bigint) from orders_order o join orders_line l on l.order_id = o.id
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
        for wave in 0..4 {
            let late = buy(&world, wave).await;
            world.pass_ms(15 * MINUTE_MS);
            world.tick().await;
            world.tick().await;
            for late in late {
                world.record(&late).await;
            }
            world.tick().await;
            let (available, reserved, taken) = world.stock("apple").await;
            assert_eq!((reserved, available + taken), (0, 10));
            let kept = sold(&world).await;
            assert_eq!(taken, kept, "no paid order without stock, none sold twice");
        }
        world.refund_all().await;
        let (_, _, taken) = world.stock("apple").await;
        assert_eq!(world.balance("suspense").await, taken * 500);
        world.books_are_right().await;
    })
    .await;
}

/// Twenty-five buyers at once, of whom each goes on in another way; the money of which payments has not told yet.
async fn buy(world: &World, wave: usize) -> Vec<PaymentSucceeded> {
    let body = &world.buying(&[("apple", 1)], 500);
    let asks = (0..25).map(|number| {
        let ask = world.post("/api/checkouts").by(buyer(wave * 25 + number));
        ask.key("once").json(body).reply()
    });
    let replies = join_all(asks.collect()).await;
    let (available, reserved, taken) = world.stock("apple").await;
    assert!(available >= 0 && available + reserved + taken == 10);
    let mut late = Vec::new();
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
            1 => late.push(world.received(&checkout).await),
            2 => change_ones_mind(world, buyer(wave * 25 + number), &checkout).await,
            // Nobody says anything.
            _ => {}
        }
    }
    late
}

async fn change_ones_mind(world: &World, who: Person<'_>, checkout: &Value) {
    let id = checkout["id"].as_str().unwrap();
    let cancel = format!("/api/checkouts/{id}/cancellation");
    let ask = |key: &'static str| world.post(&cancel).by(who).key(key);
    ask("cancel").content().await;
    ask("again").refused(409, "checkout_state").await;
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
