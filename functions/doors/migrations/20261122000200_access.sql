-- Groups, schedules, members, passes, cards, releases, the log of who went through, the audit of gates, and snapshots.
-- Portable: SQLite and PostgreSQL. Times are epoch milliseconds.

alter table doors_door add column direction text not null default 'both' check (direction in ('entry', 'exit', 'both'));
-- Whether the door should stand open for a fire, what its gateway last said, and when it was last told.
alter table doors_door add column released bigint not null default 0 check (released in (0, 1));
alter table doors_door add column released_said bigint not null default 0 check (released_said in (0, 1));
alter table doors_door add column released_told_at bigint;
create index doors_door_by_community on doors_door (tenant, community, id);
create index doors_door_by_gateway on doors_door (tenant, gateway, id);
create index doors_door_release_owed on doors_door (tenant, id) where released <> released_said;

-- An opening may stand on a membership or a release, too.
alter table doors_opening rename to doors_opening_before;
create table doors_opening (
    tenant text not null,
    id text not null,
    door text not null,
    person text not null,
    ground text not null check (ground in ('grant', 'member', 'release', 'override', 'none')),
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
insert into doors_opening (tenant, id, door, person, ground, ground_detail, requested_at, expires_at, state, settled_at,
    latency_ms, state_reason, late_outcome, late_at)
select tenant, id, door, person, ground, ground_detail, requested_at, expires_at, state, settled_at,
    latency_ms, state_reason, late_outcome, late_at
from doors_opening_before;
drop table doors_opening_before;
create index doors_opening_by_door on doors_opening (tenant, door, id);
create index doors_opening_by_person on doors_opening (tenant, person, id);
create index doors_opening_waiting on doors_opening (expires_at) where state = 'requested';

create index doors_grant_by_person on doors_grant (tenant, person);

-- The zone in which a community's schedules are.
create table doors_community (
    tenant text not null,
    id text not null,
    zone text not null,
    primary key (tenant, id)
);

create table doors_schedule (
    tenant text not null,
    id text not null,
    community text not null,
    name text not null,
    -- The weekly windows and the days that differ, as JSON.
    weekly text not null,
    exceptions text not null,
    version bigint not null check (version > 0),
    primary key (tenant, id)
);
create index doors_schedule_by_community on doors_schedule (tenant, community, id);

create table doors_group (
    tenant text not null,
    id text not null,
    community text not null,
    name text not null,
    -- Whom it admits, as words with blanks between.
    admits text not null,
    visitors bigint not null check (visitors in (0, 1)),
    schedule text,
    version bigint not null check (version > 0),
    primary key (tenant, id),
    foreign key (tenant, schedule) references doors_schedule (tenant, id)
);
create index doors_group_by_community on doors_group (tenant, community, id);
create index doors_group_by_schedule on doors_group (tenant, schedule);

create table doors_group_door (
    tenant text not null,
    door text not null,
    group_id text not null,
    primary key (tenant, door, group_id),
    foreign key (tenant, door) references doors_door (tenant, id),
    foreign key (tenant, group_id) references doors_group (tenant, id)
);
create index doors_group_door_by_group on doors_group_door (tenant, group_id, door);

create table doors_group_member (
    tenant text not null,
    group_id text not null,
    person text not null,
    starts_at bigint not null,
    ends_at bigint check (ends_at > starts_at),
    primary key (tenant, group_id, person),
    foreign key (tenant, group_id) references doors_group (tenant, id)
);
create index doors_group_member_by_person on doors_group_member (tenant, person);

-- Who lives and works where: the bindings.
create table doors_member (
    tenant text not null,
    binding text not null,
    person text not null,
    community text not null,
    building text,
    unit text,
    room text,
    role text not null check (role in ('owner', 'tenant', 'family', 'staff')),
    starts_at bigint not null,
    ends_at bigint,
    primary key (tenant, binding)
);
create index doors_member_by_person on doors_member (tenant, person, community);
create index doors_member_by_community on doors_member (tenant, community, building);
create index doors_member_by_room on doors_member (tenant, room, person);

create table doors_suspension (
    tenant text not null,
    community text not null,
    person text not null,
    reason text not null,
    suspended_by text not null,
    suspended_at bigint not null,
    primary key (tenant, community, person)
);
create index doors_suspension_by_person on doors_suspension (tenant, person);

-- Passes of visits.
create table doors_pass (
    tenant text not null,
    id text not null,
    visit text not null,
    community text not null,
    building text not null,
    unit text not null,
    room text not null,
    host text not null,
    starts_at bigint not null,
    ends_at bigint not null,
    uses_max bigint not null check (uses_max > 0),
    ended bigint not null check (ended in (0, 1)),
    primary key (tenant, id)
);
create index doors_pass_by_community on doors_pass (tenant, community, id);
create index doors_pass_by_visit on doors_pass (tenant, visit);
create index doors_pass_by_end on doors_pass (ends_at);

create table doors_pass_use (
    tenant text not null,
    pass text not null,
    step bigint not null,
    door text not null,
    uses bigint not null,
    used_at bigint not null,
    primary key (tenant, pass, step, door)
);
create index doors_pass_use_by_time on doors_pass_use (used_at);

create table doors_card (
    tenant text not null,
    id text not null,
    number bigint not null,
    community text not null,
    person text not null,
    state text not null check (state in ('active', 'blocked', 'ended')),
    -- Of the block.
    reason text,
    version bigint not null check (version > 0),
    primary key (tenant, id)
);
create unique index doors_card_number on doors_card (tenant, number) where state <> 'ended';
create index doors_card_by_community on doors_card (tenant, community, id);
create index doors_card_by_person on doors_card (tenant, person);

create table doors_release (
    tenant text not null,
    community text not null,
    released bigint not null check (released in (0, 1)),
    reason text not null,
    changed_by text not null,
    changed_at bigint not null,
    primary key (tenant, community)
);

-- Every decision about a person or a pass at a door.
create table doors_access (
    tenant text not null,
    id text not null,
    community text not null,
    door text not null,
    person text,
    pass text,
    -- remote, card, pass, short_code or button.
    credential text not null,
    allowed bigint not null check (allowed in (0, 1)),
    reason text not null,
    passback bigint not null check (passback in (0, 1)),
    direction text not null,
    offline bigint not null check (offline in (0, 1)),
    opening text,
    decided_at bigint not null,
    primary key (tenant, id)
);
create index doors_access_by_community on doors_access (tenant, community, id);
-- What a decision has to know of the person's past; nothing else may grow with it.
create index doors_access_by_person on doors_access (tenant, person, door, decided_at) where allowed = 1;
create index doors_access_by_way on doors_access (tenant, person, community, decided_at)
    where allowed = 1 and direction <> 'both';
create index doors_access_by_time on doors_access (decided_at);

-- What gates decided by themselves, chained by hashes.
create table doors_audit (
    tenant text not null,
    gateway text not null,
    sequence bigint not null,
    door text not null,
    -- The entry as it came, as JSON.
    entry text not null,
    hash text not null,
    previous_hash text not null,
    -- changed: its content is not what its hash says; torn: it does not follow from the entry before.
    fault text check (fault in ('changed', 'torn')),
    -- Whether the entry before it is missing.
    gap bigint not null check (gap in (0, 1)),
    received_at bigint not null,
    primary key (tenant, gateway, sequence)
);
create index doors_audit_by_time on doors_audit (received_at);

create table doors_gateway (
    tenant text not null,
    id text not null,
    -- Absent while nothing was said about it.
    online bigint check (online in (0, 1)),
    -- Counts the changes of permissions; a snapshot is owed while it is another than the one built for.
    changes bigint not null,
    built bigint not null,
    version bigint not null,
    -- What the snapshot's content hashes to, its times left out.
    content text not null,
    made_at bigint not null,
    primary key (tenant, id)
);
create index doors_gateway_owed on doors_gateway (made_at);
create index doors_gateway_dirty on doors_gateway (tenant, id) where changes <> built;

create table doors_snapshot (
    tenant text not null,
    gateway text not null,
    version bigint not null,
    sha256 text not null,
    body text not null,
    primary key (tenant, gateway)
);

insert into doors_gateway (tenant, id, changes, built, version, content, made_at)
select distinct tenant, gateway, 1, 0, 0, '', 0 from doors_door;
