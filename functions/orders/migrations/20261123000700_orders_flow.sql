-- What was bought, and what became of it. Amounts are fen, times epoch milliseconds.

create table orders_checkout (
    tenant text not null,
    id text not null,
    buyer text not null,
    community text not null,
    total_minor bigint not null check (total_minor >= 0),
    payment text,
    state text not null check (state in ('unpaid', 'paid', 'closed')),
    channel text,
    placed_at bigint not null,
    expires_at bigint not null,
    paid_at bigint,
    version bigint not null,
    primary key (tenant, id)
);

-- What is still to be paid is few, whatever was bought in all.
create index orders_checkout_unpaid on orders_checkout (expires_at) where state = 'unpaid';
create index orders_checkout_of_buyer on orders_checkout (tenant, buyer, id);

create table orders_order (
    tenant text not null,
    id text not null,
    checkout text not null,
    buyer text not null,
    merchant text not null,
    community text not null,
    state text not null check (state in ('placed', 'accepted', 'completed', 'cancelled')),
    payment text not null check (payment in ('unpaid', 'paid', 'closed')),
    delivery text not null check (delivery in ('carrier', 'own', 'pick_up', 'appointment')),
    fulfilment text not null check (fulfilment in ('waiting', 'shipped', 'ready', 'delivered')),
    contests bigint not null check (contests >= 0),
    group_id text,
    waits_for_group bigint not null check (waits_for_group in (0, 1)),
    stock text not null check (stock in ('reserved', 'taken', 'released')),
    receiver text,
    phone text,
    address text,
    remark text,
    carrier text,
    tracking text,
    code text,
    wrong_codes bigint not null,
    goods_minor bigint not null check (goods_minor >= 0),
    freight_minor bigint not null check (freight_minor >= 0),
    refunded_minor bigint not null check (refunded_minor >= 0),
    collection text not null check (collection in ('direct', 'platform')),
    placed_at bigint not null,
    paid_at bigint,
    accepted_at bigint,
    shipped_at bigint,
    delivered_at bigint,
    completed_at bigint,
    cancelled_at bigint,
    cancel_reason text,
    ledger_transaction text,
    -- When the next thing is due to happen by itself: completion by silence.
    due_at bigint,
    version bigint not null,
    primary key (tenant, id),
    check (refunded_minor <= goods_minor + freight_minor)
);

create index orders_order_of_checkout on orders_order (tenant, checkout, id);
create index orders_order_of_buyer on orders_order (tenant, buyer, id);
create index orders_order_of_merchant on orders_order (tenant, merchant, id);
create index orders_order_due on orders_order (due_at) where due_at is not null;
create index orders_order_open on orders_order (tenant, state, placed_at) where state in ('placed', 'accepted');
create index orders_order_of_day on orders_order (tenant, placed_at);

create table orders_line (
    tenant text not null,
    id text not null,
    order_id text not null,
    product text not null,
    variant text not null,
    slot text,
    promotion text,
    category text not null,
    kind text not null check (kind in ('goods', 'service')),
    title text not null,
    quantity bigint not null check (quantity > 0),
    unit_minor bigint not null check (unit_minor >= 0),
    merchant_discount_minor bigint not null,
    subsidy_minor bigint not null check (subsidy_minor >= 0),
    goods_minor bigint not null check (goods_minor >= 0),
    freight_minor bigint not null check (freight_minor >= 0),
    rule text,
    rule_version bigint,
    rate_bps bigint not null,
    includes_freight bigint not null check (includes_freight in (0, 1)),
    base_minor bigint not null,
    commission_minor bigint not null,
    back_quantity bigint not null,
    back_goods_minor bigint not null,
    back_freight_minor bigint not null,
    back_subsidy_minor bigint not null,
    back_base_minor bigint not null,
    back_commission_minor bigint not null,
    primary key (tenant, id),
    check (back_quantity between 0 and quantity),
    check (back_goods_minor between 0 and goods_minor),
    check (back_freight_minor between 0 and freight_minor),
    check (back_subsidy_minor between 0 and subsidy_minor)
);

create index orders_line_of_order on orders_line (tenant, order_id, id);

create table orders_price_change (
    tenant text not null,
    order_id text not null,
    version bigint not null,
    before_goods_minor bigint not null,
    before_freight_minor bigint not null,
    goods_minor bigint not null,
    freight_minor bigint not null,
    reason text not null,
    changed_by text not null,
    changed_at bigint not null,
    primary key (tenant, order_id, version)
);

create table orders_after_sale (
    tenant text not null,
    id text not null,
    order_id text not null,
    buyer text not null,
    merchant text not null,
    kind text not null check (kind in ('refund', 'return', 'exchange')),
    state text not null check (state in ('requested', 'agreed', 'refused', 'withdrawn', 'returned', 'received',
        'refunding', 'refunded', 'refund_failed', 'reshipped')),
    -- What is asked for, by line.
    wanted text not null,
    amount_minor bigint not null,
    reason text not null,
    answer text,
    return_carrier text,
    return_tracking text,
    reship_carrier text,
    reship_tracking text,
    refund text,
    requested_at bigint not null,
    changed_at bigint not null,
    version bigint not null,
    primary key (tenant, id)
);

