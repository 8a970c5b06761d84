-- Rewards that one person may have once in each month, each time at its price: a credit for who pays the month.
alter table ads_reward add column monthly bigint not null default 0 check (monthly in (0, 1));
-- The month that it is of, `2026-11`; '' where there is one for good.
alter table ads_claim add column period text not null default '';

drop index ads_claim_of_person;
create unique index ads_claim_of_person on ads_claim (tenant, reward, person, period) where state <> 'lapsed';
