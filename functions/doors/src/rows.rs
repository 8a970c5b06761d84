//! Rows become domain values here, and domain values rows, by position. A row that cannot be a value is an error
//! and never a default.

use anyhow::Context as _;
use kernel::TenantId;
use store::{Row, Value};
use wire::snapshot::Direction;

use crate::domain::{
    Door, Grant, GrantState, Ground, LateAnswer, Name, Occurrence, Opening, OpeningState, Reason,
    Schedule, UnlockMillis, Validity,
};

/// A door from the columns id, community, name, gateway, unlock_ms, direction, released, version.
pub(crate) fn read_door(row: &Row) -> anyhow::Result<Door> {
    Ok(Door {
        id: row.id(0)?,
        community: row.id(1)?,
        name: Name::parse(row.text(2)?)?,
        gateway: row.id(3)?,
        unlock: UnlockMillis::new(u32::try_from(row.integer(4)?)?)?,
        direction: Direction::parse(row.text(5)?).context("a door leads nowhere")?,
        released: row.boolean(6)?,
        version: row.integer(7)?,
    })
}

/// A grant from the eleven columns that start at `first`.
pub(crate) fn read_grant(row: &Row, first: usize) -> anyhow::Result<Grant> {
    let state = match row.text(first + 6)? {
        "active" => GrantState::Active,
        "suspended" => GrantState::Suspended {
            reason: Reason::parse(row.text(first + 7)?)?,
            by: row.id(first + 8)?,
            at: row.timestamp(first + 9)?,
        },
        "revoked" => GrantState::Revoked {
            by: row.id(first + 8)?,
            at: row.timestamp(first + 9)?,
        },
        other => anyhow::bail!("a grant's state is {other:?}"),
    };
    Ok(Grant {
        id: row.id(first)?,
        door: row.id(first + 1)?,
        community: row.id(first + 2)?,
        person: row.id(first + 3)?,
        validity: Validity::new(
            row.timestamp(first + 4)?,
            row.optional_timestamp(first + 5)?,
        )?,
        state,
        version: row.integer(first + 10)?,
    })
}

/// An opening from its first fourteen columns.
pub(crate) fn read_opening(row: &Row) -> anyhow::Result<Opening> {
    let ground = match row.text(4)? {
        "grant" => Ground::Grant(row.id(5)?),
        "override" => Ground::Override(Reason::parse(row.text(5)?)?),
        "member" => Ground::Member,
        "release" => Ground::Release,
        "none" => Ground::None,
        other => anyhow::bail!("an opening's ground is {other:?}"),
    };
    Ok(Opening {
        id: row.id(0)?,
        door: row.id(1)?,
        community: row.id(2)?,
        person: row.id(3)?,
        ground,
        requested_at: row.timestamp(6)?,
        state: read_state(row)?,
    })
}

fn read_state(row: &Row) -> anyhow::Result<OpeningState> {
    Ok(match row.text(8)? {
        "requested" => OpeningState::Requested {
            expires_at: row.timestamp(7)?,
        },
        "opened" => OpeningState::Opened {
            at: row.timestamp(9)?,
            latency_ms: row.integer(10)?,
        },
        "failed" => OpeningState::Failed {
            at: row.timestamp(9)?,
            reason: Reason::parse(row.text(11)?)?,
        },
        "expired" => OpeningState::Expired {
            at: row.timestamp(9)?,
        },
        "timed_out" => OpeningState::TimedOut {
            at: row.timestamp(9)?,
            late: read_late(row)?,
        },
        "refused" => {
            let code = row.text(11)?;
            let denial = access::Reason::parse(code)
                .with_context(|| format!("an opening was refused for {code:?}"))?;
            OpeningState::Refused { denial }
        }
        other => anyhow::bail!("an opening's state is {other:?}"),
    })
}

fn read_late(row: &Row) -> anyhow::Result<Option<LateAnswer>> {
    let Some(outcome) = row.optional_text(12)? else {
        return Ok(None);
    };
    Ok(Some(LateAnswer {
        at: row.timestamp(13)?,
        outcome: serde_json::from_str(outcome)?,
    }))
}

/// An occurrence from the columns id, door, gateway, occurrence, happened_at, clock_believed, reported_at.
pub(crate) fn read_occurrence(row: &Row) -> anyhow::Result<Occurrence> {
    Ok(Occurrence {
        id: row.id(0)?,
        door: row.id(1)?,
        gateway: row.id(2)?,
        kind: serde_json::from_str(row.text(3)?)?,
        happened_at: row.timestamp(4)?,
        clock_believed: row.boolean(5)?,
        reported_at: row.timestamp(6)?,
    })
}