create index orders_after_sale_of_order on orders_after_sale (tenant, order_id, id);
create index orders_after_sale_of_buyer on orders_after_sale (tenant, buyer, id);
create index orders_after_sale_of_merchant on orders_after_sale (tenant, merchant, id);
create index orders_after_sale_open on orders_after_sale (tenant, changed_at)
    where state in ('requested', 'agreed', 'returned', 'received', 'refunding', 'refund_failed');

create table orders_refund (
    tenant text not null,
    id text not null,
    -- None for money of a checkout that nobody waits for any more.
    order_id text,
    checkout text not null,
    payment text not null,
    after_sale text,
    amount_minor bigint not null check (amount_minor > 0),
    reason text not null,
    state text not null check (state in ('requested', 'succeeded', 'failed', 'credited')),
    after_completion bigint not null check (after_completion in (0, 1)),
    ledger_transaction text,
    requested_at bigint not null,
    ended_at bigint,
    primary key (tenant, id)
);

create index orders_refund_of_order on orders_refund (tenant, order_id, id);
create index orders_refund_of_payment on orders_refund (tenant, payment) where order_id is null;
create index orders_refund_open on orders_refund (tenant, requested_at) where state = 'requested';

create table orders_refund_line (
    tenant text not null,
    refund text not null,
    line text not null,
    quantity bigint not null,
    goods_minor bigint not null,
    freight_minor bigint not null,
    subsidy_minor bigint not null,
    base_minor bigint not null,
    commission_minor bigint not null,
    owed_minor bigint not null,
    primary key (tenant, refund, line)
);

create table orders_dispute (
    tenant text not null,
    id text not null,
    order_id text not null,
    after_sale text,
    buyer text not null,
    merchant text not null,
    opened_by text not null check (opened_by in ('buyer', 'merchant')),
    state text not null check (state in ('open', 'executed', 'withdrawn')),
    claim text not null,
    opened_at bigint not null,
    evidence_until bigint not null,
    decide_until bigint not null,
    decision text check (decision in ('full', 'part', 'reject', 'exchange')),
    amount_minor bigint,
    decision_reason text,
    decided_by text,
    decided_at bigint,
    refund text,
    version bigint not null,
    primary key (tenant, id)
);

create unique index orders_dispute_open on orders_dispute (tenant, order_id) where state = 'open';
create index orders_dispute_of_buyer on orders_dispute (tenant, buyer, id);
create index orders_dispute_of_merchant on orders_dispute (tenant, merchant, id);
create index orders_dispute_late on orders_dispute (tenant, decide_until) where state = 'open';

create table orders_evidence (
    tenant text not null,
    id text not null,
    dispute text not null,
    side text not null check (side in ('buyer', 'merchant', 'operator')),
    author text not null,
    words text not null,
    -- Where pictures and papers are kept, as a list of addresses.
    files text not null,
    at bigint not null,
    primary key (tenant, id)
);

create index orders_evidence_of_dispute on orders_evidence (tenant, dispute, id);

create table orders_review (
    tenant text not null,
    id text not null,
    order_id text not null,
    line text not null,
    product text not null,
    merchant text not null,
    buyer text not null,
    stars bigint not null check (stars between 1 and 5),
    words text not null,
    is_anonymous bigint not null check (is_anonymous in (0, 1)),
    is_hidden bigint not null check (is_hidden in (0, 1)),
    hidden_reason text,
    moderated_by text,
    reply text,
    replied_at bigint,
    created_at bigint not null,
    version bigint not null,
    primary key (tenant, id)
);

create unique index orders_review_of_line on orders_review (tenant, line);
create index orders_review_of_buyer on orders_review (tenant, buyer);
create index orders_review_of_product on orders_review (tenant, product, id);
create index orders_review_of_merchant on orders_review (tenant, merchant, id);

-- Sums of what is shown, of products and of shops.
create table orders_rating (
    tenant text not null,
    subject text not null,
    reviews bigint not null,
    stars bigint not null,
    primary key (tenant, subject)
);

create table orders_conversation (
    tenant text not null,
    id text not null,
    buyer text not null,
    merchant text not null,
    buyer_read text,
    merchant_read text,
    last_message text,
    last_at bigint not null,
    primary key (tenant, id)
);

create unique index orders_conversation_of_both on orders_conversation (tenant, buyer, merchant);
create index orders_conversation_of_buyer on orders_conversation (tenant, buyer, id);
create index orders_conversation_of_merchant on orders_conversation (tenant, merchant, id);

create table orders_message (
    tenant text not null,
    id text not null,
    conversation text not null,
    side text not null check (side in ('buyer', 'merchant')),
    author text not null,
    words text not null,
    order_id text,
    at bigint not null,
    primary key (tenant, id)
);

create index orders_message_of_conversation on orders_message (tenant, conversation, id);
create index orders_message_old on orders_message (at);
