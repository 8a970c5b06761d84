//! Rows become domain values here, by position; a row that cannot be one is an error and never a default.

use anyhow::Context as _;
use store::Row;

use crate::domain::{
    Denial, Door, Grant, GrantState, Ground, LateAnswer, Name, Occurrence, Opening, OpeningState, Reason, UnlockMillis,
    Validity,
};

/// A door from the columns id, community, name, gateway, unlock_ms, version.
pub(crate) fn read_door(row: &Row) -> anyhow::Result<Door> {
    Ok(Door {
        id: row.id(0)?,
        community: row.id(1)?,
        name: Name::parse(row.text(2)?)?,
        gateway: row.id(3)?,
        unlock: UnlockMillis::new(u32::try_from(row.integer(4)?)?)?,
        version: row.integer(5)?,
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
        "revoked" => GrantState::Revoked { by: row.id(first + 8)?, at: row.timestamp(first + 9)? },
        other => anyhow::bail!("a grant's state is {other:?}"),
    };
    Ok(Grant {
        id: row.id(first)?,
        door: row.id(first + 1)?,
        community: row.id(first + 2)?,
        person: row.id(first + 3)?,
        validity: Validity::new(row.timestamp(first + 4)?, row.optional_timestamp(first + 5)?)?,
        state,
        version: row.integer(first + 10)?,
    })
}

/// An opening from its first fourteen columns.
pub(crate) fn read_opening(row: &Row) -> anyhow::Result<Opening> {
    let ground = match row.text(4)? {
        "grant" => Ground::Grant(row.id(5)?),
        "override" => Ground::Override(Reason::parse(row.text(5)?)?),
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
        "requested" => OpeningState::Requested { expires_at: row.timestamp(7)? },
        "opened" => OpeningState::Opened { at: row.timestamp(9)?, latency_ms: row.integer(10)? },
        "failed" => OpeningState::Failed { at: row.timestamp(9)?, reason: Reason::parse(row.text(11)?)? },
        "expired" => OpeningState::Expired { at: row.timestamp(9)? },
        "timed_out" => OpeningState::TimedOut { at: row.timestamp(9)?, late: read_late(row)? },
        "refused" => {
            let code = row.text(11)?;
            let denial = Denial::parse(code).with_context(|| format!("an opening was refused for {code:?}"))?;
            OpeningState::Refused { denial }
        }
        other => anyhow::bail!("an opening's state is {other:?}"),
    })
}

fn read_late(row: &Row) -> anyhow::Result<Option<LateAnswer>> {
    let Some(outcome) = row.optional_text(12)? else {
        return Ok(None);
    };
    Ok(Some(LateAnswer { at: row.timestamp(13)?, outcome: serde_json::from_str(outcome)? }))
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
