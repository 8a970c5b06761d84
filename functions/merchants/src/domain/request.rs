//! What a hosted merchant asks to be changed in its shop: a task of the category's operator.

use kernel::{ActorId, CategoryId, ChangeRequestId, MerchantId, Message, Refusal, Timestamp};

use super::{Answer, Name, Note};

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestState {
    /// Waits for an operator.
    Open,
    /// An operator did it.
    Done {
        /// Who.
        by: ActorId,
        /// When.
        at: Timestamp,
        /// What was said to it.
        answer: Option<Note>,
    },
    /// An operator would not.
    Rejected {
        /// Who.
        by: ActorId,
        /// When.
        at: Timestamp,
        /// Why.
        answer: Option<Note>,
    },
}

impl RequestState {
    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done { .. } => "done",
            Self::Rejected { .. } => "rejected",
        }
    }

    /// Who answered, when and what.
    #[must_use]
    pub fn answered(&self) -> Option<(&ActorId, Timestamp, Option<&Note>)> {
        match self {
            Self::Open => None,
            Self::Done { by, at, answer } | Self::Rejected { by, at, answer } => {
                Some((by, *at, answer.as_ref()))
            }
        }
    }
}

/// A change that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRequest {
    /// Its id.
    pub id: ChangeRequestId,
    /// Whose shop.
    pub merchant: MerchantId,
    /// Of which category the change is.
    pub category: Option<CategoryId>,
    /// What in a few words.
    pub title: Name,
    /// What exactly.
    pub detail: Answer,
    /// Whose task it is.
    pub operator: Option<ActorId>,
    /// Who asked.
    pub asked_by: ActorId,
    /// When.
    pub asked_at: Timestamp,
    /// What became of it.
    pub state: RequestState,
}

/// The request, done or rejected; a rejection says why.
///
/// # Errors
/// It was answered before; no reason.
pub fn answer_request(
    request: &ChangeRequest,
    (by, done): (&ActorId, bool),
    answer: Option<Note>,
    at: Timestamp,
) -> Result<ChangeRequest, Refusal> {
    if request.state != RequestState::Open {
        let state = request.state.as_str();
        return Err(Refusal::conflict(
            "change_request_answered",
            Message::new(
                format!("This request is {state} already; only an open one is answered."),
                format!("该变更申请当前状态为 {state}，只有待处理的申请可以处理。"),
            ),
        ));
    }
    let by = by.clone();
    let state = match done {
        true => RequestState::Done { by, at, answer },
        false if answer.is_none() => {
            return Err(Refusal::invalid(
                "reason_required",
                Message::new(
                    "Say why, so that the merchant knows what to do.",
                    "请填写原因，以便商家了解如何处理。",
                ),
            ));
        }
        false => RequestState::Rejected { by, at, answer },
    };
    Ok(ChangeRequest {
        state,
        ..request.clone()
    })
}
