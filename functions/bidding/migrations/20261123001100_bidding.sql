-- What advertisers bid: campaigns and what they aim at, rounds and what was offered, what was seen and clicked, what it
-- comes to, ranks that are let by sealed bids; merchants, placements and creatives from the event log. Portable: SQLite
-- and PostgreSQL. Times are epoch milliseconds, days and months ISO 8601 text, amounts whole minor units (fen) or, where
-- it says so, micros: 1/1,000,000 yuan, 1/10,000 fen. JSON is text.

create table bidding_community (
    tenant text not null,
    id text not null,
    primary key (tenant, id)
);

create table bidding_merchant (
    tenant text not null,
    id text not null,
    name text not null,
    open bigint not null check (open in (0, 1)),
    -- Where its payments are asked for; its first community, if it serves particular ones.
    community text,
    version bigint not null,
    -- Whether it may trade, by its standing with the platform; it may not before that was heard of.
    may_trade bigint not null check (may_trade in (0, 1)),
    standing_version bigint not null,
    primary key (tenant, id)
);

create table bidding_member (
    tenant text not null,
    merchant text not null,
    person text not null,
    primary key (tenant, merchant, person)
);

create index bidding_member_by_person on bidding_member (tenant, person, merchant);

create table bidding_placement (
    tenant text not null,
    id text not null,
    name text not null,
    format text not null,
    width bigint not null,
    height bigint not null,
    board text,
    ownership text not null check (ownership in ('platform', 'company', 'common')),
    community text,
    reserve_mode text not null check (reserve_mode in ('unweighted', 'weighted')),
    reserve bigint not null,
    -- Whole numbers with commas between them.
    slot_weights text not null,
    -- How it is sold by auction; none where it is not.
    auction text,
    active bigint not null check (active in (0, 1)),
    version bigint not null,
    primary key (tenant, id)
);

create index bidding_placement_by_board on bidding_placement (tenant, board) where board is not null;

create table bidding_creative (
    tenant text not null,
    id text not null,
    merchant text not null,
    format text not null,
    width bigint not null,
    height bigint not null,
    landing text not null,
    title text not null,
    body text not null,
    image text,
    advertiser_domain text not null,
    approved bigint not null check (approved in (0, 1)),
    version bigint not null,
    primary key (tenant, id)
);

create table bidding_campaign (
    tenant text not null,
    id text not null,
    merchant text not null,
    name text not null,
    kind text not null check (kind in ('rank', 'display')),
    creative text not null,
    -- For a click, or for a thousand views.
    bid_minor bigint not null check (bid_minor > 0),
    -- Of equal bids the earlier is first; grows with every change of any bid of the tenant.
    bid_version bigint not null,
    -- The most that one click or view can cost.
    bid_micros bigint not null check (bid_micros > 0),
    budget_micros bigint not null,
    daily_micros bigint not null check (daily_micros > 0),
    reserved_micros bigint not null check (reserved_micros >= 0),
    spent_micros bigint not null check (spent_micros >= 0),
    starts_at bigint not null,
    ends_at bigint,
    state text not null check (state in ('draft', 'active', 'paused', 'ended')),
    views bigint not null,
    clicks bigint not null,
    version bigint not null,
    made_at bigint not null,
    primary key (tenant, id),
    -- The hard cap: whatever is decided above, spend never exceeds the budget.
    check (reserved_micros + spent_micros <= budget_micros)
);

create index bidding_campaign_by_merchant on bidding_campaign (tenant, merchant, id);
create unique index bidding_campaign_by_bid on bidding_campaign (tenant, bid_version);

-- What a campaign aims at: a board, a category, a keyword of a search, a placement, an exchange.
create table bidding_target (
    tenant text not null,
    kind text not null check (kind in ('board', 'category', 'keyword', 'placement', 'exchange')),
    value text not null,
    campaign text not null,
    primary key (tenant, kind, value, campaign)
);

create index bidding_target_by_campaign on bidding_target (tenant, campaign, kind, value);

-- What a campaign has used of a day.
create table bidding_day (
    tenant text not null,
    campaign text not null,
    day text not null,
    reserved_micros bigint not null check (reserved_micros >= 0),
    spent_micros bigint not null check (spent_micros >= 0),
    views bigint not null,
    clicks bigint not null,
    primary key (tenant, campaign, day)
);

-- How good a campaign is for what it aims at, frozen for an hour.
create table bidding_quality (
    tenant text not null,
    campaign text not null,
    kind text not null,
    value text not null,
    -- Hours since 1970.
    hour bigint not null,
    views bigint not null,
    clicks bigint not null,
    click_bps bigint not null,
    relevance_bps bigint not null,
    landing_bps bigint not null,
    quality_bps bigint not null,
    primary key (tenant, kind, value, hour, campaign)
);

