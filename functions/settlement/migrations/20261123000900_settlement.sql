-- What merchants and the platform owe each other: items and statements, payments and deposits, platform fees and
-- withdrawals; merchants and contracts from the event log. Portable: SQLite and PostgreSQL. Times are epoch
-- milliseconds, months ISO 8601 text, amounts whole minor units, JSON is text. The money itself stands in the ledger.

create table settlement_terms (
    tenant text not null primary key,
    time_zone text not null,
    -- Statements are sent by the end of this day of the next month.
    issue_day bigint not null check (issue_day between 1 and 28),
    withdrawal_min_minor bigint not null check (withdrawal_min_minor > 0),
    withdrawal_max_minor bigint not null check (withdrawal_max_minor >= withdrawal_min_minor),
    withdrawals_per_day bigint not null check (withdrawals_per_day between 1 and 100),
    version bigint not null check (version > 0),
    changed_by text not null,
    changed_at bigint not null
);

create table settlement_community (
    tenant text not null,
    id text not null,
    primary key (tenant, id)
);

create table settlement_merchant (
    tenant text not null,
    id text not null,
    name text not null,
    open bigint not null check (open in (0, 1)),
    -- Where its payments are asked for; its first community, if it serves particular ones.
    community text,
    version bigint not null,
    -- How it stands with the platform; none before its contract was heard of.
    standing text check (standing in ('deposit_due', 'good', 'top_up_required', 'frozen')),
    standing_version bigint not null check (standing_version >= 0),
    standing_at bigint,
    primary key (tenant, id)
);

create table settlement_member (
    tenant text not null,
    merchant text not null,
    person text not null,
    primary key (tenant, merchant, person)
);

create index settlement_member_by_person on settlement_member (tenant, person, merchant);

-- Orders that are paid and not over: a deposit is not given back while there are any.
create table settlement_open_order (
    tenant text not null,
    merchant text not null,
    id text not null,
    paid_at bigint not null,
    primary key (tenant, merchant, id)
);

create table settlement_contract (
    tenant text not null,
    merchant text not null,
    version bigint not null,
    from_month text not null,
    collection text not null check (collection in ('direct', 'platform')),
    due_day bigint not null check (due_day between 1 and 28),
    objection_days bigint not null check (objection_days >= 0),
    confirm_days bigint not null check (confirm_days >= 0),
    deposit_minor bigint not null check (deposit_minor >= 0),
    reopening_percent bigint not null check (reopening_percent >= 0),
    hosting_minor bigint not null check (hosting_minor >= 0),
    maintenance_minor bigint not null check (maintenance_minor >= 0),
    platform_minor bigint not null check (platform_minor >= 0),
    primary key (tenant, merchant, version)
);

-- What statements are made of. An item is what the merchant owes by it: never changed but for the statement that claims it.
create table settlement_item (
    tenant text not null,
    kind text not null check (kind in ('commission', 'hosting', 'maintenance', 'platform', 'advertising', 'adjustment', 'refund', 'carry')),
    source text not null,
    merchant text not null,
    at bigint not null,
    -- The kind of revenue that it is part of.
    revenue text not null check (revenue in ('commission', 'hosting', 'maintenance', 'platform', 'advertising')),
    -- What buyers paid and got back, for the merchant to compare; counts nowhere.
    sale_minor bigint not null,
    -- The platform's revenue.
    amount_minor bigint not null,
    -- What of it the books have taken from the merchant already: it is not owed any more.
    settled_minor bigint not null,
    -- What else is owed and stands in the books already: refunds that the merchant could not bear, what was carried over.
    debt_minor bigint not null,
    reference text not null,
    memo text not null,
    -- The statement that claimed it.
    statement text,
    primary key (tenant, kind, source)
);

create index settlement_item_unclaimed on settlement_item (tenant, merchant, at) where statement is null;
create index settlement_item_by_statement on settlement_item (tenant, statement, kind, source) where statement is not null;

