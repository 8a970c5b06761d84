//! Shops: let in, under contract, with their deposit, open.

use anyhow::Result;
use serde_json::{Value, json};

use super::{BUYER, COMMUNITY, OPERATOR, SELLER, Walk};

/// What a shop deposits, in fen.
const DEPOSIT: i64 = 10_000;

impl Walk {
    /// Shops that are not the one of most examples.
    pub(super) async fn given_shop(&mut self, what: &str) -> Result<bool> {
        match what {
            "an application" => self.apply("resident", "13700137009").await?,
            "a shop that was let in" => {
                self.let_in("13700137003").await?;
                self.contract(("direct", 0)).await?;
            }
            "a shop that the platform keeps" => {
                self.let_in("13700137004").await?;
                let hosted = json!({ "mode": "hosted", "reason": "签订托管协议" });
                let mode = "PUT /api/merchants/{merchant}/mode";
                self.ask(OPERATOR, mode, hosted).await?;
            }
            "a clerk of a shop" => {
                self.let_in("13700137005").await?;
                let clerk = json!({ "name": "小王", "phone": "13600136001", "role": "clerk" });
                let members = "POST /api/merchants/{merchant}/members";
                let made = self.ask(SELLER, members, clerk).await?;
                self.keep("member", &made["id"]);
            }
            "a category in which nobody sells" => {
                let empty = json!({ "id": "empty", "parent": null, "kind": "goods", "name": "空", "operator": null, "required": [] });
                self.ask(OPERATOR, "POST /api/categories", empty).await?;
                self.made.insert("category".to_owned(), "empty".to_owned());
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The shop of most examples; the platform collects for it.
    pub(super) async fn shop(&mut self) -> Result<()> {
        self.as_shop("shop", "shopkeeper", ("13700137000", "platform"))
            .await
    }

    /// Its neighbour, which collects itself, and with whose prices others' are compared.
    pub(super) async fn neighbour(&mut self) -> Result<()> {
        self.as_shop("neighbour", "neighbourkeeper", ("13700137001", "direct"))
            .await
    }

    /// From now on `{merchant}` is this shop and `{seller}` who keeps it; it is let in when it is asked for first.
    async fn as_shop(
        &mut self,
        shop: &str,
        keeper: &str,
        (phone, collection): (&str, &str),
    ) -> Result<()> {
        if !self.made.contains_key(shop) {
            self.open_shop(phone, (collection, 5_000)).await?;
            for (kept, name) in [(shop, "merchant"), (keeper, "seller")] {
                let id = self.named(&format!("{{{name}}}"));
                self.made.insert(kept.to_owned(), id);
            }
        }
        for (kept, name) in [(shop, "merchant"), (keeper, "seller")] {
            let id = self.named(&format!("{{{kept}}}"));
            self.made.insert(name.to_owned(), id);
        }
        Ok(())
    }

    pub(super) async fn open_shop(&mut self, phone: &str, terms: (&str, i64)) -> Result<()> {
        self.let_in(phone).await?;
        self.contract(terms).await?;
        let open = "PUT /api/merchants/{merchant}/opening";
        self.ask(SELLER, open, json!({ "open": true })).await?;
        let deposit = "/api/deposits/{merchant}";
        let is_due = |deposit: &Value| deposit["standing"] == "deposit_due";
        self.until(SELLER, deposit, is_due).await?;
        let payments = format!("POST {deposit}/payments");
        let amount = json!({ "amount_minor": DEPOSIT });
        let asked = self.ask(SELLER, &payments, amount).await?;
        self.pay(SELLER, &asked["payment"]).await?;
        let is_good = |deposit: &Value| deposit["standing"] == "good";
        self.until(SELLER, deposit, is_good).await.map(drop)
    }

    /// Somebody applies for a shop, and is let in.
    async fn let_in(&mut self, phone: &str) -> Result<()> {
        self.apply(BUYER, phone).await?;
        let path = "/api/merchant-applications/{merchant-application}";
        let licence = json!({
            "kind": "business_licence", "name": "营业执照", "media_type": "application/pdf", "content": "JVBERi0xLjc=",
            "valid_from": "2024-01-01", "valid_until": null,
        });
        let papers = format!("POST {path}/qualifications");
        self.ask(BUYER, &papers, licence).await?;
        let submission = format!("POST {path}/submission");
        self.ask(BUYER, &submission, Value::Null).await?;
        let approval = json!({ "decision": "approve", "reason": "资料齐全", "categories": ["food", "lessons"] });
        let decision = format!("POST {path}/decision");
        let decided = self.ask(OPERATOR, &decision, approval).await?;
        self.keep("merchant", &decided["merchant"]);
        let has_account = |application: &Value| application["account"].is_string();
        let there = self.until(OPERATOR, path, has_account).await?;
        self.keep("seller", &there["account"]);
        Ok(())
    }

    async fn apply(&mut self, who: &str, phone: &str) -> Result<()> {
        let lessons = "GET /api/categories/lessons";
        if self.ask(OPERATOR, lessons, Value::Null).await.is_err() {
            let lessons = json!({ "id": "lessons", "parent": null, "kind": "service", "name": "课程", "operator": null, "required": [] });
            self.ask(OPERATOR, "POST /api/categories", lessons).await?;
        }
        let application = json!({
            "phone": phone, "company": "张氏商贸有限公司", "credit_code": "91350100MA2Y9CQ7X4", "shop": format!("张记 {phone}"),
            "contact": "张伟", "address": "一号楼 3 号", "community": COMMUNITY, "mode": "self_run",
            "categories": ["food", "lessons"], "note": null,
        });
        let applications = "POST /api/merchant-applications";
        let begun = self.ask(who, applications, application).await?;
        self.keep("merchant-application", &begun["id"]);
        Ok(())
    }

    /// What is agreed with a shop: who collects, what it costs a month, and that the platform takes five percent.
    async fn contract(&mut self, (collection, fee_minor): (&str, i64)) -> Result<()> {
        let contract = json!({
            "merchant": "{merchant}", "from": self.told("month"), "note": null,
            "terms": {
                "collection": collection, "due_day": 15, "objection_days": 7, "confirm_days": 3, "deposit_minor": DEPOSIT,
                "reopening_percent": 200, "hosting_fee_minor": 0, "maintenance_fee_minor": fee_minor, "platform_fee_minor": fee_minor,
                "currency": "CNY",
            },
        });
        let contracts = "POST /api/merchant-contracts";
        self.ask(OPERATOR, contracts, contract).await?;
        let rule = json!({
            "merchant": "{merchant}", "category": null, "kind": null, "rate_bps": 500, "includes_freight": false,
            "from": self.moment(0), "until": null,
        });
        let rules = "POST /api/commission-rules";
        self.ask(OPERATOR, rules, rule).await.map(drop)
    }
}
