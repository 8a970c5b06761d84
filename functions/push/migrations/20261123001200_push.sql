-- What is told to people: who they are for audiences, how they are reached, what they agreed to, messages and their
-- deliveries, plans, pushes that merchants pay for, topics and webhooks. Portable: SQLite and PostgreSQL. Times are epoch
-- milliseconds, JSON is text, amounts whole minor units. The money itself stands in the ledger.

create table push_terms (
    tenant text not null primary key,
    -- In which days are counted for those of whom no zone is known.
    time_zone text not null,
    -- When marketing may be delivered, by the person's clock, as 07:00.
    window_from text not null,
    window_until text not null,
    per_day bigint not null check (per_day between 0 and 100),
    per_week bigint not null check (per_week between 0 and 100),
    -- What a merchant pays for each person that a push reaches.
    price_minor bigint not null check (price_minor > 0),
    calls_per_minute bigint not null check (calls_per_minute > 0),
    messages_per_day bigint not null check (messages_per_day > 0),
    version bigint not null check (version > 0),
    changed_by text not null,
    changed_at bigint not null
);

create table push_community (
    tenant text not null,
    id text not null,
    name text not null,
    time_zone text not null,
    primary key (tenant, id)
);

create table push_person (
    tenant text not null,
    id text not null,
    -- What language they read: zh or en.
    language text not null check (language in ('zh', 'en')),
    time_zone text,
    minor bigint not null check (minor in (0, 1)),
    segments text not null,
    rfm text,
    last_active_at bigint,
    quiet_from text,
    quiet_until text,
    quiet_then text check (quiet_then in ('defer', 'drop')),
    primary key (tenant, id)
);

create table push_membership (
    tenant text not null,
    binding text not null,
    person text not null,
    role text not null,
    community text not null,
    building text,
    room text,
    from_at bigint not null,
    until_at bigint,
    primary key (tenant, binding)
);

create index push_membership_by_person on push_membership (tenant, person, binding);
create index push_membership_by_room on push_membership (tenant, room, person);
create index push_membership_by_community on push_membership (tenant, community, person);

-- Tags: of a person by hand, or of one of their devices.
create table push_tag (
    tenant text not null,
    person text not null,
    tag text not null,
    -- The device, or empty.
    source text not null,
    primary key (tenant, person, tag, source)
);

create table push_merchant (
    tenant text not null,
    id text not null,
    name text not null,
    open bigint not null check (open in (0, 1)),
    version bigint not null,
    primary key (tenant, id)
);

create table push_member (
    tenant text not null,
    merchant text not null,
    person text not null,
    primary key (tenant, merchant, person)
);

create index push_member_by_person on push_member (tenant, person, merchant);

create table push_subscription (
    tenant text not null,
    id text not null,
    person text not null,
    channel text not null check (channel in ('web_push', 'unified_push', 'ntfy', 'jpush', 'webhook')),
    -- The address, the topic, or the registration at the service.
    address text not null,
    -- Whose breaker it shares; empty where nothing is called.
    origin text not null,
    p256dh text,
    auth text,
    alias text,
    time_zone text,
    state text not null check (state in ('active', 'removed', 'gone')),
    -- Of a webhook: which secret signs, and until when the one before does, too.
    secret_number bigint not null check (secret_number >= 0),
    previous_until bigint,
    created_at bigint not null,
    changed_at bigint not null,
    primary key (tenant, id)
);

create unique index push_subscription_by_address on push_subscription (tenant, channel, address) where state = 'active';
create index push_subscription_by_person on push_subscription (tenant, person, id);

-- What people agreed to and took back, with what shows it; never changed.
create table push_consent (
    tenant text not null,
    id text not null,
    person text not null,
    purpose text not null,
    channel text not null,
    given bigint not null check (given in (0, 1)),
    text_version text,
    via text not null,
    evidence text not null,
    actor text not null,
    at bigint not null,
    primary key (tenant, id)
);

create index push_consent_by_person on push_consent (tenant, person, id);

-- How things stand: the last word for each purpose and channel.
create table push_agreement (
    tenant text not null,
    person text not null,
    purpose text not null,
    channel text not null,
    given bigint not null check (given in (0, 1)),
    at bigint not null,
    primary key (tenant, person, purpose, channel)
);

create table push_template (
    tenant text not null,
    id text not null,
    purpose text not null check (purpose in ('safety', 'service', 'notice', 'marketing')),
    title_zh text not null,
    title_en text not null,
    body_zh text not null,
    body_en text not null,
    version bigint not null check (version > 0),
    changed_by text not null,
    changed_at bigint not null,
    primary key (tenant, id)
);

create table push_message (
    tenant text not null,
    id text not null,
    purpose text not null check (purpose in ('safety', 'service', 'notice', 'marketing')),
    source text not null check (source in ('api', 'event', 'plan', 'order')),
    reference text not null,
    sender text not null,
    title_zh text not null,
    title_en text not null,
    body_zh text not null,
    body_en text not null,
    url text,
    channels text not null,
    urgency text not null,
    collapse_key text,
    -- Whom it is for: an expression, or people by name.
    audience text,
    people text,
    -- Whether whom it is for was chosen by what they do.
    personal bigint not null check (personal in (0, 1)),
    per_minute bigint check (per_minute > 0),
    hold_out_bps bigint not null check (hold_out_bps between 0 and 5000),
    quiet_from text,
    quiet_until text,
    quiet_then text,
    quiet_zone text,
    due_at bigint not null,
    expires_at bigint not null,
    state text not null check (state in ('scheduled', 'expanding', 'sending', 'finished', 'cancelled')),
    -- The last person that was looked at, and how many were meant so far.
    cursor text,
    meant bigint not null,
    -- When there is something to do for it; none when it is over.
    work_at bigint,
    created_by text not null,
    created_at bigint not null,
    finished_at bigint,
    primary key (tenant, id)
);

