//! A campaign: what an advertiser bids, on what, and for how much in all. A bid is reserved when something is offered,
//! the price is spent when it is clicked or seen, the rest is let go: so spend never exceeds the budget.

use advertising::Micros;
use kernel::{BidCampaignId, CreativeId, MerchantId, Message, Refusal, Timestamp};

use super::sale::RATIO_MAX;

/// The highest bid, in fen: a thousand yuan for a click, or for a thousand views.
pub const BID_MAX: i64 = 100_000;
/// The highest budget, in fen: ten million yuan.
pub const BUDGET_MAX: i64 = 1_000_000_000;

/// What is sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A rank in a list: a click is billed.
    Rank,
    /// A rank in a list: an order that came of a click is billed, by a ratio of it.
    Sale,
    /// A display: a view is billed, the bid is for a thousand.
    Display,
}

impl Kind {
    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rank => "rank",
            Self::Sale => "sale",
            Self::Display => "display",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Rank, Self::Sale, Self::Display]
            .into_iter()
            .find(|known| known.as_str() == text)
    }

    /// Whether it is a rank that is sold.
    #[must_use]
    pub fn is_rank(self) -> bool {
        matches!(self, Self::Rank | Self::Sale)
    }

    /// What one click, view or sale costs at that price, in micros.
    #[must_use]
    pub fn micros(self, minor: i64) -> Option<i64> {
        let micros = match self {
            Self::Rank | Self::Sale => Micros::of_minor(minor),
            Self::Display => Micros::of_thousand(minor),
        };
        micros.map(Micros::get)
    }
}

/// How a campaign stands, as far as its advertiser said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CampaignState {
    /// Not yet started.
    Draft,
    /// It bids.
    Active,
    /// It does not bid for now.
    Paused,
    /// It never bids again.
    Ended,
}

impl CampaignState {
    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Ended => "ended",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Draft, Self::Active, Self::Paused, Self::Ended]
            .into_iter()
            .find(|known| known.as_str() == text)
    }
}

/// What is done to a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It bids from now on.
    Activate,
    /// It does not for now.
    Pause,
    /// It never does again.
    End,
}

/// How much an advertiser bids and spends, in fen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For a click, for a thousand views, or the most for a sale.
    pub bid_minor: i64,
    /// Of a sale, in 1/10,000; of nothing else.
    pub ratio_bps: Option<i64>,
    /// In all.
    pub budget_minor: i64,
    /// A day.
    pub daily_minor: i64,
}

impl Limits {
    /// Lets amounts pass that can be.
    ///
    /// # Errors
    /// 422 for a bid or a budget out of range, and for a budget that does not bear one click or view.
    pub fn check(self, kind: Kind) -> Result<(), Refusal> {
        let bears =
            kind.micros(self.bid_minor) <= Micros::of_minor(self.daily_minor).map(Micros::get);
        let fits = (1..=BID_MAX).contains(&self.bid_minor)
            && (1..=BUDGET_MAX).contains(&self.budget_minor)
            && (1..=self.budget_minor).contains(&self.daily_minor);
        let is_ratio = match self.ratio_bps {
            Some(ratio) => kind == Kind::Sale && (1..=RATIO_MAX).contains(&ratio),
            None => kind != Kind::Sale,
        };
        if fits && bears && is_ratio {
            return Ok(());
        }
        Err(Refusal::invalid(
            "campaign_amounts_invalid",
            Message::new(
                format!(
                    "Bid 1 to {BID_MAX} fen, with a budget of at most {BUDGET_MAX} fen and a daily budget within it that bears one bid; of sales, and of nothing else, a ratio_bps of 1 to {RATIO_MAX} as well."
                ),
                format!(
                    "出价为 1 到 {BID_MAX} 分，预算不超过 {BUDGET_MAX} 分，日预算不超过总预算且不低于一次出价；仅按成交出价时须另设 1 到 {RATIO_MAX} 的 ratio_bps。"
                ),
            ),
        ))
    }
}

