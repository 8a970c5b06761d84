//! Advertising that is sent to people: who agreed to it, what a shop pays for, and what comes.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{COMMUNITY, OPERATOR, SELLER, Walk};

/// To fewer nothing is sold.
const PEOPLE: usize = 50;

impl Walk {
    pub(super) async fn given_push(&mut self, what: &str) -> Result<bool> {
        match what {
            "fifty people who agreed to advertising" => self.people().await?,
            "a push that is drafted" => self.push().await?,
            "a push that was paid for" => {
                self.people().await?;
                self.push().await?;
                let path = "/api/push/orders/{push-order}";
                let quote = format!("POST {path}/quote");
                self.ask_until_heard(SELLER, &quote, Value::Null).await?;
                let payment = format!("POST {path}/payment");
                let asked = self.ask(SELLER, &payment, Value::Null).await?;
                self.pay(SELLER, &asked["payment"]).await?;
                let is_paid = |order: &Value| order["state"] == "held";
                self.until(SELLER, path, is_paid).await?;
            }
            "an advertisement" => self.advertisement().await?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    async fn people(&mut self) -> Result<()> {
        if !self.made.contains_key("reader") {
            for number in 1..=PEOPLE {
                self.reader(number).await?;
            }
        }
        Ok(())
    }

    /// A resident who wants to be advertised to.
    async fn reader(&mut self, number: usize) -> Result<()> {
        let person = json!({
            "username": format!("reader-{number}"), "password": format!("only-of-the-test-{number}"), "kind": "resident",
            "communities": [COMMUNITY],
        });
        let made = self.ask(OPERATOR, "POST /api/people", person).await?;
        self.keep("reader", &made["id"]);
        let yes =
            json!({ "purpose": "marketing", "given": true, "adult": true, "text_version": "1" });
        let consents = "POST /api/push/consents";
        self.ask("resident {reader}", consents, yes).await.map(drop)
    }

    async fn push(&mut self) -> Result<()> {
        let draft = json!({
            "merchant": "{merchant}", "audience": { "community": COMMUNITY },
            "notification": { "title": { "zh": "开业", "en": "Opening" }, "body": { "zh": "欢迎光临", "en": "Welcome" } },
        });
        let orders = "POST /api/push/orders";
        let made = self.ask_until_heard(SELLER, orders, draft).await?;
        self.keep("push-order", &made["id"]);
        Ok(())
    }

    /// What came to somebody who agreed, in the middle of a morning, with the link that stops it.
    async fn advertisement(&mut self) -> Result<()> {
        let tomorrow = self.local().date_naive() + chrono::Days::new(1);
        let morning = tomorrow.and_hms_opt(10, 0, 0).context("a morning")?;
        let night = morning - self.local().naive_utc();
        self.wait_seconds(night.num_seconds()).await?;
        self.reader(PEOPLE + 1).await?;
        let message = json!({
            "people": [self.named("{reader}")],
            "notification": { "purpose": "marketing", "sender": "花园物业", "title": { "zh": "开业" }, "body": { "zh": "欢迎光临" } },
        });
        self.ask(OPERATOR, "POST /api/push/messages", message)
            .await?;
        let is_there = |inbox: &Value| inbox["items"][0]["stop"].is_string();
        let inbox = self
            .until("resident {reader}", "/api/inbox", is_there)
            .await?;
        let link = inbox["items"][0]["stop"].as_str().context("a link")?;
        let token = link.rsplit('/').next().unwrap_or_default().to_owned();
        self.made.insert("stop-link".to_owned(), token);
        Ok(())
    }
}
