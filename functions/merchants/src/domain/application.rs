//! Applications: draft, submitted, decided by somebody else, and handed in again when changes were asked for.

use kernel::{
    Actor, ActorId, CategoryId, CommunityId, MerchantApplicationId, MerchantId, Message, Phone,
    Refusal, RefusalKind, Timestamp,
};
use wire::mall::MerchantMode;

use super::{CreditCode, Name, Note, Qualification, QualificationKind, QualificationState, Reason};

/// The most applications of one phone number within a day.
pub const DAY_APPLICATIONS_MAX: i64 = 3;
/// The most applications of a tenant without an account within an hour.
pub const REGISTRATIONS_HOUR_MAX: i64 = 20;
/// How long a draft is kept, in milliseconds: 30 days.
pub const DRAFT_MS: i64 = 30 * 24 * 60 * 60 * 1_000;
const CATEGORIES_WISHED_MAX: usize = 20;

/// Where an application stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApplicationState {
    /// Being written.
    Draft,
    /// Waits for a decision.
    Submitted,
    /// Back with the applicant.
    ChangesRequested,
    /// There is a merchant.
    Approved,
    /// There will be none.
    Rejected,
    /// Taken back.
    Withdrawn,
}

impl ApplicationState {
    const ALL: [Self; 6] = [
        Self::Draft,
        Self::Submitted,
        Self::ChangesRequested,
        Self::Approved,
        Self::Rejected,
        Self::Withdrawn,
    ];

    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Submitted => "submitted",
            Self::ChangesRequested => "changes_requested",
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

    fn allowed(self) -> &'static str {
        match self {
            Self::Draft | Self::ChangesRequested => "edit, submit, withdraw",
            Self::Submitted => "approve, reject, request_changes, withdraw",
            Self::Approved | Self::Rejected | Self::Withdrawn => "nothing",
        }
    }

    fn refuse(self) -> Refusal {
        let (state, allowed) = (self.as_str(), self.allowed());
        Refusal::conflict(
            "merchant_application_state",
            Message::new(
                format!("The application is {state}. Allowed now: {allowed}."),
                format!("申请当前状态为 {state}，可执行：{allowed}。"),
            ),
        )
    }
}

/// What an applicant writes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// The company.
    pub company: Name,
    /// Its Unified Social Credit Code.
    pub credit_code: CreditCode,
    /// What the shop is to be called.
    pub shop: Name,
    /// Who is to be talked to: the owner of the shop's account.
    pub contact: Name,
    /// Where the company is.
    pub address: Option<Note>,
    /// In which community it wants to sell first.
    pub community: CommunityId,
    /// Who is to keep the shop.
    pub mode: MerchantMode,
    /// What it wants to sell.
    pub categories: Vec<CategoryId>,
    /// What else there is to say.
    pub note: Option<Note>,
}

impl Content {
    /// Lets content pass that names each category once, and not too many.
    ///
    /// # Errors
    /// None, too many, or one twice.
    pub fn checked(self) -> Result<Self, Refusal> {
        let mut sorted = self.categories.clone();
        sorted.sort();
        sorted.dedup();
        let count = self.categories.len();
        if sorted.len() == count && (1..=CATEGORIES_WISHED_MAX).contains(&count) {
            return Ok(self);
        }
        Err(Refusal::invalid(
            "categories_invalid",
            Message::new(
                format!("Name 1 to {CATEGORIES_WISHED_MAX} categories, each once."),
                format!("请填写 1 至 {CATEGORIES_WISHED_MAX} 个不重复的品类。"),
            ),
        ))
    }
}

/// Somebody's wish to sell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// Its id.
    pub id: MerchantApplicationId,
    /// Where it stands.
    pub state: ApplicationState,
    /// Whose account it is of; none without one.
    pub applicant: Option<ActorId>,
    /// The number that the account will be handed over to.
    pub phone: Phone,
    /// Its digest.
    pub phone_digest: String,
    /// What was written.
    pub content: Content,
    /// How often it was submitted.
    pub round: i64,
    /// Counts up with each change.
    pub version: i64,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it was last submitted.
    pub submitted_at: Option<Timestamp>,
    /// The last decision.
    pub outcome: Option<Outcome>,
    /// The merchant that it made.
    pub merchant: Option<MerchantId>,
}

/// Who decided, when, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Who.
    pub by: ActorId,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: Option<Reason>,
}

/// What is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// There is to be a merchant.
    Approve,
    /// There is to be none.
    Reject,
    /// The applicant is to change something.
    RequestChanges,
}

/// Lets another application begin.
///
/// # Errors
/// Too many of this number within a day, or too many without an account within an hour.
pub fn check_rate(of_phone: i64, of_tenant: i64) -> Result<(), Refusal> {
    if of_phone < DAY_APPLICATIONS_MAX && of_tenant < REGISTRATIONS_HOUR_MAX {
        return Ok(());
    }
    Err(Refusal::new(
        RefusalKind::TooMany,
        "too_many_applications",
        Message::new(
            "There were too many applications. Go on with the one that you have begun, or come back tomorrow.",
            "申请过于频繁，请继续填写已有的申请或明日再试。",
        ),
    ))
}

