//! Rows become domain values here, and domain values rows, by position. A row that cannot be a value is an error
//! and never a default.

use anyhow::Context as _;
use chrono::NaiveDate;
use kernel::{TenantId, Timestamp};
use store::{Row, Value};

use crate::domain::{
    Approval, Days, End, Ended, Entry, KnownPhone, Line, Mark, Name, Pass, Place, Plate, Purpose,
    Reason, Recurring, RecurringState, Room, RoomText, Signed, UsesMax, Visit, VisitKind,
    VisitState, Visitor, Weekly, Window,
};

/// A visit from its twenty-eight columns; see the statement `VISIT`.
pub(crate) fn read_visit(row: &Row) -> anyhow::Result<Visit> {
    let kind = row.text(6)?;
    let place = match row.optional_text(4)? {
        Some(_) => Place::Room(read_room(row, 2)?),
        None => Place::Text(RoomText::parse(row.text(5)?)?),
    };
    Ok(Visit {
        id: row.id(0)?,
        community: row.id(1)?,
        place,
        kind: VisitKind::parse(kind).with_context(|| format!("a visit's kind is {kind:?}"))?,
        visitor: read_visitor(row, 7)?,
        recurring: row.optional_id(12)?,
        requested_by: row.optional_id(13)?,
        requested_at: row.timestamp(14)?,
        state: read_state(row)?,
    })
}

fn read_state(row: &Row) -> anyhow::Result<VisitState> {
    let approval = || read_approval(row)?.context("a visit has no approval");
    let end = || -> anyhow::Result<End> {
        Ok(End {
            by: row.optional_id(25)?,
            at: row.timestamp(26)?,
            reason: line(row.optional_text(27)?)?,
        })
    };
    Ok(match row.text(15)? {
        "requested" => VisitState::Requested {
            answer_by: row.timestamp(16)?,
        },
        "approved" => VisitState::Approved(approval()?),
        "arrived" => VisitState::Arrived(approval()?),
        "rejected" => VisitState::Rejected(end()?),
        "expired" => VisitState::Expired {
            approval: read_approval(row)?,
            at: row.timestamp(26)?,
        },
        "left" => VisitState::Left {
            approval: approval()?,
            end: end()?,
        },
        "revoked" => VisitState::Revoked {
            approval: approval()?,
            end: end()?,
        },
        other => anyhow::bail!("a visit's state is {other:?}"),
    })
}

fn read_approval(row: &Row) -> anyhow::Result<Option<Approval>> {
    let Some(by) = row.optional_id(17)? else {
        return Ok(None);
    };
    let pass = Pass {
        id: row.id(19)?,
        window: Window::new(row.timestamp(20)?, row.timestamp(21)?)?,
        uses_max: uses_max(row, 22)?,
        uses: u16::try_from(row.integer(23)?)?,
    };
    Ok(Some(Approval {
        signed: Signed {
            by,
            reason: line(row.optional_text(18)?)?,
        },
        pass,
        arrived_at: row.optional_timestamp(24)?,
    }))
}

/// A recurring pass from its twenty-four columns; see the statement `RECURRING`.
pub(crate) fn read_recurring(row: &Row) -> anyhow::Result<Recurring> {
    let state = match row.text(19)? {
        "active" => RecurringState::Active,
        "revoked" => RecurringState::Revoked(End {
            by: row.optional_id(20)?,
            at: row.timestamp(21)?,
            reason: line(row.optional_text(22)?)?,
        }),
        other => anyhow::bail!("a recurring pass is {other:?}"),
    };
    let days = row.integer(12)?;
    Ok(Recurring {
        id: row.id(0)?,
        community: row.id(1)?,
        room: read_room(row, 2)?,
        visitor: read_visitor(row, 5)?,
        signed: Signed {
            by: row.id(10)?,
            reason: line(row.optional_text(11)?)?,
        },
        weekly: Weekly {
            days: Days::of_mask(days).with_context(|| format!("days of the week are {days}"))?,
            minute_from: u16::try_from(row.integer(13)?)?,
            minute_until: u16::try_from(row.integer(14)?)?,
            first: date(row, 15)?,
            last: date(row, 16)?,
        },
        uses_max: uses_max(row, 17)?,
        created_at: row.timestamp(18)?,
        state,
        planned_through: date(row, 23)?,
    })
}

