//! Advertising: lines and what they show, exchanges for goods, campaigns and sealed bids.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{BUYER, COMMUNITY, DAY_SECONDS, OPERATOR, SELLER, Walk};

/// The sealed round of an example.
const ROUND: &str = "/api/bidding/sealed-rounds/{sealed-round}";
/// After so many days the rank of most rounds is let, until when, and until when it is bid for.
const FAR: [i64; 3] = [90, 120, 60];
/// What most lines show, and where it fits.
const BANNER: (&str, i64, i64) = ("banner", 750, 300);

impl Walk {
    pub(super) async fn given_line(&mut self, what: &str) -> Result<bool> {
        match what {
            "an approved creative" => self.creative(BANNER).await?,
            "a draft line" => self.line(("corner", "tomorrow"), Value::Null).await?,
            "a running line" => self.running_line(Value::Null).await?,
            "a line that fell short" => {
                self.running_line(json!(1_000)).await?;
                let stop = "POST /api/ads/lines/{ad-line}/stop";
                self.ask(SELLER, stop, Value::Null).await?;
            }
            "an offer" => {
                self.running_line(Value::Null).await?;
                let asked = json!({ "placements": ["corner"], "community": COMMUNITY });
                let decided = self.ask(BUYER, "POST /api/ads/decisions", asked).await?;
                let offer = found(&decided, "offer").context("an offer")?;
                self.made.insert("offer".to_owned(), offer.to_owned());
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// A place for advertising, when there is none of that name.
    async fn placement(&self, placement: Value) -> Result<()> {
        let path = format!(
            "GET /api/ads/placements/{}",
            placement["id"].as_str().unwrap_or_default()
        );
        if self.ask(OPERATOR, &path, Value::Null).await.is_err() {
            self.ask(OPERATOR, "POST /api/ads/placements", placement)
                .await?;
        }
        Ok(())
    }

    /// Something to show that was looked at.
    async fn creative(&mut self, (format, width, height): (&str, i64, i64)) -> Result<()> {
        let mut content = json!({
            "format": format, "landing": "https://fruit.example/sale", "title": "红富士苹果", "image": "https://fruit.example/a.png",
            "advertiser_domain": "fruit.example", "subject": "general",
        });
        if width > 0 {
            content["width"] = json!(width);
            content["height"] = json!(height);
        }
        let creative = json!({ "merchant": "{merchant}", "content": content });
        let creatives = "POST /api/ads/creatives";
        let made = self.ask_until_heard(SELLER, creatives, creative).await?;
        self.keep("creative", &made["id"]);
        let review = "POST /api/ads/creatives/{creative}/review";
        let approval = json!({ "decision": "approve", "reason": null });
        self.ask(OPERATOR, review, approval).await.map(drop)
    }

    /// A line in a placement from a day on, with what it shows.
    async fn line(&mut self, (placement, from): (&str, &str), goal_views: Value) -> Result<()> {
        let (format, width, height) = BANNER;
        let corner = json!({
            "id": "corner", "name": "角标", "surface": "home", "format": format, "width": width, "height": height,
            "ownership": "platform", "capacity": 9, "floor_minor": 1_000,
        });
        self.placement(corner).await?;
        let order = json!({ "merchant": "{merchant}", "name": "推广" });
        let order = self
            .ask_until_heard(SELLER, "POST /api/ads/orders", order)
            .await?;
        self.keep("ad-order", &order["id"]);
        let mut line = json!({
            "placement": placement, "starts_on": self.told(from), "ends_on": self.told("next_week"), "pricing": "day",
        });
        if goal_views.is_i64() {
            line["goal_views"] = goal_views;
        }
        let lines = "POST /api/ads/orders/{ad-order}/lines";
        let line = self.ask(SELLER, lines, line).await?;
        self.keep("ad-line", &line["id"]);
        self.creative(if placement == "corner" {
            BANNER
        } else {
            ("naming", 0, 0)
        })
        .await?;
        let shows = json!({ "creatives": ["{creative}"] });
        let creatives = "PUT /api/ads/lines/{ad-line}/creatives";
        self.ask(SELLER, creatives, shows).await.map(drop)
    }

    async fn running_line(&mut self, goal_views: Value) -> Result<()> {
        self.line(("corner", "today"), goal_views).await?;
        let booking = "POST /api/ads/lines/{ad-line}/booking";
        self.ask(SELLER, booking, Value::Null).await.map(drop)
    }

    pub(super) async fn given_exchange(&mut self, what: &str) -> Result<bool> {
        match what {
            "others’ deals in the weather" => self.deals().await?,
            "a signed exchange" => self.exchange().await?,
            "an exchange under way" => self.exchange_under_way().await?,
            "an exchange at its end" => {
                self.exchange_under_way().await?;
                self.wait_seconds(12 * DAY_SECONDS).await?;
                let is_over = |exchange: &Value| exchange["state"] == "settling";
                self.until(OPERATOR, "/api/ads/barters/{barter}", is_over)
                    .await?;
            }
            "goods of an exchange" => self.exchanged_goods().await?,
            "a reward that was paid for" => {
                self.exchanged_goods().await?;
                let reward = json!({
                    "barter": "{barter}", "item": 1, "name": "半价电影票", "units": 10, "price_minor": 2_000, "until": "2036-12-01",
                });
                let made = self.ask(OPERATOR, "POST /api/ads/rewards", reward).await?;
                self.keep("reward", &made["id"]);
                let path = "/api/ads/rewards/{reward}/claims";
                let claim = format!("POST {path}");
                let claimed = self.ask(BUYER, &claim, Value::Null).await?;
                self.pay(BUYER, &claimed["payment"]).await?;
                let has_code = |claims: &Value| found(claims, "code").is_some();
                let claims = self.until(BUYER, path, has_code).await?;
                let code = found(&claims, "code").unwrap_or_default().to_owned();
                self.told.insert("reward_code".to_owned(), code);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The neighbour has booked the weather: what a day of it is worth is known.
    async fn deals(&mut self) -> Result<()> {
        self.weather("weather").await?;
        if self.told.contains_key("deals") {
            return Ok(());
        }
        self.told.insert("deals".to_owned(), String::new());
        self.neighbour().await?;
        self.line(("weather", "today"), Value::Null).await?;
        let booking = "POST /api/ads/lines/{ad-line}/booking";
        self.ask(SELLER, booking, Value::Null).await?;
        self.shop().await
    }

    async fn weather(&self, id: &str) -> Result<()> {
        let weather = json!({
            "id": id, "name": "天气冠名", "surface": "weather", "format": "naming", "ownership": "common", "community": COMMUNITY,
            "cost_bps": 3_000, "capacity": 1, "floor_minor": 5_000,
        });
        self.placement(weather).await
    }

    async fn exchange_step(&self, who: &str, step: &str, body: Value) -> Result<()> {
        let path = format!("POST /api/ads/barters/{{barter}}/{step}");
        self.ask(who, &path, body).await.map(drop)
    }

    /// An exchange that both have signed, of a weather of its own.
    async fn exchange(&mut self) -> Result<()> {
        self.deals().await?;
        let place = format!("weather-{}", uuid::Uuid::now_v7().simple());
        self.weather(&place).await?;
        let slot = json!({ "placement": place, "starts_on": self.told("tomorrow"), "ends_on": self.told("in_eleven_days") });
        let tickets = json!({ "name": "电影票", "units": 10, "list_minor": 4_500, "evidence_minor": 4_000, "evidence": "票务平台截图" });
        let terms = json!({ "slots": [slot], "goods": [tickets], "boot_minor": 10_000, "limit_minor": 12_000 });
        let draft = json!({ "merchant": "{merchant}", "terms": terms });
        let made = self.ask(SELLER, "POST /api/ads/barters", draft).await?;
        self.keep("barter", &made["id"]);
        let steps = [
            (SELLER, "proposal"),
            (OPERATOR, "agreement"),
            (OPERATOR, "signature"),
            (SELLER, "signature"),
        ];
        for (who, step) in steps {
            self.exchange_step(who, step, Value::Null).await?;
        }
        Ok(())
    }

    async fn exchange_under_way(&mut self) -> Result<()> {
        self.exchange().await?;
        self.exchange_step(OPERATOR, "activation", Value::Null)
            .await
    }

    async fn exchanged_goods(&mut self) -> Result<()> {
        self.exchange_under_way().await?;
        let came = json!({ "item": 1, "units": 10 });
        self.exchange_step(OPERATOR, "receipts", came).await
    }

    pub(super) async fn given_bid(&mut self, what: &str) -> Result<bool> {
        match what {
            "an approved text" => self.creative(("native", 0, 0)).await?,
            "an advertisement that was ranked" => self.ranked().await?,
            "a sealed round" => self.sealed_round(FAR).await?,
            "a sealed bid that has won" => self.won_rank().await?,
            "a bid to an exchange" => self.exchange_bid().await?,
            "a deposit that the channel did not give back" => self.kept_deposit().await?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// A campaign that bids for a target with what was approved last.
    async fn campaign(&mut self, kind: &str, target: Value) -> Result<()> {
        let campaign = json!({
            "merchant": "{merchant}", "name": "苹果", "kind": kind, "creative": "{creative}", "bid_minor": 250,
            "budget_minor": 100_000, "daily_minor": 100_000, "targets": [target],
        });
        let campaigns = "POST /api/bidding/campaigns";
        let made = self.ask_until_heard(SELLER, campaigns, campaign).await?;
        self.keep("campaign", &made["id"]);
        let activation = "POST /api/bidding/campaigns/{campaign}/activation";
        self.ask_until_heard(SELLER, activation, Value::Null)
            .await
            .map(drop)
    }

    async fn ranked(&mut self) -> Result<()> {
        let ranks = json!({
            "id": "search-ranks", "name": "搜索排名", "surface": "mall", "format": "native", "ownership": "platform", "capacity": 3,
            "floor_minor": 0, "reserve": 60, "slot_weights": [100, 60, 30], "auction": "rank",
        });
        self.placement(ranks).await?;
        self.creative(("native", 0, 0)).await?;
        self.campaign("rank", json!({ "kind": "keyword", "value": "苹果" }))
            .await?;
        let asked = json!({ "placement": "search-ranks", "keyword": "苹果" });
        let ranked = self
            .ask_until_heard(BUYER, "POST /api/bidding/rankings", asked)
            .await?;
        let offer = found(&ranked, "offer").context("an offer")?;
        self.made.insert("offer".to_owned(), offer.to_owned());
        self.keep("auction-round", &ranked["round"]);
        Ok(())
    }

    /// A page has asked for an advertisement and got a bid.
    async fn exchange_bid(&mut self) -> Result<()> {
        let page = json!({
            "id": "page-top", "name": "网页横幅", "surface": "home", "format": "banner", "width": 300, "height": 250,
            "ownership": "platform", "capacity": 1, "floor_minor": 0, "reserve": 130, "reserve_mode": "unweighted",
            "slot_weights": [1], "auction": "display",
        });
        self.placement(page).await?;
        self.creative(("banner", 300, 250)).await?;
        let target = json!({ "kind": "placement", "value": "page-top" });
        self.campaign("display", target).await?;
        let asked = json!({
            "id": uuid::Uuid::now_v7().to_string(), "cur": ["CNY"], "site": { "domain": "news.example" },
            "imp": [{ "id": "div-1", "tagid": "page-top", "banner": { "format": [{ "w": 300, "h": 250 }] } }],
        });
        let auction = "POST /openrtb2/auction?tenant=demo";
        let bids = self.ask("nobody", auction, asked).await?;
        let notice = found(&bids, "burl").context("a bid")?;
        let token = notice.rsplit('/').next().unwrap_or_default();
        let token = token.split('?').next().unwrap_or_default().to_owned();
        self.made.insert("bid-offer".to_owned(), token);
        Ok(())
    }

    /// A rank that is let from one day to another, and bid for until a third.
    async fn sealed_round(&mut self, [from, to, closes]: [i64; 3]) -> Result<()> {
        let round = json!({
            "name": "新闻首位", "kind": "board", "value": "news", "slots": 1, "reserve_minor": 10_000, "deposit_minor": 5_000,
            "starts_at": self.moment(from), "ends_at": self.moment(to), "closes_at": self.moment(closes), "extension_minutes": 5,
        });
        let rounds = "POST /api/bidding/sealed-rounds";
        let round = self.ask(OPERATOR, rounds, round).await?;
        self.keep("sealed-round", &round["id"]);
        Ok(())
    }

    /// A bid in such a round, with its deposit.
    async fn sealed_bid(&mut self, days: [i64; 3]) -> Result<()> {
        self.creative(("native", 0, 0)).await?;
        self.sealed_round(days).await?;
        let bid =
            json!({ "merchant": "{merchant}", "creative": "{creative}", "amount_minor": 30_000 });
        let bids = format!("POST {ROUND}/bids");
        let bid = self.ask_until_heard(SELLER, &bids, bid).await?;
        self.keep("sealed-bid", &bid["id"]);
        self.pay(SELLER, &bid["payment"]).await?;
        self.bid_reads("\"state\":\"secured\"").await
    }

    /// Waits until it is said so of the bid.
    async fn bid_reads(&self, words: &str) -> Result<()> {
        let is = |round: &Value| round.to_string().contains(words);
        self.until(SELLER, ROUND, is).await.map(drop)
    }

    /// A sealed bid of a round that was called off, whose deposit the channel has refused to give back.
    async fn kept_deposit(&mut self) -> Result<()> {
        self.sealed_bid(FAR).await?;
        let behaviour = "PUT /api/simulated-channel/behaviour";
        let refuses = json!({ "payment": "{payment}", "fail_refunds": true });
        self.ask(OPERATOR, behaviour, refuses).await?;
        let cancellation = format!("POST {ROUND}/cancellation");
        self.ask(OPERATOR, &cancellation, Value::Null).await?;
        self.bid_reads("\"refund_state\":\"failed\"").await
    }

    /// The only bid of a round that was held; its time has not begun.
    async fn won_rank(&mut self) -> Result<()> {
        self.sealed_bid([5, 6, 1]).await?;
        self.wait_seconds(2 * DAY_SECONDS).await?;
        self.bid_reads("\"state\":\"won\"").await
    }
}

/// The first text of that name anywhere in an answer.
fn found<'a>(content: &'a Value, name: &str) -> Option<&'a str> {
    match content {
        Value::Object(fields) => fields
            .get(name)
            .and_then(Value::as_str)
            .or_else(|| fields.values().find_map(|inner| found(inner, name))),
        Value::Array(items) => items.iter().find_map(|inner| found(inner, name)),
        _ => None,
    }
}
