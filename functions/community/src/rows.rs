//! Rows become domain values here, and domain values rows, by position. A row that cannot be a value is an error
//! and never a default.

use anyhow::Context as _;
use kernel::{ActorId, MessageId, TenantId};
use store::{Row, Value};
use wire::event::BindingRole;

use crate::domain::{
    Binding, BindingRequest, Building, Community, Company, Decision, Line, Name, ParkingSpace,
    Plate, PlateHolding, RequestState, Resident, Room, RoomUse, Term, Unit, place_key,
};

fn line<const MAX: usize>(row: &Row, place: usize) -> anyhow::Result<Option<Line<MAX>>> {
    Ok(row.optional_text(place)?.map(Line::parse).transpose()?)
}

fn text<const MAX: usize>(line: Option<&Line<MAX>>) -> Value {
    line.map(Line::as_str).into()
}

/// From the columns id, name, phone, address, version.
pub(crate) fn read_company(row: &Row) -> anyhow::Result<Company> {
    Ok(Company {
        id: row.id(0)?,
        name: Name::parse(row.text(1)?)?,
        phone: row.optional_id(2)?,
        address: line(row, 3)?,
        version: row.integer(4)?,
    })
}

/// The columns tenant, id, name, phone, address, version.
pub(crate) fn company_values(tenant: &TenantId, company: &Company) -> [Value; 6] {
    [
        tenant.into(),
        (&company.id).into(),
        company.name.as_str().into(),
        company.phone.as_ref().map(kernel::Phone::as_str).into(),
        text(company.address.as_ref()),
        company.version.into(),
    ]
}

/// From the columns id, name, address, time_zone, company, version.
pub(crate) fn read_community(row: &Row) -> anyhow::Result<Community> {
    Ok(Community {
        id: row.id(0)?,
        name: Name::parse(row.text(1)?)?,
        address: line(row, 2)?,
        zone: row.id(3)?,
        company: row.optional_id(4)?,
        version: row.integer(5)?,
    })
}

/// The columns tenant, id, name, address, time_zone, company, version.
pub(crate) fn community_values(tenant: &TenantId, community: &Community) -> [Value; 7] {
    [
        tenant.into(),
        (&community.id).into(),
        community.name.as_str().into(),
        text(community.address.as_ref()),
        community.zone.as_str().into(),
        community.company.as_ref().into(),
        community.version.into(),
    ]
}

/// From the columns id, community, name, version.
pub(crate) fn read_building(row: &Row) -> anyhow::Result<Building> {
    Ok(Building {
        id: row.id(0)?,
        community: row.id(1)?,
        name: Name::parse(row.text(2)?)?,
        version: row.integer(3)?,
    })
}

/// The columns tenant, id, community, name, place_key, version.
pub(crate) fn building_values(tenant: &TenantId, building: &Building) -> [Value; 6] {
    [
        tenant.into(),
        (&building.id).into(),
        (&building.community).into(),
        building.name.as_str().into(),
        place_key(building.name.as_str()).into(),
        building.version.into(),
    ]
}

/// From the columns id, building, community, name, version.
pub(crate) fn read_unit(row: &Row) -> anyhow::Result<Unit> {
    Ok(Unit {
        id: row.id(0)?,
        building: row.id(1)?,
        community: row.id(2)?,
        name: Name::parse(row.text(3)?)?,
        version: row.integer(4)?,
    })
}

/// The columns tenant, id, building, community, name, place_key, version.
pub(crate) fn unit_values(tenant: &TenantId, unit: &Unit) -> [Value; 7] {
    [
        tenant.into(),
        (&unit.id).into(),
        (&unit.building).into(),
        (&unit.community).into(),
        unit.name.as_str().into(),
        place_key(unit.name.as_str()).into(),
        unit.version.into(),
    ]
}

