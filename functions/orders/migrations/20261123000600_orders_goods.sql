-- What others told of merchants: who they are, what they may sell, how they stand, what was agreed.

create table orders_community (
    tenant text not null,
    id text not null,
    name text not null,
    time_zone text not null,
    primary key (tenant, id)
);

create table orders_merchant (
    tenant text not null,
    id text not null,
    name text not null,
    mode text not null check (mode in ('self_run', 'hosted')),
    open bigint not null check (open in (0, 1)),
    version bigint not null,
    -- Absent until settlement has said anything.
    standing text check (standing in ('deposit_due', 'good', 'top_up_required', 'frozen')),
    standing_version bigint not null,
    -- Whether no deposit was agreed, so that silence of settlement means good.
    deposit_free bigint not null check (deposit_free in (0, 1)),
    -- Open, and in a standing with which one may trade.
    trades bigint not null check (trades in (0, 1)),
    -- Whether it serves all communities.
    everywhere bigint not null check (everywhere in (0, 1)),
    primary key (tenant, id)
);

create index orders_merchant_trading on orders_merchant (tenant, trades, id);

create table orders_merchant_member (
    tenant text not null,
    merchant text not null,
    person text not null,
    primary key (tenant, merchant, person)
);

create index orders_merchant_member_person on orders_merchant_member (tenant, person, merchant);

create table orders_merchant_community (
    tenant text not null,
    merchant text not null,
    community text not null,
    primary key (tenant, merchant, community)
);

create table orders_merchant_category (
    tenant text not null,
    merchant text not null,
    category text not null,
    primary key (tenant, merchant, category)
);

create table orders_category (
    tenant text not null,
    id text not null,
    parent text,
    name text not null,
    kind text not null check (kind in ('goods', 'service')),
    operator text,
    gone bigint not null check (gone in (0, 1)),
    primary key (tenant, id)
);

create index orders_category_parent on orders_category (tenant, parent);

create table orders_commission_rule (
    tenant text not null,
    id text not null,
    version bigint not null,
    merchant text,
    category text,
    kind text check (kind in ('goods', 'service')),
    rate_bps bigint not null check (rate_bps between 0 and 10000),
    includes_freight bigint not null check (includes_freight in (0, 1)),
    valid_from bigint not null,
    valid_until bigint,
    primary key (tenant, id)
);

create table orders_contract (
    tenant text not null,
    merchant text not null,
    version bigint not null,
    first_month text not null,
    collection text not null check (collection in ('direct', 'platform')),
    deposit_minor bigint not null,
    currency text not null,
    primary key (tenant, merchant, version)
);

-- ---- stock ----

-- What can be bought of a variant, a time slot or a flash sale: two counters, and what was sold.
create table orders_stock (
    tenant text not null,
    item text not null,
    merchant text not null,
    kind text not null check (kind in ('variant', 'slot', 'flash')),
    available bigint not null check (available >= 0),
    reserved bigint not null check (reserved >= 0),
    taken bigint not null check (taken >= 0),
    primary key (tenant, item)
);

create index orders_stock_merchant on orders_stock (tenant, merchant, kind, item);

-- What one line of an order holds of one item. It moves forward only, so that each step counts once.
create table orders_stock_claim (
    tenant text not null,
    line text not null,
    item text not null,
    kind text not null check (kind in ('variant', 'slot', 'flash')),
    checkout text not null,
    order_id text not null,
    buyer text not null,
    quantity bigint not null check (quantity > 0),
    restocked bigint not null check (restocked between 0 and quantity),
    state text not null check (state in ('reserved', 'taken', 'released')),
    reserved_at bigint not null,
    moved_at bigint,
    primary key (tenant, line, item)
);

create index orders_stock_claim_checkout on orders_stock_claim (tenant, checkout, line, item);
create index orders_stock_claim_buyer on orders_stock_claim (tenant, buyer, item);

