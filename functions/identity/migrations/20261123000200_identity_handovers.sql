-- Accounts that were asked for elsewhere, for a number that has an account already: until their first password was
-- sent to that number. Portable: SQLite and PostgreSQL. Times are epoch milliseconds.

create table identity_handover (
    tenant text not null,
    person text not null,
    -- The account that is reached at the number.
    through text not null,
    asked_by text not null,
    -- When it is tried (again).
    due_at bigint not null,
    primary key (tenant, person),
    foreign key (tenant, person) references identity_person (tenant, id)
);

create index identity_handover_by_due on identity_handover (due_at);
