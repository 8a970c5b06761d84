-- What a bid costs: who can bid for a place is remembered, and proven fresh by a number; whom no budget bears is found by
-- an index; a round refers to the bids that many rounds have in common.

-- Grows with every change to who can bid, and to what they show: of campaigns, creatives, merchants.
create table bidding_change (
    tenant text not null,
    version bigint not null,
    primary key (tenant)
);

-- The bids of a place as rounds were held on them, under the digest of what they are.
create table bidding_lineup (
    tenant text not null,
    id text not null,
    bids text not null,
    -- When it was last learnt; each hour of its use, at least.
    learnt_at bigint not null,
    primary key (tenant, id)
);

create index bidding_lineup_old on bidding_lineup (learnt_at);

-- What a day has to bear still: as its campaign said last.
alter table bidding_day add column bid_micros bigint not null default 0;
alter table bidding_day add column daily_micros bigint not null default 9223372036854775807;
update bidding_day set
    bid_micros = coalesce((select c.bid_micros from bidding_campaign c
        where c.tenant = bidding_day.tenant and c.id = bidding_day.campaign), 0),
    daily_micros = coalesce((select c.daily_micros from bidding_campaign c
        where c.tenant = bidding_day.tenant and c.id = bidding_day.campaign), 9223372036854775807);

create index bidding_day_full on bidding_day (tenant, day, campaign)
    where daily_micros < reserved_micros + spent_micros + bid_micros;

-- Whose budget is promised; not those whose is spent, who do not come back.
create index bidding_campaign_full on bidding_campaign (tenant, id)
    where state = 'active' and budget_micros < reserved_micros + spent_micros + bid_micros
      and budget_micros >= spent_micros + bid_micros;

-- Only clicks are looked up by who clicked.
drop index bidding_offer_by_viewer;
create index bidding_offer_clicked on bidding_offer (tenant, viewer, campaign) where clicked_at is not null;
