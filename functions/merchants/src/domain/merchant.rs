//! Merchants: who keeps the shop, whether it is open, and who says so.

use kernel::{
    ActorId, CategoryId, MerchantApplicationId, MerchantId, Message, Phone, Refusal, Timestamp,
};
use wire::mall::{MerchantMode, Standing};

use super::{Name, Profile, Reason, Relation, Role};

/// The most people who act for one merchant.
pub const MEMBERS_MAX: usize = 50;

/// What the platform says of a merchant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MerchantState {
    /// It may be open.
    Active,
    /// The operator has closed it for now.
    Closed,
    /// It sells here no more.
    Ended,
}

impl MerchantState {
    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Closed => "closed",
            Self::Ended => "ended",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Closed, Self::Ended]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// Who sells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merchant {
    /// Its id.
    pub id: MerchantId,
    /// The application that it came of.
    pub application: MerchantApplicationId,
    /// The company.
    pub company: Name,
    /// Its Unified Social Credit Code.
    pub credit_code: String,
    /// Who is to be talked to.
    pub contact: Name,
    /// At this number.
    pub phone: Phone,
    /// Its digest.
    pub phone_digest: String,
    /// What buyers read.
    pub profile: Profile,
    /// Who keeps the shop.
    pub mode: MerchantMode,
    /// What the platform says.
    pub state: MerchantState,
    /// Why the operator closed or ended it.
    pub state_reason: Option<Reason>,
    /// What the owner says.
    pub wants_open: bool,
    /// When the first paper that it needs ends; none when none does.
    pub expires_at: Option<Timestamp>,
    /// What settlement last said.
    pub standing: Option<Standing>,
    /// In which categories it may sell.
    pub categories: Vec<CategoryId>,
    /// Counts up with each change.
    pub version: i64,
    /// Since when it is here.
    pub created_at: Timestamp,
}

impl Merchant {
    /// Whether it may trade as far as the platform's audit, its papers and its own wish go.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.state == MerchantState::Active && self.wants_open && !self.has_expired(now)
    }

    /// Whether a paper that it needs has ended.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

/// Somebody who acts for a merchant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Whose account.
    pub person: ActorId,
    /// As what.
    pub role: Role,
    /// What the person is called.
    pub name: Name,
    /// The number that the account was handed over to, masked.
    pub phone: String,
    /// Who let the person in.
    pub added_by: ActorId,
    /// When.
    pub added_at: Timestamp,
}

/// Lets the profile be edited: by the platform with a reason, which is on the merchant's behalf; by members of a shop
/// that keeps itself. Says whether it is on behalf.
///
/// # Errors
/// Hosted shops ask for changes; readers and the public do not edit; what has ended is not edited.
pub fn check_edit(
    merchant: &Merchant,
    relation: Relation,
    reason: Option<&Reason>,
) -> Result<bool, Refusal> {
    check_not_ended(merchant)?;
    match relation {
        Relation::Platform if reason.is_none() => Err(Refusal::invalid(
            "reason_required",
            Message::new(
                "Say why you edit on the merchant's behalf: it is kept with the change.",
                "请填写代商家修改的原因，将随变更一并留存。",
            ),
        )),
        Relation::Platform => Ok(true),
        Relation::Member(_) if merchant.mode == MerchantMode::Hosted => Err(Refusal::conflict(
            "merchant_hosted",
            Message::new(
                "This shop is kept by the platform. Ask for the change as a change request.",
                "该店铺为托管模式，请提交变更申请由平台处理。",
            ),
        )),
        Relation::Member(_) => Ok(false),
        Relation::Reader | Relation::Public => Err(members_only()),
    }
}

