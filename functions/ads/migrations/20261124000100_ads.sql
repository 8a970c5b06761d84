-- Advertising: placements, bookings, creatives, offers and what they cost, columns, exchanges.
-- Days are `2026-11-23` in the platform's zone, moments epoch milliseconds, `_minor` fen, `_micros` millionths of a yuan.

create table ads_community (
    tenant text not null,
    community text not null,
    primary key (tenant, community)
);

create table ads_merchant (
    tenant text not null,
    merchant text not null,
    name text not null,
    version bigint not null,
    -- Whether its deposit and its debts let it book; until something is heard, they do.
    may_trade bigint not null check (may_trade in (0, 1)),
    standing_version bigint not null,
    primary key (tenant, merchant)
);

create table ads_member (
    tenant text not null,
    merchant text not null,
    person text not null,
    primary key (tenant, person, merchant)
);
create index ads_member_of_merchant on ads_member (tenant, merchant);

create table ads_placement (
    tenant text not null,
    id text not null,
    name text not null,
    surface text not null,
    format text not null,
    width bigint not null,
    height bigint not null,
    board text,
    ownership text not null check (ownership in ('platform', 'company', 'common')),
    community text,
    capacity bigint not null check (capacity between 1 and 50),
    minimum_days bigint not null check (minimum_days >= 1),
    floor_minor bigint not null check (floor_minor >= 0),
    company_bps bigint not null check (company_bps between 0 and 10000),
    cost_bps bigint not null check (cost_bps between 0 and 10000),
    review_class text not null check (review_class in ('general', 'family')),
    reserve_mode text not null check (reserve_mode in ('unweighted', 'weighted')),
    reserve bigint not null check (reserve >= 0),
    slot_weights text not null,
    auction text check (auction in ('rank', 'display')),
    active bigint not null check (active in (0, 1)),
    version bigint not null,
    primary key (tenant, id)
);

create table ads_rate (
    tenant text not null,
    id text not null,
    placement text not null,
    pricing text not null check (pricing in ('day', 'cpm', 'cpc')),
    from_day text not null,
    until_day text not null,
    price_minor bigint not null check (price_minor >= 0),
    created_by text not null,
    primary key (tenant, id)
);
create index ads_rate_of_placement on ads_rate (tenant, placement, from_day);

create table ads_order (
    tenant text not null,
    id text not null,
    merchant text not null,
    name text not null,
    created_by text not null,
    created_at bigint not null,
    primary key (tenant, id)
);
create index ads_order_of_merchant on ads_order (tenant, merchant, id);

create table ads_line (
    tenant text not null,
    id text not null,
    order_id text not null,
    merchant text not null,
    placement text not null,
    class text not null,
    kind text not null check (kind in ('paid', 'barter', 'make_good')),
    state text not null check (state in
        ('draft', 'reserved', 'booked', 'in_flight', 'finished', 'stopped', 'cancelled', 'declined')),
    starts_on text not null,
    ends_on text not null,
    pricing text not null check (pricing in ('day', 'cpm', 'cpc')),
    price_minor bigint not null check (price_minor >= 0),
    total_minor bigint not null check (total_minor >= 0),
    goal_views bigint,
    pacing text not null check (pacing in ('even', 'asap')),
    weight bigint not null check (weight between 1 and 100),
    caps text not null,
    targeting text not null,
    reserved_until bigint,
    -- Whether it is shown when its day has come: booked or in flight, and not held back.
    live bigint not null check (live in (0, 1)),
    barter text,
    make_good_of text,
    made_good bigint not null check (made_good in (0, 1)),
    paused_from text,
    booked_at bigint,
    -- Of a deal in money: what a seat costs a day, which exchanges are valued by.
    deal_minor bigint,
    -- The first month that is not charged yet; none when nothing is to come.
    charge_month text,
    stopped_on text,
    created_by text not null,
    created_at bigint not null,
    version bigint not null,
    primary key (tenant, id),
    check (starts_on < ends_on)
);
create index ads_line_of_placement on ads_line (tenant, placement, live, state);
create index ads_line_of_order on ads_line (tenant, order_id, id);
create index ads_line_of_merchant on ads_line (tenant, merchant, id);
create index ads_line_of_barter on ads_line (tenant, barter, id);
create index ads_line_deal on ads_line (tenant, class, booked_at) where deal_minor is not null;
create index ads_line_chargeable on ads_line (charge_month) where charge_month is not null;
create index ads_line_reserved on ads_line (reserved_until) where reserved_until is not null;
create index ads_line_starting on ads_line (starts_on) where state = 'booked';
create index ads_line_ending on ads_line (ends_on) where state = 'in_flight';
create index ads_line_make_good on ads_line (tenant, make_good_of) where make_good_of is not null;

