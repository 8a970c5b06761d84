//! Promotions: a merchant applies, an operator approves or rejects, and what is approved runs in its window.

mod terms;

use kernel::{Actor, ActorId, ActorKind, MerchantId, Message, PromotionId, Refusal, Timestamp};

use super::pricing::Reduction;
use super::text::{Name, Reason};

pub use terms::{
    COUPONS_MAX, GROUP_HOURS_MAX, GROUP_SIZES, SCOPE_MAX, TIERS_MAX, Terms, terms_invalid,
};

/// The longest a promotion runs, in days.
pub const PROMOTION_DAYS_MAX: i64 = 366;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Where a promotion stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromotionState {
    /// The merchant asked for it.
    Applied,
    /// An operator said yes; it runs in its window.
    Approved,
    /// An operator said no.
    Rejected,
    /// Taken back; it runs no longer.
    Withdrawn,
}

impl PromotionState {
    const ALL: [Self; 4] = [
        Self::Applied,
        Self::Approved,
        Self::Rejected,
        Self::Withdrawn,
    ];

    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// Where a promotion is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The home page (首页).
    Home,
    /// A topic page (专题页面).
    Topic,
    /// A campaign (活动营销).
    Campaign,
    /// The page of groups (团购活动).
    GroupBuy,
}

impl Place {
    const ALL: [Self; 4] = [Self::Home, Self::Topic, Self::Campaign, Self::GroupBuy];

    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Topic => "topic",
            Self::Campaign => "campaign",
            Self::GroupBuy => "group_buy",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|place| place.as_str() == text)
    }
}

/// A promotion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promotion {
    /// Its id.
    pub id: PromotionId,
    /// Whose.
    pub merchant: MerchantId,
    /// What buyers read.
    pub name: Name,
    /// What is promised.
    pub terms: Terms,
    /// The platform's share of the discount.
    pub subsidy_bps: u32,
    /// Its first moment.
    pub from: Timestamp,
    /// Its end, excluded.
    pub until: Timestamp,
    /// Where it stands.
    pub state: PromotionState,
    /// Counts up with each change.
    pub version: i64,
    /// Who asked for it.
    pub applied_by: ActorId,
    /// When.
    pub applied_at: Timestamp,
    /// Who decided last, and when.
    pub decided: Option<(ActorId, Timestamp)>,
    /// Why.
    pub reason: Option<Reason>,
    /// How many coupons were given out.
    pub issued: i64,
}

impl Promotion {
    /// Whether it holds at that moment.
    #[must_use]
    pub fn runs(&self, now: Timestamp) -> bool {
        self.state == PromotionState::Approved && self.from <= now && now < self.until
    }

    /// It as a full reduction, if it is one.
    #[must_use]
    pub fn reduction(&self) -> Option<Reduction> {
        match &self.terms {
            Terms::FullReduction { tiers, scope } => Some(Reduction {
                promotion: self.id.clone(),
                merchant: self.merchant.clone(),
                tiers: tiers.clone(),
                scope: scope.clone(),
                subsidy_bps: self.subsidy_bps,
            }),
            _ => None,
        }
    }
}

/// Refuses a window that is none, over, or too long.
///
/// # Errors
/// 422.
pub fn check_window(from: Timestamp, until: Timestamp, now: Timestamp) -> Result<(), Refusal> {
    let lasts = until.millis_since(from);
    if lasts > 0 && lasts <= PROMOTION_DAYS_MAX * DAY_MS && until > now {
        return Ok(());
    }
    Err(Refusal::invalid(
        "window_invalid",
        Message::new(
            format!(
                "A promotion ends after it begins, in the future, and lasts at most {PROMOTION_DAYS_MAX} days."
            ),
            format!("活动结束时间须晚于开始时间且在将来，最长 {PROMOTION_DAYS_MAX} 天。"),
        ),
    ))
}

/// What an operator decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Approve,
    /// No.
    Reject,
}

/// Decides about an application.
///
/// # Errors
/// 403 for those who may not, and for who applied; 409 when it was decided before.
pub fn decide(
    actor: &Actor,
    promotion: &Promotion,
    verdict: Verdict,
    (reason, now): (Option<Reason>, Timestamp),
) -> Result<Promotion, Refusal> {
    auditors_of_promotions_only(actor)?;
    if actor.id == promotion.applied_by {
        return Err(Refusal::forbidden(
            "own_application",
            Message::new(
                "Another person than the one who applied decides.",
                "申请人不能审批自己的申请。",
            ),
        ));
    }
    if promotion.state != PromotionState::Applied {
        return Err(wrong_state(promotion, &["withdrawal"]));
    }
    let state = match verdict {
        Verdict::Approve => PromotionState::Approved,
        Verdict::Reject => PromotionState::Rejected,
    };
    Ok(changed(promotion, state, (actor, reason, now)))
}

/// Takes a promotion back: from then on it runs no longer. Coupons that people hold are void.
///
/// # Errors
/// 409 when there is nothing to take back.
pub fn withdraw(
    actor: &Actor,
    promotion: &Promotion,
    (reason, now): (Option<Reason>, Timestamp),
) -> Result<Promotion, Refusal> {
    match promotion.state {
        PromotionState::Applied | PromotionState::Approved => Ok(changed(
            promotion,
            PromotionState::Withdrawn,
            (actor, reason, now),
        )),
        PromotionState::Rejected | PromotionState::Withdrawn => Err(wrong_state(promotion, &[])),
    }
}

fn changed(
    promotion: &Promotion,
    state: PromotionState,
    (actor, reason, now): (&Actor, Option<Reason>, Timestamp),
) -> Promotion {
    Promotion {
        state,
        version: promotion.version + 1,
        decided: Some((actor.id.clone(), now)),
        reason,
        ..promotion.clone()
    }
}

/// Lets those pass who audit promotions for the platform.
///
/// # Errors
/// 403 for everybody else.
pub fn auditors_of_promotions_only(actor: &Actor) -> Result<(), Refusal> {
    let is_people = matches!(actor.kind, ActorKind::Operator | ActorKind::Staff);
    if is_people && actor.may("promotions:audit") {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "promotion_auditors_only",
        Message::new(
            "Only the platform's operators decide about promotions.",
            "仅平台运营可以审批活动。",
        ),
    ))
}

fn wrong_state(promotion: &Promotion, allowed: &[&str]) -> Refusal {
    let state = promotion.state.as_str();
    let allowed = if allowed.is_empty() || promotion.state != PromotionState::Approved {
        "-".to_owned()
    } else {
        allowed.join(", ")
    };
    Refusal::conflict(
        "promotion_state",
        Message::new(
            format!("The promotion is {state}; allowed now: {allowed}."),
            format!("活动当前状态为 {state}，可执行的操作：{allowed}。"),
        ),
    )
}

/// No such promotion, or none that the caller may know.
#[must_use]
pub fn unknown_promotion() -> Refusal {
    Refusal::not_found(
        "promotion_unknown",
        Message::new(
            "There is no such promotion that you can see.",
            "未找到您可查看的活动。",
        ),
    )
}
