//! People with what binds them.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{ActorId, Phone, RoomId, Zone};
use wire::event::BindingRole;

use super::{LOAD_ROWS, Run, all};
use crate::domain::sheet::{Dates, ResidentRow, Sheet, resident_rows};
use crate::domain::{Binding, Resident, Room, Term, start};
use crate::{facts, store as sql};

/// What is there and what is new.
struct Register {
    zone: Zone,
    rooms: BTreeMap<RoomId, Room>,
    people: BTreeMap<ActorId, Resident>,
    phones: BTreeMap<Phone, ActorId>,
    bindings: BTreeMap<RoomId, Vec<Binding>>,
    new_people: Vec<Resident>,
    changed_people: BTreeMap<ActorId, Resident>,
    new_bindings: Vec<Binding>,
}

pub(super) async fn take(run: &mut Run<'_>, sheet: &Sheet) -> anyhow::Result<()> {
    let (rows, faults) = resident_rows(sheet);
    run.report.faults = faults;
    let keys = run.keys().await?;
    let mut register = load(run).await?;
    let mut placed = Vec::new();
    for row in &rows {
        if let Some(room) = run.room(&keys, (row.row, &row.place)) {
            placed.push((row, room));
        }
    }
    // Owners of one file own their room together.
    let mut owners: BTreeSet<(RoomId, String)> = BTreeSet::new();
    for (row, room) in placed
        .iter()
        .filter(|(row, _)| row.role == BindingRole::Owner)
    {
        owners.insert((room.clone(), row.name.as_str().to_owned()));
    }
    for (row, room) in placed {
        house(run, &mut register, (row, &room), &owners).await?;
    }
    if !run.stores() {
        return Ok(());
    }
    sql::insert_residents(run.tx, &register.new_people).await?;
    for person in register.changed_people.values() {
        sql::update_resident(run.tx, person).await?;
    }
    let people = register.new_people.iter();
    let mut recorded = Vec::new();
    for person in people.chain(register.changed_people.values()) {
        let told = (person, person.phones.first());
        let (tenant, actor) = (run.tx.tenant(), &run.actor.id);
        recorded.push(facts::recorded(run.context, tenant, actor, told)?);
    }
    facts::append_all(run.context, run.tx, recorded).await?;
    sql::insert_bindings(run.tx, &register.new_bindings).await?;
    let started = register.new_bindings.iter().map(facts::started).collect();
    facts::append_all(run.context, run.tx, started).await
}

async fn load(run: &Run<'_>) -> anyhow::Result<Register> {
    let (tx, tenant, community) = (run.tx, run.tx.tenant(), run.community);
    let everybody = run.everybody();
    let here = sql::RoomFilter {
        community: Some(community.clone()),
        ..sql::RoomFilter::default()
    };
    let bound = sql::BindingFilter {
        community: Some(community.clone()),
        ..sql::BindingFilter::default()
    };
    let rooms = all!(
        async |page| sql::rooms(tx, &everybody, &here, page).await,
        |room: &Room| room.id.clone()
    );
    let people = all!(
        async |page| sql::residents_plain(tx, &everybody, community, page).await,
        |person: &Resident| person.id.clone()
    );
    let found = all!(
        async |page| sql::bindings(tx, &everybody, &bound, page).await,
        |binding: &Binding| binding.id.clone()
    );
    let mut bindings: BTreeMap<RoomId, Vec<Binding>> = BTreeMap::new();
    for binding in found {
        if let Some(room) = binding.room().cloned() {
            bindings.entry(room).or_default().push(binding);
        }
    }
    let mut people: BTreeMap<_, _> = people.into_iter().map(|it| (it.id.clone(), it)).collect();
    let mut phones = BTreeMap::new();
    let mut after = None;
    loop {
        let page = sql::phones_of(tx, tenant, community, after.as_ref(), LOAD_ROWS).await?;
        let Some((_, last)) = page.last() else { break };
        after = Some(last.clone());
        for (person, phone) in page {
            if let Some(person) = people.get_mut(&person) {
                person.phones.push(phone.clone());
            }
            phones.insert(phone, person);
        }
    }
    let found = sql::community(tx, tenant, community).await?;
    Ok(Register {
        zone: found.map_or(Zone::SHANGHAI, |community| community.zone),
        rooms: rooms.into_iter().map(|it| (it.id.clone(), it)).collect(),
        people,
        phones,
        bindings,
        new_people: vec![],
        changed_people: BTreeMap::new(),
        new_bindings: vec![],
    })
}