create table ads_line_creative (
    tenant text not null,
    line text not null,
    creative text not null,
    primary key (tenant, line, creative)
);
create index ads_line_creative_of_creative on ads_line_creative (tenant, creative);

-- Who has which seat of a placement on which day. `bit` is 2 to the power of the seat, so that a day's seats are a sum.
create table ads_seat (
    tenant text not null,
    placement text not null,
    day text not null,
    seat bigint not null,
    bit bigint not null,
    line text not null,
    price_minor bigint not null check (price_minor >= 0),
    skipped bigint not null check (skipped in (0, 1)),
    primary key (tenant, placement, day, seat)
);
create unique index ads_seat_of_line on ads_seat (tenant, line, day);

create table ads_budget (
    tenant text not null,
    line text not null,
    limit_micros bigint not null check (limit_micros >= 0),
    bid_micros bigint not null check (bid_micros >= 0),
    reserved_micros bigint not null check (reserved_micros >= 0),
    spent_micros bigint not null check (spent_micros >= 0),
    -- What was used on which day, for pacing; a hint, not money.
    day text not null,
    day_micros bigint not null,
    primary key (tenant, line),
    check (spent_micros + reserved_micros <= limit_micros)
);

create table ads_creative (
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
    domain text not null,
    subject text not null,
    approval_number text,
    qualified_until text,
    state text not null check (state in ('pending', 'approved', 'denied', 'changed', 'expired')),
    content_hash text not null,
    approved_hash text,
    reason text,
    submitted_by text not null,
    submitted_at bigint not null,
    reviewed_by text,
    reviewed_at bigint,
    version bigint not null,
    primary key (tenant, id)
);
create index ads_creative_of_merchant on ads_creative (tenant, merchant, id);
create index ads_creative_in_state on ads_creative (tenant, state, id);
create index ads_creative_expiring on ads_creative (qualified_until)
    where state = 'approved' and qualified_until is not null;

create table ads_offer (
    tenant text not null,
    id text not null,
    placement text not null,
    line text not null,
    creative text not null,
    merchant text not null,
    viewer text not null,
    pricing text not null,
    bid_micros bigint not null,
    internal bigint not null check (internal in (0, 1)),
    at bigint not null,
    viewed_at bigint,
    clicked_at bigint,
    -- Whether its bid is still reserved.
    open bigint not null check (open in (0, 1)),
    primary key (tenant, id)
);
create index ads_offer_open on ads_offer (at) where open = 1;
create index ads_offer_old on ads_offer (at);

create table ads_frequency (
    tenant text not null,
    viewer text not null,
    subject text not null,
    bucket text not null,
    views bigint not null,
    expires_at bigint not null,
    primary key (tenant, viewer, subject, bucket)
);
create index ads_frequency_old on ads_frequency (expires_at);

create table ads_tally (
    tenant text not null,
    line text not null,
    creative text not null,
    day text not null,
    placement text not null,
    merchant text not null,
    views bigint not null,
    clicks bigint not null,
    micros bigint not null,
    primary key (tenant, line, day, creative)
);
create index ads_tally_of_merchant on ads_tally (tenant, merchant, day);
create index ads_tally_of_day on ads_tally (tenant, day);

create table ads_invalid (
    tenant text not null,
    line text not null,
    day text not null,
    kind text not null check (kind in ('view', 'click')),
    reason text not null,
    placement text not null,
    merchant text not null,
    amount bigint not null,
    primary key (tenant, line, day, kind, reason)
);
create index ads_invalid_of_merchant on ads_invalid (tenant, merchant, day);
create index ads_invalid_of_day on ads_invalid (tenant, day);

create table ads_reach (
    tenant text not null,
    line text not null,
    day text not null,
    viewer text not null,
    placement text not null,
    merchant text not null,
    primary key (tenant, line, day, viewer)
);
create index ads_reach_of_merchant on ads_reach (tenant, merchant, day);
create index ads_reach_of_day on ads_reach (tenant, day);
create index ads_reach_of_viewer on ads_reach (tenant, viewer);

create table ads_charge (
    tenant text not null,
    charge text not null,
    merchant text not null,
    line text not null,
    month text not null,
    accrued_micros bigint not null,
    amount_minor bigint not null,
    at bigint not null,
    primary key (tenant, charge)
);
create index ads_charge_of_line on ads_charge (tenant, line);
create index ads_charge_of_merchant on ads_charge (tenant, merchant, charge);

