-- Payments, the attempts to pay them, refunds, what channels told, reconciliation, and the simulated channel's own side.
-- Portable: SQLite and PostgreSQL. Times are epoch milliseconds, dates are ISO 8601 text, amounts are fen.

create table payments_payment (
    tenant text not null,
    id text not null,
    purpose text not null,
    payer text not null,
    community text not null,
    amount bigint not null check (amount > 0),
    currency text not null,
    subject text not null,
    reference text not null,
    created_at bigint not null,
    expires_at bigint not null,
    state text not null check (state in ('open', 'succeeded', 'closed')),
    -- Of a closed one: expired, cancelled or invalid.
    reason text,
    -- Of a paid one.
    attempt text,
    paid_at bigint,
    transaction_id text,
    -- What went back or is on its way.
    refunded bigint not null check (refunded >= 0 and refunded <= amount),
    primary key (tenant, id),
    check ((state = 'closed') = (reason is not null)),
    check ((state = 'succeeded') = (attempt is not null and paid_at is not null and transaction_id is not null))
);

create index payments_payment_due on payments_payment (expires_at) where state = 'open';
create index payments_payment_by_payer on payments_payment (tenant, payer, id);
create index payments_payment_by_community on payments_payment (tenant, community, id);

create table payments_attempt (
    tenant text not null,
    id text not null,
    payment text not null,
    channel text not null,
    -- What the channel knows it by; never used twice.
    number text not null,
    amount bigint not null check (amount > 0),
    created_at bigint not null,
    state text not null check (state in ('started', 'waiting', 'succeeded', 'late', 'closed', 'refused')),
    -- What the payer scans or opens.
    code_url text,
    reason text,
    channel_transaction text,
    paid_at bigint,
    -- When the channel is asked next; absent when it need not be.
    due_at bigint,
    polls bigint not null check (polls >= 0),
    primary key (tenant, id)
);

create unique index payments_attempt_by_number on payments_attempt (channel, number);
create index payments_attempt_by_payment on payments_attempt (tenant, payment, id);
create index payments_attempt_due on payments_attempt (due_at) where due_at is not null;
create index payments_attempt_started on payments_attempt (channel, created_at);
create index payments_attempt_paid_on on payments_attempt (channel, paid_at) where paid_at is not null;
create index payments_attempt_paid on payments_attempt (tenant, channel, paid_at) where paid_at is not null;

-- What channels told, each once.
create table payments_notice (
    channel text not null,
    event text not null,
    tenant text not null,
    kind text not null,
    number text not null,
    received_at bigint not null,
    primary key (channel, event)
);

create table payments_refund (
    tenant text not null,
    id text not null,
    payment text not null,
    attempt text not null,
    channel text not null,
    number text not null,
    -- What the channel knows the payment by, and how much that was.
    attempt_number text not null,
    attempt_amount bigint not null,
    amount bigint not null check (amount > 0),
    reason text not null,
    -- Money that came too late goes back by itself.
    automatic bigint not null check (automatic in (0, 1)),
    created_at bigint not null,
    state text not null check (state in ('requested', 'sent', 'succeeded', 'failed')),
    failure text,
    channel_refund text,
    refunded_at bigint,
    due_at bigint,
    tries bigint not null check (tries >= 0),
    primary key (tenant, id),
    check ((state = 'failed') = (failure is not null)),
    check ((state = 'succeeded') = (refunded_at is not null))
);

create unique index payments_refund_by_number on payments_refund (channel, number);
create index payments_refund_by_payment on payments_refund (tenant, payment, id);
create index payments_refund_due on payments_refund (due_at) where due_at is not null;
create index payments_refund_done_on on payments_refund (channel, refunded_at) where refunded_at is not null;
create index payments_refund_done on payments_refund (tenant, channel, refunded_at) where refunded_at is not null;

create table payments_reconciliation (
    tenant text not null,
    channel text not null,
    day text not null,
    run bigint not null check (run > 0),
    run_at bigint not null,
    theirs bigint not null,
    ours bigint not null,
    matched bigint not null,
    carried bigint not null,
    mistakes bigint not null,
    primary key (tenant, channel, day)
);

create table payments_mistake (
    tenant text not null,
    channel text not null,
    day text not null,
    number text not null,
    kind text not null check (kind in ('missing_at_channel', 'missing_here', 'status_short', 'status_over',
        'amount_short', 'amount_over', 'fee_mismatch')),
    movement text not null check (movement in ('payment', 'refund')),
    ours bigint,
    theirs bigint,
    primary key (tenant, channel, day, number, kind)
);

-- What happened so close to midnight that the other side may have it on another day.
create table payments_pool (
    tenant text not null,
    channel text not null,
    -- Whose bill or books it stands in: channel or books.
    side text not null check (side in ('channel', 'books')),
    day text not null,
    number text not null,
    movement text not null check (movement in ('payment', 'refund')),
    amount bigint not null,
    fee bigint not null,
    at bigint not null,
    primary key (tenant, channel, side, day, number)
);

-- From here on: the simulated channel, as the other side would keep it.

create table payments_simulated_key (
    name text not null primary key,
    secret text not null
);

create table payments_simulated_order (
    tenant text not null,
    number text not null,
    merchant text not null,
    app text not null,
    amount bigint not null check (amount > 0),
    description text not null,
    created_at bigint not null,
    state text not null check (state in ('NOTPAY', 'SUCCESS', 'CLOSED', 'REFUND')),
    transaction_id text,
    paid_at bigint,
    fee bigint not null,
    refunded bigint not null check (refunded >= 0 and refunded <= amount),
    primary key (tenant, number)
);

create index payments_simulated_order_paid on payments_simulated_order (tenant, paid_at) where paid_at is not null;

create table payments_simulated_refund (
    tenant text not null,
    number text not null,
    order_number text not null,
    refund_id text not null,
    amount bigint not null check (amount > 0),
    fee bigint not null,
    state text not null check (state in ('SUCCESS', 'ABNORMAL')),
    done_at bigint not null,
    primary key (tenant, number)
);

create index payments_simulated_refund_done on payments_simulated_refund (tenant, done_at);

-- How it treats its notices: of one payment, or (number empty) of all others.
create table payments_simulated_behaviour (
    tenant text not null,
    number text not null,
    delay_s bigint not null check (delay_s >= 0),
    repeats bigint not null check (repeats >= 0),
    lose bigint not null check (lose in (0, 1)),
    reorder bigint not null check (reorder in (0, 1)),
    fail_refunds bigint not null check (fail_refunds in (0, 1)),
    primary key (tenant, number)
);

create table payments_simulated_notice (
    tenant text not null,
    id text not null,
    kind text not null,
    resource text not null,
    due_at bigint not null,
    -- How often it is still to be delivered, and how often that failed.
    left_count bigint not null check (left_count >= 0),
    failures bigint not null check (failures >= 0),
    primary key (tenant, id)
);

create index payments_simulated_notice_due on payments_simulated_notice (due_at) where left_count > 0;
