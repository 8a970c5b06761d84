-- What rooms owe: rules and tariffs, runs and bills, payments of bills, recharges; rooms, households and usage from the
-- event log. Portable: SQLite and PostgreSQL. Times are epoch milliseconds, dates and months ISO 8601 text, amounts whole
-- minor units, JSON is text.

create table fees_community (
    tenant text not null,
    id text not null,
    name text not null,
    time_zone text not null,
    -- In 1/100,000 of what is unpaid, for each day late.
    late_rate bigint not null check (late_rate between 0 and 100000),
    grace_days bigint not null check (grace_days between 0 and 3650),
    late_cap_percent bigint not null check (late_cap_percent between 0 and 100),
    due_days bigint not null check (due_days between 0 and 365),
    terms_version bigint not null check (terms_version >= 0),
    primary key (tenant, id)
);

create table fees_room (
    tenant text not null,
    id text not null,
    community text not null,
    name text not null,
    area_dm2 bigint not null,
    usage text not null,
    primary key (tenant, id)
);

create index fees_room_by_community on fees_room (tenant, community, id);

create table fees_household (
    tenant text not null,
    binding text not null,
    person text not null,
    role text not null,
    community text not null,
    room text not null,
    valid_from bigint not null,
    valid_until bigint,
    primary key (tenant, binding)
);

create index fees_household_by_room on fees_household (tenant, community, room);
create index fees_household_by_person on fees_household (tenant, person, room);

create table fees_usage (
    tenant text not null,
    id text not null,
    community text not null,
    commodity text not null,
    -- One of them.
    room text,
    area text,
    period text not null,
    quantity_milli bigint not null,
    bands text not null,
    estimated bigint not null check (estimated in (0, 1)),
    revision bigint not null check (revision > 0),
    primary key (tenant, id)
);

create index fees_usage_by_room on fees_usage (tenant, community, commodity, period, room, id);

create table fees_tariff (
    tenant text not null,
    id text not null,
    community text not null,
    name text not null,
    terms text not null,
    version bigint not null check (version > 0),
    changed_by text not null,
    changed_at bigint not null,
    primary key (tenant, id)
);

create index fees_tariff_by_community on fees_tariff (tenant, community, id);

create table fees_rule (
    tenant text not null,
    id text not null,
    community text not null,
    name text not null,
    charge text not null,
    scope text not null,
    rounding text not null,
    first_day text not null,
    until_day text,
    version bigint not null check (version > 0),
    changed_by text not null,
    changed_at bigint not null,
    primary key (tenant, id)
);

create index fees_rule_by_community on fees_rule (tenant, community, id);

create table fees_run (
    tenant text not null,
    id text not null,
    community text not null,
    period text not null,
    dry_run bigint not null check (dry_run in (0, 1)),
    state text not null check (state in ('running', 'done', 'publishing', 'published', 'discarded')),
    -- How far it has come: after this room of this rule.
    after_rule text,
    after_room text,
    bills bigint not null check (bills >= 0),
    amount_minor bigint not null,
    -- Counts by reason, each with some rooms as samples.
    skipped text not null,
    created_by text not null,
    created_at bigint not null,
    changed_at bigint not null,
    primary key (tenant, id)
);

create index fees_run_open on fees_run (state) where state in ('running', 'publishing');
create index fees_run_by_community on fees_run (tenant, community, id);

create table fees_bill (
    tenant text not null,
    id text not null,
    community text not null,
    room text not null,
    rule text not null,
    rule_version bigint not null,
    title text not null,
    period text not null,
    version bigint not null check (version > 0),
    run text,
    state text not null check (state in ('draft', 'published', 'paid', 'voided')),
    amount_minor bigint not null,
    basis text not null,
    mark text not null,
    discount_minor bigint not null check (discount_minor >= 0),
    paid_minor bigint not null,
    late_fixed_minor bigint not null check (late_fixed_minor >= 0),
    late_paid_minor bigint not null check (late_paid_minor >= 0),
    late_waived_minor bigint not null check (late_waived_minor >= 0),
    late_since text,
    due_on text,
    published_at bigint,
    reminded_on text,
    primary key (tenant, id)
);

-- The key that a second run meets.
create unique index fees_bill_once on fees_bill (tenant, community, rule, period, room, version);
create index fees_bill_by_room on fees_bill (tenant, room, id);
create index fees_bill_by_community on fees_bill (tenant, community, id);
create index fees_bill_by_run on fees_bill (tenant, run, id);
create index fees_bill_owed on fees_bill (tenant, community, room) where state = 'published';
create index fees_bill_to_remind on fees_bill (due_on) where state = 'published';

create table fees_payment (
    tenant text not null,
    id text not null,
    -- The payment that payments knows; absent when credit paid all of it.
    payment text,
    payer text not null,
    community text not null,
    -- What was quoted: bills with principal and late fee.
    quoted text not null,
    total_minor bigint not null,
    credit_minor bigint not null check (credit_minor >= 0),
    credit_hold text,
    channel_minor bigint not null check (channel_minor >= 0),
    over_minor bigint not null check (over_minor >= 0),
    state text not null check (state in ('requested', 'succeeded', 'closed')),
    channel text,
    requested_at bigint not null,
    expires_at bigint not null,
    ended_at bigint,
    primary key (tenant, id)
);

create unique index fees_payment_by_payment on fees_payment (tenant, payment) where payment is not null;
create index fees_payment_by_payer on fees_payment (tenant, payer, id);

create table fees_payment_line (
    tenant text not null,
    payment text not null,
    bill text not null,
    principal_minor bigint not null,
    late_minor bigint not null check (late_minor >= 0),
    -- The refund that gave it back.
    refund text,
    primary key (tenant, payment, bill)
);

create table fees_refund (
    tenant text not null,
    id text not null,
    payment text not null,
    community text not null,
    payer text not null,
    channel_minor bigint not null check (channel_minor >= 0),
    credit_minor bigint not null check (credit_minor >= 0),
    state text not null check (state in ('requested', 'succeeded', 'failed')),
    reason text not null,
    requested_by text not null,
    requested_at bigint not null,
    ended_at bigint,
    primary key (tenant, id)
);

create index fees_refund_by_payment on fees_refund (tenant, payment);

create table fees_recharge (
    tenant text not null,
    id text not null,
    payment text not null,
    community text not null,
    room text not null,
    payer text not null,
    commodity text not null,
    amount_minor bigint not null check (amount_minor > 0),
    state text not null check (state in ('requested', 'commanded', 'confirmed', 'refunding', 'refunded', 'closed')),
    refund text,
    requested_at bigint not null,
    commanded_at bigint,
    ended_at bigint,
    note text,
    primary key (tenant, id)
);

create unique index fees_recharge_by_payment on fees_recharge (tenant, payment);
create index fees_recharge_waiting on fees_recharge (commanded_at) where state = 'commanded';
create index fees_recharge_by_payer on fees_recharge (tenant, payer, id);
