//! Whatever people pay, close and give back in whatever order: bills, books, points and the drawer agree.

use serde_json::{Value, json};
use wire::event::PaymentClosed;

use crate::parts::{coupon, grant, ids, owed};
use crate::support::{CHEN, LI, Person, World, on_each_engine};

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % u64::try_from(bound).unwrap()).unwrap()
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }
}

/// A story under way: what was asked for and has no answer yet.
struct Storm<'a> {
    world: &'a World,
    dice: Dice,
    coupons: Vec<String>,
    open: Vec<Value>,
    steps: usize,
}

impl Storm<'_> {
    fn key(&mut self) -> String {
        self.steps += 1;
        format!("s{}", self.steps)
    }

    /// Somebody pays some of the bills, all or a part, with whatever there is.
    async fn pays(&mut self, person: Person<'_>, method: &str) {
        let query = "?room=r101&state=published";
        let mut bills = self.world.bills(CHEN, query).await;
        let keep = self.dice.below(bills.len().max(1)) + 1;
        bills.truncate(keep);
        let mut ask = json!({"bills": ids(&bills), "method": method, "use_points": self.dice.coin(), "use_credit": self.dice.coin()});
        if self.dice.coin() {
            ask["pay_minor"] = json!(self.dice.below(30_000) + 1);
        }
        if self.dice.coin() {
            let place = self.dice.below(self.coupons.len());
            ask["coupon"] = json!(self.coupons[place]);
        }
        if method != "channel" {
            ask["payer"] = json!("li");
        }
        let key = self.key();
        let reply = self
            .world
            .post("/api/bill-payments")
            .by(person)
            .key(&key)
            .json(&ask)
            .reply()
            .await;
        assert!(reply.status.as_u16() < 500, "{ask}");
        let made = crate::support::content_of(&reply);
        if reply.status.is_success() && made["state"] == "requested" {
            self.open
                .push(self.world.last_fact("payment.requested").await);
        }
    }

    /// The money comes, or nobody pays.
    async fn ends(&mut self, with_money: bool) {
        if self.open.is_empty() {
            return;
        }
        let place = self.dice.below(self.open.len());
        let asked = self.open.remove(place);
        if with_money {
            self.world.money_came("bills", &asked).await;
        } else {
            let text = |name: &str| asked[name].as_str().unwrap().to_owned();
            self.world
                .record(&PaymentClosed {
                    payment: text("payment").try_into().unwrap(),
                    purpose: "bills".to_owned(),
                    reference: text("reference"),
                    reason: "expired".to_owned(),
                })
                .await;
        }
        self.world.tick().await;
    }

    /// What a payment was put against one bill goes back.
    async fn gives_back(&mut self) {
        let paid = payments(self.world).await;
        let lines: Vec<(String, Value)> = paid
            .iter()
            .flat_map(|payment| {
                let id = payment["id"].as_str().unwrap().to_owned();
                let lines = payment["lines"].as_array().unwrap().clone();
                lines
                    .into_iter()
                    .map(move |line| (id.clone(), line["bill"].clone()))
            })
            .collect();
        if lines.is_empty() {
            return;
        }
        let (payment, bill) = &lines[self.dice.below(lines.len())];
        let path = format!("/api/bill-payments/{payment}/refunds");
        let ask = json!({"bills": [bill], "reason": "x"});
        let key = self.key();
        let reply = self
            .world
            .post(&path)
            .by(CHEN)
            .key(&key)
            .json(&ask)
            .reply()
            .await;
        assert!(reply.status.as_u16() < 500, "{ask}");
    }
}

/// All payments, with their lines and refunds.
async fn payments(world: &World) -> Vec<Value> {
    let page = world
        .get("/api/bill-payments?limit=200")
        .by(CHEN)
        .content()
        .await;
    let mut shown = Vec::new();
    for payment in page["items"].as_array().unwrap() {
        let path = format!("/api/bill-payments/{}", payment["id"].as_str().unwrap());
        shown.push(world.get(&path).by(CHEN).content().await);
    }
    shown
}

fn sum(items: &[Value], fields: &[&str]) -> i64 {
    let of = |item: &Value| {
        fields
            .iter()
            .map(|field| item[*field].as_i64().unwrap())
            .sum::<i64>()
    };
    items.iter().map(of).sum()
}

async fn agrees(world: &World) {
    let paid = payments(world).await;
    let paid: Vec<Value> = paid
        .into_iter()
        .filter(|payment| payment["state"] == "succeeded")
        .collect();
    let refunds: Vec<(Value, Value)> = paid
        .iter()
        .flat_map(|payment| {
            let method = payment["method"].clone();
            let refunds = payment["refunds"].as_array().unwrap().clone();
            refunds
                .into_iter()
                .map(move |refund| (method.clone(), refund))
        })
        .collect();
    let back: Vec<Value> = refunds.iter().map(|(_, refund)| refund.clone()).collect();
    let bills = world
        .bills(CHEN, "?room=r101&state=published&limit=100")
        .await;
    assert_eq!(
        world.balance("fee_receivable:r101").await,
        sum(&bills, &["unpaid_minor"])
    );
    let spared = sum(&paid, &["coupon_minor", "points_minor"])
        - sum(&back, &["coupon_minor", "points_minor"]);
    assert_eq!(world.balance("coupon_subsidy_expense").await, spared);
    let by = |method: &str| {
        let came: Vec<Value> = paid
            .iter()
            .filter(|payment| payment["method"] == method)
            .cloned()
            .collect();
        let went: Vec<Value> = refunds
            .iter()
            .filter(|(of, _)| of == method)
            .map(|(_, refund)| refund.clone())
            .collect();
        (
            sum(&came, &["channel_minor"]),
            sum(&went, &["channel_minor"]),
        )
    };
    let (taken, handed) = by("cash");
    assert_eq!(world.balance("cash:garden").await, taken - handed);
    // What goes back over the channel waits for it.
    assert_eq!(world.balance("suspense").await, by("channel").1);
    let points = world
        .get("/api/fee-points?community=garden&limit=200")
        .by(LI)
        .content()
        .await;
    assert_eq!(
        points["balance"],
        sum(points["items"].as_array().unwrap(), &["points"])
    );
    world.books_are_right().await;
}

#[tokio::test]
async fn a_storm_of_payments_leaves_bills_books_points_and_the_drawer_in_agreement() {
    on_each_engine(async |world| {
        owed(&world).await;
        for month in ["2026-08", "2026-09"] {
            world.published(month).await;
        }
        let mut coupons = Vec::new();
        for (key, holder) in [
            ("c1", ("person", "li")),
            ("c2", ("room", "r101")),
            ("c3", ("person", "li")),
        ] {
            coupons.push(coupon(&world, key, json!({"amount_minor": 2_500}), holder).await);
        }
        grant(&world, 120).await;
        let mut storm = Storm {
            world: &world,
            dice: Dice(42),
            coupons,
            open: Vec::new(),
            steps: 0,
        };
        for _ in 0..40 {
            match storm.dice.below(7) {
                0 | 1 => storm.pays(LI, "channel").await,
                2 => storm.pays(CHEN, "cash").await,
                3 | 4 => storm.ends(true).await,
                5 => storm.ends(false).await,
                _ => storm.gives_back().await,
            }
        }
        while !storm.open.is_empty() {
            storm.ends(false).await;
        }
        agrees(&world).await;
    })
    .await;
}
