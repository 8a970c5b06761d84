//! `/api/visitor-blacklist`: who is not let into a community.

use kernel::{ActorId, CommunityId, Message, Phone, Refusal, Timestamp, VisitId};
use serde::{Deserialize, Serialize};
use web::{Query, Reply, Request};

use super::form::{Text, known};
use super::{answer, caller, replied, stored, write};
use crate::context::Context;
use crate::domain::{self, Entry, Mark, Plate, Reason, Signed, managers_only, unknown_entry};
use crate::store::blacklist as sql;
use crate::{facts, plan};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewEntry {
    community: CommunityId,
    phone: Option<Phone>,
    plate: Option<Text<Plate>>,
    reason: Text<Reason>,
}

#[derive(Serialize)]
struct ShownEntry {
    id: String,
    community: CommunityId,
    kind: &'static str,
    /// The masked number, or the plate.
    mark: String,
    reason: String,
    created_by: ActorId,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_by: Option<ActorId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
}

pub(super) async fn block(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: NewEntry = web::body(request)?;
    managers_only(&actor, &new.community)?;
    let mark = match (new.phone, new.plate) {
        (Some(phone), None) => {
            let masked = phone.masked();
            let digest = known(context, &actor.tenant, phone)?.digest;
            Mark::Phone { digest, masked }
        }
        (None, Some(plate)) => Mark::Plate(plate.0),
        _ => return Err(one_mark().into()),
    };
    let entry = Entry {
        id: context.new_id()?,
        community: new.community,
        mark,
        reason: new.reason.0,
        created_by: actor.id.clone(),
        created_at: context.now,
        ended: None,
    };
    let blocked = write(context, request, &actor, async |tx| {
        if let Some(held) = sql::entry_of_mark(tx, &entry.community, &entry.mark).await? {
            return answer(200, &ShownEntry::from(held));
        }
        sql::insert_entry(tx, &entry).await?;
        facts::blacklist_changed(context, tx, &actor, &entry).await?;
        let signed = Signed {
            by: actor.id.clone(),
            reason: Reason::parse("blacklist").ok(),
        };
        let kept_out = (&entry.community, &entry.mark);
        plan::keep_out(context, tx, kept_out, &signed.end(context.now)).await?;
        answer(201, &ShownEntry::from(entry.clone()))
    })
    .await?;
    stored(&blocked, "/api/visitor-blacklist")
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(|text| VisitId::parse(text).map(String::from))?;
    let community = query.take("community", CommunityId::parse)?;
    query.finish()?;
    let community = community.ok_or_else(which_community)?;
    managers_only(&actor, &community)?;
    let found = sql::entries(&context.db, &actor.tenant, &community, &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |entry| entry.id.clone(),
        ShownEntry::from,
    )))
}

pub(super) async fn unblock(
    context: &Context,
    request: &Request,
    entry: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let unblocked = write(context, request, &actor, async |tx| {
        let held = sql::entry(&*tx, &actor.tenant, entry).await?;
        let held = held
            .filter(|held| managers_only(&actor, &held.community).is_ok())
            .ok_or_else(unknown_entry)?;
        let Some(ended) = domain::unblock(&actor, &held, context.now) else {
            return answer(200, &ShownEntry::from(held));
        };
        sql::end_entry(tx, &ended).await?;
        facts::blacklist_changed(context, tx, &actor, &ended).await?;
        answer(200, &ShownEntry::from(ended))
    })
    .await?;
    replied(&unblocked)
}

fn one_mark() -> Refusal {
    Refusal::invalid(
        "one_mark",
        Message::new(
            "Give either a phone number or a plate.",
            "请填写手机号或车牌号其中一项。",
        ),
    )
}

fn which_community() -> Refusal {
    Refusal::invalid(
        "community_required",
        Message::new(
            "Say of which community, in `community`.",
            "请指定小区（community）。",
        ),
    )
}

impl From<Entry> for ShownEntry {
    fn from(entry: Entry) -> Self {
        let (ended_by, ended_at) = entry.ended.map(|ended| (ended.by, ended.at)).unzip();
        Self {
            id: entry.id,
            community: entry.community,
            kind: entry.mark.kind(),
            mark: entry.mark.shown().to_owned(),
            reason: entry.reason.as_str().to_owned(),
            created_by: entry.created_by,
            created_at: entry.created_at,
            ended_by,
            ended_at,
        }
    }
}
