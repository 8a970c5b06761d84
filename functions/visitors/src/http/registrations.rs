//! `/api/visitor-registrations`: a visitor without an account asks at the gate, and reads how it stands.

use kernel::{
    CommunityId, Message, Phone, Refusal, RoomId, TenantId, Timestamp, VisitId, place_key,
};
use serde::{Deserialize, Serialize};
use store::Tx;
use web::{Reply, Request};

use super::form::{Text, known};
use super::passes::pass_text;
use super::visits::AskedKind;
use super::{answer, private, stored, write};
use crate::context::Context;
use crate::domain::{
    self, Name, Place, Plate, Purpose, REQUESTS_WINDOW_MS, Registration, RoomText, Visit,
    VisitKind, Visitor, observe, unknown_visit,
};
use crate::store::{blacklist, places, recurring, visits as sql};
use crate::{facts, inbox};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRegistration {
    tenant: TenantId,
    community: CommunityId,
    /// The room's id from the code at the gate, or what the visitor knows of it.
    room: Text<RoomText>,
    kind: Option<AskedKind>,
    name: Text<Name>,
    phone: Phone,
    plate: Option<Text<Plate>>,
    purpose: Option<Text<Purpose>>,
}

/// No more than this: whether somebody lives there is nobody's business.
#[derive(Serialize)]
struct Registered {
    id: VisitId,
    token: String,
}

#[derive(Serialize)]
struct Standing {
    id: VisitId,
    community: CommunityId,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer_by: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pass: Option<ShownPass>,
}

#[derive(Serialize)]
struct ShownPass {
    text: String,
    from: Timestamp,
    until: Timestamp,
    uses_max: u16,
    uses: u16,
}

pub(super) async fn register(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let new: NewRegistration = web::body(request)?;
    let tenant = new.tenant;
    // Before a transaction: nobody's word makes a tenant.
    if places::zone(&context.db, &tenant, &new.community)
        .await?
        .is_none()
    {
        inbox::catch_up(context, &tenant).await?;
        let zone = places::zone(&context.db, &tenant, &new.community).await?;
        zone.ok_or_else(unknown_community)?;
    }
    let phone = known(context, &tenant, new.phone)?;
    let caller = format!("visitor/{}", phone.digest);
    let visitor = Visitor {
        name: new.name.0,
        phone: Some(phone.clone()),
        plate: new.plate.map(|plate| plate.0),
        purpose: new.purpose.map(|purpose| purpose.0),
    };
    let id: VisitId = context.new_id()?;
    let since = context.now.plus_millis(-REQUESTS_WINDOW_MS);
    let registered = write(context, request, (&tenant, caller.as_str()), async |tx| {
        let asked = Registration {
            id: id.clone(),
            community: new.community.clone(),
            place: place_of(tx, &new.community, &new.room.0).await?,
            kind: VisitKind::from(new.kind),
            visitor: visitor.clone(),
        };
        let counts = sql::requests_since(tx, &asked.community, &phone.digest, since).await?;
        let kept_out = blacklist::is_blacklisted(tx, &asked.community, Some(&visitor)).await?;
        let visit = domain::register(asked, kept_out, counts, context.now)?;
        sql::insert_visit(tx, &visit, None).await?;
        let hosts = match &visit.place {
            Place::Room(room) => {
                places::hosts(tx, (&visit.community, &room.room), context.now).await?
            }
            Place::Text(_) => Vec::new(),
        };
        facts::visit_made(context, tx, &visit, hosts).await?;
        // Without the token, which is made again from the id: no stored answer holds it.
        answer(202, &serde_json::json!({ "id": visit.id }))
    })
    .await?;
    let shown: ShownId = serde_json::from_str(&registered.body)?;
    let token = context.token_key.token(&tenant, &shown.id)?;
    let reply = stored(
        &answer(
            registered.status,
            &Registered {
                id: shown.id,
                token: token.clone(),
            },
        )?,
        "/api/visitor-registrations",
    )?;
    let location = format!("/api/visitor-registrations/{token}");
    Ok(private(
        reply.with_header(::http::header::LOCATION, &location),
    ))
}

#[derive(Deserialize)]
struct ShownId {
    id: VisitId,
}

pub(super) async fn show(context: &Context, token: &str) -> anyhow::Result<Reply> {
    let (tenant, id) = context.token_key.read(token).ok_or_else(unknown_visit)?;
    let visit = match sql::visit(&context.db, &tenant, &id).await? {
        Some(visit) => visit,
        None => next_visit(context, &tenant, &id).await?,
    };
    let visit = observe(visit, context.now);
    let text = pass_text(context, &tenant, &visit)?;
    let pass = text
        .zip(visit.state.approval())
        .map(|(text, approval)| ShownPass {
            text,
            from: approval.pass.window.from(),
            until: approval.pass.window.until(),
            uses_max: approval.pass.uses_max.count(),
            uses: approval.pass.uses,
        });
    let shown = Standing {
        id: visit.id,
        community: visit.community,
        state: visit.state.name(),
        answer_by: match visit.state {
            domain::VisitState::Requested { answer_by } => Some(answer_by),
            _ => None,
        },
        pass,
    };
    Ok(private(Reply::ok(&shown)))
}

/// The current or next visit of the pass that comes again which this token is of.
async fn next_visit(context: &Context, tenant: &TenantId, id: &VisitId) -> anyhow::Result<Visit> {
    let pass = recurring::recurring(&context.db, tenant, id).await?;
    let pass = pass.ok_or_else(unknown_visit)?;
    let next = sql::next_of_recurring(&context.db, tenant, &pass.id, context.now).await?;
    let next = next.ok_or_else(no_visit_ahead)?;
    let visit = sql::visit(&context.db, tenant, &next).await?;
    Ok(visit.ok_or_else(unknown_visit)?)
}

/// The room of the community that the words name, as an id or as people call it; else the words, and so where several
/// rooms go by them. The visitor is answered alike.
async fn place_of(tx: &Tx, community: &CommunityId, words: &RoomText) -> anyhow::Result<Place> {
    if let Ok(room) = RoomId::parse(words.as_str())
        && let Some((room, _)) = places::room(tx, &room, Some(community)).await?
    {
        return Ok(Place::Room(room));
    }
    let found = places::room_of_key(tx, community, &place_key(words.as_str())).await?;
    Ok(found.map_or_else(|| Place::Text(words.clone()), Place::Room))
}

fn unknown_community() -> Refusal {
    Refusal::not_found(
        "community_unknown",
        Message::new(
            "There is no such community. Scan the code at the gate again.",
            "未找到该小区，请重新扫描门口的二维码。",
        ),
    )
}

fn no_visit_ahead() -> Refusal {
    Refusal::not_found(
        "no_visit_ahead",
        Message::new(
            "No visit of this pass is planned for the next days.",
            "该周期通行近日没有安排来访。",
        ),
    )
}
