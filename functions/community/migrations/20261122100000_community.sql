-- Communities, houses, people and what binds them, cars, and files on their way in.
-- Portable: SQLite and PostgreSQL. Times are epoch milliseconds.

create table community_company (
    tenant text not null,
    id text not null,
    name text not null,
    phone text,
    address text,
    version bigint not null check (version > 0),
    primary key (tenant, id)
);

create table community_community (
    tenant text not null,
    id text not null,
    name text not null,
    address text,
    time_zone text not null,
    company text,
    version bigint not null check (version > 0),
    primary key (tenant, id),
    foreign key (tenant, company) references community_company (tenant, id)
);

create table community_building (
    tenant text not null,
    id text not null,
    community text not null,
    name text not null,
    -- The normal form of the name.
    place_key text not null,
    version bigint not null check (version > 0),
    primary key (tenant, id),
    foreign key (tenant, community) references community_community (tenant, id)
);

create unique index community_building_named on community_building (tenant, community, place_key);

create table community_unit (
    tenant text not null,
    id text not null,
    building text not null,
    community text not null,
    name text not null,
    place_key text not null,
    version bigint not null check (version > 0),
    primary key (tenant, id),
    foreign key (tenant, building) references community_building (tenant, id)
);

create unique index community_unit_named on community_unit (tenant, building, place_key);

create table community_room (
    tenant text not null,
    id text not null,
    unit text not null,
    building text not null,
    community text not null,
    number text not null,
    place_key text not null,
    floor bigint,
    -- In 1/100 of a square metre.
    area_dm2 bigint not null check (area_dm2 > 0),
    usage text not null,
    -- A JSON list of names.
    aliases text not null,
    version bigint not null check (version > 0),
    primary key (tenant, id),
    foreign key (tenant, unit) references community_unit (tenant, id)
);

create unique index community_room_named on community_room (tenant, unit, place_key);
create index community_room_by_community on community_room (tenant, community, id);

-- Everything that a room is found by, in the normal form.
create table community_room_key (
    tenant text not null,
    community text not null,
    place_key text not null,
    room text not null,
    primary key (tenant, community, place_key, room),
    foreign key (tenant, room) references community_room (tenant, id)
);

create index community_room_key_by_room on community_room_key (tenant, room);

-- The register of people.
create table community_resident (
    tenant text not null,
    -- The person: the id of the account, once there is one.
    id text not null,
    community text not null,
    -- Absent once erased.
    name text,
    company text,
    notes text,
    erased_at bigint,
    -- The account that this person turned out to be.
    alias_of text,
    version bigint not null check (version > 0),
    primary key (tenant, id),
    foreign key (tenant, community) references community_community (tenant, id)
);

create index community_resident_by_community on community_resident (tenant, community, id);

create table community_phone (
    tenant text not null,
    person text not null,
    phone text not null,
    place bigint not null,
    primary key (tenant, phone),
    foreign key (tenant, person) references community_resident (tenant, id)
);

create index community_phone_by_person on community_phone (tenant, person, place);

-- What identity said about accounts: whose is which phone, as a digest.
create table community_account (
    tenant text not null,
    person text not null,
    phone_digest text not null,
    primary key (tenant, person)
);

create index community_account_by_phone on community_account (tenant, phone_digest);

create table community_binding (
    tenant text not null,
    id text not null,
    person text not null,
    role text not null check (role in ('owner', 'tenant', 'family', 'staff')),
    community text not null,
    building text,
    unit text,
    room text,
    from_at bigint not null,
    until_at bigint check (until_at >= from_at),
    started_by text not null,
    ended_by text,
    end_reason text,
    version bigint not null check (version > 0),
    primary key (tenant, id),
    foreign key (tenant, person) references community_resident (tenant, id),
    foreign key (tenant, room) references community_room (tenant, id),
    check ((role = 'staff') = (room is null)),
    check ((room is null) = (unit is null)),
    check ((room is null) = (building is null))
);

-- Of one person in one place, one binding is open.
create unique index community_binding_open on community_binding (tenant, community, coalesce(room, ''), person)
    where until_at is null;
create index community_binding_by_room on community_binding (tenant, room, id);
create index community_binding_by_person on community_binding (tenant, person, id);
create index community_binding_by_community on community_binding (tenant, community, id);

create table community_binding_request (
    tenant text not null,
    id text not null,
    person text not null,
    role text not null check (role in ('owner', 'tenant', 'family')),
    community text not null,
    room text not null,
    -- Absent once erased.
    name text,
    phone text,
    asked_at bigint not null,
    state text not null check (state in ('pending', 'approved', 'rejected')),
    binding text,
    reason text,
    decided_by text,
    decided_at bigint,
    version bigint not null check (version > 0),
    primary key (tenant, id),
    foreign key (tenant, room) references community_room (tenant, id),
    check ((state = 'pending') = (decided_at is null)),
    check ((state = 'approved') = (binding is not null)),
    check ((state = 'rejected') = (reason is not null))
);

create unique index community_binding_request_pending on community_binding_request (tenant, room, person)
    where state = 'pending';
create index community_binding_request_by_community on community_binding_request (tenant, community, id);

create table community_parking_space (
    tenant text not null,
    id text not null,
    community text not null,
    name text not null,
    place_key text not null,
    room text,
    version bigint not null check (version > 0),
    primary key (tenant, id),
    foreign key (tenant, community) references community_community (tenant, id),
    foreign key (tenant, room) references community_room (tenant, id)
);

create unique index community_parking_space_named on community_parking_space (tenant, community, place_key);

-- Whose household a plate belonged to, and belongs to.
create table community_plate (
    tenant text not null,
    id text not null,
    community text not null,
    plate text not null,
    room text not null,
    space text,
    since bigint not null,
    until_at bigint,
    bound_by text not null,
    released_by text,
    version bigint not null check (version > 0),
    primary key (tenant, id),
    foreign key (tenant, room) references community_room (tenant, id),
    foreign key (tenant, space) references community_parking_space (tenant, id)
);

-- A plate belongs to one household of a community at a time.
create unique index community_plate_held on community_plate (tenant, community, plate) where until_at is null;
create index community_plate_by_room on community_plate (tenant, room);

-- A file on its way in; it is forgotten after a day.
create table community_import (
    tenant text not null,
    id text not null,
    community text not null,
    kind text not null check (kind in ('rooms', 'residents', 'parking')),
    format text not null check (format in ('csv', 'xlsx')),
    state text not null check (state in ('open', 'done')),
    -- The last report as JSON.
    report text,
    opened_by text not null,
    opened_at bigint not null,
    primary key (tenant, id)
);

create index community_import_by_age on community_import (opened_at);

create table community_import_part (
    tenant text not null,
    import text not null,
    part bigint not null check (part > 0),
    bytes bigint not null check (bytes > 0),
    -- The part of the file in base64.
    content text not null,
    primary key (tenant, import, part),
    foreign key (tenant, import) references community_import (tenant, id)
);
