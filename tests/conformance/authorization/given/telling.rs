//! What can be without any shop: topics, messages, a run of bills, a recharge, a meter that stands still.

use anyhow::Result;
use serde_json::{Value, json};

use super::{COMMUNITY, OPERATOR, Walk};

impl Walk {
    pub(super) async fn given_word(&mut self, what: &str) -> Result<bool> {
        match what {
            "a topic" => {
                let name = format!("notes-{}", uuid::Uuid::now_v7().simple());
                let topic = json!({ "topic": name });
                let made = self.ask(OPERATOR, "POST /api/push/topics", topic).await?;
                self.keep("topic", &made["id"]);
                self.keep("topic-key", &made["topic_key"]);
            }
            "a message" => {
                self.message(json!({})).await?;
                let is_there = |inbox: &Value| inbox["items"][0].is_object();
                let inbox = self.until(OPERATOR, "/api/inbox", is_there).await?;
                self.keep("inbox-item", &inbox["items"][0]["id"]);
            }
            "a message that was put off" => {
                let later = json!({ "send_at": self.moment(1) });
                self.message(later).await?;
            }
            "something that the webhook was told" => {
                self.message(json!({})).await?;
                let path = "/api/webhooks/{webhook}/deliveries";
                let is_there = |told: &Value| told["items"][0].is_object();
                let told = self.until(OPERATOR, path, is_there).await?;
                self.keep("delivery", &told["items"][0]["id"]);
            }
            "a run of bills that is not published" => {
                let run = json!({ "community": COMMUNITY, "period": "2026-09", "dry_run": false });
                let made = self.ask(OPERATOR, "POST /api/bill-runs", run).await?;
                self.keep("bill-run", &made["id"]);
            }
            "a command that waits" => {
                let commands = "POST /api/gateways/gateway-1/commands";
                let ping = json!({ "action": "ping" });
                let made = self.ask(OPERATOR, commands, ping).await?;
                self.keep("command", &made["id"]);
            }
            "an invited visitor" => {
                let visit = json!({
                    "room": "room-101", "way": { "community": COMMUNITY, "building": "building-1", "unit": "unit-1" },
                    "visitor": { "name": "周小姐", "phone": "13800138000", "purpose": "做客" }, "uses_max": 1, "reason": "住户来电代约",
                });
                let made = self.ask(OPERATOR, "POST /api/visits", visit).await?;
                self.keep("visit", &made["id"]);
            }
            "a recharge that is paid" => self.recharge().await?,
            "a meter that has stood still" => self.still_meter().await?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    async fn message(&mut self, options: Value) -> Result<()> {
        let message = json!({
            "audience": { "all": true }, "options": options,
            "notification": { "purpose": "notice", "sender": "花园物业", "title": { "zh": "停水通知" }, "body": { "zh": "明早停水" } },
        });
        let messages = "POST /api/push/messages";
        let made = self.ask(OPERATOR, messages, message).await?;
        self.keep("message", &made["id"]);
        Ok(())
    }

    /// A recharge whose money came; what was asked for before is still to pay.
    async fn recharge(&mut self) -> Result<()> {
        let to_pay = json!(self.named("{payment}"));
        let recharge = json!({ "room": "{room}", "commodity": "electricity", "amount_minor": 10_000, "payer": "li" });
        let made = self.ask(OPERATOR, "POST /api/recharges", recharge).await?;
        self.keep("recharge", &made["id"]);
        self.pay(OPERATOR, &made["payment"]).await?;
        self.keep("payment", &to_pay);
        let is_commanded = |recharge: &Value| recharge["commanded_at"].is_string();
        self.until(OPERATOR, "/api/recharges/{recharge}", is_commanded)
            .await
            .map(drop)
    }

    /// A meter that shows the same as a week ago.
    async fn still_meter(&mut self) -> Result<()> {
        let meter = json!({
            "id": "m-still", "community": COMMUNITY, "commodity": "electricity", "name": "门厅电表", "area": "门厅", "digits": 6,
            "opened_at": self.moment(-8), "opening_milli": 1_000,
        });
        self.ask(OPERATOR, "POST /api/meters", meter).await?;
        let id = uuid::Uuid::now_v7().to_string();
        let reading =
            json!({ "id": id, "meter": "m-still", "at": self.moment(-1), "register_milli": 1_000 });
        let readings = json!({ "readings": [reading] });
        self.ask(OPERATOR, "POST /api/meter-readings", readings)
            .await?;
        let is_there = |alarms: &Value| alarms["items"][0].is_object();
        let alarms = self.until(OPERATOR, "/api/meter-alarms", is_there).await?;
        self.keep("meter_alarm", &alarms["items"][0]["id"]);
        Ok(())
    }
}
