//! `/api/visits`: inviting, answering, letting in and out.

use kernel::{Actor, CommunityId, Message, Refusal, RoomId, Timestamp, VisitId};
use serde::Deserialize;
use store::{Answer, Read, Tx};
use web::{Query, Reply, Request};

use super::form::{AskedVisitor, Number, ShownVisit, Text, Way, relation_to, room_of};
use super::{answer, caller, path_id, replied, stored, write};
use crate::context::Context;
use crate::domain::{
    self, Invitation, Place, Reason, Relation, Terms, UsesMax, Visit, VisitKind, VisitState,
    is_manager, observe, on_behalf, unknown_visit,
};
use crate::store::visits::VisitFilter;
use crate::store::{blacklist, visits as sql};
use crate::{facts, inbox};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewVisit {
    room: RoomId,
    /// Only of those who run the community, for a room in which nobody lives.
    way: Option<Way>,
    kind: Option<AskedKind>,
    visitor: AskedVisitor,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    uses_max: Option<Number<UsesMax>>,
    reason: Option<Text<Reason>>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(super) enum AskedKind {
    Guest,
    Courier,
}

impl From<Option<AskedKind>> for VisitKind {
    fn from(asked: Option<AskedKind>) -> Self {
        match asked {
            Some(AskedKind::Courier) => Self::Courier,
            Some(AskedKind::Guest) | None => Self::Guest,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    approved: bool,
    reason: Option<Text<Reason>>,
    until: Option<Timestamp>,
    uses_max: Option<Number<UsesMax>>,
    room: Option<RoomId>,
    way: Option<Way>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Because {
    reason: Option<Text<Reason>>,
}

pub(super) async fn invite(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: NewVisit = web::body(request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let visitor = new.visitor.known(context, &actor.tenant)?;
    let ids: (VisitId, kernel::PassId) = (context.new_id()?, context.new_id()?);
    let (kind, reason) = (VisitKind::from(new.kind), new.reason.map(|reason| reason.0));
    let uses_max = new.uses_max.map_or(UsesMax::ONCE, |count| count.0);
    let invited = write(context, request, &actor, async |tx| {
        let place = (&new.room, new.way.as_ref());
        let (room, community, relation) = room_of(context, tx, &actor, place).await?;
        let signed = on_behalf(&actor, relation, reason.clone())?;
        let kept_out = blacklist::is_blacklisted(tx, &community, Some(&visitor)).await?;
        let invitation = Invitation {
            id: ids.0.clone(),
            pass: ids.1.clone(),
            community,
            room,
            kind,
            visitor: visitor.clone(),
            window: (new.from, new.until),
            uses_max,
        };
        let visit = domain::invite(invitation, signed, kept_out, context.now)?;
        sql::insert_visit(tx, &visit, None).await?;
        facts::visit_made(context, tx, &visit, Vec::new()).await?;
        answer(201, &ShownVisit::from(visit))
    })
    .await?;
    stored(&invited, "/api/visits")
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    if !domain::has_lists(&actor) {
        return Err(no_visits().into());
    }
    let mut query = Query::of(request)?;
    let page = query.page(VisitId::parse)?;
    let filter = VisitFilter {
        community: query.take("community", CommunityId::parse)?,
        room: query.take("room", RoomId::parse)?,
        state: query.take("state", state_name)?,
    };
    query.finish()?;
    let found = sql::visits(&context.db, &actor, &filter, (&page, context.now)).await?;
    let show = |visit| ShownVisit::from(observe(visit, context.now));
    Ok(Reply::ok(&page.listing(
        found,
        |visit| visit.id.to_string(),
        show,
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    visit: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(visit, unknown_visit)?;
    let (_, visit, _) = known(context, &context.db, &actor, &id).await?;
    Ok(Reply::ok(&ShownVisit::from(visit)))
}

pub(super) async fn decide(
    context: &Context,
    request: &Request,
    visit: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(visit, unknown_visit)?;
    let asked: Decision = web::body(request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let pass: kernel::PassId = context.new_id()?;
    let reason = asked.reason.as_ref().map(|reason| reason.0.clone());
    change(
        context,
        request,
        &actor,
        &id,
        async |tx, visit, relation| {
            let signed = on_behalf(&actor, relation, reason.clone())?;
            if !asked.approved {
                return Ok(domain::reject(visit, signed, context.now)?);
            }
            let room = match &asked.room {
                Some(room) => Some(
                    answered_room(context, tx, (&actor, visit), (room, asked.way.as_ref())).await?,
                ),
                None => None,
            };
            let terms = Terms {
                pass: pass.clone(),
                room,
                until: asked.until,
                uses_max: asked
                    .uses_max
                    .as_ref()
                    .map_or(UsesMax::ONCE, |count| count.0),
            };
            let kept_out =
                blacklist::is_blacklisted(tx, &visit.community, visit.visitor.as_ref()).await?;
            Ok(domain::approve(
                visit,
                signed,
                terms,
                kept_out,
                context.now,
            )?)
        },
    )
    .await
}

pub(super) async fn revoke(
    context: &Context,
    request: &Request,
    visit: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(visit, unknown_visit)?;
    let because = because(request)?;
    change(context, request, &actor, &id, async |_, visit, relation| {
        let signed = on_behalf(&actor, relation, because.clone())?;
        Ok(domain::revoke(visit, signed.end(context.now))?)
    })
    .await
}

pub(super) async fn arrive(
    context: &Context,
    request: &Request,
    visit: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(visit, unknown_visit)?;
    change(context, request, &actor, &id, async |_, visit, _| {
        Ok(domain::arrive(&actor, visit, context.now)?)
    })
    .await
}

pub(super) async fn leave(
    context: &Context,
    request: &Request,
    visit: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(visit, unknown_visit)?;
    change(context, request, &actor, &id, async |_, visit, relation| {
        // That somebody has left is seen, not decided: the guard at the gate needs no reason.
        let seen = Reason::parse("seen_leaving").ok();
        let signed = on_behalf(&actor, relation, seen)?;
        Ok(domain::leave(visit, signed.end(context.now))?)
    })
    .await
}

/// Loads the visit, decides, stores and tells: the one shape of every change. Nothing decided means that it was so
/// already.
async fn change(
    context: &Context,
    request: &Request,
    actor: &Actor,
    id: &VisitId,
    decide: impl AsyncFn(&Tx, &Visit, Relation) -> anyhow::Result<Option<Visit>>,
) -> anyhow::Result<Reply> {
    let changed: Answer = write(context, request, actor, async |tx| {
        let (before, observed, relation) = known(context, &*tx, actor, id).await?;
        let after = decide(tx, &observed, relation).await?;
        if let Some(after) = &after {
            sql::update_visit(tx, after).await?;
            facts::visit_changed(context, tx, &before, after).await?;
        }
        answer(200, &ShownVisit::from(after.unwrap_or(observed)))
    })
    .await?;
    replied(&changed)
}

/// The visit as it is stored and as it stands now, and what the caller is to it.
pub(super) async fn known(
    context: &Context,
    db: &impl Read,
    actor: &Actor,
    id: &VisitId,
) -> anyhow::Result<(Visit, Visit, Relation)> {
    let visit = sql::visit(db, &actor.tenant, id).await?;
    let visit = visit.ok_or_else(unknown_visit)?;
    let relation = match &visit.place {
        Place::Room(room) => {
            relation_to(context, db, actor, (&visit.community, &room.room)).await?
        }
        Place::Text(_) => domain::relation(actor, &visit.community, false),
    };
    let relation = relation.ok_or_else(unknown_visit)?;
    let observed = observe(visit.clone(), context.now);
    Ok((visit, observed, relation))
}

/// The room that staff say the visitor meant: of the visit's own community.
async fn answered_room(
    context: &Context,
    tx: &Tx,
    (actor, visit): (&Actor, &Visit),
    named: (&RoomId, Option<&Way>),
) -> anyhow::Result<domain::Room> {
    let (room, community, _) = room_of(context, tx, actor, named).await?;
    if community != visit.community || !is_manager(actor, &community) {
        return Err(domain::unknown_room().into());
    }
    Ok(room)
}

/// Why, from a body that may be left out.
pub(super) fn because(request: &Request) -> anyhow::Result<Option<Reason>> {
    let because: Because = if request.body().is_empty() {
        Because::default()
    } else {
        web::body(request)?
    };
    Ok(because.reason.map(|reason| reason.0))
}

fn state_name(text: &str) -> Result<&'static str, String> {
    let known = VisitState::NAMES.into_iter().find(|name| *name == text);
    known.ok_or_else(|| format!("it is one of {}", VisitState::NAMES.join(", ")))
}

pub(super) fn no_visits() -> Refusal {
    Refusal::forbidden(
        "people_only",
        Message::new(
            "Accounts of this kind have no visitors.",
            "此类账号没有访客功能。",
        ),
    )
}
