//! Goods, services and promotions of the shop, orders as far as an example finds them, and what comes after them.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{BUYER, COMMUNITY, DAY_SECONDS, OPERATOR, SELLER, Walk};

/// What a box on the shelf costs, in fen.
const PRICE: i64 = 1_000;
/// What is done to a paid order, in turn: by whom, and what it is then.
const STEPS: [(&str, &str, &str); 3] = [
    (SELLER, "acceptance", "an accepted order"),
    (SELLER, "shipment", "a shipped order"),
    (BUYER, "completion", "a completed order"),
];

/// What is said along with a step.
fn words(step: &str) -> Value {
    match step {
        "shipment" | "return" => json!({ "carrier": "顺丰", "tracking": "SF1001" }),
        "agreement" | "receipt" => json!({}),
        _ => Value::Null,
    }
}

impl Walk {
    pub(super) async fn given_goods(&mut self, what: &str) -> Result<bool> {
        match what {
            "goods on the shelf" => self.shelf().await?,
            "a product with a picture" => self.pictured().await?,
            "something in the cart" => {
                self.shelf().await?;
                let two = json!({ "quantity": 2, "community": COMMUNITY });
                self.ask(BUYER, "PUT /api/carts/{variant}", two).await?;
            }
            "something that is liked" => {
                self.shelf().await?;
                let like = "PUT /api/favourites/product/{product}";
                self.ask(BUYER, like, Value::Null).await?;
            }
            "a service" => self.product("lessons").await?,
            "a service with a slot" => {
                self.product("lessons").await?;
                let slot = json!({ "starts_at": "2035-11-03T02:00:00Z", "ends_at": "2035-11-03T03:00:00Z", "capacity": 4 });
                let slots = "POST /api/products/{product}/slots";
                let made = self.ask(SELLER, slots, slot).await?;
                self.keep("slot", &made["id"]);
            }
            "a promotion that was applied for" => self.promotion(coupons()).await?,
            "a promotion that runs" => self.running_promotion(coupons()).await?,
            "a group of buyers" => self.group().await?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// A product that nobody is shown yet.
    async fn product(&mut self, category: &str) -> Result<()> {
        let mut variant = json!({ "name": "一份", "price_minor": PRICE });
        if category == "food" {
            variant["units"] = json!(1_000);
        }
        let product = json!({ "merchant": "{merchant}", "category": category, "name": "苹果", "variants": [variant] });
        let products = "POST /api/products";
        let made = self.ask_until_heard(SELLER, products, product).await?;
        self.keep("product", &made["id"]);
        self.keep("variant", &made["variants"][0]["id"]);
        Ok(())
    }

    async fn pictured(&mut self) -> Result<()> {
        self.product("food").await?;
        let (kind, picture) = super::super::PICTURES[1];
        let path = self.named("/api/products/{product}/pictures/1");
        let request = http::Request::put(path).header("content-type", kind);
        let request = request.body(bytes::Bytes::from_static(picture))?;
        let put = self.caller(SELLER).try_send(request).await;
        put.map_err(anyhow::Error::msg)?.expect(200);
        Ok(())
    }

    /// A product on offer that is brought for nothing, and can be fetched.
    async fn shelf(&mut self) -> Result<()> {
        self.product("food").await?;
        let ways = json!({ "freight_minor": 0, "free_from_minor": 0, "own": true, "carrier": true, "pickup": true });
        let delivery = "PUT /api/shops/{merchant}/delivery";
        self.ask(SELLER, delivery, ways).await?;
        let listing = "POST /api/products/{product}/listing";
        self.ask_until_heard(SELLER, listing, Value::Null)
            .await
            .map(drop)
    }

    async fn promotion(&mut self, terms: Value) -> Result<()> {
        let promotion = json!({
            "merchant": "{merchant}", "name": "立减", "terms": terms, "subsidy_bps": 0, "from": self.moment(-1),
            "until": self.moment(30),
        });
        let applied = self.ask(SELLER, "POST /api/promotions", promotion).await?;
        self.keep("promotion", &applied["id"]);
        Ok(())
    }

    async fn running_promotion(&mut self, terms: Value) -> Result<()> {
        self.promotion(terms).await?;
        let approval = "POST /api/promotions/{promotion}/approval";
        let places = json!({ "places": ["home"] });
        self.ask(OPERATOR, approval, places).await.map(drop)
    }

    /// A group-buy that somebody has begun.
    async fn group(&mut self) -> Result<()> {
        self.shelf().await?;
        let terms = json!({ "kind": "group_buy", "variant": "{variant}", "price_minor": 800, "size": 3, "hours": 24 });
        self.running_promotion(terms).await?;
        let line = json!({ "variant": "{variant}", "quantity": 1, "group_buy": "{promotion}" });
        let bought = self.buy(line, 800, false).await?;
        self.keep("group-buy", &bought["orders"][0]["group"]);
        Ok(())
    }

    /// Somebody buys, and has not paid yet.
    async fn buy(&mut self, line: Value, total_minor: i64, pick_up: bool) -> Result<Value> {
        if !self.made.contains_key("home") {
            let home = json!({ "community": COMMUNITY, "detail": "1栋101", "name": "李梅", "phone": "13800138000", "is_default": true });
            let made = self.ask(BUYER, "POST /api/addresses", home).await?;
            self.keep("home", &made["id"]);
        }
        let checkout = json!({
            "community": COMMUNITY, "lines": [line], "coupons": [], "pick_up": pick_up, "address": "{home}",
            "expected_total_minor": total_minor,
        });
        let placed = self.ask(BUYER, "POST /api/checkouts", checkout).await?;
        self.keep("checkout", &placed["id"]);
        self.keep("order", &placed["orders"][0]["id"]);
        self.keep("payment", &placed["payment"]);
        Ok(placed)
    }

    /// An order of so many boxes.
    async fn unpaid_order(&mut self, boxes: i64, pick_up: bool) -> Result<Value> {
        self.shelf().await?;
        let line = json!({ "variant": "{variant}", "quantity": boxes });
        self.buy(line, boxes * PRICE, pick_up).await
    }

    async fn paid_order(&mut self, boxes: i64, pick_up: bool) -> Result<()> {
        let placed = self.unpaid_order(boxes, pick_up).await?;
        self.pay(BUYER, &placed["payment"]).await?;
        let is_paid = |order: &Value| order["payment"] == "paid";
        let order = self.until(BUYER, "/api/orders/{order}", is_paid).await?;
        self.keep("order-line", &order["lines"][0]["id"]);
        Ok(())
    }

    /// A step of the order.
    async fn step(&self, who: &str, step: &str, body: Value) -> Result<Value> {
        let path = format!("POST /api/orders/{{order}}/{step}");
        self.ask(who, &path, body).await
    }

    pub(super) async fn given_order(&mut self, what: &str) -> Result<bool> {
        match what {
            "an unpaid order" => drop(self.unpaid_order(3, false).await?),
            "a payment that was begun" => {
                let placed = self.unpaid_order(3, false).await?;
                self.begin_payment(BUYER, &placed["payment"]).await?;
            }
            "a paid order" => self.paid_order(3, false).await?,
            "an accepted order to be fetched" => self.fetched_order().await?,
            "an order that can be fetched" => {
                self.fetched_order().await?;
                self.step(SELLER, "readiness", Value::Null).await?;
                let shown = "GET /api/orders/{order}";
                let order = self.ask(BUYER, shown, Value::Null).await?;
                let code = order["verification_code"].as_str().context("a code")?;
                self.told
                    .insert("verification_code".to_owned(), code.to_owned());
            }
            "a day with orders that is over" => {
                self.paid_order(3, false).await?;
                let day = self.told("today").to_owned();
                self.made.insert("day".to_owned(), day);
                self.wait_seconds(DAY_SECONDS).await?;
            }
            _ if STEPS.iter().any(|(.., reached)| *reached == what) => self.order(what).await?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    async fn fetched_order(&mut self) -> Result<()> {
        self.paid_order(3, true).await?;
        let accepted = self.step(SELLER, "acceptance", Value::Null).await;
        accepted.map(drop)
    }

    /// An order that came so far.
    async fn order(&mut self, so_far: &str) -> Result<()> {
        self.sold(3, so_far).await
    }

    /// An order of so many boxes that came so far.
    pub(super) async fn sold(&mut self, boxes: i64, so_far: &str) -> Result<()> {
        self.paid_order(boxes, false).await?;
        for (who, step, reached) in STEPS {
            self.step(who, step, words(step)).await?;
            if reached == so_far {
                break;
            }
        }
        Ok(())
    }

    pub(super) async fn given_afterwards(&mut self, what: &str) -> Result<bool> {
        let steps = [
            (SELLER, "agreement"),
            (BUYER, "return"),
            (SELLER, "receipt"),
        ];
        match what {
            "a return that was asked for" => self.after_sale("return", &[]).await?,
            "a return that was agreed to" => self.after_sale("return", &steps[..1]).await?,
            "a return on its way" => self.after_sale("return", &steps[..2]).await?,
            "an exchange of what is back" => self.after_sale("exchange", &steps).await?,
            "a dispute" => self.dispute().await?,
            "a dispute of which both were heard" => {
                self.dispute().await?;
                let evidence = "POST /api/disputes/{dispute}/evidence";
                let photographs = json!({ "words": "打包照片", "files": [] });
                self.ask(SELLER, evidence, photographs).await?;
            }
            "a review" => {
                self.order("a completed order").await?;
                let review = json!({ "line": "{order-line}", "stars": 5, "words": "很甜", "is_anonymous": true });
                let made = self.step(BUYER, "reviews", review).await?;
                self.keep("review", &made["id"]);
            }
            "a refund" => {
                self.paid_order(3, false).await?;
                let sold_out = json!({ "reason": "卖完了" });
                self.step(SELLER, "rejection", sold_out).await?;
                let path = "/api/refunds?payment={payment}";
                let has_one = |refunds: &Value| refunds["items"][0].is_object();
                let refunds = self.until(OPERATOR, path, has_one).await?;
                self.keep("refund", &refunds["items"][0]["id"]);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// An after-sale over a shipped order, after these steps.
    async fn after_sale(&mut self, kind: &str, steps: &[(&str, &str)]) -> Result<()> {
        self.order("a shipped order").await?;
        let asked = json!({ "kind": kind, "lines": [{ "line": "{order-line}", "quantity": 1 }], "reason": "坏了" });
        let made = self.step(BUYER, "after-sales", asked).await?;
        self.keep("after_sale", &made["id"]);
        for (who, step) in steps {
            let path = format!("POST /api/after-sales/{{after_sale}}/{step}");
            self.ask(who, &path, words(step)).await?;
        }
        Ok(())
    }

    async fn dispute(&mut self) -> Result<()> {
        self.order("a shipped order").await?;
        let claim = json!({ "claim": "少了一箱" });
        let made = self.step(BUYER, "disputes", claim).await?;
        self.keep("dispute", &made["id"]);
        Ok(())
    }
}

fn coupons() -> Value {
    json!({ "kind": "coupon", "off_minor": 500, "least_minor": 2_000, "issue_max": 100, "products": [] })
}