/// A campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    /// Its id.
    pub id: BidCampaignId,
    /// Whose.
    pub merchant: MerchantId,
    /// What its advertiser calls it.
    pub name: String,
    /// What is sold.
    pub kind: Kind,
    /// What is shown.
    pub creative: CreativeId,
    /// For a click, for a thousand views, or the most for a sale, in fen.
    pub bid_minor: i64,
    /// What is bid of a sale, in 1/10,000.
    pub ratio_bps: Option<i64>,
    /// Of equal bids the earlier is first.
    pub bid_version: i64,
    /// The most in all, in micros.
    pub budget_micros: i64,
    /// The most a day, in micros.
    pub daily_micros: i64,
    /// Offered, and neither spent nor let go.
    pub reserved_micros: i64,
    /// Spent.
    pub spent_micros: i64,
    /// From when on it bids.
    pub starts_at: Timestamp,
    /// The first moment at which it no longer does.
    pub ends_at: Option<Timestamp>,
    /// How it stands.
    pub state: CampaignState,
    /// Valid views.
    pub views: i64,
    /// Valid clicks.
    pub clicks: i64,
    /// Counts up with each change by people.
    pub version: i64,
    /// When it was made.
    pub made_at: Timestamp,
}

impl Campaign {
    /// What is bid in auctions, in their unit: fen, or 1/10,000 of the sale.
    #[must_use]
    pub fn amount(&self) -> i64 {
        self.ratio_bps.unwrap_or(self.bid_minor)
    }

    /// What one click, view or sale can cost at most, in micros.
    #[must_use]
    pub fn bid_micros(&self) -> i64 {
        self.kind.micros(self.bid_minor).unwrap_or(i64::MAX)
    }

    /// Whether the budgets bear so much more, when so much of the day's is used.
    #[must_use]
    pub fn bears(&self, micros: i64, used_today: i64) -> bool {
        let within = |used: i64, most: i64| used.checked_add(micros).is_some_and(|sum| sum <= most);
        within(
            self.reserved_micros.saturating_add(self.spent_micros),
            self.budget_micros,
        ) && within(used_today, self.daily_micros)
    }

    /// How it stands as people read it: what has run out of time is ended, what has spent its budget is exhausted.
    #[must_use]
    pub fn shown_state(&self, now: Timestamp) -> &'static str {
        let is_over = self.ends_at.is_some_and(|ends_at| ends_at <= now);
        let is_spent = self.spent_micros.saturating_add(self.bid_micros()) > self.budget_micros;
        match self.state {
            CampaignState::Active | CampaignState::Paused if is_over => "ended",
            CampaignState::Active if is_spent => "exhausted",
            state => state.as_str(),
        }
    }

    /// Takes a step.
    ///
    /// # Errors
    /// 409 with how it stands and what is allowed.
    pub fn step(&self, step: Step) -> Result<CampaignState, Refusal> {
        match (self.state, step) {
            (CampaignState::Draft | CampaignState::Paused, Step::Activate) => {
                Ok(CampaignState::Active)
            }
            (CampaignState::Active, Step::Pause) => Ok(CampaignState::Paused),
            (CampaignState::Draft | CampaignState::Active | CampaignState::Paused, Step::End) => {
                Ok(CampaignState::Ended)
            }
            (state, _) => Err(in_state(state)),
        }
    }

    /// Lets a campaign pass that can still be changed.
    ///
    /// # Errors
    /// 409 when it has ended.
    pub fn changeable(&self) -> Result<(), Refusal> {
        match self.state {
            CampaignState::Ended => Err(in_state(self.state)),
            _ => Ok(()),
        }
    }

    /// Lets a budget pass that covers what was offered and spent.
    ///
    /// # Errors
    /// 409 for one below that.
    pub fn covers(&self, budget_micros: i64) -> Result<(), Refusal> {
        let used = self.reserved_micros.saturating_add(self.spent_micros);
        if used <= budget_micros {
            return Ok(());
        }
        Err(Refusal::conflict(
            "budget_below_spend",
            Message::new(
                format!(
                    "{used} micros are spent or on offer already. Choose a budget of at least that, or pause the campaign."
                ),
                format!("已消费或已占用 {used} 微元，请提高预算，或暂停计划。"),
            ),
        ))
    }
}

fn in_state(state: CampaignState) -> Refusal {
    let (allowed, chinese) = match state {
        CampaignState::Draft => ("activation, end", "启动、结束"),
        CampaignState::Active => ("pause, end", "暂停、结束"),
        CampaignState::Paused => ("activation, end", "启动、结束"),
        CampaignState::Ended => ("nothing", "无"),
    };
    let state = state.as_str();
    Refusal::conflict(
        "campaign_state",
        Message::new(
            format!("The campaign is {state}. Allowed now: {allowed}."),
            format!("计划当前状态为 {state}，可执行：{chinese}。"),
        ),
    )
}

/// No such campaign, or none that the caller may know.
#[must_use]
pub fn unknown_campaign() -> Refusal {
    Refusal::not_found(
        "bid_campaign_unknown",
        Message::new(
            "There is no such campaign that you can see.",
            "未找到您可查看的竞价计划。",
        ),
    )
}