/// An entry of a blacklist from the columns id, community, kind, mark, shown, reason, created_by, created_at,
/// ended_by, ended_at.
pub(crate) fn read_entry(row: &Row) -> anyhow::Result<Entry> {
    let mark = match row.text(2)? {
        "phone" => Mark::Phone {
            digest: row.text(3)?.to_owned(),
            masked: row.text(4)?.to_owned(),
        },
        "plate" => Mark::Plate(Plate::parse(row.text(3)?)?),
        other => anyhow::bail!("an entry of a blacklist is about {other:?}"),
    };
    let ended = row.optional_id(8)?.map(|by| -> anyhow::Result<Ended> {
        Ok(Ended {
            by,
            at: row.timestamp(9)?,
        })
    });
    Ok(Entry {
        id: row.text(0)?.to_owned(),
        community: row.id(1)?,
        mark,
        reason: Reason::parse(row.text(5)?)?,
        created_by: row.id(6)?,
        created_at: row.timestamp(7)?,
        ended: ended.transpose()?,
    })
}

/// A room from the columns building, unit, room.
pub(crate) fn read_room(row: &Row, first: usize) -> anyhow::Result<Room> {
    Ok(Room {
        building: row.id(first)?,
        unit: row.id(first + 1)?,
        room: row.id(first + 2)?,
    })
}

/// A visitor from the columns name, phone, phone_digest, plate, purpose.
fn read_visitor(row: &Row, first: usize) -> anyhow::Result<Option<Visitor>> {
    let Some(name) = row.optional_text(first)? else {
        return Ok(None);
    };
    let phone = match (row.optional_id(first + 1)?, row.optional_text(first + 2)?) {
        (Some(phone), Some(digest)) => Some(KnownPhone {
            phone,
            digest: digest.to_owned(),
        }),
        _ => None,
    };
    Ok(Some(Visitor {
        name: Name::parse(name)?,
        phone,
        plate: row
            .optional_text(first + 3)?
            .map(Plate::parse)
            .transpose()?,
        purpose: row
            .optional_text(first + 4)?
            .map(Purpose::parse)
            .transpose()?,
    }))
}

fn uses_max(row: &Row, position: usize) -> anyhow::Result<UsesMax> {
    Ok(UsesMax::try_from(u16::try_from(row.integer(position)?)?)?)
}

fn date(row: &Row, position: usize) -> anyhow::Result<NaiveDate> {
    Ok(row.text(position)?.parse()?)
}

fn line<const MAX: usize>(text: Option<&str>) -> anyhow::Result<Option<Line<MAX>>> {
    Ok(text.map(Line::parse).transpose()?)
}

/// The columns of a new visit, in the order of the statement `INSERT_VISIT`; `day` is that of a recurring pass.
pub(crate) fn visit_values(tenant: &TenantId, visit: &Visit, day: Option<NaiveDate>) -> Vec<Value> {
    let mut values = vec![tenant.into(), (&visit.id).into(), (&visit.community).into()];
    values.extend(place_values(&visit.place));
    values.push(visit.kind.as_str().into());
    values.extend(visitor_values(visit.visitor.as_ref()));
    values.extend([
        visit.recurring.as_ref().into(),
        visit.requested_by.as_ref().into(),
        visit.requested_at.into(),
    ]);
    values.extend(state_values(&visit.state));
    values.push(day.map(|day| day.to_string()).into());
    values
}

/// What changes of a visit, in the order of the statement `UPDATE_VISIT`.
pub(crate) fn changed_values(tenant: &TenantId, visit: &Visit) -> Vec<Value> {
    let mut values = vec![tenant.into(), (&visit.id).into()];
    values.extend(place_values(&visit.place));
    values.extend(state_values(&visit.state));
    values
}

