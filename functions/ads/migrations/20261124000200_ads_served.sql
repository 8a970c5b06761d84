-- What a page costs: what stands in a placement is remembered, and proven fresh by a number.

-- Grows with every change to what may be shown there: of the placement, its lines, their creatives, their advertisers.
alter table ads_placement add column shown_version bigint not null default 0;

-- Whether its budget is spread over the day, so that every decision looks at it.
alter table ads_budget add column paced bigint not null default 1 check (paced in (0, 1));
update ads_budget set paced = 0 where exists
    (select l.id from ads_line l where l.tenant = ads_budget.tenant and l.id = ads_budget.line and l.pacing = 'asap');

-- The lines that a placement shows, in their order, and which of them have a budget.
create index ads_line_shown on ads_line (tenant, placement, live, id, pricing) where live = 1;

-- Which lines show a creative, without their rows.
drop index ads_line_creative_of_creative;
create index ads_line_creative_of_creative on ads_line_creative (tenant, creative, line);
