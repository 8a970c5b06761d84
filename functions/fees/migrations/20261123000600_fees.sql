-- Longer periods, coupons, points, parts of what is owed, and money at the counter. Amounts are fen.

-- Every how many months a rule bills, from which month of the year on, and whether ahead.
alter table fees_rule add column period_months bigint not null default 1 check (period_months in (1, 3, 6, 12));
alter table fees_rule add column period_from bigint not null default 1 check (period_from between 1 and 12);
alter table fees_rule add column in_advance bigint not null default 0 check (in_advance in (0, 1));

-- How many months the bill is for, from its period on.
alter table fees_bill add column months bigint not null default 1 check (months in (1, 3, 6, 12));

-- What a point is worth, and how much paid in time earns one; 0 for none.
alter table fees_community add column point_minor bigint not null default 0 check (point_minor between 0 and 10000);
alter table fees_community add column earn_minor bigint not null default 0 check (earn_minor >= 0);

-- channel_minor is what was paid by the method; asked_minor what of the total is paid now.
alter table fees_payment add column method text not null default 'channel'
    check (method in ('channel', 'cash', 'bank_transfer'));
alter table fees_payment add column asked_minor bigint not null default 0;
alter table fees_payment add column coupon text;
alter table fees_payment add column coupon_minor bigint not null default 0 check (coupon_minor >= 0);
alter table fees_payment add column points bigint not null default 0 check (points >= 0);
alter table fees_payment add column point_minor bigint not null default 0 check (point_minor >= 0);
alter table fees_payment add column earned_points bigint not null default 0 check (earned_points >= 0);
alter table fees_payment add column taken_by text;
update fees_payment set asked_minor = total_minor;

create index fees_payment_by_taker on fees_payment (tenant, taken_by) where taken_by is not null;
create index fees_payment_held on fees_payment (tenant, payer) where state = 'requested';

alter table fees_refund add column coupon_minor bigint not null default 0 check (coupon_minor >= 0);
alter table fees_refund add column points_minor bigint not null default 0 check (points_minor >= 0);

create table fees_coupon (
    tenant text not null,
    id text not null,
    community text not null,
    title text not null,
    -- Of one person, or of a room's people.
    person text,
    room text,
    value text not null,
    minimum_minor bigint not null check (minimum_minor >= 0),
    first_day text not null,
    until_day text not null,
    state text not null check (state in ('available', 'held', 'used', 'withdrawn')),
    payment text,
    reason text not null,
    issued_by text not null,
    issued_at bigint not null,
    primary key (tenant, id),
    check ((person is null) <> (room is null)),
    check ((state in ('held', 'used')) = (payment is not null))
);

create index fees_coupon_by_community on fees_coupon (tenant, community, id);
create index fees_coupon_by_person on fees_coupon (tenant, person, id) where person is not null;
create index fees_coupon_by_room on fees_coupon (tenant, room, id) where room is not null;

-- Points of a person in a community: what is there, and how it came to be.
create table fees_points (
    tenant text not null,
    community text not null,
    person text not null,
    balance bigint not null check (balance >= 0),
    primary key (tenant, community, person)
);

create index fees_points_by_person on fees_points (tenant, person);

create table fees_points_entry (
    tenant text not null,
    id text not null,
    community text not null,
    person text not null,
    kind text not null check (kind in ('granted', 'earned', 'spent', 'given_back', 'revoked')),
    -- Below zero when they go.
    points bigint not null check (points <> 0),
    -- The payment or the refund; of a grant the entry itself.
    reference text not null,
    note text not null,
    actor text,
    at bigint not null,
    primary key (tenant, id)
);

create unique index fees_points_entry_once on fees_points_entry (tenant, kind, reference);
create index fees_points_entry_by_person on fees_points_entry (tenant, person, community, id);

-- The money that passed through a cashier's hands: in, or below zero back.
create table fees_cash_entry (
    tenant text not null,
    id text not null,
    community text not null,
    cashier text not null,
    -- The payment or the refund.
    reference text not null,
    amount_minor bigint not null check (amount_minor <> 0),
    at bigint not null,
    -- The counting that it went into.
    counted_in text,
    primary key (tenant, id)
);

create index fees_cash_entry_by_cashier on fees_cash_entry (tenant, cashier, community, counted_in);

create table fees_cash_close (
    tenant text not null,
    id text not null,
    community text not null,
    cashier text not null,
    -- What was left in the drawer by the counting before.
    opening_minor bigint not null,
    taken_minor bigint not null,
    given_minor bigint not null,
    counted_minor bigint not null check (counted_minor >= 0),
    banked_minor bigint not null check (banked_minor >= 0 and banked_minor <= counted_minor),
    note text not null,
    closed_at bigint not null,
    primary key (tenant, id)
);

create index fees_cash_close_by_community on fees_cash_close (tenant, community, id);
create index fees_cash_close_by_cashier on fees_cash_close (tenant, cashier, community, id);
