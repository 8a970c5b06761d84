-- The books of every tenant. Transactions and legs are only ever inserted; what was wrong is reversed.
-- Portable: SQLite and PostgreSQL. Times are epoch milliseconds, amounts are whole minor units.

-- The last transaction of each tenant, and the last that a seal covers.
create table ledger_head (
    tenant text not null primary key,
    seq bigint not null check (seq >= 0),
    sealed bigint not null check (sealed >= 0 and sealed <= seq)
);

-- An account is made when it is first used. Only guarded accounts, which have one owner each, keep their balance here:
-- those of the platform are posted to by everybody, and their balance is the sum of their legs.
create table ledger_account (
    tenant text not null,
    name text not null,
    currency text not null,
    kind text not null,
    normal text not null check (normal in ('debit', 'credit')),
    guarded bigint not null check (guarded in (0, 1)),
    posted_debits bigint not null check (posted_debits >= 0),
    posted_credits bigint not null check (posted_credits >= 0),
    held_debits bigint not null check (held_debits >= 0),
    held_credits bigint not null check (held_credits >= 0),
    opened_at bigint not null,
    primary key (tenant, name, currency),
    -- Available, posted less held, is never below zero.
    check (guarded = 0 or normal = 'debit' or posted_credits - posted_debits - held_debits >= 0),
    check (guarded = 0 or normal = 'credit' or posted_debits - posted_credits - held_credits >= 0),
    check (guarded = 1 or (posted_debits = 0 and posted_credits = 0 and held_debits = 0 and held_credits = 0))
);

create table ledger_transaction (
    tenant text not null,
    -- From 1 without gaps; also its id.
    seq bigint not null check (seq > 0),
    kind text not null,
    reference text not null,
    at bigint not null,
    memo text not null,
    -- The transaction that this one takes back.
    reverses bigint check (reverses > 0 and reverses < seq),
    -- SHA-256 of the key and the legs: the same key is only ever the same content.
    content text not null,
    primary key (tenant, seq)
);

create unique index ledger_transaction_by_key on ledger_transaction (tenant, kind, reference);
create unique index ledger_transaction_reversed_once on ledger_transaction (tenant, reverses) where reverses is not null;

create table ledger_leg (
    tenant text not null,
    seq bigint not null,
    leg bigint not null check (leg >= 0),
    account text not null,
    currency text not null,
    side text not null check (side in ('debit', 'credit')),
    amount bigint not null check (amount > 0),
    primary key (tenant, seq, leg),
    foreign key (tenant, seq) references ledger_transaction (tenant, seq),
    foreign key (tenant, account, currency) references ledger_account (tenant, name, currency)
);

create index ledger_leg_by_account on ledger_leg (tenant, account, currency, seq);

-- Money set aside: posted whole or in part, let go, or expired, once.
create table ledger_hold (
    tenant text not null,
    id text not null,
    kind text not null,
    reference text not null,
    debit_account text not null,
    credit_account text not null,
    currency text not null,
    amount bigint not null check (amount > 0),
    memo text not null,
    at bigint not null,
    expires_at bigint not null,
    state text not null check (state in ('held', 'posted', 'voided', 'expired')),
    -- Of a posted one: the transaction, and how much of it was posted.
    seq bigint,
    posted bigint check (posted > 0 and posted <= amount),
    ended_at bigint,
    primary key (tenant, id),
    check ((state = 'held') = (ended_at is null)),
    check ((state = 'posted') = (seq is not null) and (seq is null) = (posted is null))
);

create unique index ledger_hold_by_key on ledger_hold (tenant, kind, reference);
create index ledger_hold_of_debit on ledger_hold (tenant, debit_account) where state = 'held';
create index ledger_hold_of_credit on ledger_hold (tenant, credit_account) where state = 'held';
create index ledger_hold_due on ledger_hold (expires_at) where state = 'held';

-- What is sealed can no longer change unseen: each seal holds the digest of the one before.
create table ledger_seal (
    tenant text not null,
    number bigint not null check (number > 0),
    day text not null,
    from_seq bigint not null check (from_seq > 0),
    until_seq bigint not null check (until_seq >= from_seq),
    digest text not null,
    sealed_at bigint not null,
    primary key (tenant, number)
);
