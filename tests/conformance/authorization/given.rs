//! What examples find, by the words of `x-linli-given`: made by whoever makes it in life, over the API alone, each time
//! anew, so that no example depends on what became of the one before. A shop is let in once.

mod advertising;
mod buying;
mod money;
mod reaching;
mod selling;
mod telling;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::{COMMUNITY, Walk, sending::present};

/// Who buys, and lets a shop be let in.
const BUYER: &str = "resident li";
/// Who keeps the shop.
const SELLER: &str = "merchant {seller}";
const OPERATOR: &str = "operator";
/// The functions that hear of what others did, at each heartbeat.
const HEARING: [&str; 9] = [
    "merchants",
    "settlement",
    "orders",
    "ads",
    "bidding",
    "push",
    "fees",
    "doors",
    "payments",
];
/// After so many heartbeats everything has been heard of.
const HEARTBEATS_MAX: usize = 40;
const DAY_SECONDS: i64 = 24 * 60 * 60;

impl Walk {
    /// Makes what an example finds.
    pub(super) async fn given(&mut self, what: &str) -> Result<()> {
        self.dates();
        if self.given_word(what).await? || self.given_shop(what).await? {
            return Ok(());
        }
        self.shop().await?;
        let known = what == "a shop"
            || self.given_goods(what).await?
            || self.given_order(what).await?
            || self.given_afterwards(what).await?
            || self.given_line(what).await?
            || self.given_exchange(what).await?
            || self.given_bid(what).await?
            || self.given_money(what).await?
            || self.given_push(what).await?;
        ensure!(known, "nobody knows what this is");
        Ok(())
    }

    /// Days that examples name, on the platform's calendar.
    fn dates(&mut self) {
        let now = self.local();
        for (name, days) in [
            ("today", 0),
            ("tomorrow", 1),
            ("next_week", 8),
            ("in_eleven_days", 11),
        ] {
            let day = now + chrono::TimeDelta::days(days);
            self.told
                .insert(name.to_owned(), day.format("%Y-%m-%d").to_string());
        }
        self.told
            .insert("month".to_owned(), now.format("%Y-%m").to_string());
    }

    /// What clocks in Shanghai show.
    fn local(&self) -> chrono::DateTime<chrono::Utc> {
        let ahead = chrono::TimeDelta::seconds(self.ahead_seconds);
        chrono::Utc::now() + ahead + chrono::TimeDelta::hours(8)
    }

    /// The moment so many days from now.
    fn moment(&self, days: i64) -> String {
        let ahead = chrono::TimeDelta::seconds(self.ahead_seconds) + chrono::TimeDelta::days(days);
        let moment = chrono::Utc::now() + ahead;
        moment.format("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    fn told(&self, name: &str) -> &str {
        self.told.get(name).map_or("", String::as_str)
    }

    /// Sends something as somebody, which has to succeed; `{name}` stands for what was made.
    async fn ask(&self, who: &str, what: &str, body: Value) -> Result<Value> {
        let (method, path) = what.split_once(' ').context("a method and a path")?;
        let mut body = body;
        present(&mut body, &self.made);
        let body = (!body.is_null()).then_some(body);
        let key = uuid::Uuid::now_v7().to_string();
        let headers = [
            ("idempotency-key", key.as_str()),
            ("user-agent", "Mozilla/5.0 (iPhone)"),
        ];
        let path = self.named(path);
        let answer = self
            .caller(who)
            .call(method, &path, body.as_ref(), &headers)
            .await;
        ensure!(answer.status.is_success(), "{who}: {answer}");
        Ok(serde_json::from_slice(&answer.body).unwrap_or_default())
    }

    /// Sends something again until it succeeds: others have to hear of what it names.
    async fn ask_until_heard(&self, who: &str, what: &str, body: Value) -> Result<Value> {
        for _ in 1..HEARTBEATS_MAX {
            if let Ok(answer) = self.ask(who, what, body.clone()).await {
                return Ok(answer);
            }
            self.heartbeat().await;
        }
        self.ask(who, what, body).await
    }

    /// What somebody reads there as soon as it is so.
    async fn until(&self, who: &str, path: &str, is: impl Fn(&Value) -> bool) -> Result<Value> {
        let what = format!("GET {path}");
        let mut last = Value::Null;
        for _ in 0..HEARTBEATS_MAX {
            if let Ok(answer) = self.ask(who, &what, Value::Null).await {
                if is(&answer) {
                    return Ok(answer);
                }
                last = answer;
            }
            self.heartbeat().await;
        }
        bail!("{what} stays {last}")
    }

    /// Everybody hears of what was done, and does what is due. What fails is done at the next one, as cron has it.
    async fn heartbeat(&self) {
        for function in HEARING {
            let tick = format!("POST /internal/ticks/{function}");
            drop(self.ask("internal", &tick, Value::Null).await);
        }
    }

    /// Sets the functions' clock ahead; whoever was logged in logs in again.
    async fn wait_seconds(&mut self, seconds: i64) -> Result<()> {
        let path = format!("POST /internal/clock?seconds={seconds}");
        self.ask("internal", &path, Value::Null).await?;
        self.ahead_seconds += seconds;
        self.log_in_again().await;
        self.dates();
        self.heartbeat().await;
        Ok(())
    }

    /// A payment that was asked for can be paid over the simulated channel.
    async fn begin_payment(&mut self, who: &str, payment: &Value) -> Result<()> {
        self.keep("payment", payment);
        let path = "/api/payments/{payment}";
        self.until(who, path, Value::is_object).await?;
        let channel = json!({ "channel": "simulated" });
        // The simulated channel makes its keys when it is asked first, which may take it too long for one answer.
        let attempts = format!("POST {path}/attempts");
        self.ask_until_heard(who, &attempts, channel).await?;
        let is_offered = |payment: &Value| payment.to_string().contains("code_url");
        self.until(who, path, is_offered).await.map(drop)
    }

    /// It is paid.
    async fn pay(&mut self, who: &str, payment: &Value) -> Result<()> {
        self.begin_payment(who, payment).await?;
        let path = "/api/payments/{payment}";
        let tap = "POST /api/simulated-channel/payments/{payment}";
        self.ask(who, tap, Value::Null).await?;
        let is_paid = |payment: &Value| payment["state"] == "succeeded";
        self.until(who, path, is_paid).await.map(drop)
    }
}
