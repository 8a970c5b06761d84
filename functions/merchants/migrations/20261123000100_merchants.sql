-- Who sells in the mall: applications and their audit, shops and who acts for them, licences, categories, commission
-- rules, contracts, what hosted shops ask for; communities from the event log. Portable: SQLite and PostgreSQL. Times
-- are epoch milliseconds, dates and months ISO 8601 text, amounts whole minor units, JSON is text.

create table merchants_community (
    tenant text not null,
    id text not null,
    name text not null,
    primary key (tenant, id)
);

create table merchants_application (
    tenant text not null,
    id text not null,
    state text not null
        check (state in ('draft', 'submitted', 'changes_requested', 'approved', 'rejected', 'withdrawn')),
    -- Whose account it is of; null for an applicant without one.
    applicant text,
    phone text not null,
    phone_digest text not null,
    -- Company, shop, contact, categories ... as JSON.
    content text not null,
    -- How often it was submitted.
    round bigint not null check (round >= 0),
    version bigint not null check (version > 0),
    created_at bigint not null,
    submitted_at bigint,
    decided_by text,
    decided_at bigint,
    reason text,
    -- The merchant that it made.
    merchant text,
    primary key (tenant, id)
);

create index merchants_application_by_state on merchants_application (tenant, state, id);
create index merchants_application_by_applicant on merchants_application (tenant, applicant, id);
create index merchants_application_by_phone on merchants_application (tenant, phone_digest, created_at);
create index merchants_application_by_age on merchants_application (tenant, created_at);
create index merchants_application_drafts on merchants_application (state, created_at);

create table merchants_merchant (
    tenant text not null,
    id text not null,
    application text not null,
    company text not null,
    credit_code text not null,
    contact text not null,
    phone text not null,
    phone_digest text not null,
    -- What buyers read and see, as JSON.
    profile text not null,
    mode text not null check (mode in ('self_run', 'hosted')),
    state text not null check (state in ('active', 'closed', 'ended')),
    state_reason text,
    -- The owner's own word.
    wants_open bigint not null check (wants_open in (0, 1)),
    -- The moment at which the first licence that it needs ends.
    expires_at bigint,
    -- When something of that is to be told.
    due_at bigint,
    -- What settlement last said.
    standing text,
    standing_version bigint not null check (standing_version >= 0),
    version bigint not null check (version > 0),
    created_at bigint not null,
    primary key (tenant, id)
);

create index merchants_merchant_by_state on merchants_merchant (tenant, state, id);
create index merchants_merchant_due on merchants_merchant (due_at) where due_at is not null;

create table merchants_member (
    tenant text not null,
    merchant text not null,
    person text not null,
    role text not null check (role in ('owner', 'clerk')),
    name text not null,
    phone text not null,
    added_by text not null,
    added_at bigint not null,
    primary key (tenant, merchant, person),
    foreign key (tenant, merchant) references merchants_merchant (tenant, id)
);

create index merchants_member_by_person on merchants_member (tenant, person, merchant);

create table merchants_category (
    tenant text not null,
    id text not null,
    parent text,
    -- The ids from the root down to this one, as `/food/fruit/`.
    path text not null,
    depth bigint not null check (depth between 1 and 4),
    name text not null,
    kind text not null check (kind in ('goods', 'service')),
    operator text,
    -- The kinds of licences that selling in it needs, as JSON.
    required text not null,
    gone bigint not null check (gone in (0, 1)),
    version bigint not null check (version > 0),
    primary key (tenant, id)
);

create index merchants_category_by_path on merchants_category (tenant, path);
create unique index merchants_category_by_name on merchants_category (tenant, coalesce(parent, ''), name) where gone = 0;

-- In which categories a merchant may sell.
create table merchants_assignment (
    tenant text not null,
    category text not null,
    merchant text not null,
    primary key (tenant, category, merchant),
    foreign key (tenant, merchant) references merchants_merchant (tenant, id)
);

create index merchants_assignment_by_merchant on merchants_assignment (tenant, merchant, category);

create table merchants_qualification (
    tenant text not null,
    id text not null,
    -- Where it was handed in.
    application text,
    -- Whose it is, once there is a merchant.
    merchant text,
    kind text not null,
    name text not null,
    media text not null check (media in ('image/jpeg', 'image/png', 'application/pdf')),
    bytes bigint not null check (bytes > 0),
    -- SHA-256, in hexadecimal digits.
    digest text not null,
    valid_from text not null,
    valid_until text,
    state text not null check (state in ('pending', 'accepted', 'refused')),
    reason text,
    decided_by text,
    uploaded_by text,
    uploaded_at bigint not null,
    -- The file in base64.
    content text not null,
    primary key (tenant, id)
);

create index merchants_qualification_by_application on merchants_qualification (tenant, application, id);
create index merchants_qualification_by_merchant on merchants_qualification (tenant, merchant, id);

create table merchants_edit (
    tenant text not null,
    merchant text not null,
    version bigint not null,
    fields text not null,
    on_behalf bigint not null check (on_behalf in (0, 1)),
    reason text,
    actor text not null,
    edited_at bigint not null,
    primary key (tenant, merchant, version),
    foreign key (tenant, merchant) references merchants_merchant (tenant, id)
);

create table merchants_rule (
    tenant text not null,
    id text not null,
    version bigint not null check (version > 0),
    merchant text,
    category text,
    kind text check (kind in ('goods', 'service')),
    rate_bps bigint not null check (rate_bps between 0 and 10000),
    includes_freight bigint not null check (includes_freight in (0, 1)),
    valid_from bigint not null,
    -- The moment at which it began when it was withdrawn before.
    valid_until bigint check (valid_until >= valid_from),
    changed_by text not null,
    changed_at bigint not null,
    primary key (tenant, id)
);

create index merchants_rule_by_scope on merchants_rule (tenant, coalesce(merchant, ''), coalesce(category, ''), coalesce(kind, ''), valid_from);

create table merchants_contract (
    tenant text not null,
    merchant text not null,
    version bigint not null check (version > 0),
    from_month text not null,
    collection text not null check (collection in ('direct', 'platform')),
    due_day bigint not null check (due_day between 1 and 28),
    objection_days bigint not null check (objection_days between 0 and 28),
    confirm_days bigint not null check (confirm_days between 0 and 27),
    deposit_minor bigint not null check (deposit_minor >= 0),
    reopening_percent bigint not null check (reopening_percent between 100 and 1000),
    hosting_fee_minor bigint not null check (hosting_fee_minor >= 0),
    maintenance_fee_minor bigint not null check (maintenance_fee_minor >= 0),
    platform_fee_minor bigint not null check (platform_fee_minor >= 0),
    currency text not null check (currency in ('CNY')),
    note text,
    made_by text not null,
    made_at bigint not null,
    primary key (tenant, merchant, version),
    foreign key (tenant, merchant) references merchants_merchant (tenant, id)
);

create table merchants_request (
    tenant text not null,
    id text not null,
    merchant text not null,
    category text,
    title text not null,
    detail text not null,
    -- Whose task it is: the category's operator when it was asked for.
    operator text,
    state text not null check (state in ('open', 'done', 'rejected')),
    asked_by text not null,
    asked_at bigint not null,
    answer text,
    answered_by text,
    answered_at bigint,
    primary key (tenant, id),
    foreign key (tenant, merchant) references merchants_merchant (tenant, id)
);

create index merchants_request_by_merchant on merchants_request (tenant, merchant, id);
create index merchants_request_by_state on merchants_request (tenant, state, id);
