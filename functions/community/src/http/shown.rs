//! What is on the wire of each noun.

use kernel::{Actor, CommunityId, MessageId, Phone, Timestamp};
use serde_json::{Value, json};

use crate::domain::{
    Binding, BindingRequest, Building, Community, Company, Name, Note, ParkingSpace, PlateHolding,
    RequestState, Resident, Room, Sight, Unit, overlooks,
};
use crate::store::Import;

pub(super) fn company(company: &Company) -> Value {
    json!({
        "id": company.id,
        "name": company.name.as_str(),
        "phone": company.phone,
        "address": company.address.as_ref().map(Note::as_str),
        "version": company.version,
    })
}

pub(super) fn community(community: &Community) -> Value {
    json!({
        "id": community.id,
        "name": community.name.as_str(),
        "address": community.address.as_ref().map(Note::as_str),
        "time_zone": community.zone,
        "company": community.company,
        "version": community.version,
    })
}

pub(super) fn building(building: &Building) -> Value {
    json!({
        "id": building.id,
        "community": building.community,
        "name": building.name.as_str(),
        "version": building.version,
    })
}

pub(super) fn unit(unit: &Unit) -> Value {
    json!({
        "id": unit.id,
        "building": unit.building,
        "community": unit.community,
        "name": unit.name.as_str(),
        "version": unit.version,
    })
}

pub(super) fn room(room: &Room) -> Value {
    let (building, unit) = &room.place;
    json!({
        "id": room.id,
        "community": room.community,
        "building": room.building,
        "unit": room.unit,
        "place": format!("{}{}{}", building.as_str(), unit.as_str(), room.number.as_str()),
        "number": room.number.as_str(),
        "floor": room.floor,
        "area_dm2": room.area_dm2,
        "use": room.usage.as_str(),
        "aliases": room.aliases.iter().map(Name::as_str).collect::<Vec<_>>(),
        "version": room.version,
    })
}

pub(super) fn resident(actor: &Actor, resident: &Resident, communities: &[CommunityId]) -> Value {
    let sight = resident.sight(actor, communities);
    let number = |phone: &Phone| match sight {
        Sight::Full => phone.as_str().to_owned(),
        Sight::Masked => phone.masked(),
    };
    let notes = resident.notes.as_ref().map(Note::as_str);
    json!({
        "id": resident.id,
        "community": resident.community,
        "name": resident.name.as_ref().map(Name::as_str),
        "phones": resident.phones.iter().map(number).collect::<Vec<_>>(),
        "company": resident.company.as_ref().map(Name::as_str),
        "notes": notes.filter(|_| sight == Sight::Full),
        "erased_at": resident.erased_at,
        "version": resident.version,
    })
}

pub(super) fn binding(binding: &Binding, now: Timestamp) -> Value {
    let home = binding.home.as_ref();
    json!({
        "id": binding.id,
        "person": binding.person,
        "role": binding.role,
        "community": binding.community,
        "building": home.map(|(building, _, _)| building),
        "unit": home.map(|(_, unit, _)| unit),
        "room": home.map(|(_, _, room)| room),
        "from": binding.term.from,
        "until": binding.term.until,
        "holds": binding.term.holds(now),
        "started_by": binding.started_by,
        "ended_by": binding.ended_by,
        "end_reason": binding.end_reason.as_ref().map(Note::as_str),
        "version": binding.version,
    })
}

pub(super) fn request(actor: &Actor, request: &BindingRequest) -> Value {
    let (binding, reason, decision) = match &request.state {
        RequestState::Pending => (None, None, None),
        RequestState::Approved { binding, decision } => (Some(binding), None, Some(decision)),
        RequestState::Rejected { reason, decision } => (None, Some(reason), Some(decision)),
    };
    let is_full = overlooks(actor, &request.community) || actor.id == request.person;
    let phone = request.phone.as_ref();
    let phone = phone.map(|phone| match is_full {
        true => phone.as_str().to_owned(),
        false => phone.masked(),
    });
    json!({
        "id": request.id,
        "person": request.person,
        "role": request.role,
        "community": request.community,
        "room": request.room,
        "name": request.name.as_ref().map(Name::as_str),
        "phone": phone,
        "asked_at": request.asked_at,
        "state": request.state.name(),
        "binding": binding,
        "reason": reason.map(Note::as_str),
        "decided_by": decision.map(|decision| &decision.by),
        "decided_at": decision.map(|decision| decision.at),
        "version": request.version,
    })
}

pub(super) fn space(space: &ParkingSpace) -> Value {
    json!({
        "id": space.id,
        "community": space.community,
        "name": space.name.as_str(),
        "room": space.room,
        "version": space.version,
    })
}

pub(super) fn plate((id, holding): &(MessageId, PlateHolding)) -> Value {
    json!({
        "id": id,
        "plate": holding.plate.as_str(),
        "is_new_energy": holding.plate.is_new_energy(),
        "community": holding.community,
        "room": holding.room,
        "space": holding.space,
        "since": holding.since,
        "version": holding.version,
    })
}

pub(super) fn import(import: &Import, parts: &[(i64, i64)]) -> anyhow::Result<Value> {
    let report: Option<Value> = import
        .report
        .as_deref()
        .map(serde_json::from_str)
        .transpose()?;
    Ok(json!({
        "id": import.id,
        "community": import.community,
        "kind": import.kind.as_str(),
        "format": import.format.as_str(),
        "state": if import.is_done { "done" } else { "open" },
        "parts": parts.iter().map(|(part, bytes)| json!({"part": part, "bytes": bytes})).collect::<Vec<_>>(),
        "opened_at": import.opened_at,
        "report": report,
    }))
}
