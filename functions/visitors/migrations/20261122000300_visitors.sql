-- Visits, passes that come again every week, who lives where (from the event log), and who is not let in.
-- Portable: SQLite and PostgreSQL. Times are epoch milliseconds, dates are ISO 8601 text.

create table visitors_community (
    tenant text not null,
    id text not null,
    time_zone text not null,
    primary key (tenant, id)
);

-- Who may answer for a room: the bindings of owners, tenants and their families.
create table visitors_household (
    tenant text not null,
    binding text not null,
    person text not null,
    community text not null,
    building text not null,
    unit text not null,
    room text not null,
    valid_from bigint not null,
    valid_until bigint,
    primary key (tenant, binding)
);

create index visitors_household_by_person on visitors_household (tenant, person, room);
create index visitors_household_by_room on visitors_household (tenant, community, room);

create table visitors_recurring (
    tenant text not null,
    id text not null,
    community text not null,
    building text not null,
    unit text not null,
    room text not null,
    -- The visitor; all absent once the data is deleted, and only the name is always known before.
    name text,
    phone text,
    phone_digest text,
    plate text,
    purpose text,
    host text not null,
    host_reason text,
    -- Bit 0 is Monday.
    days bigint not null check (days between 1 and 127),
    minute_from bigint not null check (minute_from between 0 and 1439),
    minute_until bigint not null check (minute_until > minute_from and minute_until <= 1440),
    first_day text not null,
    last_day text not null,
    uses_max bigint not null check (uses_max > 0),
    created_at bigint not null,
    state text not null check (state in ('active', 'revoked')),
    ended_by text,
    ended_at bigint,
    ended_reason text,
    -- The last day whose visit is made already.
    planned_through text not null,
    primary key (tenant, id),
    check ((state = 'active') = (ended_at is null))
);

create index visitors_recurring_planned on visitors_recurring (planned_through) where state = 'active';
create index visitors_recurring_by_room on visitors_recurring (tenant, community, room, id);
create index visitors_recurring_kept on visitors_recurring (last_day) where name is not null;

create table visitors_visit (
    tenant text not null,
    id text not null,
    community text not null,
    -- All three, or what the visitor wrote.
    building text,
    unit text,
    room text,
    room_text text,
    kind text not null check (kind in ('guest', 'courier', 'recurring')),
    name text,
    phone text,
    phone_digest text,
    plate text,
    purpose text,
    -- Of a visit that comes again: the pass it belongs to, and its day.
    recurring text,
    day text,
    -- Absent when the visitor asked at the gate.
    requested_by text,
    requested_at bigint not null,
    state text not null
        check (state in ('requested', 'approved', 'arrived', 'rejected', 'expired', 'left', 'revoked')),
    answer_by bigint,
    -- The approval; all absent without one, but for the reason that staff give.
    host text,
    host_reason text,
    pass text,
    valid_from bigint,
    valid_until bigint check (valid_until > valid_from),
    uses_max bigint check (uses_max > 0),
    uses bigint not null check (uses >= 0),
    arrived_at bigint,
    ended_by text,
    ended_at bigint,
    ended_reason text,
    -- When time alone changes the state; absent when it cannot.
    due_at bigint,
    primary key (tenant, id),
    check ((room is null) = (building is null) and (room is null) = (unit is null)),
    check ((room is null) = (room_text is not null)),
    check ((host is null) = (pass is null) and (host is null) = (valid_until is null)),
    check ((state in ('requested', 'approved', 'arrived')) = (ended_at is null)),
    check ((state in ('requested', 'approved', 'arrived')) = (due_at is not null))
);

create unique index visitors_visit_by_pass on visitors_visit (tenant, pass) where pass is not null;
create unique index visitors_visit_by_day on visitors_visit (tenant, recurring, day) where recurring is not null;
create index visitors_visit_by_community on visitors_visit (tenant, community, requested_at);
create index visitors_visit_by_room on visitors_visit (tenant, room, id);
create index visitors_visit_by_phone on visitors_visit (tenant, phone_digest, requested_at);
create index visitors_visit_by_plate on visitors_visit (tenant, plate);
create index visitors_visit_due on visitors_visit (due_at) where due_at is not null;
create index visitors_visit_kept on visitors_visit (ended_at) where name is not null;

create table visitors_blacklist (
    tenant text not null,
    id text not null,
    community text not null,
    kind text not null check (kind in ('phone', 'plate')),
    -- The digest of the phone number, or the plate in its normal form.
    mark text not null,
    -- What staff see: the masked number, or the plate.
    shown text not null,
    reason text not null,
    created_by text not null,
    created_at bigint not null,
    ended_by text,
    ended_at bigint,
    primary key (tenant, id),
    check ((ended_by is null) = (ended_at is null))
);

create unique index visitors_blacklist_marked on visitors_blacklist (tenant, community, kind, mark) where ended_at is null;
