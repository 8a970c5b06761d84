-- Bids of a ratio of the sale: what a campaign bids, what an offer costs and how a round was held, and the sales that came
-- of clicks. Where the ratio is 0, what was bid is an amount, as before.

-- In 1/10,000 of what is sold. Then the kind is `rank`, and `bid_minor` is the most that one sale costs.
alter table bidding_campaign add column ratio_bps bigint not null default 0 check (ratio_bps between 0 and 10000);
-- The price, in 1/10,000 of what is sold; at most `bid_micros`.
alter table bidding_offer add column ratio_bps bigint not null default 0 check (ratio_bps between 0 and 10000);
-- Whether its bids, its reserve and its prices are ratios.
alter table bidding_round add column by_ratio bigint not null default 0 check (by_ratio in (0, 1));

-- What an offer costs that was clicked and bought by. It stays when the offer is forgotten: a refund may come later.
create table bidding_sale (
    tenant text not null,
    offer text not null,
    sold_order text not null,
    round text not null,
    campaign text not null,
    merchant text not null,
    placement text,
    ratio_bps bigint not null check (ratio_bps > 0),
    most_micros bigint not null check (most_micros > 0),
    -- The day of the offer, whose budget bears it.
    day text not null,
    -- What was sold, less what went back, in fen; what that costs.
    sale_minor bigint not null,
    charged_micros bigint not null check (charged_micros between 0 and most_micros),
    primary key (tenant, offer),
    unique (tenant, sold_order)
);

-- Each line that was sold, and each refund of one: it counts once.
create table bidding_sale_line (
    tenant text not null,
    line text not null,
    -- '' for the sale itself.
    refund text not null,
    offer text not null,
    campaign text not null,
    -- Below zero for a refund.
    sale_minor bigint not null,
    charged_micros bigint not null,
    day text not null,
    primary key (tenant, line, refund)
);

create index bidding_sale_line_by_campaign on bidding_sale_line (tenant, campaign, day);

-- A month may give back more than it charges.
create table bidding_accrual_signed (
    tenant text not null,
    campaign text not null,
    placement text not null,
    month text not null,
    merchant text not null,
    micros bigint not null,
    events bigint not null,
    charged_minor bigint,
    charged_at bigint,
    primary key (tenant, campaign, placement, month)
);

insert into bidding_accrual_signed (tenant, campaign, placement, month, merchant, micros, events, charged_minor, charged_at)
    select tenant, campaign, placement, month, merchant, micros, events, charged_minor, charged_at from bidding_accrual;

drop table bidding_accrual;
alter table bidding_accrual_signed rename to bidding_accrual;

create index bidding_accrual_open on bidding_accrual (month) where charged_at is null;