-- Every change of both counters, with why; never changed.
create table orders_stock_movement (
    tenant text not null,
    id text not null,
    item text not null,
    kind text not null check (kind in
        ('received', 'issued', 'counted', 'reserved', 'taken', 'released', 'restocked')),
    available bigint not null,
    reserved bigint not null,
    line text,
    actor text,
    reason text,
    at bigint not null,
    primary key (tenant, id)
);

create index orders_stock_movement_item on orders_stock_movement (tenant, item, id);
create index orders_stock_movement_actor on orders_stock_movement (tenant, actor) where actor is not null;

-- ---- goods and services ----

create table orders_product (
    tenant text not null,
    id text not null,
    merchant text not null,
    category text not null,
    kind text not null check (kind in ('goods', 'service')),
    name text not null,
    summary text not null,
    description text not null,
    state text not null check (state in ('draft', 'listed', 'delisted')),
    -- Of services: how long before a slot it can be booked and given up at the latest.
    lead_minutes bigint not null check (lead_minutes >= 0),
    cancel_minutes bigint not null check (cancel_minutes >= 0),
    version bigint not null,
    created_at bigint not null,
    changed_at bigint not null,
    listed_at bigint,
    delisted_because text,
    primary key (tenant, id)
);

create index orders_product_merchant on orders_product (tenant, merchant, state, id);
create index orders_product_category on orders_product (tenant, category, state, id);

create table orders_variant (
    tenant text not null,
    id text not null,
    product text not null,
    merchant text not null,
    position bigint not null,
    name text not null,
    price_minor bigint not null check (price_minor >= 0),
    code text,
    barcode text,
    -- The last day on which it may be sold, by the shop's calendar; when it is near, how much is off.
    expires_on text,
    trace_code text,
    near_days bigint not null check (near_days >= 0),
    markdown_bps bigint not null check (markdown_bps between 0 and 10000),
    gone bigint not null check (gone in (0, 1)),
    primary key (tenant, id)
);

create index orders_variant_product on orders_variant (tenant, product, position);
create unique index orders_variant_code on orders_variant (tenant, merchant, code) where code is not null;
create index orders_variant_expiry on orders_variant (tenant, merchant, expires_on) where expires_on is not null;

-- Pictures by position; content in base64.
create table orders_picture (
    tenant text not null,
    product text not null,
    position bigint not null check (position between 1 and 9),
    digest text not null,
    media_type text not null,
    bytes bigint not null,
    content text not null,
    primary key (tenant, product, position)
);

create table orders_slot (
    tenant text not null,
    id text not null,
    product text not null,
    merchant text not null,
    starts_at bigint not null,
    ends_at bigint not null check (ends_at > starts_at),
    gone bigint not null check (gone in (0, 1)),
    primary key (tenant, id)
);

create index orders_slot_product on orders_slot (tenant, product, starts_at, id);

-- How a shop brings things: what it takes for it, from what sum on it is free.
create table orders_delivery (
    tenant text not null,
    merchant text not null,
    freight_minor bigint not null check (freight_minor >= 0),
    free_from_minor bigint check (free_from_minor >= 0),
    own bigint not null check (own in (0, 1)),
    carrier bigint not null check (carrier in (0, 1)),
    pickup bigint not null check (pickup in (0, 1)),
    version bigint not null,
    primary key (tenant, merchant)
);

-- What can be found: listed goods and services, and shops. Text is as it is searched, in lower case without spaces.
create table orders_found (
    tenant text not null,
    kind text not null check (kind in ('goods', 'service', 'shop')),
    id text not null,
    merchant text not null,
    title text not null,
    name text not null,
    text text not null,
    primary key (tenant, kind, id)
);

create table orders_search (
    tenant text not null,
    gram text not null,
    kind text not null,
    id text not null,
    primary key (tenant, gram, kind, id)
);

create index orders_search_of on orders_search (tenant, kind, id);

-- ---- buyers ----

