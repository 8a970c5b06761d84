-- The rooms of the register and what people call them, so that a visitor's own words find a room.

create table visitors_room (
    tenant text not null,
    id text not null,
    community text not null,
    building text not null,
    unit text not null,
    primary key (tenant, id)
);

-- Keys are what `kernel::place_key` makes of a name; several rooms may go by one.
create table visitors_room_key (
    tenant text not null,
    community text not null,
    key text not null,
    room text not null,
    primary key (tenant, community, key, room)
);

create index visitors_room_key_by_room on visitors_room_key (tenant, room);
