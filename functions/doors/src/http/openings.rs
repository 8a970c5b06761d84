//! `/api/doors/{door}/openings`: asking for a door to open, and the audit of who asked.

use std::cell::RefCell;

use kernel::{ActorId, CommunityId, DeviceId, GrantId, OpeningId, Timestamp};
use serde::{Deserialize, Serialize};
use store::Tx;
use web::{Query, Reply, Request};

use super::doors::Text;
use super::{answer, caller, id_of, path_id, stored, write};
use crate::context::Context;
use crate::domain::{
    Ask, Ground, Known, Opening, OpeningState, Reason, know, known_opening, observe, refusal_of,
    request_opening, unknown_door, unknown_opening, whose,
};
use crate::outbox::publish_command;
use crate::store::OpeningFilter;
use crate::store::log::Access;
use crate::{facts, store as sql};

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct NewOpening {
    reason: Option<Text<Reason>>,
}

#[derive(Serialize)]
struct ShownOpening {
    id: OpeningId,
    door: DeviceId,
    community: CommunityId,
    person: ActorId,
    #[serde(flatten)]
    ground: ShownGround,
    requested_at: Timestamp,
    #[serde(flatten)]
    state: ShownState,
}

#[derive(Serialize)]
#[serde(tag = "ground", rename_all = "snake_case")]
enum ShownGround {
    Grant { grant: GrantId },
    Member,
    Release,
    Override { override_reason: String },
    None,
}

#[derive(Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum ShownState {
    Requested {
        expires_at: Timestamp,
    },
    Opened {
        settled_at: Timestamp,
        latency_ms: i64,
    },
    Failed {
        settled_at: Timestamp,
        reason: String,
    },
    Expired {
        settled_at: Timestamp,
    },
    TimedOut {
        settled_at: Timestamp,
        #[serde(skip_serializing_if = "Option::is_none")]
        late: Option<ShownLate>,
    },
    Refused {
        reason: &'static str,
    },
}

#[derive(Serialize)]
struct ShownLate {
    at: Timestamp,
    #[serde(flatten)]
    outcome: wire::door::Outcome,
}

pub(super) async fn request(
    context: &Context,
    request: &Request,
    door: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let door_id = path_id(door, unknown_door)?;
    let new: NewOpening = if request.body().is_empty() {
        NewOpening::default()
    } else {
        web::body(request)?
    };
    let ask = Ask {
        id: context.new_id()?,
        reason: new.reason.map(|reason| reason.0),
    };
    let decided = RefCell::new(None);
    let answered = write(context, request, &actor, async |tx| {
        let known = sql::decide::known(tx, &door_id, Some(&actor.id), context.now).await?;
        let known = known.ok_or_else(unknown_door)?;
        let (opening, decision) = request_opening(&actor, &known, ask.clone(), context.now)?;
        sql::insert_opening(tx, &opening).await?;
        facts::opening_asked(context, tx, &opening).await?;
        log(context, tx, (&known, &opening), decision).await?;
        let answered = match opening.state {
            OpeningState::Refused { denial } => answer(403, &denial.code()),
            _ => answer(202, &ShownOpening::from(opening.clone())),
        };
        decided.replace(Some((known.door, opening)));
        answered
    })
    .await?;
    if answered.status == 403 {
        let denial = access::Reason::parse(answered.body.trim_matches('"'));
        return Err(denial.map_or_else(
            || anyhow::anyhow!("a stored denial is unknown"),
            |denial| refusal_of(denial).into(),
        ));
    }
    // A repeated request is answered with the first opening, whose command has been sent: never a second time.
    if let Some((door, opening)) = decided
        .take()
        .filter(|_| id_of(&answered).is_ok_and(|id| id == ask.id.as_str()))
    {
        publish_command(&context.outbox, &actor.tenant, &door, &opening).await;
    }
    stored(&answered, &format!("/api/doors/{door_id}/openings"))
}