/// Lets the owner say whether the shop is open, and the platform for a hosted one. It opens only with papers that hold,
/// a contract, and when the operator has not closed it.
///
/// # Errors
/// Others; closed or ended by the operator; a paper has ended; there is no contract.
pub fn check_opening(
    merchant: &Merchant,
    relation: Relation,
    (wants_open, has_contract): (bool, bool),
    now: Timestamp,
) -> Result<(), Refusal> {
    check_not_ended(merchant)?;
    let may = match relation {
        Relation::Member(Role::Owner) => true,
        Relation::Platform => merchant.mode == MerchantMode::Hosted,
        _ => false,
    };
    if !may {
        return Err(owner_only());
    }
    if !wants_open {
        return Ok(());
    }
    if merchant.state == MerchantState::Closed {
        return Err(state_refusal(merchant));
    }
    if merchant.has_expired(now) {
        return Err(Refusal::conflict(
            "qualification_expired",
            Message::new(
                "A paper that the shop needs has ended or is missing. Hand in a new one, then open.",
                "店铺所需资质已过期或缺失，请先上传新的资质再开店。",
            ),
        ));
    }
    if !has_contract {
        return Err(Refusal::conflict(
            "contract_missing",
            Message::new(
                "There is no contract that counts this month. Ask the operator for one, then open.",
                "本月尚无生效的合同，请联系运营签订合同后再开店。",
            ),
        ));
    }
    Ok(())
}

/// The merchant, in another state by the operator's word.
///
/// # Errors
/// It has ended, or is in that state; no reason is given.
pub fn close(
    merchant: &Merchant,
    state: MerchantState,
    reason: Option<Reason>,
) -> Result<Merchant, Refusal> {
    if merchant.state == MerchantState::Ended || merchant.state == state {
        return Err(state_refusal(merchant));
    }
    if state != MerchantState::Active && reason.is_none() {
        return Err(Refusal::invalid(
            "reason_required",
            Message::new(
                "Say why, so that the merchant knows what to do.",
                "请填写原因，以便商家了解如何处理。",
            ),
        ));
    }
    Ok(Merchant {
        state,
        state_reason: reason,
        version: merchant.version + 1,
        ..merchant.clone()
    })
}

/// The merchant, its shop kept by somebody else from now on.
///
/// # Errors
/// It has ended, or is kept so already.
pub fn mode_changed(merchant: &Merchant, mode: MerchantMode) -> Result<Merchant, Refusal> {
    check_not_ended(merchant)?;
    if merchant.mode == mode {
        let mode = mode.as_str();
        return Err(Refusal::conflict(
            "merchant_mode_same",
            Message::new(
                format!("The shop is {mode} already."),
                format!("该店铺已经是 {mode} 模式。"),
            ),
        ));
    }
    Ok(Merchant {
        mode,
        version: merchant.version + 1,
        ..merchant.clone()
    })
}

/// Lets a merchant pass that has not ended.
fn check_not_ended(merchant: &Merchant) -> Result<(), Refusal> {
    match merchant.state {
        MerchantState::Ended => Err(state_refusal(merchant)),
        MerchantState::Active | MerchantState::Closed => Ok(()),
    }
}

fn state_refusal(merchant: &Merchant) -> Refusal {
    let state = merchant.state.as_str();
    let allowed = match merchant.state {
        MerchantState::Active => "closed, ended",
        MerchantState::Closed => "active, ended",
        MerchantState::Ended => "nothing",
    };
    Refusal::conflict(
        "merchant_state",
        Message::new(
            format!("The merchant is {state} by the operator's word. It can become: {allowed}."),
            format!("商家当前状态为 {state}，可变更为：{allowed}。"),
        ),
    )
}

fn owner_only() -> Refusal {
    Refusal::forbidden(
        "owner_only",
        Message::new(
            "Only the merchant's owner does this.",
            "仅商家负责人可以操作。",
        ),
    )
}

fn members_only() -> Refusal {
    Refusal::forbidden(
        "members_only",
        Message::new(
            "Only the merchant's own people and operators edit its shop.",
            "仅商家成员和平台运营可以修改店铺。",
        ),
    )
}

impl Relation {
    /// Lets the owner pass, and the platform.
    ///
    /// # Errors
    /// 403 for clerks, readers and the public.
    pub fn check_owner(self) -> Result<(), Refusal> {
        match self {
            Self::Platform | Self::Member(Role::Owner) => Ok(()),
            Self::Member(Role::Clerk) | Self::Reader | Self::Public => Err(owner_only()),
        }
    }

    /// Whether more than what buyers read may be seen.
    #[must_use]
    pub fn sees_all(self) -> bool {
        self != Self::Public
    }
}
