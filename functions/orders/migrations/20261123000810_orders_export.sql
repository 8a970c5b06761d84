-- The orders of each day as a table, as they stood when the day was over: made once, the same bytes ever after.
create table orders_export (
    tenant text not null,
    day text not null,
    rows_count bigint not null check (rows_count >= 0),
    bytes bigint not null check (bytes >= 0),
    digest text not null,
    made_at bigint not null,
    primary key (tenant, day)
);

create table orders_export_part (
    tenant text not null,
    day text not null,
    number bigint not null check (number > 0),
    content text not null,
    primary key (tenant, day, number)
);
