-- Phones and one-time codes, sessions, roles, connected applications, consent, feedback, bindings.
-- Portable: SQLite and PostgreSQL. Times are epoch milliseconds.

-- The number itself stands here and nowhere else; its digest is how other capabilities and codes name it. An account
-- that was made from the register of residents has a digest only, until its owner signs in for the first time.
alter table identity_person add column phone text;
alter table identity_person add column phone_digest text;
-- Whether the password was handed over by somebody else and has to be replaced at the first sign-in.
alter table identity_person add column password_temporary bigint not null default 0 check (password_temporary in (0, 1));
-- When the person was forgotten; the row stays, without anything personal, because facts name its id.
alter table identity_person add column erased_at bigint;

create unique index identity_person_by_phone on identity_person (tenant, phone_digest);

-- The one code of a number for a purpose that may be used; a new one takes its place.
create table identity_code (
    tenant text not null references identity_tenant (id),
    phone_digest text not null,
    purpose text not null,
    id text not null,
    -- HMAC of the code under the deployment's key: six digits alone would be guessed from any plain hash.
    hash text not null,
    tries bigint not null check (tries >= 0),
    expires_at bigint not null,
    primary key (tenant, phone_digest, purpose)
);

create index identity_code_by_age on identity_code (expires_at);

-- When codes were sent to a number, for the limits.
create table identity_sending (
    tenant text not null,
    phone_digest text not null,
    id text not null,
    sent_at bigint not null,
    primary key (tenant, phone_digest, id)
);

create index identity_sending_by_age on identity_sending (sent_at);

-- What the developer's inbox shows; empty where codes go out through a webhook.
create table identity_inbox (
    id text not null primary key,
    tenant text not null,
    phone text not null,
    purpose text not null,
    code text not null,
    sent_at bigint not null
);

create table identity_session (
    tenant text not null,
    id text not null,
    person text not null,
    started_at bigint not null,
    used_at bigint not null,
    expires_at bigint not null,
    -- When it was ended before its time, and why.
    ended_at bigint,
    end_reason text,
    primary key (tenant, id),
    foreign key (tenant, person) references identity_person (tenant, id)
);

create index identity_session_by_person on identity_session (tenant, person, id);
create index identity_session_by_age on identity_session (expires_at);

-- The refresh tokens of a session, the used ones too: whoever presents one of those has stolen it, or was stolen from.
create table identity_refresh (
    tenant text not null,
    session text not null,
    hash text not null,
    issued_at bigint not null,
    used_at bigint,
    primary key (tenant, session, hash),
    foreign key (tenant, session) references identity_session (tenant, id)
);

-- At most one token of a session is live.
create unique index identity_refresh_live on identity_refresh (tenant, session) where used_at is null;

create table identity_role (
    tenant text not null references identity_tenant (id),
    name text not null,
    -- Names of permissions, sorted, with commas between them.
    permissions text not null,
    version bigint not null check (version > 0),
    primary key (tenant, name)
);

create table identity_role_holder (
    tenant text not null,
    person text not null,
    role text not null,
    primary key (tenant, person, role),
    foreign key (tenant, person) references identity_person (tenant, id),
    foreign key (tenant, role) references identity_role (tenant, name)
);

create index identity_role_holder_by_role on identity_role_holder (tenant, role);

create table identity_application (
    tenant text not null references identity_tenant (id),
    id text not null,
    name text not null,
    scopes text not null,
    sessions_per_minute bigint not null check (sessions_per_minute > 0),
    disabled bigint not null check (disabled in (0, 1)),
    version bigint not null check (version > 0),
    created_at bigint not null,
    primary key (tenant, id)
);

-- The id alone names the tenant: it stands in the key that the application presents.
create table identity_application_key (
    id text not null primary key,
    tenant text not null,
    application text not null,
    hash text not null,
    created_at bigint not null,
    -- Absent until a newer one takes its place, or it is ended.
    expires_at bigint,
    -- The minute that is counted, and how often the key was used in it.
    window_at bigint not null,
    window_uses bigint not null,
    foreign key (tenant, application) references identity_application (tenant, id)
);

create index identity_application_key_by_application on identity_application_key (tenant, application);

create table identity_consent_text (
    tenant text not null references identity_tenant (id),
    purpose text not null,
    version text not null,
    english text not null,
    chinese text not null,
    -- How long what is collected for the purpose is kept, in days.
    retention_days bigint not null check (retention_days > 0),
    published_at bigint not null,
    primary key (tenant, purpose, version)
);

-- How things stand; how they came to stand so is in the log of facts.
create table identity_consent (
    tenant text not null,
    person text not null,
    purpose text not null,
    text_version text not null,
    given bigint not null check (given in (0, 1)),
    changed_at bigint not null,
    primary key (tenant, person, purpose),
    foreign key (tenant, person) references identity_person (tenant, id)
);

create table identity_feedback (
    tenant text not null references identity_tenant (id),
    id text not null,
    person text not null,
    -- Where it is about, if it is about a place.
    community text,
    text text not null,
    given_at bigint not null,
    answer text,
    answered_by text,
    answered_at bigint,
    primary key (tenant, id)
);

create index identity_feedback_by_person on identity_feedback (tenant, person, id);

-- The bindings that the register of communities tells of; while one holds, its community is the person's.
create table identity_binding (
    tenant text not null,
    binding text not null,
    person text not null,
    community text not null,
    from_at bigint not null,
    until_at bigint,
    primary key (tenant, binding)
);

create index identity_binding_by_person on identity_binding (tenant, person);