/// From the columns id, unit, building, community, the names of building and entrance, number, floor, area_dm2, usage,
/// aliases, version.
pub(crate) fn read_room(row: &Row) -> anyhow::Result<Room> {
    let usage = row.text(9)?;
    let aliases: Vec<String> = serde_json::from_str(row.text(10)?)?;
    Ok(Room {
        id: row.id(0)?,
        unit: row.id(1)?,
        building: row.id(2)?,
        community: row.id(3)?,
        place: (Name::parse(row.text(4)?)?, Name::parse(row.text(5)?)?),
        number: Name::parse(row.text(6)?)?,
        floor: row.optional_integer(7)?,
        area_dm2: row.integer(8)?,
        usage: RoomUse::parse(usage).with_context(|| format!("a room's use is {usage:?}"))?,
        aliases: aliases
            .iter()
            .map(|alias| Name::parse(alias))
            .collect::<Result<_, _>>()?,
        version: row.integer(11)?,
    })
}

/// The columns tenant, id, unit, building, community, number, place_key, floor, area_dm2, usage, aliases, version.
pub(crate) fn room_values(tenant: &TenantId, room: &Room) -> anyhow::Result<[Value; 12]> {
    let aliases: Vec<&str> = room.aliases.iter().map(Name::as_str).collect();
    Ok([
        tenant.into(),
        (&room.id).into(),
        (&room.unit).into(),
        (&room.building).into(),
        (&room.community).into(),
        room.number.as_str().into(),
        place_key(room.number.as_str()).into(),
        room.floor.into(),
        room.area_dm2.into(),
        room.usage.as_str().into(),
        serde_json::to_string(&aliases)?.into(),
        room.version.into(),
    ])
}

/// From the columns id, community, name, company, notes, erased_at, version; without the numbers.
pub(crate) fn read_resident(row: &Row) -> anyhow::Result<Resident> {
    Ok(Resident {
        id: row.id(0)?,
        community: row.id(1)?,
        name: line(row, 2)?,
        phones: vec![],
        company: line(row, 3)?,
        notes: line(row, 4)?,
        erased_at: row.optional_timestamp(5)?,
        version: row.integer(6)?,
    })
}

/// The columns tenant, id, community, name, company, notes, erased_at, version.
pub(crate) fn resident_values(tenant: &TenantId, resident: &Resident) -> [Value; 8] {
    [
        tenant.into(),
        (&resident.id).into(),
        (&resident.community).into(),
        text(resident.name.as_ref()),
        text(resident.company.as_ref()),
        text(resident.notes.as_ref()),
        resident.erased_at.into(),
        resident.version.into(),
    ]
}

fn read_role(text: &str) -> anyhow::Result<BindingRole> {
    BindingRole::parse(text).with_context(|| format!("a role is {text:?}"))
}

/// From the thirteen columns of a binding.
pub(crate) fn read_binding(row: &Row) -> anyhow::Result<Binding> {
    let home = match row.optional_id(6)? {
        Some(room) => Some((row.id(4)?, row.id(5)?, room)),
        None => None,
    };
    Ok(Binding {
        id: row.id(0)?,
        person: row.id(1)?,
        role: read_role(row.text(2)?)?,
        community: row.id(3)?,
        home,
        term: Term {
            from: row.timestamp(7)?,
            until: row.optional_timestamp(8)?,
        },
        started_by: row.id(9)?,
        ended_by: row.optional_id(10)?,
        end_reason: line(row, 11)?,
        version: row.integer(12)?,
    })
}

/// The columns tenant, id, person, role, community, building, unit, room, from_at, until_at, started_by, ended_by,
/// end_reason, version.
pub(crate) fn binding_values(tenant: &TenantId, binding: &Binding) -> [Value; 14] {
    let (building, unit, room) = match &binding.home {
        Some((building, unit, room)) => (Some(building), Some(unit), Some(room)),
        None => (None, None, None),
    };
    [
        tenant.into(),
        (&binding.id).into(),
        (&binding.person).into(),
        binding.role.as_str().into(),
        (&binding.community).into(),
        building.into(),
        unit.into(),
        room.into(),
        binding.term.from.into(),
        binding.term.until.into(),
        (&binding.started_by).into(),
        binding.ended_by.as_ref().into(),
        text(binding.end_reason.as_ref()),
        binding.version.into(),
    ]
}