create table settlement_statement (
    tenant text not null,
    id text not null,
    merchant text not null,
    month text not null,
    collection text not null check (collection in ('direct', 'platform')),
    contract_version bigint not null,
    -- Whose clocks its dates are of; its export is written by them, whatever the terms say later.
    time_zone text not null,
    lines bigint not null check (lines > 0),
    sale_minor bigint not null,
    amount_minor bigint not null,
    settled_minor bigint not null,
    debt_minor bigint not null,
    -- amount - settled + debt; below zero it is carried over, and nothing is owed.
    total_minor bigint not null check (total_minor = amount_minor - settled_minor + debt_minor),
    owed_minor bigint not null check (owed_minor >= 0),
    -- How it was paid: from what the merchant may draw at issue, by payments, by the deposit.
    netted_minor bigint not null check (netted_minor >= 0),
    paid_minor bigint not null check (paid_minor >= 0),
    deducted_minor bigint not null check (deducted_minor >= 0),
    review text not null check (review in ('sent', 'disputed', 'confirmed')),
    money text not null check (money in ('owed', 'paid', 'settled_by_deposit', 'shortfall')),
    issued_at bigint not null,
    late_ms bigint not null check (late_ms >= 0),
    object_until bigint not null,
    confirm_at bigint not null,
    due_at bigint not null,
    -- When the deposit was asked, once.
    overdue_at bigint,
    reviewed_at bigint,
    reviewed_by text,
    ended_at bigint,
    primary key (tenant, id),
    check (netted_minor + paid_minor + deducted_minor <= owed_minor),
    check ((money in ('paid', 'settled_by_deposit')) = (netted_minor + paid_minor + deducted_minor = owed_minor))
);

create unique index settlement_statement_by_month on settlement_statement (tenant, merchant, month);
create index settlement_statement_of_month on settlement_statement (tenant, month, id);
create index settlement_statement_unpaid on settlement_statement (tenant, merchant, due_at) where money in ('owed', 'shortfall');
create index settlement_statement_due on settlement_statement (due_at) where money = 'owed' and overdue_at is null;
create index settlement_statement_silent on settlement_statement (confirm_at) where review = 'sent';

-- The sums of a statement by kind.
create table settlement_sum (
    tenant text not null,
    statement text not null,
    kind text not null,
    revenue text not null,
    lines bigint not null,
    sale_minor bigint not null,
    amount_minor bigint not null,
    settled_minor bigint not null,
    debt_minor bigint not null,
    primary key (tenant, statement, kind, revenue)
);

create table settlement_objection (
    tenant text not null,
    statement text not null,
    line text not null,
    reason text not null,
    raised_by text not null,
    raised_at bigint not null,
    state text not null check (state in ('open', 'accepted', 'rejected')),
    adjustment_minor bigint not null,
    note text,
    decided_by text,
    decided_at bigint,
    primary key (tenant, statement, line),
    check ((state = 'open') = (decided_at is null))
);

create table settlement_run (
    tenant text not null,
    id text not null,
    month text not null,
    dry_run bigint not null check (dry_run in (0, 1)),
    state text not null check (state in ('running', 'done')),
    -- How far it has come: after this merchant.
    after_merchant text,
    statements bigint not null,
    lines bigint not null,
    amount_minor bigint not null,
    owed_minor bigint not null,
    netted_minor bigint not null,
    -- Counts by reason, each with some merchants as samples.
    skipped text not null,
    created_by text not null,
    created_at bigint not null,
    changed_at bigint not null,
    primary key (tenant, id)
);

create index settlement_run_open on settlement_run (changed_at) where state = 'running';
create index settlement_run_by_month on settlement_run (tenant, month, id);

-- The months that cron has begun to settle, so that each is begun once.
create table settlement_month (
    tenant text not null,
    month text not null,
    run text not null,
    begun_at bigint not null,
    primary key (tenant, month)
);

-- Money that was asked for: for a deposit, for statements, for a platform account.
create table settlement_payment (
    tenant text not null,
    id text not null,
    -- That of payments; none for what was paid from what the merchant may draw.
    payment text,
    purpose text not null check (purpose in ('deposit', 'statement', 'platform_fee')),
    -- The merchant, or the platform account.
    party text not null,
    payer text not null,
    amount_minor bigint not null check (amount_minor > 0),
    over_minor bigint not null check (over_minor >= 0),
    state text not null check (state in ('requested', 'succeeded', 'closed')),
    requested_at bigint not null,
    expires_at bigint not null,
    ended_at bigint,
    primary key (tenant, id)
);

