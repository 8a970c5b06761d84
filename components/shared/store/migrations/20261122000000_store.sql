-- What the shared library keeps: the log of events, its readers, and the answers already given.
-- Portable: SQLite and PostgreSQL. Times are epoch milliseconds, JSON is text.

-- The last event of each tenant; on PostgreSQL its row is the tenant's lock.
create table event_head (
    tenant text not null primary key,
    seq bigint not null check (seq >= 0)
);

create table event (
    tenant text not null,
    seq bigint not null check (seq > 0),
    id text not null,
    kind text not null,
    at bigint not null,
    data text not null,
    primary key (tenant, seq)
);

create unique index event_by_id on event (tenant, id);

-- How far each consumer has come, and how often the event after that has failed.
create table event_cursor (
    tenant text not null,
    consumer text not null,
    seq bigint not null check (seq >= 0),
    tries bigint not null check (tries >= 0),
    error text,
    changed_at bigint not null,
    primary key (tenant, consumer)
);

-- Events that a consumer could not handle; an operator replays them.
create table event_parked (
    tenant text not null,
    consumer text not null,
    seq bigint not null,
    error text not null,
    parked_at bigint not null,
    primary key (tenant, consumer, seq)
);

-- Answers to requests that carried an idempotency key.
create table once (
    scope text not null,
    request_key text not null,
    hash text not null,
    status bigint not null,
    body text not null,
    created_at bigint not null,
    primary key (scope, request_key)
);

create index once_by_age on once (created_at);
