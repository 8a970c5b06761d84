-- Where the tests' handlers leave their effects.
create table probe_effect (
    tenant text not null,
    name text not null,
    amount bigint,
    primary key (tenant, name)
);