create index settlement_payment_by_party on settlement_payment (tenant, party, id);

-- What a payment paid of which statement.
create table settlement_paid (
    tenant text not null,
    payment text not null,
    statement text not null,
    amount_minor bigint not null check (amount_minor > 0),
    primary key (tenant, payment, statement)
);

create table settlement_deposit_refund (
    tenant text not null,
    merchant text not null,
    number bigint not null check (number > 0),
    amount_minor bigint not null check (amount_minor > 0),
    state text not null check (state in ('requested', 'refunded', 'rejected')),
    reason text not null,
    requested_by text not null,
    requested_at bigint not null,
    decided_by text,
    decided_at bigint,
    primary key (tenant, merchant, number),
    check (decided_by is null or decided_by <> requested_by)
);

create table settlement_platform_account (
    tenant text not null,
    id text not null,
    kind text not null check (kind in ('company', 'owner')),
    name text not null,
    community text not null,
    fee_minor bigint not null check (fee_minor >= 0),
    charge_day bigint not null check (charge_day between 1 and 28),
    state text not null check (state in ('active', 'suspended', 'closed')),
    -- The month whose fee is owed since the account is suspended.
    owed_period text,
    owed_minor bigint not null check (owed_minor >= 0),
    charge_at bigint not null,
    version bigint not null check (version > 0),
    changed_at bigint not null,
    primary key (tenant, id),
    check ((state = 'suspended') = (owed_period is not null))
);

create index settlement_platform_account_due on settlement_platform_account (charge_at) where state = 'active';

create table settlement_holder (
    tenant text not null,
    account text not null,
    person text not null,
    primary key (tenant, account, person)
);

create index settlement_holder_by_person on settlement_holder (tenant, person, account);

-- One fee an account and month.
create table settlement_charge (
    tenant text not null,
    account text not null,
    period text not null,
    amount_minor bigint not null check (amount_minor >= 0),
    charged_at bigint not null,
    primary key (tenant, account, period)
);

create index settlement_charge_by_period on settlement_charge (tenant, period);

create table settlement_withdrawal (
    tenant text not null,
    id text not null,
    merchant text not null,
    amount_minor bigint not null check (amount_minor > 0),
    -- To whom: the name and the number of an account at a bank.
    payee text not null,
    account text not null,
    hold text not null,
    state text not null check (state in ('requested', 'rejected', 'cancelled', 'approved', 'sending', 'paid', 'failed')),
    requested_by text not null,
    requested_at bigint not null,
    reviewed_by text,
    reviewed_at bigint,
    note text,
    -- The transfer: its own number, never used twice, and what the channel calls it.
    channel text check (channel in ('bank', 'simulated')),
    number text,
    reference text,
    paid_by text,
    tries bigint not null check (tries >= 0),
    due_at bigint,
    ended_at bigint,
    primary key (tenant, id),
    -- Four eyes.
    check (reviewed_by is null or reviewed_by <> requested_by),
    check (paid_by is null or paid_by <> requested_by)
);

create unique index settlement_withdrawal_by_number on settlement_withdrawal (number) where number is not null;
create index settlement_withdrawal_by_merchant on settlement_withdrawal (tenant, merchant, requested_at);
create index settlement_withdrawal_due on settlement_withdrawal (due_at) where due_at is not null;

-- The other side of the simulated channel of transfers.
create table settlement_simulated_transfer (
    number text not null primary key,
    tenant text not null,
    amount_minor bigint not null,
    account text not null,
    state text not null check (state in ('processing', 'success', 'fail')),
    reference text not null,
    at bigint not null
);

create table settlement_alarm (
    tenant text not null,
    kind text not null,
    subject text not null,
    merchant text,
    at bigint not null,
    primary key (tenant, kind, subject)
);

create index settlement_alarm_by_time on settlement_alarm (tenant, at);
