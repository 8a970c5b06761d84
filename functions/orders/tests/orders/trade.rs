//! What the stories of orders have in common: goods on a shelf, buyers who place and pay, a merchant who delivers, and
//! payments on the other side.

use std::collections::BTreeMap;

use kernel::{
    ActorId, CheckoutId, CommissionRuleId, CommunityId, Currency, Money, PaymentId, RefundId,
    TransactionId,
};
use ledger::{Account, Posting};
use serde_json::{Value, json};
use wire::event::{
    CommissionRuleChanged, PaymentClosed, PaymentSucceeded, RefundFailed, RefundSucceeded,
};

use crate::support::{FRUITER, LI, Person, World, demo, merchant};

/// An order's path for a step.
pub fn path(order: &Value, step: &str) -> String {
    let id = order["id"].as_str().unwrap();
    match step {
        "" => format!("/api/orders/{id}"),
        step => format!("/api/orders/{id}/{step}"),
    }
}

impl World {
    /// Goods of the fruit shop at that price, so many of them.
    pub async fn goods(&self, variant: &str, price_minor: i64, units: i64) {
        self.shelf("fruit", ("goods", "fruits"), (variant, price_minor), units)
            .await;
    }

    /// Something listed in a shop: product and variant of one id.
    pub async fn shelf(
        &self,
        shop: &str,
        (kind, category): (&str, &str),
        (variant, price_minor): (&str, i64),
        units: i64,
    ) {
        store::tx(&self.context.db, &demo(), async |tx| {
            let now = self.context.now;
            tx.execute(
                "insert into orders_product (tenant, id, merchant, category, kind, name, summary, description, state,
                    lead_minutes, cancel_minutes, version, created_at, changed_at, listed_at)
                 values ('demo', $1, $2, $3, $4, $5, '', '', 'listed', 0, 0, 1, $6, $6, $6)",
                &[variant.into(), shop.into(), category.into(), kind.into(), format!("商品 {variant}").into(), now.into()],
            )
            .await?;
            tx.execute(
                "insert into orders_variant (tenant, id, product, merchant, position, name, price_minor, near_days,
                    markdown_bps, gone)
                 values ('demo', $1, $1, $2, 1, '份', $3, 0, 0, 0)",
                &[variant.into(), shop.into(), price_minor.into()],
            )
            .await?;
            let item = orders::domain::stock::Item::Variant(kernel::VariantId::parse(variant)?);
            orders::store::stock::open(tx, &merchant(shop), &item, units).await
        })
        .await
        .unwrap();
    }

    /// A time of a service of the laundry, in six hours, with so many places.
    pub async fn slot(&self, product: &str, slot: &str, places: i64) {
        const HOUR_MS: i64 = 60 * 60 * 1_000;
        store::tx(&self.context.db, &demo(), async |tx| {
            let begins = self.context.now.plus_millis(6 * HOUR_MS);
            tx.execute(
                "insert into orders_slot (tenant, id, product, merchant, starts_at, ends_at, gone)
                 values ('demo', $1, $2, 'laundry', $3, $4, 0)",
                &[
                    slot.into(),
                    product.into(),
                    begins.into(),
                    begins.plus_millis(HOUR_MS).into(),
                ],
            )
            .await?;
            let item = orders::domain::stock::Item::Slot(kernel::SlotId::parse(slot)?);
            orders::store::stock::open(tx, &merchant("laundry"), &item, places).await
        })
        .await
        .unwrap();
    }

    /// A promotion of the fruit shop that was approved and runs for ten days, of whose discounts the platform bears a share.
    pub async fn promotion(&self, id: &str, (terms, subsidy_bps): (&Value, i64)) {
        let begins = self.context.now.plus_millis(-1_000);
        store::tx(&self.context.db, &demo(), async |tx| {
            tx.execute(
                "insert into orders_promotion (tenant, id, merchant, kind, name, terms, subsidy_bps, starts_at, ends_at,
                    state, version, applied_by, applied_at, decided_by, decided_at, issued, issue_max)
                 values ('demo', $1, 'fruit', $2, '活动', $3, $4, $5, $6, 'approved', 1, 'guo', $5, 'wang', $5, 0, 100)",
                &[
                    id.into(),
                    terms["kind"].as_str().unwrap().into(),
                    terms.to_string().into(),
                    subsidy_bps.into(),
                    begins.into(),
                    begins.plus_millis(crate::support::DAY_MS * 10).into(),
                ],
            )
            .await
        })
        .await
        .unwrap();
    }

    /// Li holds a coupon of a promotion.
    pub async fn coupon(&self, id: &str, promotion: &str) {
        let now = self.context.now;
        store::tx(&self.context.db, &demo(), async |tx| {
            tx.execute(
                "insert into orders_coupon (tenant, id, promotion, merchant, person, state, claimed_at)
                 values ('demo', $1, $2, 'fruit', 'li', 'held', $3)",
                &[id.into(), promotion.into(), now.into()],
            )
            .await
        })
        .await
        .unwrap();
    }

    /// The platform takes that share of what the fruit shop sells, in 1/10,000.
    pub async fn commission(&self, rate_bps: u32) {
        self.record(&CommissionRuleChanged {
            rule: CommissionRuleId::parse("all").unwrap(),
            version: 1,
            merchant: None,
            category: None,
            kind: None,
            rate_bps,
            includes_freight: false,
            from: self.context.now.plus_millis(-1_000),
            until: None,
        })
        .await;
    }

    /// Available, reserved and sold units.
    pub async fn stock(&self, variant: &str) -> (i64, i64, i64) {
        let stock = orders::store::stock::stock(&self.context.db, &demo(), variant).await;
        let stock = stock.unwrap().unwrap();
        (stock.available, stock.reserved, stock.taken)
    }

    /// The request of somebody to buy so many of each, for that total.
    pub fn buying(&self, wanted: &[(&str, u32)], total_minor: i64) -> Value {
        let lines: Vec<Value> = wanted
            .iter()
            .map(|(variant, quantity)| json!({"variant": variant, "quantity": quantity}))
            .collect();
        json!({"community": "garden", "lines": lines, "expected_total_minor": total_minor})
    }

    /// Somebody places a checkout.
    pub async fn place(&self, who: Person<'_>, wanted: &[(&str, u32)], total_minor: i64) -> Value {
        let key: String = self
            .context
            .new_id::<kernel::EventId>()
            .unwrap()
            .to_string();
        self.post("/api/checkouts")
            .by(who)
            .key(&key)
            .json(&self.buying(wanted, total_minor))
            .content()
            .await
    }

    /// Payments has the money of a checkout: in the books, and told.
    pub async fn pay(&self, checkout: &Value) -> PaymentSucceeded {
        let fact = self.received(checkout).await;
        self.record(&fact).await;
        fact
    }

    /// Payments has the money of a checkout in the books, and has not told yet.
    pub async fn received(&self, checkout: &Value) -> PaymentSucceeded {
        let payment = checkout["payment"].as_str().unwrap();
        let minor = checkout["total_minor"].as_i64().unwrap();
        let posted = self
            .book(
                ("payment", payment),
                ("channel_clearing:simulated", "suspense"),
                minor,
            )
            .await;
        PaymentSucceeded {
            payment: PaymentId::parse(payment).unwrap(),
            purpose: "order".to_owned(),
            reference: checkout["id"].as_str().unwrap().to_owned(),
            payer: ActorId::parse(checkout["buyer"].as_str().unwrap()).unwrap(),
            community: CommunityId::parse("garden").unwrap(),
            amount_minor: minor,
            currency: Currency::Cny,
            channel: "simulated".to_owned(),
            paid_at: self.context.now,
            transaction: posted,
        }
    }

    async fn book(
        &self,
        (kind, reference): (&str, &str),
        (debit, credit): (&str, &str),
        minor: i64,
    ) -> TransactionId {
        store::tx(&self.context.db, &demo(), async |tx| {
            let amount = Money::new(minor, Currency::Cny);
            let posting = Posting::new(kind, reference, self.context.now)
                .debit(Account::parse(debit)?, amount)
                .credit(Account::parse(credit)?, amount);
            Ok(ledger::post(tx, &posting).await?.id)
        })
        .await
        .unwrap()
    }

    /// Payments will not have the money any more.
    pub async fn payment_closed(&self, checkout: &Value) {
        self.record(&PaymentClosed {
            payment: PaymentId::parse(checkout["payment"].as_str().unwrap()).unwrap(),
            purpose: "order".to_owned(),
            reference: checkout["id"].as_str().unwrap().to_owned(),
            reason: "expired".to_owned(),
        })
        .await;
    }

    /// Payments gives back all that it was asked to and has not given back yet; what it gave back.
    pub async fn refund_all(&self) -> Vec<i64> {
        self.refund_all_but(&BTreeMap::new()).await
    }

    /// As [`World::refund_all`], but for those that the channel would not do.
    pub async fn refund_all_but(&self, failed: &BTreeMap<String, ()>) -> Vec<i64> {
        // What the log holds is heard first: a request may have been made by the last of it.
        self.tick().await;
        let mut given = Vec::new();
        for asked in self.facts_of("refund.requested").await {
            let id = asked["refund"].as_str().unwrap();
            let minor = asked["amount_minor"].as_i64().unwrap();
            if failed.contains_key(id) || self.is_refunded(id).await {
                continue;
            }
            let posted = self
                .book(
                    ("refund", id),
                    ("suspense", "channel_clearing:simulated"),
                    minor,
                )
                .await;
            self.record(&RefundSucceeded {
                refund: RefundId::parse(id).unwrap(),
                payment: PaymentId::parse(asked["payment"].as_str().unwrap()).unwrap(),
                purpose: "order".to_owned(),
                reference: CheckoutId::parse("c").unwrap().to_string(),
                amount_minor: minor,
                currency: Currency::Cny,
                refunded_at: self.context.now,
                transaction: posted,
            })
            .await;
            given.push(minor);
        }
        self.tick().await;
        given
    }

    /// A merchant has drawn so much of what it may draw.
    pub async fn drawn(&self, shop: &str, minor: i64) {
        let payable = format!("merchant_payable:{shop}");
        self.book(("withdrawal", shop), (&payable, "bank"), minor)
            .await;
    }

    /// Whether the money of a refund left the channel.
    pub async fn is_refunded(&self, refund: &str) -> bool {
        let row = self
            .context
            .db
            .row(
                "select seq from ledger_transaction where tenant = 'demo' and kind = $1 and reference = $2",
                &["refund".into(), refund.into()],
            )
            .await;
        row.unwrap().is_some()
    }

    /// The channel will not take a refund back.
    pub async fn refund_fails(&self, asked: &Value) {
        self.record(&RefundFailed {
            refund: RefundId::parse(asked["refund"].as_str().unwrap()).unwrap(),
            payment: PaymentId::parse(asked["payment"].as_str().unwrap()).unwrap(),
            purpose: Some("order".to_owned()),
            reference: None,
            amount_minor: asked["amount_minor"].as_i64().unwrap(),
            reason: "account_closed".to_owned(),
        })
        .await;
    }

    /// The data of the tenant's events of that kind, in order.
    pub async fn facts_of(&self, kind: &str) -> Vec<Value> {
        let mut found = Vec::new();
        let mut after = 0;
        loop {
            let page = store::events::page(&self.context.db, &demo(), after, 200)
                .await
                .unwrap();
            let Some(last) = page.last() else {
                return found;
            };
            after = last.seq;
            found.extend(
                page.into_iter()
                    .filter(|event| event.kind == kind)
                    .map(|event| event.data),
            );
        }
    }

    /// The balance of an account, on its own side, in fen.
    pub async fn balance(&self, account: &str) -> i64 {
        let account = Account::parse(account).unwrap();
        let balance = ledger::balance(&self.context.db, &demo(), &account, Currency::Cny).await;
        balance.unwrap().posted().minor()
    }

    /// Li buys, pays, and the fruit shop accepts: the order.
    pub async fn accepted(&self, wanted: &[(&str, u32)], total_minor: i64) -> Value {
        let checkout = self.place(LI, wanted, total_minor).await;
        self.pay(&checkout).await;
        let order = checkout["orders"][0].clone();
        self.step(FRUITER, &order, "acceptance", json!({})).await;
        order
    }

    /// An order that arrived and that Li is content with.
    pub async fn completed(&self, wanted: &[(&str, u32)], total_minor: i64) -> Value {
        let order = self.accepted(wanted, total_minor).await;
        self.step(FRUITER, &order, "shipment", json!({})).await;
        self.step(LI, &order, "completion", json!({})).await;
        self.whole(LI, &order).await
    }

    /// The order as that person sees it.
    pub async fn whole(&self, who: Person<'_>, order: &Value) -> Value {
        self.get(&path(order, "")).by(who).content().await
    }

    /// A step of an order.
    pub async fn step(&self, who: Person<'_>, order: &Value, step: &str, body: Value) -> Value {
        let key: String = self
            .context
            .new_id::<kernel::EventId>()
            .unwrap()
            .to_string();
        self.post(&path(order, step))
            .by(who)
            .key(&key)
            .json(&body)
            .content()
            .await
    }

    /// Li asks for a refund of so many units of the first line, or of an amount.
    pub async fn ask_refund(&self, order: &Value, quantity: i64, amount: Option<i64>) -> Value {
        let whole = self.whole(LI, order).await;
        let line =
            json!({"line": whole["lines"][0]["id"], "quantity": quantity, "amount_minor": amount});
        let body = json!({"kind": "refund", "lines": [line], "reason": "坏了"});
        self.step(LI, order, "after-sales", body).await
    }

    /// The fruit shop answers an after-sale.
    pub fn answering<'a>(&'a self, after_sale: &Value, step: &str) -> crate::support::Ask<'a> {
        let id = after_sale["id"].as_str().unwrap();
        self.post(&format!("/api/after-sales/{id}/{step}"))
            .by(FRUITER)
            .key(self.context.new_id::<kernel::EventId>().unwrap().as_str())
    }
}