create table orders_cart (
    tenant text not null,
    person text not null,
    variant text not null,
    -- Empty for goods.
    slot text not null,
    quantity bigint not null check (quantity > 0),
    -- What one cost when it was put in.
    seen_minor bigint not null,
    added_at bigint not null,
    primary key (tenant, person, variant, slot)
);

create table orders_favourite (
    tenant text not null,
    person text not null,
    kind text not null check (kind in ('product', 'shop')),
    id text not null,
    added_at bigint not null,
    primary key (tenant, person, kind, id)
);

create table orders_address (
    tenant text not null,
    id text not null,
    person text not null,
    community text not null,
    room text,
    detail text not null,
    name text not null,
    phone text not null,
    is_default bigint not null check (is_default in (0, 1)),
    version bigint not null,
    primary key (tenant, id)
);

create index orders_address_person on orders_address (tenant, person, id);
create unique index orders_address_default on orders_address (tenant, person) where is_default = 1;

-- ---- promotions ----

create table orders_promotion (
    tenant text not null,
    id text not null,
    merchant text not null,
    kind text not null check (kind in ('coupon', 'full_reduction', 'group_buy', 'flash_sale')),
    name text not null,
    terms text not null,
    subsidy_bps bigint not null check (subsidy_bps between 0 and 10000),
    starts_at bigint not null,
    ends_at bigint not null check (ends_at > starts_at),
    state text not null check (state in ('applied', 'approved', 'rejected', 'withdrawn')),
    version bigint not null,
    applied_by text not null,
    applied_at bigint not null,
    decided_by text,
    decided_at bigint,
    reason text,
    -- Of coupons: how many were given out, of how many.
    issued bigint not null,
    issue_max bigint not null,
    primary key (tenant, id),
    check (issued between 0 and issue_max)
);

create index orders_promotion_merchant on orders_promotion (tenant, merchant, id);
create index orders_promotion_running on orders_promotion (tenant, state, ends_at);

-- Where a promotion is shown: the home page, a topic page, a campaign, the group-buy page.
create table orders_placement (
    tenant text not null,
    promotion text not null,
    place text not null check (place in ('home', 'topic', 'campaign', 'group_buy')),
    primary key (tenant, promotion, place)
);

create index orders_placement_place on orders_placement (tenant, place, promotion);

create table orders_coupon (
    tenant text not null,
    id text not null,
    promotion text not null,
    merchant text not null,
    person text not null,
    state text not null check (state in ('held', 'used')),
    claimed_at bigint not null,
    checkout text,
    used_at bigint,
    primary key (tenant, id),
    check ((state = 'used') = (checkout is not null))
);

create unique index orders_coupon_once on orders_coupon (tenant, promotion, person);
create index orders_coupon_person on orders_coupon (tenant, person, id);
create index orders_coupon_checkout on orders_coupon (tenant, checkout) where checkout is not null;

-- Groups of buyers (拼团): as many seats as its size, all to be paid by the deadline.
create table orders_group (
    tenant text not null,
    id text not null,
    promotion text not null,
    merchant text not null,
    size bigint not null,
    seats bigint not null,
    paid bigint not null,
    state text not null check (state in ('open', 'full', 'failed')),
    opened_by text not null,
    opened_at bigint not null,
    deadline bigint not null,
    primary key (tenant, id),
    check (seats between 0 and size and paid between 0 and seats)
);

create index orders_group_open on orders_group (tenant, promotion, state, id);
create index orders_group_due on orders_group (state, deadline);
create index orders_group_opened_by on orders_group (tenant, opened_by);

create table orders_group_seat (
    tenant text not null,
    order_id text not null,
    group_id text not null,
    person text not null,
    state text not null check (state in ('held', 'paid', 'left')),
    taken_at bigint not null,
    primary key (tenant, order_id)
);

create index orders_group_seat_group on orders_group_seat (tenant, group_id);
create index orders_group_seat_person on orders_group_seat (tenant, person);
