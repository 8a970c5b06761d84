//! `/api/residents`: the register of people.

use ::http::StatusCode;
use kernel::{Actor, ActorId, CommunityId, Message, Phone};
use serde::Deserialize;
use store::tx;
use web::{Problem, Query, Reply, Request};
use wire::event::ResidentChanged;

use super::{answer, caller, only_own, path_id, shown, stored, versioned, write};
use crate::context::Context;
use crate::domain::{
    Name, Note, PHONES_MAX, Resident, know_resident, managers_only, managing_kinds_only,
    people_only, unknown_community,
};
use crate::people::{Entry, free_phone, record};
use crate::{facts, store as sql};

const RESIDENT: (&str, &str, &str) = ("resident_unknown", "person", "人员");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewResident {
    community: CommunityId,
    name: Name,
    #[serde(default)]
    phones: Vec<Phone>,
    company: Option<Name>,
    notes: Option<Note>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResidentChange {
    name: Option<Name>,
    phones: Option<Vec<Phone>>,
    company: Option<Name>,
    notes: Option<Note>,
}

/// The numbers without repetition.
fn checked(phones: Vec<Phone>) -> Result<Vec<Phone>, Problem> {
    let mut kept: Vec<Phone> = Vec::new();
    for phone in phones {
        if !kept.contains(&phone) {
            kept.push(phone);
        }
    }
    if kept.len() <= PHONES_MAX {
        return Ok(kept);
    }
    let message = Message::new(
        format!("A person has at most {PHONES_MAX} numbers. Leave some out."),
        format!("每人最多登记 {PHONES_MAX} 个手机号，请删减。"),
    );
    Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "wrong_type", message).at_field("phones"))
}

pub(super) async fn add(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds_only(&actor)?;
    let new: NewResident = web::body(request)?;
    managers_only(&actor, &new.community)?;
    let entry = Entry {
        community: new.community,
        name: new.name,
        phones: checked(new.phones)?,
        company: new.company,
        notes: new.notes,
    };
    let added = write(context, request, &actor, async |tx| {
        let community = sql::community(tx, &actor.tenant, &entry.community).await?;
        community.ok_or_else(unknown_community)?;
        let (resident, is_new) = record(context, tx, &actor, entry.clone()).await?;
        let communities = sql::communities_of_person(tx, &actor.tenant, &resident.id).await?;
        let status = if is_new { 201 } else { 200 };
        answer(status, &shown::resident(&actor, &resident, &communities))
    })
    .await?;
    stored(&added, "/api/residents")
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    people_only(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(ActorId::parse)?;
    let filter = sql::ResidentFilter {
        community: query.take("community", CommunityId::parse)?,
        text: query.take("q", |text| Ok::<_, String>(text.trim().to_owned()))?,
        household_of: only_own(context, &actor),
    };
    query.finish()?;
    let residents = sql::residents(&context.db, &actor, &filter, &page).await?;
    // What the caller reaches and the person belongs to is what let it into the list.
    let reached: Vec<CommunityId> = actor.communities.clone();
    let is_register = filter.household_of.is_none();
    let show = |resident: Resident| {
        let communities = if is_register { reached.as_slice() } else { &[] };
        shown::resident(&actor, &resident, communities)
    };
    Ok(Reply::ok(&page.listing(
        residents,
        |resident| resident.id.to_string(),
        show,
    )))
}

/// The entry if the caller may know it, and where the person is or was bound.
async fn known(
    context: &Context,
    db: &impl store::Read,
    actor: &Actor,
    id: &ActorId,
) -> anyhow::Result<(Resident, Vec<CommunityId>)> {
    let communities = sql::communities_of_person(db, &actor.tenant, id).await?;
    let is_household = sql::shares_room(db, actor, id, context.now).await?;
    let found = sql::resident(db, &actor.tenant, id).await?;
    let resident = know_resident(actor, found, &communities, is_household)?;
    Ok((resident, communities))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    resident: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    people_only(&actor)?;
    let id = path_id(resident, RESIDENT)?;
    let (resident, communities) = known(context, &context.db, &actor, &id).await?;
    let shown = shown::resident(&actor, &resident, &communities);
    Ok(versioned(request, resident.version, &shown))
}

pub(super) async fn change(
    context: &Context,
    request: &Request,
    resident: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds_only(&actor)?;
    let id: ActorId = path_id(resident, RESIDENT)?;
    let expected = web::required_if_match(request)?;
    let change: ResidentChange = web::body(request)?;
    let phones = change.phones.map(checked).transpose()?;
    let (changed, communities) = tx(&context.db, &actor.tenant, async |tx| {
        let (before, communities) = known(context, tx, &actor, &id).await?;
        before.check_change(&actor, &communities)?;
        expected.check(before.version)?;
        let counted = before.phones.first().cloned();
        let after = Resident {
            name: change.name.clone().or(before.name),
            phones: phones.clone().unwrap_or(before.phones),
            company: change.company.clone().or(before.company),
            notes: change.notes.clone().or(before.notes),
            version: before.version + 1,
            id: before.id,
            community: before.community,
            erased_at: before.erased_at,
        };
        for phone in &after.phones {
            free_phone(tx, &after.id, phone).await?;
        }
        sql::update_resident(tx, &after).await?;
        if after.phones.first() != counted.as_ref() {
            let phone = after.phones.first();
            facts::resident_recorded(context, tx, &actor.id, (&after, phone)).await?;
        }
        let fact = ResidentChanged {
            person: after.id.clone(),
            version: after.version,
            actor: actor.id.clone(),
        };
        facts::append(context, tx, &fact).await?;
        Ok((after, communities))
    })
    .await?;
    let shown = shown::resident(&actor, &changed, &communities);
    Ok(Reply::ok(&shown).with_etag(changed.version))
}
