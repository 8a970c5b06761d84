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

create index orders_stock_claim_checkout on orders_stock_claim (tenant, checkout);
create index orders_stock_claim_buyer on orders_stock_claim (tenant, item, buyer);

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