/// The application with other content.
///
/// # Errors
/// It is not with the applicant.
pub fn edit(
    before: &Application,
    content: Content,
    phone: (Phone, String),
) -> Result<Application, Refusal> {
    if !is_with_applicant(before.state) {
        return Err(before.state.refuse());
    }
    Ok(Application {
        content,
        phone: phone.0,
        phone_digest: phone.1,
        version: before.version + 1,
        ..before.clone()
    })
}

fn is_with_applicant(state: ApplicationState) -> bool {
    matches!(
        state,
        ApplicationState::Draft | ApplicationState::ChangesRequested
    )
}

/// The application, handed in with these papers.
///
/// # Errors
/// It is not with the applicant; the business licence is missing.
pub fn submit(
    before: &Application,
    papers: &[Qualification],
    now: Timestamp,
) -> Result<Application, Refusal> {
    if !is_with_applicant(before.state) {
        return Err(before.state.refuse());
    }
    check_papers(&[QualificationKind::BusinessLicence], papers)?;
    Ok(Application {
        state: ApplicationState::Submitted,
        round: before.round + 1,
        submitted_at: Some(now),
        version: before.version + 1,
        ..before.clone()
    })
}

/// The application, taken back by its applicant.
///
/// # Errors
/// It is over.
pub fn withdraw(before: &Application) -> Result<Application, Refusal> {
    match before.state {
        ApplicationState::Draft
        | ApplicationState::ChangesRequested
        | ApplicationState::Submitted => Ok(Application {
            state: ApplicationState::Withdrawn,
            version: before.version + 1,
            ..before.clone()
        }),
        _ => Err(before.state.refuse()),
    }
}

/// The application after a decision: by another person than the applicant, with a reason unless it is approved, and
/// approved only with every paper that its categories need.
///
/// # Errors
/// One's own; not submitted; no reason; a paper is missing.
pub fn decide(
    before: &Application,
    (actor, decision, reason): (&Actor, Decision, Option<Reason>),
    (needed, papers): (&[QualificationKind], &[Qualification]),
    now: Timestamp,
) -> Result<Application, Refusal> {
    if before.applicant.as_ref() == Some(&actor.id) {
        return Err(Refusal::forbidden(
            "own_application",
            Message::new(
                "Nobody decides on their own application. Ask a colleague.",
                "不能审核本人提交的申请，请由其他人员审核。",
            ),
        ));
    }
    if before.state != ApplicationState::Submitted {
        return Err(before.state.refuse());
    }
    let state = match decision {
        Decision::Approve => {
            check_papers(needed, papers)?;
            ApplicationState::Approved
        }
        Decision::Reject => ApplicationState::Rejected,
        Decision::RequestChanges => ApplicationState::ChangesRequested,
    };
    if decision != Decision::Approve && reason.is_none() {
        return Err(Refusal::invalid(
            "reason_required",
            Message::new(
                "Say why, so that the applicant knows what to do.",
                "请填写原因，以便申请人了解如何处理。",
            ),
        ));
    }
    Ok(Application {
        state,
        version: before.version + 1,
        outcome: Some(Outcome {
            by: actor.id.clone(),
            at: now,
            reason,
        }),
        ..before.clone()
    })
}

fn check_papers(needed: &[QualificationKind], papers: &[Qualification]) -> Result<(), Refusal> {
    let is_there = |kind: &QualificationKind| {
        papers
            .iter()
            .any(|paper| paper.kind == *kind && paper.state != QualificationState::Refused)
    };
    let Some(missing) = needed.iter().find(|kind| !is_there(kind)) else {
        return Ok(());
    };
    let missing = missing.as_str();
    Err(Refusal::invalid(
        "qualification_missing",
        Message::new(
            format!("A paper is missing: {missing}. Hand it in first."),
            format!("缺少资质文件：{missing}，请先上传。"),
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_begins_three_a_day_and_strangers_twenty_an_hour() {
        let code =
            |of_phone, of_tenant| check_rate(of_phone, of_tenant).map_err(|refusal| refusal.code);
        let too_many = Err("too_many_applications");
        assert_eq!(code(DAY_APPLICATIONS_MAX - 1, 0), Ok(()));
        assert_eq!(code(DAY_APPLICATIONS_MAX, 0), too_many);
        assert_eq!(code(0, REGISTRATIONS_HOUR_MAX - 1), Ok(()));
        assert_eq!(code(0, REGISTRATIONS_HOUR_MAX), too_many);
    }

    #[test]
    fn a_state_goes_by_its_name_and_says_what_is_allowed() {
        for state in ApplicationState::ALL {
            assert_eq!(ApplicationState::parse(state.as_str()), Some(state));
            let said = state.refuse().message.english;
            assert!(said.contains(state.as_str()) && said.contains(state.allowed()));
        }
        assert_eq!(ApplicationState::parse("gone"), None);
    }
}
