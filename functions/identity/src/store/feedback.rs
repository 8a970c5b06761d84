//! Feedback and its answers.

use kernel::{ActorId, CommunityId, TenantId};
use store::{Read, Tx};
use web::Page;

use crate::domain::{Feedback, FeedbackReach};
use crate::rows::read_feedback;

const FEEDBACK: &str =
    "select id, person, community, text, given_at, answer, answered_by, answered_at
    from identity_feedback where tenant = $1 and id = $2";

// The communities come as ',a,b,': a list that both engines can search exactly.
const FEEDBACKS: &str =
    "select id, person, community, text, given_at, answer, answered_by, answered_at
    from identity_feedback
    where tenant = $1 and (cast($2 as text) is null or person = $2)
      and (cast($3 as text) is null or replace($3, ',' || coalesce(community, '') || ',', '') <> $3)
      and (cast($4 as text) is null or id < $4)
    order by id desc limit $5";

const INSERT_FEEDBACK: &str =
    "insert into identity_feedback (tenant, id, person, community, text, given_at)
    values ($1, $2, $3, $4, $5, $6)";

const ANSWER_FEEDBACK: &str = "update identity_feedback
    set answer = $3, answered_by = $4, answered_at = $5
    where tenant = $1 and id = $2";

const DELETE_FEEDBACK_OF: &str = "delete from identity_feedback where tenant = $1 and person = $2";

/// The feedback.
pub(crate) async fn feedback(
    db: &impl Read,
    tenant: &TenantId,
    id: &str,
) -> anyhow::Result<Option<Feedback>> {
    let row = db.row(FEEDBACK, &[tenant.into(), id.into()]).await?;
    row.map(|row| read_feedback(&row)).transpose()
}

/// The feedback within reach, newest first.
pub(crate) async fn feedbacks(
    db: &impl Read,
    tenant: &TenantId,
    reach: &FeedbackReach,
    page: &Page<String>,
) -> anyhow::Result<Vec<Feedback>> {
    let (person, communities) = match reach {
        FeedbackReach::All => (None, None),
        FeedbackReach::Own(person) => (Some(person), None),
        FeedbackReach::Communities(own) => {
            let ids: Vec<&str> = own.iter().map(CommunityId::as_str).collect();
            (None, Some(format!(",{},", ids.join(","))))
        }
    };
    let parameters = [
        tenant.into(),
        person.into(),
        communities.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    db.rows(FEEDBACKS, &parameters)
        .await?
        .iter()
        .map(read_feedback)
        .collect()
}

/// Adds a feedback.
pub(crate) async fn insert_feedback(tx: &Tx, feedback: &Feedback) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&feedback.id).into(),
        (&feedback.person).into(),
        feedback.community.as_ref().into(),
        feedback.text.as_str().into(),
        feedback.given_at.into(),
    ];
    tx.execute(INSERT_FEEDBACK, &parameters).await
}

/// Stores the answer.
pub(crate) async fn answer_feedback(tx: &Tx, feedback: &Feedback) -> anyhow::Result<()> {
    let Some(answer) = &feedback.answer else {
        return Ok(());
    };
    let parameters = [
        tx.tenant().into(),
        (&feedback.id).into(),
        answer.text.as_str().into(),
        (&answer.by).into(),
        answer.at.into(),
    ];
    tx.execute(ANSWER_FEEDBACK, &parameters).await
}

/// Forgets what a person told.
pub(crate) async fn delete_feedback_of(tx: &Tx, person: &ActorId) -> anyhow::Result<()> {
    tx.execute(DELETE_FEEDBACK_OF, &[tx.tenant().into(), person.into()])
        .await
}
