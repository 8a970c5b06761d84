//! What the event log hears of a change: the audit trail, and what other capabilities consume.

use kernel::{ActorId, CommunityId, Phone, RoomId, TenantId};
use store::{Tx, events};
use wire::event::{
    BindingEnded, BindingStarted, Event, PlateChanged, ResidentRecorded, RoomChanged,
};

use crate::context::Context;
use crate::domain::{Binding, Plate, Resident, Room};

/// Appends a fact of this moment.
pub(crate) async fn append<Fact: Event>(
    context: &Context,
    tx: &Tx,
    fact: &Fact,
) -> anyhow::Result<()> {
    events::append(tx, &context.new_id()?, context.now, fact).await?;
    Ok(())
}

/// Appends facts of this moment, in their order.
pub(crate) async fn append_all<Fact: Event>(
    context: &Context,
    tx: &Tx,
    facts: Vec<Fact>,
) -> anyhow::Result<()> {
    let mut named = Vec::with_capacity(facts.len());
    for fact in facts {
        named.push((context.new_id()?, fact));
    }
    events::append_all(tx, context.now, &named).await
}

/// A room as it is now.
pub(crate) fn room_changed(actor: &ActorId, room: &Room) -> RoomChanged {
    RoomChanged {
        room: room.id.clone(),
        unit: room.unit.clone(),
        building: room.building.clone(),
        community: room.community.clone(),
        name: room.name(),
        keys: room.keys(),
        area_dm2: room.area_dm2,
        usage: room.usage.as_str().to_owned(),
        version: room.version,
        actor: actor.clone(),
    }
}

/// A person is in the register, with the number that counts.
pub(crate) async fn resident_recorded(
    context: &Context,
    tx: &Tx,
    actor: &ActorId,
    (resident, phone): (&Resident, Option<&Phone>),
) -> anyhow::Result<()> {
    let fact = recorded(context, tx.tenant(), actor, (resident, phone))?;
    append(context, tx, &fact).await
}

/// What [`resident_recorded`] says.
pub(crate) fn recorded(
    context: &Context,
    tenant: &TenantId,
    actor: &ActorId,
    (resident, phone): (&Resident, Option<&Phone>),
) -> anyhow::Result<ResidentRecorded> {
    Ok(ResidentRecorded {
        person: resident.id.clone(),
        phone: phone
            .map(|phone| digest(context, tenant, phone))
            .transpose()?,
        actor: actor.clone(),
    })
}

/// The digest of a number.
pub(crate) fn digest(
    context: &Context,
    tenant: &TenantId,
    phone: &Phone,
) -> anyhow::Result<String> {
    web::phone_digest(&context.token_secret, tenant, phone)
}

/// A binding is new.
pub(crate) async fn binding_started(
    context: &Context,
    tx: &Tx,
    binding: &Binding,
) -> anyhow::Result<()> {
    append(context, tx, &started(binding)).await
}

/// What [`binding_started`] says.
pub(crate) fn started(binding: &Binding) -> BindingStarted {
    let (building, unit, room) = match binding.home.clone() {
        Some((building, unit, room)) => (Some(building), Some(unit), Some(room)),
        None => (None, None, None),
    };
    BindingStarted {
        binding: binding.id.clone(),
        person: binding.person.clone(),
        role: binding.role,
        community: binding.community.clone(),
        building,
        unit,
        room,
        from: binding.term.from,
        until: binding.term.until,
        actor: binding.started_by.clone(),
    }
}

/// A binding has another end than before.
pub(crate) async fn binding_ended(
    context: &Context,
    tx: &Tx,
    actor: &ActorId,
    binding: &Binding,
) -> anyhow::Result<()> {
    let fact = BindingEnded {
        binding: binding.id.clone(),
        person: binding.person.clone(),
        community: binding.community.clone(),
        until: binding.term.until,
        actor: actor.clone(),
    };
    append(context, tx, &fact).await
}

/// A plate belongs to a room, or to none.
pub(crate) async fn plate_changed(
    context: &Context,
    tx: &Tx,
    actor: &ActorId,
    (plate, community, room): (&Plate, &CommunityId, Option<&RoomId>),
) -> anyhow::Result<()> {
    let fact = PlateChanged {
        plate: plate.as_str().to_owned(),
        community: community.clone(),
        room: room.cloned(),
        actor: actor.clone(),
    };
    append(context, tx, &fact).await
}