/// The columns tenant, id, community, name, gateway, unlock_ms, direction, released, version.
pub(crate) fn door_values(tenant: &TenantId, door: &Door) -> [Value; 9] {
    [
        tenant.into(),
        (&door.id).into(),
        (&door.community).into(),
        door.name.as_str().into(),
        (&door.gateway).into(),
        door.unlock.millis().into(),
        door.direction.as_str().into(),
        door.released.into(),
        door.version.into(),
    ]
}

/// The columns tenant, id, door, person, valid_from, valid_until, state and the three of it, version.
pub(crate) fn grant_values(tenant: &TenantId, grant: &Grant) -> [Value; 11] {
    let (state, reason, by, at) = match &grant.state {
        GrantState::Active => ("active", None, None, None),
        GrantState::Suspended { reason, by, at } => {
            ("suspended", Some(reason), Some(by), Some(*at))
        }
        GrantState::Revoked { by, at } => ("revoked", None, Some(by), Some(*at)),
    };
    [
        tenant.into(),
        (&grant.id).into(),
        (&grant.door).into(),
        (&grant.person).into(),
        grant.validity.from().into(),
        grant.validity.until().into(),
        state.into(),
        reason.map(Reason::as_str).into(),
        by.into(),
        at.into(),
        grant.version.into(),
    ]
}

/// Of a new opening: the columns tenant, id, door, person, ground, ground_detail, requested_at, expires_at, state,
/// state_reason.
pub(crate) fn asked_values(tenant: &TenantId, opening: &Opening) -> [Value; 10] {
    let (ground, detail) = match &opening.ground {
        Ground::Grant(grant) => ("grant", Some(grant.as_str())),
        Ground::Override(reason) => ("override", Some(reason.as_str())),
        Ground::Member => ("member", None),
        Ground::Release => ("release", None),
        Ground::None => ("none", None),
    };
    let (expires_at, denial) = match &opening.state {
        OpeningState::Requested { expires_at } => (Some(*expires_at), None),
        OpeningState::Refused { denial } => (None, Some(denial.code())),
        _ => (None, None),
    };
    [
        tenant.into(),
        (&opening.id).into(),
        (&opening.door).into(),
        (&opening.person).into(),
        ground.into(),
        detail.into(),
        opening.requested_at.into(),
        expires_at.into(),
        opening.state.name().into(),
        denial.into(),
    ]
}

/// Of a settled opening: the columns tenant, id, state, settled_at, latency_ms, state_reason, late_outcome, late_at.
pub(crate) fn settled_values(tenant: &TenantId, opening: &Opening) -> anyhow::Result<[Value; 8]> {
    let (settled_at, latency_ms, reason, late) = match &opening.state {
        OpeningState::Opened { at, latency_ms } => (*at, Some(*latency_ms), None, None),
        OpeningState::Failed { at, reason } => (*at, None, Some(reason), None),
        OpeningState::Expired { at } => (*at, None, None, None),
        OpeningState::TimedOut { at, late } => (*at, None, None, late.as_ref()),
        other => anyhow::bail!("an opening is settled, not {}", other.name()),
    };
    let outcome = late
        .map(|late| serde_json::to_string(&late.outcome))
        .transpose()?;
    Ok([
        tenant.into(),
        (&opening.id).into(),
        opening.state.name().into(),
        settled_at.into(),
        latency_ms.into(),
        reason.map(Reason::as_str).into(),
        outcome.into(),
        late.map(|late| late.at).into(),
    ])
}

/// The columns tenant, id, door, gateway, occurrence, happened_at, clock_believed, reported_at.
pub(crate) fn occurrence_values(
    tenant: &TenantId,
    occurrence: &Occurrence,
) -> anyhow::Result<[Value; 8]> {
    Ok([
        tenant.into(),
        (&occurrence.id).into(),
        (&occurrence.door).into(),
        (&occurrence.gateway).into(),
        serde_json::to_string(&occurrence.kind)?.into(),
        occurrence.happened_at.into(),
        occurrence.clock_believed.into(),
        occurrence.reported_at.into(),
    ])
}

/// A schedule from the columns id, community, name, weekly, exceptions, version that start at `first`.
pub(crate) fn read_schedule_parts(row: &Row, first: usize) -> anyhow::Result<Schedule> {
    Ok(Schedule {
        id: row.id(first)?,
        community: row.id(first + 1)?,
        name: Name::parse(row.text(first + 2)?)?,
        weekly: serde_json::from_str(row.text(first + 3)?)?,
        exceptions: serde_json::from_str(row.text(first + 4)?)?,
        version: row.integer(first + 5)?,
    })
}
