//! `/api/feedback`: what people tell the operator, and the answers.

use kernel::{ActorId, CommunityId, MessageId, Timestamp};
use serde::{Deserialize, Serialize};
use store::{events, tx};
use web::{Query, Reply, Request};
use wire::event::{FeedbackAnswered, FeedbackGiven};

use super::{Text, answer, caller, name_of, path_id, replied, write};
use crate::context::Context;
use crate::domain::{
    Feedback, Prose, answer_feedback, answerers_only, feedback_reach, give_feedback,
    known_feedback, people_only, unknown_feedback,
};
use crate::store as sql;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewFeedback {
    text: Text<Prose>,
    community: Option<CommunityId>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAnswer {
    text: Text<Prose>,
}

#[derive(Serialize)]
pub(super) struct ShownFeedback {
    id: String,
    person: ActorId,
    #[serde(skip_serializing_if = "Option::is_none")]
    community: Option<CommunityId>,
    text: String,
    given_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<ShownAnswer>,
}

#[derive(Serialize)]
struct ShownAnswer {
    text: String,
    by: ActorId,
    at: Timestamp,
}

pub(super) async fn give(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    people_only(&actor)?;
    let asked: NewFeedback = web::body(request)?;
    let place = (context.new_id()?, asked.community);
    let feedback = give_feedback(&actor, place, asked.text.0, context.now)?;
    let given = write(
        context,
        request,
        (&actor.tenant, &name_of(&actor)),
        async |tx| {
            sql::insert_feedback(tx, &feedback).await?;
            let fact = FeedbackGiven {
                feedback: feedback.id.clone(),
                person: actor.id.clone(),
            };
            events::append(tx, &context.new_id()?, context.now, &fact).await?;
            answer(201, &ShownFeedback::from(feedback.clone()))
        },
    )
    .await?;
    replied(&given)
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    let reach = feedback_reach(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(|text| MessageId::parse(text).map(String::from))?;
    query.finish()?;
    let feedback = sql::feedbacks(&context.db, &actor.tenant, &reach, &page).await?;
    Ok(Reply::ok(&page.listing(
        feedback,
        |feedback| feedback.id.clone(),
        ShownFeedback::from,
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    feedback: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    let id: MessageId = path_id(feedback, unknown_feedback)?;
    let feedback = sql::feedback(&context.db, &actor.tenant, id.as_str()).await?;
    let feedback = known_feedback(&actor, feedback)?;
    Ok(Reply::ok(&ShownFeedback::from(feedback)))
}

pub(super) async fn reply(
    context: &Context,
    request: &Request,
    feedback: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    answerers_only(&actor)?;
    let id: MessageId = path_id(feedback, unknown_feedback)?;
    let asked: NewAnswer = web::body(request)?;
    let answered = tx(&context.db, &actor.tenant, async |tx| {
        let present = sql::feedback(tx, &actor.tenant, id.as_str()).await?;
        let present = known_feedback(&actor, present)?;
        let answered = answer_feedback(&actor, present, asked.text.0.clone(), context.now)?;
        sql::answer_feedback(tx, &answered).await?;
        let fact = FeedbackAnswered {
            feedback: answered.id.clone(),
            person: answered.person.clone(),
            actor: actor.id.clone(),
        };
        events::append(tx, &context.new_id()?, context.now, &fact).await?;
        Ok(answered)
    })
    .await?;
    Ok(Reply::ok(&ShownFeedback::from(answered)))
}

impl From<Feedback> for ShownFeedback {
    fn from(feedback: Feedback) -> Self {
        Self {
            id: feedback.id,
            person: feedback.person,
            community: feedback.community,
            text: feedback.text.as_str().to_owned(),
            given_at: feedback.given_at,
            answer: feedback.answer.map(|answer| ShownAnswer {
                text: answer.text.as_str().to_owned(),
                by: answer.by,
                at: answer.at,
            }),
        }
    }
}
