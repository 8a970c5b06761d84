//! Feedback: what people tell the operator, and who answers.

use kernel::{Actor, ActorId, ActorKind, CommunityId, Message, Refusal, Timestamp};

use super::{Prose, people_only};

/// What a person told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feedback {
    /// Which one.
    pub id: String,
    /// Who told it.
    pub person: ActorId,
    /// The community it is about, if it is about one.
    pub community: Option<CommunityId>,
    /// What was told.
    pub text: Prose,
    /// When.
    pub given_at: Timestamp,
    /// What was answered.
    pub answer: Option<FeedbackAnswer>,
}

/// The answer to a feedback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedbackAnswer {
    /// What was answered.
    pub text: Prose,
    /// By whom.
    pub by: ActorId,
    /// When.
    pub at: Timestamp,
}

/// Whose feedback a caller sees in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedbackReach {
    /// Everybody's.
    All,
    /// What is about one of these communities.
    Communities(Vec<CommunityId>),
    /// One's own.
    Own(ActorId),
}

/// A new feedback.
///
/// # Errors
/// The caller is no person, or does not belong to the community.
pub fn give_feedback(
    actor: &Actor,
    (id, community): (String, Option<CommunityId>),
    text: Prose,
    now: Timestamp,
) -> Result<Feedback, Refusal> {
    people_only(actor)?;
    if community
        .as_ref()
        .is_some_and(|community| !actor.reaches(community))
    {
        return Err(Refusal::invalid(
            "community_not_yours",
            Message::new(
                "You do not belong to this community. Name one of yours, or none.",
                "您不属于该小区，请填写自己的小区或不填。",
            ),
        ));
    }
    Ok(Feedback {
        id,
        person: actor.id.clone(),
        community,
        text,
        given_at: now,
        answer: None,
    })
}

/// Whose feedback the caller sees.
///
/// # Errors
/// Devices and applications see none.
pub fn feedback_reach(actor: &Actor) -> Result<FeedbackReach, Refusal> {
    people_only(actor)?;
    Ok(match actor.kind {
        ActorKind::Operator | ActorKind::Auditor => FeedbackReach::All,
        ActorKind::Staff => FeedbackReach::Communities(actor.communities.clone()),
        _ => FeedbackReach::Own(actor.id.clone()),
    })
}

/// The feedback, for whoever sees it in a list, and for the one who gave it.
///
/// # Errors
/// Unknown to everybody else.
pub fn known_feedback(actor: &Actor, feedback: Option<Feedback>) -> Result<Feedback, Refusal> {
    let reach = feedback_reach(actor)?;
    let sees = |feedback: &Feedback| match &reach {
        FeedbackReach::All => true,
        FeedbackReach::Communities(own) => {
            feedback.person == actor.id
                || feedback
                    .community
                    .as_ref()
                    .is_some_and(|community| own.contains(community))
        }
        FeedbackReach::Own(person) => feedback.person == *person,
    };
    feedback.filter(sees).ok_or_else(unknown_feedback)
}

/// The answered feedback.
///
/// # Errors
/// The caller is neither staff nor operator; it is answered already.
pub fn answer_feedback(
    actor: &Actor,
    feedback: Feedback,
    text: Prose,
    now: Timestamp,
) -> Result<Feedback, Refusal> {
    answerers_only(actor)?;
    if feedback.answer.is_some() {
        return Err(Refusal::conflict(
            "feedback_answered",
            Message::new("This feedback is answered already.", "该反馈已有答复。"),
        ));
    }
    Ok(Feedback {
        answer: Some(FeedbackAnswer {
            text,
            by: actor.id.clone(),
            at: now,
        }),
        ..feedback
    })
}

/// Lets those pass who answer feedback.
///
/// # Errors
/// For everybody but operators and staff.
pub fn answerers_only(actor: &Actor) -> Result<(), Refusal> {
    match actor.kind {
        ActorKind::Operator | ActorKind::Staff => Ok(()),
        _ => Err(Refusal::forbidden(
            "feedback_answer_forbidden",
            Message::new(
                "Only operators and staff answer feedback.",
                "只有运营人员和物业员工可以答复反馈。",
            ),
        )),
    }
}

/// There is no such feedback, as far as the caller may know.
#[must_use]
pub fn unknown_feedback() -> Refusal {
    Refusal::not_found(
        "feedback_unknown",
        Message::new(
            "There is no such feedback here. Check the id.",
            "没有这条反馈，请检查编号。",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sample::{actor, at};

    fn given(by: &Actor, community: Option<&str>) -> Result<Feedback, Refusal> {
        let community = community.map(|id| CommunityId::parse(id).unwrap());
        let text = Prose::parse("路灯坏了").unwrap();
        give_feedback(by, ("f1".to_owned(), community), text, at(0))
    }

    #[test]
    fn people_give_feedback_about_their_own_communities() {
        let li = actor(ActorKind::Resident, "li", &["garden"]);
        assert!(given(&li, None).is_ok() && given(&li, Some("garden")).is_ok());
        assert_eq!(
            given(&li, Some("harbour")).unwrap_err().code,
            "community_not_yours"
        );
        let device = actor(ActorKind::Device, "d", &["garden"]);
        assert_eq!(given(&device, None).unwrap_err().code, "people_only");
    }

    #[test]
    fn who_sees_it_and_who_answers() {
        let li = actor(ActorKind::Resident, "li", &["garden"]);
        let feedback = given(&li, Some("garden")).unwrap();
        for (kind, id, of, sees, answers) in [
            (ActorKind::Operator, "op", vec![], true, true),
            (ActorKind::Auditor, "au", vec![], true, false),
            (ActorKind::Staff, "b", vec!["garden"], true, true),
            (ActorKind::Staff, "c", vec!["harbour"], false, true),
            (ActorKind::Resident, "li", vec!["garden"], true, false),
            (ActorKind::Resident, "wang", vec!["garden"], false, false),
        ] {
            let caller = actor(kind, id, &of);
            assert_eq!(
                known_feedback(&caller, Some(feedback.clone())).is_ok(),
                sees,
                "{id}"
            );
            let text = Prose::parse("已修").unwrap();
            let answered = answer_feedback(&caller, feedback.clone(), text, at(1));
            assert_eq!(answered.is_ok(), answers, "{id}");
        }
        let operator = actor(ActorKind::Operator, "op", &[]);
        let text = || Prose::parse("已修").unwrap();
        let once = answer_feedback(&operator, feedback, text(), at(1)).unwrap();
        let twice = answer_feedback(&operator, once, text(), at(2));
        assert_eq!(twice.unwrap_err().code, "feedback_answered");
    }
}