/// Notes a remote opening among everything that happened at doors.
async fn log(
    context: &Context,
    tx: &Tx,
    (known, opening): (&Known, &Opening),
    decision: access::Decision,
) -> anyhow::Result<()> {
    let entry = Access {
        id: context.new_id()?,
        community: opening.community.clone(),
        door: opening.door.clone(),
        person: Some(opening.person.clone()),
        pass: None,
        credential: "remote".to_owned(),
        allowed: decision.allowed,
        reason: decision.reason.code().to_owned(),
        passback: decision.passback,
        direction: known.door.direction,
        offline: false,
        opening: Some(opening.id.clone()),
        decided_at: context.now,
    };
    sql::log::insert(tx, &entry).await
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    door: &str,
    opening: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let door = path_id(door, unknown_opening)?;
    let id = path_id(opening, unknown_opening)?;
    let found = sql::opening(&context.db, &actor.tenant, &door, &id).await?;
    let opening = known_opening(&actor, found.map(|(opening, _gateway)| opening))?;
    Ok(Reply::ok(&ShownOpening::from(observe(
        opening,
        context.now,
    ))))
}

pub(super) async fn list(
    context: &Context,
    request: &Request,
    door: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(door, unknown_door)?;
    let mut query = Query::of(request)?;
    let page = query.page(OpeningId::parse)?;
    let asked = query.take("person", ActorId::parse)?;
    let from = query.take("from", Timestamp::parse)?;
    let to = query.take("to", Timestamp::parse)?;
    let state = query.take("state", state_name)?;
    query.finish()?;
    let door = know(&actor, sql::door(&context.db, &actor.tenant, &id).await?)?;
    let filter = OpeningFilter {
        person: whose(&actor, &door, asked)?,
        from,
        to,
        state,
    };
    let found = sql::openings(
        &context.db,
        &actor.tenant,
        &door.id,
        &filter,
        (&page, context.now),
    )
    .await?;
    let show = |opening| ShownOpening::from(observe(opening, context.now));
    Ok(Reply::ok(&page.listing(
        found,
        |opening| opening.id.to_string(),
        show,
    )))
}

fn state_name(text: &str) -> Result<&'static str, String> {
    let known = OpeningState::NAMES.into_iter().find(|name| *name == text);
    known.ok_or_else(|| format!("it is one of {}", OpeningState::NAMES.join(", ")))
}

impl From<Opening> for ShownOpening {
    fn from(opening: Opening) -> Self {
        let Opening {
            id,
            door,
            community,
            person,
            ground,
            requested_at,
            state,
        } = opening;
        Self {
            id,
            door,
            community,
            person,
            ground: ground.into(),
            requested_at,
            state: state.into(),
        }
    }
}

impl From<Ground> for ShownGround {
    fn from(ground: Ground) -> Self {
        match ground {
            Ground::Grant(grant) => Self::Grant { grant },
            Ground::Override(reason) => Self::Override {
                override_reason: reason.as_str().to_owned(),
            },
            Ground::Member => Self::Member,
            Ground::Release => Self::Release,
            Ground::None => Self::None,
        }
    }
}

impl From<OpeningState> for ShownState {
    fn from(state: OpeningState) -> Self {
        match state {
            OpeningState::Requested { expires_at } => Self::Requested { expires_at },
            OpeningState::Opened { at, latency_ms } => Self::Opened {
                settled_at: at,
                latency_ms,
            },
            OpeningState::Failed { at, reason } => Self::Failed {
                settled_at: at,
                reason: reason.as_str().to_owned(),
            },
            OpeningState::Expired { at } => Self::Expired { settled_at: at },
            OpeningState::TimedOut { at, late } => Self::TimedOut {
                settled_at: at,
                late: late.map(|late| ShownLate {
                    at: late.at,
                    outcome: late.outcome,
                }),
            },
            OpeningState::Refused { denial } => Self::Refused {
                reason: denial.code(),
            },
        }
    }
}
