-- What meters are told to do, and whose messages are decoded here.

-- A prepaid meter takes money; `step_milli` and `offset_milli` stand where the plugged decoder reads its messages.
alter table meters_meter add column prepaid bigint not null default 0 check (prepaid in (0, 1));
alter table meters_meter add column step_milli bigint;
alter table meters_meter add column offset_milli bigint;

create index meters_room_by_community on meters_room (tenant, community);

-- Requests to cut or restore the supply behind a meter.
create table meters_switching (
    tenant text not null,
    id text not null,
    meter text not null,
    community text not null,
    room text,
    supply text not null check (supply in ('on', 'off')),
    reason text,
    note text,
    actor text not null,
    requested_at bigint not null,
    expires_at bigint not null,
    state text not null check (state in ('requested', 'done', 'refused', 'timed_out')),
    settled_at bigint,
    detail text,
    primary key (tenant, id),
    check (supply = 'on' or reason is not null)
);

create index meters_switching_by_meter on meters_switching (tenant, meter, id);
create unique index meters_switching_open on meters_switching (tenant, meter) where state = 'requested';
create index meters_switching_overdue on meters_switching (expires_at) where state = 'requested';
create index meters_switching_by_actor on meters_switching (tenant, actor);

-- Money on its way to a prepaid meter; `number` is that of the purchase at the meter, `doubtful` that a try with it
-- may have been taken without an answer.
create table meters_recharge (
    tenant text not null,
    id text not null,
    meter text not null,
    community text not null,
    amount_minor bigint not null check (amount_minor > 0),
    commanded_at bigint not null,
    state text not null check (state in ('waiting', 'done', 'refused', 'unsupported', 'unclear', 'timed_out',
        'cancelled')),
    number bigint,
    doubtful bigint not null check (doubtful in (0, 1)),
    attempt bigint not null,
    answered bigint not null check (answered in (0, 1)),
    next_at bigint not null,
    ended_at bigint,
    detail text,
    primary key (tenant, id)
);

create index meters_recharge_by_meter on meters_recharge (tenant, meter, id);
create index meters_recharge_waiting on meters_recharge (tenant, meter, id) where state = 'waiting';
create index meters_recharge_due on meters_recharge (next_at) where state = 'waiting';

-- Where a person stands beside what happened, for when they go by another id or are forgotten.
create index meters_reading_by_actor on meters_reading (tenant, actor) where actor is not null;
create index meters_review_by_actor on meters_review (tenant, actor);
create index meters_photo_by_person on meters_photo (tenant, taken_by);
create index meters_alarm_by_person on meters_alarm (tenant, acknowledged_by) where acknowledged_by is not null;
