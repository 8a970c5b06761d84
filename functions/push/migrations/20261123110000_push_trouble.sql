-- Which trouble a person was told of last: somebody who presses a dead door's button ten times hears of it once.
create table push_trouble (
    tenant text not null,
    person text not null,
    subject text not null,
    told_at bigint not null,
    primary key (tenant, person, subject)
);

create index push_trouble_old on push_trouble (told_at);