/// From the fourteen columns of a request.
pub(crate) fn read_request(row: &Row) -> anyhow::Result<BindingRequest> {
    let decision = || -> anyhow::Result<Decision> {
        Ok(Decision {
            by: row.id(11)?,
            at: row.timestamp(12)?,
        })
    };
    let state = match row.text(8)? {
        "pending" => RequestState::Pending,
        "approved" => RequestState::Approved {
            binding: row.id(9)?,
            decision: decision()?,
        },
        "rejected" => RequestState::Rejected {
            reason: Line::parse(row.text(10)?)?,
            decision: decision()?,
        },
        other => anyhow::bail!("a request's state is {other:?}"),
    };
    Ok(BindingRequest {
        id: row.id(0)?,
        person: row.id(1)?,
        role: read_role(row.text(2)?)?,
        community: row.id(3)?,
        room: row.id(4)?,
        name: line(row, 5)?,
        phone: row.optional_id(6)?,
        asked_at: row.timestamp(7)?,
        state,
        version: row.integer(13)?,
    })
}

/// The columns tenant, id, person, role, community, room, name, phone, asked_at, state, binding, reason, decided_by,
/// decided_at, version.
pub(crate) fn request_values(tenant: &TenantId, request: &BindingRequest) -> [Value; 15] {
    let (binding, reason, decision) = match &request.state {
        RequestState::Pending => (None, None, None),
        RequestState::Approved { binding, decision } => (Some(binding), None, Some(decision)),
        RequestState::Rejected { reason, decision } => (None, Some(reason), Some(decision)),
    };
    [
        tenant.into(),
        (&request.id).into(),
        (&request.person).into(),
        request.role.as_str().into(),
        (&request.community).into(),
        (&request.room).into(),
        text(request.name.as_ref()),
        request.phone.as_ref().map(kernel::Phone::as_str).into(),
        request.asked_at.into(),
        request.state.name().into(),
        binding.into(),
        text(reason),
        decision.map(|decision| &decision.by).into(),
        decision.map(|decision| decision.at).into(),
        request.version.into(),
    ]
}

/// From the columns id, community, name, room, version.
pub(crate) fn read_space(row: &Row) -> anyhow::Result<ParkingSpace> {
    Ok(ParkingSpace {
        id: row.id(0)?,
        community: row.id(1)?,
        name: Name::parse(row.text(2)?)?,
        room: row.optional_id(3)?,
        version: row.integer(4)?,
    })
}

/// The columns tenant, id, community, name, place_key, room, version.
pub(crate) fn space_values(tenant: &TenantId, space: &ParkingSpace) -> [Value; 7] {
    [
        tenant.into(),
        (&space.id).into(),
        (&space.community).into(),
        space.name.as_str().into(),
        place_key(space.name.as_str()).into(),
        space.room.as_ref().into(),
        space.version.into(),
    ]
}

/// From the columns id, plate, community, room, space, since, version.
pub(crate) fn read_plate(row: &Row) -> anyhow::Result<(MessageId, PlateHolding)> {
    let holding = PlateHolding {
        plate: Plate::parse(row.text(1)?)?,
        community: row.id(2)?,
        room: row.id(3)?,
        space: row.optional_id(4)?,
        since: row.timestamp(5)?,
        version: row.integer(6)?,
    };
    Ok((row.id(0)?, holding))
}

/// The columns tenant, id, community, plate, room, space, since, bound_by, version.
pub(crate) fn plate_values(
    tenant: &TenantId,
    (id, holding): (&MessageId, &PlateHolding),
    by: &ActorId,
) -> [Value; 9] {
    [
        tenant.into(),
        id.into(),
        (&holding.community).into(),
        holding.plate.as_str().into(),
        (&holding.room).into(),
        holding.space.as_ref().into(),
        holding.since.into(),
        by.into(),
        holding.version.into(),
    ]
}
