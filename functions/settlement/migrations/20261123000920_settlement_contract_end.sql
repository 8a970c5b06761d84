-- From which month on nothing is agreed with a merchant any more: no fees are charged, what is left is settled.
create table settlement_contract_end (
    tenant text not null,
    merchant text not null,
    from_month text not null,
    ended_at bigint not null,
    primary key (tenant, merchant)
);