/// Decides on a row: who it is, and whether the binding is new or there already.
async fn house(
    run: &mut Run<'_>,
    register: &mut Register,
    (row, room): (&ResidentRow, &RoomId),
    owners: &BTreeSet<(RoomId, String)>,
) -> anyhow::Result<()> {
    let Some(person) = person(run, register, (row, room)).await? else {
        return Ok(());
    };
    let (from, until) = row.dates.moments(register.zone, run.context.now);
    let term = Term { from, until };
    let held = register.bindings.get(room).map_or(&[][..], Vec::as_slice);
    let dates = |other: &Binding| Dates::of(register.zone, other.term.from, other.term.until);
    let there = held.iter().find(|other| {
        other.person == person && (other.term.meets(&term) || dates(other) == row.dates)
    });
    if let Some(there) = there {
        if there.role == row.role && row.dates.agree(dates(there)) {
            complete(run, register, row, &person);
        } else {
            bound_otherwise(run, row.row);
        }
        return Ok(());
    }
    let is_of_file = |other: &Binding| {
        let name = register
            .people
            .get(&other.person)
            .and_then(|it| it.name.as_ref());
        let name = name
            .map(|name| name.as_str().to_owned())
            .unwrap_or_default();
        owners.contains(&(room.clone(), name))
    };
    let is_owned = held.iter().any(|other| {
        other.role == BindingRole::Owner && other.term.meets(&term) && !is_of_file(other)
    });
    if row.role == BindingRole::Owner && is_owned {
        owned_by_another(run, row.row);
        return Ok(());
    }
    let Some(place) = register.rooms.get(room) else {
        return Ok(());
    };
    let binding = Binding {
        id: run.context.new_id()?,
        person,
        role: row.role,
        community: run.community.clone(),
        home: Some((place.building.clone(), place.unit.clone(), room.clone())),
        term,
        started_by: run.actor.id.clone(),
        ended_by: None,
        end_reason: None,
        version: 1,
    };
    // The rules are those of a single binding; what they refuse was named above.
    start(&binding, held, true)?;
    let held = register.bindings.entry(room.clone()).or_default();
    held.push(binding.clone());
    register.new_bindings.push(binding);
    run.report.created += 1;
    Ok(())
}

fn bound_otherwise(run: &mut Run<'_>, row: u32) {
    let says = (
        "This person is bound to this room in another role or for another time. End that binding first.",
        "该人员已以其他身份或期限绑定此房屋，请先结束原有绑定。",
    );
    run.fault(row, "身份", "binding_exists", says);
}

fn owned_by_another(run: &mut Run<'_>, row: u32) {
    let says = (
        "The room has another owner. Change the owner there first; a file ends no binding.",
        "该房屋已有其他业主，请先办理业主变更；导入不会结束已有绑定。",
    );
    run.fault(row, "身份", "owner_exists", says);
}

/// Fills in what the row says and the entry does not have, or has otherwise.
fn complete(run: &mut Run<'_>, register: &mut Register, row: &ResidentRow, person: &ActorId) {
    let Some(before) = register.people.get_mut(person) else {
        return;
    };
    let mut phones = before.phones.clone();
    if phones.is_empty() {
        phones.extend(row.phone.clone());
    }
    let after = Resident {
        phones,
        company: row.company.clone().or(before.company.clone()),
        notes: row.notes.clone().or(before.notes.clone()),
        ..before.clone()
    };
    if after == *before {
        run.report.unchanged.push(row.row);
        return;
    }
    let after = Resident {
        version: before.version + 1,
        ..after
    };
    *before = after.clone();
    register.changed_people.insert(person.clone(), after);
    run.report.changed.push(row.row);
}

/// Who a row is about: whoever has the number, an account with it, whoever of that name is bound to the room, or
/// somebody new.
async fn person(
    run: &mut Run<'_>,
    register: &mut Register,
    (row, room): (&ResidentRow, &RoomId),
) -> anyhow::Result<Option<ActorId>> {
    let mut known = match &row.phone {
        Some(phone) => of_phone(run, register, phone).await?,
        None => None,
    };
    if known.is_none() {
        // Somebody of that name who lives there; with a number, only somebody who had none.
        let bound = register.bindings.get(room).into_iter().flatten();
        let mut named = bound.filter(|binding| {
            register.people.get(&binding.person).is_some_and(|person| {
                person.name.as_ref() == Some(&row.name)
                    && (row.phone.is_none() || person.phones.is_empty())
            })
        });
        known = named.next().map(|binding| binding.person.clone());
    }
    let id = match known {
        Some(id) => id,
        None => run.context.new_id()?,
    };
    if let Some(person) = register.people.get(&id) {
        if person.name.as_ref() == Some(&row.name) {
            return Ok(Some(id));
        }
        run.fault(
            row.row,
            "手机号",
            "phone_taken",
            (
                "This number is recorded under another name. Check the number and the name.",
                "该手机号已登记在其他姓名下，请核对手机号和姓名。",
            ),
        );
        return Ok(None);
    }
    let person = Resident {
        id: id.clone(),
        community: run.community.clone(),
        name: Some(row.name.clone()),
        phones: row.phone.clone().into_iter().collect(),
        company: row.company.clone(),
        notes: row.notes.clone(),
        erased_at: None,
        version: 1,
    };
    if let Some(phone) = &row.phone {
        register.phones.insert(phone.clone(), id.clone());
    }
    register.people.insert(id.clone(), person.clone());
    register.new_people.push(person);
    Ok(Some(id))
}

/// Whose number it is: of somebody here, of somebody elsewhere in the tenant, or of an account.
async fn of_phone(
    run: &Run<'_>,
    register: &mut Register,
    phone: &Phone,
) -> anyhow::Result<Option<ActorId>> {
    if let Some(person) = register.phones.get(phone) {
        return Ok(Some(person.clone()));
    }
    let tenant = run.tx.tenant();
    let found = match sql::person_of_phone(run.tx, tenant, phone).await? {
        Some(person) => Some(person),
        None => {
            let digest = facts::digest(run.context, tenant, phone)?;
            sql::account_of_digest(run.tx, tenant, &digest).await?
        }
    };
    if let Some(person) = &found
        && let Some(entry) = sql::resident(run.tx, tenant, person).await?
    {
        register.people.insert(person.clone(), entry);
        register.phones.insert(phone.clone(), person.clone());
    }
    Ok(found)
}
