//! Money between the platform and the shop: statements, what is drawn, a deposit that goes back.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{DAY_SECONDS, OPERATOR, SELLER, Walk};

impl Walk {
    pub(super) async fn given_money(&mut self, what: &str) -> Result<bool> {
        match what {
            "a statement" => self.statement().await?,
            "a statement that is not paid" => {
                self.neighbour().await?;
                self.statement().await?;
            }
            "money that can be drawn" => self.earned().await?,
            "a withdrawal" => self.withdrawal().await?,
            "a withdrawal over the bank" => self.reviewed("bank").await?,
            "a transfer" => {
                self.reviewed("simulated").await?;
                let has_one = |transfers: &Value| transfers["items"][0].is_object();
                let transfers = self.until(OPERATOR, "/api/transfers", has_one).await?;
                self.keep("transfer", &transfers["items"][0]["id"]);
            }
            "a shop that closes" => {
                self.open_shop("13700137002", ("platform", 0)).await?;
                let closed = json!({ "state": "closed", "reason": "合同结束" });
                let state = "PUT /api/merchants/{merchant}/state";
                self.ask(OPERATOR, state, closed).await?;
                self.heartbeat().await;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The month of the shop is over, and it was sent what it owes.
    async fn statement(&mut self) -> Result<()> {
        if !self.told.contains_key("billed") {
            self.month_end().await?;
        }
        let is_there = |found: &Value| found["items"][0]["state"].is_string();
        let path = format!(
            "/api/statements?month={}&merchant={{merchant}}",
            self.told("billed")
        );
        let found = self.until(SELLER, &path, is_there).await?;
        self.keep("statement", &found["items"][0]["id"]);
        let lines = "GET /api/statements/{statement}/lines";
        let lines = self.ask(SELLER, lines, Value::Null).await?;
        self.keep("line", &lines["items"][0]["line"]);
        Ok(())
    }

    /// The second morning of the next month.
    async fn month_end(&mut self) -> Result<()> {
        let month = self.told("month").to_owned();
        self.told.insert("billed".to_owned(), month);
        let local = self.local();
        let next = local.date_naive() + chrono::Months::new(1);
        let first = chrono::Datelike::with_day(&next, 1).context("a first day")?;
        let morning = first.and_hms_opt(9, 0, 0).context("a morning")?;
        let until = morning - local.naive_utc();
        let seconds = until.num_seconds() + DAY_SECONDS;
        self.wait_seconds(seconds).await
    }

    /// Somebody is content with what they bought of the shop for a good price.
    async fn earned(&mut self) -> Result<()> {
        self.sold(60, "a completed order").await?;
        let can = |finances: &Value| {
            let minor = finances["available_minor"].as_i64();
            minor.unwrap_or_default() >= 30_000
        };
        let finances = "/api/settlements/finances/{merchant}";
        self.until(SELLER, finances, can).await.map(drop)
    }

    async fn withdrawal(&mut self) -> Result<()> {
        self.earned().await?;
        let asked = json!({ "merchant": "{merchant}", "amount_minor": 30_000, "payee": "张记果园", "account": "6222000011112222" });
        let made = self.ask(SELLER, "POST /api/withdrawals", asked).await?;
        self.keep("withdrawal", &made["id"]);
        Ok(())
    }

    async fn reviewed(&mut self, channel: &str) -> Result<()> {
        self.withdrawal().await?;
        let review = "POST /api/withdrawals/{withdrawal}/review";
        let approved = json!({ "approve": true, "channel": channel });
        self.ask(OPERATOR, review, approved).await.map(drop)
    }
}
