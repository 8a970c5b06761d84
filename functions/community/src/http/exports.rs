//! `/api/exports/{community}/{what}`: the register as a file, in the form in which it is imported. The same register
//! makes the same bytes.

use ::http::StatusCode;
use ::http::header::{CONTENT_DISPOSITION, HeaderName};
use std::collections::BTreeMap;

use kernel::{Actor, ActorKind, CommunityId, MessageId, Phone, RoomId};
use web::{Query, Reply, Request};

use super::{caller, path_id};
use crate::context::Context;
use crate::domain::sheet::{Dates, Kind, role_word};
use crate::domain::{
    Binding, Community, Name, Note, ParkingSpace, PlateHolding, Resident, Room, overlooks,
    oversees, place_key, unknown, unknown_community,
};
use crate::file::{self, Format};
use crate::importing::{LOAD_ROWS, all};
use crate::store as sql;

pub(super) async fn export(
    context: &Context,
    request: &Request,
    community: &str,
    what: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id: CommunityId = path_id(community, ("community_unknown", "community", "小区"))?;
    let found = sql::community(&context.db, &actor.tenant, &id).await?;
    let found = found.filter(|community| oversees(&actor, &community.id));
    let community = found.ok_or_else(unknown_community)?;
    let kind = Kind::parse(what).ok_or_else(|| unknown("export_unknown", "export", "导出内容"))?;
    let mut query = Query::of(request)?;
    let format = query.take("format", |text| {
        Format::parse(text).ok_or("it is csv or xlsx")
    })?;
    query.finish()?;
    let format = format.unwrap_or(Format::Csv);
    let header = kind
        .columns()
        .iter()
        .map(|column| column.chinese.to_owned());
    let mut rows = vec![header.collect()];
    rows.extend(match kind {
        Kind::Rooms => rooms(context, &actor, &community).await?,
        Kind::Residents => residents(context, &actor, &community).await?,
        Kind::Parking => parking(context, &actor, &community).await?,
    });
    let bytes = file::write(format, &rows)?;
    let name = format!(
        "attachment; filename=\"{}-{what}.{}\"",
        community.id,
        format.as_str()
    );
    let reply = Reply::with_body(StatusCode::OK, format.media_type(), bytes.into());
    Ok(reply
        .with_header(CONTENT_DISPOSITION, &name)
        .with_header(HeaderName::from_static("x-content-type-options"), "nosniff"))
}

/// How places are sorted: numbers by their value.
fn order(text: &str) -> Vec<(u64, String)> {
    place_key(text)
        .split('-')
        .map(|part| (part.parse().unwrap_or(u64::MAX), part.to_owned()))
        .collect()
}

/// The place of a room as it is imported again.
fn place(room: &Room) -> String {
    let (building, unit) = &room.place;
    let parts = [building.as_str(), unit.as_str(), room.number.as_str()];
    parts.map(place_key).join("-")
}

async fn load_rooms(
    context: &Context,
    actor: &Actor,
    community: &Community,
) -> anyhow::Result<Vec<Room>> {
    let filter = sql::RoomFilter {
        community: Some(community.id.clone()),
        ..sql::RoomFilter::default()
    };
    let (db, filter) = (&context.db, &filter);
    let mut rooms: Vec<Room> = all!(
        async |page| sql::rooms(db, actor, filter, page).await,
        |room: &Room| room.id.clone()
    );
    rooms.sort_by_cached_key(|room| order(&place(room)));
    Ok(rooms)
}

async fn rooms(
    context: &Context,
    actor: &Actor,
    community: &Community,
) -> anyhow::Result<Vec<Vec<String>>> {
    let rooms = load_rooms(context, actor, community).await?;
    let rows = rooms.into_iter().map(|room| {
        let aliases: Vec<&str> = room.aliases.iter().map(Name::as_str).collect();
        vec![
            room.place.0.as_str().to_owned(),
            room.place.1.as_str().to_owned(),
            room.number.as_str().to_owned(),
            format!("{}.{:02}", room.area_dm2 / 100, room.area_dm2 % 100),
            room.floor
                .map(|floor| floor.to_string())
                .unwrap_or_default(),
            room.usage.chinese().to_owned(),
            aliases.join(";"),
        ]
    });
    Ok(rows.collect())
}

/// The number as it is dialled; masked for those who do not run the community.
fn number(actor: &Actor, community: &CommunityId, phone: &Phone) -> String {
    if !overlooks(actor, community) {
        return phone.masked();
    }
    let domestic = phone
        .as_str()
        .strip_prefix("+86")
        .filter(|rest| rest.len() == 11);
    domestic.unwrap_or(phone.as_str()).to_owned()
}

