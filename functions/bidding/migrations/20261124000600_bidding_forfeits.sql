-- The deposit of a winner who does not keep what was won may be kept.
create table bidding_sealed_bid_kept (
    tenant text not null,
    id text not null,
    round text not null,
    merchant text not null,
    creative text not null,
    amount_minor bigint not null check (amount_minor > 0),
    bid_version bigint not null,
    state text not null check (state in ('unsecured', 'secured', 'lapsed', 'won', 'lost', 'forfeited')),
    slot bigint,
    price_minor bigint,
    payment text not null,
    -- What was paid, and how its going back stands.
    paid_minor bigint not null check (paid_minor >= 0),
    refund text,
    refund_state text check (refund_state in ('requested', 'succeeded', 'failed')),
    made_at bigint not null,
    -- Why the deposit was kept, and the ledger transaction that kept it; they stay when it is given back after all.
    forfeit_reason text,
    forfeit_transaction text,
    primary key (tenant, id),
    unique (tenant, round, merchant),
    unique (tenant, payment)
);

insert into bidding_sealed_bid_kept (tenant, id, round, merchant, creative, amount_minor, bid_version, state, slot,
        price_minor, payment, paid_minor, refund, refund_state, made_at)
    select tenant, id, round, merchant, creative, amount_minor, bid_version, state, slot, price_minor, payment, paid_minor,
        refund, refund_state, made_at
    from bidding_sealed_bid;

drop table bidding_sealed_bid;
alter table bidding_sealed_bid_kept rename to bidding_sealed_bid;

create index bidding_sealed_bid_by_refund on bidding_sealed_bid (tenant, refund) where refund is not null;
