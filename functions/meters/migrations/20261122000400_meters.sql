-- Meters, what was read from them, what it means, and the usage that is billed.
-- Portable: SQLite and PostgreSQL. Times are epoch milliseconds; what registers show and what was used is in
-- thousandths of the unit.

-- Communities and their time zones, rooms and their names, and who lives where: as the event log tells.
create table meters_community (
    tenant text not null,
    id text not null,
    time_zone text not null,
    primary key (tenant, id)
);

create table meters_room (
    tenant text not null,
    id text not null,
    community text not null,
    name text not null,
    primary key (tenant, id)
);

create table meters_household (
    tenant text not null,
    binding text not null,
    person text not null,
    community text not null,
    room text not null,
    valid_from bigint not null,
    valid_until bigint,
    primary key (tenant, binding)
);

create index meters_household_by_person on meters_household (tenant, person, room);

-- The room or area is that of the last binding.
create table meters_meter (
    tenant text not null,
    id text not null,
    community text not null,
    commodity text not null check (commodity in ('electricity', 'water', 'hot_water', 'heat', 'gas')),
    name text not null,
    gateway text,
    master text,
    interval_ms bigint not null check (interval_ms > 0),
    limit_milli bigint not null check (limit_milli > 0),
    opened_at bigint not null,
    removed_at bigint,
    room text,
    area text,
    version bigint not null,
    primary key (tenant, id),
    check ((room is null) <> (area is null))
);

create index meters_meter_by_community on meters_meter (tenant, community, id);
create index meters_meter_by_room on meters_meter (tenant, room, id);
create index meters_meter_by_master on meters_meter (tenant, master, id);

-- The registers of a meter, one after another: a replacement closes one and opens the next.
create table meters_register (
    tenant text not null,
    meter text not null,
    seq bigint not null,
    serial_number text,
    digits bigint not null,
    multiplier bigint not null,
    opened_at bigint not null,
    opening_milli bigint not null,
    closed_at bigint,
    closing_milli bigint,
    reason text,
    primary key (tenant, meter, seq)
);

-- What a meter measures for, from a moment until the next binding.
create table meters_binding (
    tenant text not null,
    meter text not null,
    starts_at bigint not null,
    room text,
    area text,
    primary key (tenant, meter, starts_at),
    check ((room is null) <> (area is null))
);

-- What was read. Never changed.
create table meters_reading (
    tenant text not null,
    id text not null,
    meter text not null,
    at bigint not null,
    device_at bigint not null,
    clock_believed bigint not null check (clock_believed in (0, 1)),
    received_at bigint not null,
    register_milli bigint not null,
    bands text,
    source text not null check (source in ('interval', 'freeze', 'manual', 'phone', 'opening', 'closing')),
    gateway text,
    actor text,
    flags text,
    opens bigint,
    primary key (tenant, id)
);

create index meters_reading_by_meter on meters_reading (tenant, meter, at, id);

-- What a reading is worth, and where the count stands after it; made again when an earlier reading comes late.
create table meters_point (
    tenant text not null,
    meter text not null,
    at bigint not null,
    reading text not null,
    verdict text not null check (verdict in ('counted', 'held', 'rejected')),
    reason text,
    register_milli bigint not null,
    seq bigint not null,
    total_milli bigint not null,
    rate_milli bigint not null,
    moved_at bigint not null,
    flow_hours bigint not null,
    flow_now bigint not null check (flow_now in (0, 1)),
    band_registers text,
    band_totals text not null,
    day text not null,
    primary key (tenant, meter, at, reading)
);

create index meters_point_held on meters_point (tenant, reading) where verdict = 'held';

-- Where the count of each meter stands; `seen_at` is the moment of the latest reading, counted or not.
create table meters_state (
    tenant text not null,
    meter text not null,
    seen_at bigint not null,
    at bigint not null,
    register_milli bigint not null,
    seq bigint not null,
    total_milli bigint not null,
    rate_milli bigint not null,
    moved_at bigint not null,
    flow_hours bigint not null,
    flow_now bigint not null check (flow_now in (0, 1)),
    band_registers text,
    band_totals text not null,
    p99_milli bigint not null,
    p99_at bigint not null,
    closed_at bigint not null,
    leak_alarm text,
    stuck_alarm text,
    primary key (tenant, meter)
);

create index meters_state_by_p99 on meters_state (p99_at);

-- What somebody decided about a reading; the event log tells what was decided before.
create table meters_review (
    tenant text not null,
    reading text not null,
    decision text not null check (decision in ('accepted', 'rejected', 'edited')),
    register_milli bigint,
    reason text not null,
    actor text not null,
    decided_at bigint not null,
    primary key (tenant, reading)
);

-- Pictures of registers, in base64: small, and in one transaction and one backup with what they prove.
create table meters_photo (
    tenant text not null,
    reading text not null,
    jpeg text not null,
    taken_by text not null,
    stored_at bigint not null,
    primary key (tenant, reading)
);

create index meters_photo_by_age on meters_photo (stored_at);

-- The usage of closed months. A revision replaces the row; the event log has the earlier ones.
create table meters_usage (
    tenant text not null,
    id text not null,
    meter text not null,
    community text not null,
    commodity text not null,
    room text,
    area text,
    period text not null,
    bound_at bigint not null,
    from_at bigint not null,
    until_at bigint not null,
    quantity_milli bigint not null,
    bands text,
    estimated bigint not null check (estimated in (0, 1)),
    revision bigint not null,
    register_from_milli bigint not null,
    register_until_milli bigint not null,
    closed_at bigint not null,
    stale bigint not null check (stale in (0, 1)),
    primary key (tenant, id)
);

create unique index meters_usage_by_meter on meters_usage (tenant, meter, period, bound_at);
create index meters_usage_by_community on meters_usage (tenant, community, period, id);
create index meters_usage_stale on meters_usage (tenant, community, period) where stale = 1;

-- How far the closing of a community's month has come.
create table meters_period (
    tenant text not null,
    community text not null,
    period text not null,
    tried_at bigint not null,
    done bigint not null check (done in (0, 1)),
    primary key (tenant, community, period)
);

create table meters_alarm (
    tenant text not null,
    id text not null,
    meter text not null,
    community text not null,
    room text,
    kind text not null check (kind in ('leak', 'stuck', 'master_sum')),
    since bigint not null,
    raised_at bigint not null,
    cleared_at bigint,
    acknowledged_by text,
    acknowledged_at bigint,
    note text,
    primary key (tenant, id)
);

create unique index meters_alarm_active on meters_alarm (tenant, meter, kind) where cleared_at is null;

-- Who goes round and reads what, in which order.
create table meters_route (
    tenant text not null,
    id text not null,
    community text not null,
    name text not null,
    version bigint not null,
    primary key (tenant, id)
);

create table meters_stop (
    tenant text not null,
    route text not null,
    place bigint not null,
    meter text not null,
    primary key (tenant, route, place)
);

-- Against which limits usage is compared, for show: what is billed is the tariff's.
create table meters_limit (
    tenant text not null,
    community text not null,
    commodity text not null,
    per text not null check (per in ('month', 'year')),
    bounds text not null,
    version bigint not null,
    primary key (tenant, community, commodity)
);

-- Through which day a master meter was compared with its meters, and when that was last tried.
create table meters_check (
    tenant text not null,
    master text not null,
    day text not null,
    tried_at bigint not null,
    primary key (tenant, master)
);