create unique index push_message_by_source on push_message (tenant, source, reference);
create index push_message_by_work on push_message (work_at) where work_at is not null;

create index push_message_old on push_message (created_at);

create table push_delivery (
    tenant text not null,
    id text not null,
    message text not null,
    person text not null,
    -- The device, or empty for the inbox.
    device text not null,
    channel text not null check (channel in ('inbox', 'web_push', 'unified_push', 'ntfy', 'jpush', 'webhook')),
    state text not null check (state in
        ('queued', 'suppressed', 'leased', 'sent', 'delivered', 'displayed', 'clicked', 'dead', 'gone')),
    -- Why it was suppressed or given up.
    reason text,
    tries bigint not null check (tries >= 0),
    -- Of a queued one not before then; of a leased one until then; none when it is over.
    due_at bigint,
    expires_at bigint not null,
    created_at bigint not null,
    leased_at bigint,
    sent_at bigint,
    delivered_at bigint,
    displayed_at bigint,
    clicked_at bigint,
    converted_at bigint,
    read_at bigint,
    primary key (tenant, id)
);

create unique index push_delivery_once on push_delivery (tenant, message, person, device);
create index push_delivery_due on push_delivery (tenant, due_at, id) where due_at is not null;
create index push_delivery_open on push_delivery (tenant, message) where due_at is not null;
create index push_delivery_inbox on push_delivery (tenant, person, id) where channel = 'inbox';
create index push_delivery_unread on push_delivery (tenant, person)
    where channel = 'inbox' and read_at is null and delivered_at is not null;
create index push_delivery_by_device on push_delivery (tenant, device) where due_at is not null;

create index push_delivery_old on push_delivery (created_at);

-- When marketing was leased for somebody: the last time of each message.
create table push_marketing (
    tenant text not null,
    person text not null,
    message text not null,
    at bigint not null,
    primary key (tenant, person, message)
);

create index push_marketing_by_time on push_marketing (tenant, person, at);
create index push_marketing_old on push_marketing (at);

-- How a service does: its breaker, and when it last did not believe us.
create table push_origin (
    tenant text not null,
    origin text not null,
    breaker text not null,
    alarmed_at bigint,
    primary key (tenant, origin)
);

create table push_plan (
    tenant text not null,
    id text not null,
    name text not null,
    content text not null,
    audience text not null,
    time_zone text not null,
    rhythm text not null,
    quiet_from text,
    quiet_until text,
    quiet_then text,
    per_minute bigint check (per_minute > 0),
    hold_out_bps bigint not null check (hold_out_bps between 0 and 5000),
    state text not null check (state in ('active', 'paused', 'ended')),
    next_at bigint,
    version bigint not null check (version > 0),
    created_by text not null,
    created_at bigint not null,
    primary key (tenant, id)
);

create index push_plan_due on push_plan (next_at) where next_at is not null;

create table push_plan_run (
    tenant text not null,
    plan text not null,
    scheduled_at bigint not null,
    -- None when it was too late to be told.
    message text,
    ran_at bigint not null,
    primary key (tenant, plan, scheduled_at)
);

create table push_order (
    tenant text not null,
    id text not null,
    merchant text not null,
    community text not null,
    content text not null,
    audience text not null,
    state text not null check (state in ('draft', 'quoted', 'asked', 'held', 'scheduled', 'sending', 'settled',
        'rejected', 'cancelled', 'expired')),
    due_at bigint not null,
    people bigint not null,
    digest text,
    price_minor bigint not null,
    amount_minor bigint not null,
    valid_until bigint,
    payment text,
    message text,
    delivered bigint not null,
    charged_minor bigint not null,
    refunded_minor bigint not null,
    created_by text not null,
    reviewed_by text,
    note text,
    created_at bigint not null,
    changed_at bigint not null,
    version bigint not null check (version > 0),
    primary key (tenant, id),
    check (reviewed_by is null or reviewed_by <> created_by)
);

create index push_order_by_merchant on push_order (tenant, merchant, id);
create unique index push_order_by_payment on push_order (tenant, payment) where payment is not null;
create unique index push_order_by_message on push_order (tenant, message) where message is not null;

create table push_topic (
    tenant text not null,
    id text not null,
    owner text not null,
    -- Which key opens it; the digest of the key itself.
    key_number bigint not null check (key_number > 0),
    key_digest text not null,
    created_at bigint not null,
    primary key (tenant, id)
);

create unique index push_topic_by_key on push_topic (key_digest);
create index push_topic_by_owner on push_topic (tenant, owner, id);

create table push_note (
    tenant text not null,
    topic text not null,
    id text not null,
    at bigint not null,
    expires_at bigint not null,
    line text not null,
    primary key (tenant, topic, id)
);

create index push_note_by_time on push_note (tenant, topic, at, id);
create index push_note_old on push_note (expires_at);

create table push_quota (
    tenant text not null,
    caller text not null,
    kind text not null check (kind in ('minute', 'day')),
    starts_at bigint not null,
    used bigint not null check (used >= 0),
    primary key (tenant, caller, kind)
);
