//! `/api/push/topics`: topics of the caller under `/n/`, and the keys that open them.

use kernel::{ActorId, Message, Refusal, Timestamp};
use messaging::ntfy;
use serde::{Deserialize, Serialize};
use web::{Query, Reply, Request};
use wire::event::PushTopicChanged;

use super::{answer, caller, private, replied, write};
use crate::context::Context;
use crate::domain::{receivers_only, unknown_topic};
use crate::facts;
use crate::keys::digest;
use crate::store::notes::{self as sql, Topic};

/// The most topics of one owner.
const TOPICS_MAX: i64 = 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewTopic {
    topic: String,
}

#[derive(Serialize)]
struct Shown {
    id: String,
    owner: ActorId,
    created_at: Timestamp,
    /// Where clients publish and poll.
    url: String,
    /// Shown to its owner: presented as a bearer token, or as the password of any user.
    #[serde(skip_serializing_if = "Option::is_none")]
    topic_key: Option<String>,
}

pub(super) async fn add(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    receivers_only(&actor)?;
    let new: NewTopic = web::body(request)?;
    let topic = ntfy::Topic::parse(&new.topic).map_err(|error| {
        Refusal::invalid(
            "topic_invalid",
            Message::new(
                error.text(),
                "主题为 1 到 64 个字母、数字、“-”或“_”，且不能使用保留名称。",
            ),
        )
    })?;
    let made = write(context, request, &actor, async |tx| {
        let key = context.keys.topic_key(tx.tenant(), topic.as_str(), 1)?;
        if sql::count_topics(tx, &actor.id).await? >= TOPICS_MAX {
            return Err(too_many().into());
        }
        let owned = (topic.as_str(), &actor.id);
        if !sql::insert_topic(tx, owned, &digest(&key), context.now).await? {
            return Err(taken().into());
        }
        changed(context, tx, (topic.as_str(), &actor.id), "made").await?;
        let found = sql::topic(tx, tx.tenant(), topic.as_str()).await?;
        let found = found.ok_or_else(unknown_topic)?;
        answer(201, &shown(context, found, Some(key)))
    })
    .await?;
    let place = format!("/api/push/topics/{}", topic.as_str());
    Ok(private(
        replied(&made)?.with_header(::http::header::LOCATION, &place),
    ))
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    receivers_only(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(|text| match ntfy::Topic::parse(text) {
        Ok(topic) => Ok(topic.as_str().to_owned()),
        Err(error) => Err(error.text()),
    })?;
    query.finish()?;
    let found = sql::topics_of(&context.db, (&actor.tenant, &actor.id), &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |topic| topic.id.clone(),
        |topic| shown(context, topic, None),
    )))
}

pub(super) async fn remove(
    context: &Context,
    request: &Request,
    topic: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let topic = own(context, &actor, topic).await?;
    write(context, request, &actor, async |tx| {
        sql::delete_topic(tx, &topic.id).await?;
        changed(context, tx, (&topic.id, &actor.id), "removed").await?;
        answer(204, &())
    })
    .await?;
    Ok(Reply::no_content())
}

/// Another key opens the topic from now on; the one before does not.
pub(super) async fn change_key(
    context: &Context,
    request: &Request,
    topic: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let topic = own(context, &actor, topic).await?;
    let made = write(context, request, &actor, async |tx| {
        let found = sql::topic(tx, tx.tenant(), &topic.id).await?;
        let found = found.ok_or_else(unknown_topic)?;
        let number = found.key_number + 1;
        let key = context.keys.topic_key(tx.tenant(), &found.id, number)?;
        sql::change_key(tx, &found.id, (number, &digest(&key))).await?;
        changed(context, tx, (&found.id, &actor.id), "key_changed").await?;
        answer(200, &shown(context, found, Some(key)))
    })
    .await?;
    Ok(private(replied(&made)?))
}

async fn own(context: &Context, actor: &kernel::Actor, topic: &str) -> anyhow::Result<Topic> {
    let found = sql::topic(&context.db, &actor.tenant, topic).await?;
    let own = found.filter(|found| found.owner == actor.id && receivers_only(actor).is_ok());
    own.ok_or_else(|| unknown_topic().into())
}

async fn changed(
    context: &Context,
    tx: &store::Tx,
    (topic, owner): (&str, &ActorId),
    change: &str,
) -> anyhow::Result<()> {
    let fact = PushTopicChanged {
        topic: topic.to_owned(),
        owner: owner.clone(),
        change: change.to_owned(),
        actor: owner.clone(),
    };
    facts::append(context, tx, &fact).await
}

fn shown(context: &Context, topic: Topic, topic_key: Option<String>) -> Shown {
    Shown {
        url: format!("{}/n/{}", context.public_url, topic.id),
        id: topic.id,
        owner: topic.owner,
        created_at: topic.created_at,
        topic_key,
    }
}

fn too_many() -> Refusal {
    Refusal::conflict(
        "topics_too_many",
        Message::new(
            format!("You have {TOPICS_MAX} topics already. Give one up first."),
            format!("您已有 {TOPICS_MAX} 个主题，请先删除一个。"),
        ),
    )
}

fn taken() -> Refusal {
    Refusal::conflict(
        "topic_taken",
        Message::new(
            "Somebody else has this topic. Choose another name.",
            "该主题已被占用，请换一个名称。",
        ),
    )
}
