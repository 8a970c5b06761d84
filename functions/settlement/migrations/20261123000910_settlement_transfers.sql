-- Channels transfer at the word of payments now: theirs are the numbers and the asking. Here stands what a payee has to
-- say yes to, and WeChat is a channel like the simulated one.

create table settlement_withdrawal_over_channels (
    tenant text not null,
    id text not null,
    merchant text not null,
    amount_minor bigint not null check (amount_minor > 0),
    -- To whom: the name and the number of an account at a bank, or whom a channel knows by that name.
    payee text not null,
    account text not null,
    hold text not null,
    state text not null check (state in ('requested', 'rejected', 'cancelled', 'approved', 'sending', 'paid', 'failed')),
    requested_by text not null,
    requested_at bigint not null,
    reviewed_by text,
    reviewed_at bigint,
    note text,
    channel text check (channel in ('bank', 'simulated', 'wechat')),
    -- A transfer at the bank has a number of ours, and every one what the bank or the channel calls it.
    number text,
    reference text,
    -- What the payee's app opens to say yes to a channel's transfer.
    confirmation text,
    paid_by text,
    tries bigint not null check (tries >= 0),
    due_at bigint,
    ended_at bigint,
    primary key (tenant, id),
    -- Four eyes.
    check (reviewed_by is null or reviewed_by <> requested_by),
    check (paid_by is null or paid_by <> requested_by)
);

insert into settlement_withdrawal_over_channels (tenant, id, merchant, amount_minor, payee, account, hold, state,
        requested_by, requested_at, reviewed_by, reviewed_at, note, channel, number, reference, paid_by, tries, due_at,
        ended_at)
    select tenant, id, merchant, amount_minor, payee, account, hold, state, requested_by, requested_at, reviewed_by,
        reviewed_at, note, channel, number, reference, paid_by, tries, due_at, ended_at
    from settlement_withdrawal;

drop table settlement_withdrawal;
drop table settlement_simulated_transfer;
alter table settlement_withdrawal_over_channels rename to settlement_withdrawal;

create unique index settlement_withdrawal_by_number on settlement_withdrawal (number) where number is not null;
create index settlement_withdrawal_by_merchant on settlement_withdrawal (tenant, merchant, requested_at);
create index settlement_withdrawal_due on settlement_withdrawal (due_at) where due_at is not null;
