-- What may stand behind a 64-bit number: its upper 24 bits, the handle, find the passes that it is tried for.

-- The personal passes of people who asked for a number.
create table doors_short (
    tenant text not null,
    handle bigint not null,
    person text not null,
    primary key (tenant, handle, person)
);
create index doors_short_by_person on doors_short (tenant, person);

-- Visitors' passes say it themselves.
alter table doors_pass add column handle bigint;
create index doors_pass_by_handle on doors_pass (tenant, handle);
