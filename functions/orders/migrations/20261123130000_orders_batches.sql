-- What came together of a variant (批次). The counters of the stock are the variant's alone: what of a batch is left
-- follows from them, the first to expire being the first to go.
create table orders_batch (
    tenant text not null,
    id text not null,
    item text not null,
    merchant text not null,
    -- The last day on which it may be sold; none for what was there before batches were told apart and had none.
    expires_on text,
    trace_code text,
    units bigint not null check (units > 0),
    units_left bigint not null check (units_left >= 0),
    received_at bigint not null,
    primary key (tenant, id)
);

create index orders_batch_open on orders_batch (tenant, item) where units_left > 0;
create index orders_batch_expiry on orders_batch (tenant, merchant, expires_on) where units_left > 0;
