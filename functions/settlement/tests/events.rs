//! What other capabilities record about merchants and their sales.

use kernel::{
    ActorId, CategoryId, CommunityId, Currency, MerchantId, OrderId, OrderLineId, ProductId,
    RefundId, Timestamp, TransactionId,
};
use serde_json::Value;
use wire::event::{
    CommunityChanged, ContractChanged, MerchantChanged, OrderLineCompleted, OrderLineRefunded,
    PaymentSucceeded,
};
use wire::mall::{Collection, MerchantMode, SaleKind};

use crate::support::World;

fn community() -> CommunityId {
    CommunityId::parse("garden").unwrap()
}

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

pub fn opened() -> CommunityChanged {
    CommunityChanged {
        community: community(),
        name: "花园".to_owned(),
        time_zone: "Asia/Shanghai".to_owned(),
        version: 1,
        actor: ActorId::parse("wang").unwrap(),
    }
}

pub fn merchant_changed(merchant: &str, member: &str, version: i64) -> MerchantChanged {
    MerchantChanged {
        merchant: MerchantId::parse(merchant).unwrap(),
        name: format!("商家 {merchant}"),
        mode: MerchantMode::SelfRun,
        open: true,
        communities: vec![],
        categories: vec![],
        members: vec![ActorId::parse(member).unwrap()],
        version,
    }
}

/// Direct, due on the 15th, objections for 5 days, silence 3 days before, deposit 60.00, reopening at double, no fees.
pub fn contract_changed(merchant: &str) -> ContractChanged {
    ContractChanged {
        merchant: MerchantId::parse(merchant).unwrap(),
        version: 1,
        from: "2026-01".to_owned(),
        collection: Collection::Direct,
        due_day: 15,
        objection_days: 5,
        confirm_days: 3,
        deposit_minor: 6_000,
        reopening_percent: 200,
        hosting_fee_minor: 0,
        maintenance_fee_minor: 0,
        platform_fee_minor: 0,
        currency: Currency::Cny,
    }
}

/// A line of a merchant that was completed, with that commission on a sale of ten times as much.
pub fn completed(
    (merchant, line): (&str, &str),
    commission_minor: i64,
    completed_at: &str,
) -> OrderLineCompleted {
    OrderLineCompleted {
        order: OrderId::parse(&format!("o-{line}")).unwrap(),
        line: OrderLineId::parse(line).unwrap(),
        merchant: MerchantId::parse(merchant).unwrap(),
        buyer: ActorId::parse("li").unwrap(),
        community: community(),
        category: CategoryId::parse("food").unwrap(),
        kind: SaleKind::Goods,
        product: ProductId::parse("p1").unwrap(),
        quantity: 1,
        paid_minor: commission_minor * 10,
        subsidy_minor: 0,
        freight_minor: 0,
        base_minor: commission_minor * 10,
        rule: None,
        rule_version: None,
        rate_bps: 1_000,
        commission_minor,
        collection: Collection::Direct,
        currency: Currency::Cny,
        paid_at: at(completed_at),
        completed_at: at(completed_at),
        transaction: TransactionId::parse("1").unwrap(),
    }
}

/// A refund of a completed line that takes that commission back.
pub fn refunded(
    (merchant, line): (&str, &str),
    (commission_minor, owed_minor): (i64, i64),
    succeeded_at: &str,
) -> OrderLineRefunded {
    OrderLineRefunded {
        refund: RefundId::parse(&format!("r-{line}")).unwrap(),
        after_sale: None,
        order: OrderId::parse(&format!("o-{line}")).unwrap(),
        line: OrderLineId::parse(line).unwrap(),
        merchant: MerchantId::parse(merchant).unwrap(),
        community: community(),
        amount_minor: commission_minor * 10,
        subsidy_minor: 0,
        base_minor: commission_minor * 10,
        commission_minor,
        owed_minor,
        collection: Collection::Direct,
        currency: Currency::Cny,
        succeeded_at: at(succeeded_at),
        transaction: TransactionId::parse("1").unwrap(),
    }
}

pub fn succeeded(
    asked: &Value,
    transaction: TransactionId,
    paid_at: Timestamp,
) -> PaymentSucceeded {
    let text = |name: &str| asked[name].as_str().unwrap().to_owned();
    PaymentSucceeded {
        payment: text("payment").try_into().unwrap(),
        purpose: text("purpose"),
        reference: text("reference"),
        payer: text("payer").try_into().unwrap(),
        community: community(),
        amount_minor: asked["amount_minor"].as_i64().unwrap(),
        currency: Currency::Cny,
        channel: "simulated".to_owned(),
        paid_at,
        transaction,
    }
}

impl World {
    /// A sale of a merchant whose money the platform collects: in the books as orders posts it, and told.
    pub async fn sold(&self, of: (&str, &str), commission_minor: i64, completed_at: &str) {
        let paid = commission_minor * 10;
        let payable = format!("merchant_payable:{}", of.0);
        let legs = [
            ("channel_clearing:simulated", paid),
            (payable.as_str(), commission_minor - paid),
            ("platform_commission", -commission_minor),
        ];
        self.post_books("order.completed", of.1, &legs).await;
        self.record(&OrderLineCompleted {
            collection: Collection::Platform,
            ..completed(of, commission_minor, completed_at)
        })
        .await;
    }

    /// A refund of such a sale, of which the merchant owes a part since.
    pub async fn gave_back(
        &self,
        of: (&str, &str),
        (commission_minor, owed_minor): (i64, i64),
        succeeded_at: &str,
    ) {
        let amount = commission_minor * 10;
        let payable = format!("merchant_payable:{}", of.0);
        let receivable = format!("merchant_receivable:{}", of.0);
        let legs = [
            ("channel_clearing:simulated", -amount),
            (payable.as_str(), amount - commission_minor - owed_minor),
            (receivable.as_str(), owed_minor),
            ("platform_commission", commission_minor),
        ];
        self.post_books("order.refunded", of.1, &legs).await;
        self.record(&OrderLineRefunded {
            collection: Collection::Platform,
            ..refunded(of, (commission_minor, owed_minor), succeeded_at)
        })
        .await;
    }
}