/// The columns building, unit, room, room_text.
fn place_values(place: &Place) -> [Value; 4] {
    match place {
        Place::Room(room) => [
            (&room.building).into(),
            (&room.unit).into(),
            (&room.room).into(),
            Value::Null,
        ],
        Place::Text(text) => [Value::Null, Value::Null, Value::Null, text.as_str().into()],
    }
}

/// The columns name, phone, phone_digest, plate, purpose.
pub(crate) fn visitor_values(visitor: Option<&Visitor>) -> [Value; 5] {
    let phone = visitor.and_then(|who| who.phone.as_ref());
    [
        visitor.map(|who| who.name.as_str()).into(),
        phone.map(|known| known.phone.as_str()).into(),
        phone.map(|known| known.digest.as_str()).into(),
        visitor
            .and_then(|who| who.plate.as_ref())
            .map(Plate::as_str)
            .into(),
        visitor
            .and_then(|who| who.purpose.as_ref())
            .map(Purpose::as_str)
            .into(),
    ]
}

/// The columns state, answer_by, host, host_reason, pass, valid_from, valid_until, uses_max, uses, arrived_at,
/// ended_by, ended_at, ended_reason, due_at.
fn state_values(state: &VisitState) -> [Value; 14] {
    let approval = state.approval();
    let pass = approval.map(|approval| &approval.pass);
    let (by, at, reason) = end_of(state);
    let answer_by = match state {
        VisitState::Requested { answer_by } => Some(*answer_by),
        _ => None,
    };
    [
        state.name().into(),
        answer_by.into(),
        approval.map(|approval| &approval.signed.by).into(),
        approval
            .and_then(|approval| approval.signed.reason.as_ref())
            .map(Reason::as_str)
            .into(),
        pass.map(|pass| &pass.id).into(),
        pass.map(|pass| pass.window.from()).into(),
        pass.map(|pass| pass.window.until()).into(),
        pass.map(|pass| pass.uses_max.count()).into(),
        pass.map_or(0, |pass| pass.uses).into(),
        approval.and_then(|approval| approval.arrived_at).into(),
        by,
        at.into(),
        reason.map(Reason::as_str).into(),
        state.due_at().into(),
    ]
}

fn end_of(state: &VisitState) -> (Value, Option<Timestamp>, Option<&Reason>) {
    match state {
        VisitState::Rejected(end)
        | VisitState::Left { end, .. }
        | VisitState::Revoked { end, .. } => {
            (end.by.as_ref().into(), Some(end.at), end.reason.as_ref())
        }
        VisitState::Expired { at, .. } => (Value::Null, Some(*at), None),
        VisitState::Requested { .. } | VisitState::Approved(_) | VisitState::Arrived(_) => {
            (Value::Null, None, None)
        }
    }
}

/// The columns of a new recurring pass, in the order of the statement `INSERT_RECURRING`.
pub(crate) fn recurring_values(tenant: &TenantId, recurring: &Recurring) -> Vec<Value> {
    let Recurring { weekly, room, .. } = recurring;
    let mut values = vec![
        tenant.into(),
        (&recurring.id).into(),
        (&recurring.community).into(),
        (&room.building).into(),
        (&room.unit).into(),
        (&room.room).into(),
    ];
    values.extend(visitor_values(recurring.visitor.as_ref()));
    values.extend([
        (&recurring.signed.by).into(),
        recurring.signed.reason.as_ref().map(Reason::as_str).into(),
        weekly.days.mask().into(),
        weekly.minute_from.into(),
        weekly.minute_until.into(),
        weekly.first.to_string().into(),
        weekly.last.to_string().into(),
        recurring.uses_max.count().into(),
        recurring.created_at.into(),
        recurring.planned_through.to_string().into(),
    ]);
    values
}

/// The columns of a new entry of a blacklist, in the order of the statement `INSERT_ENTRY`.
pub(crate) fn entry_values(tenant: &TenantId, entry: &Entry) -> Vec<Value> {
    vec![
        tenant.into(),
        (&entry.id).into(),
        (&entry.community).into(),
        entry.mark.kind().into(),
        entry.mark.key().into(),
        entry.mark.shown().into(),
        entry.reason.as_str().into(),
        (&entry.created_by).into(),
        entry.created_at.into(),
    ]
}
