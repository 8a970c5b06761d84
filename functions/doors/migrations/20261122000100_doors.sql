-- Doors, who may open them, what was asked, and what happened by itself.
-- Portable: SQLite and PostgreSQL. Times are epoch milliseconds.

create table doors_door (
    tenant text not null,
    id text not null,
    community text not null,
    name text not null,
    gateway text not null,
    unlock_ms bigint not null check (unlock_ms > 0),
    version bigint not null check (version > 0),
    primary key (tenant, id)
);

create table doors_grant (
    tenant text not null,
    id text not null,
    door text not null,
    person text not null,
    valid_from bigint not null,
    valid_until bigint check (valid_until > valid_from),
    state text not null check (state in ('active', 'suspended', 'revoked')),
    -- Of the suspension or the revocation; absent while active.
    state_reason text,
    state_by text,
    state_at bigint,
    version bigint not null check (version > 0),
    primary key (tenant, id),
    foreign key (tenant, door) references doors_door (tenant, id),
    check ((state = 'active') = (state_by is null)),
    check ((state = 'active') = (state_at is null)),
    check ((state = 'suspended') = (state_reason is not null))
);

-- A person holds at most one grant for a door.
create unique index doors_grant_held on doors_grant (tenant, door, person) where state <> 'revoked';
create index doors_grant_by_door on doors_grant (tenant, door, id);

create table doors_opening (
    tenant text not null,
    id text not null,
    door text not null,
    person text not null,
    ground text not null check (ground in ('grant', 'override', 'none')),
    -- The grant's id, or the reason of an override.
    ground_detail text,
    requested_at bigint not null,
    -- Absent when refused.
    expires_at bigint,
    state text not null
        check (state in ('requested', 'opened', 'failed', 'expired', 'timed_out', 'refused')),
    settled_at bigint,
    latency_ms bigint,
    -- Why it failed, or the code of the refusal.
    state_reason text,
    -- What came after the deadline, as JSON.
    late_outcome text,
    late_at bigint,
    primary key (tenant, id),
    foreign key (tenant, door) references doors_door (tenant, id),
    check ((state = 'refused') = (expires_at is null)),
    check ((state = 'opened') = (latency_ms is not null)),
    check ((late_outcome is null) = (late_at is null))
);

create index doors_opening_by_door on doors_opening (tenant, door, id);
create index doors_opening_by_person on doors_opening (tenant, person, id);
create index doors_opening_waiting on doors_opening (expires_at) where state = 'requested';

create table doors_occurrence (
    tenant text not null,
    -- Of the message that reported it.
    id text not null,
    door text not null,
    gateway text not null,
    -- What happened, as JSON.
    occurrence text not null,
    happened_at bigint not null,
    clock_believed bigint not null check (clock_believed in (0, 1)),
    reported_at bigint not null,
    primary key (tenant, id),
    foreign key (tenant, door) references doors_door (tenant, id)
);

create index doors_occurrence_by_door on doors_occurrence (tenant, door, reported_at, id);
