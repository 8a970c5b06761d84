-- What a channel pays straight to merchants, and what of each day went to the bank.

alter table payments_payment add column direct bigint not null default 0 check (direct >= 0);
alter table payments_refund add column direct bigint not null default 0 check (direct >= 0);

-- What the day's bill brought to the bank, and cost, as posted by its latest run.
alter table payments_reconciliation add column bank bigint not null default 0;
alter table payments_reconciliation add column fees bigint not null default 0;