create index bidding_quality_by_campaign on bidding_quality (tenant, campaign, hour);
create index bidding_quality_by_hour on bidding_quality (hour);

-- One holding of an auction, with all that decided it.
create table bidding_round (
    tenant text not null,
    id text not null,
    kind text not null check (kind in ('rank', 'display', 'sealed')),
    placement text,
    target_kind text not null,
    target text not null,
    inputs text not null,
    outcome text not null,
    held_at bigint not null,
    -- Whether anything was charged by it: then it is kept for longer.
    charged bigint not null check (charged in (0, 1)),
    primary key (tenant, id)
);

create index bidding_round_idle on bidding_round (held_at) where charged = 0;
create index bidding_round_charged on bidding_round (held_at) where charged = 1;

-- One advertisement in one place for one visitor: the bid is reserved until it is used, or its time is over.
create table bidding_offer (
    tenant text not null,
    id text not null,
    round text not null,
    campaign text not null,
    merchant text not null,
    creative text not null,
    placement text,
    -- What is billed: a click, or a view.
    billed text not null check (billed in ('click', 'view')),
    slot bigint not null,
    -- Who was meant, as a digest that is another one every day.
    viewer text not null,
    bid_micros bigint not null check (bid_micros >= 0),
    price_micros bigint not null check (price_micros between 0 and bid_micros),
    charged_micros bigint not null check (charged_micros between 0 and bid_micros),
    day text not null,
    state text not null check (state in ('open', 'charged', 'released')),
    made_at bigint not null,
    expires_at bigint not null,
    viewed_at bigint,
    clicked_at bigint,
    primary key (tenant, id)
);

create index bidding_offer_open on bidding_offer (expires_at) where state = 'open';
create index bidding_offer_by_round on bidding_offer (tenant, round);
create index bidding_offer_by_viewer on bidding_offer (tenant, viewer, campaign, clicked_at);
create index bidding_offer_released on bidding_offer (made_at) where state = 'released';
create index bidding_offer_charged on bidding_offer (made_at) where state = 'charged';

-- What was not counted, by its reason; without a campaign where none is known.
create table bidding_invalid (
    tenant text not null,
    campaign text not null,
    day text not null,
    event text not null,
    reason text not null,
    count bigint not null,
    primary key (tenant, campaign, day, event, reason)
);

-- What a campaign comes to by placement and month; '' stands for no placement.
create table bidding_accrual (
    tenant text not null,
    campaign text not null,
    placement text not null,
    month text not null,
    merchant text not null,
    micros bigint not null check (micros > 0),
    events bigint not null,
    charged_minor bigint,
    charged_at bigint,
    primary key (tenant, campaign, placement, month)
);

create index bidding_accrual_open on bidding_accrual (month) where charged_at is null;

-- A rank that is let for a time.
create table bidding_sealed_round (
    tenant text not null,
    id text not null,
    name text not null,
    placement text,
    target_kind text not null,
    target text not null,
    slots bigint not null check (slots between 1 and 8),
    reserve_minor bigint not null check (reserve_minor >= 0),
    deposit_minor bigint not null check (deposit_minor > 0),
    starts_at bigint not null,
    ends_at bigint not null check (ends_at > starts_at),
    closes_at bigint not null,
    -- When it would have closed.
    first_closes_at bigint not null,
    extension_ms bigint not null check (extension_ms >= 0),
    state text not null check (state in ('open', 'cleared', 'called_off')),
    auction_round text,
    charged bigint not null check (charged in (0, 1)),
    version bigint not null,
    primary key (tenant, id)
);

create index bidding_sealed_round_open on bidding_sealed_round (closes_at) where state = 'open';
create index bidding_sealed_round_won on bidding_sealed_round (starts_at) where state = 'cleared' and charged = 0;
create index bidding_sealed_round_by_target on bidding_sealed_round (tenant, target_kind, target, ends_at);

create table bidding_sealed_bid (
    tenant text not null,
    id text not null,
    round text not null,
    merchant text not null,
    creative text not null,
    amount_minor bigint not null check (amount_minor > 0),
    bid_version bigint not null,
    state text not null check (state in ('unsecured', 'secured', 'lapsed', 'won', 'lost')),
    slot bigint,
    price_minor bigint,
    payment text not null,
    -- What was paid, and how its going back stands.
    paid_minor bigint not null check (paid_minor >= 0),
    refund text,
    refund_state text check (refund_state in ('requested', 'succeeded', 'failed')),
    made_at bigint not null,
    primary key (tenant, id),
    unique (tenant, round, merchant),
    unique (tenant, payment)
);

create index bidding_sealed_bid_by_refund on bidding_sealed_bid (tenant, refund) where refund is not null;