async fn residents(
    context: &Context,
    actor: &Actor,
    community: &Community,
) -> anyhow::Result<Vec<Vec<String>>> {
    let (db, id) = (&context.db, &community.id);
    let rooms = load_rooms(context, actor, community).await?;
    let everybody = Actor {
        kind: ActorKind::Operator,
        ..actor.clone()
    };
    let current = sql::BindingFilter {
        community: Some(id.clone()),
        at: Some(context.now),
        ..sql::BindingFilter::default()
    };
    let (everybody, current) = (&everybody, &current);
    let bindings = all!(
        async |page| sql::bindings(db, everybody, current, page).await,
        |binding: &Binding| binding.id.clone()
    );
    let people = all!(
        async |page| sql::residents_plain(db, everybody, id, page).await,
        |person: &Resident| person.id.clone()
    );
    let people: BTreeMap<_, _> = people.into_iter().map(|it| (it.id.clone(), it)).collect();
    let mut phones = BTreeMap::new();
    let mut after: Option<Phone> = None;
    loop {
        let page = sql::phones_of(db, &actor.tenant, id, after.as_ref(), LOAD_ROWS).await?;
        let Some((_, last)) = page.last() else { break };
        after = Some(last.clone());
        for (person, phone) in page {
            phones.entry(person).or_insert(phone);
        }
    }
    let mut by_room: BTreeMap<RoomId, Vec<Binding>> = BTreeMap::new();
    for binding in bindings {
        if let Some(room) = binding.room().cloned() {
            by_room.entry(room).or_default().push(binding);
        }
    }
    let mut rows = Vec::new();
    for room in &rooms {
        for binding in by_room.get(&room.id).into_iter().flatten() {
            if let Some(person) = people.get(&binding.person) {
                let phone = phones.get(&person.id).map(|phone| number(actor, id, phone));
                let shows_notes = overlooks(actor, id);
                let dates = Dates::of(community.zone, binding.term.from, binding.term.until);
                let row = resident_row(person, binding, (phone, dates, shows_notes));
                rows.extend(row.map(|row| [vec![place(room)], row].concat()));
            }
        }
    }
    Ok(rows)
}

/// The cells after the room; nothing of somebody who was erased.
fn resident_row(
    person: &Resident,
    binding: &Binding,
    (phone, dates, shows_notes): (Option<String>, Dates, bool),
) -> Option<Vec<String>> {
    let day = |day: Option<chrono::NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
    let company = person.company.as_ref().map(Name::as_str);
    let notes = person.notes.as_ref().filter(|_| shows_notes);
    Some(vec![
        person.name.as_ref()?.as_str().to_owned(),
        phone.unwrap_or_default(),
        role_word(binding.role).to_owned(),
        day(dates.from),
        day(dates.until),
        company.unwrap_or_default().to_owned(),
        notes.map(Note::as_str).unwrap_or_default().to_owned(),
    ])
}

async fn parking(
    context: &Context,
    actor: &Actor,
    community: &Community,
) -> anyhow::Result<Vec<Vec<String>>> {
    let db = &context.db;
    let rooms = load_rooms(context, actor, community).await?;
    let places: BTreeMap<RoomId, String> = rooms
        .iter()
        .map(|room| (room.id.clone(), place(room)))
        .collect();
    let filter = sql::ParkingFilter {
        community: Some(community.id.clone()),
        ..sql::ParkingFilter::default()
    };
    let filter = &filter;
    let spaces = all!(
        async |page| sql::spaces(db, actor, filter, page).await,
        |space: &ParkingSpace| space.id.clone()
    );
    let plates = all!(
        async |page| sql::plates(db, actor, filter, page).await,
        |(id, _): &(MessageId, PlateHolding)| id.clone()
    );
    let of = |room: Option<&RoomId>| {
        room.and_then(|room| places.get(room))
            .cloned()
            .unwrap_or_default()
    };
    let mut rows = Vec::new();
    for (_, holding) in &plates {
        let space = spaces
            .iter()
            .find(|space| Some(&space.id) == holding.space.as_ref());
        let space = space.filter(|space| space.room.as_ref() == Some(&holding.room));
        rows.push(vec![
            space
                .map(|space| space.name.as_str().to_owned())
                .unwrap_or_default(),
            of(Some(&holding.room)),
            holding.plate.as_str().to_owned(),
        ]);
    }
    for space in &spaces {
        let name = space.name.as_str();
        let is_named = rows
            .iter()
            .any(|row| row.first().is_some_and(|first| first == name));
        if !is_named {
            rows.push(vec![
                name.to_owned(),
                of(space.room.as_ref()),
                String::new(),
            ]);
        }
    }
    rows.sort_by_cached_key(|row: &Vec<String>| {
        row.iter().map(|cell| order(cell)).collect::<Vec<_>>()
    });
    Ok(rows)
}