-- How each charge was split, once.
create table ads_share (
    tenant text not null,
    charge text not null,
    merchant text not null,
    source text not null,
    reference text not null,
    placement text,
    ownership text not null,
    community text,
    month text not null,
    amount_minor bigint not null,
    platform_minor bigint not null,
    company_minor bigint not null,
    owners_minor bigint not null,
    at bigint not null,
    primary key (tenant, charge),
    check (platform_minor + company_minor + owners_minor = amount_minor)
);
create index ads_share_of_month on ads_share (tenant, month);

create table ads_column (
    tenant text not null,
    id text not null,
    name text not null,
    board text,
    audience text not null,
    from_day text not null,
    until_day text not null,
    season_from text,
    season_until text,
    active bigint not null check (active in (0, 1)),
    version bigint not null,
    primary key (tenant, id)
);

create table ads_article (
    tenant text not null,
    id text not null,
    column_id text not null,
    merchant text,
    sponsor text,
    title text not null,
    body text not null,
    image text,
    landing text,
    from_day text not null,
    until_day text not null,
    state text not null check (state in ('pending', 'approved', 'denied')),
    reason text,
    written_by text not null,
    written_at bigint not null,
    reviewed_by text,
    primary key (tenant, id)
);
create index ads_article_of_column on ads_article (tenant, column_id, id);

-- What one unit of a product was sold for in the mall.
create table ads_sale (
    tenant text not null,
    line text not null,
    product text not null,
    unit_minor bigint not null,
    at bigint not null,
    primary key (tenant, line)
);
create index ads_sale_of_product on ads_sale (tenant, product, unit_minor, at);
create index ads_sale_old on ads_sale (at);

create table ads_barter (
    tenant text not null,
    id text not null,
    merchant text not null,
    state text not null check (state in ('draft', 'proposed', 'countered', 'agreed', 'signed', 'active', 'suspended',
        'settling', 'closed', 'terminated')),
    terms text not null,
    advertising_minor bigint not null check (advertising_minor >= 0),
    goods_minor bigint not null check (goods_minor >= 0),
    boot_minor bigint not null,
    limit_minor bigint not null check (limit_minor >= 0),
    -- Whose word was the last: `platform` or `merchant`.
    said_by text not null check (said_by in ('platform', 'merchant')),
    platform_signed_by text,
    merchant_signed_by text,
    -- What of each leg is in the books.
    delivered_minor bigint not null check (delivered_minor >= 0),
    received_minor bigint not null check (received_minor >= 0),
    settled_minor bigint not null,
    looked_on text,
    created_by text not null,
    created_at bigint not null,
    version bigint not null,
    primary key (tenant, id),
    check (advertising_minor = goods_minor + boot_minor)
);
create index ads_barter_of_merchant on ads_barter (tenant, merchant, id);
create index ads_barter_running on ads_barter (looked_on) where state in ('active', 'suspended');

create table ads_goods (
    tenant text not null,
    barter text not null,
    item bigint not null,
    name text not null,
    units bigint not null check (units >= 1),
    unit_minor bigint not null check (unit_minor >= 0),
    received bigint not null check (received between 0 and units),
    -- What is received and given to no reward yet.
    available bigint not null check (available >= 0 and available <= received),
    primary key (tenant, barter, item)
);

create table ads_reward (
    tenant text not null,
    id text not null,
    barter text not null,
    item bigint not null,
    name text not null,
    price_minor bigint not null check (price_minor >= 0),
    unit_minor bigint not null,
    units bigint not null check (units >= 1),
    available bigint not null check (available between 0 and units),
    until_day text not null,
    created_by text not null,
    primary key (tenant, id)
);

create table ads_claim (
    tenant text not null,
    id text not null,
    reward text not null,
    person text not null,
    state text not null check (state in ('unpaid', 'claimed', 'redeemed', 'lapsed')),
    code text not null,
    payment text,
    claimed_at bigint not null,
    redeemed_at bigint,
    primary key (tenant, id)
);
create unique index ads_claim_of_person on ads_claim (tenant, reward, person) where state <> 'lapsed';
create index ads_claim_by_person on ads_claim (tenant, person, id);
create unique index ads_claim_by_code on ads_claim (tenant, reward, code);
create unique index ads_claim_of_payment on ads_claim (tenant, payment) where payment is not null;
