-- Money that goes out to somebody over a channel, each under one number until the channel says what became of it.

create table payments_transfer (
    tenant text not null,
    id text not null,
    purpose text not null,
    reference text not null,
    channel text not null,
    number text not null,
    payee text not null,
    name text not null,
    amount bigint not null check (amount > 0),
    remark text not null,
    created_at bigint not null,
    state text not null check (state in ('requested', 'sent', 'waiting', 'succeeded', 'failed')),
    -- What the channel calls it, and what the payee's app opens to say yes.
    channel_transfer text,
    confirmation text,
    failure text,
    ended_at bigint,
    due_at bigint,
    tries bigint not null check (tries >= 0),
    primary key (tenant, id),
    check ((state = 'failed') = (failure is not null)),
    check ((state in ('succeeded', 'failed')) = (ended_at is not null))
);

create unique index payments_transfer_number on payments_transfer (channel, number);
create index payments_transfer_due on payments_transfer (due_at) where due_at is not null;

-- The other side of the simulated channel's transfers.
create table payments_simulated_transfer (
    tenant text not null,
    number text not null,
    bill text not null,
    payee text not null,
    amount bigint not null check (amount > 0),
    remark text not null,
    state text not null check (state in ('PROCESSING', 'WAIT_USER_CONFIRM', 'SUCCESS', 'FAIL', 'CANCELLED')),
    made_at bigint not null,
    changed_at bigint not null,
    primary key (tenant, number)
);
